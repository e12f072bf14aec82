//! A UE as a state machine: NAS bytes, time and randomness in, NAS bytes and events out (TS 24.501).
//!
//! | feature | file |
//! |---|---|
//! | NAS security, what is dropped | `security.rs` |
//! | 5G AKA, EAP-AKA' | `authentication.rs`, `eap.rs` |
//! | AKMA | `akma.rs` |
//! | registration, its refusals | `registration.rs` |
//! | service request, paging, configuration update | `service.rs` |
//! | deregistration | `deregistration.rs` |
//! | sessions | `sessions.rs` |
//!
//! **Invariants**: no I/O and no clock; a downlink message changes nothing before its MAC is verified, unless it is
//! one of the few that TS 24.501 §4.4.4.2 lets through in plain; a phone never works with a null algorithm.
//!
//! The one exception to "randomness is an argument" is the ephemeral key of a SUCI, which the codec draws itself.

mod akma;
mod authentication;
mod config;
mod deregistration;
pub mod eap;
mod effects;
mod registration;
mod security;
mod service;
mod sessions;
#[cfg(test)]
mod tests;
mod timers;

pub use akma::ApplicationKey;
pub use config::{Concealment, PhoneConfig, PhoneTimers, SessionKind, SessionWish, Slice};
pub use effects::{AccessCause, Dropped, Effect, Ended, Event, Io, Method, NetworkFault, RegistrationKind};
pub use sessions::{Session, SessionState};
pub use timers::Timer;

use crate::error::RansimError;
use authentication::Challenge;
use oxirush_nas::nas_5gs::{
    KeySetIdentifier, NasFGsMobileIdentity, NasKeySetIdentifier, NasPduSessionStatus, NasUeSecurityCapability,
};
use oxirush_security::NasCount;
use oxirush_security::identity::Tai5gs;
use oxirush_security::nas_5gs::{Guti, Protection, STmsi, Suci};
use pakawaaz_aka::{SoftwareUsim, Usim};
use pakawaaz_base::Millis;
use security::{Context, Fresh};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use timers::Timers;
use zeroize::Zeroizing;

/// 5GMM main states (TS 24.501 §5.1.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Switched off (5GMM-NULL).
    Off,
    /// Not registered.
    Deregistered,
    /// A registration is under way.
    RegistrationInitiated(RegistrationKind),
    /// Registered.
    Registered,
    /// A service request is under way.
    ServiceRequestInitiated,
    /// A deregistration is under way.
    DeregistrationInitiated,
}

/// One phone with its card.
pub struct Phone {
    config: Arc<PhoneConfig>,
    card: SoftwareUsim,
    /// IMSI digits of the card.
    imsi: Zeroizing<String>,
    imeisv: String,
    state: State,
    timers: Timers,
    /// T3512 as the network gave it.
    t3512: Option<Duration>,
    /// Tracking area of the cell it camps on.
    tac: u32,
    guti: Option<Guti>,
    /// Tracking areas in which it need not register anew.
    area: Vec<Tai5gs>,
    last_area: Option<Tai5gs>,
    context: Option<Context>,
    /// Keys of the last authentication, until a security mode takes them into use.
    fresh: Option<Fresh>,
    challenge: Option<Challenge>,
    /// K_AUSF of the last authentication that a security mode took into use (TS 33.501 §6.1.1.1).
    k_ausf: Option<Zeroizing<[u8; 32]>>,
    /// There is a connection, or one was asked for.
    connected: bool,
    /// Both ends have proven their keys on this connection (secure exchange of NAS messages, §4.4.2.5).
    secure: bool,
    /// NAS COUNT that the gNB's key is derived with (TS 33.501 §6.8.1.2.2).
    gnb_count: Option<NasCount>,
    /// Plain initial message that the security mode complete repeats (§4.4.6).
    initial: Option<Vec<u8>>,
    registration_attempts: u8,
    service_attempts: u8,
    deregistration_attempts: u8,
    /// Whether the running deregistration ends with the power off.
    switching_off: bool,
    /// Register anew as soon as the connection is gone.
    register_when_idle: Option<RegistrationKind>,
    sessions: BTreeMap<u8, Session>,
    next_pti: u8,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Phone({:?}, connected: {}, secure: {})", self.state, self.connected, self.secure)
    }
}

