//! The conversation in the terminal: what is typed goes out, what arrives appears, each message shows how far it has
//! come.

use crate::clock::{self, Stopwatch};
use crate::member::Member;
use crate::network::describe;
use crate::output::{Screen, shortened, speech};
use crate::trail::Trail;
use anyhow::{Context as _, Result};
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_client::views::{HeldPostView, LineView, OfficialView, SystemLine};
use pakawaaz_client::{ClientError, ClientEvent};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Lines in which something that has just happened is looked for.
const RECENT: usize = 50;
/// Lines shown when a conversation is opened.
const SHOWN: usize = 12;
/// People shown by `/people`.
const FOUND: u32 = 12;

const HELP: &str = "\
  Type a message and press Enter. Commands:
    /people TEXT        find officials by name, post or office, in English or Urdu
    /new USERNAME…      start a conversation with one official, or a group with several
    /switch [NUMBER]    list your conversations, or go to one
    /members            who is in this conversation, and with how many devices
    /devices            your devices and their fingerprints
    /phone              your SIM card, and where your phone is in the network
    /help               this
    /quit               end the demo (Ctrl-C does the same)";

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait for more.
    Continue,
    /// The newcomer has had enough.
    Quit,
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Input<'a> {
    Nothing,
    Text(&'a str),
    Help,
    People(&'a str),
    New(Vec<&'a str>),
    Switch(Option<&'a str>),
    Members,
    Devices,
    Phone,
    Quit,
    Unknown(&'a str),
}

fn parse(line: &str) -> Input<'_> {
    let line = line.trim();
    if line.is_empty() {
        return Input::Nothing;
    }
    if !line.starts_with('/') {
        return Input::Text(line);
    }
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match command {
        "/help" | "/h" | "/?" => Input::Help,
        "/people" | "/find" => Input::People(rest),
        "/new" => Input::New(rest.split([' ', ',']).filter(|name| !name.is_empty()).collect()),
        "/switch" | "/conversations" => Input::Switch((!rest.is_empty()).then_some(rest)),
        "/members" => Input::Members,
        "/devices" => Input::Devices,
        "/phone" => Input::Phone,
        "/quit" | "/exit" | "/q" => Input::Quit,
        other => Input::Unknown(other),
    }
}

/// A message of ours that is under way.
struct Sent {
    number: u64,
    since: Stopwatch,
    trail: Trail,
}

/// The newcomer's side.
pub struct Chat<'a> {
    screen: &'a Screen,
    me: Rc<Member>,
    /// Numbered from 1 in the order in which they were first seen.
    known: Vec<GroupId>,
    current: Option<GroupId>,
    sent: HashMap<MessageId, Sent>,
    /// See [`Chat::heard`].
    heard: usize,
    /// Messages shown as unread, whose event may come yet.
    announced: HashSet<MessageId>,
    offline: bool,
    logged_out: bool,
}

impl<'a> Chat<'a> {
    /// Nothing is open yet.
    pub fn new(screen: &'a Screen, me: Rc<Member>) -> Self {
        Self {
            screen,
            me,
            known: Vec::new(),
            current: None,
            sent: HashMap::new(),
            heard: 0,
            announced: HashSet::new(),
            offline: false,
            logged_out: false,
        }
    }

    /// Messages of others that arrived in the open conversation.
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// Opens the one-to-one conversation with an official.
    pub async fn open_with(&mut self, official: OfficialId) -> Result<()> {
        let group = self.me.client().new_conversation(&[official], None).await?;
        self.open(group).await
    }

    /// Shows the prompt of the present conversation.
    pub async fn prompt(&self) -> Result<()> {
        let title = match self.current {
            Some(group) => self.title(group).await?,
            None => "nobody".to_owned(),
        };
        self.screen.prompt(&title);
        Ok(())
    }

    /// Something was typed.
    pub async fn typed(&mut self, line: &str) -> Result<Next> {
        self.screen.answered();
        let done = match parse(line) {
            Input::Nothing => Ok(()),
            Input::Text(text) => self.send(text).await.map(drop),
            Input::Help => {
                self.screen.line(HELP);
                Ok(())
            }
            Input::People(text) => self.people(text).await,
            Input::New(names) => self.start(&names).await,
            Input::Switch(None) => self.list().await,
            Input::Switch(Some(which)) => self.switch(which).await,
            Input::Members => self.members().await,
            Input::Devices => self.devices().await,
            Input::Phone => self.phone().await,
            Input::Quit => return Ok(Next::Quit),
            Input::Unknown(command) => {
                self.screen.line(&format!("  There is no {command}; /help lists the commands."));
                Ok(())
            }
        };
        // What the server or the rules refuse is news for the newcomer, not the end of the demo.
        if let Err(error) = done {
            match error.downcast::<ClientError>() {
                Ok(refused) => self.screen.line(&format!("  That did not work: {refused}.")),
                Err(other) => return Err(other),
            }
        }
        self.prompt().await?;
        Ok(Next::Continue)
    }

    /// Sends a text to the present conversation.
    pub async fn send(&mut self, text: &str) -> Result<Option<MessageId>> {
        let Some(group) = self.current else {
            self.screen.line("  Nobody to write to yet: /people finds officials, /new USERNAME starts.");
            return Ok(None);
        };
        let since = Stopwatch::start();
        let message = self.me.client().send(group, text).await?;
        let sent = Sent { number: self.sent.len() as u64 + 1, since, trail: Trail::new(text) };
        self.screen.live(sent.number, &sent.trail.line());
        self.sent.insert(message, sent);
        // The first steps may have happened before we knew the message's number.
        self.progress(group, message).await?;
        Ok(Some(message))
    }

    /// How far a message has come.
    pub fn trail(&self, message: MessageId) -> Option<&Trail> {
        self.sent.get(&message).map(|sent| &sent.trail)
    }

    /// Something happened.
    pub async fn event(&mut self, event: ClientEvent) -> Result<()> {
        match event {
            ClientEvent::Message { group, message, .. } => self.arrived(group, message).await,
            ClientEvent::Status { group, message } => self.progress(group, message).await,
            ClientEvent::Conversation { group } => {
                self.number(group);
                if self.current == Some(group) && self.screen.has_prompt() {
                    self.prompt().await?;
                }
                Ok(())
            }
            ClientEvent::OwnDevice { .. } => {
                self.screen.line("  Something changed about your devices: /devices shows them.");
                Ok(())
            }
            ClientEvent::Alarm(alarm) => {
                self.screen.line(&format!("  ⚠ {}", alarm.kind.sentence()));
                Ok(())
            }
            // Every attempt fails with such an event; the first says it all.
            ClientEvent::Disconnected { .. } => {
                if !std::mem::replace(&mut self.offline, true) {
                    self.screen.line("  No connection; messages are kept and go out when it is back.");
                }
                Ok(())
            }
            ClientEvent::Connected => {
                let logged_in = std::mem::replace(&mut self.logged_out, false);
                if logged_in {
                    self.screen.line("  You are logged in again, with password, SIM and device key.");
                }
                if std::mem::replace(&mut self.offline, false) && !logged_in {
                    self.screen.line("  The connection is back.");
                }
                Ok(())
            }
            ClientEvent::CaughtUp | ClientEvent::Typing { .. } | ClientEvent::Transfer { .. } => Ok(()),
        }
    }

    /// The login has ended and logging in was refused; said once, however often it is tried.
    pub fn logged_out(&mut self, why: &str) {
        if !std::mem::replace(&mut self.logged_out, true) {
            self.screen
                .line(&format!("  ⚠ Your login has ended ({why}). What you write is kept; /phone cannot be asked."));
        }
    }

    async fn arrived(&mut self, group: GroupId, message: MessageId) -> Result<()> {
        let Some(line) = self.line_of(group, message).await? else { return Ok(()) };
        if line.mine || self.announced.remove(&message) {
            return Ok(());
        }
        if self.current == Some(group) {
            self.heard += 1;
            self.screen.line(&speech(&line.author_name.en, &line.text));
            self.me.client().mark_read(group).await?;
        } else {
            let number = self.number(group);
            self.elsewhere(number, &line);
        }
        Ok(())
    }

    async fn progress(&mut self, group: GroupId, message: MessageId) -> Result<()> {
        if !self.sent.contains_key(&message) {
            return Ok(());
        }
        let status = self.line_of(group, message).await?.and_then(|line| line.status);
        let (Some(sent), Some(status)) = (self.sent.get_mut(&message), status) else { return Ok(()) };
        if sent.trail.reach(status, sent.since.elapsed()) {
            let still_there = !self.screen.is_terminal() || self.screen.is_live(sent.number);
            let text = if still_there { sent.trail.line() } else { sent.trail.last() };
            self.screen.live(sent.number, &text);
        }
        Ok(())
    }

    async fn line_of(&self, group: GroupId, message: MessageId) -> Result<Option<LineView>> {
        let page = self.me.client().read(group, None, RECENT).await?;
        Ok(page.lines.into_iter().find(|line| line.message == Some(message)))
    }

    fn number(&mut self, group: GroupId) -> usize {
        match self.known.iter().position(|known| *known == group) {
            Some(at) => at + 1,
            None => {
                self.known.push(group);
                self.known.len()
            }
        }
    }

    async fn title(&self, group: GroupId) -> Result<String> {
        let all = self.me.client().conversations().await?;
        let title = all.into_iter().find(|c| c.group == group).map(|c| c.display()).unwrap_or_default();
        // A conversation that is only just being made has neither title nor members yet.
        Ok(if title.is_empty() { "new conversation".to_owned() } else { shortened(&title, 40) })
    }

    /// Tells of messages that came while nobody looked.
    pub async fn unread(&mut self) -> Result<()> {
        for conversation in self.me.client().conversations().await?.iter().rev().filter(|c| c.unread > 0) {
            let number = self.number(conversation.group);
            let Some(last) = &conversation.last else { continue };
            self.announced.extend(last.message);
            self.elsewhere(number, last);
        }
        Ok(())
    }

    /// A message in a conversation that is not open.
    fn elsewhere(&self, number: usize, line: &LineView) {
        let who = format!("[new in conversation {number}] {}", line.author_name.en);
        self.screen.line(&speech(&who, &shortened(&line.text, 60)));
        self.screen.line(&format!("      /switch {number} goes there"));
    }

    async fn open(&mut self, group: GroupId) -> Result<()> {
        self.number(group);
        self.current = Some(group);
        let page = self.me.client().read(group, None, SHOWN).await?;
        for line in &page.lines {
            self.show(line);
        }
        self.me.client().mark_read(group).await?;
        Ok(())
    }

    fn show(&self, line: &LineView) {
        match &line.system {
            None if line.mine => self.screen.line(&speech("you", &line.text)),
            None => self.screen.line(&speech(&line.author_name.en, &line.text)),
            Some(SystemLine::Alarm { kind }) => self.screen.line(&format!("  ⚠ {}", kind.sentence())),
            Some(SystemLine::Unreadable) => self.screen.line("  (a message from before this device joined)"),
            Some(_) => {}
        }
    }

    async fn people(&self, text: &str) -> Result<()> {
        let page = self.me.client().find(text, FOUND, None).await?;
        if page.officials.is_empty() {
            self.screen.line("  Nobody found. Try a part of a name, a post (Secretary) or an office (بجٹ).");
        }
        for official in &page.officials {
            self.screen.line(&person(official));
        }
        if page.next.is_some() {
            self.screen.line("  … and more; say more to find fewer.");
        }
        Ok(())
    }

    async fn start(&mut self, names: &[&str]) -> Result<()> {
        if names.is_empty() {
            self.screen.line("  With whom? /new USERNAME, for example as /people shows them.");
            return Ok(());
        }
        let mut officials = Vec::new();
        for name in names {
            let name = name.to_lowercase();
            let page = self.me.client().find(&name, FOUND, None).await?;
            match page.officials.into_iter().find(|o| o.username == name) {
                Some(found) => officials.push(found.official),
                None => {
                    self.screen.line(&format!("  No official has the login name {name}; /people finds them."));
                    return Ok(());
                }
            }
        }
        match self.me.client().new_conversation(&officials, None).await {
            Ok(group) => self.open(group).await,
            Err(ClientError::NoDevice) => {
                self.screen.line(
                    "  One of them has no device yet: of all officials only those who play along have one. Their \
                     vouchers are in the demo's folder; `pakawaaz enrol` makes a device for one.",
                );
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn list(&mut self) -> Result<()> {
        for conversation in self.me.client().conversations().await?.iter().rev() {
            let number = self.number(conversation.group);
            let here = if self.current == Some(conversation.group) { "→" } else { " " };
            let unread = match conversation.unread {
                0 => String::new(),
                n => format!("  ({n} new)"),
            };
            self.screen.line(&format!("  {here} {number}  {}{unread}", shortened(&conversation.display(), 50)));
        }
        Ok(())
    }

    async fn switch(&mut self, which: &str) -> Result<()> {
        match which.parse::<usize>().ok().and_then(|n| self.known.get(n.checked_sub(1)?)) {
            Some(group) => {
                let group = *group;
                self.open(group).await
            }
            None => {
                self.screen.line("  There is no conversation of that number:");
                self.list().await
            }
        }
    }

    async fn members(&self) -> Result<()> {
        let Some(group) = self.current else { return self.people("").await };
        for member in self.me.client().members(group).await? {
            let me = if member.me { " (you)" } else { "" };
            let devices = match member.devices.len() {
                1 => "1 device".to_owned(),
                n => format!("{n} devices"),
            };
            self.screen.line(&format!("    {}{me}, {}, {devices}", member.name.en, member.username));
        }
        Ok(())
    }

    async fn phone(&self) -> Result<()> {
        for card in self.me.client().my_cards().await?.cards {
            self.screen.line(&format!("    {}", describe(&card, clock::now())));
        }
        Ok(())
    }

    async fn devices(&self) -> Result<()> {
        for device in self.me.client().devices(None).await? {
            let this = if device.this_device { ", this one" } else { "" };
            let label = device.label.unwrap_or_default();
            self.screen.line(&format!("    {label}{this}: key {}", device.fingerprint));
        }
        Ok(())
    }
}

/// One official in a list.
pub fn person(official: &OfficialView) -> String {
    let name = format!("{} {}", official.rank.en, official.name.en);
    format!("  {:<17} {:<19} {}", official.username, name.trim(), official.posts.first().map(post).unwrap_or_default())
}

/// A post with its unit and those above it, without the ministry where there is more to say: lines are short.
fn post(post: &HeldPostView) -> String {
    let shown = post.units.len().saturating_sub(1).max(1);
    let office: Vec<&str> = post.units.iter().take(shown).map(|unit| unit.en.as_str()).collect();
    format!("{}, {}", post.title.en, office.join(", "))
}

/// The one official of that login name.
pub async fn by_username(me: &Member, username: &str) -> Result<OfficialView> {
    let page = me.client().find(username, FOUND, None).await?;
    page.officials
        .into_iter()
        .find(|o| o.username == username)
        .context("an official of the plan is not in the directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_message_or_a_command() {
        assert_eq!(parse("  "), Input::Nothing);
        assert_eq!(parse(" السلام علیکم "), Input::Text("السلام علیکم"));
        assert_eq!(parse("/people  joint secretary "), Input::People("joint secretary"));
        assert_eq!(parse("/new a.b, c.d  e.f"), Input::New(vec!["a.b", "c.d", "e.f"]));
        assert_eq!(parse("/switch"), Input::Switch(None));
        assert_eq!(parse("/switch 2"), Input::Switch(Some("2")));
        assert_eq!(parse("/quit"), Input::Quit);
        assert_eq!(parse("/qiut now"), Input::Unknown("/qiut"));
        for command in ["/people", "/new", "/switch", "/members", "/devices", "/phone", "/help", "/quit"] {
            assert!(HELP.contains(command));
            assert!(!matches!(parse(command), Input::Unknown(_)));
        }
    }
}
