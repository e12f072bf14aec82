//! Somebody who talks without pause: the real client in this process, over the profile that the terminal client made.

use crate::Person;
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_client::views::{LineView, MessageStatus};
use pakawaaz_client::{ClientError, ClientEvent};
use pakawaaz_client_native::OpenProfile;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// PIN of every [`Person`].
const PIN: &str = "246810";
/// Pause before connecting again: faster than a patient client, so that a server which lives for a moment only is
/// loaded from its first moment on.
const AGAIN: Duration = Duration::from_millis(40);

/// What was said, as its author's client accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where.
    pub group: GroupId,
    /// Its id.
    pub message: MessageId,
    /// Its text.
    pub text: String,
}

/// One official's running client. Needs a [`tokio::task::LocalSet`].
pub struct Talker {
    /// Login name.
    pub name: String,
    /// Official.
    pub official: OfficialId,
    /// The client and its profile.
    pub open: OpenProfile,
    /// Everything this official said.
    pub said: RefCell<Vec<Said>>,
    changed: Rc<Notify>,
}

impl Talker {
    /// Opens the person's profile. `changed` is told about every event.
    pub async fn open(person: &Person, changed: Rc<Notify>) -> Rc<Self> {
        let open = OpenProfile::open(&person.profile).await.expect("the profile opens");
        open.client.unlock(PIN).await.expect("the PIN is right");
        let official = open.client.whoami().await.expect("enrolled").official;
        let name = person.username.clone();
        Rc::new(Self { name, official, open, said: RefCell::default(), changed })
    }

