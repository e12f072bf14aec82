//! Files end to end: real clients, real server, and both killed in the middle.

use pakawaaz_harness::other_clock::off_by;
use pakawaaz_harness::{Options, Person, World};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SIZE: usize = 20 * 1024 * 1024;

/// A file that does not compress into anything a test would mistake for another.
fn file(dir: &Path, name: &str, size: usize) -> PathBuf {
    let path = dir.join(name);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes: Vec<u8> = (0..size.div_ceil(8))
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(size)
        .collect();
    std::fs::write(&path, bytes).unwrap();
    path
}

struct Scene {
    world: World,
    ayesha: Person,
    bilal: Person,
    conversation: String,
}

fn scene(settings: &[(&str, &str)]) -> Scene {
    let settings = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let mut world = World::with(Options { settings, ..Options::default() });
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    Scene { world, ayesha, bilal, conversation }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn message(sent: &Value) -> String {
    sent["message"].as_str().expect("a message").to_owned()
}

/// Chunks that the server has.
fn blobs(world: &World) -> usize {
    fn count(folder: &Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        entries.flatten().map(|e| if e.path().is_dir() { count(&e.path()) } else { 1 }).sum()
    }
    count(&world.data().join("blobs"))
}

/// Waits until the server has at least so many chunks.
fn until_blobs(world: &World, at_least: usize) {
    for _ in 0..12_000 {
        if blobs(world) >= at_least {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the upload does not move: {} chunks", blobs(world));
}

#[test]
fn a_file_is_sent_and_saved_byte_for_byte() {
    let scene = scene(&[]);
    let path = file(scene.world.dir(), "minutes.pdf", SIZE);
    let sent = scene.ayesha.ok(&["send-file", &scene.conversation, text(&path), "--caption", "as discussed"]);
    assert_eq!(sent["status"], "sent");
    let lines = scene.bilal.lines(&scene.conversation);
    let line = lines.iter().find(|l| l["message"] == sent["message"]).expect("the message is there");
    assert_eq!(
        (&line["text"], &line["file"]["name"], &line["file"]["size"]),
        (&"as discussed".into(), &"minutes.pdf".into(), &(SIZE as u64).into())
    );

    let folder = scene.world.dir().join("saved");
    std::fs::create_dir(&folder).unwrap();
    let get = ["get-file", &scene.conversation, &message(&sent), "--out", text(&folder)];
    let saved = scene.bilal.ok(&get);
    let saved = PathBuf::from(saved["path"].as_str().unwrap());
    assert_eq!(saved, folder.join("minutes.pdf"));
    assert!(std::fs::read(&saved).unwrap() == std::fs::read(&path).unwrap());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no part is left");

    // Nothing is replaced unasked; the author can fetch it too.
    assert_ne!(scene.bilal.run(&get).code, 0);
    scene.bilal.ok(&[&get[..], &["--force"]].concat());
    let own = scene.world.dir().join("own.pdf");
    scene.ayesha.ok(&["get-file", &scene.conversation, &message(&sent), "--out", text(&own)]);
    assert!(std::fs::read(&own).unwrap() == std::fs::read(&path).unwrap());
}

#[test]
fn client_and_server_killed_in_the_middle_of_an_upload_lose_nothing() {
    let mut scene = scene(&[]);
    let path = file(scene.world.dir(), "large.bin", 4 * SIZE);
    let send = ["send-file", &scene.conversation, text(&path)];

    let mut client = scene.ayesha.start(&send);
    until_blobs(&scene.world, 5);
    client.kill().unwrap();
    client.wait().unwrap();
    let before = blobs(&scene.world);
    assert!(before < 80, "killed in the middle, not at the end: {before}");

    let client = scene.ayesha.start(&send);
    until_blobs(&scene.world, before + 5);
    assert!(blobs(&scene.world) < 80);
    scene.world.server.restart();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(blobs(&scene.world) <= 84, "went on, did not start over: {}", blobs(&scene.world));

    let files: Vec<_> = scene.bilal.lines(&scene.conversation).into_iter().filter(|l| !l["file"].is_null()).collect();
    assert_eq!(files.len(), 1, "one message for all attempts");
    let out = scene.world.dir().join("out.bin");
    let get = ["get-file", &scene.conversation, &message(&sent), "--out", text(&out)];
    let mut client = scene.bilal.start(&get);
    let part = || {
        let entries = std::fs::read_dir(scene.world.dir()).unwrap().flatten();
        let part =
            entries.filter(|e| e.file_name().to_string_lossy().ends_with(".part")).find_map(|e| e.metadata().ok());
        part.map_or(0, |m| m.len())
    };
    while part() < 5 << 20 && client.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    client.kill().unwrap();
    client.wait().unwrap();
    assert!(!out.exists(), "nothing unverified is delivered");
    scene.bilal.ok(&get);
    assert!(std::fs::read(&out).unwrap() == std::fs::read(&path).unwrap());
    assert_eq!(part(), 0);
}

#[test]
fn a_quota_is_told_and_files_end_when_their_time_is_over() {
    let mut scene = scene(&[("PAKAWAAZ_FILES__QUOTA_MIB", "5"), ("PAKAWAAZ_FILES__RETENTION_DAYS", "3")]);
    let (small, large) = (file(scene.world.dir(), "a.bin", 3 << 20), file(scene.world.dir(), "b.bin", 4 << 20));
    let sent = scene.ayesha.ok(&["send-file", &scene.conversation, text(&small)]);
    scene.ayesha.fails(&["send-file", &scene.conversation, text(&large)], "files.quota");
    assert_eq!(scene.bilal.lines(&scene.conversation).iter().filter(|l| !l["file"].is_null()).count(), 1);
    scene.bilal.ok(&["send-file", &scene.conversation, text(&large)]);
    assert_eq!(blobs(&scene.world), 7);

    scene.world.server.restart_with(&off_by("+4d"));
    for person in [&mut scene.ayesha, &mut scene.bilal] {
        person.environment = off_by("+4d");
        person.login();
    }
    let out = scene.world.dir().join("out.bin");
    let get = ["get-file", &scene.conversation, &message(&sent), "--out", text(&out)];
    scene.bilal.fails(&get, "files.not_found");
    assert!(!out.exists());
    // The purge runs when the server starts.
    for _ in 0..12_000 {
        if blobs(&scene.world) == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(blobs(&scene.world), 0);
    scene.ayesha.ok(&["send-file", &scene.conversation, text(&large)]);
}
