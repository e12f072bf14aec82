//! The newcomer's way in: who you are, who is around, a first conversation, a second terminal.

use crate::cast::{ADMINISTRATORS, Cast};
use crate::chat::{Chat, Next, by_username, person};
use crate::clock;
use crate::government::Government;
use crate::member::{Member, patiently};
use crate::network::{Radio, describe};
use crate::output::Screen;
use crate::state::State;
use crate::trail::label;
use anyhow::{Context as _, Result, bail};
use pakawaaz_client::ClientEvent;
use pakawaaz_client::views::{MessageStatus, OfficialView};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// `--check` fails when an answer takes longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Until somebody who was logged out tries to log in again.
const TRIES_AGAIN: Duration = Duration::from_secs(5);
/// Between two questions of `--check` where the phone is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What `--check` says.
const QUESTION: &str = "Assalam-o-alaikum. Is the budget summary ready?";

/// What the newcomer's client tells.
enum Told {
    /// Something happened.
    Event(ClientEvent),
    /// The login has ended, and logging in is refused for this reason. It is tried again.
    LoggedOut(String),
}

/// The newcomer's client, connected, and what it tells.
pub struct Newcomer {
    me: Rc<Member>,
    events: mpsc::UnboundedReceiver<Told>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Newcomer {
    /// Opens the profile and connects. Must run in a `LocalSet`.
    pub async fn start(state: &Arc<State>, username: &str) -> Result<Self> {
        let me = Rc::new(Member::open(state, username).await?);
        let (tell, events) = mpsc::unbounded_channel();
        let (member, state) = (Rc::clone(&me), Arc::clone(state));
        let listening = tokio::task::spawn_local(async move {
            loop {
                let Err(error) = member.stay(&state, &mut |event| drop(tell.send(Told::Event(event)))).await;
                if tell.send(Told::LoggedOut(format!("{error:#}"))).is_err() {
                    return;
                }
                tokio::time::sleep(TRIES_AGAIN).await;
            }
        });
        Ok(Self { me, events, listening })
    }

    /// The client.
    pub fn member(&self) -> &Rc<Member> {
        &self.me
    }

    async fn told(&mut self) -> Result<Told> {
        self.events.recv().await.context("the client ended")
    }
}

/// Says who you are, who is around and how it goes.
pub async fn introduce(
    screen: &Screen,
    state: &State,
    plan: &Government,
    cast: &Cast,
    me: &Member,
) -> Result<OfficialView> {
    let who = me.client().whoami().await?;
    let mine = me.client().official(who.official).await?;
    screen.heading(&format!("You are {} · {}", plan.officials[cast.you].full_name(), mine.name.ur));
    if let Some(post) = mine.posts.first() {
        let office: Vec<&str> = post.units.iter().map(|unit| unit.en.as_str()).collect();
        screen.line(&format!("  {}, {}", post.title.en, office.join(", ")));
    }
    screen.line(&format!("  login name {}, logged in with password, SIM and device key", who.username));
    screen.line(&format!("  device key {}", who.fingerprint));

    let units = me.client().units().await?.units.len();
    screen.heading("Your directory");
    screen.line(&format!("  {} officials in {units} units. Those who answer in this demo:", plan.officials.len()));
    for bot in &cast.bots {
        screen.line(&person(&by_username(me, &plan.officials[*bot].username).await?));
    }

    screen.heading("A second terminal");
    let colleague = &plan.officials[cast.colleague];
    screen.line(&format!("  Be {} next door, on another device, and write to yourself:", colleague.full_name()));
    screen.line(&format!("    pk() {{ {} \"$@\"; }}", terminal(state, &colleague.username)?));
    screen.line(&format!("    pk new {}", who.username));
    screen.line(&format!("    pk send {} 'Tea at four?'", who.username));
    screen.line("    pk conversations");
    screen.line("    pk listen");

    screen.heading("Your phone");
    screen.line("  It registers with the 5G core in a moment; /phone shows where it is, and since when.");
    if let Some(card) = patiently(|| me.client().my_cards()).await?.cards.first() {
        screen.line("  An administrator can take its card away, which ends your login; unsuspend gives it back:");
        let administrator = ADMINISTRATORS[0].0;
        screen.line(&format!("    pa() {{ {} \"$@\"; }}", terminal(state, administrator)?));
        screen.line("    pa admin cellular ues");
        screen.line(&format!("    pa admin suspend --card {}", card.sim));
    }
    by_username(me, &plan.officials[cast.suggested].username).await
}

/// The terminal client as somebody of the demo, for a shell.
fn terminal(state: &State, username: &str) -> Result<String> {
    let parts = [
        ("", std::env::current_exe()?.with_file_name("pakawaaz")),
        ("--profile ", state.profile(username)),
        ("--pin-file ", state.pin_file(username)),
        ("--password-file ", state.password_file(username)),
    ];
    let command: Vec<String> = parts.iter().map(|(flag, path)| format!("{flag}{}", in_shell(path))).collect();
    Ok(command.join(" \\\n      "))
}

/// Shorter where it is below the current folder, so that it can be typed.
fn near(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).map_or_else(|_| path.to_owned(), Path::to_owned)
}

