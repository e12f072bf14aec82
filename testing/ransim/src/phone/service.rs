//! Service request, paging and the configuration update command (TS 24.501 §5.6.1, §5.6.2, §5.4.4).

use super::{AccessCause, Dropped, Event, Io, Phone, RegistrationKind, State, Timer};
use oxirush_nas::nas_5gs::{
    Nas5gsMessage, NasConfigurationUpdateCommand, NasConfigurationUpdateComplete, NasFGsMobileIdentity,
    NasServiceAccept, NasServiceReject, NasServiceRequest, NasServiceType, NasUplinkDataStatus, ServiceType,
};

/// Attempts until T3525 (§5.6.1.7).
const ATTEMPTS: u8 = 5;

impl Phone {
    /// A page with this phone's temporary identity was heard.
    pub fn paged(&mut self, io: &mut Io<'_>) {
        if self.state == State::Registered && !self.connected {
            io.event(Event::Paged);
            self.request_service(io, ServiceType::MobileTerminatedServices);
        }
    }

    /// The user has data for a session whose user plane may not be there.
    pub fn data_waiting(&mut self, io: &mut Io<'_>, psi: u8) {
        let Some(session) = self.sessions.get_mut(&psi).filter(|session| session.is_active() && !session.bearer) else {
            return;
        };
        session.data_waiting = true;
        self.request_service(io, ServiceType::Data);
    }

    /// Connects without a reason of its own: signalling.
    pub fn connect(&mut self, io: &mut Io<'_>) {
        if !self.connected {
            self.request_service(io, ServiceType::Signalling);
        }
    }

    pub(super) fn request_service(&mut self, io: &mut Io<'_>, service: ServiceType) {
        if self.state != State::Registered
            || self.timers.running(Timer::T3525) && service != ServiceType::MobileTerminatedServices
            || self.timers.running(Timer::T3346) && service != ServiceType::MobileTerminatedServices
        {
            return;
        }
        let (Some(guti), true) = (self.guti, self.context.is_some()) else {
            return self.register(io, RegistrationKind::Mobility);
        };
        self.timers.stop(Timer::T3512);
        let identity = NasFGsMobileIdentity::from_s_tmsi(guti.s_tmsi());
        let cleartext = NasServiceRequest::new(self.ksi(), NasServiceType::from_service_type(service), identity);
        let mut whole = cleartext.clone();
        let waiting = self.sessions_to_wake();
        if !waiting.is_empty()
            && let Ok(waiting) = NasUplinkDataStatus::from_sessions(&waiting)
        {
            whole = whole.with_uplink_data_status(waiting);
        }
        if let Some(status) = self.session_status() {
            whole = whole.with_pdu_session_status(status);
        }
        let whole = Nas5gsMessage::new_5gmm(whole);
        let Some(bytes) = self.protect_initial(&whole, &Nas5gsMessage::new_5gmm(cleartext)) else { return };
        self.state = State::ServiceRequestInitiated;
        self.timers.start(Timer::T3517, io.now, self.config.timers.t3517);
        let cause = match service {
            ServiceType::MobileTerminatedServices => AccessCause::MobileTerminated,
            ServiceType::Data => AccessCause::Data,
            _ => AccessCause::Signalling,
        };
        self.send_initial(io, bytes, cause);
    }

    pub(super) fn service_accepted(&mut self, io: &mut Io<'_>, accept: &NasServiceAccept) {
        if self.state != State::ServiceRequestInitiated {
            return io.event(Event::Dropped(Dropped::Unexpected));
        }
        self.timers.stop(Timer::T3517);
        self.timers.stop(Timer::T3516);
        self.service_attempts = 0;
        self.challenge = None;
        self.initial = None;
        self.state = State::Registered;
        if let Some(status) = &accept.pdu_session_status {
            let active = status.active_sessions();
            self.keep_sessions(io, &active);
        }
        for session in self.sessions.values_mut() {
            session.data_waiting = false;
        }
        io.event(Event::ServiceAccepted);
        self.flush_sessions(io);
    }

    pub(super) fn service_rejected(&mut self, io: &mut Io<'_>, reject: &NasServiceReject, vouched: bool) {
        if self.state != State::ServiceRequestInitiated {
            return io.event(Event::Dropped(Dropped::Unexpected));
        }
        self.timers.stop(Timer::T3517);
        io.event(Event::ServiceRejected { cause: reject.fgmm_cause.value });
        if let (Some(status), true) = (&reject.pdu_session_status, vouched) {
            let active = status.active_sessions();
            self.keep_sessions(io, &active);
        }
        let cause = reject.fgmm_cause.cause_received();
        match cause {
            oxirush_nas::nas_5gs::GmmCause::RestrictedServiceArea => self.state = State::Registered,
            _ => self.refused_service(io, cause, reject, vouched),
        }
    }

    fn refused_service(
        &mut self,
        io: &mut Io<'_>,
        cause: oxirush_nas::nas_5gs::GmmCause,
        reject: &NasServiceReject,
        vouched: bool,
    ) {
        use oxirush_nas::nas_5gs::GmmCause as Cause;
        match cause {
            Cause::IllegalUe
            | Cause::IllegalMe
            | Cause::PeiNotAccepted
            | Cause::FiveGsServicesNotAllowed
            | Cause::UeIdentityCannotBeDerivedByTheNetwork
            | Cause::ImplicitlyDeregistered
            | Cause::PlmnNotAllowed
            | Cause::TrackingAreaNotAllowed
            | Cause::RoamingNotAllowedInThisTrackingArea
            | Cause::NoSuitableCellsInTrackingArea
            | Cause::N1ModeNotAllowed
            | Cause::Congestion => self.refused(io, cause, reject.t3346_value.as_ref(), vouched),
            _ => self.service_failed(io),
        }
    }

    pub(super) fn service_timed_out(&mut self, io: &mut Io<'_>) {
        io.event(Event::ServiceTimedOut);
        if self.connected {
            io.out.push(super::Effect::Disconnect);
            self.forget_connection();
            io.event(Event::Idle);
        }
        self.service_failed(io);
    }

    /// An attempt that came to nothing (§5.6.1.7).
    pub(super) fn service_failed(&mut self, io: &mut Io<'_>) {
        self.timers.stop(Timer::T3517);
        self.service_attempts += 1;
        self.state = State::Registered;
        for session in self.sessions.values_mut() {
            session.data_waiting = false;
        }
        if self.service_attempts >= ATTEMPTS {
            self.service_attempts = 0;
            self.timers.start(Timer::T3525, io.now, self.config.timers.t3525);
        }
        if !self.connected {
            self.timers.start(Timer::T3512, io.now, self.t3512.unwrap_or(self.config.timers.t3512));
        }
    }

    pub(super) fn configuration_updated(&mut self, io: &mut Io<'_>, command: &NasConfigurationUpdateCommand) {
        if let Some(guti) = command.fg_guti.as_ref().and_then(|identity| identity.as_guti()) {
            self.guti = Some(guti);
            io.event(Event::GutiChanged);
        }
        if let Some(list) = &command.tai_list {
            self.area = list.tais();
        }
        let indication = command.configuration_update_indication.as_ref();
        if indication.is_some_and(|indication| indication.ack()) {
            self.send(io, NasConfigurationUpdateComplete::new());
        }
        if indication.is_some_and(|indication| indication.red()) {
            self.register_when_idle = Some(RegistrationKind::Mobility);
        }
        io.event(Event::ConfigurationUpdated);
    }
}
