//! Beginning and end, wanted and not, and who may be the control plane.

use crate::traffic::{PATIENCE, carry, connected, connection, rules};
use crate::{laboratory, program};
use pakawaaz_upf::lab::{Control, Lab, SERVICE};
use pakawaaz_user_plane::rules::UserPlaneReply;
use rustix::process::{Gid, Uid};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The kernel takes a namespace away in its own time: waits for what it says.
fn gone(lab: &Lab, device: &str) -> bool {
    (0..200).any(|_| {
        let there = lab.core.ip(&format!("link show {device}")).is_ok();
        if there {
            std::thread::sleep(Duration::from_millis(50));
        }
        !there
    })
}

#[test]
fn after_kill_minus_nine_a_new_one_takes_over_and_connections_live_on() {
    let Some(lab) = laboratory() else { return };
    let (upf, phone) = connected(&lab);
    let (near, far) = connection(&lab, &phone);
    carry(&near, &far, 1000);
    upf.process.kill().expect("kills");
    assert!(!phone.pings(SERVICE, 1).expect("ping"));
    let mut upf = lab.start(program()).expect("user plane");
    assert_eq!(upf.control.next(PATIENCE).expect("link"), Some(UserPlaneReply::Restarted));
    let uplink = upf.establish(rules()).expect("session");
    phone.set_teid(uplink.teid);
    // Whoever connects is told what is allowed.
    let [allowed] = &upf.control.allowed[..] else { panic!("one data network, in one part") };
    let about: Vec<_> = allowed.allow.iter().map(|entry| entry.about.as_str()).collect();
    assert_eq!((allowed.serial, allowed.dnn.as_str(), &about[..1]), (1, "gov", &["services"][..]));
    // The service speaks first: there was no state to lose.
    carry(&far, &near, 1000);
    carry(&near, &far, 1000);
    assert!(phone.pings(SERVICE, 2).expect("ping"));
}

#[test]
fn nothing_is_left_however_it_ends() {
    let Some(lab) = laboratory() else { return };
    let upf = lab.start(program()).expect("user plane");
    assert!(lab.core.ip("link show n6-outer").is_ok());
    assert!(upf.process.terminate().expect("ends"));
    assert!(gone(&lab, "n6-outer"));
    assert!(!lab.path("upf.sock").exists());
    let metrics = std::fs::read_to_string(lab.path("metrics.prom")).expect("metrics");
    assert!(metrics.contains("pakawaaz_upf_sessions 0"), "{metrics}");
    lab.run(program()).expect("user plane").kill().expect("kills");
    assert!(gone(&lab, "n6-outer"));
    assert!(!lab.core.ip("route").expect("routes").contains("10.45.0.0/16"));
}

#[test]
fn there_is_one_user_plane_at_a_socket() {
    let Some(lab) = laboratory() else { return };
    let mut upf = lab.start(program()).expect("user plane");
    assert!(lab.start(program()).is_err());
    upf.establish(rules()).expect("the first one is still there");
}

#[test]
fn the_allow_list_has_to_be_signed() {
    let Some(lab) = laboratory() else { return };
    let path = lab.path("allow-list.toml");
    let signed = std::fs::read_to_string(&path).expect("file");
    std::fs::write(&path, signed.replace("8443", "8444")).expect("writes");
    assert!(lab.start(program()).is_err());
    std::fs::write(&path, signed).expect("writes");
    assert!(lab.start(program()).is_ok());
}

#[test]
fn strangers_are_no_control_plane() {
    let Some(lab) = laboratory() else { return };
    let mut upf = lab.start(program()).expect("user plane");
    let socket = lab.path("upf.sock");
    std::fs::set_permissions(lab.folder.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let as_nobody = || {
        let socket = socket.clone();
        let thread = std::thread::spawn(move || {
            rustix::thread::set_thread_groups(&[]).expect("no groups");
            rustix::thread::set_thread_gid(Gid::from_raw(65_534)).expect("another group");
            rustix::thread::set_thread_uid(Uid::from_raw(65_534)).expect("another user");
            UnixStream::connect(&socket)
        });
        thread.join().expect("thread")
    };
    // By the file's permissions, and without them by what the kernel says of the other end.
    assert!(as_nobody().is_err());
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).expect("permissions");
    let mut stream = as_nobody().expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    assert_eq!(stream.read(&mut [0; 10]).expect("closed"), 0);
    // The control plane that was there was not disturbed; one of the right user takes its place.
    upf.establish(rules()).expect("session");
    let mut control = Control::connect(&socket).expect("connects");
    assert_eq!(control.next(Duration::from_millis(300)).expect("link"), None);
    assert!(upf.control.next(PATIENCE).is_err());
}
