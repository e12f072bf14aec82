//! Tasks, messages to the screens, and storage, as a worker has them.

use super::files::{BlobSink, OpfsSpool, PickedFile};
use super::js;
use super::platform::BrowserPlatform;
use crate::engine::{Host, StorageState};
use futures::future::LocalBoxFuture;
use js_sys::Function;
use pakawaaz_client::StoreError;
use pakawaaz_client_store_indexeddb::IndexedDbStore;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The worker around the engine.
pub struct WorkerHost {
    pub store: Rc<IndexedDbStore>,
    pub platform: BrowserPlatform,
    pub spool: OpfsSpool,
    /// `(subscription: number, json: string)`.
    pub on_snapshot: Function,
    /// `(json: string)`.
    pub on_happening: Function,
}

/// `navigator.storage.NAME()`.
async fn ask(name: &str) -> Result<JsValue, JsValue> {
    let storage = js::get(&js::global("navigator")?, "storage")?;
    js::invoke(&storage, name, &[]).await
}

impl Host for WorkerHost {
    type Source = PickedFile;
    type Sink = BlobSink;
    type Blob = web_sys::Blob;
    type Spool = OpfsSpool;

    fn spool(&self) -> &OpfsSpool {
        &self.spool
    }
    fn sink(&self, media_type: &str) -> BlobSink {
        BlobSink::new(media_type)
    }
    fn deliver(&self, sink: BlobSink) -> Option<web_sys::Blob> {
        sink.blob()
    }
    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        wasm_bindgen_futures::spawn_local(task);
    }
    fn snapshot(&self, subscription: u64, json: &str) {
        // A tab that is gone hears nothing; the worker cleans up after it.
        let _ = self.on_snapshot.call2(&JsValue::NULL, &(subscription as f64).into(), &json.into());
    }
    fn happening(&self, json: &str) {
        let _ = self.on_happening.call1(&JsValue::NULL, &json.into());
    }
    async fn storage(&self) -> StorageState {
        let number = |estimate: &JsValue, name| js::get(estimate, name).ok().and_then(|n| n.as_f64()).map(|n| n as u64);
        let persistent = ask("persisted").await.is_ok_and(|answer| answer.is_truthy());
        let estimate = ask("estimate").await.ok();
        let estimate = estimate.and_then(|e| number(&e, "usage").zip(number(&e, "quota")));
        StorageState { persistent, estimate }
    }
    async fn persist(&self) -> bool {
        // Workers may lack `persist`; the tab asks as well.
        match ask("persist").await {
            Ok(answer) => answer.is_truthy(),
            Err(_) => self.storage().await.persistent,
        }
    }
    async fn wipe(&self) -> Result<(), StoreError> {
        self.store.wipe().await?;
        self.spool.wipe().await;
        self.platform.renew(&self.store).await
    }
}
