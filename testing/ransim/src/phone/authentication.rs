//! Primary authentication and the identity procedure, as the phone sees them (TS 24.501 §5.4.1, §5.4.3).

use super::security::Fresh;
use super::{Event, Io, Method, NetworkFault, Phone, Timer, eap};
use oxirush_nas::nas_5gs::{
    GmmCause, KeySetIdentifier, MobileIdentityType, NasAuthenticationFailure, NasAuthenticationFailureParameter,
    NasAuthenticationRequest, NasAuthenticationResponse, NasAuthenticationResponseParameter, NasAuthenticationResult,
    NasEapMessage, NasFGmmCause, NasFGsMobileIdentity, NasIdentityRequest, NasIdentityResponse,
};
use oxirush_security::nas_5gs::{KAusf, KSeaf, compute_res_star, derive_kausf, derive_kseaf};
use pakawaaz_aka::secret::{CipherKey, IntegrityKey};
use pakawaaz_aka::{Autn, EapAkaPrimeKeys, EapIdentity, NetworkName, Rand, Res, Usim, UsimError, UsimResponse};
use zeroize::Zeroizing;

/// A challenge that was answered: repeated by the network, it is answered the same, and the card is not asked again
/// (§5.4.1.3.2: stored RAND and RES*).
pub(super) struct Challenge {
    rand: [u8; 16],
    autn: [u8; 16],
    answer: NasAuthenticationResponse,
}

impl Phone {
    pub(super) fn identity_requested(&mut self, io: &mut Io<'_>, request: &NasIdentityRequest, vouched: bool) {
        let identity = match request.identity_type.identity_type() {
            // Without security only the concealed identity is given (§4.4.4.2).
            Some(MobileIdentityType::Suci) => self.suci(),
            Some(MobileIdentityType::Guti) if vouched => self.guti.map(NasFGsMobileIdentity::from_guti),
            Some(MobileIdentityType::Imeisv) if vouched => NasFGsMobileIdentity::from_imeisv(&self.imeisv).ok(),
            Some(MobileIdentityType::Imei) if vouched => {
                NasFGsMobileIdentity::from_imei_tac_snr(self.imeisv.get(..14).unwrap_or_default()).ok()
            }
            _ if vouched => Some(NasFGsMobileIdentity::from_no_identity()),
            _ => None,
        };
        match identity {
            Some(identity) => self.send(io, NasIdentityResponse::new(identity)),
            None => io.event(Event::Dropped(super::Dropped::Plain)),
        }
    }

    pub(super) fn challenged(&mut self, io: &mut Io<'_>, request: &NasAuthenticationRequest) {
        self.timers.stop(Timer::T3520);
        let KeySetIdentifier::Native(ksi) = request.ngksi.key_set_identifier() else {
            return io.event(Event::Dropped(super::Dropped::Malformed));
        };
        if self.context.as_ref().is_some_and(|context| context.ksi == ksi) {
            return self.refuse_network(io, NetworkFault::KsiInUse, GmmCause::NgKsiAlreadyInUse, None);
        }
        let abba = request.abba.abba().to_vec();
        let rand: Option<[u8; 16]> =
            request.authentication_parameter_rand.as_ref().and_then(|rand| rand.rand().copied());
        let autn: Option<[u8; 16]> =
            request.authentication_parameter_autn.as_ref().and_then(|autn| autn.value.as_slice().try_into().ok());
        match (rand, autn, &request.eap_message) {
            (Some(rand), Some(autn), None) => self.five_g_aka(io, ksi, abba, rand, autn),
            (None, None, Some(message)) => {
                let message = message.value.as_slice().to_vec();
                self.eap_aka_prime(io, ksi, abba, &message);
            }
            _ => io.event(Event::Dropped(super::Dropped::Malformed)),
        }
    }

