//! Enrolment of this device with a voucher.

use crate::http::post;
use crate::login::{login_error, trust_mode, usim_error};
use crate::profile::Profile;
use crate::vault::{PinCost, Vault};
use crate::{Client, ClientError, Platform, SimCard, Step, Store, Transport, keys};
use pakawaaz_aka::{Autn, Rand, UsimResponse};
use pakawaaz_base::{Assurance, Bytes, DeviceId, Millis, OfficialId};
use pakawaaz_contract::identity::{
    ChannelMode, DeviceStatus, EnrolFinishRequest, EnrolFinishResponse, EnrolStartRequest, EnrolStartResponse,
};
use pakawaaz_login::enrol::{EnrolKey, EnrolTranscript};
use pakawaaz_login::{KsfParams, Registration};
use pakawaaz_trust::x509::{CaChain, MlsCertificate, create_csr};
use pakawaaz_trust::{
    DeviceBinding, DeviceSigner as _, Signed, SigningKey, Statement, TrustAnchors, TrustError, Voucher, enrol,
    mls_certificate, short_code,
};
use rand_core::RngCore as _;
use std::rc::Rc;
use zeroize::Zeroizing;

/// What the official says when enrolling.
pub struct EnrolOptions {
    /// The voucher. The transport must lead to its `url` and, over TLS, believe only its `ca_pin`.
    pub voucher: Voucher,
    /// PIN that opens the profile on this device.
    pub pin: Zeroizing<String>,
    /// First password; none for an additional device (the password exists already).
    pub password: Option<Zeroizing<String>>,
    /// The official's words for this device, 1 to 64 characters.
    pub label: String,
    /// How this device's logins are bound to their connection.
    pub channel: ChannelMode,
    /// What the device key is worth.
    pub assurance: Assurance,
    /// Work of one PIN guess.
    pub pin_cost: PinCost,
    /// Work of one password guess; the same on every device of the official. Default outside tests.
    pub ksf: KsfParams,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The official.
    pub official: OfficialId,
    /// The name to log in with.
    pub username: String,
    /// This device.
    pub device: DeviceId,
    /// Active, or waiting for another device's approval.
    pub status: DeviceStatus,
    /// Code to compare when another device approves this one.
    pub code: String,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Enrols this device and leaves the profile unlocked. Nothing is stored unless all of it succeeds.
    ///
    /// # Errors
    /// [`ClientError::AlreadyEnrolled`], [`ClientError::WeakPin`], [`ClientError::Trust`] when the server is not the
    /// voucher's, [`ClientError::Refused`] with the server's reason.
    pub async fn enrol<C: SimCard + ?Sized>(
        &self,
        options: EnrolOptions,
        usim: &mut C,
    ) -> Result<Enrolled, ClientError> {
        let done = self.new_profile(options, usim).await;
        self.last_step(done.is_ok());
        done
    }

