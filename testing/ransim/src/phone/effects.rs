//! What a phone wants done, and what it says of itself.

use oxirush_security::nas_5gs::STmsi;
use pakawaaz_base::Millis;
use rand_core::CryptoRngCore;

/// The world around a phone for the time of one call.
pub struct Io<'a> {
    /// Now.
    pub now: Millis,
    /// Randomness.
    pub rng: &'a mut dyn CryptoRngCore,
    /// Filled in order.
    pub out: &'a mut Vec<Effect>,
}

impl Io<'_> {
    pub(super) fn event(&mut self, event: Event) {
        self.out.push(Effect::Event(event));
    }
}

/// Why a phone asks for a connection (TS 38.331 EstablishmentCause).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessCause {
    /// It answers a page.
    MobileTerminated,
    /// Signalling of its own.
    Signalling,
    /// Data of its own.
    Data,
}

/// What a phone wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the gNB for a connection with this initial NAS message.
    Connect {
        /// The message.
        nas: Vec<u8>,
        /// Why.
        cause: AccessCause,
        /// The phone's temporary identity, if it has one.
        s_tmsi: Option<STmsi>,
    },
    /// Send a NAS message over the connection.
    Send(Vec<u8>),
    /// End the connection from the phone's side: it is out of the cell's hearing.
    Disconnect,
    /// Something that others want to know.
    Event(Event),
}

/// How a phone was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// 5G AKA.
    FiveGAka,
    /// EAP-AKA'.
    EapAkaPrime,
}

/// What the phone holds against its network, and told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkFault {
    /// AUTN's MAC is wrong (5GMM cause #20).
    AutnMac,
    /// AUTN's sequence number was used or is too far ahead (#21).
    AutnFreshness,
    /// AUTN is not for 5G: no separation bit (#26).
    SeparationBit,
    /// The key set identifier names a context in use (#71).
    KsiInUse,
    /// The EAP request is malformed, its AT_MAC is wrong or it names another network.
    Eap,
    /// Security mode with a null algorithm (#24).
    NullAlgorithm,
    /// Security mode with an algorithm that the phone did not claim (#23).
    UnknownAlgorithm,
    /// Security mode with capabilities that are not those sent: bidding down (#23).
    Capabilities,
    /// Security mode for keys that the phone does not have, or with a wrong MAC (#24).
    SecurityModeMac,
    /// The gNB's key is not the phone's: no access stratum security.
    GnbKey,
}

/// Why a downlink message was dropped without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// It is not a NAS message.
    Malformed,
    /// Its MAC is wrong, or its COUNT was used.
    Integrity,
    /// It is plain, and has to be protected (TS 24.501 §4.4.4.2).
    Plain,
    /// It is not ciphered, and has to be.
    Unciphered,
    /// The phone has no keys for it.
    NoKeys,
    /// Nothing it answers is under way.
    Unexpected,
}

/// How a registration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// The phone said so and the network agreed, or did not answer.
    Phone,
    /// The phone was switched off.
    SwitchedOff,
    /// The network said so.
    Network {
        /// It is to register anew.
        come_back: bool,
    },
    /// The network does not know the phone any more.
    Unknown,
}

/// Something that happened to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Card and network have proven themselves to one another.
    Authenticated(Method),
    /// The phone holds something against the network, and said so.
    Refused(NetworkFault),
    /// A message was dropped.
    Dropped(Dropped),
    /// It is registered, or has renewed its registration.
    Registered {
        /// Initial, mobility or periodic.
        kind: RegistrationKind,
    },
    /// Registration was refused.
    RegistrationRejected {
        /// 5GMM cause.
        cause: u8,
        /// The refusal was integrity protected.
        vouched: bool,
    },
    /// Authentication was refused.
    AuthenticationRejected,
    /// Nobody answered.
    RegistrationTimedOut,
    /// It is not registered any more.
    Deregistered(Ended),
    /// A page was answered.
    Paged,
    /// The service request was accepted.
    ServiceAccepted,
    /// The service request was refused.
    ServiceRejected {
        /// 5GMM cause.
        cause: u8,
    },
    /// Nobody answered.
    ServiceTimedOut,
    /// The configuration update command was obeyed.
    ConfigurationUpdated,
    /// It has another temporary identity.
    GutiChanged,
    /// A session is there.
    SessionUp {
        /// PDU session identity.
        psi: u8,
    },
    /// A session was refused.
    SessionRejected {
        /// PDU session identity.
        psi: u8,
        /// 5GSM cause, or 0 when the network did not even forward the request.
        cause: u8,
    },
    /// A session has other flows or rates.
    SessionModified {
        /// PDU session identity.
        psi: u8,
    },
    /// A modification that the phone asked for was refused.
    ModificationRejected {
        /// PDU session identity.
        psi: u8,
        /// 5GSM cause.
        cause: u8,
    },
    /// A session is gone.
    SessionDown {
        /// PDU session identity.
        psi: u8,
    },
    /// The connection ended.
    Idle,
    /// The network reports an error of ours.
    Status {
        /// 5GMM or 5GSM cause.
        cause: u8,
    },
}

/// Which registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistrationKind {
    /// Initial.
    Initial,
    /// The phone left its registration area, or was told to.
    Mobility,
    /// Time has come.
    Periodic,
}
