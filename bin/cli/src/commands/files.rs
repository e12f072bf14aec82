//! Sending and saving files.

use crate::context::{self, Shell};
use crate::output;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pakawaaz_base::{MessageId, TransferId};
use pakawaaz_client::views::MessageStatus;
use pakawaaz_client::{ClientError, Direction, FileError, NewFile, NoSpool, TransferState};
use pakawaaz_client_native::{DiskSink, DiskSource, NativeClient, safe_name};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the progress is drawn.
const DRAW: Duration = Duration::from_millis(200);

/// Endings that people send most, and what they are; anything else is just bytes.
const TYPES: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("zip", "application/zip"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
];

fn media_type(path: &Path) -> &'static str {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == ending).map_or("application/octet-stream", |(_, kind)| kind)
}

pub async fn send(shell: &Shell, conversation: &str, path: &Path, caption: String) -> anyhow::Result<()> {
    let source = DiskSource::open(path).with_context(|| format!("opening {}", path.display()))?;
    let size = path.metadata().with_context(|| format!("opening {}", path.display()))?.len();
    let name = path.file_name().and_then(|n| n.to_str()).context("the file's name is not text")?.to_owned();
    let open = shell.online().await?;
    let client = &open.client;
    let group = context::conversation(client, conversation).await?;
    // The same file to the same place goes on; if it has changed, the core notices and starts over.
    let known = client.transfers().await?.into_iter().find(|t| {
        t.direction == Direction::Up && t.group == group && t.name == name && t.state != TransferState::Running
    });
    let transfer = match known {
        Some(known) => {
            client.resume_transfer(known.transfer).await?;
            known.transfer
        }
        None => {
            let media_type = media_type(path).to_owned();
            let new = NewFile { name: name.clone(), media_type, size, caption, ..NewFile::default() };
            client.begin_upload(group, new).await?
        }
    };
    let mut quiet = |_| {};
    let message = watch(shell, client, transfer, client.upload(transfer, Some(&source), &NoSpool, &mut quiet)).await?;
    let mut status = MessageStatus::Queued;
    match client.sync_once(&mut |_| {}).await {
        Ok(()) => status = MessageStatus::Sent,
        Err(e) if e.is_temporary() => output::note(&format!("The message is not sent yet: {e}. It is in the outbox.")),
        Err(e) => return Err(e.into()),
    }
    let value = serde_json::json!({
        "message": message, "conversation": group, "name": name, "size": size, "status": status,
    });
    shell.out.show(&value, |_| vec![format!("Sent {}, {}: {message}", output::one_line(&name), bytes(size))]);
    Ok(())
}

pub async fn get(
    shell: &Shell,
    conversation: &str,
    message: &str,
    out: Option<&Path>,
    force: bool,
) -> anyhow::Result<()> {
    let message: MessageId = message.parse().context("MESSAGE is an id like those that `read --json` shows")?;
    let open = shell.online().await?;
    let client = &open.client;
    client.sync_once(&mut |_| {}).await?;
    let group = context::conversation(client, conversation).await?;
    let file = client.file_of(group, message).await?;
    let target = target(out, &file.name);
    let transfer = client.begin_download(group, message).await?;
    client.resume_transfer(transfer).await?;
    let mut sink = DiskSink::open(&target, transfer, force).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{} is there already; --force replaces it", target.display())
        }
        _ => anyhow::Error::new(error).context(format!("saving to {}", target.display())),
    })?;
    let mut quiet = |_| {};
    watch(shell, client, transfer, client.download(transfer, &mut sink, &mut quiet)).await?;
    let path = target.to_string_lossy();
    let value = serde_json::json!({ "path": path, "name": file.name, "size": file.size, "verified": true });
    shell.out.show(&value, |_| vec![format!("Saved and verified: {path}, {}", bytes(file.size))]);
    Ok(())
}

/// Where to save; only the last part of the path may come from the sender.
fn target(out: Option<&Path>, name: &str) -> PathBuf {
    match out {
        None => PathBuf::from(safe_name(name)),
        Some(folder) if folder.is_dir() => folder.join(safe_name(name)),
        Some(file) => file.to_owned(),
    }
}

/// Runs a transfer, shows how far it is, and pauses it on Ctrl-C.
async fn watch<T>(
    shell: &Shell,
    client: &NativeClient,
    transfer: TransferId,
    work: impl Future<Output = Result<T, ClientError>>,
) -> anyhow::Result<T> {
    let visible = !shell.out.is_json() && std::io::stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    let style = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}  {binary_bytes_per_sec}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let draw = async {
        loop {
            tokio::time::sleep(DRAW).await;
            let all = client.transfers().await.unwrap_or_default();
            if let Some(now) = all.into_iter().find(|t| t.transfer == transfer) {
                bar.set_length(now.size);
                bar.set_position(now.done);
                bar.set_message(if now.state == TransferState::Waiting { "waiting for the connection" } else { "" });
            }
        }
    };
    let mut work = std::pin::pin!(work);
    let result = tokio::select! {
        result = &mut work => result,
        () = draw => unreachable!("drawing never ends"),
        _ = tokio::signal::ctrl_c() => {
            client.pause_transfer(transfer).await?;
            work.await
        }
    };
    bar.finish_and_clear();
    if matches!(result, Err(ClientError::File(FileError::Paused))) {
        output::note("Paused. The same command again goes on.");
    }
    Ok(result?)
}

/// A size for people.
pub fn bytes(size: u64) -> String {
    indicatif::HumanBytes(size).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_part_comes_from_the_sender() {
        let dir = tempfile::tempdir().expect("folder");
        assert_eq!(target(None, "../x/.profile"), PathBuf::from("_._x_.profile"));
        assert_eq!(target(Some(dir.path()), "a/b"), dir.path().join("a_b"));
        assert_eq!(target(Some(Path::new("/tmp/here.pdf")), "a"), PathBuf::from("/tmp/here.pdf"));
    }

    #[test]
    fn endings_become_types() {
        assert_eq!(media_type(Path::new("A.PDF")), "application/pdf");
        assert_eq!(media_type(Path::new("x")), "application/octet-stream");
    }
}
