//! Server facts, enrolment, login, tokens, passwords, devices (context `identity`).

use crate::directory::BilingualName;
use pakawaaz_base::{
    Assurance, Bytes, DeviceId, EnrolmentId, LoginId, Millis, OfficialId, Role, SessionId, SimId, VoucherId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/server`: what a client must know before anything else. Verified against the pinned root.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ServerInfo {
    /// Realm name; enters every transcript and is the network name of EAP-AKA'.
    pub realm: String,
    /// X.509 DER: root first, then the issuing CA.
    pub ca_chain: Vec<Bytes>,
    /// Ed25519 public key the delivery service signs external proposals with (32 bytes).
    pub external_sender_key: Bytes,
    /// Origins and authorities the server answers to (DPoP `htu`, browser `Origin`).
    pub authorities: Vec<String>,
    /// Server time, to tell a wrong device clock.
    pub time: Millis,
    /// Protocol version.
    pub protocol: u16,
    /// `true` when the installation runs with demo keys.
    pub demo: bool,
}

/// How a device's logins are bound to their connection; fixed at enrolment, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelMode {
    /// RFC 9266-style TLS exporter of the final request's connection (native clients; mandatory for them).
    TlsExporter,
    /// Browser origin plus the pinned issuing CA key.
    Origin,
    /// Plain HTTP on loopback: the literal authority. Refused by production servers.
    Loopback,
}

// ---------------------------------------------------------------- enrolment

/// `POST /v1/enrolment/start`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EnrolStartRequest {
    /// The voucher.
    pub voucher: VoucherId,
    /// New device key, P-256, SEC1 uncompressed (65 bytes).
    pub device_key: Bytes,
    /// 32 random bytes.
    pub nonce: Bytes,
    /// OPAQUE RegistrationRequest; absent for an additional device (the password exists already).
    pub registration_request: Option<Bytes>,
    /// IMSI of the SIM that this device will use.
    pub imsi: String,
    /// Ed25519 signature by the voucher key over `trust::enrol::start_payload` of the fields above.
    pub voucher_signature: Bytes,
}

/// Answer to [`EnrolStartRequest`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EnrolStartResponse {
    /// This enrolment; expires in ten minutes.
    pub enrolment: EnrolmentId,
    /// Sealed server state to echo.
    pub state: Bytes,
    /// The device's id, chosen by the server.
    pub device: DeviceId,
    /// The official.
    pub official: OfficialId,
    /// The name to log in with.
    pub username: String,
    /// 32 random bytes.
    pub nonce: Bytes,
    /// OPAQUE RegistrationResponse.
    pub registration_response: Option<Bytes>,
    /// AKA challenge (16 bytes).
    pub rand: Bytes,
    /// AKA challenge (16 bytes).
    pub autn: Bytes,
    /// The quorum-signed grant (`trust::Signed`).
    pub grant: Bytes,
}

/// `POST /v1/enrolment/finish`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EnrolFinishRequest {
    /// From the start.
    pub enrolment: EnrolmentId,
    /// From the start.
    pub state: Bytes,
    /// PKCS#10 request, DER, signed by the device key.
    pub csr: Bytes,
    /// Ed25519 MLS signature key (32 bytes).
    pub mls_key: Bytes,
    /// Signature by the device key over the MLS key (see `trust::mls_certificate`).
    pub mls_key_signature: Bytes,
    /// OPAQUE RegistrationUpload.
    pub registration_upload: Option<Bytes>,
    /// MAC under K_aut over the enrolment transcript (proves the SIM), or empty when `auts` is given.
    pub sim_proof: Bytes,
    /// AKA AUTS (14 bytes) when the USIM reported a sync failure: the server answers with a new challenge.
    pub auts: Option<Bytes>,
    /// `trust::Statement::DeviceBinding` signed by the voucher key and the device key.
    pub binding: Bytes,
    /// How this device will bind its logins.
    pub channel: ChannelMode,
    /// Attestation evidence; empty = software key.
    pub evidence: Bytes,
    /// Claimed assurance; the server accepts at most what the evidence proves.
    pub assurance: Assurance,
    /// Words by which the official tells devices apart ("office desktop").
    pub label: String,
}

/// Answer to [`EnrolFinishRequest`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum EnrolFinishResponse {
    /// Certificates issued. A pending device can log in but is no leaf until cross-signed.
    Enrolled {
        /// X.509 DER device certificate.
        device_certificate: Bytes,
        /// X.509 DER MLS certificate; absent until the device is active.
        mls_certificate: Option<Bytes>,
        /// Issuing chain, root first.
        ca_chain: Vec<Bytes>,
        /// Whether the device is active or waits for cross-signing.
        status: DeviceStatus,
    },
    /// The SIM was out of step; prove again with this challenge.
    Challenge {
        /// New AKA challenge.
        rand: Bytes,
        /// New AKA challenge.
        autn: Bytes,
        /// New sealed state.
        state: Bytes,
    },
}

// ---------------------------------------------------------------- login

/// `POST /v1/login/start`: first round.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginStartRequest {
    /// [`crate::PROTOCOL_VERSION`].
    pub version: u16,
    /// Login name.
    pub username: String,
    /// Enrolled device.
    pub device: DeviceId,
    /// OPAQUE KE1.
    pub ke1: Bytes,
    /// Fresh P-256 token key for DPoP, SEC1 uncompressed (65 bytes).
    pub token_key: Bytes,
    /// 32 random bytes.
    pub nonce: Bytes,
    /// Channel mode, as enrolled.
    pub channel: ChannelMode,
    /// ECDSA P-256 (r‖s, 64 bytes) by the device key over the round.
    pub signature: Bytes,
}

/// Answer to the first round; the same shape and cost for unknown users and devices.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginStartResponse {
    /// This login; expires in two minutes.
    pub login: LoginId,
    /// Sealed server state to echo.
    pub state: Bytes,
    /// OPAQUE KE2.
    pub ke2: Bytes,
    /// 32 random bytes.
    pub nonce: Bytes,
}

/// `POST /v1/login/password`: second round.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginPasswordRequest {
    /// From the first round.
    pub login: LoginId,
    /// From the first round.
    pub state: Bytes,
    /// OPAQUE KE3.
    pub ke3: Bytes,
    /// ECDSA P-256 by the device key over both rounds.
    pub signature: Bytes,
}

/// An AKA challenge with the sealed state of the login it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginChallenge {
    /// AKA RAND (16 bytes).
    pub rand: Bytes,
    /// AKA AUTN (16 bytes).
    pub autn: Bytes,
    /// EAP-AKA' network name: the login realm.
    pub network_name: String,
    /// Sealed server state to echo.
    pub state: Bytes,
}

/// `POST /v1/login/sim`: third round.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginSimRequest {
    /// From the first round.
    pub login: LoginId,
    /// From the challenge.
    pub state: Bytes,
    /// The proof or the resynchronisation.
    pub answer: SimAnswer,
}

/// What the SIM said.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SimAnswer {
    /// MAC under K_aut over the whole transcript, and the confirmation over every round under the joint key
    /// (OPAQUE session key ‖ AKA key), which also covers the channel binding.
    Proof {
        /// 32 bytes.
        proof: Bytes,
        /// 32 bytes.
        confirmation: Bytes,
    },
    /// The same by AKMA (TS 33.535), with what the phone shares with its home network. `identity.akma_unknown` when that key
    /// is not known (any more): the challenge still stands, answer it with the card.
    Akma {
        /// Names the key: `rid….atid…@5gc.mnc….mcc….3gppnetwork.org`.
        a_kid: String,
        /// 32 bytes, under a key from K_AF and the transcript.
        proof: Bytes,
        /// 32 bytes.
        confirmation: Bytes,
    },
    /// The USIM's sequence number disagrees: AUTS, accepted once.
    Resync {
        /// 14 bytes.
        auts: Bytes,
    },
}

/// Answer to the third round.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum LoginSimResponse {
    /// Logged in.
    Done {
        /// The server's confirmation over every round (32 bytes).
        confirmation: Bytes,
        /// The tokens.
        tokens: Tokens,
        /// The phone behind whose address the login came from, if it is one of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<LoginNetwork>,
    },
    /// Resynchronised: prove again, once.
    Challenge(LoginChallenge),
}

/// Whether a login's address, the card that it proved and the phone that has both fit together. For displays and alarms;
/// never a factor: whoever is behind a phone shares its address, and a phone says of itself what it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkAgreement {
    /// The phone at this address has the card that was proven.
    SamePhone,
    /// It has another card.
    OtherCard,
    /// It has the card, and claims to be other equipment than at the device's login before.
    OtherEquipment,
}

/// The phone behind whose address a login came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoginNetwork {
    /// Whether it fits.
    pub agreement: NetworkAgreement,
    /// The equipment that it claims to be (IMEI or IMEISV); of one's own card only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<String>,
}

/// Tokens of a session, bound to the login's token key (RFC 9449).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// RFC 9068 JWT, minutes long.
    pub access_token: String,
    /// When the access token ends.
    pub expires_at: Millis,
    /// One-time refresh token; rotates.
    pub refresh_token: String,
    /// When the session ends for good and the SIM is asked again.
    pub session_ends_at: Millis,
    /// The session.
    pub session: SessionId,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("session", &self.session)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// `POST /v1/token/refresh` with a DPoP proof of the same token key. Answer: [`Tokens`].
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RefreshRequest {
    /// The newest refresh token. An older one ends the session (reuse detection).
    pub refresh_token: String,
}

/// `POST /v1/logout`. Answer: 204.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogoutRequest {
    /// End every session of the official, not only this one.
    pub everywhere: bool,
}

/// `GET /v1/me`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The official.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// This device.
    pub device: DeviceId,
    /// Roles.
    pub roles: Vec<Role>,
    /// This device's assurance.
    pub assurance: Assurance,
    /// This session.
    pub session: SessionId,
    /// When the three factors were last proven.
    pub authenticated_at: Millis,
    /// Whether this device has been cross-signed.
    pub status: DeviceStatus,
}

/// By what the SIM was proven at a login, beside password and device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SimProvenBy {
    /// The card answered a challenge (EAP-AKA').
    Card,
    /// The key of a registered phone, whose card had proven itself to the network a while before (AKMA).
    Phone,
}

/// One login of an official that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionRecord {
    /// The session.
    pub session: SessionId,
    /// The device it is on.
    pub device: DeviceId,
    /// When the three factors were proven.
    pub started_at: Millis,
    /// When they are asked again.
    pub ends_at: Millis,
    /// By what the SIM was proven.
    pub sim: SimProvenBy,
    /// The phone behind whose address it began, if it is one of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<LoginNetwork>,
}

/// `GET /v1/sessions`; one of them ends by `POST /v1/sessions/{session}/end`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// The official's own, newest first.
    pub sessions: Vec<SessionRecord>,
}

// ---------------------------------------------------------------- cards and phones

/// Where a phone is in the cellular network, as the core last heard. It proves nothing: an address or a cell is shared by
/// whoever is behind the phone, and a phone says of itself what it likes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyPhone {
    /// Cell where it was heard (NR cell identity, nine hexadecimal digits).
    pub cell: String,
    /// The place of that cell, if administrators of the network gave it a name.
    #[serde(default)]
    pub place: Option<BilingualName>,
    /// Tracking area of that cell.
    pub tac: u32,
    /// Its name, if administrators of the network gave it one.
    #[serde(default)]
    pub area: Option<BilingualName>,
    /// Registered since.
    pub since: Millis,
    /// When it was last heard of from elsewhere than before.
    pub seen: Millis,
    /// The equipment it claims to be.
    #[serde(default)]
    pub equipment: Option<String>,
}

/// One of the caller's own SIM cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyCard {
    /// Its id.
    pub sim: SimId,
    /// The number printed on it.
    pub iccid: String,
    /// `bound`, `suspended`, `revoked`.
    pub status: String,
    /// The phone it is in; none when that is not registered.
    pub phone: Option<MyPhone>,
}

/// `GET /v1/me/phone`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyCards {
    /// The official's own cards, by ICCID.
    pub cards: Vec<MyCard>,
    /// Whether there is a cellular network. Without one no phone is ever registered.
    #[serde(default)]
    pub network: bool,
}

// ---------------------------------------------------------------- password

/// `POST /v1/password/start` (within five minutes of a full login) and `POST /v1/password/reset/start`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasswordStartRequest {
    /// OPAQUE RegistrationRequest for the new password.
    pub registration_request: Bytes,
    /// For a reset: the grant's voucher; absent for a change.
    pub voucher: Option<VoucherId>,
    /// For a reset: the enrolled device doing it.
    pub device: Option<DeviceId>,
}

/// Answer to [`PasswordStartRequest`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasswordStartResponse {
    /// OPAQUE RegistrationResponse.
    pub registration_response: Bytes,
    /// Sealed server state to echo.
    pub state: Bytes,
    /// Login name (a reset starts from a voucher alone).
    pub username: String,
}

/// `POST /v1/password/finish` and `POST /v1/password/reset/finish`. Answer: 204; every other session ends.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasswordFinishRequest {
    /// From the start.
    pub state: Bytes,
    /// OPAQUE RegistrationUpload.
    pub registration_upload: Bytes,
    /// Device-key signature over the upload and the state (`trust::enrol::password_payload`).
    pub signature: Bytes,
    /// For a reset: the voucher key's signature over the same payload.
    pub voucher_signature: Option<Bytes>,
}

// ---------------------------------------------------------------- devices

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStatus {
    /// Enrolled, waits for another device of the official to cross-sign it.
    Pending,
    /// May be a leaf in conversations.
    Active,
    /// Cut off by the server; not yet by a signed revocation.
    Suspended,
    /// Revoked by a signed statement.
    Revoked,
}

/// A device of an official, with everything a client needs to believe it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeviceRecord {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// Status as the server sees it.
    pub status: DeviceStatus,
    /// The official's words for it (only told to that official).
    pub label: Option<String>,
    /// Assurance recorded at enrolment.
    pub assurance: Assurance,
    /// When enrolled.
    pub enrolled_at: Millis,
    /// When last seen (only told to that official).
    pub last_seen_at: Option<Millis>,
    /// The phone behind whose address its newest session began (only told to that official).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<LoginNetwork>,
    /// X.509 DER device certificate.
    pub device_certificate: Bytes,
    /// `trust::DeviceEvidence` in CBOR: grant, binding, cross-signature.
    pub evidence: Bytes,
    /// Signed revocation, if any.
    pub revocation: Option<Bytes>,
}

/// `GET /v1/officials/{official}/devices`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeviceList {
    /// Newest last.
    pub devices: Vec<DeviceRecord>,
}

/// `POST /v1/devices/{device}/cross-sign` by another active device of the official. Answer: 204.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CrossSignRequest {
    /// `trust::Statement::CrossSignature`, signed by the caller's device key.
    pub statement: Bytes,
}

/// `POST /v1/devices/{device}/revoke`: an official's own device, signed by another of theirs. Answer: 204.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RevokeDeviceRequest {
    /// `trust::Statement::Revocation`, signed by the caller's device key.
    pub statement: Bytes,
}

/// `POST /v1/mls-certificate`: a new short-lived MLS certificate. Needs only the device key, so a device that
/// was offline for weeks can renew before it logs in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MlsCertificateRequest {
    /// The device.
    pub device: DeviceId,
    /// Ed25519 public key (32 bytes).
    pub mls_key: Bytes,
    /// Device time.
    pub at: Millis,
    /// 16 random bytes; a repeated one is refused.
    pub nonce: Bytes,
    /// Signature by the device key that will sit in the certificate.
    pub mls_key_signature: Bytes,
    /// Signature by the device key over the request.
    pub signature: Bytes,
}

/// Answer to [`MlsCertificateRequest`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MlsCertificateResponse {
    /// X.509 DER.
    pub mls_certificate: Bytes,
    /// X.509 DER; renewed when it nears its end.
    pub device_certificate: Bytes,
    /// Server time.
    pub time: Millis,
}
