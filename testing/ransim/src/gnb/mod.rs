//! A gNB as a state machine on N2 (TS 38.413): NGAP bytes and radio messages in, the same and events out.
//!
//! | feature | file |
//! |---|---|
//! | NG setup, reset, configuration update, overload, errors | `interface.rs` |
//! | phones: initial message, NAS, context setup, release, paging | `context.rs` |
//! | session resources and their tunnels | `resources.rs` |
//!
//! The radio is simple on purpose: a phone is heard or not, its NAS bytes arrive whole, and the protection of the
//! access stratum is one comparison of K_gNB.

mod context;
mod interface;
mod resources;
#[cfg(test)]
mod tests;

pub use resources::{Resource, Tunnel};

use crate::error::RansimError;
use crate::phone::Slice;
use oxirush_ngap::helpers::{nr_cgi, plmn, tai};
use oxirush_ngap::ngap::{Cause, NGAP_PDU, PLMNIdentity, UserLocationInformation, UserLocationInformationNR};
use oxirush_ngap::{Error as NgapError, NgapPduKind as Kind};
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::STmsi;
use pakawaaz_base::Millis;
use resources::SetupItem;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;
use zeroize::Zeroizing;

/// A phone in its gNB's hearing; numbered by the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneId(pub u32);

/// One gNB.
#[derive(Clone, Debug)]
pub struct GnbConfig {
    /// Network.
    pub plmn: Plmn,
    /// Its identity.
    pub id: u32,
    /// Bits of its identity, 22 to 32.
    pub id_bits: u8,
    /// Its name.
    pub name: String,
    /// Tracking areas; its cells are of the first.
    pub tacs: Vec<u32>,
    /// Slices it serves.
    pub slices: Vec<Slice>,
    /// Where its ends of the tunnels listen.
    pub n3: IpAddr,
    /// A phone that is silent for this long is released; none: never.
    pub inactivity: Option<Duration>,
    /// Refuses sessions whose user plane the core does not want integrity protected.
    pub integrity_required: bool,
}

impl GnbConfig {
    /// gNB number `id` (24 bits) of `plmn` with one tracking area, SST 1, and phones released after 20 s of silence.
    pub fn new(plmn: Plmn, id: u32, tac: u32, n3: IpAddr) -> Self {
        Self {
            plmn,
            id,
            id_bits: 24,
            name: format!("ransim-{id}"),
            tacs: vec![tac],
            slices: vec![Slice { sst: 1, sd: None }],
            n3,
            inactivity: Some(Duration::from_secs(20)),
            integrity_required: true,
        }
    }
}

/// The world around a gNB for the time of one call.
pub struct GnbIo<'a> {
    /// Now.
    pub now: Millis,
    /// Filled in order.
    pub out: &'a mut Vec<GnbEffect>,
}

/// What a gNB wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum GnbEffect {
    /// Send an NGAP PDU to the core.
    Send {
        /// SCTP stream; 0 for what concerns no phone (TS 38.412 §7).
        stream: u16,
        /// The PDU.
        bytes: Vec<u8>,
    },
    /// To a phone.
    Radio(PhoneId, Downlink),
    /// Page: to all phones that camp here.
    Page(STmsi),
    /// Something that others want to know.
    Event(GnbEvent),
}

/// To a phone.
#[derive(Debug, PartialEq, Eq)]
pub enum Downlink {
    /// A NAS message.
    Nas(Vec<u8>),
    /// The gNB has a key from the core; the phone says by [`Gnb::secured`] whether it is its own.
    Secure(Zeroizing<[u8; 32]>),
    /// A session's bearer is there, or is gone.
    Bearer {
        /// Session.
        psi: u8,
        /// There.
        up: bool,
    },
    /// The connection is over, or was refused.
    Released,
}

/// Something that happened to a gNB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GnbEvent {
    /// The core takes it.
    Ready {
        /// Name of the core.
        amf: String,
    },
    /// The core refuses it.
    SetupRefused {
        /// The cause, as text.
        cause: String,
    },
    /// The association is gone.
    Lost,
    /// The core reset all or some phones.
    Reset {
        /// How many phones were dropped.
        phones: usize,
    },
    /// The core acknowledged a reset.
    ResetAcknowledged,
    /// The core has another configuration.
    AmfConfiguration,
    /// The core took our other configuration, or not.
    ConfigurationTaken(bool),
    /// Signalling is to be reduced.
    Overload {
        /// By this many percent; 100 when the core names no part.
        percent: u8,
    },
    /// It is over.
    OverloadOver,
    /// The core tells of an error.
    ErrorIndication {
        /// The cause, as text.
        cause: String,
    },
    /// A message of the core is not what TS 38.413 says.
    Malformed {
        /// Stable word for what is wrong.
        what: &'static str,
    },
    /// The core set up a session whose user plane needs no integrity.
    UserPlaneUnprotected {
        /// Whose.
        phone: PhoneId,
        /// Which.
        psi: u8,
    },
    /// The core knows the phone here.
    ContextSetUp {
        /// Whose.
        phone: PhoneId,
    },
    /// A session has its tunnel.
    ResourceUp {
        /// Whose.
        phone: PhoneId,
        /// Which.
        psi: u8,
    },
    /// A tunnel is gone.
    ResourceDown {
        /// Whose.
        phone: PhoneId,
        /// Which.
        psi: u8,
    },
}

