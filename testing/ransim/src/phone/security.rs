//! NAS security of the phone: what is believed, and the security mode procedure (TS 24.501 §4.4, §5.4.2).

use super::{Dropped, Effect, Event, Io, NetworkFault, Phone, State, Timer};
use oxirush_nas::nas_5gs::{
    CipheringAlgorithm, Direction, GmmCause, IntegrityAlgorithm, KAmf, KeySetIdentifier, Nas5gmmMessage, Nas5gsMessage,
    Nas5gsSecurityHeaderType as Header, NasConnection, NasError, NasFGmmCause, NasFGmmStatus, NasFGsMobileIdentity,
    NasMessageContainer, NasSecurityContext, NasSecurityModeCommand, NasSecurityModeComplete, NasSecurityModeReject,
};
use oxirush_security::nas_5gs::{KSeaf, Supi, derive_kamf, derive_kgnb};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Longest NAS message that is looked at.
const LONGEST: usize = 65_535;

/// A security context in use (current native context, TS 33.501 §3.1).
pub(super) struct Context {
    /// Its key set identifier, 0 to 6.
    pub(super) ksi: u8,
    pub(super) k_amf: KAmf,
    pub(super) nas: NasSecurityContext,
}

impl Context {
    fn counts(&self) -> (Option<oxirush_security::NasCount>, Option<oxirush_security::NasCount>) {
        let count = |direction| self.nas.nas_count(direction, NasConnection::ThreeGpp);
        (count(Direction::Uplink), count(Direction::Downlink))
    }
    pub(super) fn summary(&self) -> (u8, u32, u32) {
        let (uplink, downlink) = self.counts();
        (self.ksi, uplink.map_or(u32::MAX, |c| c.get()), downlink.map_or(u32::MAX, |c| c.get()))
    }
}

/// Keys of an authentication that no security mode has taken into use yet (partial native context).
pub(super) struct Fresh {
    pub(super) ksi: u8,
    pub(super) k_ausf: Zeroizing<[u8; 32]>,
    pub(super) k_seaf: KSeaf,
    pub(super) abba: Vec<u8>,
}

impl Fresh {
    fn k_amf(&self, imsi: &str, abba: Option<&[u8]>) -> Option<KAmf> {
        derive_kamf(&self.k_seaf, &Supi::imsi(imsi).ok()?, abba.unwrap_or(&self.abba)).ok()
    }
}

impl Phone {
    /// A NAS message of the network.
    pub fn receive(&mut self, io: &mut Io<'_>, bytes: &[u8]) {
        let (Some(0x7e), Some(header), true) = (bytes.first(), bytes.get(1), bytes.len() <= LONGEST) else {
            return io.event(Event::Dropped(Dropped::Malformed));
        };
        if !self.connected || self.state == State::Off {
            return io.event(Event::Dropped(Dropped::Unexpected));
        }
        match header & 0x0f {
            0 => self.receive_plain(io, bytes),
            1 => io.event(Event::Dropped(Dropped::Unciphered)),
            2 => self.receive_protected(io, bytes),
            3 => self.receive_security_mode_command(io, bytes),
            _ => io.event(Event::Dropped(Dropped::Malformed)),
        }
    }

    /// Only what a network without keys has to be able to say (§4.4.4.2), and only before it has shown that it has
    /// them.
    fn receive_plain(&mut self, io: &mut Io<'_>, bytes: &[u8]) {
        let Ok(Nas5gsMessage::Gmm(_, message)) = Nas5gsMessage::decode(bytes) else {
            return io.event(Event::Dropped(Dropped::Malformed));
        };
        if self.secure {
            return io.event(Event::Dropped(Dropped::Plain));
        }
        match message {
            Nas5gmmMessage::IdentityRequest(m) => self.identity_requested(io, &m, false),
            Nas5gmmMessage::AuthenticationRequest(m) => self.challenged(io, &m),
            Nas5gmmMessage::AuthenticationResult(m) => self.authentication_result(io, &m),
            Nas5gmmMessage::AuthenticationReject(_) => self.authentication_rejected(io, false),
            Nas5gmmMessage::RegistrationReject(m) => self.registration_rejected(io, &m, false),
            Nas5gmmMessage::ServiceReject(m) => self.service_rejected(io, &m, false),
            Nas5gmmMessage::DeregistrationAcceptUeOriginating(_) => self.deregistration_accepted(io),
            _ => io.event(Event::Dropped(Dropped::Plain)),
        }
    }

