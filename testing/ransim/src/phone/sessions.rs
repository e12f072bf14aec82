//! PDU sessions as the phone sees them (TS 24.501 §6): establishment, modification and release.

use super::{Event, Io, Phone, SessionKind, SessionWish, State};
use crate::error::RansimError;
use oxirush_nas::nas_5gs::{
    GmmCause, GsmCause, MaxDataRate, Nas5gsMessage, Nas5gsmMessage, NasAlwaysOnPduSessionRequested, NasDlNasTransport,
    NasDnn, NasExtendedProtocolConfigurationOptions, NasFGmmCause, NasFGmmStatus, NasFGsmCause, NasFGsmStatus,
    NasIntegrityProtectionMaximumDataRate, NasPayloadContainer, NasPayloadContainerType,
    NasPduSessionEstablishmentAccept, NasPduSessionEstablishmentRequest, NasPduSessionIdentity2,
    NasPduSessionModificationCommand, NasPduSessionModificationCommandReject, NasPduSessionModificationComplete,
    NasPduSessionModificationRequest, NasPduSessionReleaseComplete, NasPduSessionReleaseRequest, NasPduSessionType,
    NasQosFlowDescriptions, NasQosRules, NasRequestType, NasSNssai, NasSscMode, NasUlNasTransport,
    PayloadContainerKind, Pco, PcoDirection, PcoEntry, PduSessionTypeValue, QosFlowOpCode, QosFlowParameter, QosRule,
    QosRuleOpCode, RequestTypeValue, SscModeValue,
};
use pakawaaz_base::Millis;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Container identifiers of protocol configuration options (TS 24.008 table 10.5.154).
const DNS_IPV6: u16 = 0x0003;
const DNS_IPV4: u16 = 0x000d;
const MTU_IPV4: u16 = 0x0010;
/// Attempts of each request (§6.4.1.6, §6.4.2.5, §6.4.3.5).
const ATTEMPTS: u8 = 5;

/// Where a session stands (§6.1.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionState {
    /// Asked for.
    ActivePending,
    /// There.
    Active,
    /// A modification was asked for.
    ModificationPending,
    /// Its end was asked for.
    InactivePending,
}

/// One PDU session.
#[derive(Clone, Debug)]
pub struct Session {
    /// PDU session identity, 1 to 15.
    pub psi: u8,
    /// Where it stands.
    pub state: SessionState,
    /// What was asked for.
    pub wish: SessionWish,
    /// What it is.
    pub kind: SessionKind,
    /// Its address.
    pub ipv4: Option<Ipv4Addr>,
    /// The interface identifier of its link-local address (§6.2.4.2); the prefix comes by router advertisement.
    pub interface_id: Option<[u8; 8]>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Largest packet.
    pub mtu: Option<u16>,
    /// The network keeps its user plane up whenever the phone is connected.
    pub always_on: bool,
    /// Most it may carry, downlink and uplink in kbit/s.
    pub ambr: Option<(u64, u64)>,
    /// QoS rules by identifier.
    pub rules: BTreeMap<u8, QosRule>,
    /// 5QI of each QoS flow.
    pub flows: BTreeMap<u8, u8>,
    /// Its data radio bearer is there.
    pub bearer: bool,
    pub(super) data_waiting: bool,
    pti: u8,
    attempts: u8,
    timer: Option<Millis>,
    /// A request that waits for a connection.
    unsent: Option<Request>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Establish,
    Modify,
    Release,
}

impl Session {
    fn new(psi: u8, wish: SessionWish) -> Self {
        Self {
            psi,
            state: SessionState::ActivePending,
            kind: wish.kind,
            wish,
            ipv4: None,
            interface_id: None,
            dns: Vec::new(),
            mtu: None,
            always_on: false,
            ambr: None,
            rules: BTreeMap::new(),
            flows: BTreeMap::new(),
            bearer: false,
            data_waiting: false,
            pti: 0,
            attempts: 0,
            timer: None,
            unsent: Some(Request::Establish),
        }
    }

