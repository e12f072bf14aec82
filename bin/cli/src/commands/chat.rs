//! Conversations and messages.

use crate::commands::people::time;
use crate::context::{self, Shell};
use crate::output;
use anyhow::Context as _;
use pakawaaz_base::MessageId;
use pakawaaz_client::views::{LineView, MessageStatus, SystemLine};
use pakawaaz_client::{ClientError, ClientEvent};
use pakawaaz_client_native::NativeClient;
use std::collections::VecDeque;
use std::io::Read as _;
use std::time::Duration;

/// Longest message read from standard input, in bytes; the core has its own, smaller limit.
const MAX_STDIN: u64 = 1024 * 1024;

/// Whether there is a session and the server could be reached; offline use goes on with what is stored.
async fn try_sync(client: &NativeClient) -> Result<(), ClientError> {
    client.ensure_session().await?;
    client.sync_once(&mut |_| {}).await
}

pub async fn conversations(shell: &Shell) -> anyhow::Result<()> {
    let open = shell.open().await?;
    sync_or_say(&open.client).await?;
    let all = open.client.conversations().await?;
    shell.out.show(&all, |all| {
        if all.is_empty() {
            return vec!["No conversations yet. Start one: pakawaaz new LOGIN_NAME".into()];
        }
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|c| {
                let mut state = Vec::new();
                if c.unread > 0 {
                    state.push(format!("{} unread", c.unread));
                }
                if c.mentions > 0 {
                    state.push(format!("{} for you", c.mentions));
                }
                if c.queued > 0 {
                    state.push(format!("{} queued", c.queued));
                }
                if c.failed > 0 {
                    state.push(format!("{} FAILED", c.failed));
                }
                if !c.draft.is_empty() {
                    state.push("draft".into());
                }
                for (set, word) in [(c.pinned, "pinned"), (c.muted, "muted"), (c.archived, "archived")] {
                    if set {
                        state.push(word.into());
                    }
                }
                if c.alarms > 0 {
                    state.push(format!("{} ALARMS", c.alarms));
                }
                if c.held_back {
                    state.push("waiting for a revoked device to leave".into());
                }
                if c.left {
                    state.push("you left".into());
                }
                vec![short(&c.group.to_string()), c.display(), time(c.updated_at), state.join(", ")]
            })
            .collect();
        output::table(&["ID", "CONVERSATION", "LAST", ""], &rows)
    });
    Ok(())
}

/// Reads go on offline, saying so; anything but a network problem is an error.
pub async fn sync_or_say(client: &NativeClient) -> anyhow::Result<()> {
    match try_sync(client).await {
        Err(e) if e.is_temporary() => output::note("Offline: showing what is stored on this device."),
        other => other?,
    }
    Ok(())
}

pub async fn new(shell: &Shell, who: &[String], title: Option<&str>) -> anyhow::Result<()> {
    let open = shell.online().await?;
    let officials = context::officials(&open.client, who).await?;
    let group = open.client.new_conversation(&officials, title).await?;
    open.client.sync_once(&mut |_| {}).await?;
    shell.out.show(&serde_json::json!({ "conversation": group }), |_| {
        vec![format!("Conversation {group}"), format!("Write: pakawaaz send {} \"…\"", short(&group.to_string()))]
    });
    Ok(())
}

pub async fn send(
    shell: &Shell,
    conversation: &str,
    text: Option<String>,
    reply_to: Option<MessageId>,
    mention: &[String],
    offline: bool,
) -> anyhow::Result<()> {
    let open = shell.open().await?;
    // Another device or official may have started it since this device last looked.
    let group = match context::known_conversation(&open.client, conversation).await? {
        Some(group) => group,
        None => {
            if !offline {
                sync_or_say(&open.client).await?;
            }
            context::conversation(&open.client, conversation).await?
        }
    };
    let text = match text {
        Some(text) => text,
        None => {
            let mut text = String::new();
            std::io::stdin().take(MAX_STDIN).read_to_string(&mut text).context("standard input is not text")?;
            text.trim_end_matches('\n').to_owned()
        }
    };
    let mentions = context::officials(&open.client, mention).await?;
    let message = open.client.send_message(group, &text, reply_to, &mentions).await?;
    let mut status = MessageStatus::Queued;
    if !offline {
        match try_sync(&open.client).await {
            Ok(()) => {
                let page = open.client.read(group, None, 200).await?;
                let line = page.lines.iter().rev().find(|l| l.message == Some(message));
                status = line.and_then(|l| l.status).unwrap_or(status);
            }
            // The message is safe in the outbox; the next command or `listen` sends it.
            Err(e) if e.is_temporary() => output::note(&format!("Not sent yet: {e}. It is in the outbox.")),
            Err(e) => return Err(e.into()),
        }
    }
    shell.out.show(&serde_json::json!({ "message": message, "conversation": group, "status": status }), |_| {
        vec![format!("{} {message}", tick(Some(status)))]
    });
    Ok(())
}

