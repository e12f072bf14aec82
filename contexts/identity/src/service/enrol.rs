//! Enrolling a device with a voucher.
//!
//! Start keeps nothing but a drawn sequence number; what finish needs travels sealed. Finish checks everything first
//! and then stores everything in one transaction that begins by using up the voucher.

use super::Identity;
use super::cut::{Cut, activated};
use super::login_start::trust_channel;
use super::login_writes::{Card, Draw};
use crate::error::{Error, Result};
use crate::model::account::Account;
use crate::model::device::Device;
use crate::model::enrolment::{Shape, kind_text, proven_assurance, shape, valid_label};
use crate::store::sessions::Which;
use crate::store::{accounts, devices, grants, sims};
use ciborium::{from_reader, into_writer};
use pakawaaz_aka::{Auts, Imsi, Ind, Purpose, Rand};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Bytes, DeviceId, EnrolmentId, Millis, SimId, VoucherId};
use pakawaaz_contract::facts::DevicePending;
use pakawaaz_contract::identity::{
    ChannelMode, DeviceStatus, EnrolFinishRequest, EnrolFinishResponse, EnrolStartRequest, EnrolStartResponse,
};
use pakawaaz_login::OpaqueServer;
use pakawaaz_login::enrol::{EnrolKey, EnrolTranscript};
use pakawaaz_storage::outbox;
use pakawaaz_trust::enrol::{start_payload, verify_start};
use pakawaaz_trust::keys::PublicKeyBytes;
use pakawaaz_trust::x509::{CLOCK_SKEW, DeviceCertificate, verify_csr};
use pakawaaz_trust::{Grant, Signed, Statement, check_public_key, mls_certificate, verify_binding};
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SEAL: &str = "enrolment";
/// Largest attestation evidence in bytes.
const MAX_EVIDENCE: usize = 16 * 1024;

/// What start sealed for finish.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct State {
    #[zeroize(skip)]
    voucher: VoucherId,
    #[zeroize(skip)]
    device: DeviceId,
    #[zeroize(skip)]
    sim: SimId,
    imsi: String,
    #[serde(with = "serde_bytes")]
    device_key: Vec<u8>,
    #[serde(with = "serde_bytes")]
    client_nonce: Vec<u8>,
    #[serde(with = "serde_bytes")]
    server_nonce: Vec<u8>,
    #[zeroize(skip)]
    registration_request: Option<Bytes>,
    #[zeroize(skip)]
    registration_response: Option<Bytes>,
    rand: [u8; 16],
    autn: [u8; 16],
    k_aut: [u8; 32],
    resynced: bool,
}

/// A stored voucher and for whom it is.
struct StoredVoucher {
    signed: Signed,
    bytes: Vec<u8>,
    grant: Grant,
    account: Account,
    /// Used already.
    used: bool,
    /// Ended unused.
    over: bool,
}

impl StoredVoucher {
    /// What it may be used for now.
    fn open(&self) -> Result<Shape> {
        if self.used {
            return Err(Error::VoucherUsed);
        }
        if self.over || !self.account.usable() {
            return Err(Error::VoucherInvalid);
        }
        shape(self.grant.kind, self.account.password_file.is_some()).ok_or(Error::VoucherInvalid)
    }
}

impl Identity {
    /// `POST /v1/enrolment/start`.
    ///
    /// Errors: [`Error::VoucherInvalid`] without a right signature of the voucher's key, whatever else is wrong;
    /// [`Error::VoucherUsed`], [`Error::SimUnavailable`], [`Error::SimTaken`].
    pub async fn enrol_start(&self, request: &EnrolStartRequest) -> Result<EnrolStartResponse> {
        let now = self.now();
        let device_key = check_public_key(&request.device_key)?;
        if request.nonce.len() != 32 {
            return Err(Error::Malformed("nonce"));
        }
        let imsi = Imsi::new(request.imsi.as_str())?;
        let registration_request = request.registration_request.as_deref();
        let payload = start_payload(
            self.realm(),
            request.voucher,
            &request.device_key,
            &request.nonce,
            registration_request,
            &request.imsi,
        );
        let voucher = self.stored_voucher(request.voucher, now).await?;
        verify_start(&voucher.grant.voucher_key, &payload, &request.voucher_signature)
            .map_err(|_| Error::VoucherInvalid)?;
        let (shape, account) = (voucher.open()?, &voucher.account);
        check_registration(shape, registration_request.is_some())?;
        let sim = sims::by_imsi(self.db().read().await?.conn(), imsi.as_str()).await?;
        let sim = sim.filter(|s| s.usable()).ok_or(Error::SimUnavailable)?;
        if !sim.may_bind(account.official) {
            return Err(Error::SimTaken);
        }
        let registration_response = registration_request
            .map(|message| self.vault().opaque().register(message, &account.username))
            .transpose()?;

        let enrolment = EnrolmentId::new(now, &mut OsRng);
        let device = DeviceId::new(now, &mut OsRng);
        let mut server_nonce = [0u8; 32];
        OsRng.fill_bytes(&mut server_nonce);
        let draw = self.enrolment_draw(enrolment, "challenge", sim.sim, device, None, now)?;
        let vector = self.draw_eap(draw).await?;
        let state = State {
            voucher: request.voucher,
            device,
            sim: sim.sim,
            imsi: request.imsi.clone(),
            device_key: device_key.to_vec(),
            client_nonce: request.nonce.to_vec(),
            server_nonce: server_nonce.to_vec(),
            registration_request: request.registration_request.clone(),
            registration_response: registration_response.clone().map(Bytes),
            rand: vector.rand.0,
            autn: vector.autn.to_bytes(),
            k_aut: *EnrolKey::from_vector(&vector).as_bytes(),
            resynced: false,
        };
        let expires_at = now.plus(super::ENROLMENT_LASTS);
        Ok(EnrolStartResponse {
            enrolment,
            state: self.seal_enrolment(enrolment, &state, expires_at)?,
            device,
            official: account.official,
            username: account.username.clone(),
            nonce: Bytes::from(server_nonce),
            registration_response: registration_response.map(Bytes),
            rand: Bytes::from(vector.rand.0),
            autn: Bytes::from(vector.autn.to_bytes()),
            grant: Bytes(voucher.bytes),
        })
    }

