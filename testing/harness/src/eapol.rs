//! An independent phone and access point: `eapol_test` of wpa_supplicant speaks EAP-AKA' and RADIUS; only the card's
//! algorithm is ours, reached over its control socket (`external_sim`), since Debian builds it without one.

use pakawaaz_aka::{Autn, Rand, SoftwareUsim, Usim as _, UsimResponse};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What came of one attempt.
#[derive(Debug)]
pub struct Attempt {
    /// Let in, and both ends have the same keys.
    pub let_in: bool,
    /// Challenges that the card was asked.
    pub challenges: usize,
    /// Everything it printed.
    pub log: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(text: &str) -> [u8; 16] {
    std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal"))
}

/// Asks `server` for access as `identity`. `dir` is empty.
///
/// # Panics
/// When `eapol_test` is not installed; says how to install it.
pub fn attempt(dir: &Path, server: SocketAddr, secret: &str, identity: &str, usim: &mut SoftwareUsim) -> Attempt {
    attempt_with(dir, (server, secret), identity, usim, |_| {})
}

/// The same with a phone that changes the card's RES, though its keys are right: only the server can notice.
///
/// # Panics
/// As [`attempt`].
pub fn attempt_with(
    dir: &Path,
    (server, secret): (SocketAddr, &str),
    identity: &str,
    usim: &mut SoftwareUsim,
    change: impl Fn(&mut Vec<u8>),
) -> Attempt {
    std::fs::create_dir_all(dir).unwrap();
    let (sockets, config, output) = (dir.join("ctrl"), dir.join("eapol.conf"), dir.join("eapol.log"));
    std::fs::write(
        &config,
        format!(
            "ctrl_interface={}\nexternal_sim=1\nnetwork={{\n  key_mgmt=WPA-EAP\n  eap=AKA'\n  identity=\"{identity}\"\n}}\n",
            sockets.display()
        ),
    )
    .unwrap();
    let log = std::fs::File::create(&output).unwrap();
    let mut child = Command::new("eapol_test")
        .arg(format!("-c{}", config.display()))
        // -W: not before the card is there. (With -T it would wait for commands instead.)
        .args(["-iphone", "-W", "-t30", "-a"])
        .arg(server.ip().to_string())
        .arg(format!("-p{}", server.port()))
        .arg(format!("-s{secret}"))
        .stdin(Stdio::null())
        .stderr(log.try_clone().unwrap())
        .stdout(log)
        .spawn()
        .expect("eapol_test is missing; as root: apt-get install -y eapoltest");
    let card = UnixDatagram::bind(dir.join("card")).unwrap();
    card.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (mut challenges, mut attached, mut buffer) = (0, false, [0; 4096]);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if !attached {
            attached = card.connect(sockets.join("phone")).is_ok() && card.send(b"ATTACH").is_ok();
            if !attached {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
        }
        let Ok(length) = card.recv(&mut buffer) else { continue };
        let event = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let Some((_, question)) = event.split_once("CTRL-REQ-SIM-0:UMTS-AUTH:") else { continue };
        challenges += 1;
        let (rand, autn) = (bytes(&question[..32]), bytes(&question[33..65]));
        let answer = match usim.authenticate(&Rand(rand), &Autn::from_bytes(autn)) {
            Ok(UsimResponse::Success { res, ck, ik }) => {
                let mut res = res.as_bytes().to_vec();
                change(&mut res);
                format!("UMTS-AUTH:{}:{}:{}", hex(ik.as_bytes()), hex(ck.as_bytes()), hex(&res))
            }
            Ok(UsimResponse::SyncFailure { auts }) => format!("UMTS-AUTS:{}", hex(&auts.to_bytes())),
            Err(_) => "UMTS-FAIL".to_owned(),
        };
        card.send(format!("CTRL-RSP-SIM-0:{answer}").as_bytes()).unwrap();
    };
    let log = std::fs::read_to_string(&output).unwrap_or_default();
    // It says so only when the MSK of both ends is the same.
    let let_in = status.success() && log.contains("MPPE keys OK: 1  mismatch: 0");
    Attempt { let_in, challenges, log }
}
