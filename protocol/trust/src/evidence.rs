//! Who may speak for whom: verifying grants, devices, revocations and roles.
//!
//! Everything leads to the pinned root key: the root grants the first two administrators, two administrators grant
//! everybody else. The certificate authority sits with the server, so certificates play no part in *whom* to believe.

use crate::keys::{PublicKeyBytes, check_public_key};
use crate::signed::{MAX_SIGNED, Signed};
use crate::statement::{Appointment, ChannelMode, CrossSignature, DeviceBinding, Grant, GrantKind, Revocation};
use crate::statement::{RoleChange, Statement, Subject};
use crate::x509::{CaChain, DeviceCertificate};
use crate::{TrustError, cbor};
use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Distinct administrators that must sign.
pub const QUORUM: usize = 2;
/// Largest encoded [`DeviceEvidence`] in bytes.
pub const MAX_EVIDENCE: usize = 3 * MAX_SIGNED + 4096 + 256;

/// What a client pins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustAnchors {
    /// Realm.
    pub realm: String,
    /// The root's P-256 key (root CA and root of statements).
    #[serde(with = "cbor::array")]
    pub root_key: PublicKeyBytes,
}

impl TrustAnchors {
    /// Anchors from the server's CA chain (DER, root first), held against the pin of a voucher.
    pub fn from_chain(realm: &str, ca_pin: &[u8; 32], chain: &[Bytes], now: Millis) -> Result<Self, TrustError> {
        let chain = CaChain::verify(chain, ca_pin, now)?;
        Ok(Self { realm: realm.to_owned(), root_key: *chain.root_key() })
    }
}

/// A device whose evidence has been verified, as far as a signature check needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDevice {
    /// Whose.
    pub official: OfficialId,
    /// Its key.
    #[serde(with = "cbor::array")]
    pub key: PublicKeyBytes,
    /// Whether it may still sign.
    pub valid: bool,
}

/// Where verified devices are looked up.
pub trait AdminLookup {
    /// The device, if its official is an administrator.
    fn admin(&self, device: DeviceId) -> Option<KnownDevice>;
    /// The device of whatever official, for cross-signatures and revocations of an official's own devices.
    fn device(&self, device: DeviceId) -> Option<KnownDevice>;
}

/// A lookup that knows nobody: only the root's own grants verify.
impl AdminLookup for () {
    fn admin(&self, _: DeviceId) -> Option<KnownDevice> {
        None
    }
    fn device(&self, _: DeviceId) -> Option<KnownDevice> {
        None
    }
}

/// What makes a device believable: CBOR, served with `DeviceRecord` of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEvidence {
    /// [`Grant`], signed by two administrators or the root.
    pub grant: Signed,
    /// [`DeviceBinding`], signed by the voucher and the device.
    pub binding: Signed,
    /// [`CrossSignature`] of another device of the official; needed for [`GrantKind::Additional`].
    pub cross: Option<Signed>,
    /// X.509 DER device certificate.
    pub certificate: Bytes,
}

impl DeviceEvidence {
    /// The deterministic encoding.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TrustError> {
        let bytes = cbor::encode(self)?;
        if bytes.len() > MAX_EVIDENCE { Err(TrustError::TooLarge) } else { Ok(bytes) }
    }
    /// Reads the deterministic encoding; verifies nothing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TrustError> {
        cbor::decode(bytes, MAX_EVIDENCE, "device evidence")
    }
}

/// A device that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedDevice {
    /// Whose.
    pub official: OfficialId,
    /// The device.
    pub device: DeviceId,
    /// Its key.
    #[serde(with = "cbor::array")]
    pub key: PublicKeyBytes,
    /// Whether its grant made the official an administrator. Later role changes may say otherwise.
    pub administrator: bool,
    /// How it was enrolled.
    pub kind: GrantKind,
    /// How it binds its logins.
    pub channel: ChannelMode,
    /// When it was bound (the device's claim).
    pub bound_at: Millis,
    /// When its grant was signed: the signers' word, unlike `bound_at`.
    pub granted_at: Millis,
}

/// How many *distinct administrators* (officials, not devices) signed validly.
///
/// Signatures of unknown devices are ignored; a wrong signature of a known administrator counts for nothing.
pub fn count_administrators(signed: &Signed, admins: &impl AdminLookup) -> usize {
    let mut officials = BTreeSet::new();
    for device in signed.device_signers() {
        if let Some(admin) = admins.admin(device)
            && admin.valid
            && signed.verify_device(device, &admin.key).is_ok()
        {
            officials.insert(admin.official);
        }
    }
    officials.len()
}

