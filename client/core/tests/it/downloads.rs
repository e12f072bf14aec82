//! Fetching files: verified, resumed, and a server that swaps, cuts and exchanges.

use crate::file_scene::{CHUNK, Fleeting, Folder, SIZE, Scene, Sink, Source, code, scene, views};
use futures::FutureExt as _;
use futures::executor::block_on;
use pakawaaz_base::MessageId;
use pakawaaz_client::{NoSpool, TransferState};
use std::collections::BTreeMap;

/// A message with a file, and a download of it that stopped after nine chunks, one more than a row holds hashes of.
fn stopped(scene: &Scene, source: &Source, sink: &mut Sink) -> MessageId {
    let message = scene.send(source);
    scene.fail_after(9, 503, "storage.unavailable");
    assert!(scene.download(message, sink).unwrap_err().is_temporary());
    scene.heal();
    assert_eq!(sink.bytes.len(), CHUNK as usize * 9);
    assert_eq!(scene.asked_for(), (0..9).collect::<Vec<_>>());
    message
}

#[test]
fn a_lying_server_delivers_nothing() {
    type Lie = fn(&BTreeMap<u32, Vec<u8>>, u32, Vec<u8>) -> Vec<u8>;
    let lies: [(&str, Lie); 5] = [
        ("swaps two chunks", |all, n, chunk| {
            if n == 3 {
                all[&4].clone()
            } else if n == 4 {
                all[&3].clone()
            } else {
                chunk
            }
        }),
        ("cuts the last chunk", |_, n, chunk| if n == 17 { chunk[..50].to_vec() } else { chunk }),
        ("cuts a chunk in the middle", |_, n, chunk| if n == 9 { Vec::new() } else { chunk }),
        ("lengthens a chunk", |_, n, chunk| if n == 9 { [&chunk[..], &[0]].concat() } else { chunk }),
        ("flips a bit", |_, n, mut chunk| {
            if n == 17 {
                chunk[7] ^= 1;
            }
            chunk
        }),
    ];
    for (what, lie) in lies {
        let scene = scene();
        let source = Source::new(1, SIZE);
        let message = scene.send(&source);
        scene.lie(lie);
        let mut sink = Sink::default();
        assert_eq!(code(scene.download(message, &mut sink)), "client.file_not_authentic", "{what}");
        assert!(!sink.finished && sink.discarded && sink.bytes.is_empty(), "{what}");
        let view = views(&scene.bob).remove(0);
        assert_eq!((view.state, view.done), (TransferState::Failed, 0), "{what}");
        scene.world.server.borrow_mut().files.lie = None;
        // The truth still arrives after it.
        scene.fetches(message, &source);
    }
}

#[test]
fn another_file_is_not_this_one() {
    let scene = scene();
    let (one, two) = (Source::new(1, SIZE), Source::new(2, SIZE));
    let (message, _) = (scene.send(&one), scene.send(&two));
    let other: Vec<BTreeMap<u32, Vec<u8>>> =
        scene.world.server.borrow().files.files.values().map(|f| f.chunks.clone()).collect();
    // Whole and well formed, but sealed under another message's key.
    scene.lie(move |all, n, _| other.iter().find(|o| *o != all).unwrap()[&n].clone());
    let mut sink = Sink::default();
    assert_eq!(code(scene.download(message, &mut sink)), "client.file_not_authentic");
    assert!(sink.discarded);
}

#[test]
fn a_file_whose_time_is_over_says_so() {
    let scene = scene();
    let message = scene.send(&Source::new(1, SIZE));
    scene.world.server.borrow_mut().files.files.clear();
    assert_eq!(code(scene.download(message, &mut Sink::default())), "files.not_found");
    assert_eq!(views(&scene.bob)[0].failure.as_deref(), Some("files.not_found"));
}

#[test]
fn a_download_goes_on_after_a_restart_where_it_stopped() {
    let mut scene = scene();
    let (source, mut sink) = (Source::new(1, SIZE), Sink::default());
    let message = stopped(&scene, &source, &mut sink);
    // A torn write at the end, as a crash leaves it.
    sink.bytes.extend([0; 100]);
    scene.bob.restart();
    assert_eq!(views(&scene.bob)[0].done, 9 * u64::from(CHUNK), "how far it was is shown");
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
    assert_eq!(scene.asked_for(), (9..18).collect::<Vec<_>>(), "nothing is fetched twice");
    assert_eq!(views(&scene.bob), []);
}

