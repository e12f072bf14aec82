//! What needs another kernel than the host's.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failing test has to stop")]

mod core;

use pakawaaz_vm::Guest;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn n2_over_kernel_sctp() {
    let guest = Guest::new().unwrap().module("sctp").module("veth").host_program("ip").unwrap();
    let guest = guest.program("n2-guest", Path::new(env!("CARGO_BIN_EXE_pakawaaz-n2-guest"))).unwrap();
    // Two cables between the core and a gNB in a namespace of its own.
    let script = "mount -t tmpfs tmpfs /run\n\
        /bin/ip netns add gnb\n\
        for n in 1 2; do\n\
          /bin/ip link add a$n type veth peer name b$n netns gnb\n\
          /bin/ip addr add 10.9.$n.1/24 dev a$n && /bin/ip link set a$n up\n\
          /bin/ip -n gnb addr add 10.9.$n.2/24 dev b$n && /bin/ip -n gnb link set b$n up\n\
        done\n\
        n2-guest\n";
    let done = guest.run(script, LIMIT).unwrap();
    assert_eq!(done.status, Some(0), "{}", done.console);
    for passed in
        ["passed: conformance over kernel SCTP", "the gNB: Lost", "passed: multi-homing and a lost association"]
    {
        assert!(done.console.contains(passed), "{}", done.console);
    }
}

#[test]
fn a_failing_script_is_told_from_one_that_never_ends() {
    let failed = Guest::new().unwrap().run("echo here\nfalse\necho not here\n", LIMIT).unwrap();
    assert_eq!(failed.status, Some(1), "{}", failed.console);
    assert!(failed.console.contains("here\n") && !failed.console.contains("not here"));
    let endless = Guest::new().unwrap().run("echo here\nsleep 1000\n", Duration::from_secs(30)).unwrap();
    assert_eq!(endless.status, None);
}
