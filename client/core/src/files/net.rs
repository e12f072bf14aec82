//! Requests about files, with patience for broken connections.

use super::running::Run;
use crate::http::{json, request};
use crate::transport::{HttpRequest, HttpResponse, Method};
use crate::{Client, ClientError, Platform, Store, Transport};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_base::FileId;
use pakawaaz_contract::files::{ACCESS_HEADER, CompletedFile, CreateFileRequest, CreatedFile, FileState, FileUsage};
use pakawaaz_conversation::FileRef;
use std::time::Duration;

/// First pause after a failure; doubled each time.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// Attempts at one request before the transfer rests. The last pauses add up to some minutes.
const ATTEMPTS: u32 = 10;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// A request again and again while trying again may help.
    async fn patiently(&self, run: &Run, request: HttpRequest) -> Result<HttpResponse, ClientError> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let error = match self.authorised(request.clone()).await {
                Ok(response) => {
                    run.set_waiting(false);
                    return Ok(response);
                }
                Err(error) => error,
            };
            let wait = match &error {
                ClientError::Refused { retry_after_ms: Some(ms), .. } => Duration::from_millis(*ms).min(LONGEST),
                _ => pause,
            };
            if !error.is_temporary() || attempt >= ATTEMPTS {
                return Err(error);
            }
            run.set_waiting(true);
            self.platform().sleep(wait).await;
            pause = (pause * 2).min(LONGEST);
        }
        Err(ClientError::BadAnswer)
    }

    /// What this official's files take up at the server, and what they may.
    ///
    /// # Errors
    /// As every request.
    pub async fn file_usage(&self) -> Result<FileUsage, ClientError> {
        self.get("/v1/files").await
    }

    pub(super) async fn announce_file(&self, run: &Run, new: &CreateFileRequest) -> Result<CreatedFile, ClientError> {
        json(self.patiently(run, crate::http::post("/v1/files", new)).await?)
    }
    pub(super) async fn file_state(&self, run: &Run, file: FileId) -> Result<FileState, ClientError> {
        json(self.patiently(run, request(Method::Get, &format!("/v1/files/{file}"))).await?)
    }
    pub(super) async fn put_file_chunk(
        &self,
        run: &Run,
        file: FileId,
        index: u32,
        sealed: Vec<u8>,
    ) -> Result<(), ClientError> {
        let mut request = request(Method::Put, &format!("/v1/files/{file}/chunks/{index}"));
        request.headers.push(("content-type".into(), "application/octet-stream".into()));
        request.body = sealed;
        self.patiently(run, request).await.map(drop)
    }
    pub(super) async fn complete_file(&self, run: &Run, file: FileId) -> Result<CompletedFile, ClientError> {
        json(self.patiently(run, request(Method::Post, &format!("/v1/files/{file}/complete"))).await?)
    }
    pub(super) async fn fetch_file_chunk(&self, run: &Run, file: &FileRef, index: u32) -> Result<Vec<u8>, ClientError> {
        let mut request = request(Method::Get, &format!("/v1/files/{}/chunks/{index}", file.file));
        request.headers.push((ACCESS_HEADER.into(), URL_SAFE_NO_PAD.encode(file.access)));
        Ok(self.patiently(run, request).await?.body)
    }
    /// Once, without patience: what stays there ends by itself.
    pub(super) async fn delete_file(&self, file: FileId) {
        let _ = self.authorised(request(Method::Delete, &format!("/v1/files/{file}"))).await;
    }
}
