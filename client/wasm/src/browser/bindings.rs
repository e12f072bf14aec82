//! What `web/packages/api/src/worker.ts` calls.

use super::files::{OpfsSpool, PickedFile};
use super::host::WorkerHost;
use super::platform::BrowserPlatform;
use super::transport::BrowserTransport;
use crate::engine::{Costs, Engine, EngineError};
use js_sys::{Function, Uint8Array};
use pakawaaz_client::{Client, ClientError};
use pakawaaz_client_store_indexeddb::IndexedDbStore;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// Name of the database. One profile for each origin.
const DATABASE: &str = "pakawaaz";

type Running = Engine<Rc<IndexedDbStore>, BrowserTransport, BrowserPlatform, WorkerHost>;

/// The engine of this origin's profile. One at a time: the worker holds a Web Lock.
#[wasm_bindgen]
pub struct WasmEngine {
    engine: Running,
}

/// Refusals cross as JSON: `{ code, message, retry_after_ms }`.
fn thrown(error: EngineError) -> JsValue {
    serde_json::to_string(&error).unwrap_or_default().into()
}

#[wasm_bindgen]
impl WasmEngine {
    /// Opens the database of this origin and looks where the profile stands. `on_snapshot(subscription, json)` and
    /// `on_happening(json)` are called from then on. `key` is the key of the open profile as the engine before this
    /// one handed it over, or undefined; a wrong one leaves the profile locked.
    pub async fn open(
        on_snapshot: Function,
        on_happening: Function,
        key: Option<Uint8Array>,
    ) -> Result<WasmEngine, JsValue> {
        let fail = |e: ClientError| thrown(e.into());
        let store = Rc::new(IndexedDbStore::open(DATABASE).await.map_err(|e| fail(e.into()))?);
        let platform = BrowserPlatform::open(&store).await.map_err(|e| fail(e.into()))?;
        let transport = BrowserTransport::here().map_err(|e| fail(e.into()))?;
        let client = Client::new(store.clone(), transport, platform.clone());
        let spool = OpfsSpool::open().await;
        let host = WorkerHost { store, platform, spool, on_snapshot, on_happening };
        let engine = Engine::new(client, host, Costs::default());
        let key: Option<Zeroizing<[u8; 32]>> = key.filter(|k| k.length() == 32).map(|given| {
            let mut key = Zeroizing::new([0u8; 32]);
            given.copy_to(&mut *key);
            given.fill(0, 0, 32);
            key
        });
        if let Some(key) = key {
            let _ = engine.unlock_with(key).await;
        }
        engine.start().await.map_err(thrown)?;
        Ok(WasmEngine { engine })
    }

    /// Runs a command of a tab; see `Commands` of `protocol.ts`. `progress(json)` hears of steps.
    /// Resolves with `[reply, blob]`; the blob is there for downloads only.
    pub async fn call(
        &self,
        tab: String,
        name: String,
        args: String,
        files: Vec<web_sys::File>,
        progress: Option<Function>,
    ) -> Result<js_sys::Array, JsValue> {
        let progress = progress.map(|tell| {
            Box::new(move |json: &str| drop(tell.call1(&JsValue::NULL, &json.into()))) as crate::engine::Progress
        });
        let args = Zeroizing::new(args);
        let files = files.into_iter().map(PickedFile).collect();
        let reply = self.engine.call(&tab, &name, &args, files, progress).await.map_err(thrown)?;
        Ok(js_sys::Array::of2(&reply.json.into(), &reply.blob.into()))
    }

    /// Subscribes to a topic under a number of the caller's choice.
    pub fn subscribe(&self, id: f64, topic: &str, args: &str) -> Result<(), JsValue> {
        self.engine.subscribe(id as u64, topic, args).map_err(thrown)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, id: f64) {
        self.engine.unsubscribe(id as u64);
    }

    /// A tab is gone: what it waited for is kept for whoever asks next.
    pub fn tab_gone(&self, tab: &str) {
        self.engine.tab_gone(tab);
    }

    /// The browser says that the network came or went.
    pub fn network_changed(&self) {
        self.engine.network_changed();
    }

    /// The key of the open profile, to hand to the other tabs; undefined when locked.
    pub fn vault_key(&self) -> Option<Uint8Array> {
        self.engine.vault_key().map(|key| Uint8Array::from(&key[..]))
    }
}

/// Called once when the module is loaded: a panic is said with its place (never with its message, which may quote
/// data), and the worker starts again.
#[wasm_bindgen(start)]
pub fn started() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |l| format!("{}:{}", l.file(), l.line()));
        if let Ok(report) = super::js::global("pakawaazPanic").and_then(|f| f.dyn_into::<Function>()) {
            let _ = report.call1(&JsValue::NULL, &place.into());
        }
    }));
}

/// The store against the suite that every store must pass. Panics (and so rejects) with the reason.
#[cfg(feature = "testing")]
#[wasm_bindgen]
pub async fn run_store_conformance(database: String) -> Result<(), JsValue> {
    let store = IndexedDbStore::open(&database).await.map_err(|e| JsValue::from(e.to_string()))?;
    pakawaaz_client::store_conformance::all(&store).await;
    store.wipe().await.map_err(|e| JsValue::from(e.to_string()))
}

/// Puts a conversation of `count` messages into the profile of this origin, sealed as everything else in it, and gives
/// its id. For a page that runs while the app does not.
#[cfg(feature = "testing")]
#[wasm_bindgen]
pub async fn make_long_conversation(pin: String, count: u32) -> Result<String, JsValue> {
    let fail = |e: ClientError| thrown(e.into());
    let store = Rc::new(IndexedDbStore::open(DATABASE).await.map_err(|e| fail(e.into()))?);
    let platform = BrowserPlatform::open(&store).await.map_err(|e| fail(e.into()))?;
    let client = Client::new(store, pakawaaz_client::testing::Nowhere, platform);
    client.unlock(&pin).await.map_err(fail)?;
    let group = client.long_conversation(count.into()).await.map_err(fail)?;
    Ok(group.to_string())
}
