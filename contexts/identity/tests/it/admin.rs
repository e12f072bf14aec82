//! Dual control, roles, revocations, audit.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, World};
use pakawaaz_base::{Bytes, Millis, OfficialId, PostId, Role};
use pakawaaz_contract::admin::{self, ProposalKind, ProposalRequest, ProposalStatus};
use pakawaaz_identity::Error;
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::{Appointment, AppointmentKind, GrantKind, Signed, Statement, Subject};
use std::time::Duration;

store_test!(nothing_happens_without_two_distinct_administrators, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let official = world.official(3, "amna.khan").await;
    let (statement, voucher) = world.grant(official, GrantKind::First);
    let proposal = world.propose(&first, ProposalKind::Grants, std::slice::from_ref(&statement)).await.unwrap();
    assert_eq!(proposal.status, ProposalStatus::Open);
    assert_eq!(world.enrol(&voucher, 3, Some(PASSWORD)).await.err(), Some(Error::VoucherInvalid));
    assert!(world.approve(&first, &proposal).await.is_err(), "the same one twice");

    // A second device key of the same administrator is no second administrator either, and both signatures made by
    // one cannot be smuggled in with the proposal.
    let mut both = Signed::new(&statement).unwrap();
    both.sign_device(first.device, &first.key).unwrap();
    both.sign_device(second.device, &first.key).unwrap();
    let statements = vec![Bytes(both.to_bytes().unwrap())];
    let smuggled = ProposalRequest { kind: ProposalKind::Grants, statements };
    assert!(matches!(world.identity.propose(&first.actor(), &smuggled).await, Err(Error::ProposalInvalid(_))));

    // A wrong signature of the right person.
    let wrong = admin::ApproveRequest { signatures: vec![Bytes(vec![1; 64])] };
    assert!(world.identity.approve(&second.actor(), proposal.proposal, &wrong).await.is_err());
    let done = world.approve(&second, &proposal).await.unwrap();
    assert_eq!((done.status, done.approved_by), (ProposalStatus::Executed, vec![second.official]));
    assert_eq!(world.approve(&second, &proposal).await.err(), Some(Error::Conflict("proposal")));
    let mut person = world.enrol(&voucher, 3, Some(PASSWORD)).await.unwrap();
    world.login(&mut person, PASSWORD).await.unwrap();

    // Whoever is no administrator can neither propose nor sign.
    assert_eq!(person.roles, []);
    let (statement, _) = world.grant(official, GrantKind::Additional);
    let refused = world.propose(&person, ProposalKind::Grants, std::slice::from_ref(&statement)).await;
    assert_eq!(refused.err(), Some(Error::Forbidden));
    let proposal = world.propose(&first, ProposalKind::Grants, &[statement]).await.unwrap();
    let mut pretending = person.actor();
    pretending.roles = vec![Role::Administrator];
    let signature = admin::ApproveRequest { signatures: vec![Bytes(vec![1; 64])] };
    let refused = world.identity.approve(&pretending, proposal.proposal, &signature).await;
    assert_eq!(refused.err(), Some(Error::Forbidden), "roles are looked up, not believed");
});

store_test!(one_administrator_cannot_bury_the_proposals_of_others, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let official = world.official(3, "amna.khan").await;
    let statement = world.grant(official, GrantKind::First).0;
    let honest = world.propose(&second, ProposalKind::Grants, std::slice::from_ref(&statement)).await.unwrap();
    let request = ProposalRequest { kind: ProposalKind::Grants, statements: vec![first.signed(&statement)] };
    let mut last = None;
    for _ in 0..100 {
        last = Some(world.identity.propose(&first.actor(), &request).await.unwrap().proposal);
    }
    let refused = world.identity.propose(&first.actor(), &request).await;
    assert!(matches!(refused, Err(Error::ProposalInvalid(_))), "{refused:?}");
    let list = world.identity.proposals(&second.actor(), Some(ProposalStatus::Open)).await.unwrap();
    assert!(list.proposals.iter().any(|p| p.proposal == honest.proposal));
    world.identity.withdraw(&first.actor(), last.unwrap()).await.unwrap();
    world.identity.propose(&first.actor(), &request).await.expect("there is room again");
});