#[test]
fn a_damaged_part_is_fetched_again() {
    // Where it is damaged, and what that costs: from the damaged row on; after the last row, all of it, because only the
    // hash of the whole tells.
    for (at, first) in [(5, 0), (7 * CHUNK as usize, 0), (8 * CHUNK as usize + 1, 9)] {
        let mut scene = scene();
        let (source, mut sink) = (Source::new(1, SIZE), Sink::default());
        let message = stopped(&scene, &source, &mut sink);
        sink.bytes[at] ^= 1;
        scene.bob.restart();
        scene.download(message, &mut sink).unwrap();
        assert_eq!(sink.bytes, *source.0.borrow(), "{at}");
        let asked = scene.asked_for();
        assert_eq!(asked[0], first, "{at}");
        assert_eq!(asked.len(), if first == 0 { 18 } else { 9 + 18 }, "{at}");
    }
}

#[test]
fn a_part_that_is_longer_than_the_file_starts_over() {
    let scene = scene();
    let (source, mut sink) = (Source::new(1, SIZE), Sink::default());
    let message = stopped(&scene, &source, &mut sink);
    sink.bytes.resize(SIZE + 1, 0);
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
    assert_eq!(scene.asked_for().len(), 18);
}

#[test]
fn a_part_of_another_file_is_noticed() {
    let scene = scene();
    let (source, mut sink) = (Source::new(1, SIZE), Sink { bytes: Source::new(2, SIZE).0.take(), ..Sink::default() });
    let message = scene.send(&source);
    scene.download(message, &mut sink).unwrap();
    assert!(sink.finished && sink.bytes == *source.0.borrow());
}

#[test]
fn a_crash_at_any_store_commit_of_a_download_loses_little_and_delivers_the_file() {
    let mut scene = scene();
    let source = Source::new(1, SIZE);
    let message = scene.send(&source);
    for boundary in 0..8 {
        let mut sink = Sink::default();
        scene.asked_for();
        let transfer = block_on(scene.bob.client.begin_download(scene.group, message)).unwrap();
        scene.bob.store.crash_after(boundary);
        let crashed = block_on(scene.bob.client.download(transfer, &mut sink, &mut |_| {})).is_err();
        scene.bob.restart();
        sink.finished = false;
        let kept = sink.bytes.len() / CHUNK as usize;
        let before = scene.asked_for();
        scene.download(message, &mut sink).unwrap();
        assert!(sink.finished && !sink.discarded && sink.bytes == *source.0.borrow(), "boundary {boundary}");
        let again = scene.asked_for();
        assert!(again.iter().all(|n| *n as usize >= kept), "boundary {boundary}: {before:?} {again:?}");
        assert!(crashed || boundary >= 4, "the boundaries are those of the download");
        assert_eq!(views(&scene.bob), []);
    }
}

#[test]
fn a_running_download_is_paused_resumed_and_cancelled() {
    let scene = scene();
    let (source, mut sink) = (Source::new(1, SIZE), Sink::default());
    let message = scene.send(&source);
    let client = &scene.bob.client;
    let transfer = block_on(client.begin_download(scene.group, message)).unwrap();
    // Paused by the first that is heard of it.
    let pause = futures::channel::oneshot::channel();
    let mut first = Some(pause.0);
    let mut hear = |_| {
        if let Some(tell) = first.take() {
            tell.send(()).unwrap();
        }
    };
    let (fetched, paused) = block_on(futures::future::join(client.download(transfer, &mut sink, &mut hear), async {
        pause.1.await.unwrap();
        client.pause_transfer(transfer).await
    }));
    paused.unwrap();
    assert_eq!(code(fetched), "client.transfer_paused");
    let kept = sink.bytes.len();
    assert!(kept > 0 && kept < SIZE, "{kept}");
    let view = views(&scene.bob).remove(0);
    assert_eq!((view.state, view.done), (TransferState::Paused, kept as u64));
    assert_eq!(code(scene.download(message, &mut sink)), "client.transfer_paused", "until resumed");
    assert_eq!(views(&scene.bob)[0].done, kept as u64, "how far it was is not forgotten by trying");
    block_on(client.resume_transfer(transfer)).unwrap();
    scene.asked_for();
    scene.download(message, &mut sink).unwrap();
    assert_eq!(sink.bytes, *source.0.borrow());
    assert_eq!(scene.asked_for()[0] as usize, kept / CHUNK as usize);
    let transfer = block_on(client.begin_download(scene.group, message)).unwrap();
    block_on(client.cancel_transfer(transfer, &NoSpool)).unwrap();
    assert_eq!(views(&scene.bob), []);
}

