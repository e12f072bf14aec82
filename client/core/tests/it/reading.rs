//! How an official reads: where a conversation opens and goes on, what is unread, what is found; and what this device
//! alone remembers of it, drafts and flags.

use crate::world::World;
use futures::executor::block_on;
use pakawaaz_base::{Bytes, MessageId};
use pakawaaz_client::ClientError;
use pakawaaz_client::views::{Flags, MessageStatus};

#[test]
fn drafts_and_flags_are_kept_here_and_survive_a_restart() {
    let mut world = World::new();
    let (alice, mut bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let other = world.conversation(&[&bob, &alice], Some("other"));
    block_on(bob.client.set_draft(group, "half a sen")).unwrap();
    block_on(bob.client.set_flags(group, Flags { pinned: true, muted: false, archived: true })).unwrap();
    bob.restart();
    let view = bob.view(group);
    assert_eq!((view.draft.as_str(), view.pinned, view.muted, view.archived), ("half a sen", true, false, true));
    assert_eq!(block_on(bob.client.conversations()).unwrap()[0].group, group, "pinned comes first");
    // Receipts and the like do not bring it back; words do.
    block_on(alice.client.set_title(group, "renamed")).unwrap();
    alice.sync();
    bob.sync();
    assert!(bob.view(group).archived);
    alice.send(group, "news");
    bob.sync();
    assert!(!bob.view(group).archived);
    block_on(bob.client.set_flags(group, Flags { pinned: false, muted: true, archived: true })).unwrap();
    alice.send(group, "more news");
    bob.sync();
    assert!(bob.view(group).archived, "muted: for good");
    block_on(bob.client.set_draft(group, "")).unwrap();
    assert_eq!(bob.view(group).draft, "");
    assert_eq!(bob.view(other).draft, "");
}

#[test]
fn what_was_sent_is_no_draft_any_more_however_the_program_ends() {
    let mut world = World::new();
    let (mut alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    block_on(alice.client.set_draft(group, "all of it")).unwrap();
    block_on(alice.client.set_title(group, "a title")).unwrap();
    assert_eq!(alice.view(group).draft, "all of it", "only a text is what was being written");
    assert!(block_on(alice.client.send(group, &"x".repeat(1 << 20))).is_err());
    assert_eq!(alice.view(group).draft, "all of it", "refused: it is still there");
    alice.sync();
    for boundary in 0..3 {
        block_on(alice.client.set_draft(group, "all of it")).unwrap();
        alice.store.crash_after(boundary);
        let sent = block_on(alice.client.send(group, "all of it"));
        alice.restart();
        assert_eq!(sent.is_ok(), boundary > 0, "it is one step");
        let view = alice.view(group);
        let expected = if boundary == 0 { ("all of it", 0) } else { ("", 1) };
        assert_eq!((view.draft.as_str(), view.queued), expected, "boundary {boundary}");
        alice.sync();
    }
    bob.sync();
    assert_eq!(bob.texts(group), ["all of it"; 2]);
}

#[test]
fn reading_up_to_a_position_leaves_the_rest_unread() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let tablet = world.further(&bob, [&alice, &carol]);
    [&alice, &bob, &tablet].iter().for_each(|d| drop(d.sync()));
    let group = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
    world.settle(&[&alice, &bob, &tablet]);
    let sent: Vec<_> = ["a", "b", "c"].iter().map(|t| alice.send(group, t)).collect();
    bob.sync();
    tablet.sync();
    let seq = |m| bob.line(group, m).seq.unwrap();
    assert_eq!(bob.view(group).first_unread, Some(seq(sent[0])));
    block_on(bob.client.mark_read_to(group, Some(seq(sent[1])))).unwrap();
    assert_eq!((bob.view(group).unread, bob.view(group).first_unread), (1, Some(seq(sent[2]))));
    bob.sync();
    tablet.sync();
    assert_eq!((tablet.view(group).unread, tablet.view(group).first_unread), (1, Some(seq(sent[2]))), "everywhere");
    alice.sync();
    let info = block_on(alice.client.message_info(group, sent[1])).unwrap();
    assert_eq!((info.read, info.delivered, info.waiting), (vec![bob.official], vec![], vec![]));
    let info = block_on(alice.client.message_info(group, sent[2])).unwrap();
    assert_eq!((info.read, info.delivered, info.waiting), (vec![], vec![bob.official], vec![]));
    let queued = block_on(alice.client.send(group, "d")).unwrap();
    let info = block_on(alice.client.message_info(group, queued)).unwrap();
    assert_eq!((info.read, info.delivered, info.waiting), (vec![], vec![], vec![bob.official]));
}

#[test]
fn windows_move_over_a_conversation_without_gaps() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let sent: Vec<_> = (0..40).map(|i| alice.send(group, &format!("{i}"))).collect();
    bob.sync();
    let read = |w: &pakawaaz_client::views::TimelineView| {
        w.lines.iter().filter(|l| l.system.is_none()).map(|l| l.text.clone()).collect::<Vec<_>>()
    };
    // Opened at the first unread line, with a little above it.
    let seq = bob.line(group, sent[20]).seq.unwrap();
    block_on(bob.client.mark_read_to(group, Some(seq - 1))).unwrap();
    let open = block_on(bob.client.open_timeline(group, 12)).unwrap();
    assert_eq!(open.unread_from, Some(sent[20].to_string()));
    assert_eq!(read(&open), (17..29).map(|i| i.to_string()).collect::<Vec<_>>());
    assert!(open.older && open.newer);
    let below = block_on(bob.client.read_after(group, open.after().unwrap(), 5)).unwrap();
    assert_eq!(read(&below), ["29", "30", "31", "32", "33"]);
    let above = block_on(bob.client.read(group, open.before(), 5)).unwrap();
    assert_eq!(read(&above), ["12", "13", "14", "15", "16"]);
    assert!(above.older && above.newer);
    let middle = block_on(bob.client.read_around(group, sent[5], 4)).unwrap();
    assert_eq!(read(&middle), ["3", "4", "5", "6"]);
    let end = block_on(bob.client.read_around(group, sent[39], 4)).unwrap();
    assert_eq!(read(&end), ["36", "37", "38", "39"]);
    assert!(end.older && !end.newer);
    // Downwards from the start to the end, with a queued message there.
    block_on(bob.client.send(group, "queued")).unwrap();
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let window = block_on(bob.client.read_after(group, after, 7)).unwrap();
        all.extend(read(&window));
        match window.after() {
            Some(next) => after = next,
            None => break,
        }
    }
    let expected: Vec<_> = (0..40).map(|i| i.to_string()).chain(["queued".to_owned()]).collect();
    assert_eq!(all, expected);
    let unknown = MessageId::from_bytes([1; 16]);
    assert!(matches!(block_on(bob.client.read_around(group, unknown, 4)), Err(ClientError::NoSuchMessage)));
}

