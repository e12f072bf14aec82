//! A server that lies: each lie by name, and the alarm it raises.

use crate::evil::{CONFIRMATION, Evil, MEMBERSHIP, SIGNATURE};
use crate::world::{Device, World, rechain};
use futures::executor::block_on;
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId};
use pakawaaz_client::ClientError;
use pakawaaz_client::views::{AlarmKind, MessageStatus};
use pakawaaz_contract::frames::{LogKind, Notice, ServerFrame};
use pakawaaz_contract::identity::DeviceList;
use pakawaaz_contract::messaging::{ClaimedKeyPackage, ClaimedKeyPackages, EpochTree};
use pakawaaz_conversation::external::remove_proposal;
use pakawaaz_conversation::log;
use pakawaaz_trust::SigningKey;
use rand::rngs::OsRng;

fn pair() -> (World, Device, Device, GroupId) {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    (world, alice, bob, group)
}

fn head(world: &World, group: GroupId) -> (u64, log::LogHash) {
    let server = world.server.borrow();
    let last = server.groups[&group].log.last().unwrap();
    (last.seq, last.log_hash.array().unwrap())
}

fn without(frames: Vec<ServerFrame>, message: MessageId) -> Vec<ServerFrame> {
    frames.into_iter().filter(|f| !matches!(f, ServerFrame::Log(e) if e.message == message)).collect()
}

#[test]
fn drops_an_entry() {
    let (world, alice, bob, group) = pair();
    let dropped = alice.send(group, "you will not see this");
    alice.send(group, "but this");
    world.lie(bob.id, move |frames| without(frames, dropped));
    // Positions are told again once; what is missing then is missing on purpose.
    let _ = bob.try_sync();
    let _ = bob.try_sync();
    assert!(bob.alarms().contains(&AlarmKind::LogGap), "{:?}", bob.alarms());
    assert!(bob.texts(group).is_empty(), "nothing after the hole is believed");
    assert!(bob.view(group).alarms > 0, "and the conversation shows it");
    world.honest();
    bob.sync();
    assert_eq!(bob.texts(group), ["you will not see this", "but this"], "the truth still arrives");
}

#[test]
fn reorders_entries() {
    let (world, alice, bob, group) = pair();
    alice.send(group, "first");
    alice.send(group, "second");
    world.lie(bob.id, |mut frames| {
        let at: Vec<_> = (0..frames.len())
            .filter(|i| matches!(&frames[*i], ServerFrame::Log(e) if e.kind == LogKind::Application))
            .collect();
        if let [.., a, b] = at[..] {
            frames.swap(a, b);
            let (ServerFrame::Log(x), ServerFrame::Log(y)) = (frames[a].clone(), frames[b].clone()) else {
                return frames;
            };
            for (i, mut e, seq) in [(a, x.clone(), y.seq), (b, y, x.seq)] {
                e.seq = seq;
                frames[i] = ServerFrame::Log(e);
            }
        }
        frames
    });
    let _ = bob.try_sync();
    assert_eq!(bob.alarms(), [AlarmKind::LogReordered]);
    assert!(bob.texts(group).is_empty());
}

#[test]
fn replays_a_message() {
    let (world, alice, bob, group) = pair();
    let id = alice.send(group, "pay once");
    bob.sync();
    let again = {
        let server = world.server.borrow();
        server.groups[&group].log.iter().find(|e| e.message == id).unwrap().clone()
    };
    world.server.borrow_mut().append(group, again.epoch, LogKind::Application, again.message, again.mls);
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::LogReplayed]);
    assert_eq!(bob.texts(group), ["pay once"], "shown once");
}

#[test]
fn replays_a_message_under_a_new_id() {
    let (world, alice, bob, group) = pair();
    let id = alice.send(group, "pay once");
    bob.sync();
    let again = {
        let server = world.server.borrow();
        server.groups[&group].log.iter().find(|e| e.message == id).unwrap().clone()
    };
    let other = MessageId::from_bytes([9; 16]);
    world.server.borrow_mut().append(group, again.epoch, LogKind::Application, other, again.mls);
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::Garbage], "its key is used up: MLS refuses it");
    assert_eq!(bob.texts(group), ["pay once"]);
}

