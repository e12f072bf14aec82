//! Clock, randomness, timers, and the secret of this browser profile.

use super::js;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use pakawaaz_base::Millis;
use pakawaaz_client::{AesGcm, Platform, StoreError};
use pakawaaz_client_store_indexeddb::IndexedDbStore;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

/// Name of the key in the store.
const KEY: &str = "device-secret";
/// Bytes from which WebCrypto is faster than compiled code.
const WORTH_ASKING: usize = 64 * 1024;
/// What the device secret is the HMAC of.
const LABEL: &[u8] = b"pakawaaz device secret v1";

/// The machine. Clones share the device secret.
#[derive(Clone)]
pub struct BrowserPlatform {
    secret: Rc<RefCell<Zeroizing<[u8; 32]>>>,
}

impl BrowserPlatform {
    /// Derives the device secret from the WebCrypto key in `store`, making one the first time.
    ///
    /// # Errors
    /// Store errors; [`StoreError::Failed`] when the browser offers no WebCrypto (no secure context).
    pub async fn open(store: &IndexedDbStore) -> Result<Self, StoreError> {
        Ok(Self { secret: Rc::new(RefCell::new(device_secret(store).await?)) })
    }
    /// After everything was deleted: another secret.
    ///
    /// # Errors
    /// As [`BrowserPlatform::open`].
    pub async fn renew(&self, store: &IndexedDbStore) -> Result<(), StoreError> {
        let secret = device_secret(store).await?;
        *self.secret.borrow_mut() = secret;
        Ok(())
    }
}

impl Platform for BrowserPlatform {
    fn now(&self) -> Millis {
        Millis(js_sys::Date::now() as i64)
    }
    fn fill_random(&self, out: &mut [u8]) {
        getrandom::getrandom(out).expect("crypto.getRandomValues is everywhere where WebAssembly is");
    }
    async fn sleep(&self, duration: Duration) {
        js::sleep(duration).await;
    }
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        self.secret.borrow().clone()
    }
    async fn aes_gcm(&self, work: AesGcm<'_>) -> Option<Vec<u8>> {
        // Small pieces are done before WebCrypto has begun.
        if work.bytes.len() < WORTH_ASKING { None } else { aes_gcm(work).await.ok() }
    }
}

async fn aes_gcm(work: AesGcm<'_>) -> Result<Vec<u8>, JsValue> {
    let subtle = js::get(&js::global("crypto")?, "subtle")?;
    let usage = if work.seal { "encrypt" } else { "decrypt" };
    let raw = Uint8Array::from(&work.key[..]);
    let uses = Array::of1(&usage.into());
    let asked = ["raw".into(), raw.clone().into(), "AES-GCM".into(), false.into(), uses.into()];
    let key = js::invoke(&subtle, "importKey", &asked).await;
    raw.fill(0, 0, raw.length());
    let how = js::object("name", "AES-GCM");
    Reflect::set(&how, &"iv".into(), &Uint8Array::from(&work.nonce[..]))?;
    let key = key?;
    let work = method(&subtle, usage)?.call3(&subtle, &how, &key, &js::view(work.bytes))?;
    Ok(js::bytes(&JsFuture::from(work.dyn_into::<Promise>()?).await?))
}

/// HMAC-SHA256 of a label under a key that nobody can export, not even this page: a copied database without the
/// browser's own key material (which the operating system protects, where it does) cannot be searched for the PIN.
async fn device_secret(store: &IndexedDbStore) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let key = match store.crypto_key(KEY).await? {
        Some(key) => key,
        None => {
            let key = new_key().await.map_err(|e| failed(&e))?;
            store.put_crypto_key(KEY, &key).await?;
            key
        }
    };
    let mac = sign(&key).await.map_err(|e| failed(&e))?;
    let mut secret = Zeroizing::new([0u8; 32]);
    if mac.length() != 32 {
        return Err(StoreError::Failed("webcrypto".into()));
    }
    mac.copy_to(&mut *secret);
    mac.fill(0, 0, 32);
    Ok(secret)
}

fn failed(e: &JsValue) -> StoreError {
    StoreError::Failed(format!("webcrypto {}", js::error_name(e)))
}

fn method(subtle: &JsValue, name: &str) -> Result<Function, JsValue> {
    js::get(subtle, name)?.dyn_into()
}

async fn new_key() -> Result<JsValue, JsValue> {
    let subtle = js::get(&js::global("crypto")?, "subtle")?;
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"HMAC".into())?;
    Reflect::set(&algorithm, &"hash".into(), &"SHA-256".into())?;
    let usages = Array::of1(&"sign".into());
    let made = method(&subtle, "generateKey")?.call3(&subtle, &algorithm, &JsValue::FALSE, &usages)?;
    JsFuture::from(made.dyn_into::<Promise>()?).await
}

async fn sign(key: &JsValue) -> Result<Uint8Array, JsValue> {
    let subtle = js::get(&js::global("crypto")?, "subtle")?;
    let made = method(&subtle, "sign")?.call3(&subtle, &"HMAC".into(), key, &Uint8Array::from(LABEL))?;
    let mac = JsFuture::from(made.dyn_into::<Promise>()?).await?;
    Ok(Uint8Array::new(&mac))
}
