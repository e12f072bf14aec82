//! The RADIUS server for Wi-Fi and VPN: EAP-AKA' with the officials' SIMs. Off unless `radius.listen` is set.
//!
//! What is decided about packets is in `protocol/radius`, what is drawn from cards in `contexts/identity`. Here are the
//! socket and the bounds: each access point or gateway (NAS) has its own secret, throttle, conversations and answers, so
//! that none can take another's room.

use crate::config::listen_address;
use crate::files::read_secret;
use crate::jobs::Jobs;
use anyhow::{Context, Result, ensure};
use pakawaaz_aka::NetworkName;
use pakawaaz_base::StableError;
use pakawaaz_identity::Identity;
use pakawaaz_radius::packet::{self, kind};
use pakawaaz_radius::{Answer, Challenge, Code, Conversation, MAX_PACKET, Request, Secret, Step, mppe};
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A peer that does not answer for this long begins anew.
const PATIENCE: Duration = Duration::from_secs(30);
/// A NAS that repeats a request within this time gets the answer again (RFC 5080 §2.2.2).
const REPEATS: Duration = Duration::from_secs(10);
/// Conversations, and answers to repeat, of one NAS: at least so many, or those of so many seconds.
const MOST_OF_ONE_NAS: usize = 1024;
const SECONDS_OF_ONE_NAS: usize = 4;
/// Requests that wait for the vault or the database, of all.
const AT_ONCE: usize = 256;

/// `[radius]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadiusConfig {
    /// UDP address; empty = off.
    pub listen: String,
    /// Access points and gateways with their secrets.
    pub clients_file: PathBuf,
    /// Name of the access network (RFC 9048 §3.1, TS 24.302 §8.1.1).
    pub network_name: String,
    /// Minutes after which the card is asked again.
    pub session_minutes: u32,
    /// Requests of one access point or gateway.
    pub requests_per_second: u32,
}

impl Default for RadiusConfig {
    fn default() -> Self {
        Self {
            listen: String::new(),
            clients_file: PathBuf::new(),
            network_name: "WLAN".into(),
            session_minutes: 60,
            requests_per_second: 100,
        }
    }
}

impl RadiusConfig {
    /// Finds everything that may not be served with these values.
    pub fn check(&self, problems: &mut Vec<String>) {
        match listen_address(&self.listen) {
            Err(()) => problems.push(format!("radius.listen = {:?} is no address like \"10.0.0.1:1812\"", self.listen)),
            Ok(Some(_)) if self.clients_file.as_os_str().is_empty() => {
                problems.push("radius.clients_file is needed with radius.listen".into());
            }
            Ok(_) => {}
        }
        if NetworkName::new(self.network_name.as_str()).is_err() {
            problems.push("radius.network_name must be a name without spaces, for example \"WLAN\"".into());
        }
        if !(1..=24 * 60).contains(&self.session_minutes) || !(1..=10_000).contains(&self.requests_per_second) {
            problems.push("radius.session_minutes is 1 to 1440, radius.requests_per_second 1 to 10000".into());
        }
    }

    fn listen(&self) -> Option<SocketAddr> {
        listen_address(&self.listen).ok().flatten()
    }
}

type State = [u8; 16];
/// Port of the NAS, identifier and authenticator: what makes a request the same one.
type Key = (u16, u8, [u8; 16]);

/// One access point or gateway.
struct Nas {
    secret: Secret,
    table: Mutex<Table>,
}

/// What is remembered of one NAS.
struct Table {
    conversations: HashMap<State, (Instant, Conversation)>,
    /// No answer yet: it is being worked on, or there will be none.
    answers: HashMap<Key, (Instant, Option<Arc<[u8]>>)>,
    most: usize,
    allowed: f64,
    allowed_at: Instant,
}

impl Table {
    /// Of a NAS that may ask so often.
    fn new(per_second: u32, now: Instant) -> Self {
        let seconds = usize::try_from(per_second).unwrap_or(usize::MAX).saturating_mul(SECONDS_OF_ONE_NAS);
        let most = seconds.max(MOST_OF_ONE_NAS);
        Self { conversations: HashMap::new(), answers: HashMap::new(), most, allowed: f64::INFINITY, allowed_at: now }
    }

