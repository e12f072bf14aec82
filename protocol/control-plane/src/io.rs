//! What enters the control plane and what leaves it.

use crate::identifiers::{AmfUeNgapId, AssociationId, Imsi, Location, Pei};
use oxirush_security::nas_5gs::KAusf;
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{BitRates, UserPlaneReply, UserPlaneRequest};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One thing that happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A gNB's association is up. `peer` is for the operator's eyes.
    Up {
        /// Which.
        association: AssociationId,
        /// Address or name of the other end.
        peer: String,
        /// Outgoing streams that may be used, at least 1.
        streams: u16,
    },
    /// A message of a gNB, one whole NGAP PDU with PPID 60.
    Message {
        /// From whom.
        association: AssociationId,
        /// SCTP stream it came on.
        stream: u16,
        /// The PDU.
        bytes: &'a [u8],
    },
    /// The association is gone; its phones become idle.
    Down {
        /// Which.
        association: AssociationId,
    },
    /// The vault's answer to [`Output::Vault`].
    Vault {
        /// For whom it was asked.
        ue: AmfUeNgapId,
        /// Number of the request; an answer to an older one is dropped.
        request: u32,
        /// The answer.
        reply: Result<Box<HomeVector>, VaultRefusal>,
    },
    /// The user plane says something.
    UserPlane(UserPlaneReply),
    /// The user plane is not there, until it says [`UserPlaneReply::Restarted`]: new sessions are refused at once. Those that
    /// phones have stay theirs, and are set up anew when it is back.
    UserPlaneGone,
    /// An operator or another part of the platform wants something.
    Command(Command),
    /// Time has passed: what is due is done. Also done with every other input.
    Tick,
}

/// Wanted from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Deregister a phone now (TS 24.501 §5.5.2.3), and tell it whether it may come back.
    Detach {
        /// Whom.
        imsi: Imsi,
        /// Re-registration required or not.
        come_back: bool,
    },
    /// The card is revoked or blocked: detach it and forget its security context.
    Revoke {
        /// Whom.
        imsi: Imsi,
    },
    /// What a card may do has changed.
    Subscription {
        /// Whose.
        imsi: Imsi,
        /// Everything.
        subscription: Arc<Subscription>,
    },
    /// Add flows to a session (a call begins), or take them away again: 5QI 1 and 2 for our calls.
    Flows {
        /// Whose.
        imsi: Imsi,
        /// Which data network.
        dnn: String,
        /// All flows beside the default one.
        flows: Vec<pakawaaz_user_plane::rules::QosFlow>,
    },
    /// Ask all gNBs to reduce signalling by this many percent (TS 38.413 §8.7.7), or 0: to stop reducing it.
    Overload {
        /// 0 to 99.
        percent: u8,
    },
    /// Another configuration: gNBs are told by AMF configuration update, connected phones by configuration update command,
    /// idle ones at their next contact. Sessions of data networks that are not there any more end.
    Configure(Arc<crate::config::Network>),
    /// Write down what every phone's messages do, for the ladder and the pcap.
    Trace {
        /// Whom.
        imsi: Imsi,
        /// Begin or end.
        on: bool,
    },
}

/// What a card may do. Comes with its vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Slices, the default one first.
    pub slices: Vec<crate::config::Snssai>,
    /// Data networks by name, the default one first.
    pub data_networks: Vec<SubscribedDataNetwork>,
    /// Most all sessions may carry together.
    pub ue_ambr: BitRates,
    /// Equipment that may use the card (14 digits each, [`Pei::equipment`]); empty: any.
    pub equipment: Vec<String>,
    /// Registration is refused.
    pub blocked: bool,
}

/// One data network of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribedDataNetwork {
    /// Its name.
    pub name: String,
    /// Always the same address.
    pub static_ipv4: Option<Ipv4Addr>,
    /// Always the same /64.
    pub static_ipv6: Option<Ipv6Addr>,
    /// Other rates than the data network's.
    pub ambr: Option<BitRates>,
}