    /// Whether the network has it too.
    pub fn is_active(&self) -> bool {
        self.state != SessionState::ActivePending
    }
    /// The flow of the default rule.
    pub fn default_qfi(&self) -> Option<u8> {
        self.rules.values().find(|rule| rule.dqr).and_then(|rule| rule.qfi)
    }
    /// Its link-local address.
    pub fn link_local(&self) -> Option<Ipv6Addr> {
        let mut octets = [0; 16];
        octets[..2].copy_from_slice(&[0xfe, 0x80]);
        octets[8..].copy_from_slice(&self.interface_id?);
        Some(octets.into())
    }
    pub(super) fn deadline(&self) -> Option<Millis> {
        self.timer
    }
    pub(super) fn has_unsent(&self) -> bool {
        self.unsent.is_some()
    }

    fn learn_options(&mut self, options: Option<&NasExtendedProtocolConfigurationOptions>) {
        let Some(pco) = options.and_then(|options| options.pco(PcoDirection::Downlink)) else { return };
        self.dns.clear();
        for entry in &pco.entries {
            match (entry.identifier, entry.contents.as_slice()) {
                (DNS_IPV4, [a, b, c, d]) => self.dns.push(Ipv4Addr::new(*a, *b, *c, *d).into()),
                (DNS_IPV6, octets) => {
                    if let Ok(octets) = <[u8; 16]>::try_from(octets) {
                        self.dns.push(Ipv6Addr::from(octets).into());
                    }
                }
                (MTU_IPV4, [high, low]) => self.mtu = Some(u16::from_be_bytes([*high, *low])),
                _ => {}
            }
        }
    }

    /// Takes QoS rules over, or says which cause they are refused with (§6.2.5.1, §6.3.2.4).
    fn learn_rules(&mut self, rules: &NasQosRules) -> Result<(), GsmCause> {
        let mut next = self.rules.clone();
        for rule in rules.parse_rules() {
            let rule = rule.map_err(|error| error.error.gsm_cause())?;
            match rule.op_code {
                QosRuleOpCode::Create => {
                    if rule.dqr && next.values().any(|other| other.dqr && other.rule_id != rule.rule_id) {
                        return Err(GsmCause::SemanticErrorInTheQosOperation);
                    }
                    next.insert(rule.rule_id, rule);
                }
                QosRuleOpCode::Delete => match next.remove(&rule.rule_id) {
                    Some(gone) if !gone.dqr => {}
                    _ => return Err(GsmCause::SemanticErrorInTheQosOperation),
                },
                _ => {
                    let Some(old) = next.get_mut(&rule.rule_id) else {
                        return Err(GsmCause::SemanticErrorInTheQosOperation);
                    };
                    old.precedence = rule.precedence.or(old.precedence);
                    old.qfi = rule.qfi.or(old.qfi);
                    if rule.op_code == QosRuleOpCode::ModifyReplace {
                        old.packet_filters = rule.packet_filters;
                    }
                }
            }
        }
        if next.values().filter(|rule| rule.dqr).count() != 1 {
            return Err(GsmCause::SemanticErrorInTheQosOperation);
        }
        self.rules = next;
        Ok(())
    }

    fn learn_flows(&mut self, flows: Option<&NasQosFlowDescriptions>) {
        for flow in flows.and_then(|flows| flows.try_descriptions()).unwrap_or_default() {
            match flow.op_code {
                QosFlowOpCode::Delete => {
                    self.flows.remove(&flow.qfi);
                }
                _ => {
                    for parameter in &flow.params {
                        if let QosFlowParameter::FiveQi(five_qi) = parameter {
                            self.flows.insert(flow.qfi, *five_qi);
                        }
                    }
                }
            }
        }
    }
}

impl Phone {
    /// Asks for a session; the request goes out as soon as the phone is registered and connected.
    ///
    /// # Errors
    /// [`RansimError::State`] when there are 15 already, or the phone is off.
    pub fn open_session(&mut self, io: &mut Io<'_>, wish: SessionWish) -> Result<u8, RansimError> {
        if self.state == State::Off {
            return Err(RansimError::State("it is switched off"));
        }
        let psi = self.wish_for(wish).ok_or(RansimError::State("it has 15 sessions"))?;
        self.flush_sessions(io);
        Ok(psi)
    }

