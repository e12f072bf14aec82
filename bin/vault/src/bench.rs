//! Measures: vectors a second through the socket, counted and all, with the key where the configuration says.

use crate::client::Client;
use crate::clock::Start;
use crate::config::{Config, KeyKind};
use crate::key;
use crate::ledger::Ledger;
use crate::server;
use crate::vault::Vault;
use anyhow::{Context as _, Result, ensure};
use pakawaaz_aka::{Algorithm, NetworkName};
use pakawaaz_base::SimId;
use pakawaaz_sim_vault::{Answer, Ask, Limits, Secret, Want};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Asks in a frame: a phone alone, a few at a time, and a storm.
const FRAMES: [usize; 3] = [1, 16, 256];

/// Prints what a vault on this machine does, over a socket and a ledger of its own. A file's key is made for this; a module's
/// is the configured one, which seals two cards for it.
///
/// # Errors
/// The module does not work.
pub fn run(out: &mut dyn Write, config: &Config, seconds: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut config = config.clone();
    config.socket.path = folder.path().join("socket");
    config.ledger.file = folder.path().join("uses");
    if config.key.kind == KeyKind::File {
        config.key.file = folder.path().join("key");
        key::make(&config.key)?;
    }
    let key = key::open(&config.key)?;
    let ledger = Ledger::open(&config.ledger.file, key.0.id())?;
    let listener = server::listen(&config.socket)?;
    let limits = Limits {
        card_burst: u32::MAX,
        card_per_minute: u32::MAX,
        burst: u32::MAX,
        per_second: 1_000_000,
        ..Limits::default()
    };
    let vault = Arc::new(Vault::new(key, Vec::new(), limits, ledger));
    let place = if vault.is_software() { "a key in a file" } else { "a key in a module" };
    let socket = config.socket.clone();
    std::thread::spawn(move || server::run(&listener, &socket, vault));

    let network = NetworkName::new("5G:mnc099.mcc410.3gppnetwork.org")?;
    let wants = [
        ("5G AKA", Want::FiveGAka { network: network.clone() }),
        ("EAP-AKA'", Want::EapAkaPrime { network, identity: "410990000012345".into() }),
    ];
    let cards = [
        ("Milenage", Algorithm::milenage_from_hex(&"46".repeat(16), &"cd".repeat(16))?),
        ("TUAK", Algorithm::tuak_from_hex(&"46".repeat(16), &"cd".repeat(32), Default::default())?),
    ];
    let mut client = Client::connect(&config.socket.path)?;
    writeln!(out, "vectors a second over the socket, one connection, {place}")?;
    for (number, (algorithm, card)) in cards.iter().enumerate() {
        let id = SimId::from_bytes([number as u8; 16]);
        let seal = Ask::SealCard { card: id, algorithm: Secret::new(&card.encode()) };
        let Answer::Sealed(sealed) = client.ask(&[seal])?.pop().context("an answer")? else {
            anyhow::bail!("the key does not seal");
        };
        for (method, want) in &wants {
            for frame in FRAMES {
                let asks =
                    vec![Ask::Vector { card: id, sealed: sealed.clone(), sqn: [0; 6], want: want.clone() }; frame];
                let (start, mut drawn) = (Start::now(), 0);
                while start.elapsed() < Duration::from_secs(seconds) {
                    let answers = client.ask(&asks)?;
                    ensure!(!answers.iter().any(|answer| matches!(answer, Answer::Refused(_))), "it refused");
                    drawn += answers.len();
                }
                let rate = drawn as f64 / start.elapsed().as_secs_f64();
                writeln!(out, "{algorithm:<8}  {method:<8}  {frame:>3} in a frame  {rate:>8.0}")?;
            }
        }
    }
    Ok(())
}
