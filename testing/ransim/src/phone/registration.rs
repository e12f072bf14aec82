//! Registration: initial, mobility and periodic, and every way it is refused (TS 24.501 §5.5.1).

use super::{AccessCause, Concealment, Dropped, Ended, Event, Io, Phone, RegistrationKind, State, Timer};
use oxirush_nas::nas_5gs::{
    GmmCause, Nas5gsMessage, NasFGmmCapability, NasFGsRegistrationType, NasFGsTrackingAreaIdentity, NasGprsTimer2,
    NasNssai, NasRegistrationAccept, NasRegistrationComplete, NasRegistrationReject, NasRegistrationRequest, NasSNssai,
    NasUplinkDataStatus, RegistrationType,
};
use pakawaaz_base::Millis;
use rand_core::RngCore;
use std::time::Duration;

/// Attempts until the long pause (§5.5.1.2.7).
const ATTEMPTS: u8 = 5;

impl Phone {
    /// Switches the phone on: it registers.
    pub fn power_on(&mut self, io: &mut Io<'_>) {
        if self.state == State::Off {
            self.state = State::Deregistered;
            self.wish_for_configured_sessions();
            self.register(io, RegistrationKind::Initial);
        }
    }

    /// Registers, if the phone is on and not at it already. Registered, it renews its registration.
    pub fn register_now(&mut self, io: &mut Io<'_>) {
        match self.state {
            State::Deregistered => {
                self.wish_for_configured_sessions();
                self.register(io, RegistrationKind::Initial);
            }
            State::Registered => self.register(io, RegistrationKind::Mobility),
            _ => {}
        }
    }

    pub(super) fn register(&mut self, io: &mut Io<'_>, kind: RegistrationKind) {
        if self.timers.running(Timer::T3346) || self.timers.running(Timer::T3247) {
            return;
        }
        for timer in [Timer::T3511, Timer::T3502, Timer::T3512, Timer::T3525] {
            self.timers.stop(timer);
        }
        let Some(identity) = self.identity() else { return };
        let of_type = match kind {
            RegistrationKind::Initial => RegistrationType::InitialRegistration,
            RegistrationKind::Mobility => RegistrationType::MobilityRegistrationUpdating,
            RegistrationKind::Periodic => RegistrationType::PeriodicRegistrationUpdating,
        };
        let follow_on = self.sessions.values().any(|session| session.has_unsent());
        let of_type = NasFGsRegistrationType::from_registration_type(of_type).with_follow_on_request(follow_on);
        let cleartext =
            NasRegistrationRequest::new(of_type, self.ksi(), identity).with_ue_security_capability(self.capability());
        let mut whole = cleartext.clone().with_fgmm_capability(NasFGmmCapability::new(vec![0]));
        let slices: Vec<_> =
            self.config.slices.iter().map(|slice| NasSNssai::from_sst_sd(slice.sst, slice.sd_octets())).collect();
        if let Ok(slices) = NasNssai::from_snssais(&slices) {
            whole = whole.with_requested_nssai(slices);
        }
        if let Some(tai) = &self.last_area
            && let Ok(tai) = NasFGsTrackingAreaIdentity::from_plmn_tac(&tai.plmn(), tai.tac())
        {
            whole = whole.with_last_visited_registered_tai(tai);
        }
        if kind != RegistrationKind::Initial {
            let waiting = self.sessions_to_wake();
            if !waiting.is_empty()
                && let Ok(waiting) = NasUplinkDataStatus::from_sessions(&waiting)
            {
                whole = whole.with_uplink_data_status(waiting);
            }
            if let Some(status) = self.session_status() {
                whole = whole.with_pdu_session_status(status);
            }
        }
        let whole = Nas5gsMessage::new_5gmm(whole);
        let Some(bytes) = self.protect_initial(&whole, &Nas5gsMessage::new_5gmm(cleartext)) else { return };
        self.state = State::RegistrationInitiated(kind);
        self.timers.start(Timer::T3510, io.now, self.config.timers.t3510);
        self.send_initial(io, bytes, AccessCause::Signalling);
    }

