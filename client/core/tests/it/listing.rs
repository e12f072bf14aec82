//! The list of conversations: what is kept of it is what would be made anew, and what a change costs. (Every
//! synchronisation of every test compares the two as well, see `Device::list_is_true`.)

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::{GroupId, MessageId};
use pakawaaz_client::ClientError;
use pakawaaz_client::views::{Flags, SystemLine};
use proptest::prelude::*;

/// Something that happens; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Act {
    Send(u8, u8),
    Edit(u8, u8),
    Delete(u8),
    React(u8, bool),
    Draft(u8, u8),
    Flags(u8, u8),
    Title(u8, u8),
    Read(u8),
    Discard(u8),
    Sync(u8),
    Find,
    Look,
    Lock,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Act::Send(a, b)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Act::Edit(a, b)),
        1 => any::<u8>().prop_map(Act::Delete),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(a, b)| Act::React(a, b)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Act::Draft(a, b)),
        1 => (any::<u8>(), 0..8u8).prop_map(|(a, b)| Act::Flags(a, b)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Act::Title(a, b)),
        1 => any::<u8>().prop_map(Act::Read),
        1 => any::<u8>().prop_map(Act::Discard),
        4 => any::<u8>().prop_map(Act::Sync),
        1 => Just(Act::Find),
        4 => Just(Act::Look),
        1 => Just(Act::Lock),
    ];
    proptest::collection::vec(act, 1..60)
}

struct Play {
    devices: [Device; 2],
    groups: [GroupId; 3],
    sent: Vec<(GroupId, MessageId)>,
}

impl Play {
    fn new() -> Self {
        let mut world = World::new();
        let (alice, bob, carol) = (world.official(), world.official(), world.official());
        let groups = [
            world.conversation(&[&alice, &bob], None),
            world.conversation(&[&alice, &bob, &carol], Some("team")),
            world.conversation(&[&bob, &alice], Some("both")),
        ];
        Self { devices: [alice, bob], groups, sent: Vec::new() }
    }

    fn group(&self, n: u8) -> GroupId {
        self.groups[usize::from(n) % self.groups.len()]
    }

