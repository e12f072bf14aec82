//! The web app: a folder of finished files, read once and served from memory under a strict policy.
//!
//! The folder is what `cargo xtask web` builds. Its `bundle.json` names every file with its SHA-256, so that the same
//! bundle can be packed and signed for devices; a folder that differs from it is refused at start. Paths are looked up
//! in a table, never on the disk, so no request can reach another file.

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pakawaaz_base::ErrorClass;
use pakawaaz_http::Problem;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path};
use std::sync::Arc;

const BUNDLE: &str = "bundle.json";
const ENTRY: &str = "index.html";
/// A web app larger than this is a mistake in the configuration.
const MAX_TOTAL: u64 = 256 * 1024 * 1024;

/// Nothing but our own files; scripts only from files, WebAssembly, and strings never become code or markup.
/// `connect-src 'self'` covers the WebSocket of the same origin. `blob:` shows what this device decrypted itself.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    require-trusted-types-for 'script'; trusted-types pakawaaz; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The camera reads vouchers (and calls later); nothing else of the device is asked for.
const PERMISSIONS: &str = "camera=(self), microphone=(self), geolocation=(), usb=(), serial=(), hid=(), payment=()";

/// `bundle.json`.
#[derive(Deserialize)]
struct Bundle {
    /// Path → SHA-256 in hex.
    files: BTreeMap<String, String>,
}

struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    kind: &'static str,
    etag: HeaderValue,
    /// Its name changes with its content.
    immutable: bool,
}

/// Every file of the bundle.
pub struct WebApp {
    files: HashMap<String, File>,
}

impl WebApp {
    /// Reads and verifies the folder.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(BUNDLE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{}: no web app here; `cargo xtask web` builds it", path.display()))?;
        let bundle: Bundle = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        let mut files = HashMap::new();
        let mut compressed = Vec::new();
        let mut total = 0;
        for (name, expected) in &bundle.files {
            ensure!(
                Path::new(name).components().all(|part| matches!(part, Component::Normal(_))),
                "{}: a path leads out of the bundle",
                path.display()
            );
            let bytes = std::fs::read(dir.join(name)).with_context(|| format!("reading {name} of the web app"))?;
            total += bytes.len() as u64;
            ensure!(total <= MAX_TOTAL, "the web app is larger than {MAX_TOTAL} bytes");
            let hash = hex::encode(Sha256::digest(&bytes));
            ensure!(hash == *expected, "{name} of the web app is not the one in {BUNDLE}");
            if let Some(of) = name.strip_suffix(".br") {
                compressed.push((of.to_owned(), Bytes::from(bytes)));
                continue;
            }
            let file = File {
                plain: bytes.into(),
                brotli: None,
                kind: content_type(name),
                etag: HeaderValue::from_str(&format!("\"{}\"", &hash[..32])).context("making an ETag")?,
                immutable: name.starts_with("assets/"),
            };
            files.insert(name.clone(), file);
        }
        for (of, bytes) in compressed {
            if let Some(file) = files.get_mut(&of) {
                file.brotli = Some(bytes);
            }
        }
        if !files.contains_key(ENTRY) {
            bail!("the web app has no {ENTRY}");
        }
        Ok(Self { files })
    }

    /// Every path that no other route takes: a file, or the app itself for its own screens.
    pub fn router(self) -> Router {
        let app = Arc::new(self);
        let serve = move |request: Request| {
            let app = app.clone();
            async move { app.answer(request.uri().path(), request.headers()) }
        };
        Router::new().route("/", get(serve.clone())).route("/{*path}", get(serve))
    }

    fn answer(&self, path: &str, headers: &HeaderMap) -> Response {
        let name = path.trim_start_matches('/');
        let file = match self.files.get(name) {
            Some(file) => file,
            // A screen of the app has no dot in its last part; a missing file and the API are no screens.
            None if name.starts_with("v1/") || name.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
                return Problem::new(ErrorClass::NotFound, "http.no_such_route").into_response();
            }
            None => &self.files[ENTRY],
        };
        let known = headers.get(IF_NONE_MATCH).is_some_and(|etag| *etag == file.etag);
        let accepts = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(accepts_brotli);
        let mut response = match (&file.brotli, accepts) {
            _ if known => StatusCode::NOT_MODIFIED.into_response(),
            (Some(brotli), true) => ([(CONTENT_ENCODING, "br")], brotli.clone()).into_response(),
            _ => file.plain.clone().into_response(),
        };
        let headers = response.headers_mut();
        let lifetime = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        for (name, value) in [
            (CONTENT_TYPE, file.kind),
            (CACHE_CONTROL, lifetime),
            (CONTENT_SECURITY_POLICY, POLICY),
            (VARY, "accept-encoding"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("permissions-policy"), PERMISSIONS),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(ETAG, file.etag.clone());
        response
    }
}

fn accepts_brotli(header: &str) -> bool {
    header.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        words.next() == Some("br") && !words.any(|w| matches!(w, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        let mut hashes = BTreeMap::new();
        for (name, content) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, content).expect("written");
            hashes.insert(name, hex::encode(Sha256::digest(content)));
        }
        let bundle = serde_json::json!({ "files": hashes });
        std::fs::write(dir.path().join(BUNDLE), bundle.to_string()).expect("written");
        dir
    }
    fn app() -> (tempfile::TempDir, WebApp) {
        let dir = folder(&[
            ("index.html", "<!doctype html>"),
            ("assets/a-1234.js", "plain"),
            ("assets/a-1234.js.br", "compressed"),
            ("manifest.webmanifest", "{}"),
        ]);
        let app = WebApp::load(dir.path()).expect("loads");
        (dir, app)
    }
    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |v| v.to_str().expect("text"))
    }
    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn screens_get_the_app_and_files_get_themselves_under_the_policy() {
        let (_dir, app) = app();
        for path in ["/", "/c/0190", "/settings/devices"] {
            let response = app.answer(path, &HeaderMap::new());
            assert_eq!((response.status(), header(&response, "cache-control")), (StatusCode::OK, "no-cache"));
            assert!(header(&response, "content-security-policy").contains("require-trusted-types-for 'script'"));
            assert_eq!(body(response).await, "<!doctype html>");
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let response = app.answer("/assets/a-1234.js", &headers);
        assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
        assert!(header(&response, "cache-control").contains("immutable"));
        assert_eq!(body(response).await, "compressed");
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("br;q=0"));
        assert_eq!(body(app.answer("/assets/a-1234.js", &headers)).await, "plain");
    }

    #[tokio::test]
    async fn what_is_known_is_not_sent_again() {
        let (_dir, app) = app();
        let first = app.answer("/", &HeaderMap::new());
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        let second = app.answer("/", &headers);
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(body(second).await, "");
    }

    #[test]
    fn the_api_and_missing_files_are_no_screens() {
        let (_dir, app) = app();
        for path in ["/v1/nothing", "/assets/b.js", "/../../etc/passwd.txt"] {
            assert_eq!(app.answer(path, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_changed_or_escaping_bundle_is_refused() {
        let (dir, _) = app();
        std::fs::write(dir.path().join("assets/a-1234.js"), "evil").expect("written");
        assert!(WebApp::load(dir.path()).is_err_and(|e| e.to_string().contains("a-1234.js")));
        let dir = folder(&[("index.html", "x")]);
        std::fs::write(dir.path().join(BUNDLE), r#"{"files":{"../secret":"00"}}"#).expect("written");
        assert!(WebApp::load(dir.path()).is_err_and(|e| e.to_string().contains("leads out")));
        assert!(WebApp::load(tempfile::tempdir().expect("a folder").path()).is_err());
    }
}
