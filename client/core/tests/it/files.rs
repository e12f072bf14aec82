//! Sending files: resumed, changed, sealed ahead.

use crate::file_scene::{CHUNK, Folder, SIZE, Source, as_shown, code, named, scene, views};
use futures::executor::block_on;
use pakawaaz_client::{NewFile, NoSpool, TransferState, TransferView};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

#[test]
fn a_file_arrives_whole_with_its_message() {
    let scene = scene();
    for size in [0, 1, CHUNK as usize, CHUNK as usize + 1, SIZE] {
        let source = Source::new(size as u8, size);
        let message = scene.send(&source);
        assert_eq!(views(&scene.alice), [], "over");
        let page = block_on(scene.bob.client.read(scene.group, None, 10)).unwrap();
        let line = page.lines.iter().find(|l| l.message == Some(message)).unwrap();
        let file = line.file.as_ref().unwrap();
        assert_eq!((line.text.as_str(), file.name.as_str(), file.size), ("as discussed", "minutes.pdf", size as u64));
        scene.fetches(message, &source);
        assert_eq!(views(&scene.bob), []);
    }
}

#[test]
fn every_change_of_an_upload_is_told_when_it_happens() {
    use TransferState::{NeedsFile, Preparing, Running, Waiting};
    let scene = scene();
    let source = Source::new(1, SIZE);
    let client = &scene.alice.client;
    let states = |shown: &[TransferView]| {
        let mut states: Vec<_> = shown.iter().map(|t| t.state).collect();
        states.dedup();
        states
    };

    // Nothing gets through: it is sealed all the same, and then no longer being prepared.
    let (transfer, folder) = (scene.begin(SIZE), Folder::default());
    scene.fail_after(0, 503, "storage.unavailable");
    let (sent, shown) =
        as_shown(&scene.alice, transfer, async |hear| client.upload(transfer, Some(&source), &folder, hear).await);
    assert!(sent.unwrap_err().is_temporary());
    assert!(states(&shown).contains(&Waiting), "{:?}", states(&shown));
    assert!(shown.iter().any(|t| t.prepared == t.size && t.done == 0));

    // It goes through.
    scene.heal();
    let (sent, _) =
        as_shown(&scene.alice, transfer, async |hear| client.upload(transfer, None::<&Source>, &folder, hear).await);
    sent.unwrap();
    let (transfer, folder) = (scene.begin(SIZE), Folder::default());
    let (sent, shown) =
        as_shown(&scene.alice, transfer, async |hear| client.upload(transfer, Some(&source), &folder, hear).await);
    sent.unwrap();
    assert_eq!(states(&shown), [NeedsFile, Preparing, Running]);
    let transfer = scene.begin(SIZE);
    let (sent, shown) =
        as_shown(&scene.alice, transfer, async |hear| client.upload(transfer, Some(&source), &NoSpool, hear).await);
    assert_eq!(states(&shown), [NeedsFile, Running]);
    scene.arrives(sent.unwrap(), &source);
}

#[test]
fn nothing_at_the_server_is_in_clear() {
    let scene = scene();
    let source = Source(RefCell::new(b"nobody else may read this. ".repeat(10_000)), Cell::new(0));
    scene.send(&source);
    for (_, _, sealed) in scene.arrived() {
        assert!(!sealed.windows(16).any(|w| w == b"nobody else may "));
    }
}

#[test]
fn an_upload_goes_on_after_a_restart_and_sends_no_chunk_twice() {
    let mut scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.stopped_upload(&source, 7);
    let stored: BTreeSet<u32> =
        scene.world.server.borrow().files.files.values().flat_map(|f| f.chunks.keys().copied()).collect();
    assert_eq!(stored.len(), 7);
    scene.alice.restart();
    let [view] = &views(&scene.alice)[..] else { panic!("one transfer") };
    assert_eq!((view.state, view.failure.clone()), (TransferState::NeedsFile, None));
    assert!(view.done > 0 && view.done < view.size);
    assert_eq!(
        code(block_on(scene.alice.client.upload(transfer, None::<&Source>, &NoSpool, &mut |_| {}))),
        "client.file_needed"
    );
    let before = scene.arrived();
    let message = scene.upload(transfer, &source).unwrap();
    let after = scene.arrived();
    let again: BTreeSet<u32> = after[before.len()..].iter().map(|(_, n, _)| *n).collect();
    assert!(again.is_disjoint(&stored), "what the server had was not sent again");
    assert_same_bytes_everywhere(&after);
    scene.arrives(message, &source);
}