    /// What is refused changes nothing, and is fine.
    fn act(&mut self, act: &Act) {
        let me = &self.devices[0].client;
        let message = |n: u8| self.sent.get(usize::from(n) % self.sent.len().max(1)).copied();
        match *act {
            Act::Send(group, by) => {
                let (group, by) = (self.group(group), &self.devices[usize::from(by % 2)]);
                if let Ok(message) = block_on(by.client.send(group, "words")) {
                    self.sent.push((group, message));
                }
            }
            Act::Edit(n, text) => {
                message(n).map(|(g, m)| block_on(me.edit(g, m, &text.to_string(), &[])));
            }
            Act::Delete(n) => {
                message(n).map(|(g, m)| block_on(me.delete(g, m)));
            }
            Act::React(n, remove) => {
                message(n).map(|(g, m)| block_on(me.react(g, m, "👍", remove)));
            }
            Act::Discard(n) => {
                message(n).map(|(g, m)| block_on(me.discard(g, m)));
            }
            Act::Draft(group, text) => {
                let text = if text < 64 { String::new() } else { text.to_string() };
                block_on(me.set_draft(self.group(group), &text)).unwrap();
            }
            Act::Flags(group, bits) => {
                let flags = Flags { pinned: bits & 1 != 0, muted: bits & 2 != 0, archived: bits & 4 != 0 };
                block_on(me.set_flags(self.group(group), flags)).unwrap();
            }
            Act::Title(group, text) => drop(block_on(me.set_title(self.group(group), &text.to_string()))),
            Act::Read(group) => block_on(me.mark_read(self.group(group))).unwrap(),
            Act::Sync(who) => drop(self.devices[usize::from(who % 2)].sync()),
            Act::Find => drop(block_on(me.official(self.devices[1].official))),
            Act::Look => self.devices[0].list_is_true(),
            Act::Lock => {
                let key = me.vault_key().unwrap();
                me.lock();
                assert!(matches!(block_on(me.conversations()), Err(ClientError::Locked)), "nothing kept is shown");
                block_on(me.unlock_with(key)).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_is_kept_of_the_list_is_what_would_be_made_anew(acts in acts()) {
        let mut play = Play::new();
        for act in &acts {
            play.act(act);
        }
        play.devices[0].list_is_true();
    }
}

#[test]
fn one_message_costs_the_same_with_few_conversations_and_with_many() {
    let reads_with = |conversations: usize| {
        let mut world = World::new();
        let (alice, bob) = (world.official(), world.official());
        let group = world.conversation(&[&alice, &bob], None);
        for _ in 0..conversations {
            block_on(alice.client.lonely_conversation()).unwrap();
        }
        assert_eq!(block_on(alice.client.conversations()).unwrap().len(), conversations + 1);
        let before = alice.store.reads();
        block_on(alice.client.conversations()).unwrap();
        assert_eq!(alice.store.reads(), before, "nothing has changed");
        block_on(alice.client.send(group, "more words")).unwrap();
        block_on(alice.client.set_draft(group, "words")).unwrap();
        let before = alice.store.reads();
        let shown = block_on(alice.client.conversations()).unwrap();
        let view = shown.into_iter().find(|view| view.group == group).unwrap();
        assert_eq!((view.draft.as_str(), view.queued), ("words", 1));
        alice.store.reads() - before
    };
    let (few, many) = (reads_with(3), reads_with(300));
    assert_eq!(few, many);
    assert!(few < 20, "{few} rows for one conversation");
}

fn system_lines(device: &Device, group: GroupId) -> Vec<SystemLine> {
    block_on(device.client.read(group, None, 1000)).unwrap().lines.into_iter().filter_map(|l| l.system).collect()
}

#[test]
fn who_is_there_from_the_beginning_is_one_line_and_none_between_two() {
    let mut world = World::new();
    let (alice, bob, carol, dan) = (world.official(), world.official(), world.official(), world.official());
    let further = world.further(&bob, [&alice, &carol]);
    let group = world.conversation(&[&alice, &bob, &carol, &further], Some("team"));
    for device in [&alice, &bob, &carol, &further] {
        let lines = system_lines(device, group);
        let Some((officials, names)) = lines.iter().find_map(|line| match line {
            SystemLine::Members { officials, names } => Some((officials, names)),
            _ => None,
        }) else {
            panic!("{lines:?}")
        };
        assert_eq!((officials.len(), names.len()), (3, 3));
        let others = |l: &&SystemLine| {
            !matches!(l, SystemLine::Members { .. } | SystemLine::Created | SystemLine::Titled { .. })
        };
        assert_eq!(lines.iter().filter(others).collect::<Vec<_>>(), Vec::<&SystemLine>::new());
    }
    dan.sync();
    block_on(alice.client.add_members(group, &[dan.official])).unwrap();
    world.settle(&[&alice, &bob, &carol, &dan]);
    let joined = |l: &SystemLine| matches!(l, SystemLine::Joined { official, .. } if *official == dan.official);
    assert!(system_lines(&bob, group).last().is_some_and(joined));
    assert!(system_lines(&dan, group).contains(&SystemLine::JoinedHere));

    let direct = world.conversation(&[&alice, &dan], None);
    for device in [&alice, &dan] {
        assert_eq!(system_lines(device, direct), []);
        assert_eq!(device.view(direct).last, None);
    }
}

#[test]
fn a_further_device_of_a_member_is_one_short_line_and_an_official_who_goes_is_one() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let further = world.further(&bob, [&alice, &carol]);
    further.sync();
    block_on(alice.client.add_members(group, &[bob.official])).unwrap();
    world.settle(&[&alice, &bob, &further]);
    assert_eq!(alice.member_devices(group).len(), 3);
    let expected = SystemLine::NewDevice { official: bob.official, device: further.id };
    assert_eq!(system_lines(&alice, group), [expected]);
    assert_eq!(system_lines(&further, group), [SystemLine::JoinedHere], "it was not there from the beginning");

    let team = world.conversation(&[&alice, &bob, &carol, &further], Some("team"));
    block_on(bob.client.leave(team)).unwrap();
    world.settle(&[&bob, &alice, &carol]);
    let lines = system_lines(&carol, team);
    let left: Vec<_> = lines.iter().filter(|l| matches!(l, SystemLine::Left { .. })).collect();
    assert!(
        matches!(left[..], [SystemLine::Left { official, gone: true, .. }] if *official == bob.official),
        "{left:?}"
    );
}
