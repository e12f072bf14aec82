//! Announcing, storing, completing, fetching.

use crate::support::{ACCESS, MIGRATIONS, actor, chunk, request, store};
use pakawaaz_base::FileId;
use pakawaaz_files::FilesError;
use pakawaaz_storesuite::store_test;

store_test!(a_file_comes_back_as_it_was_sent, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    let created = store.files.create(&me, request(250, 100, ACCESS)).await.expect("announced");
    let file = created.file;
    assert_eq!(store.files.complete(&me, file).await.map(drop), Err(FilesError::Incomplete));
    // In any order, and one of them twice.
    for (number, length) in [(2, 50), (0, 100), (2, 50), (1, 100)] {
        store.put(&me, file, number, chunk(number, length)).await.expect("stored");
        assert_eq!(store.get(file, number, Some(ACCESS)).await, Err(FilesError::NotFound), "not before it is complete");
    }
    let done = store.files.complete(&me, file).await.expect("complete");
    assert!(done.expires_at > created.expires_at);
    assert_eq!(store.files.complete(&me, file).await.expect("again").expires_at, done.expires_at);
    for (number, length) in [(0, 100), (1, 100), (2, 50)] {
        assert_eq!(store.get(file, number, Some(ACCESS)).await.expect("there"), chunk(number, length));
    }
    assert_eq!(store.get(file, 3, Some(ACCESS)).await, Err(FilesError::BadChunk));
    assert_eq!(store.get(file, 0, Some([6; 32])).await, Err(FilesError::NotFound));
    assert_eq!(store.get(file, 0, None).await, Err(FilesError::NotFound));
    assert_eq!(store.get(FileId::from_bytes([9; 16]), 0, Some(ACCESS)).await, Err(FilesError::NotFound));
});

store_test!(a_stored_chunk_never_changes, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    let file = store.files.create(&me, request(250, 100, ACCESS)).await.expect("announced").file;
    store.put(&me, file, 0, chunk(0, 100)).await.expect("stored");
    assert_eq!(store.put(&me, file, 0, chunk(1, 100)).await, Err(FilesError::ChunkDiffers));
    assert_eq!(store.put(&me, file, 0, chunk(0, 99)).await, Err(FilesError::BadChunk));
    assert_eq!(store.put(&me, file, 3, chunk(3, 1)).await, Err(FilesError::BadChunk));
    store.put(&me, file, 1, chunk(1, 100)).await.expect("stored");
    store.put(&me, file, 2, chunk(2, 50)).await.expect("stored");
    store.files.complete(&me, file).await.expect("complete");
    store.put(&me, file, 2, chunk(2, 50)).await.expect("the same again is fine");
    assert_eq!(store.put(&me, file, 2, chunk(7, 50)).await, Err(FilesError::ChunkDiffers));
    assert_eq!(store.on_disk().len(), 3, "what was refused left no blob");
});

store_test!(two_writers_of_one_chunk_cannot_mix, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    for round in 0..10u8 {
        let access = [round; 32];
        let file = store.files.create(&me, request(100, 100, access)).await.expect("announced").file;
        let (a, b) = tokio::join!(store.put(&me, file, 0, chunk(1, 100)), store.put(&me, file, 0, chunk(2, 100)));
        assert_eq!([&a, &b].into_iter().filter(|r| r.is_ok()).count(), 1, "{a:?} {b:?}");
        store.files.complete(&me, file).await.expect("complete");
        let won = if a.is_ok() { chunk(1, 100) } else { chunk(2, 100) };
        assert_eq!(store.get(file, 0, Some(access)).await.expect("there"), won);
        store.files.remove(&me, file).await.expect("removed");
    }
    assert!(store.on_disk().is_empty());
});

store_test!(an_upload_is_its_uploaders_alone, &MIGRATIONS, |db| async move {
    let store = store(db);
    let (me, other) = (actor(1, &[]), actor(2, &[]));
    let file = store.files.create(&me, request(250, 100, ACCESS)).await.expect("announced").file;
    assert_eq!(store.files.state(&other, file).await.map(drop), Err(FilesError::NotFound));
    assert_eq!(store.put(&other, file, 0, chunk(0, 100)).await, Err(FilesError::NotFound));
    assert_eq!(store.files.complete(&other, file).await.map(drop), Err(FilesError::NotFound));
    assert_eq!(store.files.remove(&other, file).await, Err(FilesError::NotFound));
});

store_test!(announcing_twice_is_one_upload, &MIGRATIONS, |db| async move {
    let mut store = store(db);
    let me = actor(1, &[]);
    let first = store.files.create(&me, request(250, 100, ACCESS)).await.expect("announced").file;
    store.put(&me, first, 1, chunk(1, 100)).await.expect("stored");
    // The answer was lost, or the client was killed.
    store.restart();
    assert_eq!(store.files.create(&me, request(250, 100, ACCESS)).await.expect("the same").file, first);
    let state = store.files.state(&me, first).await.expect("state");
    assert_eq!((0..3).map(|i| state.has(i)).collect::<Vec<_>>(), [false, true, false]);
    let other = store.files.create(&me, request(251, 100, ACCESS)).await;
    assert_eq!(other.map(drop), Err(FilesError::AlreadyAnnounced));
    // Another official may have the same access value by chance or on purpose; it is another file.
    let theirs = store.files.create(&actor(2, &[]), request(250, 100, ACCESS)).await.expect("announced").file;
    assert_ne!(theirs, first);
});

store_test!(quotas_hold_even_when_asked_at_once, &MIGRATIONS, |db| async move {
    let store = store(db);
    let me = actor(1, &[]);
    let big = |access| store.files.create(&me, request(1000, 100, [access; 32]));
    let (a, b, c, d) = tokio::join!(big(1), big(2), big(3), big(4));
    let granted = [&a, &b, &c, &d].into_iter().filter(|r| r.is_ok()).count();
    assert_eq!(granted, 2, "2500 bytes are two of 1000: {a:?} {b:?} {c:?} {d:?}");
    let refused = [a, b, c, d].into_iter().find_map(Result::err);
    assert_eq!(refused, Some(FilesError::Quota));
    let usage = store.files.usage(&me).await.expect("usage");
    assert_eq!((usage.used, usage.quota, usage.open_uploads), (2000, 2500, 2));
    store.files.create(&me, request(10, 10, [8; 32])).await.expect("a third fits");
    let fourth = store.files.create(&me, request(10, 10, [9; 32])).await;
    assert_eq!(fourth.map(drop), Err(FilesError::TooManyUploads));
    store.files.create(&actor(2, &[]), request(1000, 100, ACCESS)).await.expect("others have their own");
});

store_test!(a_slow_client_cannot_take_every_place, &MIGRATIONS, |db| async move {
    let store = store(db);
    let (me, other) = (actor(1, &[]), actor(2, &[]));
    let file = store.files.create(&me, request(1000, 100, ACCESS)).await.expect("announced").file;
    let mut held = Vec::new();
    for number in 0..4 {
        held.push(store.files.expect_chunk(&me, file, number).await.expect("a place"));
    }
    let refused = store.files.expect_chunk(&me, file, 4).await;
    assert_eq!(refused.map(drop), Err(FilesError::Busy));
    let theirs = store.files.create(&other, request(100, 100, ACCESS)).await.expect("announced").file;
    store.put(&other, theirs, 0, chunk(0, 100)).await.expect("others go on");
    held.pop();
    store.put(&me, file, 4, chunk(4, 100)).await.expect("a place is free again");
});