    /// Whether one more request fits into so many a second, with twice as many at once.
    fn allows(&mut self, per_second: f64, now: Instant) -> bool {
        let regained = now.saturating_duration_since(self.allowed_at).as_secs_f64() * per_second;
        self.allowed_at = now;
        self.allowed = (self.allowed + regained).min(2.0 * per_second);
        let allowed = self.allowed >= 1.0;
        if allowed {
            self.allowed -= 1.0;
        }
        allowed
    }

    /// A request that is being worked on, until [`Table::answered`].
    fn asked(&mut self, key: Key, now: Instant) {
        make_room(&mut self.answers, self.most, REPEATS, now);
        self.answers.insert(key, (now, None));
    }

    fn answered(&mut self, key: Key, answer: Arc<[u8]>) {
        if let Some((_, kept)) = self.answers.get_mut(&key) {
            *kept = Some(answer);
        }
    }

    /// A conversation that the next request with this State goes on with.
    fn hold(&mut self, state: State, conversation: Conversation, now: Instant) {
        make_room(&mut self.conversations, self.most, PATIENCE, now);
        self.conversations.insert(state, (now, conversation));
    }

    fn take(&mut self, state: &[u8], now: Instant) -> Option<Conversation> {
        let (since, conversation) = self.conversations.remove(&State::try_from(state).ok()?)?;
        (now.saturating_duration_since(since) < PATIENCE).then_some(conversation)
    }
}

/// Forgets what is too old and, when that is not enough, what is oldest: whoever begins again and again before an access
/// point and never goes on takes the room of nobody who does. An eighth at once, so that it is not looked for each time.
fn make_room<K: Eq + Hash, V>(kept: &mut HashMap<K, (Instant, V)>, most: usize, lasts: Duration, now: Instant) {
    if kept.len() < most {
        return;
    }
    kept.retain(|_, (since, _)| now.saturating_duration_since(*since) < lasts);
    if kept.len() >= most {
        let mut begun: Vec<Instant> = kept.values().map(|(since, _)| *since).collect();
        let (_, oldest, _) = begun.select_nth_unstable(most / 8);
        let oldest = *oldest;
        kept.retain(|_, (since, _)| *since > oldest);
    }
}

impl Nas {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Radius {
    identity: Identity,
    network: NetworkName,
    access_lasts: Duration,
    per_second: f64,
    clients: HashMap<IpAddr, Nas>,
    socket: UdpSocket,
    work: Arc<Semaphore>,
}

/// Starts the server, if it is wanted. Says where it listens.
pub async fn start(config: &RadiusConfig, identity: Identity, jobs: &Jobs) -> Result<Option<SocketAddr>> {
    let Some(listen) = config.listen() else { return Ok(None) };
    let now = Instant::now();
    let clients = read_clients(&config.clients_file)?;
    let clients = clients
        .into_iter()
        .map(|(address, secret)| {
            (address, Nas { secret, table: Mutex::new(Table::new(config.requests_per_second, now)) })
        })
        .collect();
    let socket = UdpSocket::bind(listen).await.with_context(|| format!("listening on {listen} for RADIUS"))?;
    let address = socket.local_addr()?;
    let radius = Arc::new(Radius {
        identity,
        network: NetworkName::new(config.network_name.as_str())?,
        access_lasts: Duration::from_secs(u64::from(config.session_minutes) * 60),
        per_second: f64::from(config.requests_per_second),
        clients,
        socket,
        work: Arc::new(Semaphore::new(AT_ONCE)),
    });
    jobs.start("radius", |stop| radius.run(stop));
    Ok(Some(address))
}

/// One NAS a line: its address, a space, its secret. Lines that begin with # are remarks.
fn read_clients(file: &Path) -> Result<HashMap<IpAddr, Secret>> {
    let bytes = read_secret(file)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8", file.display()))?;
    let mut clients = HashMap::new();
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{} line {number}", file.display());
        let (address, secret) = line.split_once(char::is_whitespace).with_context(place)?;
        let address: IpAddr = address.parse().with_context(place)?;
        let secret = Secret::new(secret.trim().as_bytes().to_vec()).with_context(place)?;
        ensure!(
            clients.insert(address.to_canonical(), secret).is_none(),
            "{}: the address stands there twice",
            place()
        );
    }
    ensure!(!clients.is_empty(), "{} names no access point or gateway", file.display());
    Ok(clients)
}