#[test]
fn forks_the_log() {
    let (world, alice, bob, group) = pair();
    let before = head(&world, group);
    let hidden = alice.send(group, "hidden from bob");
    alice.send(group, "shown");
    // A server that lies well: the chain that Bob gets is consistent.
    world.lie(bob.id, move |frames| rechain(without(frames, hidden), before));
    bob.sync();
    // The second message already says that its author had seen the first.
    assert_eq!(bob.alarms(), [AlarmKind::LogForked]);
}

#[test]
fn withholds_a_commit() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    carol.sync();
    let before = head(&world, group);
    world.lie(bob.id, move |frames| {
        let frames = frames.into_iter().filter(|f| !matches!(f, ServerFrame::Log(e) if e.kind == LogKind::Commit));
        rechain(frames.collect(), before)
    });
    block_on(alice.client.add_members(group, &[carol.official])).unwrap();
    alice.sync();
    bob.sync();
    assert_eq!(bob.alarms(), [], "a withheld tail looks like silence");
    alice.send(group, "carol is here");
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::CommitWithheld]);
}

/// Every byte that belongs to a commit can be changed by the server. Nobody is blamed for that.
fn damages_a_commit(from_the_end: usize, is_followed: bool) {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    carol.sync();
    let before = head(&world, group);
    world.lie(bob.id, move |mut frames| {
        for frame in &mut frames {
            if let ServerFrame::Log(e) = frame
                && e.kind == LogKind::Commit
                && e.seq > before.0
            {
                let at = e.mls.len() - from_the_end;
                e.mls.0[at] ^= 1;
            }
        }
        rechain(frames, before)
    });
    block_on(alice.client.add_members(group, &[carol.official])).unwrap();
    alice.sync();
    let _ = bob.try_sync();
    assert_eq!(bob.alarms(), [AlarmKind::CommitDamaged], "told once");
    assert!(world.server.borrow().rejections.is_empty(), "no word against Alice");
    assert!(!bob.view(group).left);
    assert_eq!(bob.member_devices(group).contains(&carol.id), is_followed);
    if is_followed {
        return;
    }
    block_on(bob.client.send(group, "waiting for the truth")).unwrap();
    world.honest();
    bob.sync();
    bob.sync();
    assert!(bob.member_devices(group).contains(&carol.id), "the true commit is taken when it comes");
    alice.sync();
    assert_eq!(alice.texts(group), ["waiting for the truth"]);
    assert_eq!((alice.alarms(), bob.alarms().len()), (vec![], 1));
}

#[test]
fn damages_the_membership_tag_of_a_commit() {
    // Signature and confirmation tag say all that it says.
    damages_a_commit(1, true);
}

#[test]
fn damages_the_confirmation_tag_of_a_commit() {
    damages_a_commit(MEMBERSHIP + 1, false);
}

#[test]
fn damages_the_signature_of_a_commit() {
    damages_a_commit(MEMBERSHIP + CONFIRMATION + 1, false);
}

#[test]
fn damages_the_signed_content_of_a_commit() {
    damages_a_commit(MEMBERSHIP + CONFIRMATION + SIGNATURE + 1, false);
}

#[test]
fn damages_a_devices_own_commit() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    carol.sync();
    let before = head(&world, group);
    // It comes back to its author as a log entry, before the answer, and with another tag.
    world.server.borrow_mut().echo = true;
    world.lie(alice.id, move |mut frames| {
        frames.retain(|f| !matches!(f, ServerFrame::Accepted { .. }));
        for frame in &mut frames {
            if let ServerFrame::Log(e) = frame
                && e.kind == LogKind::Commit
                && e.seq > before.0
            {
                let at = e.mls.len() - MEMBERSHIP - 1;
                e.mls.0[at] ^= 1;
            }
        }
        rechain(frames, before)
    });
    block_on(alice.client.add_members(group, &[carol.official])).unwrap();
    let _ = alice.try_sync();
    assert_eq!(alice.alarms(), [AlarmKind::CommitDamaged]);
    assert!(world.server.borrow().rejections.is_empty(), "it does not testify against itself");
    world.honest();
    alice.sync();
    assert!(alice.member_devices(group).contains(&carol.id));
    alice.send(group, "here we are");
    bob.sync();
    assert_eq!(bob.texts(group), ["here we are"]);
}

