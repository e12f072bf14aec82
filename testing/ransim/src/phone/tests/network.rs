//! The network's side, as simple as it can be: every message is made and read with the codecs alone.

use crate::phone::eap;
use oxirush_nas::nas_5gs::*;
use oxirush_security::nas_5gs::{
    HomeNetworkPrivateKey, KAusf, ResStar, Supi, compute_xres_star, derive_kamf, derive_kausf, derive_kgnb,
    derive_kseaf,
};
use oxirush_security::{Ck, Ik, Plmn};
use pakawaaz_aka::{
    Algorithm, Amf, AuthVector, EapIdentity, Ind, NetworkName, Rand, Sqn, TuakIterations, TuakResLength, TuakSettings,
    generate_vector, resynchronise,
};

pub(crate) const IMSI: &str = "410010123456789";
const SN: &str = "5G:mnc001.mcc410.3gppnetwork.org";

pub(crate) fn milenage() -> Algorithm {
    Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf").expect("hex")
}

pub(crate) fn tuak() -> Algorithm {
    let settings = TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits64 };
    Algorithm::tuak_from_hex(&"ab".repeat(32), &"c0".repeat(32), settings).expect("hex")
}

pub(crate) struct Network {
    pub(crate) algorithm: Algorithm,
    pub(crate) home_key: HomeNetworkPrivateKey,
    pub(crate) seq: u64,
    pub(crate) ksi: u8,
    pub(crate) amf: Amf,
    pub(crate) vector: Option<AuthVector>,
    pub(crate) k_amf: Option<KAmf>,
    pub(crate) context: Option<NasSecurityContext>,
    pub(crate) capability: Option<NasUeSecurityCapability>,
    pub(crate) registration: Option<NasRegistrationRequest>,
    pub(crate) k_gnb: Option<[u8; 32]>,
    pub(crate) tmsi: u32,
}

pub(crate) fn gmm(bytes: &[u8]) -> Nas5gmmMessage {
    match Nas5gsMessage::decode(bytes).expect("a NAS message") {
        Nas5gsMessage::Gmm(_, message) => message,
        other => panic!("{other}"),
    }
}

