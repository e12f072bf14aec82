//! The machine under a native client.

use pakawaaz_aka::AKid;
use pakawaaz_base::{Clock, Millis};
use pakawaaz_client::Platform;
use pakawaaz_login::PhoneKey;
use rand::RngCore as _;
use serde::Deserialize;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The system clock. The one place of the client where time is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the edge: time enters the client here")]
    fn now(&self) -> Millis {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Clock, generator, timer and the device secret of one profile.
pub struct NativePlatform {
    device_secret: Zeroizing<[u8; 32]>,
    phone_key: Option<PathBuf>,
}

impl NativePlatform {
    /// For the profile whose device secret this is.
    pub fn new(device_secret: Zeroizing<[u8; 32]>) -> Self {
        Self { device_secret, phone_key: None }
    }

    /// With the file in which the phone's software leaves what it shares with its network: JSON with `realm`, `a_kid` and
    /// `k_af` (64 hexadecimal digits). It is read at each login; one that is not there, that cannot be read, or that others than
    /// its owner can read or change, is as none: the card is asked.
    pub fn with_phone_key(self, file: &Path) -> Self {
        Self { phone_key: Some(file.to_owned()), ..self }
    }
}

/// Much more than the file needs.
const LONGEST_FILE: u64 = 4096;

/// The file.
#[derive(Deserialize)]
struct PhoneKeyFile {
    realm: String,
    a_kid: String,
    k_af: String,
}

fn read_phone_key(file: &Path, realm: &str) -> Option<PhoneKey> {
    let text = Zeroizing::new(read_private(file)?);
    let read: PhoneKeyFile = serde_json::from_slice(&text).ok()?;
    let (digits, mut k_af) = (Zeroizing::new(read.k_af), Zeroizing::new([0; 32]));
    hex::decode_to_slice(&*digits, &mut *k_af).ok()?;
    let a_kid = AKid::parse(&read.a_kid).ok()?;
    (read.realm == realm).then_some(PhoneKey { a_kid, k_af })
}

/// A file that nobody but its owner may touch: whoever could read it would have the SIM's factor for hours.
fn read_private(file: &Path) -> Option<Vec<u8>> {
    let mut opened = std::fs::File::open(file).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Of what is open, not of what has the name by then.
        let mode = opened.metadata().ok()?.permissions().mode();
        if mode & 0o077 != 0 {
            return None;
        }
    }
    let mut text = Vec::new();
    let read = (&mut opened).take(LONGEST_FILE).read_to_end(&mut text).ok()?;
    (read < LONGEST_FILE as usize).then_some(text)
}

impl Platform for NativePlatform {
    fn now(&self) -> Millis {
        SystemClock.now()
    }
    fn fill_random(&self, out: &mut [u8]) {
        rand::rngs::OsRng.fill_bytes(out);
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        self.device_secret.clone()
    }
    async fn phone_key(&self, realm: &str) -> Option<PhoneKey> {
        read_phone_key(self.phone_key.as_deref()?, realm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phones_key_is_offered_to_its_own_realm_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("phone.json");
        assert!(read_phone_key(&file, "a.example").is_none(), "no file");
        let a_kid = format!("rid0.atid{}@5gc.mnc099.mcc410.3gppnetwork.org", "ab".repeat(32));
        let text = format!(r#"{{"realm":"a.example","a_kid":"{a_kid}","k_af":"{}"}}"#, "cd".repeat(32));
        crate::profile::write_private(&file, text.as_bytes()).unwrap();
        let key = read_phone_key(&file, "a.example").unwrap();
        assert_eq!((key.a_kid.to_string(), *key.k_af), (a_kid, [0xcd; 32]));
        assert!(read_phone_key(&file, "b.example").is_none());
        for (from, to) in [("cdcd", "cd"), ("rid0", "rid"), ("k_af", "key"), ("}", "")] {
            crate::profile::write_private(&file, text.replacen(from, to, 1).as_bytes()).unwrap();
            assert!(read_phone_key(&file, "a.example").is_none(), "{from} as {to}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_phones_key_that_others_can_touch_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("phone.json");
        let a_kid = format!("rid0.atid{}@5gc.mnc099.mcc410.3gppnetwork.org", "ab".repeat(32));
        let text = format!(r#"{{"realm":"a.example","a_kid":"{a_kid}","k_af":"{}"}}"#, "cd".repeat(32));
        std::fs::write(&file, &text).unwrap();
        for (mode, used) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false), (0o602, false)]
        {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_phone_key(&file, "a.example").is_some(), used, "{mode:o}");
        }
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&file, text + &" ".repeat(5000)).unwrap();
        assert!(read_phone_key(&file, "a.example").is_none(), "a file of another kind is not read whole");
    }
}