#[test]
fn a_spool_fetches_no_chunk_twice() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let message = scene.send(&source);
    scene.fail_after(9, 503, "storage.unavailable");
    let mut sink = Fleeting::default();
    assert!(scene.download_through(message, &mut sink, &folder).unwrap_err().is_temporary());
    let asked = scene.asked_for();
    assert_eq!(asked.len(), 9);
    scene.bob.restart();
    scene.heal();
    // After a reload nobody waits for it any more.
    let transfer = scene.download_ahead(message, &folder).unwrap();
    assert_eq!(scene.asked_for().len(), 9, "the other half");
    // Nobody has taken it yet, and it survives another reload.
    scene.bob.restart();
    let view = views(&scene.bob).remove(0);
    assert_eq!((view.transfer, view.state, view.done), (transfer, TransferState::Done, view.size));
    let mut sink = Fleeting::default();
    scene.download_through(message, &mut sink, &folder).unwrap();
    assert!(sink.1 && sink.0 == *source.0.borrow());
    assert_eq!(scene.asked_for(), [0; 0], "without the network");
    assert_eq!(views(&scene.bob), []);
    assert!(folder.chunks.borrow().is_empty(), "nothing stays in the folder");
}

#[test]
fn a_damaged_chunk_of_the_spool_is_fetched_again_alone() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let message = scene.send(&source);
    for damage in ["flipped", "cut", "gone", "of another place"] {
        let transfer = scene.download_ahead(message, &folder).unwrap();
        scene.asked_for();
        {
            let mut chunks = folder.chunks.borrow_mut();
            let other = chunks[&(transfer, 4)].clone();
            match damage {
                "flipped" => chunks.get_mut(&(transfer, 3)).unwrap()[9] ^= 1,
                "cut" => chunks.get_mut(&(transfer, 3)).unwrap().truncate(9),
                "gone" => drop(chunks.remove(&(transfer, 3))),
                _ => drop(chunks.insert((transfer, 3), other)),
            }
        }
        scene.bob.restart();
        let mut sink = Fleeting::default();
        scene.download_through(message, &mut sink, &folder).unwrap();
        assert!(sink.1 && sink.0 == *source.0.borrow(), "{damage}");
        assert_eq!(scene.asked_for(), [3], "{damage}");
    }
}

#[test]
fn a_lie_through_a_spool_leaves_nothing_of_it() {
    let scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let message = scene.send(&source);
    scene.lie(|all, n, chunk| if n == 3 { all[&4].clone() } else { chunk });
    let mut sink = Fleeting::default();
    assert_eq!(code(scene.download_through(message, &mut sink, &folder)), "client.file_not_authentic");
    assert!(folder.chunks.borrow().is_empty() && sink.0.is_empty() && !sink.1);
    scene.world.server.borrow_mut().files.lie = None;
    scene.download_through(message, &mut sink, &folder).unwrap();
    assert_eq!(sink.0, *source.0.borrow());
}

#[test]
fn a_full_spool_does_not_stop_a_download() {
    let fits = SIZE as u64 + 18 * 16;
    for (room, most) in [(Some(fits - 1), None), (None, Some(4))] {
        let scene = scene();
        let (source, folder) = (Source::new(1, SIZE), Folder::default());
        folder.room.set(room);
        folder.most.set(most);
        let message = scene.send(&source);
        let mut sink = Fleeting::default();
        assert_eq!(code(scene.download_ahead(message, &folder)), "client.file_spool", "that would be for nothing");
        scene.download_through(message, &mut sink, &folder).unwrap();
        assert!(sink.1 && sink.0 == *source.0.borrow());
    }
}

#[test]
fn a_small_file_is_kept_only_for_later() {
    let scene = scene();
    let (source, folder) = (Source::new(1, 1000), Folder::default());
    let message = scene.send(&source);
    folder.most.set(Some(0));
    scene.download_through(message, &mut Fleeting::default(), &folder).unwrap();
    folder.most.set(None);
    scene.download_ahead(message, &folder).unwrap();
    assert_eq!(folder.chunks.borrow().len(), 1);
}