#[test]
fn lines_of_one_position_are_never_cut_apart() {
    let mut world = World::new();
    let (alice, bob, carol, dave) = (world.official(), world.official(), world.official(), world.official());
    [&carol, &dave].iter().for_each(|d| drop(d.sync()));
    let group = world.conversation(&[&alice, &bob], Some("team"));
    alice.send(group, "before");
    block_on(alice.client.add_members(group, &[carol.official, dave.official])).unwrap();
    world.settle(&[&alice, &bob]);
    alice.send(group, "after");
    let lines = alice.lines(group);
    assert!(lines.windows(2).any(|w| w[0].seq == w[1].seq), "two came at once");
    let all: Vec<_> = lines.into_iter().map(|line| line.key).collect();
    let (mut down, mut after) = (Vec::new(), Some(0));
    while let Some(from) = after {
        let window = block_on(alice.client.read_after(group, from, 1)).unwrap();
        after = window.after();
        down.extend(window.lines.into_iter().map(|line| line.key));
    }
    assert_eq!(down, all[1..], "after the founding, which is position 0");
    let (mut up, mut older, mut before) = (Vec::new(), true, None);
    while older {
        let window = block_on(alice.client.read(group, before, 1)).unwrap();
        (older, before) = (window.older, window.before());
        up.splice(0..0, window.lines.into_iter().map(|line| line.key));
    }
    assert_eq!(up, all);
}