    /// Asks for the end of a session.
    ///
    /// # Errors
    /// [`RansimError::State`] when there is no such session, or something else is asked of it.
    pub fn close_session(&mut self, io: &mut Io<'_>, psi: u8) -> Result<(), RansimError> {
        self.ask(io, psi, Request::Release, SessionState::InactivePending)
    }

    /// Asks for a modification that changes nothing: what a phone does whose user plane integrity rate changes.
    ///
    /// # Errors
    /// [`RansimError::State`] when there is no such session, or something else is asked of it.
    pub fn modify_session(&mut self, io: &mut Io<'_>, psi: u8) -> Result<(), RansimError> {
        self.ask(io, psi, Request::Modify, SessionState::ModificationPending)
    }

    fn ask(&mut self, io: &mut Io<'_>, psi: u8, request: Request, state: SessionState) -> Result<(), RansimError> {
        let session = self.sessions.get_mut(&psi).filter(|session| session.state == SessionState::Active);
        let session = session.ok_or(RansimError::State("there is no such session, or it is busy"))?;
        session.state = state;
        session.unsent = Some(request);
        session.attempts = 0;
        self.flush_sessions(io);
        Ok(())
    }

    /// The radio has, or has no more, a bearer for a session.
    pub fn bearer(&mut self, psi: u8, up: bool) {
        if let Some(session) = self.sessions.get_mut(&psi) {
            session.bearer = up;
            session.data_waiting &= !up;
        }
    }

    fn wish_for(&mut self, wish: SessionWish) -> Option<u8> {
        let psi = (1..=15).find(|psi| !self.sessions.contains_key(psi))?;
        self.sessions.insert(psi, Session::new(psi, wish));
        Some(psi)
    }

    pub(super) fn wish_for_configured_sessions(&mut self) {
        if self.sessions.is_empty() {
            let config = std::sync::Arc::clone(&self.config);
            for wish in &config.sessions {
                self.wish_for(wish.clone());
            }
        }
    }

    /// Sessions whose user plane a service request or registration is to bring back.
    pub(super) fn sessions_to_wake(&self) -> Vec<u8> {
        let asleep = self.sessions.values().filter(|s| s.is_active() && !s.bearer);
        asleep.filter(|s| s.always_on || s.data_waiting).map(|s| s.psi).collect()
    }

    /// Sends the requests that wait, or connects to be able to.
    pub(super) fn flush_sessions(&mut self, io: &mut Io<'_>) {
        if self.state != State::Registered || !self.sessions.values().any(Session::has_unsent) {
            return;
        }
        if !self.connected {
            return self.request_service(io, oxirush_nas::nas_5gs::ServiceType::Signalling);
        }
        if !self.secure {
            return;
        }
        let waiting: Vec<u8> = self.sessions.values().filter(|s| s.has_unsent()).map(|s| s.psi).collect();
        for psi in waiting {
            self.send_request(io, psi);
        }
    }

    fn pti(&mut self) -> u8 {
        let pti = self.next_pti;
        self.next_pti = if pti >= 254 { 1 } else { pti + 1 };
        pti
    }

