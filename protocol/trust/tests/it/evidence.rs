use crate::realm::*;
use pakawaaz_base::{DeviceId, Millis, OfficialId, Role};
use pakawaaz_trust::*;
use rand::rngs::OsRng;

#[test]
fn the_root_founds_and_two_administrators_grant() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    assert!(known.is_administrator(a.official) && known.is_administrator(b.official));
    let official = id(OfficialId::from_bytes);
    let first = realm.granted(&[&a, &b], official, GrantKind::First);
    let verified = verify_device(&first.evidence, &known, &realm.anchors, NOW).expect("two signed");
    assert_eq!((verified.official, verified.device, verified.administrator), (official, first.device, false));
    assert_eq!(verified.key, first.key.public_key());
    known.insert(&verified);
    assert!(!known.is_administrator(official));
    assert!(known.admin(first.device).is_none() && known.device(first.device).is_some());
}

#[test]
fn evidence_verifies_in_whatever_order_it_comes() {
    let realm = Realm::new();
    let (a, b) = (realm.founder(), realm.founder());
    let official = id(OfficialId::from_bytes);
    let first = realm.granted(&[&a, &b], official, GrantKind::First);
    let mut second = realm.granted(&[&a, &b], official, GrantKind::Additional);
    second.evidence.cross = Some(realm.cross(&second, &first));
    let lie = realm.granted(&[&a], official, GrantKind::First);
    let all = [&second, &lie, &first, &a, &b].map(|e| e.evidence.clone());
    let verdicts = KnownDevices::new().admit(&all, &realm.anchors, NOW);
    let good: Vec<_> = verdicts.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, true, true, true], "{verdicts:?}");
    assert_eq!(verdicts[1], Err(TrustError::NoQuorum));
}

#[test]
fn one_administrator_is_no_quorum_however_many_devices() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let official = id(OfficialId::from_bytes);
    let alone = realm.granted(&[&a], official, GrantKind::First);
    assert_eq!(verify_device(&alone.evidence, &known, &realm.anchors, NOW), Err(TrustError::NoQuorum));
    // A second device of the same administrator does not count again.
    let mut other = realm.granted(&[&a, &b], a.official, GrantKind::Additional);
    other.evidence.cross = Some(realm.cross(&other, &a));
    known.insert(&verify_device(&other.evidence, &known, &realm.anchors, NOW).expect("cross-signed"));
    let twice = realm.granted(&[&a, &other], official, GrantKind::First);
    assert_eq!(count_administrators(&twice.evidence.grant, &known), 1);
    assert_eq!(verify_device(&twice.evidence, &known, &realm.anchors, NOW), Err(TrustError::NoQuorum));
    let quorum = realm.granted(&[&other, &b], official, GrantKind::First);
    assert!(verify_device(&quorum.evidence, &known, &realm.anchors, NOW).is_ok());
}

#[test]
fn ordinary_officials_and_strangers_do_not_count() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let clerk = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    known.insert(&verify_device(&clerk.evidence, &known, &realm.anchors, NOW).expect("granted"));
    let stranger = Realm::new().founder();
    let minted = realm.granted(&[&a, &clerk, &stranger], id(OfficialId::from_bytes), GrantKind::First);
    assert_eq!(count_administrators(&minted.evidence.grant, &known), 1);
}

#[test]
fn the_root_grants_first_administrators_only() {
    let realm = Realm::new();
    for (kind, administrator) in [
        (GrantKind::First, false),
        (GrantKind::Additional, true),
        (GrantKind::Recovery, true),
        (GrantKind::Password, true),
    ] {
        let voucher = VoucherKey::from_seed(&[1; 32]);
        let grant = realm.grant(&voucher, id(OfficialId::from_bytes), kind, administrator);
        let mut signed = Signed::new(&Statement::Grant(grant)).expect("encodes");
        signed.sign_root(&realm.root).expect("signs");
        assert_eq!(verify_grant(&signed, &(), &realm.anchors), Err(TrustError::NoQuorum), "{kind:?}");
    }
}

