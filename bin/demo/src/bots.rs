//! Officials who answer. Each is a real client with its own profile; they only share a process to save memory.

use crate::cast::Cast;
use crate::government::Government;
use crate::member::Member;
use crate::replies;
use crate::state::State;
use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_client::{ClientError, ClientEvent, FileError, FileSink, NoSpool};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Until a message has been looked at.
const LOOKS_AFTER: Duration = Duration::from_millis(500);
/// Typing.
const TYPES_FOR: Duration = Duration::from_millis(1_000);
/// Until somebody who was logged out tries to log in again.
const TRIES_AGAIN: Duration = Duration::from_secs(5);
/// Lines in which a message that has just arrived is looked for.
const RECENT: usize = 50;

/// The running officials. Dropping it ends them.
pub struct Bots {
    tasks: Vec<JoinHandle<()>>,
    greeter: Rc<Member>,
}

impl Drop for Bots {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Bots {
    /// Opens every profile and connects. Must run in a `LocalSet`.
    pub async fn start(state: &Arc<State>, plan: &Government, cast: &Cast) -> Result<Self> {
        let opening = cast.bots.iter().map(|bot| Member::open(state, &plan.officials[*bot].username));
        let members: Vec<Rc<Member>> = try_join_all(opening).await?.into_iter().map(Rc::new).collect();
        let mut ids = BTreeSet::new();
        for member in &members {
            ids.insert(member.official().await?);
        }
        let ids = Rc::new(ids);
        let at = cast.bots.iter().position(|bot| *bot == cast.greeter).context("the greeter is one of them")?;
        let greeter = Rc::clone(&members[at]);
        let tasks = members
            .into_iter()
            .enumerate()
            .map(|(number, member)| {
                let bot = Bot { member, state: Arc::clone(state), played: Rc::clone(&ids), turn: Cell::new(number) };
                tokio::task::spawn_local(bot.live())
            })
            .collect();
        Ok(Self { tasks, greeter })
    }

    /// Starts a conversation with the newcomer, so that something is there. Queued; it travels with the next
    /// synchronisation.
    pub async fn greet(&self, newcomer: OfficialId) -> Result<()> {
        let client = self.greeter.client();
        let group = client.new_conversation(&[newcomer], None).await?;
        client.send(group, replies::OPENING).await?;
        Ok(())
    }
}

struct Bot {
    member: Rc<Member>,
    state: Arc<State>,
    /// Officials played by this program: they never answer each other, or they would never stop.
    played: Rc<BTreeSet<OfficialId>>,
    turn: Cell<usize>,
}

impl Bot {
    async fn live(self) {
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut events = |event| {
            if let ClientEvent::Message { group, message, author, .. } = event {
                // Closed only when this task ends as a whole.
                let _ = tell.send((group, message, author));
            }
        };
        let listen = async {
            let mut said = String::new();
            loop {
                // A suspended card, for example: it may be restored.
                let Err(e) = self.member.stay(&self.state, &mut events).await;
                let why = format!("{e:#}");
                if why != said {
                    self.complain(&why);
                    said = why;
                }
                tokio::time::sleep(TRIES_AGAIN).await;
            }
        };
        let answer = async {
            while let Some((group, message, author)) = told.recv().await {
                if let Err(e) = self.hear(group, message, author).await {
                    self.complain(&format!("cannot answer: {e}"));
                }
            }
        };
        tokio::select! {
            () = listen => {}
            () = answer => {}
        }
    }

    async fn hear(&self, group: GroupId, message: MessageId, author: OfficialId) -> Result<(), ClientError> {
        if self.played.contains(&author) {
            return Ok(());
        }
        let client = self.member.client();
        tokio::time::sleep(LOOKS_AFTER).await;
        client.mark_read(group).await?;
        let members: Vec<OfficialId> = client.members(group).await?.iter().map(|m| m.official).collect();
        if !answers(client.whoami().await?.official, message, &members, &self.played) {
            return Ok(());
        }
        let page = client.read(group, None, RECENT).await?;
        let Some(line) = page.lines.iter().find(|line| line.message == Some(message)) else { return Ok(()) };
        if line.file.is_some() {
            let answer = self.acknowledge(group, message, replies::is_urdu(&line.text)).await?;
            client.send(group, &answer).await?;
            return Ok(());
        }
        tokio::time::sleep(TYPES_FOR).await;
        let turn = self.turn.replace(self.turn.get().wrapping_add(1));
        client.send(group, replies::reply(&line.text, turn)).await?;
        Ok(())
    }

    /// Fetches the file of a message, verifies it and says what it was; nothing of it is kept.
    async fn acknowledge(&self, group: GroupId, message: MessageId, urdu: bool) -> Result<String, ClientError> {
        let client = self.member.client();
        let file = client.file_of(group, message).await?;
        let transfer = client.begin_download(group, message).await?;
        let mut seen = Seen::default();
        match client.download(transfer, &mut seen, &mut |_| {}).await {
            // Every chunk was authentic and the hash of the whole is the one in the message.
            Ok(()) => Ok(replies::received(&file.name, seen.bytes, &file.sha256, urdu)),
            Err(e) => {
                client.cancel_transfer(transfer, &NoSpool).await?;
                Ok(replies::not_received(&file.name, e.any_code(), urdu))
            }
        }
    }

    /// The terminal belongs to the newcomer.
    fn complain(&self, what: &str) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.state.path("bots.log"));
        if let Ok(mut file) = file {
            let _ = writeln!(file, "{}: {what}", self.member.username);
        }
    }
}

/// Counts what arrives and forgets it.
#[derive(Default)]
struct Seen {
    bytes: u64,
}

impl FileSink for Seen {
    async fn write(&mut self, _: u64, bytes: &[u8]) -> Result<(), FileError> {
        self.bytes += bytes.len() as u64;
        Ok(())
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        Ok(())
    }
    async fn discard(&mut self) {}
}

/// In a group one of the played officials answers each message, by turns that all of them compute alike.
fn answers(me: OfficialId, message: MessageId, members: &[OfficialId], played: &BTreeSet<OfficialId>) -> bool {
    let able: BTreeSet<OfficialId> = members.iter().copied().filter(|m| played.contains(m)).collect();
    let turn = usize::from(message.as_bytes()[15]) % able.len().max(1);
    able.iter().nth(turn) == Some(&me)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_official_answers_a_message_to_a_group() {
        let id = |n: u8| OfficialId::from_bytes([n; 16]);
        let played = BTreeSet::from([id(1), id(2), id(3), id(4)]);
        let members = [id(9), id(3), id(1), id(2)];
        let mut who = BTreeSet::new();
        for n in 0..=255 {
            let mut bytes = [7u8; 16];
            bytes[15] = n;
            let message = MessageId::from_bytes(bytes);
            let answering: Vec<_> = members.iter().filter(|m| answers(**m, message, &members, &played)).collect();
            assert_eq!(answering.len(), 1);
            who.insert(*answering[0]);
        }
        assert_eq!(who, BTreeSet::from([id(1), id(2), id(3)]), "all take their turns");
    }
}
