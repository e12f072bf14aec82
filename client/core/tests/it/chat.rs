//! What officials do in a conversation beyond writing: edit, delete, react, mention, answer, attach, leave, try again,
//! and say that they are typing.

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::{FileId, GroupId, MessageId};
use pakawaaz_client::views::{LineView, MessageStatus, SystemLine};
use pakawaaz_client::{ClientError, ClientEvent};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_conversation::FileRef;

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
    let shown = alice.line(group, message);
    assert_eq!((shown.text.as_str(), shown.edited), ("the tender closes on monday", true), "before the server has it");
    alice.sync();
    bob.sync();
    let shown = bob.line(group, message);
    assert_eq!((shown.text.as_str(), shown.edited), ("the tender closes on monday", true));
    assert_eq!(alice.line(group, message).text, "the tender closes on monday");
    assert_eq!(bob.lines(group).iter().filter(|l| l.message.is_some()).count(), 1, "an edit is no line");
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
        let shown = device.line(group, message);
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
    let shown = bob.line(group, kept);
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
    assert_eq!(alice.line(group, message).text, "two");
    alice.sync();
    bob.sync();
    let shown = bob.line(group, message);
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
        let shown = device.line(group, message);
        assert!(shown.deleted && shown.text.is_empty() && shown.mentions.is_empty() && shown.reactions.is_empty());
        let reply = device.line(group, answer).reply.unwrap();
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
        let reactions = device.line(group, message).reactions;
        let seen: Vec<_> = reactions.iter().map(|r| (r.emoji.as_str(), r.officials.len())).collect();
        assert_eq!(seen, [("👍", 2), ("❤️", 1)]);
        assert!(reactions[0].mine);
    }
    block_on(bob.client.react(group, message, "👍", true)).unwrap();
    assert_eq!(bob.line(group, message).reactions[0].officials, [alice.official], "gone at once");
    bob.sync();
    alice.sync();
    assert_eq!(alice.line(group, message).reactions[0].officials, [alice.official]);
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
    assert_eq!(bob.line(group, second).mentions, [bob.official]);
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
    let queued = bob.line(group, answer).reply.unwrap();
    bob.sync();
    alice.sync();
    let reply = alice.line(group, answer).reply.unwrap();
    assert_eq!(reply, queued);
    assert_eq!(reply.message, question);
    assert!(reply.text.starts_with("why? why?") && reply.text.chars().count() <= 160);
    // To something that this device never had.
    let unknown = MessageId::from_bytes([9; 16]);
    let lost = block_on(bob.client.send_message(group, "?", Some(unknown), &[])).unwrap();
    let reply = bob.line(group, lost).reply.unwrap();
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
        let shown = device.line(group, message);
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
    assert_eq!(bob.line(group, answer).reply.unwrap().file.as_deref(), Some("tenderfdp.exe"));
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
        assert_eq!(device.lines(group).iter().filter(|l| left(l)).count(), 1);
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
    let shown = alice.line(group, first);
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