#[test]
fn the_issuing_ca_cannot_mint_a_device() {
    let realm = Realm::new();
    let (a, b, known) = realm.founded();
    let victim = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    // The server makes a key and a certificate for the victim; it lacks the voucher key.
    let server = VoucherKey::from_seed(&[7; 32]);
    let minted = realm.enrol(victim.evidence.grant.clone(), &server, victim.official);
    assert_eq!(verify_device(&minted.evidence, &known, &realm.anchors, NOW), Err(TrustError::BadSignature));
    // Or puts its own certificate next to the victim's evidence.
    let swapped = DeviceEvidence { certificate: minted.evidence.certificate.clone(), ..victim.evidence.clone() };
    assert_eq!(verify_device(&swapped, &known, &realm.anchors, NOW), Err(TrustError::Mismatch));
    assert!(verify_device(&victim.evidence, &known, &realm.anchors, NOW).is_ok());
}

#[test]
fn an_additional_device_needs_another_valid_device_of_the_same_official() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let official = id(OfficialId::from_bytes);
    let first = realm.granted(&[&a, &b], official, GrantKind::First);
    known.insert(&verify_device(&first.evidence, &known, &realm.anchors, NOW).expect("granted"));
    let second = realm.granted(&[&a, &b], official, GrantKind::Additional);
    let with = |cross: Option<Signed>| DeviceEvidence { cross, ..second.evidence.clone() };
    let verdict = |e: &DeviceEvidence, k: &KnownDevices| verify_device(e, k, &realm.anchors, NOW).map(|_| ());
    assert_eq!(verdict(&with(None), &known), Err(TrustError::MissingSignature));
    assert_eq!(verdict(&with(Some(realm.cross(&second, &a))), &known), Err(TrustError::Mismatch));
    assert_eq!(verdict(&with(Some(realm.cross(&second, &second))), &known), Err(TrustError::Mismatch));
    let stranger = Realm::new().founder();
    assert_eq!(verdict(&with(Some(realm.cross(&second, &stranger))), &known), Err(TrustError::UnknownSigner));
    let forged = {
        let liar = Enrolled { key: SigningKey::generate(&mut OsRng), ..first.clone() };
        realm.cross(&second, &liar)
    };
    assert_eq!(verdict(&with(Some(forged)), &known), Err(TrustError::BadSignature));
    let good = with(Some(realm.cross(&second, &first)));
    assert_eq!(verdict(&good, &known), Ok(()));
    let revoked = realm.revocation(Subject::Device(first.device), &[&a, &b]);
    known.revoke(&verify_revocation(&revoked, &known, &realm.anchors).expect("quorum"));
    assert_eq!(verdict(&good, &known), Err(TrustError::UnknownSigner));
}

#[test]
fn password_grants_enrol_nothing() {
    let realm = Realm::new();
    let (a, b, known) = realm.founded();
    let device = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::Password);
    assert!(verify_grant(&device.evidence.grant, &known, &realm.anchors).is_ok());
    assert_eq!(verify_device(&device.evidence, &known, &realm.anchors, NOW), Err(TrustError::WrongStatement));
}

#[test]
fn bindings_hold_to_their_grant_and_its_time() {
    let realm = Realm::new();
    let (a, b, known) = realm.founded();
    let one = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    let two = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    let mixed = DeviceEvidence { binding: two.evidence.binding.clone(), ..one.evidence.clone() };
    assert_eq!(verify_device(&mixed, &known, &realm.anchors, NOW), Err(TrustError::Mismatch));
    let past = Millis(NOW.0 - 11 * 60_000);
    assert_eq!(verify_device(&one.evidence, &known, &realm.anchors, past), Err(TrustError::NotValidNow));
    let Ok(Statement::Grant(grant)) = one.evidence.grant.statement() else { panic!("a grant") };
    assert_eq!(grant.check_open(NOW), Ok(()));
    assert_eq!(grant.check_open(grant.not_after), Err(TrustError::NotValidNow));
    // Years later an enrolled device is still believed.
    assert!(verify_device(&one.evidence, &known, &realm.anchors, Millis(NOW.0 * 2)).is_ok());
}

