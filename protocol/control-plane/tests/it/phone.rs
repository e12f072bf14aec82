//! A phone for tests: its own reading of TS 24.501, built on the codecs alone.

use oxirush_nas::nas_5gs::*;
use oxirush_security::milenage::{Amf, K, Milenage, Opc, Sqn};
use oxirush_security::nas_5gs::{KAmf, Supi, derive_kamf, derive_kausf, derive_kgnb, derive_kseaf};
use oxirush_security::{Autn, Plmn, Rand};
use std::collections::{BTreeMap, HashSet};

pub const SN_NAME: &str = "5G:mnc001.mcc001.3gppnetwork.org";

/// How it answers a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Right,
    Wrong,
    MacFailure,
    /// Once, then right.
    Synchronise,
    AlwaysSynchronise,
    NonFiveG,
    KsiInUse,
}

pub struct Phone {
    pub imsi: String,
    pub usim: Milenage,
    pub auth: Auth,
    /// EA and IA octets.
    pub capability: (u8, u8),
    pub imeisv: Option<String>,
    /// Messages that it does not answer.
    pub mute: HashSet<Nas5gmmMessageType>,
    pub mute_sm: bool,
    /// Drops what it cannot verify. Otherwise that is a fault of the core.
    pub doubtful: bool,
    pub security: Option<NasSecurityContext>,
    pub k_amf: Option<KAmf>,
    pub ngksi: u8,
    pub guti: Option<Guti>,
    /// Names of what it received, in order.
    pub heard: Vec<String>,
    pub causes: Vec<u8>,
    pub t3346: Option<u64>,
    pub sessions: BTreeMap<u8, NasPduSessionEstablishmentAccept>,
    pub last_sm: Option<Nas5gsmMessage>,
    pub last_accept: Option<NasRegistrationAccept>,
    pub last_service: Option<NasServiceAccept>,
    pub last_configuration: Option<NasConfigurationUpdateCommand>,
    /// The registration under way, repeated whole in the security mode complete.
    pub registration: Option<Nas5gsMessage>,
    /// COUNT of the message that the key of the gNB comes from.
    pub count: Option<NasCount>,
    pub replayed: Option<NasUeSecurityCapability>,
    pub challenges: usize,
    /// Secure exchange is established on this connection.
    pub exchange: bool,
}

pub fn network_plmn() -> Plmn {
    Plmn::new("001", "01").unwrap()
}

pub fn usim(n: u32) -> Milenage {
    let mut k = [0x46; 16];
    k[..4].copy_from_slice(&n.to_be_bytes());
    Milenage::new(&K::new(&k), &Opc::new(&[0xcd; 16]))
}

pub fn imsi(n: u32) -> String {
    format!("00101{n:010}")
}

impl Phone {
    pub fn new(n: u32) -> Self {
        Self {
            imsi: imsi(n),
            usim: usim(n),
            auth: Auth::Right,
            capability: (0xf0, 0xf0),
            imeisv: Some(format!("35609204{n:08}")),
            mute: HashSet::new(),
            mute_sm: false,
            doubtful: false,
            security: None,
            k_amf: None,
            ngksi: 7,
            guti: None,
            heard: Vec::new(),
            causes: Vec::new(),
            t3346: None,
            sessions: BTreeMap::new(),
            last_sm: None,
            last_accept: None,
            last_service: None,
            last_configuration: None,
            registration: None,
            count: None,
            replayed: None,
            challenges: 0,
            exchange: false,
        }
    }

    pub fn suci(&self) -> NasFGsMobileIdentity {
        // The test's vault reads the null scheme; the product's never does.
        let mut digits: Vec<u8> = self.imsi.bytes().skip(5).map(|b| b - b'0').collect();
        if digits.len() % 2 == 1 {
            digits.push(0xf);
        }
        let mut octets = vec![0x01, 0x00, 0xf1, 0x10, 0xf0, 0xff, 0x00, 0x00];
        octets.extend(digits.chunks(2).map(|pair| pair[1] << 4 | pair[0]));
        NasFGsMobileIdentity::new(octets)
    }