fn quorum(signed: &Signed, admins: &impl AdminLookup) -> Result<(), TrustError> {
    if count_administrators(signed, admins) >= QUORUM { Ok(()) } else { Err(TrustError::NoQuorum) }
}

fn statement_of(signed: &Signed, anchors: &TrustAnchors) -> Result<Statement, TrustError> {
    let statement = signed.statement()?;
    if statement.realm() != anchors.realm { Err(TrustError::WrongRealm) } else { Ok(statement) }
}

/// Verifies a grant: two administrators, or the root for a first device of an administrator (installation only).
///
/// Does not look at the clock: an old grant stays the reason of an enrolled device. Call [`Grant::check_open`] when
/// the voucher is used.
pub fn verify_grant(signed: &Signed, admins: &impl AdminLookup, anchors: &TrustAnchors) -> Result<Grant, TrustError> {
    let Statement::Grant(grant) = statement_of(signed, anchors)? else { return Err(TrustError::WrongStatement) };
    let by_root = grant.kind == GrantKind::First
        && grant.administrator
        && signed.find(crate::Signer::Root).is_ok()
        && signed.verify_root(&anchors.root_key).is_ok();
    if !by_root {
        quorum(signed, admins)?;
    }
    Ok(grant)
}

impl Grant {
    /// Whether the voucher may still be used at `now`.
    pub fn check_open(&self, now: Millis) -> Result<(), TrustError> {
        if now >= self.not_after { Err(TrustError::NotValidNow) } else { Ok(()) }
    }
}

/// Verifies that `binding` takes `grant`: same grant, official and realm, signed by the voucher key and the device.
///
/// The grant's own signatures are the business of [`verify_grant`].
pub fn verify_binding(grant: &Signed, binding: &Signed, anchors: &TrustAnchors) -> Result<DeviceBinding, TrustError> {
    let Statement::Grant(given) = statement_of(grant, anchors)? else { return Err(TrustError::WrongStatement) };
    let Statement::DeviceBinding(taken) = statement_of(binding, anchors)? else {
        return Err(TrustError::WrongStatement);
    };
    if given.kind == GrantKind::Password {
        return Err(TrustError::WrongStatement);
    }
    if taken.grant != grant.payload_hash() || taken.official != given.official {
        return Err(TrustError::Mismatch);
    }
    if taken.bound_at > given.not_after {
        return Err(TrustError::NotValidNow);
    }
    check_public_key(&taken.device_key)?;
    binding.verify_voucher(&given.voucher_key)?;
    binding.verify_device(taken.device, &taken.device_key)?;
    Ok(taken)
}

/// Verifies a cross-signature for the device of `binding` by another, known and valid device of the same official.
pub fn verify_cross_signature(
    signed: &Signed,
    binding: &DeviceBinding,
    known: &impl AdminLookup,
    anchors: &TrustAnchors,
) -> Result<CrossSignature, TrustError> {
    let Statement::CrossSignature(cross) = statement_of(signed, anchors)? else {
        return Err(TrustError::WrongStatement);
    };
    let same = cross.official == binding.official
        && cross.device == binding.device
        && cross.device_key == binding.device_key
        && cross.by != cross.device;
    if !same {
        return Err(TrustError::Mismatch);
    }
    let by = known.device(cross.by).filter(|d| d.valid).ok_or(TrustError::UnknownSigner)?;
    if by.official != cross.official || by.key == cross.device_key {
        return Err(TrustError::Mismatch);
    }
    signed.verify_device(cross.by, &by.key)?;
    Ok(cross)
}

/// Verifies everything about a device: grant, binding, cross-signature where needed, and that the certificate is for
/// the same official, device and key.
///
/// `now` bounds claims about time from above (with ten minutes of tolerance). Revocation is not in the evidence: the
/// caller asks for it separately.
pub fn verify_device(
    evidence: &DeviceEvidence,
    known: &impl AdminLookup,
    anchors: &TrustAnchors,
    now: Millis,
) -> Result<VerifiedDevice, TrustError> {
    let grant = verify_grant(&evidence.grant, known, anchors)?;
    let binding = verify_binding(&evidence.grant, &evidence.binding, anchors)?;
    if grant.kind == GrantKind::Additional || evidence.cross.is_some() {
        let cross = evidence.cross.as_ref().ok_or(TrustError::MissingSignature)?;
        verify_cross_signature(cross, &binding, known, anchors)?;
    }
    if binding.bound_at > now.plus(crate::x509::CLOCK_SKEW) {
        return Err(TrustError::NotValidNow);
    }
    let certificate = DeviceCertificate::parse(&evidence.certificate)?;
    let same = certificate.official == binding.official
        && certificate.device == binding.device
        && certificate.key == binding.device_key
        && certificate.realm == binding.realm;
    if !same {
        return Err(TrustError::Mismatch);
    }
    Ok(VerifiedDevice {
        official: binding.official,
        device: binding.device,
        key: binding.device_key,
        administrator: grant.administrator,
        kind: grant.kind,
        channel: binding.channel,
        bound_at: binding.bound_at,
        granted_at: grant.issued_at,
    })
}