#[test]
fn another_realm_is_another_world() {
    let realm = Realm::new();
    let founder = realm.founder();
    let elsewhere = TrustAnchors { realm: "other.example".into(), ..realm.anchors.clone() };
    assert_eq!(verify_device(&founder.evidence, &(), &elsewhere, NOW), Err(TrustError::WrongRealm));
    let other_root = TrustAnchors { root_key: Realm::new().anchors.root_key, ..realm.anchors.clone() };
    assert_eq!(verify_device(&founder.evidence, &(), &other_root, NOW), Err(TrustError::NoQuorum));
}

#[test]
fn revocations_need_two_administrators_or_a_sister_device() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let official = id(OfficialId::from_bytes);
    let first = realm.granted(&[&a, &b], official, GrantKind::First);
    known.insert(&verify_device(&first.evidence, &known, &realm.anchors, NOW).expect("granted"));
    let mut second = realm.granted(&[&a, &b], official, GrantKind::Additional);
    second.evidence.cross = Some(realm.cross(&second, &first));
    known.insert(&verify_device(&second.evidence, &known, &realm.anchors, NOW).expect("cross-signed"));
    let subject = Subject::Device(second.device);
    let good =
        |by: &[&Enrolled], subject| verify_revocation(&realm.revocation(subject, by), &known, &realm.anchors).is_ok();
    assert!(good(&[&a, &b], subject) && good(&[&first], subject));
    assert!(!good(&[&second], subject), "not itself");
    assert!(!good(&[&a], subject), "not one administrator");
    assert!(!good(&[], subject));
    assert!(!good(&[&first], Subject::Official(official)), "a device cannot end its official");
    assert!(good(&[&a, &b], Subject::Official(official)));
    known.revoke(&verify_revocation(&realm.revocation(subject, &[&first]), &known, &realm.anchors).expect("sister"));
    assert_eq!(known.device(second.device).map(|d| d.valid), Some(false));
    // A revoked device stays revoked, even if its evidence is shown again.
    let verified = verify_device(&second.evidence, &known, &realm.anchors, NOW).expect("the evidence is old");
    known.insert(&verified);
    assert_eq!(known.device(second.device).map(|d| d.valid), Some(false));
}

#[test]
fn roles_change_the_quorum() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let c = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    known.insert(&verify_device(&c.evidence, &known, &realm.anchors, NOW).expect("granted"));
    let change = |official, granted, by: &[&Enrolled]| {
        let change =
            RoleChange { realm: REALM.into(), id: id(|b| b), official, role: Role::Administrator, granted, at: NOW };
        let mut signed = Signed::new(&Statement::RoleChange(change)).expect("encodes");
        by.iter().for_each(|d| signed.sign_device(d.device, &d.key).expect("signs"));
        signed
    };
    assert!(verify_role_change(&change(c.official, true, &[&a, &c]), &known, &realm.anchors).is_err());
    let made = verify_role_change(&change(c.official, true, &[&a, &b]), &known, &realm.anchors).expect("quorum");
    known.change_role(&made);
    let gone = verify_role_change(&change(b.official, false, &[&a, &c]), &known, &realm.anchors).expect("quorum");
    known.change_role(&gone);
    let grant = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    assert_eq!(count_administrators(&grant.evidence.grant, &known), 1);
    // Showing the founder's evidence again does not bring the role back.
    known.insert(&verify_device(&b.evidence, &known, &realm.anchors, NOW).expect("old evidence"));
    assert!(!known.is_administrator(b.official));
    // Nor does replaying an older change.
    let older = RoleChange { at: Millis(NOW.0 - 1), granted: true, ..gone };
    known.change_role(&older);
    assert!(!known.is_administrator(b.official));
    known.change_role(&RoleChange { at: Millis(NOW.0 + 1), ..older });
    assert!(known.is_administrator(b.official), "a newer one does");
}