    pub fn ksi(&self) -> NasKeySetIdentifier {
        NasKeySetIdentifier::new(if self.security.is_some() { self.ngksi } else { 7 })
    }

    pub fn registration_request(&self, kind: RegistrationType) -> NasRegistrationRequest {
        let identity = match self.guti {
            Some(guti) => NasFGsMobileIdentity::from_guti(guti),
            None => self.suci(),
        };
        let kind = NasFGsRegistrationType::from_registration_type(kind).with_follow_on_request(true);
        NasRegistrationRequest::new(kind, self.ksi(), identity).with_ue_security_capability(
            NasUeSecurityCapability::from_capabilities(self.capability.0, self.capability.1),
        )
    }

    /// As it is sent first: protected when there is a context.
    pub fn initial(&mut self, message: &Nas5gsMessage) -> Vec<u8> {
        self.exchange = false;
        match &mut self.security {
            Some(security) => {
                self.count = security.nas_count(Direction::Uplink, NasConnection::ThreeGpp);
                security.protect_initial(message).unwrap()
            }
            None => message.encode().unwrap(),
        }
    }

    pub fn register(&mut self, kind: RegistrationType) -> Vec<u8> {
        let request = self.registration_request(kind);
        self.register_with(request)
    }

    pub fn register_with(&mut self, request: NasRegistrationRequest) -> Vec<u8> {
        let message = Nas5gsMessage::new_5gmm(request);
        self.registration = Some(message.clone());
        self.initial(&message)
    }

    pub fn service_request(&mut self, kind: ServiceType, data: &[u8]) -> Vec<u8> {
        let guti = self.guti.unwrap();
        let mut request = NasServiceRequest::new(
            self.ksi(),
            NasServiceType::from_service_type(kind),
            NasFGsMobileIdentity::from_s_tmsi(guti.s_tmsi()),
        );
        if !data.is_empty() {
            request.set_uplink_data_status(NasUplinkDataStatus::from_sessions(data).unwrap());
        }
        let has: Vec<u8> = self.sessions.keys().copied().collect();
        request.set_pdu_session_status(NasPduSessionStatus::from_sessions(&has).unwrap());
        self.initial(&Nas5gsMessage::new_5gmm(request))
    }

    pub fn deregistration(&mut self, switch_off: bool) -> NasDeregistrationRequestUeOriginating {
        let kind =
            NasDeRegistrationType::new(0).with_access_type(AccessTypeValue::ThreeGppAccess).with_switch_off(switch_off);
        NasDeregistrationRequestUeOriginating::new(
            kind,
            self.ksi(),
            NasFGsMobileIdentity::from_guti(self.guti.unwrap()),
        )
    }

    /// A message on a secured connection.
    pub fn protect(&mut self, message: impl Into<Nas5gmmMessage>) -> Vec<u8> {
        let message = Nas5gsMessage::new_5gmm(message);
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        self.security.as_mut().unwrap().protect(&message, header, Direction::Uplink).unwrap()
    }

    pub fn sm(&mut self, psi: u8, pti: u8, message: impl Into<Nas5gsmMessage>) -> NasUlNasTransport {
        let message = Nas5gsMessage::new_5gsm(message, psi, pti);
        NasUlNasTransport::new(
            NasPayloadContainerType::from_kind(PayloadContainerKind::N1SmInformation),
            NasPayloadContainer::from_n1_sm_message(&message).unwrap(),
        )
        .with_pdu_session_id(NasPduSessionIdentity2::from_pdu_session_id(psi))
    }

