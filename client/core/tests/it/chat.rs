//! What officials do in a conversation beyond writing: edit, delete, react, mention, answer, leave, search, and what
//! this device alone remembers.

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::{Bytes, FileId, GroupId, MessageId};
use pakawaaz_client::views::{Flags, LineView, MessageStatus, SystemLine};
use pakawaaz_client::{ClientError, ClientEvent};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_conversation::FileRef;

fn lines(device: &Device, group: GroupId) -> Vec<LineView> {
    block_on(device.client.read(group, None, 1000)).unwrap().lines
}

fn line(device: &Device, group: GroupId, message: MessageId) -> LineView {
    lines(device, group).into_iter().find(|l| l.message == Some(message)).unwrap()
}

/// (unread, of them mentions)
fn unread(device: &Device, group: GroupId) -> (u32, u32) {
    let view = device.view(group);
    (view.unread, view.mentions)
}

fn file() -> FileRef {
    FileRef {
        file: FileId::from_bytes([1; 16]),
        access: [2; 32],
        key: [3; 32],
        nonce: [4; 7],
        sha256: [5; 32],
        size: 10,
        chunk: pakawaaz_conversation::file_ref::CHUNK,
        name: "tender\u{202e}fdp.exe".into(),
        media_type: "application/pdf".into(),
        thumbnail: Some(vec![0xff; 3]),
        thumbnail_type: Some("image/png".into()),
        width: Some(4),
        height: Some(3),
        duration_ms: None,
    }
}

#[test]
fn edits_show_at_once_and_arrive() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = alice.send(group, "the tender closes on friday");
    bob.sync();
    block_on(alice.client.edit(group, message, "the tender closes on monday", &[])).unwrap();
    let shown = line(&alice, group, message);
    assert_eq!((shown.text.as_str(), shown.edited), ("the tender closes on monday", true), "before the server has it");
    alice.sync();
    bob.sync();
    let shown = line(&bob, group, message);
    assert_eq!((shown.text.as_str(), shown.edited), ("the tender closes on monday", true));
    assert_eq!(line(&alice, group, message).text, "the tender closes on monday");
    assert_eq!(lines(&bob, group).iter().filter(|l| l.message.is_some()).count(), 1, "an edit is no line");
}

#[test]
fn only_the_author_edits_and_deletes() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = alice.send(group, "mine");
    bob.sync();
    assert!(matches!(block_on(bob.client.edit(group, message, "x", &[])), Err(ClientError::NotAuthor)));
    assert!(matches!(block_on(bob.client.delete(group, message)), Err(ClientError::NotAuthor)));
    // A client that asks nobody: its words are in the log, and mean nothing.
    for body in [
        pakawaaz_conversation::Body::Edit { target: message, text: "forged".into(), mentions: Vec::new() },
        pakawaaz_conversation::Body::Delete { target: message },
    ] {
        block_on(bob.client.send_body_unchecked(group, body)).unwrap();
    }
    bob.sync();
    alice.sync();
    for device in [&alice, &bob] {
        let shown = line(device, group, message);
        assert_eq!((shown.text.as_str(), shown.edited, shown.deleted), ("mine", false, false));
    }
}

#[test]
fn what_was_written_offline_can_be_changed_before_it_leaves() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let kept = block_on(alice.client.send(group, "frist")).unwrap();
    let never = block_on(alice.client.send(group, "regret")).unwrap();
    block_on(alice.client.react(group, never, "👍", false)).unwrap();
    block_on(alice.client.edit(group, kept, "first", &[])).unwrap();
    block_on(alice.client.delete(group, never)).unwrap();
    assert_eq!(alice.texts(group), ["first"]);
    let before = world.server.borrow().groups[&group].log.len();
    alice.sync();
    assert_eq!(world.server.borrow().groups[&group].log.len(), before + 1, "one message, nothing about the other");
    bob.sync();
    let shown = line(&bob, group, kept);
    assert_eq!((shown.text.as_str(), shown.edited), ("first", false));
}