impl Network {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            home_key: HomeNetworkPrivateKey::profile_a(&[0x42; 32]),
            seq: 10,
            ksi: 0,
            amf: Amf::EAP_AKA_PRIME,
            vector: None,
            k_amf: None,
            context: None,
            capability: None,
            registration: None,
            k_gnb: None,
            tmsi: 0x1122_3344,
        }
    }

    /// Reads an initial registration in the clear, and whose it is.
    pub(crate) fn hears_registration(&mut self, bytes: &[u8]) {
        let message = Nas5gsMessage::decode(bytes).expect("a NAS message");
        let request = match message {
            Nas5gsMessage::Gmm(_, Nas5gmmMessage::RegistrationRequest(request)) => *request,
            Nas5gsMessage::SecurityProtected(_, inner) => match *inner {
                Nas5gsMessage::Gmm(_, Nas5gmmMessage::RegistrationRequest(request)) => *request,
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        };
        if request.fgs_mobile_identity.identity_type() == Some(MobileIdentityType::Suci) {
            assert_eq!(self.opens(&request.fgs_mobile_identity), IMSI);
        }
        self.capability = request.ue_security_capability.clone();
        self.registration = Some(request);
    }

    pub(crate) fn opens(&self, identity: &NasFGsMobileIdentity) -> String {
        let suci = oxirush_security::nas_5gs::Suci::from_nas_octets(&identity.value).expect("a SUCI");
        assert!(!suci.protection_scheme().is_null());
        suci.deconceal(Some(&self.home_key)).expect("opens").identity().to_owned()
    }

    pub(crate) fn fresh_vector(&mut self) -> AuthVector {
        self.seq += 1;
        let sqn = Sqn::new(self.seq, Ind::new(16).expect("below 32")).expect("below 2^43");
        let vector = generate_vector(&self.algorithm, Rand([self.seq as u8; 16]), sqn, self.amf);
        self.vector = Some(vector.clone());
        vector
    }

    pub(crate) fn ksi_ie(&self) -> NasKeySetIdentifier {
        NasKeySetIdentifier::from_key_set_identifier(KeySetIdentifier::Native(self.ksi)).expect("0 to 6")
    }

    pub(crate) fn challenge(&mut self) -> Vec<u8> {
        self.ksi = (self.ksi + 1) % 7;
        let vector = self.fresh_vector();
        self.challenge_of(&vector)
    }

    pub(crate) fn challenge_of(&self, vector: &AuthVector) -> Vec<u8> {
        let request = NasAuthenticationRequest::new(self.ksi_ie(), NasAbba::new(vec![0, 0]))
            .with_authentication_parameter_rand(NasAuthenticationParameterRand::from_rand(vector.rand.0))
            .with_authentication_parameter_autn(NasAuthenticationParameterAutn::from_autn(vector.autn.to_bytes()));
        Nas5gsMessage::new_5gmm(request).encode().expect("encodes")
    }

    pub(crate) fn hears_response(&mut self, bytes: &[u8]) {
        let Nas5gmmMessage::AuthenticationResponse(response) = gmm(bytes) else { panic!("no response") };
        let vector = self.vector.clone().expect("a vector");
        let (ck, ik) = (Ck::new(vector.ck.as_bytes()), Ik::new(vector.ik.as_bytes()));
        let rand = oxirush_security::Rand::new(&vector.rand.0);
        let expected = compute_xres_star(&ck, &ik, SN.as_bytes(), &rand, vector.xres.as_bytes()).expect("derives");
        let parameter = response.authentication_response_parameter.expect("RES*");
        assert!(expected.accepts(&ResStar::new(parameter.res_star().expect("16 octets"))));
        let autn = oxirush_security::Autn::new(&vector.autn.to_bytes());
        let k_ausf = derive_kausf(&ck, &ik, SN.as_bytes(), &autn).expect("derives");
        self.take_keys(&k_ausf);
    }

    fn take_keys(&mut self, k_ausf: &KAusf) {
        let k_seaf = derive_kseaf(k_ausf, SN.as_bytes()).expect("derives");
        self.k_amf = Some(derive_kamf(&k_seaf, &Supi::imsi(IMSI).expect("digits"), &[0, 0]).expect("derives"));
    }

    pub(crate) fn eap_challenge(&mut self, network: &str) -> Vec<u8> {
        self.eap_challenge_for(network, IMSI)
    }

    /// With keys that are derived for an identity.
    pub(crate) fn eap_challenge_for(&mut self, network: &str, identity: &str) -> Vec<u8> {
        self.ksi = (self.ksi + 1) % 7;
        let vector = self.fresh_vector();
        let keys = vector
            .eap_aka_prime(&NetworkName::new(SN).expect("a name"), &EapIdentity::new(identity).expect("an identity"))
            .expect("separation bit");
        let packet = eap::challenge(5, &vector.rand.0, &vector.autn.to_bytes(), network, keys.k_aut.as_bytes());
        let request = NasAuthenticationRequest::new(self.ksi_ie(), NasAbba::new(vec![0, 0]))
            .with_eap_message(NasEapMessage::new(packet));
        Nas5gsMessage::new_5gmm(request).encode().expect("encodes")
    }

    pub(crate) fn hears_eap_response(&mut self, bytes: &[u8]) {
        let Nas5gmmMessage::AuthenticationResponse(response) = gmm(bytes) else { panic!("no response") };
        let vector = self.vector.clone().expect("a vector");
        let keys = vector
            .eap_aka_prime(&NetworkName::new(SN).expect("a name"), &EapIdentity::new(IMSI).expect("an identity"))
            .expect("separation bit");
        let message = response.eap_message.expect("an EAP message");
        let packet = eap::Packet::parse(&message.value).expect("EAP-AKA'");
        assert!(packet.mac_is_right(keys.k_aut.as_bytes()));
        assert_eq!(packet.res().as_deref(), Some(vector.xres.as_bytes()));
        let k_ausf = KAusf::from_slice(&keys.emsk.as_bytes()[..32]).expect("32 octets");
        self.take_keys(&k_ausf);
    }

    pub(crate) fn command(&self, nea: CipheringAlgorithm, nia: IntegrityAlgorithm) -> NasSecurityModeCommand {
        let algorithms = NasSecurityAlgorithms::from_algorithms(nea, nia);
        NasSecurityModeCommand::new(algorithms, self.ksi_ie(), self.capability.clone().expect("capabilities"))
            .with_imeisv_request(NasImeisvRequest::new(1))
    }

    /// A security mode command for the keys of the last authentication.
    pub(crate) fn security_mode(&mut self) -> Vec<u8> {
        let (nea, nia) = (CipheringAlgorithm::NEA2, IntegrityAlgorithm::NIA2);
        let command = self.command(nea, nia);
        self.context =
            Some(NasSecurityContext::from_fresh_kamf(self.k_amf.as_ref().expect("keys"), nia, nea).expect("keys"));
        self.protect_command(command)
    }

    pub(crate) fn protect_command(&mut self, command: NasSecurityModeCommand) -> Vec<u8> {
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedWithNewFiveGNasSecurityContext;
        let context = self.context.as_mut().expect("a context");
        context.protect(&Nas5gsMessage::new_5gmm(command), header, Direction::Downlink).expect("protects")
    }

    pub(crate) fn hears_security_mode_complete(&mut self, bytes: &[u8]) {
        let verified = self.context.as_mut().expect("keys").unprotect(bytes, Direction::Uplink).expect("verifies");
        let Nas5gsMessage::Gmm(_, Nas5gmmMessage::SecurityModeComplete(complete)) = verified.message else {
            panic!("no security mode complete")
        };
        assert_eq!(complete.imeisv.expect("asked for").as_imeisv().expect("an IMEISV").as_str(), "3569380356438091");
        if let Some(container) = complete.nas_message_container {
            let Nas5gsMessage::Gmm(_, Nas5gmmMessage::RegistrationRequest(request)) =
                container.decode_as_nas_message().expect("a message")
            else {
                panic!("another message")
            };
            assert!(request.requested_nssai.is_some(), "the whole message is in it");
        }
        self.k_gnb = Some(*derive_kgnb(self.k_amf.as_ref().expect("keys"), verified.count).as_octets());
    }

    /// Protects with the keys in use.
    pub(crate) fn send(&mut self, message: impl Into<Nas5gmmMessage>) -> Vec<u8> {
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        let message = Nas5gsMessage::new_5gmm(message);
        self.context.as_mut().expect("keys").protect(&message, header, Direction::Downlink).expect("protects")
    }

    /// Reads with the keys in use; an initial message as the whole of it.
    pub(crate) fn hears(&mut self, bytes: &[u8]) -> Nas5gmmMessage {
        let verified = self.context.as_mut().expect("keys").unprotect(bytes, Direction::Uplink).expect("verifies");
        self.k_gnb = Some(*derive_kgnb(self.k_amf.as_ref().expect("keys"), verified.count).as_octets());
        match verified.message {
            Nas5gsMessage::Gmm(_, message) => message,
            other => panic!("{other}"),
        }
    }

    pub(crate) fn guti(&mut self) -> NasFGsMobileIdentity {
        self.tmsi += 1;
        let plmn = Plmn::new("410", "01").expect("digits");
        NasFGsMobileIdentity::from_guti(Guti::new(plmn, 1, 1, 0, self.tmsi).expect("in range"))
    }

    pub(crate) fn acceptance(&mut self) -> NasRegistrationAccept {
        let plmn = Plmn::new("410", "01").expect("digits");
        let result = NasFGsRegistrationResult::from_result(RegistrationResult::ThreeGppAccess);
        NasRegistrationAccept::new(result)
            .with_fg_guti(self.guti())
            .with_tai_list(NasFGsTrackingAreaIdentityList::from_plmn_tacs(&plmn, &[1, 2]).expect("in range"))
            .with_allowed_nssai(NasNssai::from_snssais(&[NasSNssai::from_sst_sd(1, None)]).expect("one"))
            .with_t3512_value(NasT3512Value::from_seconds(600).expect("in range"))
    }

    pub(crate) fn accept(&mut self) -> Vec<u8> {
        let accept = self.acceptance();
        self.send(accept)
    }

    /// Takes the card's counter over, as a home network does with AUTS.
    pub(crate) fn resynchronise(&mut self, auts: &[u8]) {
        let auts = pakawaaz_aka::Auts::from_slice(auts).expect("14 octets");
        let rand = self.vector.as_ref().expect("a vector").rand;
        self.seq = resynchronise(&self.algorithm, &rand, &auts).expect("MAC-S").seq();
    }
}