    /// `POST /v1/enrolment/finish`.
    ///
    /// Errors: [`Error::SimRejected`], [`Error::EnrolmentInvalid`], [`Error::Trust`], [`Error::VoucherUsed`] when
    /// somebody was faster. Nothing is stored on any error.
    pub async fn enrol_finish(&self, request: &EnrolFinishRequest) -> Result<EnrolFinishResponse> {
        let now = self.now();
        let opened = self.vault().state_key().open(SEAL, request.enrolment.as_bytes(), &request.state, now)?;
        let state: State = from_reader(opened.plaintext.as_slice()).map_err(|_| Error::AttemptExpired)?;
        if let Some(auts) = &request.auts {
            let auts: [u8; 14] = auts.array().ok_or(Error::Malformed("AUTS"))?;
            return self.enrol_again(request.enrolment, state, auts, opened.expires_at, now).await;
        }
        let voucher = self.stored_voucher(state.voucher, now).await?;
        let official = voucher.account.official;
        self.prove_sim(request, &state, &voucher)?;
        if voucher.used
            && let Some(again) = self.enrolled_before(&state, request, now).await?
        {
            return Ok(again);
        }
        let shape = voucher.open()?;

        // The device's key, its MLS key, and its binding to the voucher.
        let device_key: PublicKeyBytes = state.device_key.as_slice().try_into().map_err(|_| Error::AttemptExpired)?;
        let csr = verify_csr(&request.csr)?;
        if csr.key != device_key || csr.device != state.device || csr.realm != self.realm() {
            return Err(Error::EnrolmentInvalid("the certificate request is for something else"));
        }
        let mls_key: [u8; 32] = request.mls_key.array().ok_or(Error::Malformed("MLS key"))?;
        let mls_signature: [u8; 64] = request.mls_key_signature.array().ok_or(Error::Malformed("signature"))?;
        mls_certificate::verify_key(&device_key, self.realm(), state.device, &mls_key, &mls_signature)?;
        let binding_signed = Signed::from_bytes(&request.binding)?;
        let binding = verify_binding(&voucher.signed, &binding_signed, self.anchors())?;
        if binding.device != state.device
            || binding.device_key != device_key
            || binding.channel != trust_channel(request.channel)
        {
            return Err(Error::EnrolmentInvalid("the binding is for something else"));
        }
        if binding.bound_at > now.plus(CLOCK_SKEW) || binding.bound_at < now.minus(CLOCK_SKEW) {
            return Err(Error::ClockSkew);
        }
        if request.channel == ChannelMode::Loopback && !self.settings().allow_loopback {
            return Err(Error::EnrolmentInvalid("this server takes no loopback devices"));
        }
        if !valid_label(&request.label) {
            return Err(Error::EnrolmentInvalid("the label must have 1 to 64 printable characters"));
        }
        if request.evidence.len() > MAX_EVIDENCE {
            return Err(Error::EnrolmentInvalid("the evidence is too large"));
        }
        let upload = request.registration_upload.as_deref();
        if upload.is_some() != state.registration_request.is_some() {
            return Err(Error::EnrolmentInvalid("a password needs both of its messages"));
        }
        let password_file = upload.map(OpaqueServer::password_file).transpose()?;

        let (device_certificate, mls_certificate) =
            self.issue(official, state.device, &device_key, &mls_key, &mls_signature, now)?;
        let status = shape.status;
        let device = Device {
            device: state.device,
            official,
            sim: state.sim,
            key: device_key.to_vec(),
            status,
            suspended: false,
            assurance: proven_assurance(request.assurance, request.channel, &request.evidence),
            channel: request.channel,
            label: request.label.clone(),
            grant: voucher.bytes.clone(),
            binding: binding_signed.to_bytes()?,
            cross: None,
            attestation: request.evidence.to_vec(),
            mls_key: mls_key.to_vec(),
            mls_key_signature: mls_signature.to_vec(),
            certificate_ends_at: DeviceCertificate::parse(&device_certificate)?.not_after,
            certificate: device_certificate.clone(),
            revocation: None,
            enrolled_at: now,
            last_seen_at: now,
        };
        self.store_device(&device, state.voucher, &voucher, shape, password_file.as_deref(), now).await?;
        metrics::counter!("pakawaaz_identity_enrolments_total").increment(1);
        Ok(EnrolFinishResponse::Enrolled {
            device_certificate: Bytes(device_certificate),
            mls_certificate: (status == DeviceStatus::Active).then_some(Bytes(mls_certificate)),
            ca_chain: self.settings().installation.ca_chain.clone(),
            status,
        })
    }

