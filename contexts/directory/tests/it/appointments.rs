//! Posts change hands by signed statements, and fall vacant when those are over.

use crate::administer::actions;
use crate::support::{MIGRATIONS, Office, YEAR, name, office};
use pakawaaz_base::{Millis, OfficialId, PostId};
use pakawaaz_contract::directory::{self, Official, Post, UnitKind};
use pakawaaz_directory::{DirectoryError, Holding};
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::{Appointment, AppointmentKind, Signed, Statement};
use std::sync::Arc;
use std::time::Duration;

const T0: Millis = Millis(1_700_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

async fn one_post(o: &Office) -> (Post, Official, Official) {
    let unit = o.unit(None, UnitKind::Ministry, "Finance", "").await.unit;
    (o.post(unit, "Secretary", 22).await, o.official("aaa", "A", "").await, o.official("bbb", "B", "").await)
}

fn said(statement: &[u8]) -> Appointment {
    match Signed::from_bytes(statement).and_then(|s| s.statement()) {
        Ok(Statement::Appointment(one)) => one,
        other => panic!("no appointment: {other:?}"),
    }
}

store_test!(a_post_is_handed_over_and_remembers, &MIGRATIONS, |db| async move {
    let o = office(db);
    let ministry = o.unit(None, UnitKind::Ministry, "Finance", "").await;
    let wing = o.unit(Some(&ministry), UnitKind::Wing, "Budget Wing", "").await;
    let post = o.post(wing.unit, "Section Officer", 17).await;
    let higher = o.post(ministry.unit, "Secretary", 22).await;
    let (a, b) = (o.official("aaa", "A", "").await, o.official("bbb", "B", "").await);
    assert!(o.directory.post(post.post).await.expect("post").appointment.is_none());

    let held = o.appoint(&post, Some(&a)).await;
    assert_eq!((held.holder, held.held_since), (Some(a.official), Some(T0)));
    let signed = held.appointment.expect("signed");
    assert_eq!((signed.official, signed.kind), (a.official, directory::AppointmentKind::Substantive));
    assert_eq!((signed.not_before, signed.not_after), (T0, T0.plus(YEAR)));
    assert_eq!(said(&signed.statement).post, post.post);
    o.clock.advance(MINUTE);
    // Renewed: the same holding, a new statement.
    let renewed = o.appoint(&post, Some(&a)).await;
    assert_eq!(renewed.held_since, Some(T0));
    assert_eq!(renewed.appointment.expect("signed").not_after, T0.plus(MINUTE).plus(YEAR));
    o.appoint(&higher, Some(&a)).await;
    o.clock.advance(MINUTE);
    o.appoint(&post, Some(&b)).await;
    o.clock.advance(MINUTE);
    let vacant = o.appoint(&post, None).await;
    assert_eq!((vacant.holder, vacant.held_since), (None, None));
    assert_eq!(vacant.appointment.expect("the end is signed too").kind, directory::AppointmentKind::Ended);

    let (t2, t3) = (T0.plus(MINUTE * 2), T0.plus(MINUTE * 3));
    assert_eq!(
        o.directory.holdings(post.post).await.expect("history"),
        [
            Holding { official: b.official, since: t2, until: Some(t3) },
            Holding { official: a.official, since: T0, until: Some(t2) },
        ]
    );
    let kept = o.directory.appointments(post.post).await.expect("statements");
    let kinds: Vec<_> = kept.iter().map(|s| (said(s).official, said(s).kind)).collect();
    use AppointmentKind::{Ended, Substantive};
    let (a1, b1) = (a.official, b.official);
    assert_eq!(kinds, [(b1, Ended), (b1, Substantive), (a1, Substantive), (a1, Substantive)]);
    let shown = o.directory.official(a.official).await.expect("official").posts;
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].post, shown[0].grade), (higher.post, 22));
    o.appoint(&post, Some(&a)).await;
    let shown = o.directory.official(a.official).await.expect("official").posts;
    assert_eq!(shown.iter().map(|p| p.grade).collect::<Vec<_>>(), [22, 17]);
    assert_eq!(shown[1].units, [name("Budget Wing", ""), name("Finance", "")]);
    assert_eq!(said(&shown[1].appointment.as_ref().expect("signed").statement).official, a.official);
    let nowhere = PostId::from_bytes([9; 16]);
    assert_eq!(o.directory.post(nowhere).await.expect_err("post"), DirectoryError::PostNotFound);
});

store_test!(an_expired_holder_is_shown_no_longer_and_then_recorded, &MIGRATIONS, |db| async move {
    let o = office(db);
    let (post, a, b) = one_post(&o).await;
    o.appoint(&post, Some(&a)).await;
    assert_eq!(o.directory.end_expired().await.expect("round"), 0);
    o.clock.advance(YEAR - Duration::from_millis(1));
    assert_eq!(o.directory.post(post.post).await.expect("post").holder, Some(a.official));
    o.clock.advance(Duration::from_millis(1));
    // At once, before any job has run.
    let shown = o.directory.post(post.post).await.expect("post");
    assert_eq!((shown.holder, shown.held_since), (None, None));
    assert!(shown.appointment.is_some(), "what has expired is still evidence");
    assert_eq!(o.directory.posts(post.unit).await.expect("posts").posts[0].holder, None);
    assert!(o.directory.official(a.official).await.expect("official").posts.is_empty());
    assert_eq!(o.found("secretary").await, ["aaa"], "the index follows with the job");

    o.clock.advance(MINUTE);
    assert_eq!(o.directory.end_expired().await.expect("round"), 1);
    assert_eq!(o.directory.end_expired().await.expect("round"), 0);
    assert!(o.found("secretary").await.is_empty());
    let history = o.directory.holdings(post.post).await.expect("history");
    assert_eq!(history, [Holding { official: a.official, since: T0, until: Some(T0.plus(YEAR)) }]);
    assert_eq!(actions(&o.db).await.last().map(String::as_str), Some("directory.appointment_expired"));

    // Expired, not yet recorded, and appointed anew: two holdings, not one without a gap.
    o.appoint(&post, Some(&b)).await;
    o.clock.advance(YEAR + MINUTE);
    o.appoint(&post, Some(&b)).await;
    let history = o.directory.holdings(post.post).await.expect("history");
    assert_eq!(history.len(), 3);
    assert!(history[0].until.is_none() && history[0].since > history[1].until.expect("closed"));
});

