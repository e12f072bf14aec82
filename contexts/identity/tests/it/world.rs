//! An installation with two administrators, and people with SIMs and devices.

use pakawaaz_aka::{
    Algorithm, Autn, Iccid, Imsi, Rand, Site, SoftwareSim, SoftwareUsim, TuakIterations, TuakResLength, TuakSettings,
    Usim, UsimResponse,
};
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, Bytes, DeviceId, Millis, OfficialId, Role, SessionId, VoucherId};
use pakawaaz_contract::admin::{ApproveRequest, Proposal, ProposalKind, ProposalRequest};
use pakawaaz_contract::facts::OfficialCreated;
use pakawaaz_contract::identity::*;
use pakawaaz_http::{Authenticator, CloseReason, RequestHead};
use pakawaaz_identity::{
    Error, Identity, Installation, LoginConnection, Settings, SocketCloser, SoftwareVault, Vaults,
};
use pakawaaz_login::channel::Seen;
use pakawaaz_login::enrol::{EnrolKey, EnrolTranscript};
use pakawaaz_login::transcript::Transcript;
use pakawaaz_login::{
    Answer, Challenge, KsfParams, LoginClient, LoginParams, Registration, StartRequest, StartResponse, dpop,
};
use pakawaaz_storage::Db;
use pakawaaz_trust::enrol::{sign_start, start_payload};
use pakawaaz_trust::x509::create_csr;
use pakawaaz_trust::{
    CrossSignature, DeviceBinding, DeviceSigner, Grant, GrantKind, Revocation, RoleChange, SignLabel, Signed,
    SigningKey, Statement, Subject, Voucher, VoucherKey, mls_certificate,
};
use rand::RngCore;
use rand::rngs::OsRng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

pub const REALM: &str = "pakawaaz.test";
pub const AUTHORITY: &str = "127.0.0.1:8080";
pub const NOW: Millis = Millis(1_790_000_000_000);
pub const PASSWORD: &[u8] = b"a good password";

/// Remembers which sockets were closed.
#[derive(Default)]
pub struct Closed(pub Mutex<Vec<(DeviceId, CloseReason)>>, pub Notify);
impl SocketCloser for Closed {
    fn close(&self, device: DeviceId, reason: CloseReason) {
        self.0.lock().unwrap().push((device, reason));
        self.1.notify_one();
    }
}

pub struct World {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub closed: Arc<Closed>,
    pub identity: Identity,
    pub installation: Installation,
}

/// One node over `db`.
pub fn node(db: &Db, clock: &Arc<ManualClock>, closed: &Arc<Closed>, installation: &Installation) -> Identity {
    let vault = Arc::new(SoftwareVault::new(&installation.secrets).unwrap());
    node_with(db, clock, closed, installation, vault)
}

/// The same with these vaults.
pub fn node_with(
    db: &Db,
    clock: &Arc<ManualClock>,
    closed: &Arc<Closed>,
    installation: &Installation,
    vaults: impl Into<Vaults>,
) -> Identity {
    node_at(db, clock, closed, installation, vaults, 0)
}

/// The same at the site of this number.
pub fn node_at(
    db: &Db,
    clock: &Arc<ManualClock>,
    closed: &Arc<Closed>,
    installation: &Installation,
    vaults: impl Into<Vaults>,
    site: u8,
) -> Identity {
    let settings = Settings {
        installation: installation.secrets.public(),
        authorities: vec![AUTHORITY.into()],
        demo: false,
        allow_loopback: true,
        site: Site::new(site).unwrap(),
        tuak: TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits64 },
        session_lasts: Duration::from_secs(12 * 3600),
    };
    Identity::new(db.clone(), vaults, clock.clone(), closed.clone(), settings).unwrap()
}