    pub(super) fn registration_accepted(&mut self, io: &mut Io<'_>, accept: &NasRegistrationAccept) {
        let State::RegistrationInitiated(kind) = self.state else {
            return self.accepted_again(io, accept);
        };
        self.timers.stop(Timer::T3510);
        self.timers.stop(Timer::T3516);
        self.challenge = None;
        self.registration_attempts = 0;
        self.service_attempts = 0;
        self.initial = None;
        let mut complete = false;
        if let Some(guti) = accept.fg_guti.as_ref().and_then(|identity| identity.as_guti()) {
            self.guti = Some(guti);
            complete = true;
        }
        if let Some(list) = &accept.tai_list {
            self.area = list.tais();
        }
        self.last_area = self.tai();
        if let Some(seconds) = accept.t3512_value.as_ref().and_then(|value| value.to_seconds()) {
            self.t3512 = Some(Duration::from_secs(seconds));
        }
        if let Some(status) = &accept.pdu_session_status {
            let active = status.active_sessions();
            self.keep_sessions(io, &active);
        }
        self.state = State::Registered;
        if complete {
            io.event(Event::GutiChanged);
            self.send(io, NasRegistrationComplete::new());
        }
        io.event(Event::Registered { kind });
        self.flush_sessions(io);
    }

    /// T3550 of the network has run out: our REGISTRATION COMPLETE was lost, and is said again (§5.5.1.2.8 c).
    fn accepted_again(&mut self, io: &mut Io<'_>, accept: &NasRegistrationAccept) {
        let guti = accept.fg_guti.as_ref().and_then(|identity| identity.as_guti());
        if self.state == State::Registered && guti.is_some() && guti == self.guti {
            self.send(io, NasRegistrationComplete::new());
        } else {
            io.event(Event::Dropped(Dropped::Unexpected));
        }
    }

    pub(super) fn registration_rejected(&mut self, io: &mut Io<'_>, reject: &NasRegistrationReject, vouched: bool) {
        if !matches!(self.state, State::RegistrationInitiated(_)) {
            return io.event(Event::Dropped(Dropped::Unexpected));
        }
        self.timers.stop(Timer::T3510);
        let cause = reject.fgmm_cause.cause_received();
        io.event(Event::RegistrationRejected { cause: reject.fgmm_cause.value, vouched });
        self.refused(io, cause, reject.t3346_value.as_ref(), vouched);
    }

    /// What a refusal of a registration or a service request does (§5.5.1.2.5, §5.6.1.5).
    pub(super) fn refused(&mut self, io: &mut Io<'_>, cause: GmmCause, t3346: Option<&NasGprsTimer2>, vouched: bool) {
        self.timers.start(Timer::T3540, io.now, self.config.timers.t3540);
        match cause {
            GmmCause::IllegalUe
            | GmmCause::IllegalMe
            | GmmCause::PeiNotAccepted
            | GmmCause::FiveGsServicesNotAllowed => {
                self.drop_sessions(io);
                self.state = State::Deregistered;
                if vouched {
                    self.forget_network();
                } else {
                    // Nobody vouched for it: the phone comes back after 15 to 30 minutes (§5.3.20), so that a false
                    // gNB cannot put it out of service for good.
                    self.forget_network();
                    self.wait_at_random(io, Timer::T3247, 15 * 60, 30 * 60);
                }
            }
            GmmCause::UeIdentityCannotBeDerivedByTheNetwork | GmmCause::ImplicitlyDeregistered => {
                self.drop_sessions(io);
                if cause == GmmCause::UeIdentityCannotBeDerivedByTheNetwork {
                    self.forget_network();
                }
                let was_registered = self.is_registered();
                self.state = State::Deregistered;
                if was_registered {
                    io.event(Event::Deregistered(Ended::Unknown));
                }
                self.wish_for_configured_sessions();
                // Over the connection there is: it is the phone's next initial message.
                self.timers.stop(Timer::T3540);
                self.secure = false;
                self.register(io, RegistrationKind::Initial);
            }
            GmmCause::PlmnNotAllowed
            | GmmCause::TrackingAreaNotAllowed
            | GmmCause::RoamingNotAllowedInThisTrackingArea
            | GmmCause::NoSuitableCellsInTrackingArea
            | GmmCause::N1ModeNotAllowed => {
                self.drop_sessions(io);
                self.forget_network();
                self.state = State::Deregistered;
                if !vouched {
                    self.wait_at_random(io, Timer::T3247, 15 * 60, 30 * 60);
                }
            }
            GmmCause::Congestion => {
                self.state = if self.is_registered() { State::Registered } else { State::Deregistered };
                match t3346.and_then(|value| value.to_seconds()).filter(|seconds| *seconds > 0) {
                    Some(seconds) if vouched => {
                        self.timers.start(Timer::T3346, io.now, Duration::from_secs(seconds));
                    }
                    // Not vouched for: a random time of the default range (TS 24.501 §5.3.9, TS 24.008 table 11.4a).
                    _ => self.wait_at_random(io, Timer::T3346, 15 * 60, 30 * 60),
                }
            }
            _ => self.registration_failed(io),
        }
    }

