//! Files as a browser has them: chosen by the official, collected in blobs, and sealed chunks in the origin's private
//! file system.

use super::js;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use pakawaaz_base::TransferId;
use pakawaaz_client::{FileError, FileSink, FileSource, Spool};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File};

/// Folder of the sealed chunks.
const FOLDER: &str = "outgoing";

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
        Ok(Uint8Array::new(buffer.dyn_ref::<ArrayBuffer>().ok_or(FileError::Source)?).to_vec())
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
        let part = Array::of1(&Uint8Array::from(bytes));
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

/// Sealed chunks in the origin's private file system, so that an upload goes on after a reload without the file being
/// chosen again. Where the browser has none, nothing is kept.
pub struct OpfsSpool {
    root: Option<JsValue>,
}

impl OpfsSpool {
    /// Opens the folder.
    pub async fn open() -> Self {
        let open = async {
            let storage = js::get(&js::global("navigator")?, "storage")?;
            let root = js::invoke(&storage, "getDirectory", &[]).await?;
            js::invoke(&root, "getDirectoryHandle", &[FOLDER.into(), js::object("create", true)]).await
        };
        Self { root: open.await.ok() }
    }
    /// Forgets everything.
    pub async fn wipe(&self) {
        let Some(root) = &self.root else { return };
        let Ok(keys) = js::invoke(root, "keys", &[]).await else { return };
        let mut names = Vec::new();
        while let Ok(next) = js::invoke(&keys, "next", &[]).await {
            match js::get(&next, "value") {
                Ok(name) if name.is_string() => names.push(name),
                _ => break,
            }
        }
        for name in names {
            let _ = js::invoke(root, "removeEntry", &[name, js::object("recursive", true)]).await;
        }
    }

    async fn folder(&self, transfer: TransferId, create: bool) -> Result<JsValue, JsValue> {
        let root = self.root.as_ref().ok_or(JsValue::NULL)?;
        let name = transfer.to_string();
        js::invoke(root, "getDirectoryHandle", &[name.into(), js::object("create", create)]).await
    }

    async fn write(&self, transfer: TransferId, index: u32, sealed: &[u8]) -> Result<(), JsValue> {
        let folder = self.folder(transfer, true).await?;
        let name = index.to_string();
        let file = js::invoke(&folder, "getFileHandle", &[name.into(), js::object("create", true)]).await?;
        let handle = js::invoke(&file, "createSyncAccessHandle", &[]).await?;
        let work = async {
            js::invoke(&handle, "truncate", &[0.into()]).await?;
            let written = js::invoke(&handle, "write", &[Uint8Array::from(sealed).into()]).await?;
            if written.as_f64() != Some(sealed.len() as f64) {
                return Err(JsValue::NULL);
            }
            js::invoke(&handle, "flush", &[]).await
        };
        let done = work.await;
        js::invoke(&handle, "close", &[]).await?;
        done.map(drop)
    }
}

impl Spool for OpfsSpool {
    fn keeps(&self) -> bool {
        self.root.is_some()
    }
    async fn put(&self, transfer: TransferId, index: u32, sealed: &[u8]) -> Result<(), FileError> {
        self.write(transfer, index, sealed).await.map_err(|_| FileError::Spool)
    }
    async fn get(&self, transfer: TransferId, index: u32) -> Result<Option<Vec<u8>>, FileError> {
        let read = async {
            let folder = self.folder(transfer, false).await?;
            let file = js::invoke(&folder, "getFileHandle", &[index.to_string().into()]).await?;
            let file = js::invoke(&file, "getFile", &[]).await?;
            js::invoke(&file, "arrayBuffer", &[]).await
        };
        match read.await {
            Ok(buffer) => Ok(Some(Uint8Array::new(&buffer).to_vec())),
            Err(e) if js::error_name(&e) == "NotFoundError" => Ok(None),
            Err(_) => Err(FileError::Spool),
        }
    }
    async fn remove(&self, transfer: TransferId) {
        let Some(root) = &self.root else { return };
        // One that is not there is fine.
        let _ = js::invoke(root, "removeEntry", &[transfer.to_string().into(), js::object("recursive", true)]).await;
    }
}