    fn send_request(&mut self, io: &mut Io<'_>, psi: u8) {
        let pti = self.pti();
        let timers = self.config.timers;
        let Some(session) = self.sessions.get_mut(&psi) else { return };
        let Some(request) = session.unsent.take() else { return };
        session.pti = pti;
        let rate = NasIntegrityProtectionMaximumDataRate::from_rates(MaxDataRate::FullRate, MaxDataRate::FullRate);
        let (message, after): (Nas5gsMessage, Duration) = match request {
            Request::Establish => {
                let kind = match session.wish.kind {
                    SessionKind::Ipv4 => PduSessionTypeValue::Ipv4,
                    SessionKind::Ipv6 => PduSessionTypeValue::Ipv6,
                    SessionKind::Ipv4v6 => PduSessionTypeValue::Ipv4v6,
                };
                let mut m = NasPduSessionEstablishmentRequest::new(rate)
                    .with_pdu_session_type(NasPduSessionType::from_session_type(kind))
                    .with_ssc_mode(NasSscMode::from_mode(SscModeValue::Ssc1));
                if session.wish.always_on {
                    m = m.with_always_on_pdu_session_requested(NasAlwaysOnPduSessionRequested::from_apsr(true));
                }
                let empty = |identifier| PcoEntry { identifier, contents: Vec::new() };
                let wanted = Pco::new(0, vec![empty(DNS_IPV6), empty(DNS_IPV4), empty(MTU_IPV4)]);
                if let Ok(options) = NasExtendedProtocolConfigurationOptions::from_pco(&wanted, PcoDirection::Uplink) {
                    m = m.with_extended_protocol_configuration_options(options);
                }
                (Nas5gsMessage::new_5gsm(m, psi, pti), timers.t3580)
            }
            Request::Modify => {
                let m = NasPduSessionModificationRequest::new().with_integrity_protection_maximum_data_rate(rate);
                (Nas5gsMessage::new_5gsm(m, psi, pti), timers.t3581)
            }
            Request::Release => {
                let cause = NasFGsmCause::from_cause(GsmCause::RegularDeactivation);
                let m = NasPduSessionReleaseRequest::new().with_fgsm_cause(cause);
                (Nas5gsMessage::new_5gsm(m, psi, pti), timers.t3582)
            }
        };
        session.timer = Some(io.now.plus(after));
        let wish = session.wish.clone();
        let Some(mut transport) = transport(psi, &message) else { return };
        match request {
            Request::Establish => {
                transport =
                    transport.with_request_type(NasRequestType::from_request_type(RequestTypeValue::InitialRequest));
                if let Some(slice) = wish.slice {
                    transport = transport.with_s_nssai(NasSNssai::from_sst_sd(slice.sst, slice.sd_octets()));
                }
                if let Some(dnn) = wish.dnn.as_deref().and_then(|dnn| NasDnn::from_string(dnn).ok()) {
                    transport = transport.with_dnn(dnn);
                }
            }
            Request::Modify => {
                transport = transport
                    .with_request_type(NasRequestType::from_request_type(RequestTypeValue::ModificationRequest));
            }
            Request::Release => {}
        }
        self.send(io, transport);
    }

    /// Sends a 5GSM message that answers the network.
    fn answer(&mut self, io: &mut Io<'_>, psi: u8, pti: u8, message: impl Into<Nas5gsmMessage>) {
        if let Some(transport) = transport(psi, &Nas5gsMessage::new_5gsm(message, psi, pti)) {
            self.send(io, transport);
        }
    }

    pub(super) fn session_timers(&mut self, io: &mut Io<'_>) {
        let due: Vec<u8> =
            self.sessions.values().filter(|s| s.timer.is_some_and(|end| end <= io.now)).map(|s| s.psi).collect();
        for psi in due {
            let Some(session) = self.sessions.get_mut(&psi) else { continue };
            session.timer = None;
            session.attempts += 1;
            let request = match session.state {
                SessionState::ActivePending => Request::Establish,
                SessionState::ModificationPending => Request::Modify,
                SessionState::InactivePending => Request::Release,
                SessionState::Active => continue,
            };
            if session.attempts < ATTEMPTS {
                session.unsent = Some(request);
                self.flush_sessions(io);
                continue;
            }
            match request {
                Request::Establish => self.session_refused(io, psi, 0),
                Request::Modify => session.state = SessionState::Active,
                Request::Release => self.session_over(io, psi),
            }
        }
    }

    fn session_refused(&mut self, io: &mut Io<'_>, psi: u8, cause: u8) {
        if self.sessions.remove(&psi).is_some() {
            io.event(Event::SessionRejected { psi, cause });
        }
    }

    fn session_over(&mut self, io: &mut Io<'_>, psi: u8) {
        if self.sessions.remove(&psi).is_some() {
            io.event(Event::SessionDown { psi });
        }
    }

    /// All sessions end here; the network has none either.
    pub(super) fn drop_sessions(&mut self, io: &mut Io<'_>) {
        for (psi, session) in std::mem::take(&mut self.sessions) {
            if session.is_active() {
                io.event(Event::SessionDown { psi });
            }
        }
    }