#[test]
fn changes_survive_a_restart_and_follow_their_message() {
    let mut world = World::new();
    let (mut alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = alice.send(group, "one");
    block_on(alice.client.edit(group, message, "two", &[])).unwrap();
    block_on(alice.client.react(group, message, "✅", false)).unwrap();
    alice.restart();
    assert_eq!(line(&alice, group, message).text, "two");
    alice.sync();
    bob.sync();
    let shown = line(&bob, group, message);
    assert_eq!(shown.text, "two");
    assert_eq!(shown.reactions.len(), 1);
}

#[test]
fn deleting_for_everyone_leaves_no_words_on_any_device() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = block_on(alice.client.send_message(group, "secret plan", None, &[bob.official])).unwrap();
    alice.sync();
    bob.sync();
    block_on(bob.client.react(group, message, "👍", false)).unwrap();
    let answer = block_on(bob.client.send_message(group, "ok", Some(message), &[])).unwrap();
    bob.sync();
    alice.sync();
    assert_eq!(unread(&bob, group), (1, 1));
    block_on(alice.client.delete(group, message)).unwrap();
    alice.sync();
    bob.sync();
    assert_eq!(unread(&bob, group), (0, 0), "what is gone needs no reading");
    for device in [&alice, &bob] {
        let shown = line(device, group, message);
        assert!(shown.deleted && shown.text.is_empty() && shown.mentions.is_empty() && shown.reactions.is_empty());
        let reply = line(device, group, answer).reply.unwrap();
        assert!(reply.deleted && reply.text.is_empty());
    }
    assert!(matches!(block_on(alice.client.edit(group, message, "x", &[])), Err(ClientError::NoSuchMessage)));
    assert!(matches!(block_on(bob.client.react(group, message, "👍", false)), Err(ClientError::NoSuchMessage)));
}

#[test]
fn a_reaction_counts_once_for_each_official() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = alice.send(group, "approved?");
    bob.sync();
    for _ in 0..2 {
        block_on(bob.client.react(group, message, "👍", false)).unwrap();
        bob.sync();
    }
    block_on(alice.client.react(group, message, "👍", false)).unwrap();
    block_on(alice.client.react(group, message, "❤️", false)).unwrap();
    alice.sync();
    bob.sync();
    for device in [&alice, &bob] {
        let reactions = line(device, group, message).reactions;
        let seen: Vec<_> = reactions.iter().map(|r| (r.emoji.as_str(), r.officials.len())).collect();
        assert_eq!(seen, [("👍", 2), ("❤️", 1)]);
        assert!(reactions[0].mine);
    }
    block_on(bob.client.react(group, message, "👍", true)).unwrap();
    assert_eq!(line(&bob, group, message).reactions[0].officials, [alice.official], "gone at once");
    bob.sync();
    alice.sync();
    assert_eq!(line(&alice, group, message).reactions[0].officials, [alice.official]);
    assert_eq!(unread(&alice, group), (0, 0), "a reaction is no message");
    for bad in ["", "two words", "a\u{0}", &"x".repeat(65)] {
        assert!(matches!(block_on(bob.client.react(group, message, bad, false)), Err(ClientError::BadReaction)));
    }
}

#[test]
fn mentions_count_also_when_an_edit_brings_or_takes_them() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    block_on(alice.client.send_message(group, "@bob please", None, &[bob.official])).unwrap();
    let second = block_on(alice.client.send_message(group, "and this", None, &[])).unwrap();
    alice.sync();
    let events = bob.sync();
    let mentions: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            ClientEvent::Message { mention, .. } => Some(*mention),
            _ => None,
        })
        .collect();
    assert_eq!(mentions, [true, false]);
    assert_eq!(unread(&bob, group), (2, 1));
    block_on(alice.client.edit(group, second, "and this, @bob", &[bob.official])).unwrap();
    alice.sync();
    bob.sync();
    assert_eq!(unread(&bob, group), (2, 2));
    assert_eq!(line(&bob, group, second).mentions, [bob.official]);
    block_on(alice.client.edit(group, second, "never mind", &[])).unwrap();
    alice.sync();
    bob.sync();
    assert_eq!(unread(&bob, group), (2, 1));
    block_on(bob.client.mark_read(group)).unwrap();
    block_on(alice.client.edit(group, second, "@bob again", &[bob.official])).unwrap();
    alice.sync();
    bob.sync();
    assert_eq!(unread(&bob, group), (0, 0), "what was read stays read");
    assert_eq!(unread(&alice, group), (0, 0));
    let many: Vec<_> = (0..51).map(|i| pakawaaz_base::OfficialId::from_bytes([i; 16])).collect();
    assert!(matches!(block_on(alice.client.send_message(group, "", None, &many)), Err(ClientError::TooLong)));
}

#[test]
fn an_answer_shows_what_it_answers() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let question = alice.send(group, &"why? ".repeat(100));
    bob.sync();
    let answer = block_on(bob.client.send_message(group, "because", Some(question), &[])).unwrap();
    let queued = line(&bob, group, answer).reply.unwrap();
    bob.sync();
    alice.sync();
    let reply = line(&alice, group, answer).reply.unwrap();
    assert_eq!(reply, queued);
    assert_eq!(reply.message, question);
    assert!(reply.text.starts_with("why? why?") && reply.text.chars().count() <= 160);
    // To something that this device never had.
    let unknown = MessageId::from_bytes([9; 16]);
    let lost = block_on(bob.client.send_message(group, "?", Some(unknown), &[])).unwrap();
    let reply = line(&bob, group, lost).reply.unwrap();
    assert_eq!((reply.text.as_str(), reply.author_name.en.as_str()), ("", ""));
}