#[test]
fn withholds_a_proposal_that_a_commit_rests_on() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    let before = head(&world, group);
    world.lie(bob.id, move |frames| {
        let frames = frames.into_iter().filter(|f| !matches!(f, ServerFrame::Log(e) if e.kind == LogKind::Proposal));
        rechain(frames.collect(), before)
    });
    world.revoke(&carol, &[&alice, &bob], group);
    alice.sync();
    assert!(!alice.member_devices(group).contains(&carol.id), "committed");
    let _ = bob.try_sync();
    assert_eq!(bob.alarms(), [AlarmKind::LogGap]);
    assert!(world.server.borrow().rejections.is_empty(), "no word against Alice");
    world.honest();
    bob.sync();
    assert!(!bob.member_devices(group).contains(&carol.id));
}

#[test]
fn replays_a_devices_own_message_to_it() {
    let (world, alice, bob, group) = pair();
    let id = alice.send(group, "pay once");
    let again = {
        let server = world.server.borrow();
        server.groups[&group].log.iter().find(|e| e.message == id).unwrap().clone()
    };
    let other = MessageId::from_bytes([9; 16]);
    world.server.borrow_mut().append(group, again.epoch, LogKind::Application, other, again.mls);
    alice.sync();
    assert_eq!(alice.alarms(), [AlarmKind::LogReplayed]);
    assert_eq!(alice.texts(group), ["pay once"]);
    drop(bob);
}

#[test]
fn swaps_a_key_package() {
    let mut world = World::new();
    let (alice, bob, mallory) = (world.official(), world.official(), world.official());
    [&alice, &bob, &mallory].iter().for_each(|d| drop(d.sync()));
    let stolen = world.server.borrow_mut().packages.get_mut(&mallory.id).unwrap().pop_front().unwrap();
    world.server.borrow_mut().http_lie = Some(Box::new(move |_, path, body| {
        if !path.ends_with("/claim") {
            return body;
        }
        let mut claimed: ClaimedKeyPackages = serde_json::from_slice(&body).unwrap();
        claimed.key_packages.iter_mut().for_each(|p| p.key_package = stolen.clone());
        serde_json::to_vec(&claimed).unwrap()
    }));
    let refused = block_on(alice.client.new_conversation(&[bob.official], None));
    assert!(matches!(refused, Err(ClientError::NoDevice)), "{refused:?}");
    assert_eq!(alice.alarms(), [AlarmKind::KeyPackageSwapped]);
}

#[test]
fn mints_a_device_for_somebody() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    [&alice, &bob].iter().for_each(|d| drop(d.sync()));
    // The server has the CA: certificates for a device of its own, in Bob's name, are no problem for it.
    let (minted, key) = (DeviceId::from_bytes([66; 16]), SigningKey::generate(&mut OsRng));
    let evil = crate::evil::Evil::new(&world, bob.official, minted, key);
    let package = evil.key_package();
    let (official, certificate) = (bob.official, evil.certificate.clone());
    world.server.borrow_mut().http_lie = Some(Box::new(move |_, path, body| {
        if path.ends_with("/claim") && path.contains(&official.to_string()) {
            let mut claimed: ClaimedKeyPackages = serde_json::from_slice(&body).unwrap();
            claimed.key_packages.push(ClaimedKeyPackage { device: minted, official, key_package: package.clone() });
            return serde_json::to_vec(&claimed).unwrap();
        }
        if path.ends_with("/devices") && path.contains(&official.to_string()) {
            // With the evidence of the real device, which is the best it has.
            let mut list: DeviceList = serde_json::from_slice(&body).unwrap();
            let mut fake = list.devices[0].clone();
            fake.device = minted;
            fake.device_certificate = certificate.clone().into();
            list.devices.push(fake);
            return serde_json::to_vec(&list).unwrap();
        }
        body
    }));
    let group = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
    assert_eq!(alice.alarms(), [AlarmKind::DeviceWithoutEvidence]);
    alice.sync();
    world.honest();
    bob.sync();
    assert!(!alice.member_devices(group).contains(&minted), "only the real device is invited");
    assert!(alice.member_devices(group).contains(&bob.id));
}