    /// Only the sessions in `active` are left at the network (§5.5.1.3.4).
    pub(super) fn keep_sessions(&mut self, io: &mut Io<'_>, active: &[u8]) {
        let gone: Vec<u8> =
            self.sessions.values().filter(|s| s.is_active() && !active.contains(&s.psi)).map(|s| s.psi).collect();
        for psi in gone {
            self.session_over(io, psi);
        }
    }

    /// A DL NAS TRANSPORT (§5.4.5.3).
    pub(super) fn session_message(&mut self, io: &mut Io<'_>, transport: &NasDlNasTransport) {
        if transport.payload_container_type.kind() != Some(PayloadContainerKind::N1SmInformation) {
            return;
        }
        let Ok(Nas5gsMessage::Gsm(header, message)) = transport.payload_container.decode_as_n1_sm_message() else {
            let cause = NasFGmmCause::from_cause(GmmCause::InvalidMandatoryInformation);
            return self.send(io, NasFGmmStatus::new(cause));
        };
        let (psi, pti) = (header.pdu_session_identity, header.procedure_transaction_identity);
        if let Some(cause) = &transport.fgmm_cause {
            // Our own request came back: nobody took it (§5.4.5.3.3).
            return self.not_forwarded(io, psi, cause);
        }
        let ours = self.sessions.get(&psi).map(|session| (session.state, session.pti));
        match message {
            Nas5gsmMessage::PduSessionEstablishmentAccept(m) => match ours {
                Some((SessionState::ActivePending, expected)) if expected == pti => self.established(io, psi, pti, &m),
                _ => self.sm_status(io, psi, pti, GsmCause::PtiMismatch),
            },
            Nas5gsmMessage::PduSessionEstablishmentReject(m) => match ours {
                Some((SessionState::ActivePending, expected)) if expected == pti => {
                    self.session_refused(io, psi, m.fgsm_cause.value);
                }
                _ => self.sm_status(io, psi, pti, GsmCause::PtiMismatch),
            },
            Nas5gsmMessage::PduSessionModificationCommand(m) => match ours {
                Some((state, expected)) if state != SessionState::ActivePending && (pti == 0 || pti == expected) => {
                    self.modified(io, psi, pti, &m);
                }
                _ => self.sm_status(io, psi, pti, GsmCause::InvalidPduSessionIdentity),
            },
            Nas5gsmMessage::PduSessionModificationReject(m) => {
                if let Some(session) = self.sessions.get_mut(&psi)
                    && session.state == SessionState::ModificationPending
                    && session.pti == pti
                {
                    (session.state, session.timer) = (SessionState::Active, None);
                    io.event(Event::ModificationRejected { psi, cause: m.fgsm_cause.value });
                }
            }
            Nas5gsmMessage::PduSessionReleaseCommand(_) => match ours {
                Some((state, expected)) if state != SessionState::ActivePending && (pti == 0 || pti == expected) => {
                    self.answer(io, psi, pti, NasPduSessionReleaseComplete::new());
                    self.session_over(io, psi);
                }
                _ => self.sm_status(io, psi, pti, GsmCause::InvalidPduSessionIdentity),
            },
            Nas5gsmMessage::PduSessionReleaseReject(_) => {
                if let Some(session) = self.sessions.get_mut(&psi)
                    && session.state == SessionState::InactivePending
                    && session.pti == pti
                {
                    (session.state, session.timer) = (SessionState::Active, None);
                }
            }
            Nas5gsmMessage::FiveGsmStatus(m) => io.event(Event::Status { cause: m.fgsm_cause.value }),
            _ => self.sm_status(io, psi, pti, GsmCause::MessageTypeNonExistentOrNotImplemented),
        }
    }

    fn not_forwarded(&mut self, io: &mut Io<'_>, psi: u8, _cause: &NasFGmmCause) {
        match self.sessions.get(&psi).map(|session| session.state) {
            Some(SessionState::ActivePending) => self.session_refused(io, psi, 0),
            Some(SessionState::InactivePending) => self.session_over(io, psi),
            Some(SessionState::ModificationPending) => {
                if let Some(session) = self.sessions.get_mut(&psi) {
                    (session.state, session.timer) = (SessionState::Active, None);
                }
                io.event(Event::ModificationRejected { psi, cause: 0 });
            }
            _ => {}
        }
    }

