//! Many phones at once.

use crate::bench::*;
use pakawaaz_ransim::scenario::{Driver, Plan, Scenario};
use std::time::Duration;

fn run(setup: Setup, plan: Plan, limit: Duration) -> (Bench, Driver) {
    let mut bench = Bench::with(setup);
    let mut driver = Driver::new(plan, &bench.world, bench.now);
    let end = bench.now.plus(limit);
    while !driver.is_over(bench.now) && bench.now < end {
        while driver.step(&mut bench.world, bench.now) {
            carry(&mut bench);
        }
        let due = [bench.world.deadline(), bench.core.next_deadline(), driver.deadline()].into_iter().flatten().min();
        bench.now = due.unwrap_or(end).clamp(bench.now.plus(Duration::from_millis(1)), end);
        bench.input(pakawaaz_control_plane::io::Input::Tick);
        carry(&mut bench);
    }
    (bench, driver)
}

/// Carries messages without taking the events, which the driver wants.
fn carry(bench: &mut Bench) {
    loop {
        let stepped = bench.world.step(bench.now);
        let sent: Vec<_> = bench.world.wire.to_core.drain(..).collect();
        if sent.is_empty() && !stepped {
            return;
        }
        for (gnb, stream, bytes) in sent {
            bench.input(pakawaaz_control_plane::io::Input::Message {
                association: association(gnb),
                stream,
                bytes: &bytes,
            });
        }
    }
}

#[test]
fn a_thousand_phones_after_a_power_cut() {
    let setup = Setup { gnbs: 4, phones: 1000, change: Box::new(one_session), ..Setup::default() };
    let plan = Plan { scenario: Scenario::Storm, per_second: 0, cycles: 1, hold: Duration::ZERO };
    let (bench, driver) = run(setup, plan, Duration::from_secs(60));
    assert_eq!(driver.settled(), 1000, "{}", bench.world.measure());
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 1000);
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 1000);
    let mut addresses: Vec<_> =
        bench.world.all_phones().filter_map(|(_, phone)| phone.session(1).and_then(|session| session.ipv4)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 1000, "everybody has an address of their own");
    bench.assert_clean();
}

#[test]
fn phones_go_round_and_leave_nothing_behind() {
    let setup = Setup { gnbs: 2, phones: 20, change: Box::new(one_session), ..Setup::default() };
    let plan = Plan { scenario: Scenario::Cycle, per_second: 1000, cycles: 5, hold: Duration::ZERO };
    let (bench, driver) = run(setup, plan, Duration::from_secs(120));
    assert_eq!(driver.rounds(), 100, "{}", bench.world.measure());
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 0);
    assert_eq!(bench.gauge("control_plane.connected"), 0);
    assert!(bench.sessions.is_empty());
    bench.assert_clean();
}