/// Who is to be authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhoIs {
    /// The concealed identity as in NAS (TS 24.501 §9.11.3.4 from its first octet), opened by the vault.
    Suci(Vec<u8>),
    /// Somebody the core knows already.
    Imsi(Imsi),
}

/// What the vault is asked (Nudm_UEAuthentication, TS 33.501 §6.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultRequest {
    /// Who.
    pub who: WhoIs,
    /// Serving network name (`5G:mnc…`).
    pub serving_network: String,
    /// The method that the network prefers ([`crate::config::Network::method`]). A card may be set otherwise: the answer
    /// decides.
    pub method: crate::config::AuthenticationMethod,
    /// The card's claim that its SQN is elsewhere: RAND of the challenge, and AUTS (TS 33.102 §6.3.5).
    pub resynchronise: Option<([u8; 16], [u8; 14])>,
}

/// A home environment authentication vector with everything else the home network says of the card.
pub struct HomeVector {
    /// The card.
    pub imsi: Imsi,
    /// What it may do.
    pub subscription: Arc<Subscription>,
    /// The challenge.
    pub rand: [u8; 16],
    /// The network's proof.
    pub autn: [u8; 16],
    /// How the answer is checked.
    pub expected: Expected,
}

/// By method.
pub enum Expected {
    /// 5G AKA: XRES* and K_AUSF (TS 33.501 Annex A.2, A.4).
    FiveGAka {
        /// The answer.
        xres_star: Zeroizing<[u8; 16]>,
        /// The key that stays with the home network.
        k_ausf: KAusf,
    },
    /// EAP-AKA' (RFC 9048 §3.3): the keys of the exchange; K_AUSF is the first half of EMSK (TS 33.501 §6.1.3.1).
    ///
    /// The identity that they are derived for is the IMSI, its digits alone, whatever the phone has sent: in 5GS it is not
    /// taken from an EAP identity, and a SUPI that is an IMSI stands there without its type and not as a NAI (TS 33.501
    /// Annex F.3 with TS 23.003 §2.2). Release 15 first said "SUPI", which some read as `imsi-…`; it was settled so.
    EapAkaPrime {
        /// The answer of the card, 4 to 16 bytes.
        xres: Zeroizing<Vec<u8>>,
        /// Key of AT_MAC.
        k_aut: Zeroizing<[u8; 32]>,
        /// The key that stays with the home network.
        k_ausf: KAusf,
    },
}

impl std::fmt::Debug for HomeVector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HomeVector(…)")
    }
}

/// Why there is no vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VaultRefusal {
    /// No such card.
    Unknown,
    /// The card is blocked or revoked.
    Blocked,
    /// The concealed identity does not open, is of the null scheme, or names an unknown key.
    BadSuci,
    /// AUTS is not the card's.
    BadAuts,
    /// Too many requests for this card or in all.
    TooMany,
    /// The vault is not there.
    Unavailable,
}

/// What the shell has to do, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send one NGAP PDU.
    Send {
        /// To whom.
        association: AssociationId,
        /// SCTP stream: 0 for signalling of the gNB itself (TS 38.412 §7).
        stream: u16,
        /// The PDU.
        bytes: Vec<u8>,
    },
    /// End an association.
    Close {
        /// Which.
        association: AssociationId,
    },
    /// Ask the vault.
    Vault {
        /// For whom.
        ue: AmfUeNgapId,
        /// Comes back with the answer.
        request: u32,
        /// What.
        ask: VaultRequest,
    },
    /// Tell the user plane.
    UserPlane(UserPlaneRequest),
    /// Keep a phone's context, in the place of any older one; it may be replicated. Not sent before it is kept: the
    /// messages that follow in the same batch.
    Keep(Box<UeSnapshot>),
    /// The phone's context is not needed any more.
    Forget {
        /// Whose.
        imsi: Imsi,
    },
    /// Something that others want to know.
    Fact(Fact),
    /// Something an operator has to know.
    Alarm(Alarm),
    /// One line of a traced phone's ladder, for [`crate::trace`].
    Traced {
        /// Whose.
        imsi: Imsi,
        /// To the phone.
        downlink: bool,
        /// Name of the procedure, and of the NAS message in it: `InitialContextSetup: RegistrationAccept`.
        name: String,
        /// The NGAP PDU, with the NAS in it readable and its keys zeroed.
        bytes: Vec<u8>,
    },
}