/// The card number `n`.
pub fn card(n: u32) -> SoftwareSim {
    let algorithm = if n % 2 == 1 {
        Algorithm::milenage_from_hex(&format!("{n:032x}"), &format!("{:032x}", n + 7)).unwrap()
    } else {
        let settings = TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits64 };
        Algorithm::tuak_from_hex(&format!("{n:064x}"), &format!("{:064x}", n + 7), settings).unwrap()
    };
    SoftwareSim {
        imsi: Imsi::new(format!("41001{n:010}")).unwrap(),
        iccid: Iccid::with_check_digit(&format!("8992410{n:011}")).unwrap(),
        algorithm,
    }
}

/// The same card as a line of a batch.
pub fn csv_line(n: u32) -> String {
    let sim = card(n);
    let (k, op) = match n % 2 {
        1 => (format!("{n:032x}"), format!("{:032x}", n + 7)),
        _ => (format!("{n:064x}"), format!("{:064x}", n + 7)),
    };
    format!("{},{},{},{k},{op}\n", sim.iccid.as_str(), sim.imsi.as_str(), sim.algorithm.name())
}

pub fn csv(cards: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut text = String::from("iccid,imsi,algorithm,k,opc_or_topc\n");
    cards.into_iter().for_each(|n| text.push_str(&csv_line(n)));
    text.into_bytes()
}

impl World {
    /// Installed, with cards 1 to 9, nobody enrolled.
    pub async fn new(db: Db) -> Self {
        let administrators = [
            (OfficialId::from_bytes([0xA1; 16]), "first.admin".to_owned()),
            (OfficialId::from_bytes([0xA2; 16]), "second.admin".to_owned()),
        ];
        let installation =
            Installation::create(&mut OsRng, NOW, REALM, "http://127.0.0.1:8080", &administrators).unwrap();
        let (clock, closed) = (Arc::new(ManualClock::at(NOW)), Arc::new(Closed::default()));
        let identity = node(&db, &clock, &closed, &installation);
        identity.bootstrap(&installation.administrators).await.unwrap();
        identity.install_sims(&csv(1..10)).await.unwrap();
        identity.follow_revocations().await.unwrap();
        Self { db, clock, closed, identity, installation }
    }

    /// With both administrators enrolled and logged in.
    pub async fn with_administrators(db: Db) -> (Self, Person, Person) {
        let world = Self::new(db).await;
        let [v1, v2] = [0, 1].map(|n| world.installation.vouchers[n].clone());
        let mut first = world.enrol(&v1, 1, Some(PASSWORD)).await.unwrap();
        let mut second = world.enrol(&v2, 2, Some(PASSWORD)).await.unwrap();
        world.login(&mut first, PASSWORD).await.unwrap();
        world.login(&mut second, PASSWORD).await.unwrap();
        (world, first, second)
    }

    pub fn now(&self) -> Millis {
        self.identity.now()
    }