#[test]
fn a_file_message_carries_its_keys_and_shows_none() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let mentions = [bob.official];
    let message = block_on(alice.client.send_file_message(group, "please check", None, &mentions, file())).unwrap();
    assert_eq!(block_on(alice.client.file_of(group, message)).unwrap(), file(), "while it waits");
    alice.sync();
    bob.sync();
    for device in [&alice, &bob] {
        let shown = line(device, group, message);
        assert_eq!(shown.text, "please check");
        let view = shown.file.clone().unwrap();
        assert_eq!((view.name.as_str(), view.size), ("tenderfdp.exe", 10), "no character turns its ending around");
        assert_eq!(view.thumbnail.as_deref(), Some("////"));
        let json = serde_json::to_string(&shown).unwrap();
        assert!(!json.contains("\"key\":[") && !json.contains("access") && !json.contains("sha256"), "{json}");
        assert_eq!(block_on(device.client.file_of(group, message)).unwrap(), file());
    }
    assert_eq!(unread(&bob, group), (1, 1));
    let answer = block_on(bob.client.send_message(group, "seen", Some(message), &[])).unwrap();
    assert_eq!(line(&bob, group, answer).reply.unwrap().file.as_deref(), Some("tenderfdp.exe"));
    block_on(alice.client.delete(group, message)).unwrap();
    alice.sync();
    bob.sync();
    assert!(matches!(block_on(bob.client.file_of(group, message)), Err(ClientError::NoSuchMessage)));
}

#[test]
fn whoever_leaves_is_let_go_by_one_of_the_others() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    block_on(carol.client.leave(group)).unwrap();
    assert!(carol.view(group).left, "as soon as it was asked for");
    carol.sync();
    assert!(matches!(block_on(carol.client.send(group, "x")), Err(ClientError::NotMember)));
    world.settle(&[&alice, &bob]);
    for device in [&alice, &bob] {
        assert!(!device.member_devices(group).contains(&carol.id));
        let left = |l: &LineView| matches!(l.system, Some(SystemLine::Left { device, revoked: false, .. }) if device == carol.id);
        assert_eq!(lines(device, group).iter().filter(|l| left(l)).count(), 1);
        assert_eq!(device.alarms(), []);
    }
    alice.send(group, "without carol");
    carol.sync();
    assert_eq!(carol.texts(group), [""; 0]);
    assert_eq!(carol.alarms(), []);
    // And back again, invited anew.
    block_on(bob.client.add_members(group, &[carol.official])).unwrap();
    world.settle(&[&bob, &carol, &alice]);
    alice.send(group, "welcome back");
    carol.sync();
    assert_eq!(carol.texts(group), ["welcome back"]);
    assert!(!carol.view(group).left);

    let direct = world.conversation(&[&alice, &bob], None);
    assert!(matches!(block_on(alice.client.leave(direct)), Err(ClientError::DirectStays)));
}

#[test]
fn the_second_in_line_lets_go_when_the_first_is_away() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    block_on(carol.client.leave(group)).unwrap();
    carol.sync();
    // Alice, first in the tree, is away; Bob's words do not wait for it, and when it is his turn he does it.
    bob.send(group, "meanwhile");
    assert!(bob.member_devices(group).contains(&carol.id), "not his turn yet");
    block_on(async {
        let mut ignore = |_| {};
        let run = std::pin::pin!(bob.client.run(&mut ignore));
        let gone = std::pin::pin!(async {
            while bob.client.members(group).await.unwrap().iter().any(|m| m.official == carol.official) {
                pakawaaz_client::Platform::sleep(bob.client.platform(), std::time::Duration::from_millis(1)).await;
            }
        });
        futures::future::select(run, gone).await;
    });
    assert!(!bob.member_devices(group).contains(&carol.id));
    world.settle(&[&alice, &bob]);
    assert_eq!(alice.member_devices(group).len(), 2);
    assert_eq!(alice.alarms(), []);
}

