//! Files as a browser has them: chosen by the official, collected in blobs, and sealed chunks in the origin's private
//! file system.

use super::js;
use futures::channel::oneshot;
use futures::lock::Mutex;
use js_sys::{Array, Function};
use pakawaaz_base::TransferId;
use pakawaaz_client::{FileError, FileSink, FileSource, Spool};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, BlobPropertyBag, File};

/// Folder of the sealed chunks.
const FOLDER: &str = "sealed";
/// Bytes that are left to messages when sealed chunks take what the browser offers.
const RESERVE: f64 = 64.0 * 1024.0 * 1024.0;

/// A file that the official chose.
pub struct PickedFile(pub File);

impl FileSource for PickedFile {
    async fn size(&self) -> Result<u64, FileError> {
        Ok(self.0.size() as u64)
    }
    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        let end = offset.saturating_add(length as u64);
        let slice = self.0.slice_with_f64_and_f64(offset as f64, end as f64).map_err(|_| FileError::Source)?;
        // A file that was changed or removed since it was chosen cannot be read any more.
        let buffer = JsFuture::from(slice.array_buffer()).await.map_err(|_| FileError::Source)?;
        Ok(js::bytes(&buffer))
    }
}

/// A download, collected in parts that the browser keeps where it has room. Nothing of it is written to the store.
pub struct BlobSink {
    parts: Array,
    at: u64,
    media_type: String,
    finished: bool,
}

/// Types that a page may show. Everything else is bytes to be saved: a blob of HTML or SVG would be a document of our
/// own origin.
fn shown_type(claimed: &str) -> &str {
    let (kind, rest) = claimed.split_once('/').unwrap_or_default();
    let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    match kind {
        "image" | "audio" | "video" if plain => claimed,
        _ if claimed == "application/pdf" => claimed,
        _ => "application/octet-stream",
    }
}

impl BlobSink {
    /// An empty one.
    pub fn new(claimed_type: &str) -> Self {
        Self { parts: Array::new(), at: 0, media_type: shown_type(claimed_type).to_owned(), finished: false }
    }
    /// The verified whole.
    pub fn blob(self) -> Option<Blob> {
        let options = BlobPropertyBag::new();
        options.set_type(&self.media_type);
        self.finished.then(|| Blob::new_with_blob_sequence_and_options(&self.parts, &options).ok()).flatten()
    }
}

impl FileSink for BlobSink {
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        if offset != self.at {
            return Err(FileError::Sink);
        }
        // A blob for each part: the browser moves large ones out of memory.
        let part = Array::new();
        part.push(&js::view(bytes));
        let part = Blob::new_with_u8_array_sequence(&part).map_err(|_| FileError::Sink)?;
        self.parts.push(&part);
        self.at += bytes.len() as u64;
        Ok(())
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        self.finished = true;
        Ok(())
    }
    async fn discard(&mut self) {
        (self.parts, self.at, self.finished) = (Array::new(), 0, false);
    }
}

/// Sealed chunks in the origin's private file system, so that uploads and downloads go on after a reload. Where the
/// browser has none, nothing is kept.
pub struct OpfsSpool(Option<Rc<Sealed>>);

struct Sealed {
    root: JsValue,
    /// Held while something is written or removed: a file that is open for writing can be neither.
    writing: Mutex<()>,
    /// Folders of transfers that were opened already.
    folders: RefCell<HashMap<TransferId, JsValue>>,
}

/// A property of `navigator.storage`.
fn storage() -> Result<JsValue, JsValue> {
    js::get(&js::global("navigator")?, "storage")
}

/// The names in a folder.
async fn names(folder: &JsValue) -> Result<Vec<String>, JsValue> {
    let keys = js::invoke(folder, "keys", &[]).await?;
    let mut names = Vec::new();
    while let Some(name) = js::get(&js::invoke(&keys, "next", &[]).await?, "value")?.as_string() {
        names.push(name);
    }
    Ok(names)
}

impl Sealed {
    async fn open() -> Result<Self, JsValue> {
        let root = js::invoke(&storage()?, "getDirectory", &[]).await?;
        let root = js::invoke(&root, "getDirectoryHandle", &[FOLDER.into(), js::object("create", true)]).await?;
        Ok(Self { root, writing: Mutex::new(()), folders: RefCell::default() })
    }

    async fn folder(&self, transfer: TransferId, create: bool) -> Result<JsValue, JsValue> {
        if let Some(known) = self.folders.borrow().get(&transfer) {
            return Ok(known.clone());
        }
        let name = transfer.to_string();
        let opened = js::invoke(&self.root, "getDirectoryHandle", &[name.into(), js::object("create", create)]).await?;
        self.folders.borrow_mut().insert(transfer, opened.clone());
        Ok(opened)
    }

