//! What every node keeps in memory to refuse a token within a quarter second of its end.

use pakawaaz_base::{DeviceId, Millis, OfficialId, Role, SessionId, SimId};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// An entry of the revocation sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Position; rises in commit order.
    pub seq: i64,
    /// What ended.
    pub what: Ended,
    /// The device whose sockets close, where one is known.
    pub device: Option<DeviceId>,
    /// When.
    pub at: Millis,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// One session.
    Session(SessionId),
    /// One device: every token issued to it so far.
    Device(DeviceId),
    /// An official: every token issued so far.
    Official(OfficialId),
    /// A SIM; sessions that it proved have entries of their own.
    Sim(SimId),
    /// Somebody's roles changed (given or taken).
    Roles(OfficialId),
}

impl Ended {
    /// Text in the database, with the subject's bytes.
    pub fn to_row(self) -> (&'static str, Vec<u8>) {
        match self {
            Self::Session(id) => ("session", id.to_vec()),
            Self::Device(id) => ("device", id.to_vec()),
            Self::Official(id) => ("official", id.to_vec()),
            Self::Sim(id) => ("sim", id.to_vec()),
            Self::Roles(id) => ("roles", id.to_vec()),
        }
    }

    /// The inverse of [`Ended::to_row`].
    pub fn from_row(kind: &str, subject: &[u8]) -> Option<Self> {
        Some(match kind {
            "session" => Self::Session(SessionId::from_slice(subject)?),
            "device" => Self::Device(DeviceId::from_slice(subject)?),
            "official" => Self::Official(OfficialId::from_slice(subject)?),
            "sim" => Self::Sim(SimId::from_slice(subject)?),
            "roles" => Self::Roles(OfficialId::from_slice(subject)?),
            _ => return None,
        })
    }
}

/// The in-memory view: recent ends, current roles, and how fresh both are.
#[derive(Debug, Default)]
pub struct Live {
    seen: i64,
    confirmed_at: Option<Millis>,
    sessions: HashMap<SessionId, Millis>,
    devices: HashMap<DeviceId, Millis>,
    officials: HashMap<OfficialId, Millis>,
    roles: HashMap<OfficialId, Vec<Role>>,
    pending: HashSet<DeviceId>,
}

/// Why a token that is otherwise good is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Ended.
    Ended,
    /// Nobody can tell: the database has not answered for too long.
    Stale,
}

impl Live {
    /// The newest entry taken in.
    pub fn seen(&self) -> i64 {
        self.seen
    }

    /// Takes in an entry. Whether it was new.
    pub fn apply(&mut self, event: &Event) -> bool {
        if event.seq <= self.seen {
            return false;
        }
        self.seen = event.seq;
        match event.what {
            Ended::Session(id) => _ = self.sessions.insert(id, event.at),
            Ended::Device(id) => _ = self.devices.insert(id, event.at),
            Ended::Official(id) => _ = self.officials.insert(id, event.at),
            Ended::Sim(_) | Ended::Roles(_) => {}
        }
        true
    }

    /// The position to go on from when older entries were not loaded.
    pub fn start_at(&mut self, seq: i64) {
        self.seen = self.seen.max(seq);
    }

    /// Replaces all roles, and the devices of their holders that nobody has cross-signed yet.
    pub fn set_roles(&mut self, roles: HashMap<OfficialId, Vec<Role>>, pending: HashSet<DeviceId>) {
        (self.roles, self.pending) = (roles, pending);
    }

    /// The database answered at `now`: the view was complete then.
    pub fn confirm(&mut self, now: Millis) {
        self.confirmed_at = Some(self.confirmed_at.map_or(now, |before| before.max(now)));
    }

    /// Forgets ends of tokens that have expired by themselves since.
    pub fn forget_before(&mut self, before: Millis) {
        self.sessions.retain(|_, at| *at >= before);
        self.devices.retain(|_, at| *at >= before);
        self.officials.retain(|_, at| *at >= before);
    }

    /// Current roles of an official who acts from `device`. A pending device does not speak for its official.
    pub fn roles(&self, official: OfficialId, device: DeviceId) -> Vec<Role> {
        if self.pending.contains(&device) {
            return Vec::new();
        }
        self.roles.get(&official).cloned().unwrap_or_default()
    }

    /// Whether the view is fresh enough to be believed.
    pub fn fresh(&self, now: Millis, longest: Duration) -> bool {
        self.confirmed_at.is_some_and(|at| now.since(at) < longest)
    }

    /// Judges a verified token issued at `issued_at` (whole seconds).
    ///
    /// A device or official that was cut and let back in gets new sessions; tokens issued in the very second of
    /// the cut are refused as well, which costs at most one more login.
    pub fn judge(
        &self,
        official: OfficialId,
        device: DeviceId,
        session: SessionId,
        issued_at: Millis,
        now: Millis,
        longest: Duration,
    ) -> Result<(), Refusal> {
        if !self.fresh(now, longest) {
            return Err(Refusal::Stale);
        }
        let cut = |at: Option<&Millis>| at.is_some_and(|at| issued_at <= *at);
        if self.sessions.contains_key(&session) || cut(self.devices.get(&device)) || cut(self.officials.get(&official))
        {
            return Err(Refusal::Ended);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(2);
    fn ids() -> (OfficialId, DeviceId, SessionId) {
        (OfficialId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), SessionId::from_bytes([3; 16]))
    }
    fn event(seq: i64, what: Ended, at: i64) -> Event {
        Event { seq, what, device: None, at: Millis(at) }
    }

    #[test]
    fn nothing_is_believed_before_the_database_answered_or_two_seconds_after() {
        let (o, d, s) = ids();
        let mut live = Live::default();
        let judge = |live: &Live, now| live.judge(o, d, s, Millis(0), Millis(now), LONGEST);
        assert_eq!(judge(&live, 0), Err(Refusal::Stale));
        live.confirm(Millis(0));
        assert_eq!(judge(&live, 1_999), Ok(()));
        assert_eq!(judge(&live, 2_000), Err(Refusal::Stale));
    }

    #[test]
    fn a_cut_ends_older_tokens_only_and_a_session_stays_ended() {
        let (o, d, s) = ids();
        let mut live = Live::default();
        live.confirm(Millis(5_000));
        assert!(live.apply(&event(1, Ended::Device(d), 5_500)));
        assert!(!live.apply(&event(1, Ended::Device(d), 9_000)), "the same entry twice changes nothing");
        let judge = |live: &Live, issued| live.judge(o, d, s, Millis(issued), Millis(6_000), LONGEST);
        assert_eq!(judge(&live, 5_000), Err(Refusal::Ended));
        assert_eq!(judge(&live, 6_000), Ok(()));
        live.apply(&event(2, Ended::Session(s), 5_600));
        assert_eq!(judge(&live, 6_000), Err(Refusal::Ended));
        live.forget_before(Millis(5_601));
        assert_eq!(judge(&live, 5_000), Ok(()), "by then such a token has expired");
    }

    #[test]
    fn rows_round_trip() {
        let (o, d, s) = ids();
        for what in [Ended::Session(s), Ended::Device(d), Ended::Official(o), Ended::Roles(o)] {
            let (kind, subject) = what.to_row();
            assert_eq!(Ended::from_row(kind, &subject), Some(what));
        }
        assert_eq!(Ended::from_row("session", b"short"), None);
    }
}