    fn sm_status(&mut self, io: &mut Io<'_>, psi: u8, pti: u8, cause: GsmCause) {
        self.answer(io, psi, pti, NasFGsmStatus::new(NasFGsmCause::from_cause(cause)));
    }

    fn established(&mut self, io: &mut Io<'_>, psi: u8, pti: u8, accept: &NasPduSessionEstablishmentAccept) {
        let Some(session) = self.sessions.get_mut(&psi) else { return };
        let kind = match accept.selected_pdu_session_type.session_type() {
            Some(PduSessionTypeValue::Ipv4) => SessionKind::Ipv4,
            Some(PduSessionTypeValue::Ipv6) => SessionKind::Ipv6,
            Some(PduSessionTypeValue::Ipv4v6) => SessionKind::Ipv4v6,
            _ => return self.sm_status(io, psi, pti, GsmCause::InvalidMandatoryInformation),
        };
        session.timer = None;
        session.attempts = 0;
        session.kind = kind;
        if let Some(address) = &accept.pdu_address {
            session.ipv4 = address.ipv4().map(Ipv4Addr::from);
            session.interface_id = address.ipv6_interface_id();
        }
        session.ambr = accept.session_ambr.downlink_kbps().zip(accept.session_ambr.uplink_kbps());
        session.always_on = accept.always_on_pdu_session_indication.as_ref().is_some_and(|i| i.apsi());
        session.learn_options(accept.extended_protocol_configuration_options.as_ref());
        session.learn_flows(accept.authorized_qos_flow_descriptions.as_ref());
        session.state = SessionState::Active;
        let wrong = session.learn_rules(&accept.authorized_qos_rules);
        let addressed = match kind {
            SessionKind::Ipv4 => session.ipv4.is_some(),
            SessionKind::Ipv6 => session.interface_id.is_some(),
            SessionKind::Ipv4v6 => session.ipv4.is_some() && session.interface_id.is_some(),
        };
        if wrong.is_err() || !addressed {
            // A session without its default rule or address is of no use: the phone ends it (§6.4.1.3).
            session.unsent = Some(Request::Release);
            session.state = SessionState::InactivePending;
            io.event(Event::SessionRejected { psi, cause: GsmCause::SemanticErrorInTheQosOperation.as_u8() });
            return self.flush_sessions(io);
        }
        io.event(Event::SessionUp { psi });
    }

    fn modified(&mut self, io: &mut Io<'_>, psi: u8, pti: u8, command: &NasPduSessionModificationCommand) {
        let Some(session) = self.sessions.get_mut(&psi) else { return };
        let result = match &command.authorized_qos_rules {
            Some(rules) => session.learn_rules(rules),
            None => Ok(()),
        };
        if let Err(cause) = result {
            let reject = NasPduSessionModificationCommandReject::new(NasFGsmCause::from_cause(cause));
            return self.answer(io, psi, pti, reject);
        }
        session.learn_flows(command.authorized_qos_flow_descriptions.as_ref());
        if let Some(ambr) = &command.session_ambr {
            session.ambr = ambr.downlink_kbps().zip(ambr.uplink_kbps());
        }
        if let Some(indication) = &command.always_on_pdu_session_indication {
            session.always_on = indication.apsi();
        }
        if session.state == SessionState::ModificationPending && session.pti == pti {
            (session.state, session.timer) = (SessionState::Active, None);
        }
        self.answer(io, psi, pti, NasPduSessionModificationComplete::new());
        io.event(Event::SessionModified { psi });
    }
}

fn transport(psi: u8, message: &Nas5gsMessage) -> Option<NasUlNasTransport> {
    let container = NasPayloadContainer::from_n1_sm_message(message).ok()?;
    let kind = NasPayloadContainerType::from_kind(PayloadContainerKind::N1SmInformation);
    let transport = NasUlNasTransport::new(kind, container);
    Some(transport.with_pdu_session_id(NasPduSessionIdentity2::from_pdu_session_id(psi)))
}