#[test]
fn a_file_that_changed_between_attempts_starts_over_under_another_key() {
    for shorter in [0, 1000] {
        let scene = scene();
        let source = Source::new(1, SIZE);
        let transfer = scene.stopped_upload(&source, 7);
        let first = scene.arrived();
        source.0.borrow_mut().truncate(SIZE - shorter);
        source.0.borrow_mut()[CHUNK as usize + 5] ^= 1;
        let message = scene.upload(transfer, &source).unwrap();
        let second = scene.arrived().split_off(first.len());
        let (old, new) = (first[0].0, second[0].0);
        assert_ne!(old, new);
        assert!(second.iter().all(|(file, ..)| *file == new), "nothing more for the old one");
        for (_, number, bytes) in &first {
            let other = second.iter().find(|(_, n, _)| n == number).unwrap();
            assert_ne!(&other.2, bytes, "chunk {number}: same plaintext or not, another key");
        }
        assert!(!scene.world.server.borrow().files.files.contains_key(&old), "given up at the server too");
        scene.arrives(message, &source);
    }
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_never_sent_as_a_mixture() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.stopped_upload(&source, 17);
    // The last chunk was never stored; its hash was. Another last chunk must not go under the old key.
    let last = SIZE - 1;
    source.0.borrow_mut()[last] ^= 1;
    let before = scene.arrived();
    let message = scene.upload(transfer, &source).unwrap();
    assert_eq!(scene.arrived().len() - before.len(), 18, "all of it again");
    scene.arrives(message, &source);
}

#[test]
fn a_server_that_forgot_an_upload_gets_it_again() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.stopped_upload(&source, 7);
    scene.world.server.borrow_mut().files.files.clear();
    let message = scene.upload(transfer, &source).unwrap();
    scene.arrives(message, &source);
}

#[test]
fn a_refusal_half_way_is_told_with_its_reason_and_can_be_tried_again() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(3, 403, "files.quota");
    assert_eq!(code(scene.upload(transfer, &source)), "files.quota");
    let view = views(&scene.alice).remove(0);
    assert_eq!((view.state, view.failure.as_deref()), (TransferState::Failed, Some("files.quota")));
    scene.heal();
    block_on(scene.alice.client.resume_transfer(transfer)).unwrap();
    scene.upload(transfer, &source).unwrap();
}

#[test]
fn a_running_upload_is_paused_resumed_and_cancelled() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    let client = &scene.alice.client;
    let (sent, paused) = block_on(futures::future::join(
        client.upload(transfer, Some(&source), &NoSpool, &mut |_| {}),
        client.pause_transfer(transfer),
    ));
    paused.unwrap();
    assert_eq!(code(sent), "client.transfer_paused");
    assert!(source.1.get() < 18, "at once, not at the end");
    assert_eq!(views(&scene.alice)[0].state, TransferState::Paused);
    assert_eq!(code(scene.upload(transfer, &source)), "client.transfer_paused", "until resumed");
    block_on(client.resume_transfer(transfer)).unwrap();
    let (sent, cancelled) = block_on(futures::future::join(
        client.upload(transfer, Some(&source), &NoSpool, &mut |_| {}),
        client.cancel_transfer(transfer, &NoSpool),
    ));
    cancelled.unwrap();
    assert_eq!(code(sent), "client.transfer_cancelled");
    assert_eq!(views(&scene.alice), []);
    assert_eq!(code(scene.upload(transfer, &source)), "client.no_such_transfer");
    assert!(scene.alice.texts(scene.group).is_empty(), "no message without its file");
}

#[test]
fn one_transfer_does_not_run_twice_at_once() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    let run = || async { scene.alice.client.upload(transfer, Some(&source), &NoSpool, &mut |_| {}).await };
    let (one, two) = block_on(futures::future::join(run(), run()));
    one.unwrap();
    assert_eq!(code(two), "client.transfer_running");
}

