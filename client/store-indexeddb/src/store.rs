//! The store.

use crate::request::{complete, failed, listen, result};
use futures::channel::oneshot;
use js_sys::{Array, ArrayBuffer, Function, Object, Reflect, Uint8Array};
use pakawaaz_client::StoreError;
use pakawaaz_client::store::{Batch, Range, Row, Store};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{
    IdbCursorDirection, IdbCursorWithValue, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest,
    IdbRequest, IdbTransaction,
};

/// Rows.
const ROWS: &str = "rows";
/// Keys that WebCrypto never gives out (structured clones of `CryptoKey`).
const KEYS: &str = "keys";
const VERSION: u32 = 1;

/// The rows of one profile in one IndexedDB database.
pub struct IndexedDbStore {
    db: IdbDatabase,
    _version_change: Closure<dyn FnMut()>,
}

fn factory() -> Result<IdbFactory, StoreError> {
    let global = js_sys::global();
    let found = Reflect::get(&global, &"indexedDB".into()).map_err(|e| failed(&e))?;
    found.dyn_into().map_err(|_| StoreError::Failed("no indexeddb".into()))
}

/// A key as bytes; IndexedDB gives binary keys back as `ArrayBuffer`.
fn key_bytes(key: &JsValue) -> Result<Vec<u8>, StoreError> {
    let buffer = key.dyn_ref::<ArrayBuffer>().ok_or_else(|| StoreError::Failed("indexeddb: key".into()))?;
    Ok(Uint8Array::new(buffer).to_vec())
}

fn value_bytes(value: &JsValue) -> Result<Vec<u8>, StoreError> {
    let array = value.dyn_ref::<Uint8Array>().ok_or_else(|| StoreError::Failed("indexeddb: value".into()))?;
    Ok(array.to_vec())
}

fn js_bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

impl IndexedDbStore {
    /// Opens the database, creating it when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another version of the app holds it, [`StoreError::Failed`] when the browser
    /// offers no IndexedDB or refuses it (private windows of some browsers).
    pub async fn open(name: &str) -> Result<Self, StoreError> {
        let request: IdbOpenDbRequest = factory()?.open_with_u32(name, VERSION).map_err(|e| failed(&e))?;
        let source = request.clone();
        let upgrade = Closure::<dyn FnMut()>::new(move || {
            let Ok(db) = source.result().map(JsCast::unchecked_into::<IdbDatabase>) else { return };
            for store in [ROWS, KEYS] {
                // An error here aborts the upgrade, and opening fails.
                let _ = db.create_object_store(store);
            }
        });
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let opened = result(&request).await;
        request.set_onupgradeneeded(None);
        let db: IdbDatabase = opened?.unchecked_into();
        // Somebody deletes the database or brings a newer version: let go, or they wait for ever.
        let held = db.clone();
        let version_change = Closure::<dyn FnMut()>::new(move || held.close());
        db.set_onversionchange(Some(version_change.as_ref().unchecked_ref()));
        Ok(Self { db, _version_change: version_change })
    }

    /// Removes everything: every row and every key.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was removed.
    pub async fn wipe(&self) -> Result<(), StoreError> {
        let transaction = self.write(&[ROWS, KEYS])?;
        for store in [ROWS, KEYS] {
            transaction.object_store(store).and_then(|s| s.clear()).map_err(|e| failed(&e))?;
        }
        complete(&transaction).await
    }

    /// A WebCrypto key kept under `name`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn crypto_key(&self, name: &str) -> Result<Option<JsValue>, StoreError> {
        let found = result(&self.read(KEYS)?.get(&name.into()).map_err(|e| failed(&e))?).await?;
        Ok(if found.is_undefined() { None } else { Some(found) })
    }

    /// Keeps a WebCrypto key under `name`. A non-extractable one stays so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_crypto_key(&self, name: &str, key: &JsValue) -> Result<(), StoreError> {
        let transaction = self.write(&[KEYS])?;
        let store = transaction.object_store(KEYS).map_err(|e| failed(&e))?;
        store.put_with_key(key, &name.into()).map_err(|e| failed(&e))?;
        complete(&transaction).await
    }

    fn read(&self, store: &str) -> Result<IdbObjectStore, StoreError> {
        self.db.transaction_with_str(store).and_then(|t| t.object_store(store)).map_err(|e| failed(&e))
    }

    /// A read-write transaction whose completion means that it is on the disk.
    fn write(&self, stores: &[&str]) -> Result<IdbTransaction, StoreError> {
        let names: Array = stores.iter().map(|s| JsValue::from_str(s)).collect();
        let options = Object::new();
        let durability = Reflect::set(&options, &"durability".into(), &"strict".into());
        let call = || -> Result<JsValue, JsValue> {
            durability?;
            let begin: Function = Reflect::get(&self.db, &"transaction".into())?.dyn_into()?;
            begin.call3(&self.db, &names, &"readwrite".into(), &options)
        };
        Ok(call().map_err(|e| failed(&e))?.unchecked_into())
    }
}

/// The range as IndexedDB wants it; none when it holds no key.
fn key_range(range: &Range) -> Result<Option<IdbKeyRange>, StoreError> {
    let start = js_bytes(&range.start);
    let made = match &range.end {
        Some(end) if *end <= range.start => return Ok(None),
        Some(end) => IdbKeyRange::bound_with_lower_open_and_upper_open(&start, &js_bytes(end), false, true),
        None => IdbKeyRange::lower_bound(&start),
    };
    made.map(Some).map_err(|e| failed(&e))
}