#[test]
fn evicts_without_a_logged_revocation() {
    let (world, alice, bob, group) = pair();
    let (epoch, leaf) = {
        let server = world.server.borrow();
        let g = &server.groups[&group];
        let roster = pakawaaz_conversation::Roster::of(g.public.treesync()).unwrap();
        (g.epoch(), roster.by_device(bob.id).unwrap().index)
    };
    let mls = remove_proposal(group, epoch, leaf, b"because", &world.server.borrow().external).unwrap();
    world.server.borrow_mut().propose(group, mls.into());
    alice.sync();
    assert_eq!(alice.alarms(), [AlarmKind::RemovalWithoutStatement]);
    assert!(alice.member_devices(group).contains(&bob.id), "nobody is removed");
    alice.send(group, "still here");
    bob.sync();
    assert_eq!(bob.texts(group), ["still here"], "and the conversation goes on");
}

#[test]
fn injects_a_removed_members_message() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    // Carol writes while the server sits on it, is removed, and then the server lets her speak.
    block_on(carol.client.send(group, "from beyond")).unwrap();
    let held = crate::evil::capture(&world, &carol);
    block_on(alice.client.remove_member(group, carol.official)).unwrap();
    alice.sync();
    bob.sync();
    assert_eq!(bob.alarms(), []);
    let pakawaaz_contract::frames::ClientFrame::Send { message, epoch, mls, .. } = held else { panic!("a message") };
    let current = world.server.borrow().groups[&group].epoch();
    assert!(epoch < current);
    world.server.borrow_mut().append(group, epoch, LogKind::Application, message, mls.clone());
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::RemovedMemberSpoke]);
    // The same under the current epoch's number.
    let other = MessageId::from_bytes([8; 16]);
    world.server.borrow_mut().append(group, current, LogKind::Application, other, mls);
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::RemovedMemberSpoke; 2]);
    assert!(bob.texts(group).is_empty());
}

#[test]
fn claims_another_sender() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    // Carol's device, in her own hands, writes in Alice's name; the server helps.
    let mut evil = crate::evil::Evil::of(&world, carol);
    let (message, mls, epoch) = evil.text_as(group, &alice, "I resign");
    world.server.borrow_mut().append(group, epoch, LogKind::Application, message, mls);
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::WrongSender]);
    assert!(bob.texts(group).is_empty());
}

fn quarantine(world: &World, victim: &Device, group: GroupId, bad: DeviceId, seq: u64) {
    let notice = Notice::Quarantined { group, device: bad, seq };
    world.server.borrow_mut().inbox.entry(victim.id).or_default().push(notice);
}

#[test]
fn closes_a_conversation_to_evict_somebody() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    let (seq, _) = head(&world, group);
    world.server.borrow_mut().groups.get_mut(&group).unwrap().closed = true;
    quarantine(&world, &alice, group, carol.id, seq);
    world.settle(&[&alice]);
    assert_eq!(alice.alarms(), [AlarmKind::ClosedWithoutCause]);
    assert_eq!(world.server.borrow().groups.len(), 1, "no successor without Carol is made on the server's word");
}

#[test]
fn names_another_conversation_as_successor() {
    let mut world = World::new();
    let (alice, bob, carol, dave) = (world.official(), world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    let other = world.conversation(&[&alice, &dave], Some("outsiders"));
    let poisoner = carol.id;
    let mut evil = Evil::of(&world, carol);
    let (epoch, mls, info) = evil.garbage_commit(group);
    world.server.borrow_mut().commit(group, MessageId::from_bytes([5; 16]), epoch, mls, info).unwrap();
    let (seq, _) = head(&world, group);
    block_on(alice.client.send(group, "not for Dave")).unwrap();
    {
        let mut server = world.server.borrow_mut();
        let g = server.groups.get_mut(&group).unwrap();
        (g.closed, g.successor) = (true, Some(other));
    }
    quarantine(&world, &alice, group, poisoner, seq);
    world.settle(&[&alice, &dave]);
    assert!(alice.texts(other).is_empty() && dave.texts(other).is_empty(), "the words stay where they were said");
}

#[test]
fn breaks_a_membership_with_a_welcome_that_does_not_open() {
    let (world, alice, bob, group) = pair();
    let (seq, hash) = head(&world, group);
    let epoch = world.server.borrow().groups[&group].epoch();
    {
        let mut server = world.server.borrow_mut();
        let tree = server.groups[&group].trees[&epoch].ratchet_tree.clone();
        let log_hash = Bytes::from(hash);
        let tree = EpochTree { ratchet_tree: tree, seq: seq + 1, log_hash: log_hash.clone() };
        server.groups.get_mut(&group).unwrap().trees.insert(epoch, tree);
        let welcome = Notice::Welcome { group, epoch, welcome: Bytes::from([0; 8]), seq: seq + 1, log_hash };
        server.inbox.entry(bob.id).or_default().push(welcome);
    }
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::Garbage]);
    assert_eq!(world.server.borrow().groups[&group].epoch(), epoch, "no new keys were made for it");
    alice.send(group, "still readable");
    bob.sync();
    assert_eq!(bob.texts(group), ["still readable"]);
}