/// Events for the rest of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A phone has registered (authenticated, with full security).
    Registered {
        /// Whose card.
        imsi: Imsi,
        /// The equipment it claims to be.
        pei: Option<Pei>,
        /// Where.
        location: Location,
        /// When.
        at: Millis,
    },
    /// A registered phone is elsewhere.
    Moved {
        /// Whose.
        imsi: Imsi,
        /// Where.
        location: Location,
        /// When.
        at: Millis,
    },
    /// It is not registered any more.
    Deregistered {
        /// Whose.
        imsi: Imsi,
        /// Why.
        because: DeregisteredBecause,
        /// When.
        at: Millis,
    },
    /// A session has an address.
    SessionStarted {
        /// Whose.
        imsi: Imsi,
        /// Which of the phone's.
        psi: u8,
        /// Data network.
        dnn: String,
        /// Address.
        ipv4: Option<Ipv4Addr>,
        /// Prefix.
        ipv6: Option<Ipv6Addr>,
        /// When.
        at: Millis,
    },
    /// It is over.
    SessionEnded {
        /// Whose.
        imsi: Imsi,
        /// Which of the phone's; it may have others to the same data network.
        psi: u8,
        /// When.
        at: Millis,
    },
    /// A new K_AUSF from which K_AKMA may be derived (TS 33.535 §6.1); the shell hands it to the AAnF. Told when the phone has
    /// taken it into use, which is when its security mode is complete.
    Authenticated {
        /// Whose.
        imsi: Imsi,
        /// The key.
        k_ausf: SharedKAusf,
        /// When.
        at: Millis,
    },
}

/// A K_AUSF that can be handed on; shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedKAusf(pub Arc<Zeroizing<[u8; 32]>>);
impl std::fmt::Debug for SharedKAusf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KAusf(…)")
    }
}

/// Why a phone is not registered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeregisteredBecause {
    /// The phone said so, integrity protected: its owner's tokens end too.
    Phone,
    /// The network said so.
    Network,
    /// Revoked: its owner's tokens end too.
    Revoked,
    /// It was not heard of for too long. Logs nobody out.
    Silence,
    /// It registered anew.
    Replaced,
}

/// For the operator, with the fields of TS 28.532 added at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A gNB that is not on the list, or serves what it may not, tried to connect.
    ForeignGnb {
        /// Its address.
        peer: String,
    },
    /// A card is in equipment that it is not bound to; registration was refused.
    ForeignEquipment {
        /// The card.
        imsi: Imsi,
        /// What the equipment claims to be.
        pei: Option<Pei>,
    },
    /// A gNB sends what it must not, or too much of it.
    MisbehavingGnb {
        /// Which.
        association: AssociationId,
        /// Stable word for what it did.
        what: &'static str,
    },
    /// A gNB has gone.
    GnbLost {
        /// Which.
        association: AssociationId,
    },
    /// There are as many associations as there may be: one that is not set up makes room for each that comes, and when all
    /// are set up no more come in.
    Associations {
        /// There are; or there is room again.
        full: bool,
    },
    /// The vault does not answer.
    VaultUnavailable,
    /// The user plane does not answer, or has started anew.
    UserPlaneUnavailable,
}

/// A phone's context as kept outside of the process: one row.
#[derive(Clone, PartialEq, Eq)]
pub struct UeSnapshot {
    /// Whose.
    pub imsi: Imsi,
    /// TMSI of its GUTI.
    pub tmsi: u32,
    /// Encoded context with keys; sealed by the shell before it is stored.
    pub context: Zeroizing<Vec<u8>>,
}
impl std::fmt::Debug for UeSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UeSnapshot(…)")
    }
}
