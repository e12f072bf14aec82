//! One connection to the vault, which answers in the order in which it was asked.

use crate::{Job, PATIENCE, Reply};
use pakawaaz_sim_vault::frame::{self, Decoder, encode};
use pakawaaz_sim_vault::{Answer, Ask, FromVault, Report, ToVault};
use std::collections::VecDeque;
use std::path::Path;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use zeroize::{Zeroize, Zeroizing};

/// More than this waits in the queue until the vault has read.
const MAX_WAITING: usize = 2 * 1024 * 1024;

/// Who waits for an answer.
enum Waiting {
    /// So many of the answers belong to each.
    Answers(Vec<(usize, Reply<Vec<Answer>>)>),
    Report(Reply<Report>),
}

struct Pending {
    id: u64,
    waiting: Waiting,
}

/// The connection with what is on its way.
pub struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    outgoing: Zeroizing<Vec<u8>>,
    /// How much of it is written.
    written: usize,
    pending: VecDeque<Pending>,
    /// When the oldest question became the oldest: a vault that is busy with others before it does not hang.
    oldest_since: Instant,
    next: u64,
}

impl Connection {
    /// Connects and greets; says whether the vault's key is one of software.
    pub async fn open(socket: &Path, uids: &[u32]) -> Result<(Self, bool), &'static str> {
        let stream = UnixStream::connect(socket).await.map_err(|_| "nobody listens at its socket")?;
        if !stream.peer_cred().is_ok_and(|peer| uids.contains(&peer.uid())) {
            return Err("a user that is not in vault.uids listens at its socket");
        }
        let mut connection = Self {
            stream,
            decoder: Decoder::default(),
            outgoing: Zeroizing::default(),
            written: 0,
            pending: VecDeque::new(),
            oldest_since: Instant::now(),
            next: 0,
        };
        encode(&ToVault::Hello, &mut connection.outgoing).map_err(|_| "the greeting is too long")?;
        loop {
            match connection.move_bytes().await? {
                Some(FromVault::Hello { software }) => return Ok((connection, software)),
                Some(_) => return Err("what listens at its socket does not greet"),
                None => {}
            }
        }
    }

    /// Carries questions until nobody can ask any more; an error says why the connection is lost. Who waits then is told.
    pub async fn serve(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Result<(), &'static str> {
        loop {
            let until = self.oldest_since + PATIENCE;
            let room = self.outgoing.len() < MAX_WAITING;
            tokio::select! {
                // Answers first: they make room.
                biased;
                said = self.move_bytes() => {
                    if let Some(said) = said? {
                        self.take(said)?;
                    }
                }
                job = jobs.recv(), if room => match job {
                    Some(job) => self.say_all(job, jobs),
                    None => return Ok(()),
                },
                () = sleep_until(until), if !self.pending.is_empty() => {
                    return Err("it does not answer in time");
                }
            }
        }
    }

    /// Puts what waits in the queue into as few frames as it fits in.
    fn say_all(&mut self, first: Job, jobs: &mut mpsc::Receiver<Job>) {
        let (mut asks, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Ask(more, reply) => {
                    let size = more.iter().map(frame::size).sum::<usize>();
                    if !asks.is_empty() && (asks.len() + more.len() > frame::MAX_ASKS || bytes + size > frame::FULL) {
                        self.say_asks(std::mem::take(&mut asks), std::mem::take(&mut replies));
                        bytes = 0;
                    }
                    bytes += size;
                    replies.push((more.len(), reply));
                    asks.extend(more);
                }
                Job::Report(reply) => self.say(|id| ToVault::Report { id }, Waiting::Report(reply)),
            }
            next = if self.outgoing.len() < MAX_WAITING { jobs.try_recv().ok() } else { None };
        }
        if !asks.is_empty() {
            self.say_asks(asks, replies);
        }
    }

    fn say_asks(&mut self, asks: Vec<Ask>, replies: Vec<(usize, Reply<Vec<Answer>>)>) {
        self.say(|id| ToVault::Ask { id, asks }, Waiting::Answers(replies));
    }

    fn say(&mut self, said: impl FnOnce(u64) -> ToVault, waiting: Waiting) {
        self.next += 1;
        let id = self.next;
        // Too long otherwise: `waiting` is dropped, which tells who waits.
        if encode(&said(id), &mut self.outgoing).is_ok() {
            if self.pending.is_empty() {
                self.oldest_since = Instant::now();
            }
            self.pending.push_back(Pending { id, waiting });
        }
    }

    fn take(&mut self, said: FromVault) -> Result<(), &'static str> {
        const BAD: &str = "it answered something else";
        let pending = self.pending.pop_front().ok_or(BAD)?;
        self.oldest_since = Instant::now();
        // Whoever asked may have gone.
        match (said, pending.waiting) {
            (FromVault::Answers { id, answers }, Waiting::Answers(replies))
                if id == pending.id && answers.len() == replies.iter().map(|(count, _)| count).sum::<usize>() =>
            {
                let mut answers = answers.into_iter();
                for (count, reply) in replies {
                    let _ = reply.send(Ok(answers.by_ref().take(count).collect()));
                }
                Ok(())
            }
            (FromVault::Report { id, report }, Waiting::Report(reply)) if id == pending.id => {
                let _ = reply.send(Ok(report));
                Ok(())
            }
            _ => Err(BAD),
        }
    }

    /// Reads and writes once something can be, and gives a frame when there is one. May be dropped at any time.
    async fn move_bytes(&mut self) -> Result<Option<FromVault>, &'static str> {
        const BAD: &str = "it sent a malformed frame";
        if let Some(said) = self.decoder.take().map_err(|_| BAD)? {
            return Ok(Some(said));
        }
        let interest =
            if self.outgoing.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        let ready = self.stream.ready(interest).await.map_err(|_| "the socket failed")?;
        if ready.is_writable() {
            self.write();
        }
        if ready.is_readable() {
            let mut bytes = Zeroizing::new([0; 16 * 1024]);
            match self.stream.try_read(&mut *bytes) {
                Ok(0) => return Err("it closed the connection"),
                Ok(length) => self.decoder.feed(&bytes[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return Err("the socket failed"),
            }
        }
        self.decoder.take().map_err(|_| BAD)
    }

    /// Writes what can be written now.
    fn write(&mut self) {
        while self.written < self.outgoing.len() {
            match self.stream.try_write(&self.outgoing[self.written..]) {
                Ok(written) => self.written += written,
                // Either full, or broken, which reading finds out.
                Err(_) => return,
            }
        }
        self.outgoing.zeroize();
        self.written = 0;
    }
}