    pub fn session_request(&mut self, psi: u8, kind: PduSessionTypeValue, dnn: Option<&str>) -> Vec<u8> {
        let rates = NasIntegrityProtectionMaximumDataRate::from_rates(MaxDataRate::FullRate, MaxDataRate::FullRate);
        let asked = [0x0003, 0x000d, 0x0010].map(|identifier| PcoEntry { identifier, contents: Vec::new() });
        let options = Pco::new(0, asked.to_vec());
        let request = NasPduSessionEstablishmentRequest::new(rates)
            .with_pdu_session_type(NasPduSessionType::from_session_type(kind))
            .with_extended_protocol_configuration_options(
                NasExtendedProtocolConfigurationOptions::from_pco(&options, PcoDirection::Uplink).unwrap(),
            );
        self.session_request_with(psi, request, dnn, None)
    }

    pub fn session_request_with(
        &mut self,
        psi: u8,
        request: NasPduSessionEstablishmentRequest,
        dnn: Option<&str>,
        slice: Option<NasSNssai>,
    ) -> Vec<u8> {
        let mut transport = self.sm(psi, psi + 20, request);
        transport.request_type = Some(NasRequestType::from_request_type(RequestTypeValue::InitialRequest));
        transport.dnn = dnn.map(|dnn| NasDnn::from_string(dnn).unwrap());
        transport.s_nssai = slice;
        self.protect(transport)
    }