    /// Stays connected whatever happens to the server; never returns.
    ///
    /// # Panics
    /// When the client gives up for good.
    pub async fn stay(&self) {
        loop {
            let gone = Notify::new();
            let mut events = |event| {
                if matches!(event, ClientEvent::Disconnected { .. }) {
                    gone.notify_one();
                }
                self.changed.notify_one();
            };
            tokio::select! {
                ended = self.open.client.run(&mut events) => match ended {
                    Err(e) if !e.is_temporary() => panic!("{} cannot go on: {e}", self.name),
                    _ => {}
                },
                // The client would wait longer and longer; dropping it at an await point must be harmless.
                () = gone.notified() => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Says something; it is in the outbox when this returns.
    pub async fn say(&self, group: GroupId, text: &str) {
        let message = self.open.client.send(group, text).await.expect("the outbox takes it");
        self.said.borrow_mut().push(Said { group, message, text: text.to_owned() });
    }

    /// Groups this official is in.
    pub async fn groups(&self) -> Vec<GroupId> {
        let all = self.open.client.conversations().await.expect("conversations are readable");
        all.into_iter().filter(|c| !c.left && c.epoch > 0).map(|c| c.group).collect()
    }

    /// Every message of a group that has a place in its log, in order.
    pub async fn messages(&self, group: GroupId) -> Vec<LineView> {
        let mut all = Vec::new();
        let mut before = None;
        loop {
            let mut page = match self.open.client.read(group, before, 500).await {
                // Not invited yet.
                Err(ClientError::NoSuchConversation) => return Vec::new(),
                page => page.expect("a conversation is readable"),
            };
            before = page.before();
            page.lines.retain(|line| line.message.is_some() && line.seq.is_some());
            page.lines.append(&mut all);
            all = page.lines;
            if before.is_none() {
                return all;
            }
        }
    }

    /// How far an own message has come; none when it is not in the timeline.
    pub async fn status(&self, said: &Said) -> Option<MessageStatus> {
        let page = self.open.client.read(said.group, None, 500).await.expect("a conversation is readable");
        page.lines.into_iter().find(|line| line.message == Some(said.message)).and_then(|line| line.status)
    }

    /// Asserts that the client has seen nothing that an honest server would not do.
    pub async fn assert_no_alarms(&self) {
        let alarms = self.open.client.alarms().await.expect("alarms are readable");
        assert!(alarms.is_empty(), "{}: {alarms:?}", self.name);
    }
}

/// A conversation and who of the talkers (by their place in the list) is in it.
#[derive(Clone, Debug)]
pub struct Room {
    /// The conversation.
    pub group: GroupId,
    /// In it before anything was said.
    pub founders: Vec<usize>,
    /// Added later: they read from then on.
    pub late: Vec<usize>,
}

/// Waits until everything that was said in `rooms` has arrived at everybody in them.
///
/// # Panics
/// When nothing happens any more and something is still missing.
pub async fn settle(talkers: &[Rc<Talker>], rooms: &[Room], changed: &Notify) {
    const PATIENCE: Duration = Duration::from_secs(60);
    loop {
        let missing = missing(talkers, rooms).await;
        if missing.is_empty() {
            return;
        }
        let event = tokio::time::timeout(PATIENCE, changed.notified()).await;
        assert!(event.is_ok(), "nothing happens any more, but missing are: {missing:#?}");
        // Many events make one look.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What has not arrived, in words; at most some of it.
async fn missing(talkers: &[Rc<Talker>], rooms: &[Room]) -> Vec<String> {
    let mut missing = Vec::new();
    for room in rooms {
        let said = said_in(talkers, room.group);
        let mut last = None;
        for talker in room.founders.iter().map(|i| &talkers[*i]) {
            let lines = talker.messages(room.group).await;
            last = lines.last().and_then(|line| line.message);
            let heard: HashSet<MessageId> = lines.into_iter().filter_map(|line| line.message).collect();
            let gaps = said.iter().filter(|s| !heard.contains(&s.message));
            missing.extend(gaps.take(5).map(|s| format!("{} has not got {:?}", talker.name, s.text)));
        }
        for talker in room.late.iter().map(|i| &talkers[*i]) {
            if talker.messages(room.group).await.last().and_then(|line| line.message) != last {
                missing.push(format!("{} has not got the last message", talker.name));
            }
        }
    }
    missing
}

/// Asserts that everybody in a settled room has the same messages in the same order, each exactly once, that they are
/// what was said, and that every author knows that they were stored.
///
/// # Panics
/// When not.
pub async fn assert_one_truth(talkers: &[Rc<Talker>], room: &Room) {
    let said = said_in(talkers, room.group);
    let truth = talkers[room.founders[0]].messages(room.group).await;
    let truth: Vec<(MessageId, String)> = truth.into_iter().map(|l| (l.message.unwrap(), l.text)).collect();
    let unique: HashSet<_> = truth.iter().map(|(message, _)| *message).collect();
    assert_eq!(unique.len(), truth.len(), "a message appears twice");
    let expected: HashSet<_> = said.iter().map(|s| s.message).collect();
    assert_eq!(unique, expected, "exactly what was said is there");
    let texts: HashMap<_, _> = said.iter().map(|s| (s.message, &s.text)).collect();
    assert!(truth.iter().all(|(message, text)| texts[message] == text), "with its text");
    for talker in room.founders.iter().chain(&room.late).map(|i| &talkers[*i]) {
        let lines = talker.messages(room.group).await;
        for line in lines.iter().filter(|line| line.mine) {
            assert!(line.status >= Some(MessageStatus::Sent), "{}: {line:?}", talker.name);
        }
        let seen: Vec<(MessageId, String)> = lines.into_iter().map(|l| (l.message.unwrap(), l.text)).collect();
        let is_late = room.late.iter().any(|i| Rc::ptr_eq(&talkers[*i], talker));
        if is_late {
            let joined = truth.is_empty() || !seen.is_empty();
            assert!(
                joined && truth.ends_with(&seen),
                "{} reads everything from when it joined, not {seen:?} of {truth:?}",
                talker.name
            );
        } else {
            assert_eq!(seen, truth, "{} has another history", talker.name);
        }
    }
}

fn said_in(talkers: &[Rc<Talker>], group: GroupId) -> Vec<Said> {
    let of =
        |talker: &Rc<Talker>| talker.said.borrow().iter().filter(|s| s.group == group).cloned().collect::<Vec<_>>();
    talkers.iter().flat_map(of).collect()
}