    /// The answer once more, when this very enrolment was stored but its answer got lost.
    async fn enrolled_before(
        &self,
        state: &State,
        request: &EnrolFinishRequest,
        now: Millis,
    ) -> Result<Option<EnrolFinishResponse>> {
        let device = devices::get(self.db().read().await?.conn(), state.device).await?;
        let same = |d: &Device| {
            d.key == state.device_key
                && d.mls_key == *request.mls_key
                && d.binding == *request.binding
                && d.may_log_in()
        };
        let Some(device) = device.filter(same) else { return Ok(None) };
        let key = device.key.as_slice().try_into().map_err(|_| Error::Damaged("device key"))?;
        let mls_key = request.mls_key.array().ok_or(Error::Malformed("MLS key"))?;
        let signature = request.mls_key_signature.array().ok_or(Error::Malformed("signature"))?;
        let (_, mls) = self.issue(device.official, device.device, &key, &mls_key, &signature, now)?;
        Ok(Some(EnrolFinishResponse::Enrolled {
            mls_certificate: device.active().then_some(Bytes(mls)),
            ca_chain: self.settings().installation.ca_chain.clone(),
            status: device.shown_status(),
            device_certificate: Bytes(device.certificate),
        }))
    }

    /// Everything in one transaction, the voucher first: of two that race, one finds it used.
    async fn store_device(
        &self,
        device: &Device,
        voucher: VoucherId,
        open: &StoredVoucher,
        planned: Shape,
        password_file: Option<&[u8]>,
        now: Millis,
    ) -> Result<()> {
        let official = device.official;
        let mut cut = Cut::default();
        let mut tx = self.db().begin().await?;
        let engine = tx.engine();
        if !grants::consume(tx.conn(), voucher, now).await? {
            return Err(Error::VoucherUsed);
        }
        let account = accounts::get_for_update(tx.conn(), engine, official).await?.ok_or(Error::VoucherInvalid)?;
        let has_password = account.password_file.is_some();
        // Another voucher of the same official may have been used since the start.
        if !account.usable() || shape(open.grant.kind, has_password) != Some(planned) {
            return Err(Error::VoucherInvalid);
        }
        if !devices::insert(tx.conn(), device).await? {
            return Err(Error::EnrolmentInvalid("the device key is in use"));
        }
        if !sims::bind(tx.conn(), device.sim, official).await? {
            return Err(Error::SimTaken);
        }
        if let Some(file) = password_file {
            accounts::set_password(tx.conn(), official, file, now).await?;
            if has_password {
                cut.sessions(&mut tx, Which::Official(official), "password", now).await?;
            }
        }
        if device.status == DeviceStatus::Active {
            activated(&mut tx, device, now)?;
        } else {
            // Every node learns that this device holds no roles yet.
            cut.roles(official);
            let fact = DevicePending { device: device.device, official, at: now };
            outbox::append(&mut tx, DevicePending::KIND, &fact, now)?;
        }
        let actor = AuditActor { official, device: device.device };
        let detail = serde_json::json!({
            "grant": kind_text(open.grant.kind), "voucher": voucher, "sim": device.sim,
            "assurance": device.assurance, "status": device.status,
        });
        let subject = device.device.to_string();
        self.audit(&mut tx, Some(actor), "identity.device_enrolled", subject, detail, now).await?;
        cut.commit(self, tx, now).await
    }

