//! Search: the same answers on both engines.

use crate::support::{MIGRATIONS, Office, office};
use pakawaaz_contract::directory::UnitKind;
use pakawaaz_directory::DirectoryError;
use pakawaaz_directory::model::search::{escape, fold};
use pakawaaz_storesuite::store_test;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

async fn populate(o: &Office) {
    let finance = o.unit(None, UnitKind::Ministry, "Ministry of Finance", "وزارت خزانہ").await;
    let budget = o.unit(Some(&finance), UnitKind::Wing, "Budget Wing", "بجٹ ونگ").await;
    let admin = o.unit(Some(&budget), UnitKind::Section, "Admin-II", "انتظامیہ ۲").await;
    for (username, en, ur, unit, title, grade) in [
        ("amna.khan", "Amna Khan", "آمنہ خان", &finance, "Secretary Finance", 22),
        ("khan", "Bilal Ahmed", "بلال احمد", &budget, "Joint Secretary", 20),
        ("c.khanum", "Khanum Zaidi", "خانم زیدی", &admin, "Section Officer", 17),
        ("d.shah", "Daud Shahkhan", "داؤد شاہخان", &admin, "Section Officer", 18),
        ("e.ali", "Ehsan Ali", "احسان علی", &budget, "Khan Liaison Officer", 19),
    ] {
        let official = o.official(username, en, ur).await;
        let post = o.post(unit.unit, title, grade).await;
        o.appoint(&post, Some(&official)).await;
    }
    o.official("f.malik", "Farah Malik", "فرح ملک").await;
}

store_test!(better_matches_come_first, &MIGRATIONS, |db| async move {
    let o = office(db);
    populate(&o).await;
    // Exact (username), prefix of a name, prefix of a post, later word of a name, inside a word.
    assert_eq!(o.found("khan").await, ["khan", "c.khanum", "e.ali", "amna.khan", "d.shah"]);
    assert_eq!(o.found("KHAN ").await, o.found("khan").await);
    // Within one class the higher grade comes first.
    assert_eq!(o.found("section officer").await, ["d.shah", "c.khanum"]);
    assert_eq!(o.found("admin-ii").await, ["d.shah", "c.khanum"]);
});

store_test!(both_languages_and_their_keyboards_find, &MIGRATIONS, |db| async move {
    let o = office(db);
    populate(&o).await;
    assert_eq!(o.found("علی").await, ["e.ali"]);
    assert_eq!(o.found("علي").await, ["e.ali"]);
    assert_eq!(o.found("امنه").await, ["amna.khan"]);
    assert_eq!(o.found("ملك").await, ["f.malik"]);
    assert_eq!(o.found("داود").await, ["d.shah"]);
    assert_eq!(o.found("انتظاميه 2").await, ["d.shah", "c.khanum"]);
    assert_eq!(o.found("خزانہ").await.len(), 5, "a ministry finds everybody below it");
});

store_test!(words_may_stand_in_different_places, &MIGRATIONS, |db| async move {
    let o = office(db);
    populate(&o).await;
    assert_eq!(o.found("khan finance secretary").await, ["amna.khan", "khan"]);
    assert_eq!(o.found("zaidi budget").await, ["c.khanum"]);
    assert!(o.found("zaidi malik").await.is_empty());
    assert!(o.found("nobody").await.is_empty());
});

store_test!(wildcards_find_nothing_special, &MIGRATIONS, |db| async move {
    let o = office(db);
    populate(&o).await;
    assert_eq!(o.found("m_l%k").await, o.found("m l k").await);
    assert_eq!(o.found("kha_").await, o.found("kha").await);
    // Only punctuation is an empty query: everybody, by grade.
    assert_eq!(o.found("%").await, o.found("").await);
    assert_eq!(o.found("").await, ["amna.khan", "khan", "e.ali", "d.shah", "c.khanum", "f.malik"]);
});

store_test!(pages_join_without_gap_or_repeat, &MIGRATIONS, |db| async move {
    let o = office(db);
    populate(&o).await;
    for n in 0..7 {
        o.official(&format!("twin{n}"), "Twin Khan", "").await; // equal in everything but the id
    }
    for query in ["khan", "", "k"] {
        let whole = o.found(query).await;
        assert!(whole.len() > 4);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = o.directory.search(query, Some(3), after.as_deref()).await.expect("page");
            assert!(page.officials.len() == 3 || page.next.is_none());
            seen.extend(page.officials.into_iter().map(|o| o.username));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, whole, "{query:?}");
    }
    let error = o.directory.search("khan", None, Some("'; --")).await.expect_err("cursor");
    assert_eq!(error, DirectoryError::BadCursor);
});

store_test!(the_index_follows_appointments, &MIGRATIONS, |db| async move {
    let o = office(db);
    let unit = o.unit(None, UnitKind::Ministry, "Defence", "").await.unit;
    let post = o.post(unit, "Director Plans", 19).await;
    let (a, b) = (o.official("aaa", "A", "").await, o.official("bbb", "B", "").await);
    assert!(o.found("plans").await.is_empty());
    o.appoint(&post, Some(&a)).await;
    assert_eq!(o.found("plans").await, ["aaa"]);
    o.appoint(&post, Some(&b)).await;
    assert_eq!(o.found("plans").await, ["bbb"]);
    o.appoint(&post, None).await;
    assert!(o.found("defence").await.is_empty());
});

// The database's LIKE with our escaping must mean exactly "contains".
store_test!(escaped_like_means_contains, &MIGRATIONS, |db| async move {
    let mut runner = TestRunner::new(Config::default());
    let text = "[a-c%_!\\\\' خی]{0,8}";
    let mut read = db.read().await.expect("reader");
    for _ in 0..200 {
        let hay = text.new_tree(&mut runner).expect("hay").current();
        let needle = text.new_tree(&mut runner).expect("needle").current();
        let (found,): (i64,) =
            sqlx::query_as("SELECT CAST(CASE WHEN CAST($1 AS TEXT) LIKE $2 ESCAPE '!' THEN 1 ELSE 0 END AS BIGINT)")
                .bind(&hay)
                .bind(format!("%{}%", escape(&needle)))
                .fetch_one(read.conn())
                .await
                .expect("query");
        assert_eq!(found == 1, hay.contains(&needle), "{hay:?} contains {needle:?}");
    }
});

// What an official is called finds that official, however it is typed.
store_test!(every_name_finds_its_official, &MIGRATIONS, |db| async move {
    let o = office(db);
    let mut runner = TestRunner::new(Config::default());
    let strategy = "[A-Za-zÀ-ÿ'.%_-]{1,10}( [آ-ی]{1,6})?";
    for n in 0..25 {
        let name = strategy.new_tree(&mut runner).expect("name").current();
        if fold(&name).is_empty() {
            continue;
        }
        let username = format!("user{n}");
        o.official(&username, &name, "").await;
        assert!(o.found(&name).await.contains(&username), "{name:?}");
        assert!(o.found(&name.to_uppercase()).await.contains(&username), "{name:?}");
    }
});