    /// Time passes and the watch runs.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.identity.follow_revocations().await.unwrap();
    }

    /// The directory says that somebody exists.
    pub async fn official(&self, n: u8, username: &str) -> OfficialId {
        let official = OfficialId::from_bytes([n; 16]);
        let mut tx = self.db.begin().await.unwrap();
        let fact = OfficialCreated { official, username: username.into(), at: self.now() };
        self.identity.official_created(&mut tx, &fact).await.unwrap();
        tx.commit().await.unwrap();
        official
    }

    /// An unsigned grant and its voucher.
    pub fn grant(&self, official: OfficialId, kind: GrantKind) -> (Statement, Voucher) {
        let seed = VoucherKey::new_seed(&mut OsRng);
        let id = VoucherId::new(self.now(), &mut OsRng);
        let not_after = self.now().plus(Duration::from_secs(24 * 3600));
        let grant = Grant {
            realm: REALM.into(),
            voucher: id,
            voucher_key: VoucherKey::from_seed(&seed).public_key(),
            official,
            kind,
            administrator: false,
            issued_at: self.now(),
            not_after,
        };
        let ca_pin = self.installation.secrets.public().ca_pin;
        let (url, realm) = ("http://127.0.0.1:8080".to_owned(), REALM.to_owned());
        (Statement::Grant(grant), Voucher { url, realm, ca_pin, voucher: id, kind, seed: *seed, not_after })
    }

    pub async fn propose(&self, by: &Person, kind: ProposalKind, statements: &[Statement]) -> Result<Proposal, Error> {
        let statements = statements.iter().map(|s| by.signed(s)).collect();
        self.identity.propose(&by.actor(), &ProposalRequest { kind, statements }).await
    }

    pub async fn approve(&self, by: &Person, proposal: &Proposal) -> Result<Proposal, Error> {
        let sign = |bytes: &Bytes| {
            let signed = Signed::from_bytes(bytes).unwrap();
            Bytes::from(by.key.sign(SignLabel::Statement, &signed.payload))
        };
        let request = ApproveRequest { signatures: proposal.statements.iter().map(sign).collect() };
        self.identity.approve(&by.actor(), proposal.proposal, &request).await
    }

    /// A voucher under dual control.
    pub async fn voucher(&self, admins: (&Person, &Person), official: OfficialId, kind: GrantKind) -> Voucher {
        let (statement, voucher) = self.grant(official, kind);
        let proposal = self.propose(admins.0, ProposalKind::Grants, &[statement]).await.unwrap();
        self.approve(admins.1, &proposal).await.unwrap();
        voucher
    }

    /// Somebody new, enrolled with card `n` and logged in.
    pub async fn person(&self, admins: (&Person, &Person), n: u8, username: &str) -> Person {
        let official = self.official(n, username).await;
        let voucher = self.voucher(admins, official, GrantKind::First).await;
        let mut person = self.enrol(&voucher, u32::from(n), Some(PASSWORD)).await.unwrap();
        self.login(&mut person, PASSWORD).await.unwrap();
        person
    }

    pub async fn enrol(&self, voucher: &Voucher, sim: u32, password: Option<&[u8]>) -> Result<Person, Error> {
        let mut usim = SoftwareUsim::new(card(sim));
        self.enrol_with(voucher, &mut usim, password).await
    }

    /// Start and finish, with the real client side.
    pub async fn enrol_with(
        &self,
        voucher: &Voucher,
        usim: &mut SoftwareUsim,
        password: Option<&[u8]>,
    ) -> Result<Person, Error> {
        let started = self.enrol_start(voucher, usim, password).await?;
        self.enrol_finish(started, usim).await
    }

    pub async fn enrol_start(
        &self,
        voucher: &Voucher,
        usim: &mut SoftwareUsim,
        password: Option<&[u8]>,
    ) -> Result<Enrolling, Error> {
        let key = SigningKey::generate(&mut OsRng);
        let registration = password.map(|p| Registration::start(p, &mut OsRng).unwrap());
        let mut nonce = [0u8; 32];
        OsRng.fill_bytes(&mut nonce);
        let imsi = usim.imsi().unwrap().as_str().to_owned();
        let message = registration.as_ref().map(|(_, message)| message.clone());
        let payload = start_payload(REALM, voucher.voucher, &key.public_key(), &nonce, message.as_deref(), &imsi);
        let request = EnrolStartRequest {
            voucher: voucher.voucher,
            device_key: key.public_key().into(),
            nonce: nonce.into(),
            registration_request: message.map(Bytes),
            imsi,
            voucher_signature: sign_start(&voucher.key(), &payload).into(),
        };
        let answer = self.identity.enrol_start(&request).await?;
        Ok(Enrolling {
            voucher: voucher.clone(),
            registration: registration.map(|(state, _)| state),
            key,
            request,
            answer,
        })
    }

    pub async fn enrol_finish(&self, e: Enrolling, usim: &mut SoftwareUsim) -> Result<Person, Error> {
        let (key, realm, device) = (e.key.clone(), REALM, e.answer.device);
        let upload = e.registration.map(|state| {
            let response = e.answer.registration_response.as_ref().unwrap();
            state.finish(response, &e.answer.username, realm, KsfParams::CHEAP, &mut OsRng).unwrap()
        });
        let mls = ed25519_public(&[7; 32]);
        let grant = Signed::from_bytes(&e.answer.grant).unwrap();
        let mut binding = Signed::new(&Statement::DeviceBinding(DeviceBinding {
            realm: realm.into(),
            grant: grant.payload_hash(),
            official: e.answer.official,
            device,
            device_key: key.public_key(),
            channel: pakawaaz_trust::ChannelMode::Loopback,
            bound_at: self.now(),
        }))
        .unwrap();
        binding.sign_voucher(&e.voucher.key()).unwrap();
        binding.sign_device(device, &key).unwrap();
        let mut finish = EnrolFinishRequest {
            enrolment: e.answer.enrolment,
            state: e.answer.state.clone(),
            csr: create_csr(&key, realm, device).unwrap().into(),
            mls_key: mls.into(),
            mls_key_signature: mls_certificate::sign_key(&key, realm, device, &mls).into(),
            registration_upload: upload.map(Bytes),
            sim_proof: Bytes::default(),
            auts: None,
            binding: binding.to_bytes().unwrap().into(),
            channel: ChannelMode::Loopback,
            evidence: Bytes::default(),
            assurance: Assurance::Tee,
            label: "a device".into(),
        };
        let (mut rand, mut autn): ([u8; 16], [u8; 16]) =
            (e.answer.rand.array().unwrap(), e.answer.autn.array().unwrap());
        loop {
            match usim.authenticate(&Rand(rand), &Autn::from_bytes(autn)).unwrap() {
                UsimResponse::Success { ck, ik, .. } => {
                    let sim_key = EnrolKey::from_sim(realm, device, &ck, &ik, &Autn::from_bytes(autn)).unwrap();
                    let transcript = EnrolTranscript {
                        realm,
                        voucher: e.voucher.voucher,
                        enrolment: e.answer.enrolment,
                        official: e.answer.official,
                        username: &e.answer.username,
                        device,
                        device_key: &e.request.device_key,
                        client_nonce: &e.request.nonce,
                        server_nonce: &e.answer.nonce,
                        registration_request: e.request.registration_request.as_deref(),
                        registration_response: e.answer.registration_response.as_deref(),
                        registration_upload: finish.registration_upload.as_deref(),
                        imsi: &e.request.imsi,
                        rand: &rand,
                        autn: &autn,
                        grant: &e.answer.grant,
                        csr: &finish.csr,
                        mls_key: &finish.mls_key,
                        mls_key_signature: &finish.mls_key_signature,
                        binding: &finish.binding,
                        channel: pakawaaz_trust::ChannelMode::Loopback,
                        evidence: &finish.evidence,
                        assurance: finish.assurance,
                        label: &finish.label,
                    };
                    finish.sim_proof = sim_key.proof(&transcript.hash()).into();
                    finish.auts = None;
                }
                UsimResponse::SyncFailure { auts } => finish.auts = Some(auts.to_bytes().into()),
            }
            match self.identity.enrol_finish(&finish).await? {
                EnrolFinishResponse::Enrolled { status, mls_certificate, .. } => {
                    assert_eq!(mls_certificate.is_some(), status == DeviceStatus::Active);
                    return Ok(Person {
                        official: e.answer.official,
                        username: e.answer.username,
                        device,
                        status,
                        key,
                        usim: usim.clone(),
                        token_key: SigningKey::generate(&mut OsRng),
                        tokens: None,
                        roles: Vec::new(),
                        finish,
                    });
                }
                EnrolFinishResponse::Challenge { rand: r, autn: a, state } => {
                    (rand, autn) = (r.array().unwrap(), a.array().unwrap());
                    finish.state = state;
                }
            }
        }
    }

    /// The three rounds with the client's state machine; the actor is what the authenticator says.
    pub async fn login(&self, person: &mut Person, password: &[u8]) -> Result<(), Error> {
        let tokens = self.login_tokens(person, password).await?;
        person.tokens = Some(tokens);
        let actor = self.authenticate(person).await.unwrap();
        assert_eq!((actor.official, actor.device), (person.official, person.device));
        person.roles = actor.roles;
        Ok(())
    }

    pub async fn login_tokens(&self, person: &mut Person, password: &[u8]) -> Result<Tokens, Error> {
        person.token_key = SigningKey::generate(&mut OsRng);
        let (client, start, request) = person.login_begin(password);
        let answer = self.identity.login_start(&request).await?;
        let response = StartResponse {
            login: answer.login,
            state: answer.state.to_vec(),
            ke2: answer.ke2.to_vec(),
            nonce: answer.nonce.array().unwrap(),
        };
        // A right client notices a wrong password itself; this one asks the server all the same.
        let (client, sent) = match client.password(&response, &person.key, &mut OsRng) {
            Ok(both) => both,
            Err(_) => {
                let ke3 = vec![7u8; 64];
                let nonce = response.nonce;
                let at = Transcript::round1(REALM, &start, answer.login, &response.ke2, &nonce);
                let signature = person.key.sign(SignLabel::LoginRound2, &at.round2_signed(&ke3));
                let request = LoginPasswordRequest {
                    login: answer.login,
                    state: answer.state,
                    ke3: ke3.into(),
                    signature: signature.into(),
                };
                return Err(self.identity.login_password(&request).await.expect_err("a wrong KE3"));
            }
        };
        let request = LoginPasswordRequest {
            login: answer.login,
            state: answer.state,
            ke3: sent.ke3.into(),
            signature: sent.signature.into(),
        };
        let mut challenge = self.identity.login_password(&request).await?;
        let mut sent = client;
        loop {
            let challenged = sent
                .challenge(&Challenge {
                    rand: challenge.rand.array().unwrap(),
                    autn: challenge.autn.array().unwrap(),
                    network_name: challenge.network_name.clone(),
                    state: challenge.state.to_vec(),
                })
                .unwrap();
            let said = person.usim.authenticate(challenged.rand(), challenged.autn()).unwrap();
            let (answer, finish) = match challenged.answer(said, &self.binding()).unwrap() {
                Answer::Proof(finish, sent) => {
                    let (proof, confirmation) = (sent.proof.into(), sent.confirmation.into());
                    (SimAnswer::Proof { proof, confirmation }, Ok(finish))
                }
                Answer::Resync(again, auts) => (SimAnswer::Resync { auts: auts.into() }, Err(again)),
            };
            let request = LoginSimRequest { login: request.login, state: challenge.state.clone(), answer };
            match (self.identity.login_sim(&request, &connection()).await?, finish) {
                (LoginSimResponse::Done { confirmation, tokens, .. }, Ok(finish)) => {
                    finish.finish(&confirmation).expect("the server proved itself");
                    return Ok(tokens);
                }
                (LoginSimResponse::Challenge(next), Err(again)) => (challenge, sent) = (next, again),
                _ => panic!("an answer to something else"),
            }
        }
    }

    pub fn binding(&self) -> Vec<u8> {
        let pin = self.installation.secrets.public().issuing_pin(self.now()).unwrap();
        let origin = format!("http://{AUTHORITY}");
        Seen::Loopback(&origin, &pin).binding(pakawaaz_trust::ChannelMode::Loopback).unwrap()
    }

    /// What `GET /v1/me` with these tokens would be let through as.
    pub async fn authenticate(&self, person: &Person) -> Result<Actor, String> {
        self.identity.authenticate(person.head(self.now())).await.map_err(|problem| problem.code.into_owned())
    }

    /// Ids of all audit actions so far.
    pub async fn audited(&self) -> Vec<String> {
        let records = pakawaaz_audit::list(&self.db, 0, 10_000).await.unwrap();
        records.into_iter().map(|r| r.action).collect()
    }

    /// Kinds of all facts so far.
    pub async fn facts(&self) -> Vec<String> {
        let mut read = self.db.read().await.unwrap();
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT kind FROM outbox ORDER BY id").fetch_all(read.conn()).await.unwrap();
        rows.into_iter().map(|(kind,)| kind).collect()
    }

    /// One number from the database.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let mut read = self.db.read().await.unwrap();
        let (n,): (i64,) = sqlx::query_as(sql).fetch_one(read.conn()).await.unwrap();
        n
    }
}

