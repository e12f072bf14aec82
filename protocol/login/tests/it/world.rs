//! An installation with one enrolled official.

use pakawaaz_aka::{
    Algorithm, Amf, AuthVector, Iccid, Imsi, Ind, Purpose, Rand, Site, SoftwareSim, SoftwareUsim, SqnState, Usim,
    generate_vector, next_sqn, resynchronise,
};
use pakawaaz_base::{DeviceId, LoginId, Millis, OfficialId};
use pakawaaz_login::client::{Answer, Challenged, ProofSent};
use pakawaaz_login::server::Verified;
use pakawaaz_login::*;
use pakawaaz_trust::{ChannelMode, DeviceSigner as _, SigningKey};
use rand::rngs::OsRng;

pub const REALM: &str = "pakawaaz.example";
pub const NOW: Millis = Millis(1_760_000_000_000);
pub const PASSWORD: &[u8] = b"correct horse";
pub const BINDING: &[u8] = b"what both see of the connection";

pub struct World {
    pub opaque: OpaqueServer,
    pub seal: SealKey,
    pub account: Account,
    pub official: OfficialId,
    pub device: DeviceId,
    pub device_key: SigningKey,
    pub token_key: SigningKey,
    pub sim: Algorithm,
    pub sqn: SqnState,
    pub usim: SoftwareUsim,
}

fn algorithm(k: u8) -> Algorithm {
    Algorithm::milenage_from_hex(&format!("{k:02x}").repeat(16), &"17".repeat(16)).expect("valid")
}

pub fn usim(k: u8) -> SoftwareUsim {
    SoftwareUsim::new(SoftwareSim {
        imsi: Imsi::new("001010123456789").expect("valid"),
        iccid: Iccid::with_check_digit("899241000000000001").expect("valid"),
        algorithm: algorithm(k),
    })
}

impl World {
    pub fn new() -> Self {
        let opaque = OpaqueServer::generate(&mut OsRng);
        let (registration, request) = Registration::start(PASSWORD, &mut OsRng).expect("starts");
        let response = opaque.register(&request, "ayesha").expect("answers");
        let upload = registration.finish(&response, "ayesha", REALM, KsfParams::CHEAP, &mut OsRng).expect("ends");
        let device_key = SigningKey::generate(&mut OsRng);
        let official = OfficialId::new(NOW, &mut OsRng);
        Self {
            account: Account {
                official: Some(official),
                password_file: Some(OpaqueServer::password_file(&upload).expect("a file")),
                device: Some((device_key.public_key(), ChannelMode::TlsExporter)),
            },
            opaque,
            seal: SealKey::generate(&mut OsRng),
            official,
            device: DeviceId::new(NOW, &mut OsRng),
            device_key,
            token_key: SigningKey::generate(&mut OsRng),
            sim: algorithm(0x42),
            sqn: SqnState::provisioned(NOW),
            usim: usim(0x42),
        }
    }

    pub fn server(&self) -> LoginServer<'_> {
        LoginServer { realm: REALM, opaque: &self.opaque, seal: &self.seal }
    }

    pub fn params(&self) -> LoginParams {
        LoginParams {
            realm: REALM.into(),
            username: "ayesha".into(),
            device: self.device,
            channel: ChannelMode::TlsExporter,
            token_key: self.token_key.public_key(),
            ksf: KsfParams::CHEAP,
        }
    }

    pub fn begin(&self, password: &[u8]) -> (LoginClient, StartRequest) {
        LoginClient::start(self.params(), password, &self.device_key, &mut OsRng).expect("starts")
    }

    pub fn start(&self, request: &StartRequest) -> Result<StartResponse, LoginError> {
        self.server().start(request, &self.account, LoginId::new(NOW, &mut OsRng), NOW, &mut OsRng)
    }

    /// A vector with a fresh sequence number.
    pub fn vector(&mut self) -> AuthVector {
        let ind = Ind::allocate(Purpose::Login, Site::new(0).expect("a site"));
        let (state, sqn) = next_sqn(self.sqn, NOW, ind).expect("not exhausted");
        self.sqn = state;
        generate_vector(&self.sim, Rand::random(&mut OsRng), sqn, Amf::EAP_AKA_PRIME)
    }

    pub fn challenge(&mut self, verified: Verified) -> Challenge {
        let (network, identity) = eap_inputs(REALM, verified.device).expect("a realm");
        let vector = self.vector().into_eap(&network, &identity).expect("separated");
        verified.challenge(&self.server(), &vector, &mut OsRng).expect("a challenge")
    }

    /// Rounds 1 and 2, up to the challenge on its way to the SIM.
    pub fn reach_challenge(&mut self) -> (Challenged, Challenge, LoginId) {
        let (client, request) = self.begin(PASSWORD);
        let response = self.start(&request).expect("round 1");
        let (client, request) = client.password(&response, &self.device_key, &mut OsRng).expect("right password");
        let verified =
            expect_verified(self.server().password(response.login, &response.state, &request, NOW).expect("round 2"));
        assert_eq!((verified.official, verified.device), (self.official, self.device));
        let challenge = self.challenge(*verified);
        (client.challenge(&challenge).expect("our realm"), challenge, response.login)
    }

    pub fn ask(&mut self, challenged: Challenged) -> Answer {
        let said = self.usim.authenticate(challenged.rand(), challenged.autn()).expect("genuine");
        challenged.answer(said, BINDING).expect("an answer")
    }

    /// What the identity context does with an AUTS.
    pub fn resync(&mut self, login: LoginId, state: &[u8], auts: &[u8; 14]) -> Result<Challenge, LoginError> {
        let state = self.server().sim(login, state, NOW)?;
        let auts_parsed = pakawaaz_aka::Auts::from_bytes(*auts);
        let sqn = resynchronise(&self.sim, &state.rand(), &auts_parsed).map_err(|_| LoginError::SimRejected)?;
        self.sqn = self.sqn.resynchronised(NOW, sqn);
        let verified = state.resync(auts)?;
        Ok(self.challenge(verified))
    }
}

pub fn expect_verified(outcome: PasswordOutcome) -> Box<Verified> {
    match outcome {
        PasswordOutcome::Verified(verified) => verified,
        other => panic!("expected to be verified, got {other:?}"),
    }
}

pub fn expect_proof(answer: Answer) -> (ProofSent, SimProof) {
    match answer {
        Answer::Proof(sent, proof) => (sent, proof),
        Answer::Resync(..) => panic!("expected a proof"),
    }
}