    async fn new_profile<C: SimCard + ?Sized>(
        &self,
        options: EnrolOptions,
        usim: &mut C,
    ) -> Result<Enrolled, ClientError> {
        self.step(Step::Voucher);
        if self.is_enrolled().await? {
            return Err(ClientError::AlreadyEnrolled);
        }
        let voucher = &options.voucher;
        let info = self.server_info().await?;
        if info.realm != voucher.realm {
            return Err(ClientError::Trust(TrustError::WrongRealm));
        }
        let now = self.server_now();
        let anchors = TrustAnchors::from_chain(&voucher.realm, &voucher.ca_pin, &info.ca_chain, now)?;
        self.step(Step::Keys);
        // Before anything leaves: a bad PIN must not cost the voucher.
        let secret = self.platform().device_secret();
        let (vault, header) = Vault::create(&options.pin, &secret, options.pin_cost, &mut self.db.rng())?;

        let signer = SigningKey::generate(&mut self.db.rng());
        let device_key = signer.public_key();
        let mut nonce = [0u8; 32];
        self.db.rng().fill_bytes(&mut nonce);
        if options.password.is_some() {
            self.step(Step::Password);
        }
        let registration = match &options.password {
            Some(password) => Some(Registration::start(password.as_bytes(), &mut self.db.rng()).map_err(login_error)?),
            None => None,
        };
        let (registration, registration_request) = match registration {
            Some((state, message)) => (Some(state), Some(Bytes(message))),
            None => (None, None),
        };
        let imsi = usim.imsi().map_err(usim_error)?.as_str().to_owned();
        let payload = enrol::start_payload(
            &anchors.realm,
            voucher.voucher,
            &device_key,
            &nonce,
            registration_request.as_deref(),
            &imsi,
        );
        let start = EnrolStartRequest {
            voucher: voucher.voucher,
            device_key: device_key.into(),
            nonce: nonce.into(),
            registration_request,
            imsi,
            voucher_signature: enrol::sign_start(&voucher.key(), &payload).into(),
        };
        let answer: EnrolStartResponse = self.plain(post("/v1/enrolment/start", &start)).await?;

        let grant = Signed::from_bytes(&answer.grant)?;
        match grant.statement()? {
            Statement::Grant(g)
                if g.voucher == voucher.voucher
                    && g.voucher_key == voucher.key().public_key()
                    && g.official == answer.official
                    && g.realm == anchors.realm => {}
            _ => return Err(ClientError::Trust(TrustError::Mismatch)),
        }
        let registration_upload = match (registration, &answer.registration_response) {
            (Some(state), Some(response)) => Some(Bytes(
                state
                    .finish(response, &answer.username, &anchors.realm, options.ksf, &mut self.db.rng())
                    .map_err(login_error)?,
            )),
            (None, None) => None,
            _ => return Err(ClientError::BadAnswer),
        };
        let binding = DeviceBinding {
            realm: anchors.realm.clone(),
            grant: grant.payload_hash(),
            official: answer.official,
            device: answer.device,
            device_key,
            channel: trust_mode(options.channel),
            bound_at: now,
        };
        let mut binding = Signed::new(&Statement::DeviceBinding(binding))?;
        binding.sign_voucher(&voucher.key())?;
        binding.sign_device(answer.device, &signer)?;
        let mut mls_seed = Zeroizing::new([0u8; 32]);
        self.db.rng().fill_bytes(&mut *mls_seed);
        let mls_key = ed25519_dalek::SigningKey::from_bytes(&mls_seed).verifying_key().to_bytes();
        let mut finish = EnrolFinishRequest {
            enrolment: answer.enrolment,
            state: answer.state.clone(),
            csr: create_csr(&signer, &anchors.realm, answer.device)?.into(),
            mls_key: mls_key.into(),
            mls_key_signature: mls_certificate::sign_key(&signer, &anchors.realm, answer.device, &mls_key).into(),
            registration_upload,
            sim_proof: Bytes::default(),
            auts: None,
            binding: binding.to_bytes()?.into(),
            channel: options.channel,
            evidence: Bytes::default(),
            assurance: options.assurance,
            label: options.label.clone(),
        };
        self.step(Step::Sim);
        let (device_certificate, mls_certificate, ca_chain, status) =
            self.prove_new_sim(&anchors, &start, &answer, &mut finish, usim).await?;

        self.step(Step::Certificate);
        let ca = CaChain::verify_pinned(&ca_chain, &anchors, now)?;
        let certified = ca.verify_device_certificate(&device_certificate, now, pakawaaz_trust::x509::CLOCK_SKEW)?;
        if certified.key != device_key || certified.device != answer.device || certified.official != answer.official {
            return Err(ClientError::Trust(TrustError::Mismatch));
        }
        let mls_ends = match &mls_certificate {
            Some(der) => MlsCertificate::parse(der)?.not_after.min(certified.not_after),
            None => Millis(0),
        };
        let profile = Profile {
            origin: self.transport.origin(),
            ca_chain,
            external_sender: info.external_sender_key,
            official: answer.official,
            username: answer.username.clone(),
            device: answer.device,
            label: options.label,
            status,
            assurance: options.assurance,
            channel: options.channel,
            ksf: options.ksf,
            device_key: Bytes(signer.to_pkcs8()?.to_vec()),
            mls_seed: Bytes(mls_seed.to_vec()),
            device_certificate,
            mls_certificate,
            mls_ends,
            anchors,
        };
        let code = short_code(&profile.anchors.realm, profile.official, &device_key);
        self.step(Step::Saved);
        self.db.set_vault(Some(vault));
        let mut tx = self.db.tx();
        tx.put_header(header);
        tx.put(keys::PROFILE.to_vec(), &profile);
        if let Some((name, row)) = usim.keep() {
            tx.put_raw(keys::shell(name), row);
        }
        if let Err(e) = tx.commit().await {
            self.db.set_vault(None);
            return Err(e);
        }
        self.inner.set_profile(Rc::new(profile));
        Ok(Enrolled { official: answer.official, username: answer.username, device: answer.device, status, code })
    }