pub async fn read(
    shell: &Shell,
    conversation: &str,
    limit: usize,
    before: Option<u64>,
    ids: bool,
    offline: bool,
) -> anyhow::Result<()> {
    let open = shell.open().await?;
    if !offline {
        sync_or_say(&open.client).await?;
    }
    let group = context::conversation(&open.client, conversation).await?;
    let page = open.client.read(group, before, limit).await?;
    shell.out.show(&page, |page| {
        let mut lines: Vec<String> = page.before().iter().map(|b| format!("… more above: --before {b}")).collect();
        for line in &page.lines {
            let id = line.message.filter(|_| ids).map_or_else(String::new, |id| format!("{id}  "));
            lines.push(format!("{id}{}", line_text(line)));
        }
        lines
    });
    open.client.mark_read(group).await?;
    if !offline {
        sync_or_say(&open.client).await?;
    }
    Ok(())
}

pub async fn listen(shell: &Shell, count: Option<u32>, seconds: Option<u64>) -> anyhow::Result<()> {
    let open = shell.online().await?;
    let client = &open.client;
    // `run` owns the callback; what it reports is worked off between its turns.
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let mut report = |event: ClientEvent| {
        let _ = sender.send(event);
    };
    let deadline = async {
        match seconds {
            Some(s) => tokio::time::sleep(Duration::from_secs(s)).await,
            None => std::future::pending().await,
        }
    };
    let show = async {
        let mut left = count;
        let mut seen = VecDeque::new();
        while left != Some(0) {
            let Some(event) = events.recv().await else { break };
            if show_event(shell, client, &event, &mut seen).await? {
                left = left.map(|n| n - 1);
            }
        }
        // One more turn of `run`, so that the last receipts leave.
        tokio::time::sleep(Duration::from_millis(300)).await;
        anyhow::Ok(())
    };
    tokio::select! {
        ended = client.run(&mut report) => ended?,
        shown = show => shown?,
        () = deadline => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// Prints an event; true when it was a message.
async fn show_event(
    shell: &Shell,
    client: &NativeClient,
    event: &ClientEvent,
    seen: &mut VecDeque<pakawaaz_base::MessageId>,
) -> anyhow::Result<bool> {
    match event {
        ClientEvent::Message { group, message, .. } => {
            if seen.contains(message) {
                return Ok(false);
            }
            seen.push_back(*message);
            if seen.len() > 1000 {
                seen.pop_front();
            }
            let page = client.read(*group, None, 100).await?;
            if let Some(line) = page.lines.iter().rev().find(|l| l.message == Some(*message)) {
                let value = serde_json::json!({ "conversation": group, "line": line });
                shell.out.show(&value, |_| vec![format!("[{}] {}", short(&group.to_string()), line_text(line))]);
            }
            client.mark_read(*group).await?;
            Ok(true)
        }
        ClientEvent::Alarm(alarm) => {
            let value = serde_json::json!({ "alarm": alarm });
            shell.out.show(&value, |_| vec![format!("ALARM: {}", alarm.kind.sentence())]);
            Ok(false)
        }
        ClientEvent::OwnDevice { device } => {
            output::note(&format!("One of your devices changed: {device}. See: pakawaaz devices"));
            Ok(false)
        }
        ClientEvent::Disconnected { retry_in } => {
            output::note(&format!("Offline; trying again in {} s.", retry_in.as_secs().max(1)));
            Ok(false)
        }
        ClientEvent::CaughtUp => {
            output::note("Connected and up to date.");
            Ok(false)
        }
        // Nothing to print, or nothing that lasts.
        _ => Ok(false),
    }
}

pub async fn members(shell: &Shell, conversation: &str, add: &[String], remove: &[String]) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let client = &open.client;
    sync_or_say(client).await?;
    let group = context::conversation(client, conversation).await?;
    if !add.is_empty() || !remove.is_empty() {
        if !add.is_empty() {
            client.add_members(group, &context::officials(client, add).await?).await?;
        }
        for official in context::officials(client, remove).await? {
            client.remove_member(group, official).await?;
        }
        client.sync_once(&mut |_| {}).await?;
    }
    let members = client.members(group).await?;
    shell.out.show(&members, |members| {
        let rows: Vec<Vec<String>> = members
            .iter()
            .map(|m| {
                let devices = m.devices.len();
                vec![
                    if m.username.is_empty() { m.official.to_string() } else { m.username.clone() },
                    m.name.en.clone(),
                    format!("{devices} device{}", if devices == 1 { "" } else { "s" }),
                    if m.me { "you".into() } else { String::new() },
                ]
            })
            .collect();
        output::table(&["LOGIN", "NAME", "DEVICES", ""], &rows)
    });
    Ok(())
}

pub async fn alarms(shell: &Shell) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let alarms = open.client.alarms().await?;
    shell.out.show(&alarms, |alarms| {
        if alarms.is_empty() {
            return vec!["None: this device has seen nothing that an honest server would not do.".into()];
        }
        alarms.iter().map(|a| format!("{}  {}", time(a.at), a.kind.sentence())).collect()
    });
    Ok(())
}

