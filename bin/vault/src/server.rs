//! The Unix socket. A connection has a thread; there are as many as there are servers on this machine, so a few.
//!
//! Who may connect is decided twice: by the permissions of the socket's file, and by the user that the kernel says the other
//! end is. A frame that is none ends its connection.

use crate::config::SocketConfig;
use crate::vault::Vault;
use anyhow::{Context as _, Result, bail, ensure};
use pakawaaz_sim_vault::frame::{Decoder, encode};
use pakawaaz_sim_vault::{FromVault, ToVault};
use rustix::fs::Mode;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zeroize::Zeroizing;

/// Open connections; one more is closed at once.
const CONNECTIONS: usize = 32;
/// Memory of each thread, which is locked.
const STACK: usize = 512 * 1024;
/// Who does not read its answers for so long is disconnected.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket, for its owner alone (and its group, when configured). One that somebody listens at is left alone.
///
/// # Errors
/// Says what is in the way.
pub fn listen(config: &SocketConfig) -> Result<UnixListener> {
    let path = &config.path;
    let shown = path.display();
    if UnixStream::connect(path).is_ok() {
        bail!("somebody listens at {shown} already (socket.path)");
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing the old {shown} (socket.path)"));
        }
        _ => {}
    }
    // Before there are other threads: from its first moment the file has these permissions.
    let others = Mode::from_raw_mode(if config.group { 0o117 } else { 0o177 });
    let before = rustix::process::umask(others);
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    listener.with_context(|| format!("opening {shown} (socket.path)"))
}

/// Serves until the process ends.
///
/// # Errors
/// The socket fails.
pub fn run(listener: &UnixListener, config: &SocketConfig, vault: Arc<Vault>) -> Result<()> {
    let mut uids = config.uids.clone();
    uids.push(rustix::process::geteuid().as_raw());
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        // An error here is about one connection, which is gone already, or about descriptors, of which there will be more.
        let Ok(stream) = stream else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let peer = rustix::net::sockopt::socket_peercred(&stream).map(|peer| peer.uid.as_raw());
        if !peer.is_ok_and(|uid| uids.contains(&uid)) {
            tracing::warn!("a user that is not in socket.uids tried to connect");
            continue;
        }
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            tracing::warn!("too many connections");
            continue;
        }
        let (vault, here) = (vault.clone(), Counted(open.clone()));
        let serve = move || {
            let _here = here;
            tracing::info!("a server is connected");
            match serve(stream, &vault) {
                Ok(()) => tracing::info!("a server has disconnected"),
                Err(error) => tracing::warn!(%error, "a server is disconnected"),
            }
        };
        if std::thread::Builder::new().stack_size(STACK).spawn(serve).is_err() {
            tracing::error!("no thread for a connection");
        }
    }
    Ok(())
}

/// A connection among those that are counted.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(mut stream: UnixStream, vault: &Vault) -> Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut decoder = Decoder::default();
    let mut bytes = Zeroizing::new(vec![0; 64 * 1024]);
    let mut out = Zeroizing::new(Vec::new());
    let mut greeted = false;
    loop {
        let length = stream.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        decoder.feed(&bytes[..length]);
        while let Some(said) = decoder.take::<ToVault>()? {
            ensure!(greeted || said == ToVault::Hello, "it did not greet");
            let answer = match said {
                ToVault::Hello => {
                    greeted = true;
                    FromVault::Hello { software: vault.is_software() }
                }
                ToVault::Ask { id, asks } => FromVault::Answers { id, answers: vault.answer(&asks)? },
                ToVault::Report { id } => FromVault::Report { id, report: vault.report() },
            };
            encode(&answer, &mut out)?;
            stream.write_all(&out)?;
            zeroize::Zeroize::zeroize(&mut *out);
        }
    }
}