impl Store for IndexedDbStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = result(&self.read(ROWS)?.get(&js_bytes(key)).map_err(|e| failed(&e))?).await?;
        if found.is_undefined() { Ok(None) } else { value_bytes(&found).map(Some) }
    }

    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        if range.limit == 0 {
            return Ok(Vec::new());
        }
        let Some(keys) = key_range(&range)? else { return Ok(Vec::new()) };
        let count = u32::try_from(range.limit).ok();
        let store = self.read(ROWS)?;
        if let Some(rows) = all_records(&store, &keys, count, range.reverse)? {
            return records(&result(&rows).await?);
        }
        if range.reverse {
            return backwards(&store, &keys, range.limit).await;
        }
        // Both in one transaction, so that they see the same rows.
        let (names, values) = match count {
            Some(count) => {
                (store.get_all_keys_with_key_and_limit(&keys, count), store.get_all_with_key_and_limit(&keys, count))
            }
            None => (store.get_all_keys_with_key(&keys), store.get_all_with_key(&keys)),
        };
        let (names, values) = (names.map_err(|e| failed(&e))?, values.map_err(|e| failed(&e))?);
        let (names, values) = futures::try_join!(result(&names), result(&values))?;
        let (names, values): (Array, Array) = (names.unchecked_into(), values.unchecked_into());
        names.iter().zip(values.iter()).map(|(k, v)| Ok((key_bytes(&k)?, value_bytes(&v)?))).collect()
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let transaction = self.write(&[ROWS])?;
        let store = transaction.object_store(ROWS).map_err(|e| failed(&e))?;
        let fill = || -> Result<(), JsValue> {
            for key in &batch.deletes {
                store.delete(&js_bytes(key))?;
            }
            for (key, value) in &batch.puts {
                store.put_with_key(&js_bytes(value), &js_bytes(key))?;
            }
            Ok(())
        };
        if let Err(e) = fill() {
            // Half a batch must not be committed when this transaction becomes idle.
            let _ = transaction.abort();
            return Err(failed(&e));
        }
        complete(&transaction).await
    }
}

/// `getAllRecords`: keys and values in one answer, in either direction. None where the browser lacks it.
fn all_records(
    store: &IdbObjectStore,
    keys: &IdbKeyRange,
    count: Option<u32>,
    reverse: bool,
) -> Result<Option<IdbRequest>, StoreError> {
    let ask = || -> Result<Option<IdbRequest>, JsValue> {
        let Ok(method) = Reflect::get(store, &"getAllRecords".into())?.dyn_into::<Function>() else {
            return Ok(None);
        };
        let options = Object::new();
        Reflect::set(&options, &"query".into(), keys)?;
        if let Some(count) = count {
            Reflect::set(&options, &"count".into(), &count.into())?;
        }
        Reflect::set(&options, &"direction".into(), &(if reverse { "prev" } else { "next" }).into())?;
        Ok(Some(method.call1(store, &options)?.unchecked_into()))
    };
    ask().map_err(|e| failed(&e))
}

fn records(answer: &JsValue) -> Result<Vec<Row>, StoreError> {
    let (key, value) = (JsValue::from_str("key"), JsValue::from_str("value"));
    let rows: &Array = answer.unchecked_ref();
    rows.iter()
        .map(|row| {
            let field = |name| Reflect::get(&row, name).map_err(|e| failed(&e));
            Ok((key_bytes(&field(&key)?)?, value_bytes(&field(&value)?)?))
        })
        .collect()
}

/// The highest keys first, by a cursor: an event for every row, so only where [`all_records`] is missing.
async fn backwards(store: &IdbObjectStore, keys: &IdbKeyRange, limit: usize) -> Result<Vec<Row>, StoreError> {
    let request = store.open_cursor_with_range_and_direction(keys, IdbCursorDirection::Prev).map_err(|e| failed(&e))?;
    let (sender, receiver) = oneshot::channel::<Result<Vec<Row>, StoreError>>();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let finish = move |outcome| {
        if let Some(sender) = sender.borrow_mut().take() {
            let _ = sender.send(outcome);
        }
    };
    let (source, done, mut rows) = (request.clone(), finish.clone(), Vec::new());
    let success = Closure::<dyn FnMut()>::new(move || {
        let mut step = || -> Result<bool, StoreError> {
            let found = source.result().map_err(|e| failed(&e))?;
            let Ok(cursor) = found.dyn_into::<IdbCursorWithValue>() else { return Ok(true) };
            let key = cursor.key().map_err(|e| failed(&e))?;
            let value = cursor.value().map_err(|e| failed(&e))?;
            rows.push((key_bytes(&key)?, value_bytes(&value)?));
            if rows.len() >= limit {
                return Ok(true);
            }
            cursor.continue_().map_err(|e| failed(&e))?;
            Ok(false)
        };
        match step() {
            Ok(false) => {}
            Ok(true) => done(Ok(std::mem::take(&mut rows))),
            Err(e) => done(Err(e)),
        }
    });
    let _handlers = listen(&request, success, move |error| finish(Err(error)));
    receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("indexeddb".into())))
}