#[test]
fn signatures_gather_on_different_machines() {
    let realm = Realm::new();
    let (a, b, known) = realm.founded();
    let subject = Subject::Device(id(DeviceId::from_bytes));
    let mut mine = realm.revocation(subject, &[&a]);
    let mut theirs = Signed::from_bytes(&mine.to_bytes().expect("encodes")).expect("decodes");
    theirs.sign_device(b.device, &b.key).expect("signs");
    assert_eq!(theirs.sign_device(b.device, &b.key), Err(TrustError::Mismatch), "nobody signs twice");
    mine.merge(&theirs).expect("the same statement");
    assert!(verify_revocation(&mine, &known, &realm.anchors).is_ok());
    assert_eq!(mine.merge(&realm.revocation(subject, &[&b])), Err(TrustError::Mismatch), "another statement");
}

#[test]
fn an_unused_grant_brings_nobody_back() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    // A third administrator, whose second device is bound only after the role was taken away.
    let (third, late) = (realm.founder(), Millis(NOW.0 + 3_600_000));
    let mut device = verify_device(&third.evidence, &known, &realm.anchors, NOW).expect("founded");
    known.insert(&device);
    assert!(known.is_administrator(third.official));
    let signed = realm.revocation(Subject::Administrator(third.official), &[&a, &b]);
    let mut revocation = verify_revocation(&signed, &known, &realm.anchors).expect("two signed");
    revocation.at = Millis(NOW.0 + 60_000);
    known.revoke(&revocation);
    (device.device, device.bound_at) = (id(DeviceId::from_bytes), late);
    known.insert(&device);
    assert!(!known.is_administrator(third.official), "the grant is older than the revocation");

    // A revoked official's voucher, and a device whose revocation is known before the device.
    let clerk = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    let clerk = verify_device(&clerk.evidence, &known, &realm.anchors, NOW).expect("granted");
    let mut other = clerk.clone();
    (other.device, other.official) = (id(DeviceId::from_bytes), id(OfficialId::from_bytes));
    for subject in [Subject::Official(clerk.official), Subject::Device(other.device)] {
        let signed = realm.revocation(subject, &[&a, &b]);
        known.revoke(&verify_revocation(&signed, &known, &realm.anchors).expect("two signed"));
    }
    for device in [&clerk, &other] {
        known.insert(device);
        assert!(!known.device(device.device).expect("known").valid);
    }
}

#[test]
fn appointments_need_two_administrators_and_times_that_make_sense() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let clerk = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    known.insert(&verify_device(&clerk.evidence, &known, &realm.anchors, NOW).expect("granted"));
    let year = 365 * 86_400_000;
    let verify = |signed: &Signed| verify_appointment(signed, &known, &realm.anchors);
    assert!(verify(&realm.appointment(&[&a, &b], year)).is_ok());
    for by in [&[][..], &[&a], &[&a, &clerk]] {
        assert_eq!(verify(&realm.appointment(by, year)), Err(TrustError::NoQuorum));
    }
    let longest = Appointment::MAX_LASTS.as_millis() as i64;
    assert!(verify(&realm.appointment(&[&a, &b], longest)).is_ok());
    for lasts in [0, -1, longest + 1, i64::MAX] {
        let refused = verify(&realm.appointment(&[&a, &b], lasts));
        assert_eq!(refused, Err(TrustError::Malformed("appointment")), "{lasts}");
    }
    let elsewhere = TrustAnchors { realm: "other.example".into(), ..realm.anchors.clone() };
    let good = realm.appointment(&[&a, &b], year);
    assert_eq!(verify_appointment(&good, &known, &elsewhere), Err(TrustError::WrongRealm));
    let other = realm.revocation(Subject::Official(clerk.official), &[&a, &b]);
    assert_eq!(verify(&other), Err(TrustError::WrongStatement));
    assert_eq!(verify_revocation(&good, &known, &realm.anchors), Err(TrustError::WrongStatement));
}

