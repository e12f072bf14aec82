//! The connection: hello, the loop, and coming back after it broke.

use crate::client::ClientEvent;
use crate::records::GroupRecord;
use crate::store::Range;
use crate::sync::machine::Machine;
use crate::transport::{EventSocket as _, TransportError};
use crate::views::Alarm;
use crate::{Client, ClientError, Platform, Store, StoreError, Transport, keys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::StreamExt as _;
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::future::{Either, select};
use pakawaaz_base::Millis;
use pakawaaz_contract::frames::{ClientFrame, ServerFrame};
use pakawaaz_contract::{EVENTS_PATH, MAX_FRAME, PROTOCOL_VERSION};
use rand_core::RngCore as _;
use std::pin::pin;
use std::time::Duration;

/// A silent connection is asked whether it lives.
const PING: Duration = Duration::from_secs(25);
/// First and longest pause before connecting again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));
/// A request without an answer for longer means that the connection is dead, whatever it says to pings.
const ANSWER: Duration = Duration::from_secs(40);
/// While catching up, positions are acknowledged after this many frames.
const ACK_EVERY: u32 = 32;

/// How a connection ended.
enum Ended {
    /// Nothing left to do (one-shot).
    Done,
    /// Positions must be told again.
    Again,
    /// The server closed or the network broke.
    Broken,
}

fn fatal(e: &ClientError) -> bool {
    match e {
        ClientError::Store(StoreError::Busy | StoreError::Full | StoreError::Failed(_)) => true,
        ClientError::Transport(t) => *t == TransportError::Untrusted,
        ClientError::LoginRequired
        | ClientError::Locked
        | ClientError::NotEnrolled
        | ClientError::Damaged
        | ClientError::WrongVersion => true,
        _ => false,
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Connects, catches up, keeps listening and sending; reconnects with exponential back-off and jitter. Returns
    /// only on errors that waiting does not cure ([`ClientError::LoginRequired`], store errors). May be dropped at
    /// any await point.
    ///
    /// # Errors
    /// See above.
    pub async fn run(&self, events: &mut dyn FnMut(ClientEvent)) -> Result<(), ClientError> {
        let mut pause = BACK_OFF.0;
        loop {
            let mut reached = false;
            let ended = self.connection(false, &mut reached, events).await;
            match ended {
                Ok(Ended::Again) => continue,
                Ok(Ended::Done | Ended::Broken) => {}
                Err(e) if fatal(&e) => return Err(e),
                Err(_) => {}
            }
            if reached {
                pause = BACK_OFF.0;
            }
            // Full jitter: ten thousand clients of a restarted server must not come back together.
            let spread = self.db.rng().next_u64() % (pause.as_millis() as u64).max(1);
            let retry_in = pause / 2 + Duration::from_millis(spread);
            events(ClientEvent::Disconnected { retry_in });
            self.platform().sleep(retry_in).await;
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    /// Connects, catches up, sends until everything queued is accepted, and returns. For one-shot commands.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::LoginRequired`].
    pub async fn sync_once(&self, events: &mut dyn FnMut(ClientEvent)) -> Result<(), ClientError> {
        let mut reached = false;
        loop {
            match self.connection(true, &mut reached, events).await? {
                Ended::Done => return Ok(()),
                Ended::Again => {}
                Ended::Broken => return Err(TransportError::Broken("the server closed the connection".into()).into()),
            }
        }
    }

    async fn hello(&self, socket: &mut T::Socket) -> Result<Option<Alarm>, ClientError> {
        let Some(first) = socket.recv().await? else { return Err(ClientError::BadAnswer) };
        let ServerFrame::Challenge { nonce, time } = ServerFrame::decode(&first).map_err(|_| ClientError::BadAnswer)?
        else {
            return Err(ClientError::BadAnswer);
        };
        let alarm = self.hear_time(time).await?;
        let session = self.session().await?;
        let token = &session.tokens.access_token;
        let nonce = URL_SAFE_NO_PAD.encode(&nonce);
        let dpop = self.dpop(&session, "GET", EVENTS_PATH, Some(token), Some(&nonce))?;
        let groups = self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await?;
        // What was written before, or by another connection, is looked at once.
        groups.iter().for_each(|(_, r)| self.db.touch(r.group));
        let positions = groups.iter().filter(|(_, r)| r.registered).map(|(_, r)| (r.group, r.seq)).collect();
        let hello = ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            access_token: token.clone(),
            dpop,
            positions,
            inbox: self.inbox_position().await?,
        };
        socket.send(hello.encode()).await?;
        Ok(alarm)
    }

    async fn connection(
        &self,
        once: bool,
        reached: &mut bool,
        events: &mut dyn FnMut(ClientEvent),
    ) -> Result<Ended, ClientError> {
        self.session().await?;
        match self.ensure_reachable().await {
            // Waiting for approval: it will be told through this very connection.
            Err(ClientError::NotApproved | ClientError::Refused { .. }) => {}
            other => other?,
        }
        let (wake, mut woken) = mpsc::unbounded();
        self.inner.set_wake(wake);
        let mut socket = self.transport.connect_events().await?;
        self.hello(&mut socket).await?.map(ClientEvent::Alarm).into_iter().for_each(&mut *events);
        // Notices that wait from an earlier connection.
        let mut m = Machine { notices_at: Some(Millis(0)), ..Machine::default() };
        let ended = self.serve(once, &mut m, &mut socket, &mut woken, reached, events).await;
        m.events.drain(..).for_each(&mut *events);
        ended
    }

    async fn serve(
        &self,
        once: bool,
        m: &mut Machine,
        socket: &mut T::Socket,
        woken: &mut UnboundedReceiver<()>,
        reached: &mut bool,
        events: &mut dyn FnMut(ClientEvent),
    ) -> Result<Ended, ClientError> {
        let mut frames = 0u32;
        let mut quiet = false;
        loop {
            let rest = if m.caught_up {
                let _writing = self.inner.writing.lock().await;
                self.flush(m).await?
            } else {
                true
            };
            let idle = m.caught_up && !rest && m.in_flight.is_empty();
            if m.caught_up || frames >= ACK_EVERY {
                frames = 0;
                m.acknowledge(self.inbox_position().await?);
            }
            while let Some(frame) = m.out.pop_front() {
                let bytes = frame.encode();
                if bytes.len() > MAX_FRAME {
                    return Err(ClientError::TooLong);
                }
                socket.send(bytes).await?;
            }
            m.events.drain(..).for_each(&mut *events);
            if let Some(code) = m.closed.take() {
                return if code.starts_with("identity.") { self.ended(&code).await } else { Ok(Ended::Broken) };
            }
            if m.resync {
                return Ok(Ended::Again);
            }
            if once && idle {
                // Everything else is done.
                return m.trouble.take().map_or(Ok(Ended::Done), Err);
            }
            if m.is_stuck(self.platform().now().minus(ANSWER)) {
                return Ok(Ended::Broken);
            }
            // Before everything has come nothing is tried, so nothing is due either.
            let wait = match self.next_try(m).filter(|_| m.caught_up) {
                Some(at) => at.since(self.platform().now()).max(Duration::from_millis(10)).min(PING),
                None => PING,
            };
            let received = {
                let recv = pin!(socket.recv());
                let other = pin!(async {
                    let wake = pin!(woken.next());
                    let sleep = pin!(self.platform().sleep(wait));
                    matches!(select(wake, sleep).await, Either::Right(_))
                });
                match select(recv, other).await {
                    Either::Left((received, _)) => Some(received?),
                    Either::Right((slept, _)) => {
                        if slept && wait == PING {
                            if quiet {
                                // Two silences in a row: the connection is dead.
                                return Ok(Ended::Broken);
                            }
                            quiet = true;
                            m.out.push_back(ClientFrame::Ping);
                        }
                        None
                    }
                }
            };
            match received {
                None => {}
                Some(None) => return Ok(Ended::Broken),
                Some(Some(bytes)) => {
                    quiet = false;
                    frames += 1;
                    let frame = ServerFrame::decode(&bytes).map_err(|_| ClientError::BadAnswer)?;
                    let _writing = self.inner.writing.lock().await;
                    self.on_frame(m, frame).await?;
                    *reached |= m.ready;
                }
            }
        }
    }

    /// The server ended the session. A token may only have run out: then a refresh brings a new one.
    async fn ended(&self, code: &str) -> Result<Ended, ClientError> {
        match code {
            // The socket says the same to those who are suspended and to those who are revoked, and to some of both that
            // only their session has ended. The answer to the refresh tells them apart.
            "identity.session_ended" | "identity.revoked" => self.refresh().await.map(|_| Ended::Broken),
            // The server was restarted with other keys, for example. A new one that is not taken either tells that this
            // will never do.
            "identity.token_invalid" if self.inner.renewed.replace(true) => Err(ClientError::LoginRequired),
            "identity.token_invalid" => self.refresh().await.map(|_| Ended::Again),
            _ => Ok(Ended::Broken),
        }
    }
}