    /// The SIM was out of step: a new challenge, once.
    async fn enrol_again(
        &self,
        enrolment: EnrolmentId,
        mut state: State,
        auts: [u8; 14],
        expires_at: Millis,
        now: Millis,
    ) -> Result<EnrolFinishResponse> {
        if state.resynced {
            return Err(Error::SimRejected);
        }
        let resync = Some((Rand(state.rand), Auts::from_bytes(auts)));
        let draw = self.enrolment_draw(enrolment, "resync", state.sim, state.device, resync, now)?;
        let vector = self.draw_eap(draw).await?;
        state.rand = vector.rand.0;
        state.autn = vector.autn.to_bytes();
        state.k_aut = *EnrolKey::from_vector(&vector).as_bytes();
        state.resynced = true;
        Ok(EnrolFinishResponse::Challenge {
            rand: Bytes::from(state.rand),
            autn: Bytes::from(state.autn),
            state: self.seal_enrolment(enrolment, &state, expires_at)?,
        })
    }

    fn prove_sim(&self, request: &EnrolFinishRequest, state: &State, voucher: &StoredVoucher) -> Result<()> {
        let transcript = EnrolTranscript {
            realm: self.realm(),
            voucher: state.voucher,
            enrolment: request.enrolment,
            official: voucher.account.official,
            username: &voucher.account.username,
            device: state.device,
            device_key: &state.device_key,
            client_nonce: &state.client_nonce,
            server_nonce: &state.server_nonce,
            registration_request: state.registration_request.as_deref(),
            registration_response: state.registration_response.as_deref(),
            registration_upload: request.registration_upload.as_deref(),
            imsi: &state.imsi,
            rand: &state.rand,
            autn: &state.autn,
            grant: &voucher.bytes,
            csr: &request.csr,
            mls_key: &request.mls_key,
            mls_key_signature: &request.mls_key_signature,
            binding: &request.binding,
            channel: trust_channel(request.channel),
            evidence: &request.evidence,
            assurance: request.assurance,
            label: &request.label,
        };
        Ok(EnrolKey::from_bytes(state.k_aut).verify(&transcript.hash(), &request.sim_proof)?)
    }

    fn issue(
        &self,
        official: pakawaaz_base::OfficialId,
        device: DeviceId,
        device_key: &PublicKeyBytes,
        mls_key: &[u8; 32],
        mls_signature: &[u8; 64],
        now: Millis,
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        let (issuer, realm, mut rng) = (self.issuer()?, self.realm(), OsRng);
        let device_certificate = issuer.device_certificate(realm, official, device, device_key, now, &mut rng)?;
        let mls = issuer.mls_certificate(realm, official, device, device_key, mls_key, mls_signature, now, &mut rng)?;
        Ok((device_certificate, mls))
    }

    async fn stored_voucher(&self, id: VoucherId, now: Millis) -> Result<StoredVoucher> {
        // One state for both rows, or a voucher used meanwhile would look like one for the wrong person.
        let mut read = self.db().snapshot().await?;
        let stored = grants::get(read.conn(), id).await?.ok_or(Error::VoucherInvalid)?;
        let signed = Signed::from_bytes(&stored.signed)?;
        let Statement::Grant(grant) = signed.statement()? else { return Err(Error::Damaged("grant")) };
        let account = accounts::get(read.conn(), grant.official).await?.ok_or(Error::VoucherInvalid)?;
        let (used, over) = (stored.used_at.is_some(), stored.not_after <= now);
        Ok(StoredVoucher { signed, bytes: stored.signed, grant, account, used, over })
    }

    fn enrolment_draw(
        &self,
        enrolment: EnrolmentId,
        step: &'static str,
        sim: SimId,
        device: DeviceId,
        resync: Option<(Rand, Auts)>,
        now: Millis,
    ) -> Result<Draw> {
        Ok(Draw {
            once: Some((*enrolment.as_bytes(), step)),
            card: Card::Known(sim),
            password_right: false,
            ind: Ind::allocate(Purpose::Enrolment, self.settings().site),
            want: self.login_want(device)?,
            resync,
            now,
        })
    }

    fn seal_enrolment(&self, id: EnrolmentId, state: &State, expires_at: Millis) -> Result<Bytes> {
        let mut plain = Zeroizing::new(Vec::with_capacity(4096));
        into_writer(state, &mut *plain).map_err(|_| Error::Vault("encoding"))?;
        Ok(Bytes(self.vault().state_key().seal(SEAL, id.as_bytes(), expires_at, &plain, &mut OsRng)?))
    }
}

fn check_registration(shape: Shape, present: bool) -> Result<()> {
    match (shape.password_required, shape.password_allowed, present) {
        (true, _, false) => Err(Error::EnrolmentInvalid("a first device sets the password")),
        (_, false, true) => Err(Error::EnrolmentInvalid("an additional device sets no password")),
        _ => Ok(()),
    }
}
