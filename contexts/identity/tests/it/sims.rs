//! SIM batches.

use crate::MIGRATIONS;
use crate::world::{World, csv, csv_line};
use pakawaaz_identity::Error;
use pakawaaz_storesuite::store_test;

store_test!(a_bad_row_stores_nothing_and_is_named, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let actor = first.actor();
    let before = world.number("SELECT COUNT(*) FROM identity_sims").await;
    let audited = world.audited().await.len();
    let good = |n| csv_line(n);
    let cases: [(u64, String); 6] = [
        (3, format!("iccid,imsi,algorithm,k,opc_or_topc\n{}{}", good(20), good(21).replace("milenage", "md5"))),
        (3, format!("iccid,imsi,algorithm,k,opc_or_topc\n{}{}", good(20), good(20))),
        (4, format!("iccid,imsi,algorithm,k,opc_or_topc\n{}{}{}", good(20), good(21), good(1))),
        (2, format!("iccid,imsi,algorithm,k,opc_or_topc\n{}", good(21).replace("41001", "4100x"))),
        (1, good(20)),
        (2, "iccid,imsi,algorithm,k,opc_or_topc\n".into()),
    ];
    for (line, text) in cases {
        let Err(Error::BadRow(bad)) = world.identity.import_sims(&actor, text.as_bytes()).await else {
            panic!("{text}")
        };
        assert_eq!(bad.line, line, "{bad}: {text}");
        assert!(bad.to_string().starts_with(&format!("row {line}: ")));
        // Reasons never quote values.
        assert!(!bad.reason.contains("4100"), "{bad}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_sims").await, before);
    assert_eq!(world.audited().await.len(), audited);

    let imported = world.identity.import_sims(&actor, &csv(20..120)).await.unwrap();
    assert_eq!(imported.imported, 100);
    assert_eq!(world.audited().await.last().map(String::as_str), Some("identity.sims_imported"));
    let mut nobody = second.actor();
    nobody.roles.clear();
    assert_eq!(world.identity.import_sims(&nobody, &csv(200..201)).await.err(), Some(Error::Forbidden));
    assert_eq!(world.identity.list_sims(&nobody).await.err(), Some(Error::Forbidden));
    let listed = world.identity.list_sims(&actor).await.unwrap().sims;
    assert_eq!(listed.len() as i64, before + 100);
    assert!(listed.is_sorted_by_key(|s| s.iccid.clone()));
});
