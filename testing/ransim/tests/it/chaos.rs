//! Everything at once: phones that do what they like, NAS messages that get lost on the radio, gNBs that go away, an
//! operator who interferes. Whatever happened, in the end core, user plane and phones agree.

use crate::bench::*;
use pakawaaz_control_plane::io::{Command, Input};
use pakawaaz_ransim::gnb::{Link, PhoneId};
use pakawaaz_ransim::phone::{SessionWish, State};
use pakawaaz_ransim::world::{Arrival, GnbId};
use proptest::prelude::*;
use rand_core::RngCore;
use std::collections::BTreeSet;
use std::time::Duration;

const PHONES: u32 = 12;
const GNBS: u32 = 3;

/// Procedure codes of the two messages that carry NAS over the radio and nothing else (TS 38.413 §9.4.7).
const DOWNLINK_NAS: u8 = 4;
const UPLINK_NAS: u8 = 46;

struct Chaos {
    bench: Bench,
    dice: rand_chacha::ChaCha20Rng,
    /// Percent of NAS messages that get lost.
    loss: u32,
    down: BTreeSet<u32>,
}

impl Chaos {
    fn roll(&mut self, sides: u32) -> u32 {
        self.dice.next_u32() % sides
    }

    fn lost(&mut self, bytes: &[u8]) -> bool {
        matches!(bytes.get(1), Some(&(DOWNLINK_NAS | UPLINK_NAS))) && self.roll(100) < self.loss
    }