/// Verifies a revocation: two administrators, or, of a device, one *other* valid device of the same official.
pub fn verify_revocation(
    signed: &Signed,
    known: &impl AdminLookup,
    anchors: &TrustAnchors,
) -> Result<Revocation, TrustError> {
    let Statement::Revocation(revocation) = statement_of(signed, anchors)? else {
        return Err(TrustError::WrongStatement);
    };
    if let Subject::Device(device) = revocation.subject
        && let Some(ended) = known.device(device)
    {
        let by_own = signed.device_signers().any(|signer| {
            signer != device
                && known.device(signer).is_some_and(|by| {
                    by.valid && by.official == ended.official && signed.verify_device(signer, &by.key).is_ok()
                })
        });
        if by_own {
            return Ok(revocation);
        }
    }
    quorum(signed, known)?;
    Ok(revocation)
}

/// Verifies a change of role: two administrators.
pub fn verify_role_change(
    signed: &Signed,
    admins: &impl AdminLookup,
    anchors: &TrustAnchors,
) -> Result<RoleChange, TrustError> {
    let Statement::RoleChange(change) = statement_of(signed, anchors)? else {
        return Err(TrustError::WrongStatement);
    };
    quorum(signed, admins)?;
    Ok(change)
}

/// Verifies an appointment: two administrators, and times that make sense.
///
/// Does not look at the clock: call [`Appointment::in_force`] before showing a holder.
pub fn verify_appointment(
    signed: &Signed,
    admins: &impl AdminLookup,
    anchors: &TrustAnchors,
) -> Result<Appointment, TrustError> {
    let Statement::Appointment(appointment) = statement_of(signed, anchors)? else {
        return Err(TrustError::WrongStatement);
    };
    appointment.check_times()?;
    quorum(signed, admins)?;
    Ok(appointment)
}

/// Verified devices and administrators, as a client keeps them. Serialisable; grows only through verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDevices {
    devices: BTreeMap<DeviceId, KnownDevice>,
    /// Who is or was an administrator, and since when: the newest statement counts, so that showing an old one again
    /// brings nobody back.
    administrators: BTreeMap<OfficialId, (Millis, bool)>,
    /// Revoked for good, whether or not their devices were known then.
    #[serde(default)]
    ended_officials: BTreeSet<OfficialId>,
    #[serde(default)]
    ended_devices: BTreeSet<DeviceId>,
}

/// What [`KnownDevices`] holds about one official, for a store that keeps a row for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownOfficial {
    devices: BTreeMap<DeviceId, KnownDevice>,
    administrator: Option<(Millis, bool)>,
    ended: bool,
}

/// What changed in [`KnownDevices`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownChanges {
    /// Officials whose [`KnownOfficial`] is another one.
    pub officials: BTreeSet<OfficialId>,
    /// Devices that were revoked, known or not.
    pub ended_devices: BTreeSet<DeviceId>,
}

