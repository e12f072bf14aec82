//! One installation: initialised, running, with two administrators who are logged in.

use crate::binaries;
use crate::person::Person;
use crate::server::{ServerProcess, free_port};
use crate::sims::SimBatch;
use crate::small_disk::SmallDisk;
use crate::vault::VaultProcess;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the installation runs.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// TLS with exporter binding instead of plain HTTP on loopback.
    pub tls: bool,
    /// A PostgreSQL URL instead of embedded SQLite.
    pub database: Option<String>,
    /// The data folder is a file system of this many MiB of its own.
    pub data_mib: Option<u32>,
    /// The SIMs' keys are in a vault of its own.
    pub vault: bool,
    /// Cards in the batch; none said: 24.
    pub cards: Option<usize>,
    /// Further settings of the server (`PAKAWAAZ_…`).
    pub settings: Vec<(String, String)>,
}

/// The installation.
pub struct World {
    // Detached before the folder around it is removed.
    _small_disk: Option<SmallDisk>,
    dir: tempfile::TempDir,
    /// The vault, when there is one.
    pub vault: Option<VaultProcess>,
    /// The running server.
    pub server: ServerProcess,
    /// First administrator.
    pub first: Person,
    /// Second administrator.
    pub second: Person,
    sims: SimBatch,
    settings: Vec<(String, String)>,
}

impl World {
    /// Embedded SQLite, plain HTTP on loopback.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// As told.
    pub fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sims = SimBatch::new(&dir.path().join("sims"), 1, options.cards.unwrap_or(24));
        let vault = options.vault.then(|| VaultProcess::start(&dir.path().join("vault")));
        let mut settings = settings(&options);
        let socket = vault.iter().map(|vault| ("PAKAWAAZ_VAULT__SOCKET".into(), vault.socket().display().to_string()));
        settings.extend(socket);
        let data = dir.path().join("data");
        let small_disk = options.data_mib.map(|mib| SmallDisk::mount(&data, mib));
        let vouchers = init(dir.path(), &settings, &sims);
        let server = ServerProcess::start(&data, &settings);
        let mut world = Self {
            first: Person::new(dir.path(), "first.admin", "a", PathBuf::new(), "first password"),
            second: Person::new(dir.path(), "second.admin", "a", PathBuf::new(), "second password"),
            _small_disk: small_disk,
            dir,
            vault,
            server,
            sims,
            settings,
        };
        world.first.sim = world.sims.card();
        world.second.sim = world.sims.card();
        for (person, voucher) in [(&world.first, &vouchers.0), (&world.second, &vouchers.1)] {
            person.ok(&["enrol", voucher]);
            person.login();
        }
        world
    }

    /// The folder everything is in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The server's settings, for further commands of the server binary.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// A `pakawaaz-server` command on this installation.
    pub fn server_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries::server());
        command.args(args).env("PAKAWAAZ_DATA_DIR", self.data()).envs(self.settings.iter().map(|(k, v)| (k, v)));
        command
    }

    /// A card from the batch.
    pub fn card(&mut self) -> PathBuf {
        self.sims.card()
    }

    /// A voucher under dual control: the first administrator proposes, the second approves.
    pub fn voucher(&self, username: &str, kind: &str) -> String {
        let made = self.first.ok(&["admin", "vouchers", username, "--kind", kind]);
        let proposal = made["proposal"].as_str().expect("a proposal");
        self.second.ok(&["admin", "proposals", "approve", proposal]);
        made["vouchers"][0][1].as_str().expect("a voucher").to_owned()
    }

    /// A new official: directory entry, voucher under dual control, enrolment, login.
    pub fn official(&mut self, username: &str, english: &str, urdu: &str) -> Person {
        self.first.ok(&["admin", "officials", "add", username, english, "--urdu", urdu]);
        let voucher = self.voucher(username, "first");
        let card = self.sims.card();
        let person = Person::new(self.dir.path(), username, "a", card, &format!("{username} password"));
        person.ok(&["enrol", &voucher, "--label", "first device"]);
        person.login();
        person
    }

    /// A second device of an official, enrolled but not yet approved. It shares the card and the password.
    pub fn second_device(&self, person: &Person) -> (Person, serde_json::Value) {
        let voucher = self.voucher(&person.username, "additional");
        let other = Person::new(
            self.dir.path(),
            &person.username,
            "b",
            person.sim.clone(),
            &format!("{} password", person.username),
        );
        let enrolled = other.ok(&["enrol", &voucher, "--label", "second device"]);
        (other, enrolled)
    }
}

fn settings(options: &Options) -> Vec<(String, String)> {
    let address = format!("127.0.0.1:{}", free_port());
    let (plain, tls) = if options.tls { (String::new(), address) } else { (address, String::new()) };
    let mut settings = vec![
        ("PAKAWAAZ_REALM", "pakawaaz.test".to_owned()),
        ("PAKAWAAZ_HTTP__PLAIN", plain),
        ("PAKAWAAZ_HTTP__TLS", tls),
        ("PAKAWAAZ_HTTP__METRICS", "127.0.0.1:0".to_owned()),
        ("PAKAWAAZ_HTTP__HOSTS", "[\"127.0.0.1\"]".to_owned()),
    ];
    if let Some(url) = &options.database {
        settings.push(("PAKAWAAZ_DATABASE__URL", url.clone()));
    }
    let settings = settings.into_iter().map(|(k, v)| (k.to_owned(), v));
    settings.chain(options.settings.iter().cloned()).collect()
}

/// `pakawaaz-server init`; the two vouchers.
fn init(dir: &Path, settings: &[(String, String)], sims: &SimBatch) -> (String, String) {
    let vouchers = dir.join("vouchers.txt");
    let output = Command::new(binaries::server())
        .args(["init", "--admin", "first.admin:First Administrator", "--admin", "second.admin:Second Administrator"])
        .arg("--sims")
        .arg(sims.write_csv())
        .arg("--vouchers-out")
        .arg(&vouchers)
        .env("PAKAWAAZ_DATA_DIR", dir.join("data"))
        .envs(settings.iter().map(|(k, v)| (k, v)))
        .output()
        .expect("the server starts");
    assert!(output.status.success(), "init failed: {}", String::from_utf8_lossy(&output.stderr));
    let lines = std::fs::read_to_string(&vouchers).expect("init wrote the vouchers");
    let read = |name: &str| {
        let line = lines.lines().find_map(|l| l.strip_prefix(name)).expect("a voucher for each administrator");
        line.trim().to_owned()
    };
    (read("first.admin"), read("second.admin"))
}
