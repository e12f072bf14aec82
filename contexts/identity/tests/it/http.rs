//! The routes: what each needs, and that they are the contract's.

use crate::MIGRATIONS;
use crate::world::{AUTHORITY, NOW, Person, World, csv};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use pakawaaz_base::Bytes;
use pakawaaz_contract::admin::SimImportResponse;
use pakawaaz_contract::identity::{LoginStartRequest, Me, RefreshRequest, ServerInfo, Tokens};
use pakawaaz_http::{ConnectionInfo, Edge, Throttle, ThrottleOptions};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;
use tower::ServiceExt;

fn app(world: &World, burst: u32) -> axum::Router {
    let options = ThrottleOptions { burst, per_second: 0.001, max_sources: 100 };
    let router = pakawaaz_identity::http::router(world.identity.clone(), Arc::new(Throttle::new(options)));
    let identity = Arc::new(world.identity.clone());
    let edge = Edge { authenticator: identity, clock: world.clock.clone() }.wrap(router);
    let peer = "127.0.0.1:5555".parse().unwrap();
    edge.layer(axum::Extension(ConnectionInfo { peer, tls_exporter: None, secure: false }))
}

async fn send(app: &axum::Router, request: Request<Body>) -> (StatusCode, serde_json::Value) {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn plain(method: &str, path: &str, media: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", AUTHORITY)
        .header("content-type", media)
        .body(body.into())
        .unwrap()
}

fn authorised(person: &Person, method: &str, path: &str, media: &str, body: impl Into<Body>) -> Request<Body> {
    let mut request = plain(method, path, media, body);
    let url = format!("http://{AUTHORITY}{path}");
    let proof = person.proof(method, &url, NOW, None, true);
    let headers = request.headers_mut();
    headers.insert("authorization", format!("DPoP {}", person.tokens().access_token).parse().unwrap());
    headers.insert("dpop", proof.parse().unwrap());
    request
}

store_test!(requests_are_answered_over_http, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    let app = app(&world, 100);
    let (status, info) = send(&app, plain("GET", "/v1/server", "", "")).await;
    let info: ServerInfo = serde_json::from_value(info).unwrap();
    assert_eq!((status, info.realm.as_str(), info.ca_chain.len()), (StatusCode::OK, "pakawaaz.test", 2));

    let (status, me) = send(&app, authorised(&first, "GET", "/v1/me", "", "")).await;
    assert_eq!(status, StatusCode::OK, "{me}");
    assert_eq!(serde_json::from_value::<Me>(me).unwrap().device, first.device);
    let (status, problem) = send(&app, plain("GET", "/v1/me", "", "")).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("identity.token_invalid")));

    let import = authorised(&first, "POST", "/v1/admin/sims/import", "text/csv", csv(20..22));
    let (status, answer) = send(&app, import).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(serde_json::from_value::<SimImportResponse>(answer).unwrap().imported, 2);
    let bad = authorised(&first, "POST", "/v1/admin/sims/import", "text/csv", csv(20..22));
    let (status, problem) = send(&app, bad).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("identity.sim_row")));
    assert!(problem["detail"].as_str().unwrap().starts_with("row 2: "));
    let json = authorised(&first, "POST", "/v1/admin/sims/import", "application/json", "{}");
    assert_eq!(send(&app, json).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    let body = serde_json::to_vec(&RefreshRequest { refresh_token: first.tokens().refresh_token.clone() }).unwrap();
    let mut refresh = plain("POST", "/v1/token/refresh", "application/json", body);
    let url = format!("http://{AUTHORITY}/v1/token/refresh");
    refresh.headers_mut().insert("dpop", first.proof("POST", &url, NOW, None, false).parse().unwrap());
    let (status, tokens) = send(&app, refresh).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(serde_json::from_value::<Tokens>(tokens).unwrap().session, first.session());

    let (status, page) = send(&app, authorised(&first, "GET", "/v1/admin/audit", "", "")).await;
    assert_eq!((status, page["verified"].as_bool()), (StatusCode::OK, Some(true)));
    let (status, problem) = send(&app, authorised(&first, "POST", "/v1/logout", "application/json", "{}")).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("http.bad_json")));
    let logout = authorised(&first, "POST", "/v1/logout", "application/json", r#"{"everywhere":true}"#);
    assert_eq!(send(&app, logout).await.0, StatusCode::NO_CONTENT);
    let (status, problem) = send(&app, authorised(&first, "GET", "/v1/me", "", "")).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("identity.session_ended")));
});

store_test!(strangers_are_throttled_by_address, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let app = app(&world, 2);
    let request = LoginStartRequest {
        version: 1,
        username: "nobody".into(),
        device: pakawaaz_base::DeviceId::from_bytes([1; 16]),
        ke1: Bytes(vec![0; 96]),
        token_key: Bytes(vec![4; 65]),
        nonce: Bytes(vec![0; 32]),
        channel: pakawaaz_contract::identity::ChannelMode::Loopback,
        signature: Bytes(vec![0; 64]),
    };
    let body = serde_json::to_vec(&request).unwrap();
    let mut last = StatusCode::OK;
    for _ in 0..3 {
        let request = plain("POST", "/v1/login/start", "application/json", body.clone());
        last = send(&app, request).await.0;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
});

store_test!(every_described_operation_is_routed, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let app = app(&world, 100);
    let described = serde_json::to_value(pakawaaz_identity::http::openapi()).unwrap();
    let mut operations = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        // An id in every parameter, so that only the route decides.
        let path = with_ids(path);
        for method in methods.as_object().unwrap().keys() {
            let request = plain(&method.to_uppercase(), &path, "application/json", "");
            let (status, problem) = send(&app, request).await;
            assert_ne!(problem["code"], "http.no_such_route", "{method} {path}");
            assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            operations += 1;
        }
    }
    assert!(operations >= 28, "{operations}");
});

/// The path with a UUID for each `{parameter}`.
fn with_ids(path: &str) -> String {
    let id = "00000000-0000-7000-8000-000000000000";
    path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
}