impl KnownDevices {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }
    /// What is known about one official; revoked devices beside it.
    pub fn official(&self, official: OfficialId) -> KnownOfficial {
        let of = |(_, known): &(&DeviceId, &KnownDevice)| known.official == official;
        KnownOfficial {
            devices: self.devices.iter().filter(of).map(|(device, known)| (*device, *known)).collect(),
            administrator: self.administrators.get(&official).copied(),
            ended: self.ended_officials.contains(&official),
        }
    }
    /// What is known here and was not, or was otherwise, in `before`. Nothing is ever forgotten.
    pub fn changed_since(&self, before: &Self) -> KnownChanges {
        let mut officials = BTreeSet::new();
        officials
            .extend(self.devices.iter().filter(|(d, k)| before.devices.get(d) != Some(k)).map(|(_, k)| k.official));
        let role = |(o, r): &(&OfficialId, &(Millis, bool))| before.administrators.get(o) != Some(r);
        officials.extend(self.administrators.iter().filter(role).map(|(o, _)| *o));
        officials.extend(self.ended_officials.difference(&before.ended_officials));
        KnownChanges {
            officials,
            ended_devices: self.ended_devices.difference(&before.ended_devices).copied().collect(),
        }
    }
    /// Takes over what was kept of an official, whatever was learnt since: the result is the same in any order.
    pub fn add_official(&mut self, official: OfficialId, row: KnownOfficial) {
        if let Some((at, granted)) = row.administrator {
            self.set_administrator(official, at, granted);
        }
        if row.ended && self.ended_officials.insert(official) {
            self.devices.values_mut().filter(|d| d.official == official).for_each(|d| d.valid = false);
        }
        let official_ended = self.ended_officials.contains(&official);
        for (device, known) in row.devices.into_iter().filter(|(_, known)| known.official == official) {
            let valid = known.valid && !official_ended && !self.ended_devices.contains(&device);
            let kept = self.devices.entry(device).or_insert(known);
            if kept.official == official {
                kept.valid &= valid;
            }
        }
    }
    /// Takes over that a device was revoked.
    pub fn add_ended_device(&mut self, device: DeviceId) {
        self.ended_devices.insert(device);
        if let Some(known) = self.devices.get_mut(&device) {
            known.valid = false;
        }
    }
    /// Takes over everything that is known to `other`.
    pub fn merge(&mut self, other: &Self) {
        let KnownChanges { officials, ended_devices } = other.changed_since(self);
        officials.into_iter().for_each(|official| self.add_official(official, other.official(official)));
        ended_devices.into_iter().for_each(|device| self.add_ended_device(device));
    }
    /// Adds a device that [`verify_device`] returned. What was revoked stays revoked, in whatever order it is learnt:
    /// an unused grant brings nobody back.
    pub fn insert(&mut self, device: &VerifiedDevice) {
        let official_ended = self.ended_officials.contains(&device.official);
        if device.administrator && !official_ended {
            // Not `bound_at`: that is the device's own claim, and later than a revocation if it likes.
            self.set_administrator(device.official, device.granted_at, true);
        }
        let valid = !official_ended && !self.ended_devices.contains(&device.device);
        let known = KnownDevice { official: device.official, key: device.key, valid };
        self.devices.entry(device.device).or_insert(known);
    }
    /// Whether `official` is an administrator as far as verified statements tell.
    pub fn is_administrator(&self, official: OfficialId) -> bool {
        self.administrators.get(&official).is_some_and(|(_, granted)| *granted)
    }
    /// Verifies and adds as many of `all` as can be believed, in whatever order they depend on each other (an
    /// administrator's device before what it granted). Answers with each device's verdict, in the order given.
    pub fn admit(
        &mut self,
        all: &[DeviceEvidence],
        anchors: &TrustAnchors,
        now: Millis,
    ) -> Vec<Result<VerifiedDevice, TrustError>> {
        let mut verdicts: Vec<_> = all.iter().map(|_| Err(TrustError::UnknownSigner)).collect();
        loop {
            let mut progress = false;
            for (evidence, verdict) in all.iter().zip(&mut verdicts) {
                if verdict.is_ok() {
                    continue;
                }
                *verdict = verify_device(evidence, self, anchors, now);
                if let Ok(device) = verdict {
                    self.insert(device);
                    progress = true;
                }
            }
            if !progress {
                return verdicts;
            }
        }
    }
    /// Applies a revocation that [`verify_revocation`] returned.
    pub fn revoke(&mut self, revocation: &Revocation) {
        match revocation.subject {
            Subject::Device(device) => {
                self.ended_devices.insert(device);
                if let Some(known) = self.devices.get_mut(&device) {
                    known.valid = false;
                }
            }
            Subject::Official(official) => {
                self.ended_officials.insert(official);
                self.set_administrator(official, revocation.at, false);
                self.devices.values_mut().filter(|d| d.official == official).for_each(|d| d.valid = false);
            }
            Subject::Administrator(official) => self.set_administrator(official, revocation.at, false),
            Subject::Sim(_) => {}
        }
    }
    /// Applies a change that [`verify_role_change`] returned.
    pub fn change_role(&mut self, change: &RoleChange) {
        if change.role == Role::Administrator {
            self.set_administrator(change.official, change.at, change.granted);
        }
    }

    fn set_administrator(&mut self, official: OfficialId, at: Millis, granted: bool) {
        // At the same instant, taking away wins.
        let newer = |&(since, was): &(Millis, bool)| at > since || (at == since && was && !granted);
        if self.administrators.get(&official).is_none_or(newer) {
            self.administrators.insert(official, (at, granted));
        }
    }
}

impl AdminLookup for KnownDevices {
    fn admin(&self, device: DeviceId) -> Option<KnownDevice> {
        self.device(device).filter(|d| self.is_administrator(d.official))
    }
    fn device(&self, device: DeviceId) -> Option<KnownDevice> {
        self.devices.get(&device).copied()
    }
}