    fn receive_protected(&mut self, io: &mut Io<'_>, bytes: &[u8]) {
        let Some(context) = &mut self.context else {
            return io.event(Event::Dropped(Dropped::NoKeys));
        };
        match context.nas.unprotect(bytes, Direction::Downlink) {
            Ok(verified) => {
                self.secure = true;
                self.dispatch(io, verified.message);
            }
            Err(error @ NasError::AuthenticMessageRefused { .. }) => {
                self.secure = true;
                match Nas5gsMessage::answer_to_refused(bytes, &error, Direction::Downlink) {
                    Some(answer) => self.send_message(io, &answer),
                    None => io.event(Event::Dropped(Dropped::Malformed)),
                }
            }
            Err(_) => io.event(Event::Dropped(Dropped::Integrity)),
        }
    }

    fn dispatch(&mut self, io: &mut Io<'_>, message: Nas5gsMessage) {
        let Nas5gsMessage::Gmm(_, message) = message else {
            return io.event(Event::Dropped(Dropped::Malformed));
        };
        match message {
            Nas5gmmMessage::IdentityRequest(m) => self.identity_requested(io, &m, true),
            Nas5gmmMessage::AuthenticationRequest(m) => self.challenged(io, &m),
            Nas5gmmMessage::AuthenticationResult(m) => self.authentication_result(io, &m),
            Nas5gmmMessage::AuthenticationReject(_) => self.authentication_rejected(io, true),
            Nas5gmmMessage::RegistrationAccept(m) => self.registration_accepted(io, &m),
            Nas5gmmMessage::RegistrationReject(m) => self.registration_rejected(io, &m, true),
            Nas5gmmMessage::ServiceAccept(m) => self.service_accepted(io, &m),
            Nas5gmmMessage::ServiceReject(m) => self.service_rejected(io, &m, true),
            Nas5gmmMessage::ConfigurationUpdateCommand(m) => self.configuration_updated(io, &m),
            Nas5gmmMessage::DeregistrationAcceptUeOriginating(_) => self.deregistration_accepted(io),
            Nas5gmmMessage::DeregistrationRequestUeTerminated(m) => self.deregistration_requested(io, &m),
            Nas5gmmMessage::DlNasTransport(m) => self.session_message(io, &m),
            Nas5gmmMessage::FiveGmmStatus(m) => io.event(Event::Status { cause: m.fgmm_cause.value }),
            _ => {
                let cause = GmmCause::MessageTypeNotCompatibleWithTheProtocolState;
                self.send(io, NasFGmmStatus::new(NasFGmmCause::from_cause(cause)));
            }
        }
    }

    /// Sends a 5GMM message: protected and ciphered once the connection is secure, plain before.
    pub(super) fn send(&mut self, io: &mut Io<'_>, message: impl Into<Nas5gmmMessage>) {
        self.send_message(io, &Nas5gsMessage::new_5gmm(message));
    }

    pub(super) fn send_message(&mut self, io: &mut Io<'_>, message: &Nas5gsMessage) {
        if !self.connected {
            return;
        }
        let bytes = match &mut self.context {
            Some(context) if self.secure => {
                context.nas.protect(message, Header::IntegrityProtectedAndCiphered, Direction::Uplink)
            }
            _ => message.encode(),
        };
        if let Ok(bytes) = bytes {
            io.out.push(Effect::Send(bytes));
        }
    }

    /// An initial NAS message in the form it is sent in (§4.4.6): protected with the context there is, or its
    /// cleartext part. The whole of it is kept for the security mode complete.
    pub(super) fn protect_initial(&mut self, whole: &Nas5gsMessage, cleartext: &Nas5gsMessage) -> Option<Vec<u8>> {
        self.initial = whole.encode().ok();
        match &mut self.context {
            Some(context) => {
                let count = context.nas.nas_count(Direction::Uplink, NasConnection::ThreeGpp);
                let bytes = context.nas.protect_initial(whole).ok()?;
                self.gnb_count = count;
                Some(bytes)
            }
            None => cleartext.encode().ok(),
        }
    }

    /// Whether the core gave the gNB the key that the phone derives itself (TS 33.501 Annex A.9).
    pub(super) fn gnb_key_is(&self, k_gnb: &[u8; 32]) -> bool {
        match (&self.context, self.gnb_count) {
            (Some(context), Some(count)) => bool::from(derive_kgnb(&context.k_amf, count).as_octets().ct_eq(k_gnb)),
            _ => false,
        }
    }

    fn receive_security_mode_command(&mut self, io: &mut Io<'_>, bytes: &[u8]) {
        // The inner message is read before its MAC is verified, because it says with which keys: nothing is
        // changed by it before that.
        let Ok(Nas5gsMessage::SecurityProtected(_, inner)) = Nas5gsMessage::decode(bytes) else {
            return io.event(Event::Dropped(Dropped::Malformed));
        };
        let Nas5gsMessage::Gmm(_, Nas5gmmMessage::SecurityModeCommand(command)) = *inner else {
            return io.event(Event::Dropped(Dropped::Malformed));
        };
        match self.try_security_mode(&command, bytes) {
            Ok((context, initial_wanted)) => self.security_mode_taken(io, context, &command, initial_wanted),
            Err(fault) => {
                io.event(Event::Refused(fault));
                let cause = match fault {
                    NetworkFault::Capabilities | NetworkFault::UnknownAlgorithm => {
                        GmmCause::UeSecurityCapabilitiesMismatch
                    }
                    _ => GmmCause::SecurityModeRejectedUnspecified,
                };
                self.send(io, NasSecurityModeReject::new(NasFGmmCause::from_cause(cause)));
            }
        }
    }

