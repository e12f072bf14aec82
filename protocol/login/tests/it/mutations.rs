//! Each field of each message, changed on its way: the login must not complete, and nobody may panic.

use crate::world::*;
use pakawaaz_base::{DeviceId, LoginId};
use pakawaaz_login::client::Answer;
use pakawaaz_login::*;
use pakawaaz_trust::{ChannelMode, DeviceSigner as _, SigningKey};
use proptest::prelude::*;
use rand::rngs::OsRng;

/// What a man in the middle changes; every hook leaves the message alone unless the test replaces it.
struct Mitm<'a> {
    start: &'a dyn Fn(&mut StartRequest),
    started: &'a dyn Fn(&mut StartResponse),
    password: &'a dyn Fn(&mut PasswordRequest),
    challenge: &'a dyn Fn(&mut Challenge),
    proof: &'a dyn Fn(&mut SimProof),
    done: &'a dyn Fn(&mut [u8; 32]),
}

impl Default for Mitm<'_> {
    fn default() -> Self {
        Self { start: &|_| {}, started: &|_| {}, password: &|_| {}, challenge: &|_| {}, proof: &|_| {}, done: &|_| {} }
    }
}

/// Runs a login through `mitm`; `true` when *both* sides believe it completed.
fn completes(world: &mut World, mitm: &Mitm<'_>) -> bool {
    run(world, mitm).is_some()
}

fn run(world: &mut World, mitm: &Mitm<'_>) -> Option<()> {
    let (client, mut request) = world.begin(PASSWORD);
    (mitm.start)(&mut request);
    let mut response = world.start(&request).ok()?;
    (mitm.started)(&mut response);
    let (client, mut request) = client.password(&response, &world.device_key, &mut OsRng).ok()?;
    (mitm.password)(&mut request);
    let outcome = world.server().password(response.login, &response.state, &request, NOW).ok()?;
    let PasswordOutcome::Verified(verified) = outcome else { return None };
    let mut challenge = world.challenge(*verified);
    (mitm.challenge)(&mut challenge);
    let challenged = client.challenge(&challenge).ok()?;
    let said = pakawaaz_aka::Usim::authenticate(&mut world.usim, challenged.rand(), challenged.autn()).ok()?;
    let Answer::Proof(sent, mut proof) = challenged.answer(said, BINDING).ok()? else { return None };
    (mitm.proof)(&mut proof);
    let state = world.server().sim(response.login, &challenge.state, NOW).ok()?;
    let mut confirmation = state.verify(&proof, BINDING).ok()?.confirmation;
    (mitm.done)(&mut confirmation);
    sent.finish(&confirmation).ok().map(|_| ())
}