/// Where the association stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// There is none.
    Down,
    /// NG setup is under way.
    SettingUp,
    /// Phones may be served.
    Ready,
    /// The core refused; again at this time, if it said when.
    Refused(Option<Millis>),
}

/// A phone with a connection.
#[derive(Debug)]
struct Ue {
    phone: PhoneId,
    amf: Option<u64>,
    secured: bool,
    /// The phone has begun another connection; this one only waits for the core to release it.
    detached: bool,
    /// What is done once the phone has confirmed the key.
    pending: Option<Box<Pending>>,
    resources: BTreeMap<u8, Resource>,
    active_at: Millis,
    release_asked: bool,
}

#[derive(Debug)]
struct Pending {
    nas: Option<Vec<u8>>,
    sessions: Vec<SetupItem>,
}

/// The gNB.
#[derive(Debug)]
pub struct Gnb {
    config: GnbConfig,
    plmn: PLMNIdentity,
    link: Link,
    streams: u16,
    amf_name: String,
    ues: BTreeMap<u32, Ue>,
    by_phone: HashMap<PhoneId, u32>,
    teids: HashMap<u32, (PhoneId, u8)>,
    next_ran: u32,
    next_teid: u32,
    overload: Option<interface::Overload>,
    /// Not before this is a look at silent phones worth while.
    inactivity_at: Option<Millis>,
}

impl Gnb {
    /// A gNB without an association.
    ///
    /// # Errors
    /// [`RansimError::Configuration`] when its identity or tracking areas do not fit their fields.
    pub fn new(config: GnbConfig) -> Result<Self, RansimError> {
        const BAD: RansimError = RansimError::Configuration("the gNB's identity does not fit");
        let plmn = plmn(config.plmn.mcc(), config.plmn.mnc()).map_err(|_| BAD)?;
        nr_cgi(plmn, config.id, config.id_bits.into(), 1).map_err(|_| BAD)?;
        if config.tacs.is_empty() || config.tacs.iter().any(|tac| *tac >= 1 << 24) || config.slices.is_empty() {
            return Err(RansimError::Configuration("a gNB needs tracking areas of 24 bits and slices"));
        }
        Ok(Self {
            // Tunnels of different gNBs differ, so that a packet sent to the wrong one is seen.
            next_teid: (config.id << 12) | 1,
            config,
            plmn,
            link: Link::Down,
            streams: 1,
            amf_name: String::new(),
            ues: BTreeMap::new(),
            by_phone: HashMap::new(),
            teids: HashMap::new(),
            next_ran: 1,
            overload: None,
            inactivity_at: None,
        })
    }

    /// Its configuration.
    pub fn config(&self) -> &GnbConfig {
        &self.config
    }
    /// Where its association stands.
    pub fn link(&self) -> Link {
        self.link
    }
    /// Phones with a connection.
    pub fn connected(&self) -> usize {
        self.ues.len()
    }
    /// NGAP ids of a phone: the gNB's and the core's; for tests.
    pub fn ngap_ids(&self, phone: PhoneId) -> Option<(u32, Option<u64>)> {
        let ran = *self.by_phone.get(&phone)?;
        Some((ran, self.ues.get(&ran)?.amf))
    }
    /// The tunnel of a session.
    pub fn resource(&self, phone: PhoneId, psi: u8) -> Option<&Resource> {
        self.ues.get(self.by_phone.get(&phone)?)?.resources.get(&psi)
    }
    /// Whose tunnel ends here.
    pub fn owner_of_teid(&self, teid: u32) -> Option<(PhoneId, u8)> {
        self.teids.get(&teid).copied()
    }

    /// When [`Gnb::tick`] is due.
    pub fn deadline(&self) -> Option<Millis> {
        let again = if let Link::Refused(at) = self.link { at } else { None };
        again.into_iter().chain(self.inactivity_at).min()
    }