#[test]
fn a_failed_message_is_sent_again_or_given_up() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    world.server.borrow_mut().refuse_sends = true;
    let first = alice.send(group, "again");
    let second = alice.send(group, "never");
    world.server.borrow_mut().refuse_sends = false;
    let shown = line(&alice, group, first);
    assert_eq!((shown.status, shown.failure.as_deref()), (Some(MessageStatus::Failed), Some("messaging.too_large")));
    assert_eq!((alice.view(group).queued, alice.view(group).failed), (0, 2));
    block_on(alice.client.retry(group, first)).unwrap();
    block_on(alice.client.discard(group, second)).unwrap();
    assert_eq!((alice.view(group).queued, alice.view(group).failed), (1, 0));
    alice.sync();
    bob.sync();
    assert_eq!(bob.texts(group), ["again"]);
    assert_eq!(alice.texts(group), ["again"]);
    assert!(matches!(block_on(alice.client.retry(group, first)), Err(ClientError::NoSuchMessage)));
    assert!(matches!(block_on(alice.client.discard(group, first)), Err(ClientError::NoSuchMessage)));
}

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
    block_on(alice.client.send(group, "all of it")).unwrap();
    alice.restart();
    assert_eq!(alice.view(group).draft, "");
    alice.sync();
    bob.sync();
    assert_eq!(bob.texts(group), ["all of it"]);
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
    let seq = |m| line(&bob, group, m).seq.unwrap();
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
    let seq = line(&bob, group, sent[20]).seq.unwrap();
    block_on(bob.client.mark_read_to(group, Some(seq - 1))).unwrap();
    let open = block_on(bob.client.open_timeline(group, 12)).unwrap();
    assert_eq!(open.unread_from, Some(sent[20].to_string()));
    assert_eq!(read(&open), (17..29).map(|i| i.to_string()).collect::<Vec<_>>());
    assert!(open.older && open.newer);
    let below = block_on(bob.client.read_after(group, open.after().unwrap(), 5)).unwrap();
    assert_eq!(read(&below), ["29", "30", "31", "32", "33"]);
    let above = block_on(bob.client.read(group, open.before(), 5)).unwrap();
    assert_eq!(read(&above), ["12", "13", "14", "15", "16"]);
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
fn keys_of_lines_stay_when_a_message_gets_its_place() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let message = block_on(alice.client.send(group, "hello")).unwrap();
    let before: Vec<_> = lines(&alice, group).into_iter().map(|l| l.key).collect();
    alice.sync();
    assert!(line(&alice, group, message).seq.is_some());
    let after: Vec<_> = lines(&alice, group).into_iter().map(|l| l.key).collect();
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
fn writing_is_told_once_in_a_while_and_shown_only_of_members() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    for _ in 0..3 {
        block_on(alice.client.typing(group, true)).unwrap();
    }
    alice.sync();
    block_on(alice.client.typing(group, true)).unwrap();
    block_on(alice.client.typing(group, false)).unwrap();
    alice.sync();
    assert_eq!(world.server.borrow().typed, [(alice.id, group, true), (alice.id, group, false)]);
    block_on(alice.client.share_typing(false)).unwrap();
    block_on(alice.client.typing(group, true)).unwrap();
    alice.sync();
    assert_eq!(world.server.borrow().typed.len(), 2, "switched off");

    let officials = [alice.official, bob.official, carol.official];
    let tell = move |mut frames: Vec<ServerFrame>| {
        let typing = officials.map(|official| ServerFrame::Typing { group, official, on: true });
        frames.extend(typing);
        frames
    };
    world.lie(bob.id, tell);
    let typing = |events: Vec<ClientEvent>| {
        let mut who: Vec<_> = events
            .into_iter()
            .filter_map(|e| match e {
                ClientEvent::Typing { official, .. } => Some(official),
                _ => None,
            })
            .collect();
        who.dedup();
        who
    };
    alice.send(group, "so that there is something to fetch");
    assert_eq!(typing(bob.sync()), [alice.official], "neither oneself nor strangers");
    block_on(bob.client.share_typing(false)).unwrap();
    alice.send(group, "again");
    assert_eq!(typing(bob.sync()), [], "who does not tell is not told");
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
    let seq = line(&bob, group, message).seq.unwrap();
    let old = OldRow {
        hash: None,
        message: Some(message),
        at: pakawaaz_base::Millis(5),
        line: OldLine::Text { author: alice.official, text: "old words".into(), reply_to: None },
    };
    block_on(bob.client.put_line_as(group, seq, &old)).unwrap();
    // And an unread message that is only in the list of the group's record.
    block_on(bob.client.unread_as_before(group)).unwrap();
    assert_eq!(line(&bob, group, message).text, "old words");
    assert_eq!(bob.view(group).unread, 1);
    block_on(bob.client.mark_read(group)).unwrap();
    bob.sync();
    alice.sync();
    assert_eq!(bob.view(group).unread, 0);
    assert_eq!(line(&alice, group, message).status, Some(MessageStatus::Read), "its receipt went out");
}
