//! The routes: who may, what they say, and that memory stays bounded.

use crate::support::{ACCESS, MIGRATIONS, actor, chunk, request, store};
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, ErrorClass, Millis};
use pakawaaz_contract::files::ACCESS_HEADER;
use pakawaaz_files::http::{is_chunk_path, openapi, router};
use pakawaaz_http::{Authenticator, ConnectionInfo, Edge, Problem, RequestHead};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;
use tower::ServiceExt;

/// `one` and `two` are the tokens of two officials.
struct Tokens;

#[async_trait::async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, head: RequestHead) -> Result<Actor, Problem> {
        match head.authorization.as_deref() {
            Some("one") => Ok(actor(1, &[])),
            Some("two") => Ok(actor(2, &[])),
            _ => Err(Problem::new(ErrorClass::Unauthenticated, "test.no_token")),
        }
    }
}

async fn call(
    app: &Router,
    token: &str,
    method: Method,
    path: &str,
    access: &str,
    body: Body,
) -> (StatusCode, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path).header("host", "x").header("authorization", token);
    if !access.is_empty() {
        request = request.header(ACCESS_HEADER, access);
    }
    request = request.extension(ConnectionInfo { peer: ([127, 0, 0, 1], 1).into(), tls_exporter: None, secure: false });
    let request = request.header("content-type", "application/json").body(body).expect("request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    let status = response.status();
    (status, response.into_body().collect().await.expect("body").to_bytes().to_vec())
}

fn code(body: &[u8]) -> String {
    let problem: Problem = serde_json::from_slice(body).expect("problem");
    problem.code.into_owned()
}

store_test!(the_routes_serve_the_service, &MIGRATIONS, |db| async move {
    let store = store(db);
    let edge = Edge { authenticator: Arc::new(Tokens), clock: Arc::new(ManualClock::at(Millis(1))) };
    let app = edge.wrap(router(store.files.clone()));
    let json = |value: serde_json::Value| Body::from(value.to_string());

    let announce = serde_json::to_value(request(150, 100, ACCESS)).expect("json");
    let (status, _) = call(&app, "nobody", Method::POST, "/v1/files", "", json(announce.clone())).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, body) = call(&app, "one", Method::POST, "/v1/files", "", json(announce)).await;
    assert_eq!(status, StatusCode::OK);
    let created: serde_json::Value = serde_json::from_slice(&body).expect("json");
    let base = format!("/v1/files/{}", created["file"].as_str().expect("id"));
    let at = |number: u32| format!("{base}/chunks/{number}");

    let (status, body) = call(&app, "two", Method::PUT, &at(0), "", chunk(0, 100).into()).await;
    assert_eq!((status, code(&body).as_str()), (StatusCode::NOT_FOUND, "files.not_found"));
    for (wrong, length) in [(0, 99), (0, 101), (1, 100), (2, 1)] {
        let (status, body) = call(&app, "one", Method::PUT, &at(wrong), "", chunk(0, length).into()).await;
        assert_eq!((status, code(&body).as_str()), (StatusCode::BAD_REQUEST, "files.bad_chunk"), "{wrong} {length}");
    }
    for (number, length) in [(0, 100), (1, 50)] {
        let (status, _) = call(&app, "one", Method::PUT, &at(number), "", chunk(number, length).into()).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let (status, body) = call(&app, "one", Method::PUT, &at(1), "", chunk(9, 50).into()).await;
    assert_eq!((status, code(&body).as_str()), (StatusCode::CONFLICT, "files.chunk_differs"));
    let (_, body) = call(&app, "one", Method::GET, &base, "", Body::empty()).await;
    let state: serde_json::Value = serde_json::from_slice(&body).expect("json");
    assert_eq!((&state["chunks"], &state["received"], &state["complete"]), (&2.into(), &"Aw".into(), &false.into()));
    let (status, _) = call(&app, "one", Method::POST, &format!("{base}/complete"), "", Body::empty()).await;
    assert_eq!(status, StatusCode::OK);

    let access = URL_SAFE_NO_PAD.encode(ACCESS);
    let (status, body) = call(&app, "two", Method::GET, &at(1), &access, Body::empty()).await;
    assert_eq!((status, body), (StatusCode::OK, chunk(1, 50).to_vec()));
    for wrong in ["", "AAAA", &URL_SAFE_NO_PAD.encode([6; 32]), &"A".repeat(5000)] {
        let (status, body) = call(&app, "two", Method::GET, &at(1), wrong, Body::empty()).await;
        assert_eq!((status, code(&body).as_str()), (StatusCode::NOT_FOUND, "files.not_found"), "{wrong}");
    }
    let (status, _) = call(&app, "one", Method::DELETE, &base, "", Body::empty()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = call(&app, "two", Method::GET, &at(1), &access, Body::empty()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, body) = call(&app, "one", Method::GET, "/v1/files", "", Body::empty()).await;
    let usage: serde_json::Value = serde_json::from_slice(&body).expect("json");
    assert_eq!((&usage["used"], &usage["quota"]), (&0.into(), &2500.into()));
    let long = format!("{{\"size\":{}}}", "1".repeat(10_000));
    let (status, _) = call(&app, "one", Method::POST, "/v1/files", "", long.into()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
});

#[test]
fn the_contract_names_every_route() {
    let paths: Vec<_> = openapi().paths.paths.into_keys().collect();
    assert_eq!(
        paths,
        ["/v1/files", "/v1/files/{file}", "/v1/files/{file}/chunks/{number}", "/v1/files/{file}/complete"]
    );
    assert!(is_chunk_path("/v1/files/x/chunks/0"));
    assert!(!is_chunk_path("/v1/files/x/complete") && !is_chunk_path("/v1/groups/chunks/"));
}
