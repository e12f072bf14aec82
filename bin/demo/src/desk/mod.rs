//! The enrolment desk: a page on this machine that does what an administrator's office does in a ministry. It hands
//! out enrolment cards (a voucher under dual control and a SIM), takes devices and cards away, shows whose phone is on the
//! network, and opens phones: each phone is an
//! origin of its own, `http://NAME.localhost:PORT`, so a browser keeps them apart as two phones would be.
//!
//! For demonstrations only. It answers on loopback, to its own page and to no other site's.

mod board;
mod clerk;
mod page;
mod people;

use crate::cards;
use crate::government::Government;
use crate::member::Member;
use crate::network::{Network, Radio};
use crate::state::State;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::{get, post};
use board::Board;
use clerk::{Clerk, Errand, Wish};
use futures::stream::{self, Stream};
pub use people::origin;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

const SCRIPT: &str = include_str!("desk.js");
const STYLE: &str = include_str!("desk.css");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A running desk. Dropping it ends it.
pub struct Desk {
    /// Where it listens.
    pub address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What the handlers share.
#[derive(Clone)]
struct Counter {
    errands: mpsc::Sender<Errand>,
    board: Board,
    address: SocketAddr,
    page: Arc<str>,
}

impl Desk {
    /// Opens the desk on `port` (0: any). Must run in a `LocalSet`.
    pub async fn open(
        state: &Arc<State>,
        plan: &Arc<Government>,
        suggested: usize,
        administrators: (Member, Member),
        app_port: u16,
        port: u16,
        network: Network,
        radio: &Radio,
    ) -> Result<Self> {
        let listener = match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => listener,
            // The desk's own port is in no voucher: another one is as good.
            Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.context("opening the desk")?,
        };
        let address = listener.local_addr()?;
        let (errands, inbox) = mpsc::channel(64);
        let batch = Zeroizing::new(std::fs::read(state.path("sims.csv")).context("reading the SIM batch")?);
        let usernames = plan.officials.iter().map(|official| official.username.clone());
        let imsis: HashMap<String, String> = usernames.zip(cards::imsis(&batch)).collect();
        let owners = imsis.iter().map(|(username, imsi)| (imsi.clone(), username.clone())).collect();
        let (first, second) = (Rc::new(administrators.0), administrators.1);
        let board: Board = Arc::new(watch::Sender::new(Arc::from("{}")));
        let keeping = board::keep(Arc::clone(&board), Rc::clone(&first), owners, radio.data_path());
        let (state, plan, hands) = (Arc::clone(state), Arc::clone(plan), (network, radio.remote()));
        let clerk = Clerk::new(state, plan, suggested, (first, second), app_port, hands, imsis);
        let counter = Counter { errands, board, address, page: page::html(app_port).into() };
        let router = Router::new()
            .route("/", get(|Shared(c): Shared<Counter>| async move { Html(c.page.to_string()) }))
            .route("/desk.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT) }))
            .route("/desk.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
            .route("/people", get(people_list))
            .route("/phones", get(phones))
            .route("/people/{username}/{wish}", post(wish))
            .layer(middleware::from_fn_with_state(counter.clone(), guard))
            .with_state(counter);
        let serving = tokio::task::spawn_local(async move {
            let _ = axum::serve(listener, router).await;
        });
        let tasks = vec![serving, tokio::task::spawn_local(clerk.work(inbox)), tokio::task::spawn_local(keeping)];
        Ok(Self { address, tasks })
    }
}

/// Only this page may ask: no other name for this machine (DNS rebinding), no other site's script.
async fn guard(Shared(counter): Shared<Counter>, request: Request, next: Next) -> Response {
    if !trusted(request.headers(), request.method() == axum::http::Method::POST, counter.address) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn trusted(headers: &HeaderMap, changes: bool, address: SocketAddr) -> bool {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let ours = |host: &str| host == address.to_string() || host == format!("localhost:{}", address.port());
    if !text(header::HOST).is_some_and(ours) {
        return false;
    }
    match text(header::ORIGIN) {
        Some(origin) => origin.strip_prefix("http://").is_some_and(ours),
        // Browsers name the origin of everything that changes something; programs say so with this header.
        None => !changes || headers.contains_key("pakawaaz-desk"),
    }
}

async fn people_list(Shared(counter): Shared<Counter>) -> Response {
    ask(&counter, String::new(), Wish::List).await
}

/// The board, and every change of it.
async fn phones(Shared(counter): Shared<Counter>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut looking = counter.board.subscribe();
    looking.mark_changed();
    Sse::new(stream::unfold(looking, |mut looking| async move {
        looking.changed().await.ok()?;
        let board = looking.borrow_and_update().to_string();
        Some((Ok(Event::default().data(board)), looking))
    }))
    .keep_alive(KeepAlive::default())
}

async fn wish(Shared(counter): Shared<Counter>, Path((username, wish)): Path<(String, String)>) -> Response {
    match Wish::parse(&wish) {
        Some(wish) => ask(&counter, username, wish).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn ask(counter: &Counter, username: String, wish: Wish) -> Response {
    let (tell, told) = oneshot::channel();
    if counter.errands.send(Errand { username, wish, tell }).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match told.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(why)) => (StatusCode::CONFLICT, Json(serde_json::json!({ "error": why }))).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn other_sites_and_other_names_get_nothing() {
        let at: SocketAddr = "127.0.0.1:5000".parse().unwrap();
        let host = (header::HOST, "127.0.0.1:5000");
        let origin = |o| (header::ORIGIN, o);
        assert!(trusted(&headers(std::slice::from_ref(&host)), false, at));
        assert!(trusted(&headers(&[(header::HOST, "localhost:5000")]), false, at));
        assert!(trusted(&headers(&[host.clone(), origin("http://127.0.0.1:5000")]), true, at));
        assert!(!trusted(&headers(&[host.clone(), origin("http://asma-khan.localhost:4000")]), true, at));
        assert!(!trusted(&headers(std::slice::from_ref(&host)), true, at), "a change without an origin");
        assert!(trusted(&headers(&[host, (HeaderName::from_static("pakawaaz-desk"), "1")]), true, at));
        assert!(!trusted(&headers(&[(header::HOST, "evil.example:5000")]), false, at), "a rebound name");
        assert!(!trusted(&HeaderMap::new(), false, at));
    }
}
