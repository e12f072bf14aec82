//! Retention, deletion, and what crashes and disks leave behind.

use crate::support::{ACCESS, MIGRATIONS, actor, chunk, request, store};
use pakawaaz_base::Role;
use pakawaaz_files::{FilesError, ScanReport, blob_rows};
use pakawaaz_storesuite::store_test;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

store_test!(files_end_when_their_time_is_over, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    let file = store.file(&me, ACCESS).await;
    let open = store.files.create(&me, request(250, 100, [6; 32])).await.expect("announced").file;
    store.put(&me, open, 0, chunk(0, 100)).await.expect("stored");

    store.clock.advance(DAY);
    store.put(&me, open, 1, chunk(1, 100)).await.expect("an upload that goes on is not abandoned");
    store.clock.advance(DAY + DAY / 2);
    assert_eq!(store.files.purge().await, Ok(0));
    store.clock.advance(DAY);
    assert_eq!(store.files.state(&me, open).await.map(drop), Err(FilesError::NotFound), "over even before the purge");
    assert_eq!(store.files.purge().await, Ok(1));
    assert_eq!(store.on_disk().len(), 3);
    assert_eq!(store.files.usage(&me).await.expect("usage").used, 250, "the quota is free again");

    store.clock.advance(DAY * 86);
    store.get(file, 0, Some(ACCESS)).await.expect("still there");
    store.clock.advance(DAY * 2);
    assert_eq!(store.get(file, 0, Some(ACCESS)).await, Err(FilesError::NotFound));
    assert_eq!(store.files.purge().await, Ok(1));
    assert!(store.on_disk().is_empty());
    assert_eq!(store.files.usage(&me).await.expect("usage").used, 0);
});

store_test!(an_administrators_deletion_is_audited_and_an_own_one_is_not, &MIGRATIONS, |db| async move {
    let store = store(db);
    let (me, admin) = (actor(1, &[]), actor(2, &[Role::Administrator]));
    let (first, second) = (store.file(&me, ACCESS).await, store.file(&me, [6; 32]).await);
    store.files.remove(&me, first).await.expect("removed");
    assert_eq!(pakawaaz_audit::head(&store.db).await.expect("head").seq, 0);
    store.files.remove(&admin, second).await.expect("removed");
    assert_eq!(pakawaaz_audit::head(&store.db).await.expect("head").seq, 1);
    assert_eq!(store.get(second, 0, Some(ACCESS)).await, Err(FilesError::NotFound));
    assert!(store.on_disk().is_empty());
    assert_eq!(store.files.remove(&admin, second).await, Err(FilesError::NotFound));
});

store_test!(the_scan_deletes_blobs_that_no_row_names, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    store.file(&me, ACCESS).await;
    // As a crash between blob and row leaves it: beside a good one, and of a file that is gone.
    let good = store.on_disk()[0].clone();
    let name = good.file_name().expect("name").to_str().expect("text");
    let other = name.replace(name.split('-').next_back().expect("hash"), &"0".repeat(32));
    std::fs::write(good.with_file_name(&other), b"left").expect("writes");
    let lost = store.folder.path().join("ab/abababab-abab-abab-abab-abababababab");
    std::fs::create_dir_all(&lost).expect("folder");
    std::fs::write(lost.join(format!("00000000-{}", "0".repeat(32))), b"left").expect("writes");
    std::fs::write(store.folder.path().join("notes.txt"), b"not ours").expect("writes");

    assert_eq!(store.files.scan().await, Ok(ScanReport::default()), "they may still get their rows");
    store.clock.advance(Duration::from_secs(7200));
    assert_eq!(store.files.scan().await, Ok(ScanReport { orphans: 2, ..ScanReport::default() }));
    assert_eq!(store.on_disk().len(), 4, "three chunks, and what is not ours");
    assert_eq!(store.files.scan().await, Ok(ScanReport::default()));
});

store_test!(the_scan_asks_for_lost_chunks_again_and_reports_what_cannot_be_had, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    let open = store.files.create(&me, request(250, 100, [6; 32])).await.expect("announced").file;
    store.put(&me, open, 0, chunk(0, 100)).await.expect("stored");
    store.put(&me, open, 1, chunk(1, 100)).await.expect("stored");
    for path in store.on_disk() {
        std::fs::remove_file(path).expect("removes");
    }
    let file = store.file(&me, ACCESS).await;
    let cut = store.on_disk().into_iter().find(|p| p.to_string_lossy().contains("00000001-")).expect("second chunk");
    std::fs::write(cut, b"short").expect("writes");
    assert_eq!(store.get(file, 1, Some(ACCESS)).await, Err(FilesError::Damaged));
    assert_eq!(store.files.scan().await, Ok(ScanReport { orphans: 0, again: 2, lost: 1 }));
    let state = store.files.state(&me, open).await.expect("state");
    assert!(!state.has(0) && !state.has(1));
    store.put(&me, open, 0, chunk(0, 100)).await.expect("sent again");
    store.get(file, 0, Some(ACCESS)).await.expect("the rest of a damaged file is there");
});

store_test!(rows_name_every_blob_for_a_backup, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    store.file(&me, ACCESS).await;
    store.file(&me, [6; 32]).await;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = blob_rows(&store.db, after, 2).await.expect("rows");
        let Some((file, number, _)) = page.last() else { break };
        after = Some((*file, *number));
        rows.extend(page.into_iter().map(|(_, _, row)| row));
    }
    let mut named: Vec<_> = rows.iter().map(|row| store.folder.path().join(&row.path)).collect();
    named.sort();
    assert_eq!(named, store.on_disk());
    assert_eq!(rows.iter().map(|row| row.size).sum::<u64>(), 500);
});