#[test]
fn shows_another_key_for_a_known_device() {
    let (world, alice, bob, _) = pair();
    let other = world.other_key_for(&bob);
    world.server.borrow_mut().devices.insert(bob.id, other);
    for _ in 0..2 {
        let seen = block_on(alice.client.devices(Some(bob.official))).unwrap();
        assert!(!seen[0].verified, "the first key stays");
    }
    assert_eq!(alice.alarms(), [AlarmKind::KeyChanged], "told once");
}

#[test]
fn a_conversation_closed_against_this_device_ends_visibly() {
    let (world, alice, bob, group) = pair();
    let (seq, _) = head(&world, group);
    world.server.borrow_mut().groups.get_mut(&group).unwrap().closed = true;
    block_on(bob.client.send(group, "nobody hears this")).unwrap();
    quarantine(&world, &bob, group, bob.id, seq);
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::ClosedWithoutCause]);
    assert!(bob.view(group).left);
    let page = block_on(bob.client.read(group, None, 10)).unwrap();
    assert_eq!(page.lines.last().unwrap().status, Some(MessageStatus::Failed), "not waiting for ever");
    let again = block_on(bob.client.new_conversation(&[alice.official], None)).unwrap();
    assert_ne!(again, group, "a new one can be started");
}

#[test]
fn sets_the_clock_back() {
    const DAY: i64 = 86_400_000;
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    carol.sync();
    // Long enough for Carol's certificate to end.
    world.now.set(world.now.get() + 10 * DAY);
    alice.send(group, "it is the tenth day");
    bob.sync();
    assert_eq!(bob.texts(group), ["it is the tenth day"]);
    assert_eq!(bob.alarms(), []);
    world.server.borrow_mut().clock = -9 * DAY;
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::ClockMoved]);
    bob.sync();
    assert_eq!(bob.alarms().len(), 1, "told once a day");
    let refused = block_on(bob.client.new_conversation(&[carol.official], None));
    assert!(matches!(refused, Err(ClientError::NoDevice)), "what has ended stays ended: {refused:?}");
}

#[test]
fn a_clock_some_hours_off_is_no_lie() {
    let (world, alice, bob, group) = pair();
    for hours in [3, 20] {
        world.server.borrow_mut().clock = hours * 3_600_000;
        alice.send(group, "what time is it?");
        bob.sync();
    }
    assert_eq!(bob.texts(group).len(), 2);
    assert_eq!(bob.alarms(), []);
}

#[test]
fn sets_the_clock_back_by_less_than_a_day() {
    const HOUR: i64 = 3_600_000;
    let (world, alice, bob, group) = pair();
    alice.send(group, "it is late");
    bob.sync();
    assert_eq!(bob.alarms(), []);
    // No contradiction to Bob's own clock, but to what Alice has signed.
    world.server.borrow_mut().clock = -20 * HOUR;
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::ClockMoved]);
}

#[test]
fn sets_the_clock_forward() {
    let (world, _, bob, _) = pair();
    world.server.borrow_mut().clock = 30 * 3_600_000;
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::ClockMoved]);
}

#[test]
fn a_member_alone_does_not_move_the_time_of_others() {
    const DAY: i64 = 86_400_000;
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    carol.sync();
    // Alice signs that it is twenty days later.
    world.server.borrow_mut().clock = 20 * DAY;
    alice.send(group, "from the future");
    world.server.borrow_mut().clock = 0;
    bob.sync();
    assert_eq!(bob.texts(group), ["from the future"]);
    block_on(bob.client.new_conversation(&[carol.official], None)).expect("Carol's certificate has not ended");
}