#[test]
fn an_appointment_is_in_force_between_its_times_and_the_newest_counts() {
    let realm = Realm::new();
    let Ok(Statement::Appointment(one)) = realm.appointment(&[], 1000).statement() else { panic!("an appointment") };
    assert!(one.in_force(NOW) && one.in_force(Millis(NOW.0 + 999)));
    assert!(!one.in_force(Millis(NOW.0 + 1000)), "over");
    assert!(one.in_force(Millis(NOW.0 - 600_000)), "ten minutes for clocks");
    assert!(!one.in_force(Millis(NOW.0 - 600_001)), "not begun");
    let mut ended = Appointment { kind: AppointmentKind::Ended, ..one.clone() };
    assert!(ended.check_times().is_err() && !ended.in_force(NOW));
    ended.not_after = ended.not_before;
    assert!(ended.check_times().is_ok() && !ended.in_force(NOW));
    let mut low = one.id;
    low[15] = low[15].wrapping_sub(1);
    assert!(one.newer_than(Millis(NOW.0 - 1), &[255; 16]) && !one.newer_than(Millis(NOW.0 + 1), &[0; 16]));
    assert!(!one.newer_than(one.at, &one.id), "not than itself");
    assert_eq!(one.newer_than(one.at, &low), one.id > low);
}

/// Everything that a store would keep: a row for each official and each revoked device.
fn from_rows(known: &KnownDevices) -> KnownDevices {
    let KnownChanges { officials, ended_devices } = known.changed_since(&KnownDevices::new());
    let mut again = KnownDevices::new();
    officials.into_iter().for_each(|o| again.add_official(o, known.official(o)));
    ended_devices.into_iter().for_each(|d| again.add_ended_device(d));
    again
}

#[test]
fn what_is_known_comes_back_from_its_rows() {
    let realm = Realm::new();
    let (a, b, mut known) = realm.founded();
    let clerk = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    let before = known.clone();
    known.insert(&verify_device(&clerk.evidence, &known, &realm.anchors, NOW).expect("granted"));
    let changes = known.changed_since(&before);
    assert_eq!(changes.officials.into_iter().collect::<Vec<_>>(), [clerk.official], "the others' rows stay");
    let stranger = id(DeviceId::from_bytes);
    for subject in [Subject::Device(stranger), Subject::Official(clerk.official), Subject::Administrator(b.official)] {
        let before = known.clone();
        known.revoke(&Revocation { realm: String::new(), id: [1; 16], subject, at: NOW, reason: 1 });
        let changes = known.changed_since(&before);
        assert_eq!(changes.officials.len() + changes.ended_devices.len(), 1, "{subject:?}");
        assert_eq!(from_rows(&known), known);
    }
    assert!(!known.is_administrator(b.official) && known.is_administrator(a.official));
}

#[test]
fn two_ways_of_learning_come_together_in_any_order() {
    let realm = Realm::new();
    let (a, b, known) = realm.founded();
    let clerk = realm.granted(&[&a, &b], id(OfficialId::from_bytes), GrantKind::First);
    // One heard of the official, the other of the end.
    let (mut one, mut other) = (known.clone(), known);
    one.insert(&verify_device(&clerk.evidence, &one, &realm.anchors, NOW).expect("granted"));
    for subject in [Subject::Device(clerk.device), Subject::Official(clerk.official), Subject::Device(a.device)] {
        other.revoke(&Revocation { realm: String::new(), id: [1; 16], subject, at: NOW, reason: 1 });
        let (mut there, mut back) = (one.clone(), other.clone());
        there.merge(&other);
        back.merge(&one);
        assert_eq!(there, back);
        assert!(!there.device(clerk.device).expect("known").valid, "nobody comes back");
    }
}