store_test!(proposals_are_withdrawn_listed_and_expire, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let official = world.official(3, "amna.khan").await;
    let (a, b) = (world.grant(official, GrantKind::First).0, world.grant(official, GrantKind::First).0);
    let withdrawn = world.propose(&first, ProposalKind::Grants, std::slice::from_ref(&a)).await.unwrap();
    let forgotten = world.propose(&first, ProposalKind::Grants, &[b]).await.unwrap();
    let twice = world.propose(&first, ProposalKind::Grants, &[a.clone(), a]).await;
    assert!(matches!(twice, Err(Error::ProposalInvalid(_))));
    world.identity.withdraw(&second.actor(), withdrawn.proposal).await.unwrap();
    assert_eq!(world.approve(&second, &withdrawn).await.err(), Some(Error::Conflict("proposal")));
    let open = world.identity.proposals(&second.actor(), Some(ProposalStatus::Open)).await.unwrap();
    assert_eq!(open.proposals.iter().map(|p| p.proposal).collect::<Vec<_>>(), [forgotten.proposal]);
    world.pass(Duration::from_secs(7 * 24 * 3600)).await;
    assert_eq!(world.approve(&second, &forgotten).await.err(), Some(Error::Conflict("proposal")));
    world.identity.clean().await.unwrap();
    let all = world.identity.proposals(&second.actor(), None).await.unwrap().proposals;
    let mut states: Vec<_> = all.iter().map(|p| p.status).collect();
    states.sort_by_key(|s| format!("{s:?}"));
    assert_eq!(states, [ProposalStatus::Expired, ProposalStatus::Withdrawn]);
});

store_test!(roles_are_given_and_taken_by_two_and_take_effect_at_once, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let person = world.person((&first, &second), 3, "amna.khan").await;
    let give = first.role_change(person.official, Role::Auditor, true, world.now());
    let proposal = world.propose(&first, ProposalKind::Roles, &[give]).await.unwrap();
    world.approve(&second, &proposal).await.unwrap();
    let actor = world.authenticate(&person).await.unwrap();
    assert_eq!(actor.roles, [Role::Auditor], "the running session has it");

    let page = world.identity.audit_page(&actor, 0, 500).await.unwrap();
    assert!(page.verified);
    assert_eq!(page.entries.first().map(|e| e.seq), Some(1));
    assert_eq!(page.entries.last().map(|e| e.action.as_str()), Some("identity.proposal_executed"));
    let rest = world.identity.audit_page(&actor, page.entries[2].seq, 2).await.unwrap();
    assert_eq!(rest.entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(world.identity.list_sims(&actor).await.err(), Some(Error::Forbidden), "auditors only read the log");

    // Two administrators must remain.
    let take = first.role_change(second.official, Role::Administrator, false, world.now());
    let proposal = world.propose(&first, ProposalKind::Roles, &[take]).await.unwrap();
    assert!(matches!(world.approve(&second, &proposal).await, Err(Error::ProposalInvalid(_))));
    world.authenticate(&second).await.unwrap();
    let still = world.identity.account(&first.actor(), second.official).await.unwrap();
    assert_eq!(still.roles, [Role::Administrator]);
});

