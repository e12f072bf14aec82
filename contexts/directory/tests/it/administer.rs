//! Tree, posts, officials, and what they leave behind.

use crate::support::{MIGRATIONS, actor, name, office};
use pakawaaz_base::{OfficialId, OrgUnitId, Role};
use pakawaaz_contract::directory::{CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, UnitKind};
use pakawaaz_contract::facts::OfficialCreated;
use pakawaaz_directory::DirectoryError;
use pakawaaz_storage::{Db, OutboxConsumer, OutboxEvent, OutboxHandler, Tx, outbox::HandlerError};
use pakawaaz_storesuite::store_test;
use std::sync::{Arc, Mutex};

pub async fn actions(db: &Db) -> Vec<String> {
    pakawaaz_audit::verify_chain(db, None).await.expect("chain holds");
    pakawaaz_audit::list(db, 0, 100).await.expect("log").into_iter().map(|r| r.action).collect()
}

store_test!(a_tree_is_built_from_the_top, &MIGRATIONS, |db| async move {
    let o = office(db);
    let ministry = o.unit(None, UnitKind::Ministry, "Finance", "خزانہ").await;
    let division = o.unit(Some(&ministry), UnitKind::Division, "Finance Division", "").await;
    let section = o.unit(Some(&division), UnitKind::Section, "Admin-II", "").await;
    let other = o.unit(None, UnitKind::Ministry, "Defence", "").await;

    let refused = [
        (Some(section.unit), UnitKind::Wing, DirectoryError::KindMustDescend),
        (Some(division.unit), UnitKind::Division, DirectoryError::KindMustDescend),
        (None, UnitKind::Section, DirectoryError::KindMustDescend),
        (Some(ministry.unit), UnitKind::Ministry, DirectoryError::KindMustDescend),
        (Some(OrgUnitId::from_bytes([9; 16])), UnitKind::Wing, DirectoryError::UnitNotFound),
    ];
    for (parent, kind, error) in refused {
        let request = CreateUnitRequest { parent, kind, name: name("X", "") };
        assert_eq!(o.directory.create_unit(&o.manager, request).await.expect_err("refused"), error);
    }

    let tree = o.directory.tree().await.expect("tree").units;
    let ids: Vec<_> = tree.iter().map(|u| u.unit).collect();
    assert!(ids[..2].contains(&ministry.unit) && ids[..2].contains(&other.unit));
    assert_eq!(ids[2..], [division.unit, section.unit]);
    let first = tree.iter().find(|u| u.unit == ministry.unit).expect("ministry");
    assert_eq!(first.name, name("Finance", "خزانہ"));
    assert_eq!(tree[3].parent, Some(division.unit));
    assert_eq!(actions(&o.db).await, ["directory.unit_created"; 4]);
});

store_test!(the_same_unit_is_made_once, &MIGRATIONS, |db| async move {
    let o = office(db);
    let first = o.unit(None, UnitKind::Ministry, "Finance", "").await;
    let again = o.unit(None, UnitKind::Ministry, "Finance", "").await;
    assert_eq!(first.unit, again.unit);
    let request = CreateUnitRequest { parent: None, kind: UnitKind::Ministry, name: name("FINANCE", "") };
    assert_eq!(o.directory.create_unit(&o.manager, request).await.expect_err("taken"), DirectoryError::UnitExists);
    // Below another parent the name is free.
    o.unit(Some(&first), UnitKind::Division, "Finance", "").await;
    assert_eq!(actions(&o.db).await.len(), 2);
});

store_test!(only_directory_managers_write, &MIGRATIONS, |db| async move {
    let o = office(db);
    let unit = o.unit(None, UnitKind::Ministry, "Finance", "").await.unit;
    let before = actions(&o.db).await.len();
    for roles in [&[][..], &[Role::SimManager, Role::Auditor]] {
        let nobody = actor(roles);
        let d = &o.directory;
        let unit_request = CreateUnitRequest { parent: None, kind: UnitKind::Ministry, name: name("X", "") };
        assert_eq!(d.create_unit(&nobody, unit_request).await.expect_err("unit"), DirectoryError::Forbidden);
        let post_request = CreatePostRequest { unit, title: name("X", ""), grade: 17 };
        assert_eq!(d.create_post(&nobody, post_request).await.expect_err("post"), DirectoryError::Forbidden);
        let request = CreateOfficialRequest { username: "abc".into(), name: name("X", ""), rank: name("", "") };
        assert_eq!(d.create_official(&nobody, request).await.expect_err("official"), DirectoryError::Forbidden);
    }
    assert_eq!(actions(&o.db).await.len(), before);
    // An administrator holds every role.
    let request = CreateUnitRequest { parent: None, kind: UnitKind::Ministry, name: name("Y", "") };
    o.directory.create_unit(&actor(&[Role::Administrator]), request).await.expect("administrator");
});