    async fn write(&self, transfer: TransferId, index: u32, sealed: &[u8]) -> Result<(), JsValue> {
        let folder = self.folder(transfer, true).await?;
        let name = index.to_string();
        let file = js::invoke(&folder, "getFileHandle", &[name.into(), js::object("create", true)]).await?;
        let handle = js::invoke(&file, "createSyncAccessHandle", &[]).await?;
        let work = async {
            let write: Function = js::get(&handle, "write")?.dyn_into()?;
            let written = write.call1(&handle, &js::view(sealed))?;
            let length = Some(sealed.len() as f64);
            if written.as_f64() != length {
                return Err(JsValue::NULL);
            }
            // Another run may have left more there. Nothing is flushed: it takes the disk longer than the network takes for
            // the chunk, and what a power cut takes away is noticed.
            if js::invoke(&handle, "getSize", &[]).await?.as_f64() != length {
                js::invoke(&handle, "truncate", &[(sealed.len() as f64).into()]).await?;
            }
            Ok(())
        };
        let done = work.await;
        js::invoke(&handle, "close", &[]).await?;
        done
    }

    async fn read(&self, transfer: TransferId, index: u32) -> Result<Vec<u8>, JsValue> {
        let folder = self.folder(transfer, false).await?;
        let file = js::invoke(&folder, "getFileHandle", &[index.to_string().into()]).await?;
        let file = js::invoke(&file, "getFile", &[]).await?;
        let buffer = js::invoke(&file, "arrayBuffer", &[]).await?;
        Ok(js::bytes(&buffer))
    }

    async fn remove(&self, name: &str) {
        let _one = self.writing.lock().await;
        if let Ok(transfer) = name.parse() {
            self.folders.borrow_mut().remove(&transfer);
        }
        // One that is not there is fine.
        let _ = js::invoke(&self.root, "removeEntry", &[name.into(), js::object("recursive", true)]).await;
    }
}

impl OpfsSpool {
    /// Opens the folder.
    pub async fn open() -> Self {
        Self(Sealed::open().await.ok().map(Rc::new))
    }
    /// Forgets everything.
    pub async fn wipe(&self) {
        let Some(sealed) = &self.0 else { return };
        for name in names(&sealed.root).await.unwrap_or_default() {
            sealed.remove(&name).await;
        }
    }
}

impl Spool for OpfsSpool {
    fn keeps(&self) -> bool {
        self.0.is_some()
    }
    async fn room(&self) -> Option<u64> {
        let estimate = js::invoke(&storage().ok()?, "estimate", &[]).await.ok()?;
        let number = |name| js::get(&estimate, name).ok().and_then(|n| n.as_f64());
        Some((number("quota")? - number("usage")? - RESERVE).max(0.0) as u64)
    }
    async fn transfers(&self) -> Vec<TransferId> {
        let Some(sealed) = &self.0 else { return Vec::new() };
        let names = names(&sealed.root).await.unwrap_or_default();
        names.iter().filter_map(|name| name.parse().ok()).collect()
    }
    async fn held(&self, transfer: TransferId) -> Result<Vec<u32>, FileError> {
        let Some(sealed) = &self.0 else { return Ok(Vec::new()) };
        let found = async { names(&sealed.folder(transfer, false).await?).await };
        match found.await {
            Ok(names) => Ok(names.iter().filter_map(|name| name.parse().ok()).collect()),
            Err(e) if js::error_name(&e) == "NotFoundError" => Ok(Vec::new()),
            Err(_) => Err(FileError::Spool),
        }
    }
    async fn put(&self, transfer: TransferId, index: u32, bytes: &[u8]) -> Result<(), FileError> {
        let sealed = self.0.clone().ok_or(FileError::Spool)?;
        let bytes = bytes.to_vec();
        let (tell, done) = oneshot::channel();
        // A task of its own: a transfer that is paused in the middle must not leave a file open, which nobody could
        // write or remove until the browser collects it.
        spawn_local(async move {
            let _one = sealed.writing.lock().await;
            if !tell.is_canceled() {
                let _ = tell.send(sealed.write(transfer, index, &bytes).await.map_err(|_| FileError::Spool));
            }
        });
        done.await.unwrap_or(Err(FileError::Spool))
    }
    async fn get(&self, transfer: TransferId, index: u32) -> Result<Option<Vec<u8>>, FileError> {
        let Some(sealed) = &self.0 else { return Ok(None) };
        match sealed.read(transfer, index).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if js::error_name(&e) == "NotFoundError" => Ok(None),
            Err(_) => Err(FileError::Spool),
        }
    }
    async fn remove(&self, transfer: TransferId) {
        if let Some(sealed) = &self.0 {
            sealed.remove(&transfer.to_string()).await;
        }
    }
}