store_test!(a_revoked_official_is_gone_with_every_device, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    let statement = first.revocation(Subject::Official(person.official), world.now());
    let proposal = world.propose(&first, ProposalKind::Revocations, &[statement]).await.unwrap();
    world.authenticate(&person).await.expect("not yet");
    world.approve(&second, &proposal).await.unwrap();
    assert_eq!(world.authenticate(&person).await.err().as_deref(), Some("identity.session_ended"));
    assert_eq!(world.login_tokens(&mut person, PASSWORD).await.err(), Some(Error::DeviceNotActive));
    assert!(world.identity.active_devices(person.official).await.unwrap().is_empty());
    let device = world.identity.device(person.device).await.unwrap().unwrap();
    assert!(!device.active && device.revocation.is_some());
    assert!(world.closed.0.lock().unwrap().iter().any(|(d, _)| *d == person.device));
    // Suspension and its end change nothing about it.
    let subject = admin::Subject::Official(person.official);
    world.identity.suspend(&first.actor(), subject).await.unwrap();
    world.identity.unsuspend(&first.actor(), subject).await.unwrap();
    assert_eq!(world.login_tokens(&mut person, PASSWORD).await.err(), Some(Error::DeviceNotActive));
    let (grant, _) = world.grant(person.official, GrantKind::Recovery);
    let refused = world.propose(&first, ProposalKind::Grants, &[grant]).await;
    assert!(matches!(refused, Err(Error::ProposalInvalid(_))));
});

store_test!(suspension_is_at_once_audited_and_never_of_oneself, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let person = world.person((&first, &second), 3, "amna.khan").await;
    let own = admin::Subject::Official(first.official);
    assert_eq!(world.identity.suspend(&first.actor(), own).await.err(), Some(Error::Forbidden));
    assert_eq!(world.identity.suspend(&person.actor(), own).await.err(), Some(Error::Forbidden));
    let before = world.audited().await.len();
    let subject = admin::Subject::Device(person.device);
    world.identity.suspend(&first.actor(), subject).await.unwrap();
    world.identity.suspend(&first.actor(), subject).await.unwrap();
    let audited = world.audited().await;
    assert_eq!(audited[before..], ["identity.suspended"], "once");
    let cut = world.facts().await.iter().filter(|k| *k == "identity.device_cut").count();
    assert_eq!(cut, 1);
    world.identity.unsuspend(&second.actor(), subject).await.unwrap();
    assert_eq!(world.identity.active_devices(person.official).await.unwrap().len(), 1);
});

store_test!(nobody_alone_leaves_fewer_than_two_administrators_who_can_act, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let refused = Some(Error::LastAdministrators);
    let mut manager = first.actor();
    manager.roles.push(Role::SimManager);
    let sims = world.identity.list_sims(&manager).await.unwrap().sims;
    let sim = sims.iter().find(|s| s.official == Some(second.official)).unwrap().sim;
    let before = world.audited().await;
    for subject in
        [admin::Subject::Official(second.official), admin::Subject::Device(second.device), admin::Subject::Sim(sim)]
    {
        assert_eq!(world.identity.suspend(&manager, subject).await.err(), refused, "{subject:?}");
    }
    assert_eq!(world.audited().await, before);
    world.authenticate(&second).await.expect("untouched");

    // Of three, one can be cut off at once; then whoever did it can be stopped by the others.
    let mut third = world.person((&first, &second), 3, "amna.khan").await;
    let give = first.role_change(third.official, Role::Administrator, true, world.now());
    let proposal = world.propose(&first, ProposalKind::Roles, &[give]).await.unwrap();
    world.approve(&second, &proposal).await.unwrap();
    third.roles = world.authenticate(&third).await.unwrap().roles;
    world.identity.suspend(&first.actor(), admin::Subject::Official(third.official)).await.unwrap();
    let last = admin::Subject::Official(second.official);
    assert_eq!(world.identity.suspend(&first.actor(), last).await.err(), refused);
    world.identity.unsuspend(&second.actor(), admin::Subject::Official(third.official)).await.unwrap();
    world.identity.suspend(&second.actor(), admin::Subject::Official(first.official)).await.unwrap();
});