    fn five_g_aka(&mut self, io: &mut Io<'_>, ksi: u8, abba: Vec<u8>, rand: [u8; 16], autn: [u8; 16]) {
        if let Some(challenge) = &self.challenge
            && challenge.rand == rand
            && challenge.autn == autn
        {
            if let Some(fresh) = &mut self.fresh {
                fresh.ksi = ksi;
            }
            let answer = challenge.answer.clone();
            return self.send(io, answer);
        }
        match self.ask_card(&rand, &autn) {
            Err(fault) => {
                let cause = match fault {
                    NetworkFault::SeparationBit => GmmCause::NonFiveGAuthenticationUnacceptable,
                    _ => GmmCause::MacFailure,
                };
                self.refuse_network(io, fault, cause, None);
            }
            Ok(UsimResponse::SyncFailure { auts }) => {
                let auts = NasAuthenticationFailureParameter::new(auts.to_bytes().to_vec());
                self.refuse_network(io, NetworkFault::AutnFreshness, GmmCause::SynchFailure, Some(auts));
            }
            Ok(UsimResponse::Success { res, ck, ik }) => {
                let Some((k_ausf, k_seaf, res_star)) = self.keys_of_five_g_aka(&rand, &autn, &res, &ck, &ik) else {
                    return;
                };
                let parameter = NasAuthenticationResponseParameter::from_res_star(res_star);
                let answer = NasAuthenticationResponse::new().with_authentication_response_parameter(parameter);
                self.challenge = Some(Challenge { rand, autn, answer: answer.clone() });
                self.timers.start(Timer::T3516, io.now, self.config.timers.t3516);
                self.fresh = Some(Fresh { ksi, k_ausf, k_seaf, abba });
                io.event(Event::Authenticated(Method::FiveGAka));
                self.send(io, answer);
            }
        }
    }

    fn keys_of_five_g_aka(
        &self,
        rand: &[u8; 16],
        autn: &[u8; 16],
        res: &Res,
        ck: &CipherKey,
        ik: &IntegrityKey,
    ) -> Option<(Zeroizing<[u8; 32]>, KSeaf, [u8; 16])> {
        let name = self.config.serving_network();
        let ck = oxirush_security::Ck::new(ck.as_bytes());
        let ik = oxirush_security::Ik::new(ik.as_bytes());
        let rand = oxirush_security::Rand::new(rand);
        let autn = oxirush_security::Autn::new(autn);
        let res_star = compute_res_star(&ck, &ik, name.as_bytes(), &rand, res.as_bytes()).ok()?;
        let k_ausf = derive_kausf(&ck, &ik, name.as_bytes(), &autn).ok()?;
        let k_seaf = derive_kseaf(&k_ausf, name.as_bytes()).ok()?;
        Some((Zeroizing::new(*k_ausf.as_octets()), k_seaf, *res_star.as_octets()))
    }

    /// The card's answer, if the AUTN has the separation bit (TS 33.501 §6.1.3.2.0).
    fn ask_card(&mut self, rand: &[u8; 16], autn: &[u8; 16]) -> Result<UsimResponse, NetworkFault> {
        let autn = Autn::from_bytes(*autn);
        // The bit is covered by the MAC and looked at before the card's counter moves.
        if !autn.amf().separation_bit() {
            return Err(NetworkFault::SeparationBit);
        }
        self.card.authenticate(&Rand(*rand), &autn).map_err(|error| match error {
            UsimError::MacFailure | UsimError::Unavailable | UsimError::Refused | UsimError::Malformed => {
                NetworkFault::AutnMac
            }
        })
    }

    fn refuse_network(
        &mut self,
        io: &mut Io<'_>,
        fault: NetworkFault,
        cause: GmmCause,
        auts: Option<NasAuthenticationFailureParameter>,
    ) {
        io.event(Event::Refused(fault));
        let mut failure = NasAuthenticationFailure::new(NasFGmmCause::from_cause(cause));
        if let Some(auts) = auts {
            failure = failure.with_authentication_failure_parameter(auts);
        }
        self.timers.start(Timer::T3520, io.now, self.config.timers.t3520);
        self.send(io, failure);
    }