pub fn connection() -> LoginConnection {
    LoginConnection { authority: Some(AUTHORITY.into()), loopback: true, ..LoginConnection::default() }
}

/// The public half of an Ed25519 seed.
pub fn ed25519_public(seed: &[u8; 32]) -> [u8; 32] {
    VoucherKey::from_seed(seed).public_key()
}

/// Between start and finish.
pub struct Enrolling {
    pub voucher: Voucher,
    pub registration: Option<Registration>,
    pub key: SigningKey,
    pub request: EnrolStartRequest,
    pub answer: EnrolStartResponse,
}

/// An official at an enrolled device.
pub struct Person {
    pub official: OfficialId,
    pub username: String,
    pub device: DeviceId,
    pub status: DeviceStatus,
    pub key: SigningKey,
    pub usim: SoftwareUsim,
    pub token_key: SigningKey,
    pub tokens: Option<Tokens>,
    pub roles: Vec<Role>,
    pub finish: EnrolFinishRequest,
}

impl Person {
    pub fn tokens(&self) -> &Tokens {
        self.tokens.as_ref().expect("logged in")
    }

    pub fn session(&self) -> SessionId {
        self.tokens().session
    }

    pub fn actor(&self) -> Actor {
        Actor {
            official: self.official,
            device: self.device,
            session: self.session(),
            roles: self.roles.clone(),
            assurance: Assurance::SoftwareNative,
        }
    }

