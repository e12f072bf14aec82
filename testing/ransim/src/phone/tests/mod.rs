//! The phone against a scripted network that is built here, with the codecs and the vectors of the AKA crate.

mod attacks;
mod network;
mod procedures;
mod sessions;

use super::*;
use network::Network;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::time::Duration;

/// A phone, its network, a clock.
pub(super) struct Bench {
    pub(super) phone: Phone,
    pub(super) network: Network,
    pub(super) now: Millis,
    pub(super) rng: ChaCha20Rng,
    pub(super) out: Vec<Effect>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut PhoneConfig)) -> Self {
        Self::of(network::milenage(), change)
    }

    pub(super) fn of(algorithm: pakawaaz_aka::Algorithm, change: impl FnOnce(&mut PhoneConfig)) -> Self {
        let network = Network::new(algorithm.clone());
        let plmn = oxirush_security::Plmn::new("410", "01").expect("digits");
        let key = Arc::new(network.home_key.public_key());
        let mut config = PhoneConfig::new(plmn, Concealment::Ecies { id: 1, key });
        change(&mut config);
        let card = SoftwareUsim::new(pakawaaz_aka::SoftwareSim {
            imsi: pakawaaz_aka::Imsi::new(network::IMSI).expect("digits"),
            iccid: pakawaaz_aka::Iccid::with_check_digit("899241000000000001").expect("digits"),
            algorithm,
        });
        let phone = Phone::new(Arc::new(config), card, "3569380356438091").expect("a phone");
        Self { phone, network, now: Millis(1_000_000), rng: ChaCha20Rng::seed_from_u64(7), out: Vec::new() }
    }

    /// One call of the phone.
    pub(super) fn call<R>(&mut self, call: impl FnOnce(&mut Phone, &mut Io<'_>) -> R) -> R {
        let mut io = Io { now: self.now, rng: &mut self.rng, out: &mut self.out };
        call(&mut self.phone, &mut io)
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.call(|phone, io| phone.receive(io, bytes));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.call(|phone, io| phone.tick(io));
    }

    /// What the phone sent since the last time.
    pub(super) fn sent(&mut self) -> Vec<Vec<u8>> {
        let sent = self.out.iter().filter_map(|effect| match effect {
            Effect::Connect { nas, .. } | Effect::Send(nas) => Some(nas.clone()),
            _ => None,
        });
        let sent = sent.collect();
        self.out.retain(|effect| matches!(effect, Effect::Event(_) | Effect::Disconnect));
        sent
    }

    pub(super) fn sent_one(&mut self) -> Vec<u8> {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{:?}", self.out);
        sent.remove(0)
    }

    /// What the phone said since the last time.
    pub(super) fn events(&mut self) -> Vec<Event> {
        let events = self.out.iter().filter_map(|effect| match effect {
            Effect::Event(event) => Some(event.clone()),
            _ => None,
        });
        let events = events.collect();
        self.out.retain(|effect| !matches!(effect, Effect::Event(_)));
        events
    }

    /// A whole initial registration with 5G AKA.
    pub(super) fn register(&mut self) {
        self.call(|phone, io| phone.power_on(io));
        self.answer_registration();
    }

    pub(super) fn answer_registration(&mut self) {
        let request = self.sent_one();
        self.network.hears_registration(&request);
        let challenge = self.network.challenge();
        self.receive(&challenge);
        let response = self.sent_one();
        self.network.hears_response(&response);
        let command = self.network.security_mode();
        self.receive(&command);
        let complete = self.sent_one();
        self.network.hears_security_mode_complete(&complete);
        let accept = self.network.accept();
        self.receive(&accept);
        assert_eq!(self.phone.state(), State::Registered);
        for message in self.sent() {
            self.network.hears(&message);
        }
    }

    pub(super) fn go_idle(&mut self) {
        self.call(|phone, io| phone.lost(io));
        assert!(!self.phone.is_connected());
    }
}