    async fn prove_new_sim<C: SimCard + ?Sized>(
        &self,
        anchors: &TrustAnchors,
        start: &EnrolStartRequest,
        answer: &EnrolStartResponse,
        finish: &mut EnrolFinishRequest,
        usim: &mut C,
    ) -> Result<(Bytes, Option<Bytes>, Vec<Bytes>, DeviceStatus), ClientError> {
        let mut rand = answer.rand.array().ok_or(ClientError::BadAnswer)?;
        let mut autn = answer.autn.array().ok_or(ClientError::BadAnswer)?;
        let mut resynced = false;
        loop {
            match usim.authenticate(&Rand(rand), &Autn::from_bytes(autn)).await.map_err(usim_error)? {
                UsimResponse::Success { ck, ik, .. } => {
                    let key = EnrolKey::from_sim(&anchors.realm, answer.device, &ck, &ik, &Autn::from_bytes(autn))
                        .map_err(login_error)?;
                    let transcript = EnrolTranscript {
                        realm: &anchors.realm,
                        voucher: start.voucher,
                        enrolment: answer.enrolment,
                        official: answer.official,
                        username: &answer.username,
                        device: answer.device,
                        device_key: &start.device_key,
                        client_nonce: &start.nonce,
                        server_nonce: &answer.nonce,
                        registration_request: start.registration_request.as_deref(),
                        registration_response: answer.registration_response.as_deref(),
                        registration_upload: finish.registration_upload.as_deref(),
                        imsi: &start.imsi,
                        rand: &rand,
                        autn: &autn,
                        grant: &answer.grant,
                        csr: &finish.csr,
                        mls_key: &finish.mls_key,
                        mls_key_signature: &finish.mls_key_signature,
                        binding: &finish.binding,
                        channel: trust_mode(finish.channel),
                        evidence: &finish.evidence,
                        assurance: finish.assurance,
                        label: &finish.label,
                    };
                    finish.sim_proof = key.proof(&transcript.hash()).into();
                    finish.auts = None;
                }
                UsimResponse::SyncFailure { .. } if resynced => {
                    return Err(ClientError::Sim("the SIM is out of step"));
                }
                UsimResponse::SyncFailure { auts } => {
                    resynced = true;
                    finish.sim_proof = Bytes::default();
                    finish.auts = Some(auts.to_bytes().into());
                }
            }
            match self.plain(post("/v1/enrolment/finish", &*finish)).await? {
                EnrolFinishResponse::Enrolled { device_certificate, mls_certificate, ca_chain, status } => {
                    return Ok((device_certificate, mls_certificate, ca_chain, status));
                }
                EnrolFinishResponse::Challenge { rand: r, autn: a, state } if finish.auts.is_some() => {
                    rand = r.array().ok_or(ClientError::BadAnswer)?;
                    autn = a.array().ok_or(ClientError::BadAnswer)?;
                    finish.state = state;
                }
                EnrolFinishResponse::Challenge { .. } => return Err(ClientError::BadAnswer),
            }
        }
    }
}