    /// What it says to a message. The messages are protected as the phone would.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let protected = is_security_protected(bytes);
        let message = if !protected {
            Nas5gsMessage::decode(bytes).expect("a plain message")
        } else if bytes[1] & 0xf == Nas5gsSecurityHeaderType::IntegrityProtectedWithNewFiveGNasSecurityContext as u8 {
            match self.new_context(bytes) {
                Some(message) => message,
                None => return Vec::new(),
            }
        } else {
            let security = self.security.as_mut().expect("a context");
            match security.unprotect(bytes, Direction::Downlink) {
                Ok(verified) => verified.message,
                Err(_) if self.doubtful => return Vec::new(),
                Err(error) => panic!("a right MAC: {error:?}"),
            }
        };
        self.exchange |= protected;
        let Nas5gsMessage::Gmm(_, message) = message else { panic!("not of mobility management") };
        self.heard.push(format!("{:?}", message.message_type()));
        if self.mute.contains(&message.message_type()) {
            return Vec::new();
        }
        self.answer(message)
    }

    fn new_context(&mut self, bytes: &[u8]) -> Option<Nas5gsMessage> {
        let plain = Nas5gsMessage::decode(bytes).unwrap();
        let Nas5gsMessage::SecurityProtected(_, inner) = plain else { panic!("not protected") };
        let Nas5gsMessage::Gmm(_, Nas5gmmMessage::SecurityModeCommand(command)) = *inner else {
            panic!("not a command")
        };
        let algorithms = command.selected_nas_security_algorithms;
        let (nia, nea) = (algorithms.integrity().unwrap(), algorithms.ciphering().unwrap());
        let k_amf = self.k_amf.as_ref().expect("authenticated");
        let mut security = NasSecurityContext::from_fresh_kamf(k_amf, nia, nea).unwrap();
        if self.heard.last().is_some_and(|last| last == "SecurityModeCommand") {
            // A repetition under the next COUNT.
            security = self.security.take().unwrap();
        }
        let message = match security.unprotect(bytes, Direction::Downlink) {
            Ok(verified) => verified.message,
            Err(_) if self.doubtful => return None,
            Err(error) => panic!("a right MAC: {error:?}"),
        };
        self.ngksi = command.ngksi.ksi();
        self.security = Some(security);
        Some(message)
    }

    fn answer(&mut self, message: Nas5gmmMessage) -> Vec<Vec<u8>> {
        match message {
            Nas5gmmMessage::IdentityRequest(request) => {
                let identity = match request.identity_type.identity_type() {
                    Some(MobileIdentityType::Suci) => self.suci(),
                    _ => match &self.imeisv {
                        Some(imeisv) => NasFGsMobileIdentity::from_imeisv(imeisv).unwrap(),
                        None => NasFGsMobileIdentity::from_no_identity(),
                    },
                };
                let response = NasIdentityResponse::new(identity);
                vec![if self.exchange {
                    self.protect(response)
                } else {
                    Nas5gsMessage::new_5gmm(response).encode().unwrap()
                }]
            }
            Nas5gmmMessage::AuthenticationRequest(request) => vec![self.challenged(&request)],
            Nas5gmmMessage::SecurityModeCommand(command) => {
                self.replayed = Some(command.replayed_ue_security_capabilities.clone());
                let mut complete = NasSecurityModeComplete::new();
                if command.imeisv_request.as_ref().is_some_and(|asked| asked.is_requested())
                    && let Some(imeisv) = &self.imeisv
                {
                    complete.set_imeisv(NasFGsMobileIdentity::from_imeisv(imeisv).unwrap());
                }
                if let Some(registration) = &self.registration {
                    complete.set_nas_message_container(NasMessageContainer::from_nas_message(registration).unwrap());
                }
                let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext;
                let security = self.security.as_mut().unwrap();
                self.count = security.nas_count(Direction::Uplink, NasConnection::ThreeGpp);
                vec![security.protect(&Nas5gsMessage::new_5gmm(complete), header, Direction::Uplink).unwrap()]
            }
            Nas5gmmMessage::RegistrationAccept(accept) => {
                self.guti = accept.fg_guti.as_ref().and_then(|guti| guti.as_guti());
                self.last_accept = Some(*accept);
                vec![self.protect(NasRegistrationComplete::new())]
            }
            Nas5gmmMessage::RegistrationReject(reject) => {
                self.causes.push(reject.fgmm_cause.cause_raw());
                self.t3346 = reject.t3346_value.as_ref().and_then(NasGprsTimer2::to_seconds);
                Vec::new()
            }
            Nas5gmmMessage::ServiceReject(reject) => {
                self.causes.push(reject.fgmm_cause.cause_raw());
                Vec::new()
            }
            Nas5gmmMessage::ServiceAccept(accept) => {
                self.last_service = Some(*accept);
                Vec::new()
            }
            Nas5gmmMessage::FiveGmmStatus(status) => {
                self.causes.push(status.fgmm_cause.cause_raw());
                Vec::new()
            }
            Nas5gmmMessage::ConfigurationUpdateCommand(command) => {
                self.last_configuration = Some((*command).clone());
                if let Some(guti) = command.fg_guti.as_ref().and_then(|guti| guti.as_guti()) {
                    self.guti = Some(guti);
                }
                match command.configuration_update_indication.as_ref().is_some_and(|indication| indication.ack()) {
                    true => vec![self.protect(NasConfigurationUpdateComplete::new())],
                    false => Vec::new(),
                }
            }
            Nas5gmmMessage::DeregistrationRequestUeTerminated(_) => {
                vec![self.protect(NasDeregistrationAcceptUeTerminated::new())]
            }
            Nas5gmmMessage::DlNasTransport(transport) => {
                if let Some(cause) = &transport.fgmm_cause {
                    self.causes.push(cause.cause_raw());
                    return Vec::new();
                }
                let Ok(Nas5gsMessage::Gsm(header, message)) = transport.payload_container.decode_as_n1_sm_message()
                else {
                    panic!("not of session management")
                };
                self.heard.push(format!("{:?}", message.message_type()));
                self.session_message(header, message)
            }
            _ => Vec::new(),
        }
    }

    fn session_message(&mut self, header: Nas5gsmHeader, message: Nas5gsmMessage) -> Vec<Vec<u8>> {
        let (psi, pti) = (header.pdu_session_identity, header.procedure_transaction_identity);
        self.last_sm = Some(message.clone());
        if self.mute_sm {
            return Vec::new();
        }
        let answer: Option<Nas5gsmMessage> = match message {
            Nas5gsmMessage::PduSessionEstablishmentAccept(accept) => {
                self.sessions.insert(psi, *accept);
                None
            }
            Nas5gsmMessage::PduSessionEstablishmentReject(reject) => {
                self.causes.push(reject.fgsm_cause.cause_raw());
                None
            }
            Nas5gsmMessage::PduSessionModificationReject(reject) => {
                self.causes.push(reject.fgsm_cause.cause_raw());
                None
            }
            Nas5gsmMessage::PduSessionReleaseReject(reject) => {
                self.causes.push(reject.fgsm_cause.cause_raw());
                None
            }
            Nas5gsmMessage::PduSessionModificationCommand(_) => Some(NasPduSessionModificationComplete::new().into()),
            Nas5gsmMessage::PduSessionReleaseCommand(_) => {
                self.sessions.remove(&psi);
                Some(NasPduSessionReleaseComplete::new().into())
            }
            Nas5gsmMessage::FiveGsmStatus(status) => {
                self.causes.push(status.fgsm_cause.cause_raw());
                None
            }
            _ => None,
        };
        answer
            .into_iter()
            .map(|answer| {
                let sm = self.sm(psi, pti, answer);
                self.protect(sm)
            })
            .collect()
    }

    fn challenged(&mut self, request: &NasAuthenticationRequest) -> Vec<u8> {
        self.challenges += 1;
        if let Some(eap) = &request.eap_message {
            return crate::eap::answer(self, &eap.value.clone());
        }
        let rand = *request.authentication_parameter_rand.as_ref().unwrap().rand().unwrap();
        let autn = request.authentication_parameter_autn.as_ref().unwrap().autn().copied().unwrap();
        let (rand, autn) = (Rand::new(&rand), Autn::new(&autn));
        let usim = self.usim.check_autn(&rand, &autn).expect("our network");
        let failure = |cause| Nas5gsMessage::new_5gmm(NasAuthenticationFailure::new(NasFGmmCause::from_cause(cause)));
        let answer = match self.auth {
            Auth::Right | Auth::Wrong => {
                let mut res = *usim.res_star(SN_NAME.as_bytes()).unwrap().as_octets();
                if self.auth == Auth::Wrong {
                    res[3] ^= 1;
                }
                let parameter = NasAuthenticationResponseParameter::from_res_star(res);
                let k_ausf = derive_kausf(usim.ck(), usim.ik(), SN_NAME.as_bytes(), &autn).unwrap();
                let k_seaf = derive_kseaf(&k_ausf, SN_NAME.as_bytes()).unwrap();
                let supi = Supi::imsi(&self.imsi).unwrap();
                self.k_amf = Some(derive_kamf(&k_seaf, &supi, request.abba.abba()).unwrap());
                Nas5gsMessage::new_5gmm(
                    NasAuthenticationResponse::new().with_authentication_response_parameter(parameter),
                )
            }
            Auth::MacFailure => failure(GmmCause::MacFailure),
            Auth::NonFiveG => failure(GmmCause::NonFiveGAuthenticationUnacceptable),
            Auth::KsiInUse => {
                self.auth = Auth::Right;
                failure(GmmCause::NgKsiAlreadyInUse)
            }
            Auth::Synchronise | Auth::AlwaysSynchronise => {
                if self.auth == Auth::Synchronise {
                    self.auth = Auth::Right;
                }
                let auts = self.usim.auts(&rand, &Sqn::try_from(4096).unwrap());
                let failure = NasAuthenticationFailure::new(NasFGmmCause::from_cause(GmmCause::SynchFailure))
                    .with_authentication_failure_parameter(NasAuthenticationFailureParameter::from_auts(
                        *auts.as_octets(),
                    ));
                Nas5gsMessage::new_5gmm(failure)
            }
        };
        answer.encode().unwrap()
    }

    /// The key that the gNB must have been given.
    pub fn k_gnb(&self) -> [u8; 32] {
        *derive_kgnb(self.k_amf.as_ref().unwrap(), self.count.unwrap()).as_octets()
    }
}

/// The home network's side of a challenge.
pub fn challenge(
    usim: &Milenage,
    sqn: u64,
    rand: [u8; 16],
) -> (oxirush_security::milenage::AuthenticationVector, Rand) {
    let rand = Rand::new(&rand);
    (usim.authentication_vector(&rand, &Sqn::try_from(sqn).unwrap(), &Amf::new(&[0x80, 0])), rand)
}