impl Phone {
    /// A phone that is switched off. `imeisv` has 16 digits.
    ///
    /// # Errors
    /// [`RansimError::Configuration`] when the card is not of the configured network or the IMEISV has another form.
    pub fn new(config: Arc<PhoneConfig>, mut card: SoftwareUsim, imeisv: &str) -> Result<Self, RansimError> {
        let imsi = card.imsi().map_err(|_| RansimError::Configuration("the card has no IMSI"))?;
        if !imsi.as_str().starts_with(config.plmn.digits()) {
            return Err(RansimError::Configuration("the card is of another network"));
        }
        NasFGsMobileIdentity::from_imeisv(imeisv).map_err(|_| RansimError::Configuration("an IMEISV has 16 digits"))?;
        Ok(Self {
            config,
            card,
            imsi: Zeroizing::new(imsi.as_str().to_owned()),
            imeisv: imeisv.to_owned(),
            state: State::Off,
            timers: Timers::default(),
            t3512: None,
            tac: 1,
            guti: None,
            area: Vec::new(),
            last_area: None,
            context: None,
            fresh: None,
            challenge: None,
            k_ausf: None,
            connected: false,
            secure: false,
            gnb_count: None,
            initial: None,
            registration_attempts: 0,
            service_attempts: 0,
            deregistration_attempts: 0,
            switching_off: false,
            register_when_idle: None,
            sessions: BTreeMap::new(),
            next_pti: 1,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }
    /// Whether the network knows it.
    pub fn is_registered(&self) -> bool {
        matches!(
            self.state,
            State::Registered
                | State::ServiceRequestInitiated
                | State::RegistrationInitiated(RegistrationKind::Mobility | RegistrationKind::Periodic)
        )
    }
    /// Whether it has a connection.
    pub fn is_connected(&self) -> bool {
        self.connected
    }
    /// Whether both ends of the connection have proven their keys.
    pub fn is_secure(&self) -> bool {
        self.secure
    }
    /// Its temporary identity.
    pub fn guti(&self) -> Option<Guti> {
        self.guti
    }
    /// The identity it is paged by.
    pub fn s_tmsi(&self) -> Option<STmsi> {
        self.guti.map(|guti| guti.s_tmsi())
    }
    /// IMSI digits of its card. The caller keeps them out of logs.
    pub fn imsi(&self) -> &str {
        &self.imsi
    }
    /// Its card, with the counters that have to be kept.
    pub fn card(&self) -> &SoftwareUsim {
        &self.card
    }
    /// Its configuration.
    pub fn config(&self) -> &PhoneConfig {
        &self.config
    }
    /// Its sessions by PDU session identity.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> + '_ {
        self.sessions.values()
    }
    /// One session.
    pub fn session(&self, psi: u8) -> Option<&Session> {
        self.sessions.get(&psi)
    }
    /// Identifier of the key set in use, and the next uplink and downlink COUNT; for tests.
    pub fn security(&self) -> Option<(u8, u32, u32)> {
        self.context.as_ref().map(Context::summary)
    }

    /// When [`Phone::tick`] is due.
    pub fn deadline(&self) -> Option<Millis> {
        let sessions = self.sessions.values().filter_map(Session::deadline).min();
        self.timers.next().into_iter().chain(sessions).min()
    }

    /// Time has passed: does what is due.
    pub fn tick(&mut self, io: &mut Io<'_>) {
        while let Some(timer) = self.timers.expired(io.now) {
            self.timer_expired(io, timer);
        }
        self.session_timers(io);
    }

    fn timer_expired(&mut self, io: &mut Io<'_>, timer: Timer) {
        match timer {
            Timer::T3510 => self.registration_timed_out(io),
            Timer::T3511 | Timer::T3502 | Timer::T3247 => self.register_again(io),
            Timer::T3512 => self.periodic_registration(io),
            Timer::T3516 => self.challenge = None,
            Timer::T3517 => self.service_timed_out(io),
            Timer::T3520 => self.network_did_not_prove_itself(io),
            Timer::T3521 => self.deregistration_timed_out(io),
            Timer::T3525 => self.flush_sessions(io),
            Timer::T3540 => self.disconnect(io),
            Timer::T3346 => self.congestion_over(io),
        }
    }

    /// The phone camps on a cell of tracking area `tac`. Registered and out of its area, it registers anew.
    pub fn camp(&mut self, io: &mut Io<'_>, tac: u32) {
        self.tac = tac;
        if self.state == State::Registered && !self.in_area() {
            if self.connected {
                self.register_when_idle = Some(RegistrationKind::Mobility);
            } else {
                self.register(io, RegistrationKind::Mobility);
            }
        }
    }

    /// Its connection is gone: the gNB released it, refused it or cannot hear the phone.
    pub fn lost(&mut self, io: &mut Io<'_>) {
        if !self.connected {
            return;
        }
        self.forget_connection();
        io.event(Event::Idle);
        match self.state {
            State::Off => {}
            State::Deregistered => {
                if let Some(kind) = self.register_when_idle.take() {
                    self.register(io, kind);
                }
            }
            State::RegistrationInitiated(_) => self.registration_failed(io),
            State::ServiceRequestInitiated => self.service_failed(io),
            State::DeregistrationInitiated => self.deregistered(io, Ended::Phone),
            State::Registered => {
                self.timers.start(Timer::T3512, io.now, self.t3512.unwrap_or(self.config.timers.t3512));
                match self.register_when_idle.take() {
                    Some(kind) => self.register(io, kind),
                    None => self.flush_sessions(io),
                }
            }
        }
    }

    /// The gNB has the key `k_gnb` from the core: whether it is the phone's too, so that the radio can be protected.
    /// A wrong key ends the connection.
    pub fn secured(&mut self, io: &mut Io<'_>, k_gnb: &[u8; 32]) -> bool {
        let matches = self.gnb_key_is(k_gnb);
        if !matches {
            io.event(Event::Refused(NetworkFault::GnbKey));
        }
        matches
    }

    fn forget_connection(&mut self) {
        self.connected = false;
        self.secure = false;
        self.gnb_count = None;
        self.timers.stop(Timer::T3540);
        for session in self.sessions.values_mut() {
            session.bearer = false;
        }
    }

    /// Ends the connection from the phone's side.
    fn disconnect(&mut self, io: &mut Io<'_>) {
        if self.connected {
            io.out.push(Effect::Disconnect);
            self.lost(io);
        }
    }

    /// Sends an initial NAS message over a new connection, or over the one there is.
    fn send_initial(&mut self, io: &mut Io<'_>, nas: Vec<u8>, cause: AccessCause) {
        if self.connected {
            io.out.push(Effect::Send(nas));
        } else {
            self.connected = true;
            self.secure = false;
            io.out.push(Effect::Connect { nas, cause, s_tmsi: self.s_tmsi() });
        }
    }

    fn tai(&self) -> Option<Tai5gs> {
        Tai5gs::new(self.config.plmn, self.tac).ok()
    }

    fn in_area(&self) -> bool {
        self.tai().is_some_and(|tai| self.area.contains(&tai))
    }

    fn capability(&self) -> NasUeSecurityCapability {
        NasUeSecurityCapability::from_capabilities(self.config.ciphering, self.config.integrity)
    }

    /// Its key set identifier for the next initial message.
    fn ksi(&self) -> NasKeySetIdentifier {
        let ksi = match &self.context {
            Some(context) => KeySetIdentifier::Native(context.ksi),
            None => KeySetIdentifier::NoKey,
        };
        NasKeySetIdentifier::from_key_set_identifier(ksi).expect("key set identifiers are 0 to 6 or none")
    }

    /// A fresh SUCI as a mobile identity (TS 24.501 §9.11.3.4).
    fn suci(&self) -> Option<NasFGsMobileIdentity> {
        let plmn = self.config.plmn;
        let msin = self.imsi.get(plmn.digits().len()..)?;
        let protection = match &self.config.concealment {
            Concealment::Null => Protection::Null,
            Concealment::Ecies { id, key } => Protection::Ecies { key_id: *id, key },
        };
        let suci = Suci::conceal_imsi(plmn, msin, self.config.routing, protection).ok()?;
        Some(NasFGsMobileIdentity::new(suci.to_nas_octets().ok()?))
    }

    /// GUTI if there is one, otherwise a fresh SUCI.
    fn identity(&self) -> Option<NasFGsMobileIdentity> {
        match self.guti {
            Some(guti) => Some(NasFGsMobileIdentity::from_guti(guti)),
            None => self.suci(),
        }
    }

    fn session_status(&self) -> Option<NasPduSessionStatus> {
        let active: Vec<u8> = self.sessions.values().filter(|s| s.is_active()).map(|s| s.psi).collect();
        NasPduSessionStatus::from_sessions(&active).ok()
    }

    /// Everything that a network gave, except the sessions: as a card that was just put in.
    fn forget_network(&mut self) {
        self.guti = None;
        self.context = None;
        self.fresh = None;
        self.area.clear();
        self.last_area = None;
    }
}
