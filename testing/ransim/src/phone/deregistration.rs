//! Deregistration, from either side (TS 24.501 §5.5.2).

use super::{AccessCause, Dropped, Ended, Event, Io, Phone, RegistrationKind, State, Timer};
use oxirush_nas::nas_5gs::{
    AccessTypeValue, GmmCause, Nas5gsMessage, NasDeRegistrationType, NasDeregistrationAcceptUeTerminated,
    NasDeregistrationRequestUeOriginating, NasDeregistrationRequestUeTerminated,
};

/// Attempts until the phone gives up (§5.5.2.2.6).
const ATTEMPTS: u8 = 5;

impl Phone {
    /// Leaves the network and stays switched on.
    pub fn deregister(&mut self, io: &mut Io<'_>) {
        self.leave(io, false);
    }

    /// Switches the phone off: it says so and waits for no answer.
    pub fn power_off(&mut self, io: &mut Io<'_>) {
        if self.state == State::Off {
            return;
        }
        if !self.is_registered() {
            return self.off(io);
        }
        self.leave(io, true);
    }

    /// The battery is out: not a word, and everything that was not written down is gone.
    pub fn pull_battery(&mut self) {
        self.timers.stop_all();
        self.sessions.clear();
        self.forget_network();
        self.forget_connection();
        self.register_when_idle = None;
        self.challenge = None;
        self.state = State::Off;
    }

    fn leave(&mut self, io: &mut Io<'_>, switching_off: bool) {
        if !self.is_registered() {
            return;
        }
        self.switching_off = switching_off;
        let sent = self.send_deregistration(io);
        self.timers.stop_all();
        if switching_off || !sent {
            return self.off_or_out(io);
        }
        self.deregistration_attempts = 0;
        self.state = State::DeregistrationInitiated;
        self.timers.start(Timer::T3521, io.now, self.config.timers.t3521);
    }

    fn off_or_out(&mut self, io: &mut Io<'_>) {
        if self.switching_off { self.off(io) } else { self.deregistered(io, Ended::Phone) }
    }

    fn send_deregistration(&mut self, io: &mut Io<'_>) -> bool {
        let Some(identity) = self.identity() else { return false };
        let kind = NasDeRegistrationType::new(0)
            .with_access_type(AccessTypeValue::ThreeGppAccess)
            .with_switch_off(self.switching_off);
        let request = NasDeregistrationRequestUeOriginating::new(kind, self.ksi(), identity);
        let request = Nas5gsMessage::new_5gmm(request);
        if self.connected && self.secure {
            self.send_message(io, &request);
            return true;
        }
        let Some(bytes) = self.protect_initial(&request, &request) else { return false };
        self.send_initial(io, bytes, AccessCause::Signalling);
        true
    }

    pub(super) fn deregistration_accepted(&mut self, io: &mut Io<'_>) {
        if self.state != State::DeregistrationInitiated {
            return io.event(Event::Dropped(Dropped::Unexpected));
        }
        self.deregistered(io, Ended::Phone);
    }

    pub(super) fn deregistration_timed_out(&mut self, io: &mut Io<'_>) {
        self.deregistration_attempts += 1;
        if self.deregistration_attempts >= ATTEMPTS || !self.send_deregistration(io) {
            return self.deregistered(io, Ended::Phone);
        }
        self.timers.start(Timer::T3521, io.now, self.config.timers.t3521);
    }

    /// Registered no more, switched on: GUTI and keys are kept for the next time.
    pub(super) fn deregistered(&mut self, io: &mut Io<'_>, ended: Ended) {
        self.timers.stop_all();
        self.drop_sessions(io);
        self.state = State::Deregistered;
        io.event(Event::Deregistered(ended));
        if self.connected {
            self.timers.start(Timer::T3540, io.now, self.config.timers.t3540);
        }
    }

    fn off(&mut self, io: &mut Io<'_>) {
        self.timers.stop_all();
        self.drop_sessions(io);
        self.register_when_idle = None;
        // The connection goes with the radio; the gNB takes the last message along.
        self.connected = false;
        self.secure = false;
        self.gnb_count = None;
        self.challenge = None;
        self.state = State::Off;
        io.event(Event::Deregistered(Ended::SwitchedOff));
    }

    pub(super) fn deregistration_requested(&mut self, io: &mut Io<'_>, request: &NasDeregistrationRequestUeTerminated) {
        self.send(io, NasDeregistrationAcceptUeTerminated::new());
        let come_back = request.de_registration_type.re_registration_required();
        let for_good = request.fgmm_cause.as_ref().is_some_and(|cause| {
            matches!(
                cause.cause_received(),
                GmmCause::IllegalUe
                    | GmmCause::IllegalMe
                    | GmmCause::FiveGsServicesNotAllowed
                    | GmmCause::PeiNotAccepted
            )
        });
        self.deregistered(io, Ended::Network { come_back });
        if for_good {
            self.forget_network();
        }
        if come_back {
            self.wish_for_configured_sessions();
            self.register_when_idle = Some(RegistrationKind::Initial);
        }
    }
}