store_test!(posts_have_grades_and_units, &MIGRATIONS, |db| async move {
    let o = office(db);
    let unit = o.unit(None, UnitKind::Ministry, "Finance", "").await.unit;
    let low = o.post(unit, "Assistant", 15).await;
    let high = o.post(unit, "Secretary", 22).await;
    let ids: Vec<_> = o.directory.posts(unit).await.expect("posts").posts.iter().map(|p| p.post).collect();
    assert_eq!(ids, [high.post, low.post]);
    let nowhere = OrgUnitId::from_bytes([9; 16]);
    assert_eq!(o.directory.posts(nowhere).await.expect_err("unit"), DirectoryError::UnitNotFound);
    for (unit, title, grade, error) in [
        (unit, "X", 0, DirectoryError::BadGrade),
        (unit, "X", 23, DirectoryError::BadGrade),
        (unit, " ", 17, DirectoryError::BadName),
        (nowhere, "X", 17, DirectoryError::UnitNotFound),
    ] {
        let request = CreatePostRequest { unit, title: name(title, ""), grade };
        assert_eq!(o.directory.create_post(&o.manager, request).await.expect_err("refused"), error);
    }
});

store_test!(officials_are_made_once_and_told_of, &MIGRATIONS, |db| async move {
    let o = office(db);
    let request = CreateOfficialRequest {
        username: "a.khan".into(),
        name: name(" Amna Khan ", "آمنہ خان"),
        rank: name("Dr", ""),
    };
    let first = o.directory.create_official(&o.manager, request.clone()).await.expect("created");
    assert_eq!(first.name.en, "Amna Khan");
    let again = o.directory.create_official(&o.manager, request.clone()).await.expect("idempotent");
    assert_eq!(first, again);
    let other = CreateOfficialRequest { name: name("Ali Khan", ""), ..request.clone() };
    assert_eq!(o.directory.create_official(&o.manager, other).await.expect_err("taken"), DirectoryError::UsernameTaken);
    let bad = CreateOfficialRequest { username: "A Khan".into(), ..request };
    assert_eq!(o.directory.create_official(&o.manager, bad).await.expect_err("bad"), DirectoryError::BadUsername);
    assert_eq!(o.directory.official(first.official).await.expect("found"), first);
    assert_eq!(o.directory.official_by_username("a.khan").await.expect("found"), first);
    let nobody = OfficialId::from_bytes([9; 16]);
    assert_eq!(o.directory.official(nobody).await.expect_err("unknown"), DirectoryError::OfficialNotFound);

    let facts = Arc::new(Facts::default());
    OutboxConsumer::new(o.db.clone(), facts.clone()).deliver().await.expect("delivered");
    let facts = facts.0.lock().expect("lock").clone();
    assert_eq!(facts.len(), 1);
    assert_eq!((facts[0].official, facts[0].username.as_str()), (first.official, "a.khan"));
    assert_eq!(actions(&o.db).await, ["directory.official_created"]);
});

#[derive(Default)]
struct Facts(Mutex<Vec<OfficialCreated>>);

#[async_trait::async_trait]
impl OutboxHandler for Facts {
    fn consumer(&self) -> &'static str {
        "test.facts"
    }
    async fn handle(&self, _tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        assert_eq!(event.kind, OfficialCreated::KIND);
        self.0.lock().expect("lock").push(event.parse()?);
        Ok(())
    }
}

store_test!(the_installation_acts_without_an_actor, &MIGRATIONS, |db| async move {
    let o = office(db);
    let request = CreateOfficialRequest { username: "admin1".into(), name: name("First", ""), rank: name("", "") };
    let first = o.directory.install_official(request.clone()).await.expect("installed");
    assert_eq!(o.directory.install_official(request).await.expect("again"), first);
    let log = pakawaaz_audit::list(&o.db, 0, 10).await.expect("log");
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].actor, None);
    assert!(!log[0].detail.contains("First") && !log[0].subject.contains("admin1"));
});

store_test!(concurrent_creation_makes_one_official, &MIGRATIONS, |db| async move {
    let o = Arc::new(office(db));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let o = o.clone();
        tasks.spawn(async move { o.official("a.khan", "Amna Khan", "").await.official });
    }
    let ids = tasks.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(actions(&o.db).await, ["directory.official_created"]);
});