    fn wait_at_random(&mut self, io: &mut Io<'_>, timer: Timer, from: u32, to: u32) {
        let mut bytes = [0; 4];
        RngCore::fill_bytes(io.rng, &mut bytes);
        let seconds = from + u32::from_be_bytes(bytes) % (to - from + 1);
        self.timers.start(timer, io.now, Duration::from_secs(seconds.into()));
    }

    pub(super) fn congestion_over(&mut self, io: &mut Io<'_>) {
        match self.state {
            State::Deregistered => self.register(io, RegistrationKind::Initial),
            State::Registered if !self.in_area() => self.register(io, RegistrationKind::Mobility),
            State::Registered => self.flush_sessions(io),
            _ => {}
        }
    }

    /// The network says that card and phone do not belong (§5.4.1.3.5).
    pub(super) fn authentication_rejected(&mut self, io: &mut Io<'_>, vouched: bool) {
        io.event(Event::AuthenticationRejected);
        for timer in [Timer::T3510, Timer::T3517, Timer::T3521, Timer::T3516, Timer::T3520] {
            self.timers.stop(timer);
        }
        let was_registered = self.is_registered();
        self.drop_sessions(io);
        self.forget_network();
        self.challenge = None;
        self.state = State::Deregistered;
        if was_registered {
            io.event(Event::Deregistered(Ended::Network { come_back: false }));
        }
        if !vouched {
            self.wait_at_random(io, Timer::T3247, 15 * 60, 30 * 60);
        }
        self.timers.start(Timer::T3540, io.now, self.config.timers.t3540);
    }

    pub(super) fn registration_timed_out(&mut self, io: &mut Io<'_>) {
        io.event(Event::RegistrationTimedOut);
        if self.connected {
            io.out.push(super::Effect::Disconnect);
            self.forget_connection();
            io.event(Event::Idle);
        }
        self.registration_failed(io);
    }

    /// An attempt that came to nothing: again after T3511, or after T3502 when it was the fifth (§5.5.1.2.7).
    pub(super) fn registration_failed(&mut self, io: &mut Io<'_>) {
        self.timers.stop(Timer::T3510);
        self.registration_attempts += 1;
        let was_update =
            matches!(self.state, State::RegistrationInitiated(RegistrationKind::Mobility | RegistrationKind::Periodic));
        self.state = if was_update { State::Registered } else { State::Deregistered };
        if self.registration_attempts < ATTEMPTS {
            self.timers.start(Timer::T3511, io.now, self.config.timers.t3511);
        } else {
            self.registration_attempts = 0;
            self.forget_network();
            if was_update {
                self.drop_sessions(io);
                self.state = State::Deregistered;
                io.event(Event::Deregistered(Ended::Unknown));
            }
            self.timers.start(Timer::T3502, io.now, self.config.timers.t3502);
        }
    }

    pub(super) fn register_again(&mut self, io: &mut Io<'_>) {
        match self.state {
            State::Deregistered => self.register(io, RegistrationKind::Initial),
            State::Registered => self.register(io, RegistrationKind::Mobility),
            _ => {}
        }
    }

    pub(super) fn periodic_registration(&mut self, io: &mut Io<'_>) {
        if self.state == State::Registered && !self.connected {
            self.register(io, RegistrationKind::Periodic);
        }
    }

    /// Whether its identity goes over the air in clear.
    pub fn is_concealed(&self) -> bool {
        !matches!(self.config.concealment, Concealment::Null)
    }

    /// When the phone may try again by itself; none when it is not waiting.
    pub fn pause_ends(&self) -> Option<Millis> {
        [Timer::T3346, Timer::T3247, Timer::T3502, Timer::T3511].into_iter().filter_map(|t| self.timers.end(t)).min()
    }
}