    /// Time has passed: does what is due.
    pub fn tick(&mut self, io: &mut GnbIo<'_>) {
        if let Link::Refused(Some(at)) = self.link
            && at <= io.now
        {
            self.set_up(io);
        }
        if self.inactivity_at.is_some_and(|at| at <= io.now) {
            self.release_silent_phones(io);
        }
    }

    /// A PDU of the core.
    pub fn receive(&mut self, io: &mut GnbIo<'_>, bytes: &[u8]) {
        let Ok(pdu) = NGAP_PDU::decode(bytes) else {
            io.event(GnbEvent::Malformed { what: "pdu" });
            return self.error(io, None, None, protocol(oxirush_ngap::ngap::CauseProtocol::transfer_syntax_error));
        };
        let handled = match pdu.kind() {
            Kind::Successful_NGSetup => self.setup_accepted(io, &pdu),
            Kind::Unsuccessful_NGSetup => self.setup_refused(io, &pdu),
            Kind::Initiating_NGReset => self.reset(io, &pdu),
            Kind::Successful_NGReset => self.reset_acknowledged(io),
            Kind::Initiating_AMFConfigurationUpdate => self.amf_configuration(io),
            Kind::Successful_RANConfigurationUpdate => self.configuration_taken(io, true),
            Kind::Unsuccessful_RANConfigurationUpdate => self.configuration_taken(io, false),
            Kind::Initiating_OverloadStart => self.overload_start(io, &pdu),
            Kind::Initiating_OverloadStop => self.overload_stop(io),
            Kind::Initiating_ErrorIndication => self.error_indicated(io, &pdu),
            Kind::Initiating_Paging => self.paging(io, &pdu),
            Kind::Initiating_DownlinkNASTransport => self.downlink_nas(io, &pdu),
            Kind::Initiating_InitialContextSetup => self.context_setup(io, &pdu),
            Kind::Initiating_UEContextRelease => self.context_release(io, &pdu),
            Kind::Initiating_UEContextModification => self.context_modification(io, &pdu),
            Kind::Initiating_PDUSessionResourceSetup => self.resource_setup(io, &pdu),
            Kind::Initiating_PDUSessionResourceModify => self.resource_modify(io, &pdu),
            Kind::Initiating_PDUSessionResourceRelease => self.resource_release(io, &pdu),
            Kind::Initiating_AMFStatusIndication => Ok(()),
            _ => {
                io.event(GnbEvent::Malformed { what: "procedure" });
                let cause = oxirush_ngap::ngap::CauseProtocol::message_not_compatible_with_receiver_state;
                self.error(io, None, None, protocol(cause));
                Ok(())
            }
        };
        if handled.is_err() {
            io.event(GnbEvent::Malformed { what: "information element" });
            let cause = oxirush_ngap::ngap::CauseProtocol::abstract_syntax_error_reject;
            self.error(io, None, None, protocol(cause));
        }
    }

    /// The stream of a phone's messages: stays the same while the connection lasts (TS 38.412 §7).
    fn stream(&self, ran: u32) -> u16 {
        if self.streams <= 1 {
            return 0;
        }
        1 + (ran % u32::from(self.streams - 1)) as u16
    }

    fn location(&self) -> Result<UserLocationInformation<'static>, NgapError> {
        let cell = nr_cgi(self.plmn, self.config.id, self.config.id_bits.into(), 1)?;
        let area = tai(self.plmn, self.tac());
        Ok(UserLocationInformation::userLocationInformationNR(UserLocationInformationNR::new(cell, area, None, None)))
    }

    /// The tracking area of its cells, as octets.
    fn tac(&self) -> [u8; 3] {
        tac_octets(self.config.tacs.first().copied().unwrap_or_default())
    }
}

impl GnbIo<'_> {
    fn event(&mut self, event: GnbEvent) {
        self.out.push(GnbEffect::Event(event));
    }
    fn send(&mut self, stream: u16, pdu: Result<NGAP_PDU, NgapError>) {
        match pdu.and_then(|pdu| pdu.encode()) {
            Ok(bytes) => self.out.push(GnbEffect::Send { stream, bytes }),
            Err(_) => self.event(GnbEvent::Malformed { what: "own message" }),
        }
    }
    fn radio(&mut self, phone: PhoneId, downlink: Downlink) {
        self.out.push(GnbEffect::Radio(phone, downlink));
    }
}

fn tac_octets(tac: u32) -> [u8; 3] {
    let [_, a, b, c] = tac.to_be_bytes();
    [a, b, c]
}

fn radio_cause(cause: oxirush_ngap::ngap::CauseRadioNetwork) -> Cause {
    Cause::radioNetwork(cause)
}

fn protocol(cause: oxirush_ngap::ngap::CauseProtocol) -> Cause {
    Cause::protocol(cause)
}