    /// Carries messages, losing some.
    fn settle(&mut self) {
        loop {
            let mut arrived = std::mem::take(&mut self.bench.world.wire.from_core);
            arrived.retain(|arrival| match arrival {
                Arrival::Message { bytes, .. } => !self.lost(bytes),
                _ => true,
            });
            self.bench.world.wire.from_core = arrived;
            let stepped = self.bench.world.step(self.bench.now);
            drop(self.bench.world.take_events());
            let sent: Vec<_> = self.bench.world.wire.to_core.drain(..).collect();
            if sent.is_empty() && !stepped {
                return;
            }
            for (gnb, stream, bytes) in sent {
                if !self.lost(&bytes) && !self.down.contains(&gnb.0) {
                    self.bench.input(Input::Message { association: association(gnb), stream, bytes: &bytes });
                }
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.bench.now.plus(time);
        while self.bench.now < end {
            let due = [self.bench.world.deadline(), self.bench.core.next_deadline()].into_iter().flatten().min();
            let next = self.bench.now.plus(Duration::from_millis(1));
            self.bench.now = due.map_or(end, |due| due.clamp(next, end));
            self.bench.input(Input::Tick);
            self.settle();
        }
    }

    fn act(&mut self) {
        let id = PhoneId(self.roll(PHONES));
        let now = self.bench.now;
        match self.roll(16) {
            0..=3 => self.bench.world.power_on(id, now),
            4 => self.bench.world.power_off(id, now),
            5 => self.bench.world.deregister(id, now),
            6 => self.bench.world.register(id, now),
            7 | 8 => self.bench.world.go_idle(id, now),
            9 | 10 => self.bench.world.data_waiting(id, 1, now),
            11 => {
                let to = GnbId(self.roll(GNBS));
                self.bench.world.move_phone(id, to, now);
            }
            12 => {
                let _ = self.bench.world.open_session(id, SessionWish::default(), now);
            }
            13 => {
                self.bench.world.with_phone(id, now, |phone, io| phone.close_session(io, 1));
            }
            14 => {
                let gnb = GnbId(self.roll(GNBS));
                if self.down.remove(&gnb.0) {
                    self.bench.connect(gnb);
                } else if self.roll(6) == 0 {
                    self.down.insert(gnb.0);
                    self.bench.input(Input::Down { association: association(gnb) });
                    self.bench.world.wire.from_core.retain(
                        |a| !matches!(a, Arrival::Message { gnb: g, .. } | Arrival::Up { gnb: g, .. } if *g == gnb),
                    );
                    self.bench.world.wire.from_core.push_back(Arrival::Down { gnb });
                }
            }
            _ => {
                let imsi = self.bench.imsi(id.0);
                let come_back = self.roll(2) == 0;
                self.bench.input(Input::Command(Command::Detach { imsi, come_back }));
            }
        }
        self.settle();
        let millis = [0, 10, 500, 3_000, 20_000][self.roll(5) as usize];
        self.pass(Duration::from_millis(millis));
    }

    /// All is well again, and time passes until every timer of both sides has run out.
    fn heal(&mut self) {
        self.loss = 0;
        for gnb in std::mem::take(&mut self.down) {
            self.bench.connect(GnbId(gnb));
        }
        self.settle();
        self.pass(Duration::from_secs(4 * 3600));
    }

    fn check(&mut self) {
        assert!(self.bench.world.gnbs().iter().all(|gnb| gnb.link() == Link::Ready));
        let mut registered = 0;
        let mut addresses = BTreeSet::new();
        for i in 0..PHONES {
            let imsi = self.bench.imsi(i);
            let phone = self.bench.world.phone(PhoneId(i)).unwrap();
            let known = self.bench.core.ue(&imsi);
            match phone.state() {
                State::Registered => {
                    registered += 1;
                    let known = known.unwrap_or_else(|| panic!("phone {i} is registered, and the core knows nothing"));
                    let here: BTreeSet<u8> = phone.sessions().filter(|s| s.is_active()).map(|s| s.psi).collect();
                    let there: BTreeSet<u8> = known.sessions.iter().map(|s| s.psi).collect();
                    assert_eq!(here, there, "sessions of phone {i}");
                    for session in phone.sessions().filter(|s| s.is_active()) {
                        let same = known.sessions.iter().find(|s| s.psi == session.psi).map(|s| s.ipv4);
                        assert_eq!(same, Some(session.ipv4), "address of phone {i}");
                        assert!(addresses.insert(session.ipv4), "an address is given once");
                    }
                }
                State::Off | State::Deregistered => {
                    assert!(known.is_none(), "phone {i} is {:?}, and the core still knows it", phone.state());
                }
                state => panic!("phone {i} is stuck in {state:?}"),
            }
        }
        assert_eq!(self.bench.gauge("RM.RegisteredSubNbrMean"), registered);
        assert_eq!(self.bench.gauge("SM.SessionNbrMean"), addresses.len() as u64);
        assert_eq!(self.bench.sessions.len(), addresses.len(), "the user plane has the same sessions");
        assert_eq!(self.bench.gauge("control_plane.connected"), 0, "nobody is connected without need");
        assert_eq!(self.bench.gauge("control_plane.phones"), registered);
        assert_eq!(self.bench.gauge("control_plane.vault_requests"), 0);
        let connected: usize = self.bench.world.gnbs().iter().map(|gnb| gnb.connected()).sum();
        assert_eq!(connected, 0, "nor at a gNB");
    }

    /// Every phone that is on gets through.
    fn works(&mut self) {
        for i in 0..PHONES {
            let id = PhoneId(i);
            if self.bench.world.phone(id).unwrap().state() != State::Registered {
                self.bench.world.power_on(id, self.bench.now);
                self.bench.world.register(id, self.bench.now);
                self.settle();
                let phone = self.bench.world.phone(id).unwrap();
                assert_eq!(phone.state(), State::Registered, "phone {i}: {}", self.bench.world.measure());
            }
            let psi = self.bench.world.phone(id).unwrap().sessions().find(|s| s.is_active()).map(|s| s.psi);
            if let Some(psi) = psi {
                self.bench.world.data_waiting(id, psi, self.bench.now);
                self.settle();
                let phone = self.bench.world.phone(id).unwrap();
                assert!(phone.session(psi).is_some_and(|s| s.bearer), "phone {i}: {phone:?}");
            }
        }
    }
}

fn run(seed: u64, steps: u32, loss: u32) {
    use rand_core::SeedableRng;
    let bench = Bench::with(Setup { gnbs: GNBS, phones: PHONES, change: Box::new(one_session), ..Setup::default() });
    let dice = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
    let mut chaos = Chaos { bench, dice, loss, down: BTreeSet::new() };
    for _ in 0..steps {
        chaos.act();
    }
    let measure = chaos.bench.world.measure();
    assert!(measure.count("registered") > 8, "nothing happened: {measure}");
    chaos.heal();
    chaos.check();
    chaos.works();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn without_losses_all_agree(seed in any::<u64>()) {
        run(seed, 200, 0);
    }

    #[test]
    fn with_losses_all_agree_in_the_end(seed in any::<u64>(), loss in 1..30u32) {
        run(seed, 200, loss);
    }
}
