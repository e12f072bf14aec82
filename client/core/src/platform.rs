//! What the core needs from the machine it runs on: time, randomness, waiting, and the device's own secret.

use pakawaaz_base::Millis;
use pakawaaz_login::PhoneKey;
use std::time::Duration;
use zeroize::Zeroizing;

/// One operation of AES-256-GCM without further data. `Debug` is not there: it holds a key.
pub struct AesGcm<'a> {
    /// Key.
    pub key: &'a [u8; 32],
    /// Nonce.
    pub nonce: [u8; 12],
    /// Seal (the tag is appended), or open (the tag is removed).
    pub seal: bool,
    /// What is sealed or opened.
    pub bytes: &'a [u8],
}

/// The machine.
pub trait Platform {
    /// Wall-clock time.
    fn now(&self) -> Millis;
    /// Fills `out` from the operating system's generator.
    fn fill_random(&self, out: &mut [u8]);
    /// Waits; used only for back-off and pauses.
    async fn sleep(&self, duration: Duration);
    /// A secret of this device that is not in the store (a file outside the profile, a keystore, a TPM): together
    /// with the PIN it opens the vault, so a copied store cannot be searched for the PIN.
    fn device_secret(&self) -> Zeroizing<[u8; 32]>;
    /// Seals or opens where the machine is much faster at it than compiled code: WebAssembly has no AES instructions, a
    /// browser has. None: it is not, or it failed, also because what is opened is not authentic.
    async fn aes_gcm(&self, work: AesGcm<'_>) -> Option<Vec<u8>> {
        let _ = work;
        None
    }
    /// What the phone that this device is, or is behind, shares with its home network for logins to `realm`: A-KID and K_AF
    /// for the application of this name with the protocol [`pakawaaz_login::akma::PROTOCOL`] (AKMA, TS 33.535). None: the
    /// card is asked itself. Only the operating system has such keys; it gives them to this program for its own realm.
    async fn phone_key(&self, realm: &str) -> Option<PhoneKey> {
        let _ = realm;
        None
    }
}

/// [`Platform::fill_random`] as a `rand_core` generator.
pub(crate) struct Rng<'a, P: ?Sized>(pub(crate) &'a P);

impl<P: Platform + ?Sized> rand_core::RngCore for Rng<'_, P> {
    fn next_u32(&mut self) -> u32 {
        let mut b = [0; 4];
        self.0.fill_random(&mut b);
        u32::from_le_bytes(b)
    }
    fn next_u64(&mut self) -> u64 {
        let mut b = [0; 8];
        self.0.fill_random(&mut b);
        u64::from_le_bytes(b)
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_random(dest);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill_random(dest);
        Ok(())
    }
}
impl<P: Platform + ?Sized> rand_core::CryptoRng for Rng<'_, P> {}

impl<P: Platform + ?Sized> Platform for std::rc::Rc<P> {
    fn now(&self) -> Millis {
        (**self).now()
    }
    fn fill_random(&self, out: &mut [u8]) {
        (**self).fill_random(out);
    }
    async fn sleep(&self, duration: Duration) {
        (**self).sleep(duration).await;
    }
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        (**self).device_secret()
    }
    async fn aes_gcm(&self, work: AesGcm<'_>) -> Option<Vec<u8>> {
        (**self).aes_gcm(work).await
    }
    async fn phone_key(&self, realm: &str) -> Option<PhoneKey> {
        (**self).phone_key(realm).await
    }
}
