//! The routes: who may, what they say, and that the contract names them.

use crate::support::{MIGRATIONS, actor, name, office};
use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, ErrorClass, Millis, PostId, Role};
use pakawaaz_contract::directory::{CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, UnitKind};
use pakawaaz_directory::http::{openapi, router};
use pakawaaz_http::{Authenticator, ConnectionInfo, Edge, Problem, RequestHead};
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::AppointmentKind;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// `manager` and `official` are the two tokens there are.
struct Tokens;

#[async_trait::async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, head: RequestHead) -> Result<Actor, Problem> {
        match head.authorization.as_deref() {
            Some("manager") => Ok(actor(&[Role::DirectoryManager])),
            Some("official") => Ok(actor(&[])),
            _ => Err(Problem::new(ErrorClass::Unauthenticated, "test.no_token")),
        }
    }
}

async fn call(app: &Router, token: &str, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).header("host", "x").header("authorization", token);
    request = request.extension(ConnectionInfo { peer: ([127, 0, 0, 1], 1).into(), tls_exporter: None, secure: false });
    let body = body.map_or(Body::empty(), |json| Body::from(json.to_string()));
    let request = request.header("content-type", "application/json").body(body).expect("request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("body").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn body(request: impl serde::Serialize) -> Option<Value> {
    Some(serde_json::to_value(request).expect("json"))
}

store_test!(the_routes_serve_the_service, &MIGRATIONS, |db| async move {
    let office = office(db);
    let edge = Edge { authenticator: Arc::new(Tokens), clock: Arc::new(ManualClock::at(Millis(1))) };
    let app = edge.wrap(router(office.directory.clone()));

    let unit = CreateUnitRequest { parent: None, kind: UnitKind::Ministry, name: name("Finance", "خزانہ") };
    let (status, refused) = call(&app, "official", Method::POST, "/v1/admin/units", body(&unit)).await;
    assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("directory.forbidden")));
    let (status, _) = call(&app, "nobody", Method::GET, "/v1/directory/units", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);

    let (status, unit) = call(&app, "manager", Method::POST, "/v1/admin/units", body(&unit)).await;
    assert_eq!((status, &unit["kind"]), (StatusCode::OK, &json!("ministry")));
    let unit_id = unit["unit"].as_str().expect("id");
    let post = CreatePostRequest { unit: unit_id.parse().expect("id"), title: name("Secretary", ""), grade: 22 };
    let (_, post) = call(&app, "manager", Method::POST, "/v1/admin/posts", body(post)).await;
    let official =
        CreateOfficialRequest {
            username: "a.khan".into(), name: name("Amna Khan", "آمنہ خان"), rank: name("", "")
        };
    let (_, official) = call(&app, "manager", Method::POST, "/v1/admin/officials", body(official)).await;
    // Nobody appoints over HTTP alone, whatever their role.
    let path = format!("/v1/admin/posts/{}/holder", post["post"].as_str().expect("id"));
    let (status, _) = call(&app, "manager", Method::POST, &path, Some(json!({ "holder": official["official"] }))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let parse = |value: &Value| value.as_str().expect("id").parse().expect("an id");
    let post_id: PostId = post["post"].as_str().expect("id").parse().expect("id");
    office.takes_effect(office.statement(post_id, parse(&official["official"]), AppointmentKind::Acting)).await;
    let path = format!("/v1/directory/posts/{post_id}");
    let (status, held) = call(&app, "official", Method::GET, &path, None).await;
    assert_eq!((status, &held["holder"]), (StatusCode::OK, &official["official"]));
    assert_eq!(held["appointment"]["kind"], "acting");

    let (_, tree) = call(&app, "official", Method::GET, "/v1/directory/units", None).await;
    assert_eq!(tree["units"], json!([unit]));
    let (_, posts) = call(&app, "official", Method::GET, &format!("/v1/directory/posts?unit={unit_id}"), None).await;
    assert_eq!(posts["posts"], json!([held]));
    let (_, page) = call(&app, "official", Method::GET, "/v1/directory/officials?q=amna%20finance", None).await;
    assert_eq!(page["officials"][0]["username"], "a.khan");
    assert_eq!(page["officials"][0]["posts"][0]["units"][0]["ur"], "خزانہ");
    assert_eq!(page["officials"][0]["posts"][0]["appointment"], held["appointment"]);
    assert_eq!(page["next"], Value::Null);
    let path = format!("/v1/directory/officials/{}", official["official"].as_str().expect("id"));
    assert_eq!(call(&app, "official", Method::GET, &path, None).await.1, page["officials"][0]);

    for (path, status, code) in [
        ("/v1/directory/officials?after=x", StatusCode::BAD_REQUEST, "directory.bad_cursor"),
        ("/v1/directory/officials?limit=x", StatusCode::BAD_REQUEST, "http.bad_query"),
        ("/v1/directory/posts", StatusCode::BAD_REQUEST, "http.bad_query"),
        ("/v1/directory/posts/09090909-0909-0909-0909-090909090909", StatusCode::NOT_FOUND, "directory.post_not_found"),
        ("/v1/directory/officials/x", StatusCode::NOT_FOUND, "http.no_such_route"),
    ] {
        let (got, problem) = call(&app, "official", Method::GET, path, None).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)), "{path}");
    }
});

#[test]
fn the_contract_names_every_route() {
    let document = serde_json::to_value(openapi()).expect("json");
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths.len(), 8, "{paths:?}");
    assert!(document["components"]["schemas"]["OfficialPage"].is_object());
}