    pub fn signed(&self, statement: &Statement) -> Bytes {
        let mut signed = Signed::new(statement).unwrap();
        signed.sign_device(self.device, &self.key).unwrap();
        signed.to_bytes().unwrap().into()
    }

    pub fn login_begin(&self, password: &[u8]) -> (LoginClient, StartRequest, LoginStartRequest) {
        let params = LoginParams {
            realm: REALM.into(),
            username: self.username.clone(),
            device: self.device,
            channel: pakawaaz_trust::ChannelMode::Loopback,
            token_key: self.token_key.public_key(),
            ksf: KsfParams::CHEAP,
        };
        let (client, start) = LoginClient::start(params, password, &self.key, &mut OsRng).unwrap();
        let request = LoginStartRequest {
            version: start.version,
            username: start.username.clone(),
            device: start.device,
            ke1: start.ke1.clone().into(),
            token_key: start.token_key.into(),
            nonce: start.nonce.into(),
            channel: ChannelMode::Loopback,
            signature: start.signature.into(),
        };
        (client, start, request)
    }

    pub fn proof(&self, htm: &str, url: &str, now: Millis, nonce: Option<&str>, with_token: bool) -> String {
        let access_token = with_token.then(|| self.tokens().access_token.as_str());
        let request = dpop::Request { htm, htu: url, access_token, nonce };
        dpop::create(&self.token_key, &request, now, &mut OsRng).unwrap()
    }