#[test]
fn a_file_is_sealed_ahead_of_the_network_and_then_not_needed_any_more() {
    for reached in [0, 2, 14] {
        let mut scene = scene();
        let (source, folder) = (Source::new(1, SIZE), Folder::default());
        let transfer = scene.begin(SIZE);
        scene.fail_after(reached, 503, "storage.unavailable");
        let failed = scene.upload_through(transfer, Some(&source), &folder).unwrap_err();
        assert!(failed.is_temporary(), "{failed}");
        assert_eq!(folder.chunks.borrow().len(), 18, "the network is down, and all of it is sealed");
        scene.alice.restart();
        let view = views(&scene.alice).remove(0);
        assert_eq!((view.state, view.prepared), (TransferState::Paused, view.size));
        scene.heal();
        let message = scene.upload_through(transfer, None, &folder).unwrap();
        assert!(folder.chunks.borrow().is_empty(), "nothing stays in the folder");
        assert_same_bytes_everywhere(&scene.arrived());
        scene.arrives(message, &source);
    }
}

/// One plaintext under one key and position.
fn assert_same_bytes_everywhere(arrived: &[(pakawaaz_base::FileId, u32, Vec<u8>)]) {
    for (file, number, bytes) in arrived {
        assert!(arrived.iter().all(|(f, n, b)| (f, n) != (file, number) || b == bytes));
    }
}

#[test]
fn a_file_that_was_not_wholly_sealed_is_asked_for_and_goes_on() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let transfer = scene.begin(SIZE);
    // The store dies after announcement and first block: a crash in the middle of the sealing.
    scene.alice.store.crash_after(2);
    scene.upload_through(transfer, Some(&source), &folder).unwrap_err();
    scene.alice.restart();
    let kept = folder.chunks.borrow().clone();
    assert!(!kept.is_empty() && kept.len() < 18, "{}", kept.len());
    assert_eq!(views(&scene.alice)[0].state, TransferState::NeedsFile);
    assert_eq!(code(scene.upload_through(transfer, None, &folder)), "client.file_needed");
    scene.fail_after(0, 503, "storage.unavailable");
    scene.upload_through(transfer, Some(&source), &folder).unwrap_err();
    for (at, bytes) in &kept {
        assert_eq!(&folder.chunks.borrow()[at], bytes);
    }
    scene.heal();
    let message = scene.upload_through(transfer, None, &folder).unwrap();
    scene.arrives(message, &source);
}

#[test]
fn a_crash_at_any_store_commit_of_an_upload_sends_the_file_once() {
    let mut scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    for boundary in 0..12 {
        let transfer = scene.begin(SIZE);
        scene.alice.store.crash_after(boundary);
        let crashed = scene.upload_through(transfer, Some(&source), &folder);
        scene.alice.restart();
        let message = match views(&scene.alice).first().map(|view| view.state) {
            // Its last commit was durable: the message is in the outbox.
            None => crashed.unwrap(),
            Some(TransferState::NeedsFile) => scene.upload_through(transfer, Some(&source), &folder).unwrap(),
            Some(_) => scene.upload_through(transfer, None, &folder).unwrap(),
        };
        assert_same_bytes_everywhere(&scene.arrived());
        scene.arrives(message, &source);
        assert_eq!(scene.bob.texts(scene.group).len(), boundary as usize + 1, "once, after boundary {boundary}");
    }
}

#[test]
fn half_a_chunk_in_the_folder_is_not_sent() {
    for damage in [0, 1] {
        let mut scene = scene();
        let (source, folder) = (Source::new(1, SIZE), Folder::default());
        let transfer = scene.begin(SIZE);
        scene.fail_after(0, 503, "storage.unavailable");
        scene.upload_through(transfer, Some(&source), &folder).unwrap_err();
        scene.alice.restart();
        scene.heal();
        let before = scene.arrived().len();
        match folder.chunks.borrow_mut().get_mut(&(transfer, 5)).unwrap() {
            chunk if damage == 0 => chunk.truncate(1000),
            chunk => chunk[1000] ^= 1,
        }
        assert_eq!(code(scene.upload_through(transfer, None, &folder)), "client.file_needed");
        assert!(scene.arrived()[before..].iter().all(|(_, number, _)| *number != 5));
        let message = scene.upload_through(transfer, Some(&source), &folder).unwrap();
        scene.arrives(message, &source);
    }
}