fn count(result: &'static str) {
    metrics::counter!("pakawaaz_radius_requests_total", "result" => result).increment(1);
}

impl Radius {
    async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut buffer = vec![0; MAX_PACKET + 1];
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            // An error tells of an answer that did not arrive; the socket goes on.
            let Ok((length, from)) = received else { continue };
            if let Err(dropped) = self.clone().take(&buffer[..length], from) {
                count(dropped);
            }
        }
    }

    /// Decides what needs no waiting, and leaves the rest to a task. Says why nothing comes of a datagram.
    fn take(self: Arc<Self>, datagram: &[u8], from: SocketAddr) -> Result<(), &'static str> {
        let now = Instant::now();
        let nas = self.clients.get(&from.ip().to_canonical()).ok_or("unknown_nas")?;
        // Authentic before anything is remembered of it, or counted against the NAS: anybody can send with its address.
        let request = Request::read(datagram, &nas.secret).map_err(|error| {
            tracing::debug!(code = error.code(), "a RADIUS request was dropped");
            "not_authentic"
        })?;
        let (id, authenticator) = packet::fingerprint(datagram).ok_or("not_authentic")?;
        let key = (from.port(), id, authenticator);
        let mut table = nas.table();
        if !table.allows(self.per_second, now) {
            return Err("throttled");
        }
        if let Some((since, answer)) = table.answers.get(&key)
            && now.saturating_duration_since(*since) < REPEATS
        {
            let answer = answer.clone().ok_or("repeated_too_early")?;
            // Full buffers lose a datagram, as the network might.
            let _ = self.socket.try_send_to(&answer, from);
            return Err("repeated");
        }
        let permit = self.work.clone().try_acquire_owned().map_err(|_| "busy")?;
        table.asked(key, now);
        let conversation = match request.state.as_deref() {
            None => Some(Conversation::new(self.network.as_str())),
            Some(state) => table.take(state, now),
        };
        drop(table);
        let radius = self.clone();
        tokio::spawn(async move {
            radius.answer(request, conversation, key, from).await;
            drop(permit);
        });
        Ok(())
    }

    async fn answer(&self, request: Request, conversation: Option<Conversation>, key: Key, from: SocketAddr) {
        let Some(nas) = self.clients.get(&from.ip().to_canonical()) else { return };
        let reject = |eap: &[u8]| Answer::new(Code::Reject).with_eap(eap);
        let answer = match conversation {
            None => {
                count("unknown_state");
                let id = request.eap.get(1).copied().unwrap_or_default();
                reject(&pakawaaz_radius::eap::failure(id))
            }
            Some(mut conversation) => match self.step(&mut conversation, &request.eap).await {
                Step::Ask(eap) => {
                    count("challenge");
                    let mut state = State::default();
                    OsRng.fill_bytes(&mut state);
                    nas.table().hold(state, conversation, Instant::now());
                    Answer::new(Code::Challenge).with(kind::STATE, &state).with_eap(&eap)
                }
                Step::Accept { eap, msk, .. } => {
                    count("accept");
                    let seconds = u32::try_from(self.access_lasts.as_secs()).unwrap_or(u32::MAX);
                    let answer = Answer::new(Code::Accept)
                        .with_eap(&eap)
                        // Then the card is asked again: whoever was cut off meanwhile is out.
                        .with(kind::SESSION_TIMEOUT, &seconds.to_be_bytes())
                        .with(kind::TERMINATION_ACTION, &1u32.to_be_bytes());
                    mppe::with_msk(answer, &msk, &request, &nas.secret, &mut OsRng)
                }
                Step::Reject { eap, why } => {
                    count("reject");
                    tracing::info!(why, "an access by SIM was refused");
                    reject(&eap)
                }
                // No answer; the conversation goes on with the right one.
                step @ (Step::Ignore | Step::Draw { .. }) => {
                    count("ignored");
                    tracing::debug!(?step, "an EAP packet that answers nothing");
                    if let Some(state) = request.state.as_deref().and_then(|s| State::try_from(s).ok()) {
                        nas.table().hold(state, conversation, Instant::now());
                    }
                    return;
                }
            },
        };
        match answer.finish(&request, &nas.secret) {
            Ok(packet) => {
                let packet: Arc<[u8]> = packet.into();
                nas.table().answered(key, packet.clone());
                let _ = self.socket.send_to(&packet, from).await;
            }
            Err(error) => tracing::warn!(code = error.code(), "a RADIUS answer could not be made"),
        }
    }

    /// One step of the conversation, with the vector that it may ask for.
    async fn step(&self, conversation: &mut Conversation, eap: &[u8]) -> Step {
        let (imsi, identity, again) = match conversation.step(eap) {
            Step::Draw { imsi, identity, resynchronise } => {
                (imsi, identity, resynchronise.map(|again| (again.rand, again.auts)))
            }
            step => return step,
        };
        match self.identity.wlan_vector(&imsi, &identity, &self.network, again).await {
            Ok(vector) => conversation.challenge(Challenge {
                rand: vector.rand,
                autn: vector.autn,
                xres: vector.xres,
                k_aut: vector.k_aut,
                msk: vector.msk,
            }),
            Err(error) => conversation.refuse(error.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nas_may_ask_so_often_and_no_more() {
        let now = Instant::now();
        let mut table = Table::new(10, now);
        assert_eq!((0..100).filter(|_| table.allows(10.0, now)).count(), 20);
        assert_eq!((0..100).filter(|_| table.allows(10.0, now + Duration::from_millis(500))).count(), 5);
    }

    #[test]
    fn what_one_nas_takes_is_bounded_and_the_oldest_goes() {
        let begun = Instant::now();
        let at = |n: u32| begun + Duration::from_micros(u64::from(n));
        let state = |n: u32| [[0; 12].as_slice(), &n.to_be_bytes()].concat();
        let mut table = Table::new(1, begun);
        for n in 0..5_000u32 {
            table.hold(State::try_from(state(n).as_slice()).expect("16 bytes"), Conversation::new("WLAN"), at(n));
            table.asked((0, 0, State::try_from(state(n).as_slice()).expect("16 bytes")), at(n));
            assert!(table.conversations.len() <= MOST_OF_ONE_NAS && table.answers.len() <= MOST_OF_ONE_NAS);
        }
        // Strangers have begun as often as they could: whoever goes on is still known, and the first of them is not.
        assert!(table.take(&state(4_999), at(5_000)).is_some() && table.take(&state(4_200), at(5_000)).is_some());
        assert!(table.take(&state(0), at(5_000)).is_none());
        assert!(table.take(&state(4_998), begun + PATIENCE + Duration::from_secs(1)).is_none(), "and not for ever");
        assert_eq!(Table::new(10_000, begun).most, 40_000, "as many as it may ask for");
    }

    #[test]
    fn the_list_of_clients_is_read_strictly() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("clients");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("writes");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("chmod");
            read_clients(&file).map_err(|error| format!("{error:#}"))
        };
        let good = read("# the ministry\n10.1.2.3  0123456789abcdef\n\nfd00::1 another secret of many words\n");
        assert_eq!(good.expect("reads").len(), 2);
        for (bad, why) in [
            ("", "names no"),
            ("10.1.2.3\n", "line 1"),
            ("# one\nsomewhere 0123456789abcdef", "line 2"),
            ("10.1.2.3 short", "too short"),
            ("10.1.2.3 0123456789abcdef\n::ffff:10.1.2.3 0123456789abcdef", "twice"),
        ] {
            let error = read(bad).expect_err(bad);
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("0123456789abcdef"), "a secret in a message");
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(read_clients(&file).is_err(), "others may read it");
    }
}
