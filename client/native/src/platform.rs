//! The machine under a native client.

use pakawaaz_base::{Clock, Millis};
use pakawaaz_client::Platform;
use rand::RngCore as _;
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
}

impl NativePlatform {
    /// For the profile whose device secret this is.
    pub fn new(device_secret: Zeroizing<[u8; 32]>) -> Self {
        Self { device_secret }
    }
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
}
