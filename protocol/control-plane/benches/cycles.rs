//! What one core does: whole cycles of a phone (registration with 5G-AKA and full security, session, release for
//! inactivity, service request, deregistration), and the memory of phones that are registered and idle.
//!
//! The phones, the gNB, the vault and the user plane run in the same thread; only the time inside the control plane is
//! counted. `cargo bench -p pakawaaz-control-plane`.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, dead_code)]

#[path = "../tests/it/eap.rs"]
mod eap;
#[path = "../tests/it/pdus.rs"]
mod pdus;
#[path = "../tests/it/phone.rs"]
mod phone;
#[path = "../tests/it/radio.rs"]
mod radio;
#[path = "../tests/it/world.rs"]
mod world;

use oxirush_nas::nas_5gs::{PduSessionTypeValue, ServiceType};
use std::time::{Duration, Instant};
use world::World;

const CYCLES: u32 = 3_000;
const PHONES: u32 = 10_000;

fn cycle(world: &mut World, n: u32) {
    world.phones.clear();
    let phone = world.phone(n);
    let ran = world.register(phone);
    let session = world.phones[phone].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &session);
    world.release(ran);
    let ran = world.service(phone, ServiceType::Data, &[1]);
    assert!(world.view(n).is_some_and(|view| view.sessions[0].carried), "the session is back");
    let goodbye = world.phones[phone].deregistration(false);
    let goodbye = world.phones[phone].protect(goodbye);
    world.uplink(ran, &goodbye);
    assert!(world.view(n).is_none(), "the phone has left");
    world.forget();
}

/// Nanoseconds that this thread was on a core, so that a busy machine does not count.
fn on_core() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Resident bytes of this process.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

fn idle(world: &mut World, n: u32) {
    world.phones.clear();
    let phone = world.phone(n);
    let ran = world.register(phone);
    let session = world.phones[phone].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &session);
    world.release(ran);
    world.forget();
}

fn main() {
    let mut world = World::ready();
    for n in 1..=200 {
        cycle(&mut world, n);
    }
    (world.spent, world.handled) = (Duration::ZERO, 0);
    let (began, core) = (Instant::now(), on_core());
    for n in 1..=CYCLES {
        cycle(&mut world, n);
    }
    let share = match (core, on_core()) {
        (Some(before), Some(after)) => (after - before) / 1e9 / began.elapsed().as_secs_f64(),
        _ => 1.0,
    };
    let spent = world.spent.mul_f64(share);
    let rate = f64::from(CYCLES) / spent.as_secs_f64();
    println!(
        "cycle: {:?}, {rate:.0} cycles/s per core, {} inputs each (this thread had {:.0} % of a core)",
        spent / CYCLES,
        world.handled / u64::from(CYCLES),
        share * 100.0
    );

    (world.spent, world.handled) = (Duration::ZERO, 0);
    let before = resident();
    for n in 1..=PHONES {
        idle(&mut world, n);
    }
    assert_eq!(world.core.ues().count(), PHONES as usize);
    if let (Some(before), Some(after)) = (before, resident()) {
        let each = after.saturating_sub(before) / u64::from(PHONES);
        println!("registered and idle with one session: {each} bytes resident for each of {PHONES} phones");
    }
    println!("attach storm: {PHONES} phones with sessions in {:?} of control plane time", world.spent.mul_f64(share));
}