    /// The context that a security mode command takes into use (§5.4.2.3), or what is wrong with it.
    fn try_security_mode(
        &self,
        command: &NasSecurityModeCommand,
        bytes: &[u8],
    ) -> Result<(Context, bool), NetworkFault> {
        let algorithms = &command.selected_nas_security_algorithms;
        let (Some(nea), Some(nia)) = (algorithms.ciphering(), algorithms.integrity()) else {
            return Err(NetworkFault::UnknownAlgorithm);
        };
        if nea == CipheringAlgorithm::NEA0 || nia == IntegrityAlgorithm::NIA0 {
            return Err(NetworkFault::NullAlgorithm);
        }
        if !claimed(self.config.ciphering, algorithms.ciphering_raw())
            || !claimed(self.config.integrity, algorithms.integrity_raw())
        {
            return Err(NetworkFault::UnknownAlgorithm);
        }
        let KeySetIdentifier::Native(ksi) = command.ngksi.key_set_identifier() else {
            return Err(NetworkFault::SecurityModeMac);
        };
        let context = match (&self.fresh, &self.context) {
            (Some(fresh), _) if fresh.ksi == ksi => {
                let abba = command.abba.as_ref().map(|abba| abba.abba());
                let k_amf = fresh.k_amf(&self.imsi, abba).ok_or(NetworkFault::SecurityModeMac)?;
                let nas = NasSecurityContext::from_fresh_kamf(&k_amf, nia, nea);
                (nas, k_amf)
            }
            (_, Some(current)) if current.ksi == ksi => {
                let nas = NasSecurityContext::restore_from_kamf(
                    &current.k_amf,
                    nia,
                    nea,
                    current.counts(),
                    (Some(oxirush_security::NasCount::ZERO), Some(oxirush_security::NasCount::ZERO)),
                );
                (nas, current.k_amf.clone())
            }
            _ => return Err(NetworkFault::SecurityModeMac),
        };
        let (Ok(mut nas), k_amf) = context else {
            return Err(NetworkFault::UnknownAlgorithm);
        };
        nas.unprotect(bytes, Direction::Downlink).map_err(|_| NetworkFault::SecurityModeMac)?;
        // Looked at only now: a forged command must not be able to make the phone say what it thinks of it.
        if command.replayed_ue_security_capabilities != self.capability() {
            return Err(NetworkFault::Capabilities);
        }
        let wanted = command.additional_5g_security_information.as_ref().is_some_and(|info| info.rinmr());
        Ok((Context { ksi, k_amf, nas }, wanted))
    }

    fn security_mode_taken(
        &mut self,
        io: &mut Io<'_>,
        mut context: Context,
        command: &NasSecurityModeCommand,
        initial_wanted: bool,
    ) {
        // §4.4.6: the whole initial message again, when it went out without its other half or the network asks.
        let was_cleartext = self.context.is_none();
        let mut complete = NasSecurityModeComplete::new();
        if (was_cleartext || initial_wanted)
            && let Some(initial) = &self.initial
        {
            complete = complete.with_nas_message_container(NasMessageContainer::new(initial.clone()));
        }
        if command.imeisv_request.as_ref().is_some_and(|request| request.is_requested())
            && let Ok(imeisv) = NasFGsMobileIdentity::from_imeisv(&self.imeisv)
        {
            complete = complete.with_imeisv(imeisv);
        }
        self.gnb_count = context.nas.nas_count(Direction::Uplink, NasConnection::ThreeGpp);
        let complete = Nas5gsMessage::new_5gmm(complete);
        let header = Header::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext;
        let Ok(bytes) = context.nas.protect(&complete, header, Direction::Uplink) else {
            return;
        };
        if let Some(fresh) = self.fresh.take_if(|fresh| fresh.ksi == context.ksi) {
            self.k_ausf = Some(fresh.k_ausf);
        }
        self.context = Some(context);
        self.secure = true;
        self.challenge = None;
        self.timers.stop(Timer::T3516);
        self.timers.stop(Timer::T3520);
        io.out.push(Effect::Send(bytes));
    }
}

/// Whether the octet of a capability claims algorithm `number`; bit 7 is algorithm 0.
fn claimed(octet: u8, number: u8) -> bool {
    number < 8 && octet & (0x80 >> number) != 0
}