store_test!(an_unsigned_holding_of_old_is_no_holding, &MIGRATIONS, |db| async move {
    let o = office(db);
    let (post, a, _) = one_post(&o).await;
    let mut tx = o.db.begin().await.expect("tx");
    sqlx::query("INSERT INTO directory_holding (post, number, official, since) VALUES ($1, 1, $2, 1)")
        .bind(post.post.to_vec())
        .bind(a.official.to_vec())
        .execute(tx.conn())
        .await
        .expect("as before signatures");
    tx.commit().await.expect("commit");
    assert_eq!(o.directory.post(post.post).await.expect("post").holder, None);
    assert!(o.directory.official(a.official).await.expect("official").posts.is_empty());
    assert_eq!(o.directory.end_expired().await.expect("round"), 1);
    assert_eq!(o.directory.holdings(post.post).await.expect("history")[0].until, Some(T0));
});

store_test!(a_statement_takes_effect_once_and_an_older_one_never, &MIGRATIONS, |db| async move {
    let o = office(db);
    let (post, a, b) = one_post(&o).await;
    let first = o.statement(post.post, a.official, AppointmentKind::Substantive);
    o.clock.advance(MINUTE);
    let second = o.statement(post.post, b.official, AppointmentKind::Acting);
    // Signed earlier, carried out later.
    o.takes_effect(second.clone()).await;
    o.takes_effect(first.clone()).await;
    assert_eq!(o.directory.post(post.post).await.expect("post").holder, Some(b.official));
    let log = pakawaaz_audit::list(&o.db, 0, 100).await.expect("log");
    let last = log.last().expect("entry");
    assert_eq!(last.action, "directory.appointment_without_effect");
    assert!(last.detail.contains("a_newer_one_counts"), "{}", last.detail);

    let before = actions(&o.db).await.len();
    o.signed(&[second.clone(), second]).await;
    o.consumer().deliver().await.expect("delivered");
    assert_eq!(actions(&o.db).await.len(), before, "the same fact again leaves no trace");
    assert_eq!(o.directory.holdings(post.post).await.expect("history").len(), 1);
    // The end of somebody else's time ends nobody's.
    o.clock.advance(MINUTE);
    o.takes_effect(o.statement(post.post, a.official, AppointmentKind::Ended)).await;
    assert_eq!(o.directory.post(post.post).await.expect("post").holder, Some(b.official));
});

store_test!(a_statement_about_nothing_known_blocks_nobody, &MIGRATIONS, |db| async move {
    let o = office(db);
    let (post, a, _) = one_post(&o).await;
    let nowhere = o.statement(PostId::from_bytes([9; 16]), a.official, AppointmentKind::Substantive);
    let nobody = o.statement(post.post, OfficialId::from_bytes([9; 16]), AppointmentKind::Substantive);
    let mut late = o.statement(post.post, a.official, AppointmentKind::Substantive);
    (late.not_before, late.not_after) = (Millis(1), T0);
    let good = o.statement(post.post, a.official, AppointmentKind::Substantive);
    o.signed(&[nowhere, nobody, late, good]).await;
    o.consumer().deliver().await.expect("delivered");
    assert_eq!(o.directory.post(post.post).await.expect("post").holder, Some(a.official));
    let log = pakawaaz_audit::list(&o.db, 0, 100).await.expect("log");
    let without: Vec<_> = log.iter().filter(|r| r.action == "directory.appointment_without_effect").collect();
    for (entry, reason) in without.iter().zip(["no_such_post", "no_such_official", "expired"]) {
        assert!(entry.detail.contains(reason), "{}", entry.detail);
    }
    assert_eq!(without.len(), 3);
});

store_test!(concurrent_appointments_leave_one_holder_and_a_true_index, &MIGRATIONS, |db| async move {
    let o = Arc::new(office(db));
    let unit = o.unit(None, UnitKind::Ministry, "Finance", "").await.unit;
    let posts = [o.post(unit, "Alpha", 17).await, o.post(unit, "Beta", 18).await, o.post(unit, "Gamma", 19).await];
    let people = [o.official("aaa", "A", "").await, o.official("bbb", "B", "").await];
    let mut tasks = tokio::task::JoinSet::new();
    for round in 0..4 {
        for (n, post) in posts.iter().enumerate() {
            let (o, post, person) = (o.clone(), post.clone(), people[(round + n) % 2].clone());
            tasks.spawn(async move { drop(o.appoint(&post, Some(&person)).await) });
        }
        // The job gets in between.
        let o = o.clone();
        tasks.spawn(async move { o.directory.end_expired().await.map(drop).expect("round") });
    }
    tasks.join_all().await;
    for (post, title) in posts.iter().zip(["alpha", "beta", "gamma"]) {
        let history = o.directory.holdings(post.post).await.expect("history");
        let open: Vec<_> = history.iter().filter(|h| h.until.is_none()).collect();
        assert_eq!(open.len(), 1);
        let holder = people.iter().find(|p| p.official == open[0].official).expect("one of them");
        assert_eq!(o.found(title).await, std::slice::from_ref(&holder.username), "{title}");
    }
});