store_test!(an_appointment_needs_two_and_is_told_to_the_directory_once, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let official = world.official(3, "amna.khan").await;
    let now = world.now();
    let one = Appointment {
        realm: world.installation.secrets.public().realm.clone(),
        id: [1; 16],
        post: PostId::from_bytes([9; 16]),
        official,
        kind: AppointmentKind::Substantive,
        not_before: now,
        not_after: now.plus(Duration::from_secs(3600)),
        at: now,
    };
    let propose = async |statements: &[Appointment]| {
        let statements: Vec<_> = statements.iter().cloned().map(Statement::Appointment).collect();
        world.propose(&first, ProposalKind::Appointments, &statements).await
    };
    let far = now.plus(Duration::from_secs(3600 * 24));
    for (bad, why) in [
        (Appointment { official: OfficialId::from_bytes([77; 16]), ..one.clone() }, "nobody"),
        (Appointment { not_after: one.not_before, ..one.clone() }, "no time"),
        (
            Appointment { not_after: now.plus(Appointment::MAX_LASTS).plus(Duration::from_millis(1)), ..one.clone() },
            "long",
        ),
        (Appointment { not_before: far, not_after: far.plus(Duration::from_secs(9)), ..one.clone() }, "not yet"),
        (Appointment { not_before: Millis(1), not_after: Millis(2), ..one.clone() }, "over"),
        (Appointment { at: far, ..one.clone() }, "signed tomorrow"),
        (Appointment { realm: "other".into(), ..one.clone() }, "another realm"),
    ] {
        assert!(propose(&[bad]).await.is_err(), "{why}");
    }
    let twice = [one.clone(), Appointment { id: [2; 16], ..one.clone() }];
    assert!(matches!(propose(&twice).await, Err(Error::ProposalInvalid(_))), "one post, one statement");
    let other = world.propose(&first, ProposalKind::Roles, &[Statement::Appointment(one.clone())]).await;
    assert!(matches!(other, Err(Error::ProposalInvalid(_))), "of another kind");

    let told = async || world.facts().await.iter().filter(|k| *k == "identity.appointment_signed").count();
    let proposal = propose(std::slice::from_ref(&one)).await.unwrap();
    let again = propose(std::slice::from_ref(&one)).await.unwrap();
    let late = propose(&[Appointment { id: [3; 16], ..one.clone() }]).await.unwrap();
    assert!(world.approve(&first, &proposal).await.is_err(), "the same one twice");
    assert_eq!(told().await, 0);
    assert_eq!(world.approve(&second, &proposal).await.unwrap().status, ProposalStatus::Executed);
    assert_eq!(told().await, 1);
    assert_eq!(world.approve(&second, &again).await.err(), Some(Error::Conflict("appointment")));
    world.pass(Duration::from_secs(3600)).await;
    assert!(matches!(world.approve(&second, &late).await, Err(Error::ProposalInvalid(_))), "it is over meanwhile");
    assert_eq!(told().await, 1);
});

store_test!(suspensions_at_the_same_moment_see_each_other, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut third = world.person((&first, &second), 3, "amna.khan").await;
    let give = first.role_change(third.official, Role::Administrator, true, world.now());
    let proposal = world.propose(&first, ProposalKind::Roles, &[give]).await.unwrap();
    world.approve(&second, &proposal).await.unwrap();
    third.roles = world.authenticate(&third).await.unwrap().roles;
    // Each alone leaves two; both together would leave one.
    for _ in 0..5 {
        let (by_first, by_second) = (first.actor(), second.actor());
        let (one, other) = tokio::join!(
            world.identity.suspend(&by_first, admin::Subject::Official(second.official)),
            world.identity.suspend(&by_second, admin::Subject::Official(first.official)),
        );
        assert_eq!([&one, &other].iter().filter(|done| done.is_ok()).count(), 1, "{one:?} {other:?}");
        assert!([one, other].contains(&Err(Error::LastAdministrators)));
        for official in [first.official, second.official] {
            world.identity.unsuspend(&third.actor(), admin::Subject::Official(official)).await.unwrap();
        }
    }
});