#[test]
fn every_field_counts() {
    let mut world = World::new();
    assert!(completes(&mut world, &Mitm::default()), "the test itself can tell");
    let other_key = SigningKey::generate(&mut OsRng).public_key();
    let (_, other) = world.begin(PASSWORD);
    let other_response = world.start(&other).expect("round 1");

    let starts: Vec<(&str, Box<dyn Fn(&mut StartRequest)>)> = vec![
        ("version", Box::new(|m| m.version += 1)),
        ("username", Box::new(|m| m.username.push('x'))),
        ("device", Box::new(|m| m.device = DeviceId::from_bytes([1; 16]))),
        ("ke1", Box::new(|m| m.ke1 = other.ke1.clone())),
        ("token key", Box::new(move |m| m.token_key = other_key)),
        ("nonce", Box::new(|m| m.nonce[0] ^= 1)),
        ("channel", Box::new(|m| m.channel = ChannelMode::Loopback)),
        ("signature", Box::new(|m| m.signature = other.signature)),
    ];
    for (name, change) in &starts {
        assert!(!completes(&mut world, &Mitm { start: &**change, ..Mitm::default() }), "start: {name}");
    }
    let responses: Vec<(&str, Box<dyn Fn(&mut StartResponse)>)> = vec![
        ("login", Box::new(|m| m.login = LoginId::from_bytes([1; 16]))),
        ("state", Box::new(|m| m.state = other_response.state.clone())),
        ("ke2", Box::new(|m| m.ke2 = other_response.ke2.clone())),
        ("nonce", Box::new(|m| m.nonce[31] ^= 1)),
    ];
    for (name, change) in &responses {
        assert!(!completes(&mut world, &Mitm { started: &**change, ..Mitm::default() }), "response: {name}");
    }
    let passwords: Vec<(&str, Box<dyn Fn(&mut PasswordRequest)>)> = vec![
        ("ke3", Box::new(|m| m.ke3[5] ^= 1)),
        ("signature", Box::new(|m| m.signature[5] ^= 1)),
        ("another signature", Box::new(|m| m.signature = other.signature)),
    ];
    for (name, change) in &passwords {
        assert!(!completes(&mut world, &Mitm { password: &**change, ..Mitm::default() }), "password: {name}");
    }
    let old = world.reach_challenge().1;
    let challenges: Vec<(&str, Box<dyn Fn(&mut Challenge)>)> = vec![
        ("rand", Box::new(|m| m.rand[0] ^= 1)),
        ("autn", Box::new(|m| m.autn[15] ^= 1)),
        ("network name", Box::new(|m| m.network_name.push('x'))),
        ("state", Box::new(|m| m.state[60] ^= 1)),
        ("another state", Box::new(|m| m.state = old.state.clone())),
        ("another challenge", Box::new(|m| (m.rand, m.autn) = (old.rand, old.autn))),
    ];
    for (name, change) in &challenges {
        assert!(!completes(&mut world, &Mitm { challenge: &**change, ..Mitm::default() }), "challenge: {name}");
    }
    let proofs: Vec<(&str, Box<dyn Fn(&mut SimProof)>)> = vec![
        ("proof", Box::new(|m| m.proof[0] ^= 1)),
        ("confirmation", Box::new(|m| m.confirmation[0] ^= 1)),
        ("both swapped", Box::new(|m| std::mem::swap(&mut m.proof, &mut m.confirmation))),
    ];
    for (name, change) in &proofs {
        assert!(!completes(&mut world, &Mitm { proof: &**change, ..Mitm::default() }), "proof: {name}");
    }
    assert!(!completes(&mut world, &Mitm { done: &|c| c[0] ^= 1, ..Mitm::default() }), "server confirmation");
    assert!(completes(&mut world, &Mitm::default()), "and afterwards the honest login still works");
}

fn flip(bytes: &mut [u8], at: usize, bit: u8) {
    let at = at % bytes.len();
    bytes[at] ^= 1 << bit;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_flipped_bit_anywhere_ends_the_login(which in 0usize..9, at in 0usize..4096, bit in 0u8..8) {
        let mut world = World::new();
        let start = |m: &mut StartRequest| match which {
            0 => flip(&mut m.ke1, at, bit),
            1 => flip(&mut m.token_key, at, bit),
            2 => flip(&mut m.signature, at, bit),
            _ => {}
        };
        let started = |m: &mut StartResponse| match which {
            3 => flip(&mut m.ke2, at, bit),
            4 => flip(&mut m.state, at, bit),
            _ => {}
        };
        let password = |m: &mut PasswordRequest| match which {
            5 => flip(&mut m.ke3, at, bit),
            6 => flip(&mut m.signature, at, bit),
            _ => {}
        };
        let challenge = |m: &mut Challenge| match which {
            7 => flip(&mut m.autn, at, bit),
            8 => flip(&mut m.state, at, bit),
            _ => {}
        };
        let mitm = Mitm { start: &start, started: &started, password: &password, challenge: &challenge, ..Mitm::default() };
        prop_assert!(!completes(&mut world, &mitm));
    }
}