#[test]
fn a_download_that_stops_again_and_again_fetches_nothing_twice() {
    let mut scene = scene();
    let (source, mut sink) = (Source::new(1, SIZE), Sink::default());
    let message = scene.send(&source);
    let mut asked = Vec::new();
    // Never at the end of a row of hashes, and once beyond a whole one.
    for chunks in [3, 10, 2] {
        scene.fail_after(chunks, 503, "storage.unavailable");
        assert!(scene.download(message, &mut sink).unwrap_err().is_temporary());
        asked.extend(scene.asked_for());
        scene.bob.restart();
    }
    scene.heal();
    scene.download(message, &mut sink).unwrap();
    asked.extend(scene.asked_for());
    assert_eq!(asked, (0..18).collect::<Vec<_>>());
    assert_eq!(sink.bytes, *source.0.borrow());
}

#[test]
fn a_second_attempt_is_not_counted_on_top_of_the_first() {
    let mut scene = scene();
    let (source, mut sink) = (Source::new(1, SIZE), Sink::default());
    let message = stopped(&scene, &source, &mut sink);
    // Nothing but the hash of the whole tells, so all of it comes again.
    sink.bytes[8 * CHUNK as usize + 1] ^= 1;
    scene.bob.restart();
    let client = &scene.bob.client;
    let transfer = block_on(client.begin_download(scene.group, message)).unwrap();
    let mut done = Vec::new();
    let mut hear = |_| done.extend(client.transfers().now_or_never().unwrap().unwrap().first().map(|view| view.done));
    block_on(client.download(transfer, &mut sink, &mut hear)).unwrap();
    let anew = done.windows(2).position(|w| w[0] > w[1]).expect("it began anew");
    let step = u64::from(CHUNK);
    assert_eq!(done[anew + 1..], (0..=SIZE as u64 / step).map(|n| n * step).collect::<Vec<_>>());
}

#[test]
fn a_download_that_nobody_comes_back_for_is_forgotten_after_a_week() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let message = scene.send(&source);
    let transfer = scene.download_ahead(message, &folder).unwrap();
    let kept_until = |scene: &Scene| views(&scene.bob)[0].kept_until.unwrap().0;
    let first = kept_until(&scene);
    let days = (first - scene.world.now.get()) as f64 / 86_400_000.0;
    assert!((6.9..=7.0).contains(&days), "a week from when it was whole: {days}");
    scene.world.now.set(first - 60_000);
    assert_eq!(block_on(scene.bob.client.expire_downloads(&folder)).unwrap(), []);
    // Somebody asks for it, and the place to save it to takes nothing: it is wanted, and has another week.
    struct Full;
    impl pakawaaz_client::FileSink for Full {
        async fn write(&mut self, _: u64, _: &[u8]) -> Result<(), pakawaaz_client::FileError> {
            Err(pakawaaz_client::FileError::Sink)
        }
        async fn finish(&mut self) -> Result<(), pakawaaz_client::FileError> {
            Ok(())
        }
        async fn discard(&mut self) {}
    }
    assert_eq!(code(scene.download_through(message, &mut Full, &folder)), "client.file_sink");
    scene.bob.restart();
    assert!(kept_until(&scene) > first);
    scene.world.now.set(first);
    assert_eq!(block_on(scene.bob.client.expire_downloads(&folder)).unwrap(), []);
    scene.world.now.set(kept_until(&scene));
    assert_eq!(block_on(scene.bob.client.expire_downloads(&folder)).unwrap(), [transfer]);
    assert!(folder.chunks.borrow().is_empty(), "its chunks are gone");
    assert_eq!(views(&scene.bob), []);
    assert_ne!(block_on(scene.bob.client.begin_download(scene.group, message)).unwrap(), transfer, "a new beginning");
}

#[test]
fn what_is_sent_is_never_forgotten_by_itself() {
    let scene = scene();
    let transfer = scene.begin(SIZE);
    assert_eq!(views(&scene.alice)[0].kept_until, None);
    scene.world.now.set(scene.world.now.get() + 100 * 86_400_000);
    assert_eq!(block_on(scene.alice.client.expire_downloads(&Folder::default())).unwrap(), []);
    assert_eq!(views(&scene.alice)[0].transfer, transfer);
}
