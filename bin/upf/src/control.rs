//! The Unix socket where the control plane connects.
//!
//! Who may connect is decided twice: by the permissions of the socket's file, and by the user that the kernel says the other
//! end is. There is one control plane: a new connection takes the place of the one before.

use anyhow::Result;
use pakawaaz_user_plane::link::{Decoder, encode};
use pakawaaz_user_plane::rules::{UserPlaneReply, UserPlaneRequest};
use std::os::unix::net::UnixListener as StdListener;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};

/// Replies that wait for a control plane that does not read; beyond, it is disconnected.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// What happened at the socket.
#[derive(Debug)]
pub enum Event {
    /// The control plane is there.
    Connected,
    /// It wants something.
    Requests(Vec<UserPlaneRequest>),
    /// It is gone.
    Gone,
}

struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    outgoing: Vec<u8>,
}

/// The socket and its one connection.
pub struct Link {
    listener: UnixListener,
    uids: Vec<u32>,
    connection: Option<Connection>,
}

impl Link {
    /// Over a listening socket; has to be called inside the runtime. This process's own user may always connect.
    pub fn new(listener: StdListener, uids: &[u32]) -> Result<Self> {
        let mut uids = uids.to_vec();
        uids.push(rustix::process::geteuid().as_raw());
        Ok(Self { listener: UnixListener::from_std(listener)?, uids, connection: None })
    }

    /// Whether a control plane is there.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// The next thing that happens. May be dropped at any time without loss.
    pub async fn event(&mut self) -> Event {
        loop {
            let Self { listener, connection, .. } = self;
            tokio::select! {
                accepted = listener.accept() => {
                    // An error here is about one connection, which is gone already.
                    let Ok((stream, _)) = accepted else { continue };
                    if self.accept(stream) {
                        return Event::Connected;
                    }
                }
                still_there = serve(connection.as_mut()), if connection.is_some() => match still_there {
                    Ok(requests) if requests.is_empty() => {}
                    Ok(requests) => return Event::Requests(requests),
                    Err(reason) => {
                        tracing::warn!(reason, "the control plane is disconnected");
                        self.connection = None;
                        return Event::Gone;
                    }
                }
            }
        }
    }

    /// Replies for the control plane; dropped when there is none. It hears what matters when it connects.
    pub fn send(&mut self, replies: &mut Vec<UserPlaneReply>) {
        let Some(connection) = self.connection.as_mut() else { return replies.clear() };
        for reply in replies.drain(..) {
            if connection.outgoing.len() > MAX_WAITING || encode(&reply, &mut connection.outgoing).is_err() {
                // Found out at the next event: reading fails after the shutdown of both directions.
                let _ = rustix::net::shutdown(&connection.stream, rustix::net::Shutdown::Both);
                connection.outgoing.clear();
                return;
            }
        }
        connection.flush();
    }

    fn accept(&mut self, stream: UnixStream) -> bool {
        let allowed = stream.peer_cred().is_ok_and(|peer| self.uids.contains(&peer.uid()));
        if allowed {
            tracing::info!("the control plane is connected");
            self.connection = Some(Connection { stream, decoder: Decoder::default(), outgoing: Vec::new() });
        } else {
            tracing::warn!("a user that is not in link.uids tried to connect");
        }
        allowed
    }
}

impl Connection {
    /// Writes what can be written now.
    fn flush(&mut self) {
        while !self.outgoing.is_empty() {
            match self.stream.try_write(&self.outgoing) {
                Ok(written) => drop(self.outgoing.drain(..written)),
                // Either full, or broken, which reading finds out.
                Err(_) => return,
            }
        }
    }
}

/// Reads and writes once something can be; gives whole requests. Without a connection it waits for ever.
async fn serve(connection: Option<&mut Connection>) -> Result<Vec<UserPlaneRequest>, &'static str> {
    let Some(connection) = connection else { return std::future::pending().await };
    let writes = !connection.outgoing.is_empty();
    let interest = if writes { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
    let ready = connection.stream.ready(interest).await.map_err(|_| "the socket failed")?;
    if ready.is_writable() {
        connection.flush();
    }
    let mut requests = Vec::new();
    if ready.is_readable() {
        let mut bytes = [0; 16 * 1024];
        match connection.stream.try_read(&mut bytes) {
            Ok(0) => return Err("it closed the connection"),
            Ok(length) => connection.decoder.feed(&bytes[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return Err("the socket failed"),
        }
        while let Some(request) = connection.decoder.take().map_err(|_| "it sent a malformed frame")? {
            requests.push(request);
        }
    }
    Ok(requests)
}
