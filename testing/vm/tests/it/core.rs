//! The server itself with gNBs over the kernel's SCTP. The installation is made on this machine, where that is quick, and
//! moves into the virtual one.

use base64::Engine as _;
use pakawaaz_harness::server::free_port;
use pakawaaz_harness::{Options, World, binaries};
use pakawaaz_vm::Guest;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(340);

/// What phones may do.
const ALLOW_LIST: &str = r#"
format = 1
serial = 1

[[data_network]]
name = "gov"
phones = ["10.45.0.0/16", "fd00:45::/48"]
resolvers = ["10.99.255.1"]
mtu = 1400

[[data_network.allow]]
about = "signs of life"
networks = ["10.99.255.1"]
protocol = "echo"
"#;

/// Modules of the user plane's namespace and rules.
const USER_PLANE: [&str; 8] =
    ["tun", "veth", "nf_tables", "nft_ct", "nft_limit", "nft_log", "nft_reject_inet", "nf_log_syslog"];

/// Two cables for N2 and one for N3 between the core and the namespace of the gNBs.
const SCRIPT: &str = "mount -t tmpfs tmpfs /run\n\
    /bin/ip netns add gnb\n\
    for n in 1 2 3; do\n\
      /bin/ip link add a$n type veth peer name b$n netns gnb\n\
      /bin/ip addr add 10.9.$n.1/24 dev a$n && /bin/ip link set a$n up\n\
      /bin/ip -n gnb addr add 10.9.$n.2/24 dev b$n && /bin/ip -n gnb link set b$n up\n\
    done\n\
    /bin/ip -n gnb addr add 10.9.3.3/24 dev b3\n\
    core-guest || { tail -n 40 /run/server.log; exit 1; }\n";

/// A server with a network, two gNBs on its list and cards, that was stopped; and how it goes on in the machine.
fn installation() -> (World, Value) {
    let settings = [
        ("PAKAWAAZ_CELLULAR__ENABLED", "true".to_owned()),
        ("PAKAWAAZ_CELLULAR__N2", "framed".to_owned()),
        ("PAKAWAAZ_CELLULAR__N2_LISTEN", format!("[\"127.0.0.1:{}\"]", free_port())),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value)).to_vec();
    let mut world = World::with(Options { settings, ..Options::default() });
    let admin = |arguments: &[&str]| world.first.ok(&[&["admin", "cellular"], arguments].concat());
    admin(&["network", "set", "--plmn", "410-99"]);
    admin(&["gnbs", "allow", "1", "--tac", "1"]);
    admin(&["gnbs", "allow", "2", "--tac", "1"]);
    let key = world.first.ok(&["admin", "sims", "new-suci-key", "a"]);
    let public = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key["public"].as_str().unwrap()).unwrap();
    let home_key = format!("a:{}:{}", key["number"], hex::encode(public));
    world.server.terminate();

    let mut settings: Map<String, Value> =
        world.settings().iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    for (name, value) in [
        ("PAKAWAAZ_DATA_DIR", world.data().to_str().unwrap()),
        ("PAKAWAAZ_CELLULAR__N2", "sctp"),
        ("PAKAWAAZ_CELLULAR__N2_LISTEN", "[\"10.9.1.1:38412\", \"10.9.2.1:38412\"]"),
        ("PAKAWAAZ_CELLULAR__USER_PLANE", "/run/pakawaaz/upf.sock"),
    ] {
        settings.insert(name.to_owned(), value.into());
    }
    // Administrators have the first two cards; these are the simulator's.
    let batch = std::fs::read_to_string(world.dir().join("sims/batch.csv")).unwrap();
    let lines: Vec<&str> = batch.lines().collect();
    let cards = |name: &str, which: &[&str]| {
        let path = world.dir().join(name);
        std::fs::write(&path, [&lines[..1], which].concat().join("\n")).unwrap();
        path
    };
    let (sims, other_sims) = (cards("phones.csv", &lines[3..6]), cards("other.csv", &lines[6..7]));
    let client = world.first.command(&[]);
    let client: Vec<&str> = client.get_args().map(|argument| argument.to_str().unwrap()).collect();
    let told =
        json!({ "settings": settings, "client": client, "home_key": home_key, "sims": sims, "other_sims": other_sims });
    (world, told)
}

/// Signs the allow-list with a new key; the configuration that trusts it.
fn user_plane(folder: &Path) -> String {
    let (key, list) = (folder.join("list.key"), folder.join("allow-list.toml"));
    std::fs::write(&list, ALLOW_LIST).unwrap();
    let upf = |arguments: &[&str]| {
        let made = Command::new(binaries::path("pakawaaz-upf")).arg("allow-list").args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap()
    };
    let (key, list) = (key.to_str().unwrap(), list.to_str().unwrap());
    let public = upf(&["key", key]);
    upf(&["sign", list, "--key", key]);
    format!(
        "[n3]\naddress = \"10.9.3.1:2152\"\ngnbs = [\"10.9.3.0/24\"]\n\
         [allow_list]\nfile = {list:?}\npublic_key = {:?}\n",
        public.trim()
    )
}

#[test]
fn the_server_serves_gnbs_over_kernel_sctp() {
    let (world, told) = installation();
    let user_plane = user_plane(world.dir());
    let mut guest = Guest::new().unwrap().memory(1536).module("sctp");
    for module in USER_PLANE {
        guest = guest.module(module);
    }
    for program in ["ip", "nft"] {
        guest = guest.host_program(program).unwrap();
    }
    for program in ["pakawaaz", "pakawaaz-server", "pakawaaz-upf", "pakawaaz-ransim"] {
        guest = guest.program(program, &binaries::path(program)).unwrap();
    }
    let guest = guest
        .program("core-guest", Path::new(env!("CARGO_BIN_EXE_pakawaaz-core-guest")))
        .and_then(|guest| guest.folder(world.dir()))
        .unwrap()
        .file("upf.toml", user_plane.as_bytes())
        .file("world.json", told.to_string().as_bytes());
    let done = guest.run(SCRIPT, LIMIT).unwrap();
    println!("{}", done.console);
    assert_eq!(done.status, Some(0));
    for passed in [
        "server and user plane are ready",
        "registration, sessions and traffic; PPID and streams on the wire",
        "the simulator's command line",
        "registration over the second path while the first is cut",
        "a killed server costs each phone one service request",
        "an aborted association is an alarm",
        "the alarm ends when the gNB is back",
        "a silent loss is found by heartbeats",
    ] {
        assert!(done.console.contains(&format!("passed: {passed} (")), "{passed}");
    }
}