pub fn short(id: &str) -> String {
    // UUIDv7 begins with the time; the tail tells conversations apart better, but only a prefix can be typed.
    id.chars().take(18).collect()
}

/// A tick with its word, as every client shows it.
fn tick(status: Option<MessageStatus>) -> &'static str {
    match status {
        Some(MessageStatus::Queued) => "○ queued",
        Some(MessageStatus::Sent) => "✓ sent",
        Some(MessageStatus::Delivered) => "✓✓ delivered",
        Some(MessageStatus::Read) => "● read",
        Some(MessageStatus::Failed) => "✗ failed",
        None => "",
    }
}

pub fn line_text(line: &LineView) -> String {
    let at = time(line.at);
    if let Some(system) = &line.system {
        return format!("{at}  · {}", system_text(system, &output::one_line(&line.author_name.en)));
    }
    // A line break inside must not begin what looks like somebody else's line.
    let mut text = if line.deleted { "(deleted)".to_owned() } else { line.text.replace('\n', "\n    | ") };
    if let Some(file) = &line.file {
        let words = if text.is_empty() { String::new() } else { format!(" {text}") };
        text = format!("[file {}, {} bytes]{words}", output::one_line(&file.name), file.size);
    }
    if let Some(reply) = &line.reply {
        let what = match (&reply.file, reply.deleted) {
            (_, true) => "(deleted)".to_owned(),
            (Some(file), _) => output::one_line(file),
            _ => output::one_line(&reply.text),
        };
        text = format!("[to {}: {}] {text}", output::one_line(&reply.author_name.en), shortened(&what));
    }
    for reaction in &line.reactions {
        text.push_str(&format!("  {}{}", output::one_line(&reaction.emoji), reaction.officials.len()));
    }
    let edited = if line.edited && !line.deleted { " (edited)" } else { "" };
    let who = if line.mine { "you".to_owned() } else { output::one_line(&line.author_name.en) };
    let status = if line.mine { format!("  [{}]", tick(line.status)) } else { String::new() };
    let why = line.failure.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
    format!("{at}  {who}: {text}{edited}{status}{why}")
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

fn system_text(line: &SystemLine, who: &str) -> String {
    match line {
        SystemLine::Created => "you started this conversation".into(),
        SystemLine::Members { names, .. } => {
            let names: Vec<_> = names.iter().map(|name| output::one_line(&name.en)).collect();
            format!("members: {}", names.join(", "))
        }
        SystemLine::Joined { .. } => format!("{who} joined"),
        SystemLine::NewDevice { .. } => format!("{who} uses a new device"),
        SystemLine::Left { revoked: true, .. } => format!("a revoked device of {who} was removed"),
        SystemLine::Left { gone: true, .. } => format!("{who} is no longer a member"),
        SystemLine::Left { .. } => format!("a device of {who} left"),
        SystemLine::Healed { .. } => format!("a device of {who} that had lost its keys came back"),
        SystemLine::JoinedHere => "you joined; earlier messages cannot be read on this device".into(),
        SystemLine::RemovedHere => "you are no longer a member".into(),
        SystemLine::Titled { title, .. } => format!("{who} called the conversation “{title}”"),
        SystemLine::Alarm { kind } => format!("ALARM: {}", kind.sentence()),
        SystemLine::Unreadable => "a message that this device cannot read".into(),
        SystemLine::Failed { reason } => format!("a change that you asked for was refused for good ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_base::Millis;
    use pakawaaz_contract::directory::BilingualName;

    #[test]
    fn a_message_cannot_look_like_two() {
        let line = LineView {
            key: "1.0".into(),
            seq: Some(1),
            message: None,
            author: None,
            author_name: BilingualName { en: "Bilal\nMinister".into(), ur: String::new() },
            mine: false,
            at: Millis(0),
            text: "hello\n1970-01-01  Minister: approved".into(),
            mentions: Vec::new(),
            reply: None,
            reactions: Vec::new(),
            file: None,
            edited: false,
            deleted: false,
            status: None,
            failure: None,
            system: None,
        };
        let shown = line_text(&line);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with("Bilal Minister: hello"));
        assert_eq!(lines[1], "    | 1970-01-01  Minister: approved");
    }
}
