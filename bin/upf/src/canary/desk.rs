//! What the canary asks of the loop that owns the user plane, and what became of its rounds.

use crate::canary::SESSION;
use crate::forwarding::Wires;
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{Isolation, RefusedBecause, SessionRules, Usage, UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Sink, UserPlane};
use rand::rngs::OsRng;
use std::net::SocketAddr;
use tokio::sync::oneshot;

/// A question of the canary.
#[derive(Debug)]
pub enum Ask {
    /// A session for a round; gives the user plane's end of its tunnel.
    Begin(Box<SessionRules>, oneshot::Sender<Result<u32, RefusedBecause>>),
    /// What it has carried; none when it is not there any more.
    Usage(oneshot::Sender<Option<Usage>>),
    /// Packets past the user plane, to the kernel's rules.
    Inject(Vec<Vec<u8>>, oneshot::Sender<()>),
    /// The round is over. None: it has proven nothing, and that is not worth a word yet.
    End(Option<Isolation>),
}

/// Counts, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Rounds that found something out.
    pub total: u64,
    /// The last one found the isolation broken.
    pub broken: bool,
}

/// The loop's side.
#[derive(Debug, Default)]
pub struct Desk {
    last: Option<Isolation>,
    rounds: Rounds,
}

/// Nothing of the canary's session is for the core, and its router advertisement is for nobody.
#[derive(Default)]
struct Quiet(Option<UserPlaneReply>);

impl Sink for Quiet {
    fn network(&mut self, _: &[u8]) {}
    fn gnb(&mut self, _: SocketAddr, _: u8, _: &[u8], _: &[u8]) {}
    fn control(&mut self, reply: UserPlaneReply) {
        self.0 = Some(reply);
    }
}

impl Desk {
    /// Does what the canary asks.
    pub fn serve(&mut self, ask: Ask, plane: &mut UserPlane, wires: &mut Wires, now: Millis) {
        let mut request = |request| {
            let mut quiet = Quiet::default();
            plane.request(request, now, &mut OsRng, &mut quiet);
            quiet.0
        };
        // Whoever asked has gone only when everything ends.
        match ask {
            Ask::Begin(rules, reply) => {
                let begun = match request(UserPlaneRequest::Establish(rules)) {
                    Some(UserPlaneReply::Established { uplink, .. }) => Ok(uplink.teid),
                    Some(UserPlaneReply::Refused { because, .. }) => Err(because),
                    _ => Err(RefusedBecause::Unavailable),
                };
                let _ = reply.send(begun);
            }
            Ask::Usage(reply) => {
                let _ = reply.send(plane.usage(SESSION));
            }
            Ask::Inject(packets, reply) => {
                packets.iter().for_each(|packet| wires.inject(packet));
                let _ = reply.send(());
            }
            Ask::End(found) => {
                request(UserPlaneRequest::Release { session: SESSION });
                if let Some(found) = found {
                    self.found(found, wires);
                }
            }
        }
    }

    fn found(&mut self, found: Isolation, wires: &mut Wires) {
        let was = std::mem::replace(&mut self.rounds.broken, found.broken.is_some());
        self.rounds.total += 1;
        match &found.broken {
            Some(what) => tracing::error!(what, "the network is not isolated, or does not work"),
            None if was => tracing::info!("the network is isolated again"),
            None => {}
        }
        wires.replies().push(UserPlaneReply::Isolation(found.clone()));
        self.last = Some(found);
    }

    /// Says it again, to a control plane that has just connected.
    pub fn remind(&self, wires: &mut Wires) {
        wires.replies().extend(self.last.clone().map(UserPlaneReply::Isolation));
    }

    /// Counts.
    pub fn rounds(&self) -> Rounds {
        self.rounds
    }
}