#[test]
fn keys_of_lines_stay_when_a_message_gets_its_place() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = block_on(alice.client.send(group, "hello")).unwrap();
    let before: Vec<_> = alice.lines(group).into_iter().map(|l| l.key).collect();
    alice.sync();
    assert!(alice.line(group, message).seq.is_some());
    let after: Vec<_> = alice.lines(group).into_iter().map(|l| l.key).collect();
    assert_eq!(before, after);
    let unique: std::collections::BTreeSet<_> = after.iter().collect();
    assert_eq!(unique.len(), after.len());
}

#[test]
fn search_goes_slice_by_slice_and_newest_first() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let other = world.conversation(&[&alice, &carol], None);
    alice.send(group, "Budget of the Ministry");
    alice.send(other, "the BUDGET again");
    let gone = alice.send(group, "budget to be forgotten");
    block_on(alice.client.delete(group, gone)).unwrap();
    alice.send(group, "بجٹ کی منظوری");
    let hits = |text: &str, group| {
        let page = block_on(alice.client.search(text, group, None)).unwrap();
        assert_eq!(page.next, None);
        page.hits.into_iter().map(|h| h.line.text).collect::<Vec<_>>()
    };
    assert_eq!(hits("budget", None), ["the BUDGET again", "Budget of the Ministry"]);
    assert_eq!(hits("ministry budget", Some(group)), ["Budget of the Ministry"]);
    assert_eq!(hits("كي بجٹ", None), ["بجٹ کی منظوری"], "as an Arabic keyboard writes it");
    assert_eq!(hits("  ", None), [""; 0]);
    assert!(matches!(block_on(alice.client.search("x", None, Some("!"))), Err(ClientError::BadCursor)));

    // More than a slice holds.
    block_on(alice.client.fill_conversation(group, 5000)).unwrap();
    let (mut cursor, mut found, mut calls) = (None, Vec::new(), 0);
    loop {
        let page = block_on(alice.client.search("line", None, cursor.as_deref())).unwrap();
        assert!(page.scanned <= 2200, "{}", page.scanned);
        found.extend(page.hits.into_iter().map(|h| h.line.seq));
        calls += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(calls >= 3);
    assert_eq!(found.len(), 5000);
    assert!(found.windows(2).all(|w| w[0] > w[1]), "newest first, each once");
}

#[test]
fn rows_from_before_edits_and_files_still_open() {
    use serde::Serialize;
    #[derive(Serialize)]
    enum OldLine {
        Text { author: pakawaaz_base::OfficialId, text: String, reply_to: Option<MessageId> },
    }
    #[derive(Serialize)]
    struct OldRow {
        hash: Option<Bytes>,
        message: Option<MessageId>,
        at: pakawaaz_base::Millis,
        line: OldLine,
    }
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = alice.send(group, "old words");
    bob.sync();
    let seq = bob.line(group, message).seq.unwrap();
    let old = OldRow {
        hash: None,
        message: Some(message),
        at: pakawaaz_base::Millis(5),
        line: OldLine::Text { author: alice.official, text: "old words".into(), reply_to: None },
    };
    block_on(bob.client.put_line_as(group, seq, &old)).unwrap();
    // And an unread message that is only in the list of the group's record.
    block_on(bob.client.unread_as_before(group)).unwrap();
    assert_eq!(bob.line(group, message).text, "old words");
    assert_eq!(bob.view(group).unread, 1);
    block_on(bob.client.mark_read(group)).unwrap();
    bob.sync();
    alice.sync();
    assert_eq!(bob.view(group).unread, 0);
    assert_eq!(alice.line(group, message).status, Some(MessageStatus::Read), "its receipt went out");
}