    pub fn head(&self, now: Millis) -> RequestHead {
        let uri = format!("http://{AUTHORITY}/v1/me");
        RequestHead {
            method: "GET".parse().unwrap(),
            authorization: Some(format!("DPoP {}", self.tokens().access_token)),
            dpop: Some(self.proof("GET", &uri, now, None, true)),
            uri,
            now,
        }
    }

    pub fn revocation(&self, subject: Subject, at: Millis) -> Statement {
        let mut id = [0u8; 16];
        OsRng.fill_bytes(&mut id);
        Statement::Revocation(Revocation { realm: REALM.into(), id, subject, at, reason: 2 })
    }

    pub fn role_change(&self, official: OfficialId, role: Role, granted: bool, at: Millis) -> Statement {
        let mut id = [0u8; 16];
        OsRng.fill_bytes(&mut id);
        Statement::RoleChange(RoleChange { realm: REALM.into(), id, official, role, granted, at })
    }

    pub fn cross_signature(&self, other: &Person, at: Millis) -> CrossSignRequest {
        let statement = Statement::CrossSignature(CrossSignature {
            realm: REALM.into(),
            official: other.official,
            device: other.device,
            device_key: other.key.public_key(),
            by: self.device,
            at,
        });
        CrossSignRequest { statement: self.signed(&statement) }
    }
}
