//! What is done to single messages, searching them, and leaving.

use crate::commands::chat::{line_text, short, sync_or_say};
use crate::commands::people::time;
use crate::context::{self, Shell};
use crate::output;
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_client::ClientError;
use pakawaaz_client_native::NativeClient;

/// Looks for news first, so that a message that has just come can be changed; goes on offline.
async fn group(client: &NativeClient, conversation: &str) -> anyhow::Result<GroupId> {
    sync_or_say(client).await?;
    context::conversation(client, conversation).await
}

/// Sends what was queued; offline it stays in the outbox.
async fn finish(shell: &Shell, client: &NativeClient, what: &str, words: &str) -> anyhow::Result<()> {
    match client.sync_once(&mut |_| {}).await {
        Err(e) if e.is_temporary() => output::note(&format!("Not sent yet: {e}. It is in the outbox.")),
        other => other?,
    }
    shell.out.done(what, words);
    Ok(())
}

pub async fn edit(
    shell: &Shell,
    conversation: &str,
    message: MessageId,
    text: &str,
    mention: &[String],
) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = group(&open.client, conversation).await?;
    let mentions = context::officials(&open.client, mention).await?;
    open.client.edit(group, message, text, &mentions).await?;
    finish(shell, &open.client, "edited", "Edited.").await
}

pub async fn delete(shell: &Shell, conversation: &str, message: MessageId) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = group(&open.client, conversation).await?;
    open.client.delete(group, message).await?;
    finish(shell, &open.client, "deleted", "Deleted for everyone.").await
}

pub async fn react(
    shell: &Shell,
    conversation: &str,
    message: MessageId,
    emoji: &str,
    remove: bool,
) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = group(&open.client, conversation).await?;
    open.client.react(group, message, emoji, remove).await?;
    finish(shell, &open.client, "reacted", "Done.").await
}

pub async fn retry(shell: &Shell, conversation: &str, message: MessageId) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = context::conversation(&open.client, conversation).await?;
    open.client.retry(group, message).await?;
    finish(shell, &open.client, "queued", "Queued again.").await
}

pub async fn discard(shell: &Shell, conversation: &str, message: MessageId) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = context::conversation(&open.client, conversation).await?;
    open.client.discard(group, message).await?;
    shell.out.done("discarded", "Forgotten.");
    Ok(())
}

pub async fn leave(shell: &Shell, conversation: &str) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = group(&open.client, conversation).await?;
    match open.client.leave(group).await {
        Err(e @ ClientError::DirectStays) => {
            return Err(anyhow::Error::new(e).context("a one-to-one conversation stays; nobody can be taken out of it"));
        }
        other => other?,
    }
    finish(shell, &open.client, "left", "You have left; one of the others removes you.").await
}

pub async fn draft(shell: &Shell, conversation: &str, text: Option<&str>) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = context::conversation(&open.client, conversation).await?;
    if let Some(text) = text {
        open.client.set_draft(group, text).await?;
        shell.out.done("kept", "Kept.");
        return Ok(());
    }
    let all = open.client.conversations().await?;
    let draft = all.into_iter().find(|c| c.group == group).map(|c| c.draft).unwrap_or_default();
    shell.out.show(&serde_json::json!({ "draft": draft }), |_| vec![draft.clone()]);
    Ok(())
}

pub async fn info(shell: &Shell, conversation: &str, message: MessageId) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = group(&open.client, conversation).await?;
    let info = open.client.message_info(group, message).await?;
    let members = open.client.members(group).await?;
    let name = |official: &OfficialId| {
        let found = members.iter().find(|m| m.official == *official);
        found.map_or_else(|| official.to_string(), |m| m.name.en.clone())
    };
    shell.out.show(&info, |info| {
        let mut lines = vec![format!("Sent {}", time(info.sent_at))];
        for (what, officials) in [("Read", &info.read), ("Delivered", &info.delivered), ("Waiting", &info.waiting)] {
            if !officials.is_empty() {
                let names: Vec<_> = officials.iter().map(name).collect();
                lines.push(output::one_line(&format!("{what}: {}", names.join(", "))));
            }
        }
        lines
    });
    Ok(())
}

pub async fn search(shell: &Shell, text: &str, conversation: Option<&str>, limit: usize) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let group = match conversation {
        Some(conversation) => Some(context::conversation(&open.client, conversation).await?),
        None => None,
    };
    let (mut hits, mut cursor, mut scanned) = (Vec::new(), None, 0u64);
    loop {
        let page = open.client.search(text, group, cursor.as_deref()).await?;
        scanned += u64::from(page.scanned);
        hits.extend(page.hits);
        cursor = page.next;
        if cursor.is_none() || hits.len() >= limit {
            break;
        }
    }
    hits.truncate(limit);
    shell.out.show(&serde_json::json!({ "hits": hits, "scanned": scanned }), |_| {
        if hits.is_empty() {
            return vec![format!("Nothing found in {scanned} lines on this device.")];
        }
        hits.iter().map(|h| format!("[{}] {}", short(&h.group.to_string()), line_text(&h.line))).collect()
    });
    Ok(())
}