    /// T3520: the network did not come up with a better challenge; it is not ours (§5.4.1.3.7).
    pub(super) fn network_did_not_prove_itself(&mut self, io: &mut Io<'_>) {
        self.disconnect(io);
    }

    fn eap_aka_prime(&mut self, io: &mut Io<'_>, ksi: u8, abba: Vec<u8>, message: &[u8]) {
        let packet = eap::Packet::parse(message);
        let Some((packet, challenge)) = packet.and_then(|p| p.challenge().map(|c| (p, c))) else {
            return io.event(Event::Refused(NetworkFault::Eap));
        };
        let name = self.config.serving_network();
        if challenge.network != name {
            io.event(Event::Refused(NetworkFault::Eap));
            return self.send_eap(io, eap::authentication_reject(challenge.identifier));
        }
        if let Some(answered) = &self.challenge
            && answered.rand == challenge.rand
            && answered.autn == challenge.autn
        {
            let answer = answered.answer.clone();
            return self.send(io, answer);
        }
        let (res, ck, ik) = match self.ask_card(&challenge.rand, &challenge.autn) {
            Err(fault) => {
                io.event(Event::Refused(fault));
                return self.send_eap(io, eap::authentication_reject(challenge.identifier));
            }
            Ok(UsimResponse::SyncFailure { auts }) => {
                io.event(Event::Refused(NetworkFault::AutnFreshness));
                return self.send_eap(io, eap::synchronisation_failure(challenge.identifier, &auts));
            }
            Ok(UsimResponse::Success { res, ck, ik }) => (res, ck, ik),
        };
        // In 5G the identity in the keys is the IMSI, its digits alone, whatever was sent (TS 33.501 Annex F.3).
        let (Ok(network), Ok(identity)) = (NetworkName::new(name.as_str()), EapIdentity::new(self.imsi.as_str()))
        else {
            return;
        };
        let autn = Autn::from_bytes(challenge.autn);
        let Ok(keys) = EapAkaPrimeKeys::derive(&ck, &ik, &autn, &network, &identity) else {
            return io.event(Event::Refused(NetworkFault::SeparationBit));
        };
        if !packet.mac_is_right(keys.k_aut.as_bytes()) {
            io.event(Event::Refused(NetworkFault::Eap));
            return self.send_eap(io, eap::authentication_reject(challenge.identifier));
        }
        // K_AUSF is the first half of EMSK (TS 33.501 §6.1.3.1).
        let Ok(k_ausf) = KAusf::from_slice(&keys.emsk.as_bytes()[..32]) else { return };
        let Ok(k_seaf) = derive_kseaf(&k_ausf, name.as_bytes()) else { return };
        let response = eap::challenge_response(challenge.identifier, &res, keys.k_aut.as_bytes());
        let answer = NasAuthenticationResponse::new().with_eap_message(NasEapMessage::new(response));
        self.challenge = Some(Challenge { rand: challenge.rand, autn: challenge.autn, answer: answer.clone() });
        self.timers.start(Timer::T3516, io.now, self.config.timers.t3516);
        let k_ausf = Zeroizing::new(*k_ausf.as_octets());
        self.fresh = Some(Fresh { ksi, k_ausf, k_seaf, abba });
        io.event(Event::Authenticated(Method::EapAkaPrime));
        self.send(io, answer);
    }

    fn send_eap(&mut self, io: &mut Io<'_>, message: Vec<u8>) {
        self.send(io, NasAuthenticationResponse::new().with_eap_message(NasEapMessage::new(message)));
    }

    /// The end of EAP (§5.4.1.2.3). Success says nothing that the security mode does not say better.
    pub(super) fn authentication_result(&mut self, io: &mut Io<'_>, result: &NasAuthenticationResult) {
        match result.eap_message.value.first() {
            Some(&eap::SUCCESS) => {
                if let (Some(fresh), Some(abba)) = (&mut self.fresh, &result.abba) {
                    fresh.abba = abba.abba().to_vec();
                }
            }
            Some(&eap::FAILURE) => self.fresh = None,
            _ => io.event(Event::Dropped(super::Dropped::Malformed)),
        }
    }
}