/// A path as a shell reads it.
fn in_shell(path: &Path) -> String {
    let text = near(path).to_string_lossy().into_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The conversation, until the newcomer has had enough.
pub async fn talk(screen: &Screen, mut newcomer: Newcomer, first: &OfficialView, radio: &Radio) -> Result<()> {
    let mut lines = typed_lines();
    let mut chat = Chat::new(screen, Rc::clone(&newcomer.me));
    screen.heading("Your first conversation");
    screen.line(&format!(
        "  {} sits in your section. Write something and press Enter; Urdu is answered in Urdu.",
        first.name.en
    ));
    let steps = [MessageStatus::Queued, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Read];
    screen.line(&format!("  Each message shows how far it has come: {}.", steps.map(label).join(", ")));
    screen.line("  /help lists what else there is; /quit or Ctrl-C ends everything.\n");
    chat.open_with(first.official).await?;
    chat.unread().await?;
    chat.prompt().await?;
    let mut settled = pin!(radio.settled());
    let mut said = false;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => if chat.typed(&line).await? == Next::Quit { return Ok(()) },
                None => return Ok(()),
            },
            told = newcomer.told() => match told? {
                Told::Event(event) => chat.event(event).await?,
                Told::LoggedOut(why) => chat.logged_out(&why),
            },
            text = &mut settled, if !said => {
                said = true;
                screen.line(&format!("  ✓ {text}"));
            }
        }
    }
}

/// Lines of standard input, read by a thread that nobody has to wait for at the end.
fn typed_lines() -> mpsc::UnboundedReceiver<String> {
    let (tell, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut bytes = Vec::new();
        // Bytes, not `lines()`: one wrong byte must not end the demo.
        while matches!(input.read_until(b'\n', &mut bytes), Ok(n) if n > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            if tell.send(line).is_err() {
                return;
            }
            bytes.clear();
        }
    });
    lines
}

/// One message, its steps, one answer; an error when anything of it is missing.
pub async fn check(screen: &Screen, mut newcomer: Newcomer, first: &OfficialView, radio: &Radio) -> Result<()> {
    let mut chat = Chat::new(screen, Rc::clone(&newcomer.me));
    screen.heading(&format!("A conversation with {}", first.name.en));
    chat.open_with(first.official).await?;
    screen.line(&speech_of_mine());
    let before = chat.heard();
    let message = chat.send(QUESTION).await?.context("the message was not sent")?;
    let both = async {
        loop {
            let delivered = chat.trail(message).is_some_and(|t| t.status() >= MessageStatus::Delivered);
            if delivered && chat.heard() > before {
                return Ok::<_, anyhow::Error>(());
            }
            match newcomer.told().await? {
                Told::Event(event) => chat.event(event).await?,
                Told::LoggedOut(why) => bail!("logged out: {why}"),
            }
        }
    };
    if tokio::time::timeout(ANSWER_WITHIN, both).await.is_err() {
        bail!("no delivery or no answer in {} s", ANSWER_WITHIN.as_secs());
    }
    screen.line("");
    screen.line(&format!("  {}", radio.settled().await));
    let phone = tokio::time::timeout(ANSWER_WITHIN, registered(&newcomer.me)).await;
    screen.line(&format!("  your {}", phone.context("your phone is not on the network")??));
    screen.line("");
    screen.line("check passed: sent, delivered and answered; your phone is on the network");
    Ok(())
}

/// Waits until the core knows the newcomer's phone; where it is.
async fn registered(me: &Member) -> Result<String> {
    loop {
        let cards = patiently(|| me.client().my_cards()).await?.cards;
        if let Some(card) = cards.iter().find(|card| card.phone.is_some()) {
            return Ok(describe(card, clock::now()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn speech_of_mine() -> String {
    crate::output::speech("you", QUESTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_a_shell() {
        assert_eq!(in_shell(Path::new("/a/b.c-d")), "/a/b.c-d");
        assert_eq!(in_shell(Path::new("/it's here")), "'/it'\\''s here'");
    }
}