#[test]
fn a_folder_without_room_is_not_used() {
    let fits = SIZE as u64 + 18 * 16;
    for (room, most) in [(Some(fits - 1), None), (None, Some(9)), (Some(fits), Some(0))] {
        let scene = scene();
        let (source, folder) = (Source::new(1, SIZE), Folder::default());
        folder.room.set(room);
        folder.most.set(most);
        let message = scene.upload_through(scene.begin(SIZE), Some(&source), &folder).unwrap();
        assert!(folder.chunks.borrow().is_empty(), "no remains");
        scene.arrives(message, &source);
    }
    let scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    folder.room.set(Some(fits));
    scene.fail_after(0, 503, "storage.unavailable");
    scene.upload_through(scene.begin(SIZE), Some(&source), &folder).unwrap_err();
    assert_eq!(folder.chunks.borrow().len(), 18, "exactly enough is enough");
}

#[test]
fn files_sent_together_are_sealed_and_sent_one_after_the_other() {
    let scene = scene();
    let folder = Folder::default();
    let sources = [Source::new(1, SIZE), Source::new(2, SIZE), Source::new(3, SIZE)];
    let uploads = sources.iter().map(|source| {
        let transfer = scene.begin(SIZE);
        let (scene, folder) = (&scene, &folder);
        async move { scene.alice.client.upload(transfer, Some(source), folder, &mut |_| {}).await.unwrap() }
    });
    let messages = block_on(futures::future::join_all(uploads));
    let mut order: Vec<_> = scene.arrived().into_iter().map(|(file, ..)| file).collect();
    order.dedup();
    assert_eq!(order.len(), 3, "one after the other");
    for (message, source) in messages.into_iter().zip(&sources) {
        scene.arrives(message, source);
    }
}

#[test]
fn what_a_crash_left_in_the_folder_is_swept() {
    let scene = scene();
    let (source, folder) = (Source::new(1, SIZE), Folder::default());
    let (over, open) = (scene.begin(SIZE), scene.begin(SIZE));
    scene.fail_after(0, 503, "storage.unavailable");
    for transfer in [over, open] {
        scene.upload_through(transfer, Some(&source), &folder).unwrap_err();
    }
    // As if the crash had come before the folder was emptied.
    block_on(scene.alice.client.cancel_transfer(over, &NoSpool)).unwrap();
    block_on(scene.alice.client.sweep_spool(&folder)).unwrap();
    assert!(folder.chunks.borrow().keys().all(|(transfer, _)| *transfer == open));
    assert_eq!(folder.chunks.borrow().len(), 18);
}

#[test]
fn a_refusal_for_good_ends_the_sealing_too() {
    let scene = scene();
    let (source, folder) = (Source::new(1, SIZE * 4), Folder::default());
    scene.fail_after(0, 403, "files.quota");
    assert_eq!(code(scene.upload_through(scene.begin(SIZE * 4), Some(&source), &folder)), "files.quota");
    assert!(folder.chunks.borrow().len() < 69, "the file is not sealed to its end for nothing");
    assert_eq!(views(&scene.alice)[0].failure.as_deref(), Some("files.quota"));
}

#[test]
fn what_no_message_could_describe_is_refused_before_it_is_sent() {
    let scene = scene();
    for bad in ["", "a/b", "..", "a\nb"] {
        let begun = block_on(scene.alice.client.begin_upload(scene.group, named(bad, 1)));
        assert_eq!(code(begun), "client.bad_file", "{bad:?}");
    }
    let long = NewFile { caption: "x".repeat(70_000), ..named("a", 1) };
    assert_eq!(code(block_on(scene.alice.client.begin_upload(scene.group, long))), "client.too_long");
    assert_eq!(views(&scene.alice), []);
}

#[test]
fn an_upload_that_stopped_half_way_does_not_stop_the_synchronising() {
    let scene = scene();
    let source = Source::new(1, SIZE);
    let transfer = scene.begin(SIZE);
    scene.fail_after(3, 403, "files.quota");
    assert_eq!(code(scene.upload(transfer, &source)), "files.quota");
    assert!(scene.alice.store.rows().iter().any(|(key, _)| key[0] == b'z'), "hashes are kept");
    scene.heal();
    scene.bob.send(scene.group, "and now?");
    scene.alice.sync();
    assert_eq!(scene.alice.texts(scene.group), ["and now?"]);
}
