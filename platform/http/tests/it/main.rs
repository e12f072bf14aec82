//! A router behind the whole edge, as the server builds it.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, DeviceId, ErrorClass, Millis, OfficialId, Role, SessionId};
use pakawaaz_http::{
    Authenticated, Authenticator, ConnectionInfo, Edge, Json, Now, Path, Problem, Query, RequestHead, RequireRole,
    body_limit,
};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// Accepts `DPoP good` with any proof and remembers what it was asked.
#[derive(Default)]
struct Fake {
    heads: Mutex<Vec<RequestHead>>,
}

#[async_trait::async_trait]
impl Authenticator for Fake {
    async fn authenticate(&self, head: RequestHead) -> Result<Actor, Problem> {
        let good = head.authorization.as_deref() == Some("DPoP good") && head.dpop.is_some();
        self.heads.lock().unwrap().push(head);
        if !good {
            return Err(Problem::new(ErrorClass::Unauthenticated, "identity.bad_token"));
        }
        Ok(Actor {
            official: OfficialId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            session: SessionId::from_bytes([3; 16]),
            roles: vec![Role::Auditor],
            assurance: Assurance::SoftwareNative,
        })
    }
}

#[derive(serde::Deserialize)]
struct Body1 {
    n: u8,
}

fn app() -> (Router, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let inner = Router::new()
        .route("/me", get(|Authenticated(actor): Authenticated| async move { actor.official.to_string() }))
        .route("/maybe", get(|who: Option<Authenticated>| async move { who.is_some().to_string() }))
        .route(
            "/roles/{role}",
            get(|Authenticated(actor): Authenticated, Path(role): Path<Role>| async move {
                actor.require_role(role).map(|()| "allowed")
            }),
        )
        .route("/json", post(|Json(body): Json<Body1>| async move { Json(body.n) }).layer(body_limit(100)))
        .route("/query", get(|Query(body): Query<Body1>| async move { Json(body.n) }))
        .route("/devices/{id}", get(|Path(id): Path<DeviceId>| async move { id.to_string() }))
        .route("/now", get(|Now(now): Now, info: ConnectionInfo| async move { format!("{} {}", now.0, info.peer) }))
        .route("/panic", get(|| async { panic!("the secret is 4711") as () }));
    let edge = Edge { authenticator: fake.clone(), clock: Arc::new(ManualClock::at(Millis(77))) };
    let info = ConnectionInfo { peer: "192.0.2.1:5".parse().unwrap(), tls_exporter: Some([9; 32]), secure: true };
    (edge.wrap(Router::new().nest("/v1", inner)).layer(Extension(info)), fake)
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    text: String,
}
impl Answer {
    fn problem(&self) -> Problem {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem: Problem = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(*problem.kind, *format!("urn:pakawaaz:error:{}", problem.code));
        problem
    }
}

async fn send(app: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

fn get_(path: &str) -> http::request::Builder {
    Request::get(path).header(header::HOST, "pakawaaz.test:8443")
}

fn authorised(path: &str) -> Request<Body> {
    get_(path).header(header::AUTHORIZATION, "DPoP good").header("dpop", "proof").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_authenticator_sees_the_request_as_the_client_signed_it() {
    let (app, fake) = app();
    let answer = send(&app, authorised("/v1/me?token=1")).await;
    assert_eq!((answer.status, answer.text), (StatusCode::OK, OfficialId::from_bytes([1; 16]).to_string()));
    let heads = fake.heads.lock().unwrap();
    let head = &heads[0];
    assert_eq!(head.uri, "https://pakawaaz.test:8443/v1/me");
    assert_eq!((head.method.clone(), head.now), (Method::GET, Millis(77)));
    assert_eq!(head.dpop.as_deref(), Some("proof"));
    assert!(!format!("{head:?}").contains("good"), "tokens stay out of logs");
}

#[tokio::test]
async fn http2_authority_counts_like_a_host_header() {
    let (app, fake) = app();
    let request = Request::get("https://other.test/v1/me").header(header::AUTHORIZATION, "DPoP good");
    send(&app, request.header("dpop", "p").body(Body::empty()).unwrap()).await;
    assert_eq!(fake.heads.lock().unwrap()[0].uri, "https://other.test/v1/me");
}

#[tokio::test]
async fn wrong_missing_and_ambiguous_credentials_are_refused() {
    let (app, fake) = app();
    let answer = send(&app, get_("/v1/me").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.problem().code, "identity.bad_token");
    assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
    let asked = fake.heads.lock().unwrap().len();
    let twice = get_("/v1/me").header(header::AUTHORIZATION, "DPoP good").header("dpop", "a").header("dpop", "b");
    assert_eq!(send(&app, twice.body(Body::empty()).unwrap()).await.problem().code, "http.bad_header");
    let no_host = Request::get("/v1/me").body(Body::empty()).unwrap();
    assert_eq!(send(&app, no_host).await.problem().code, "http.no_host");
    assert_eq!(fake.heads.lock().unwrap().len(), asked);

    let anonymous = get_("/v1/maybe").body(Body::empty()).unwrap();
    assert_eq!(send(&app, anonymous).await.text, "false");
    assert_eq!(send(&app, authorised("/v1/maybe")).await.text, "true");
    let wrong = get_("/v1/maybe").header(header::AUTHORIZATION, "DPoP bad").body(Body::empty()).unwrap();
    assert_eq!(send(&app, wrong).await.status, 401);
}

#[tokio::test]
async fn roles_are_required() {
    let (app, _) = app();
    assert_eq!(send(&app, authorised("/v1/roles/auditor")).await.text, "allowed");
    let answer = send(&app, authorised("/v1/roles/sim_manager")).await;
    assert_eq!((answer.status, &*answer.problem().code), (StatusCode::FORBIDDEN, "http.role_required"));
}

#[tokio::test]
async fn a_router_without_its_edge_fails_closed() {
    let bare: Router = Router::new().route("/me", get(|_: Authenticated| async { "in" }));
    let answer = send(&bare, authorised("/me")).await;
    assert_eq!((answer.status, &*answer.problem().code), (StatusCode::INTERNAL_SERVER_ERROR, "http.misconfigured"));
}

#[tokio::test]
async fn bad_bodies_are_named_without_quoting_them() {
    let (app, _) = app();
    let post = |content_type: &str, body: String| {
        Request::post("/v1/json").header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap()
    };
    assert_eq!(send(&app, post("application/json", r#"{"n":7}"#.into())).await.text, "7");
    for (content_type, body, status, code) in [
        ("application/json", "{".to_owned(), 400, "http.bad_json"),
        ("application/json", r#"{"n":"secret"}"#.to_owned(), 400, "http.bad_json"),
        ("application/json", r#"{"n":4711}"#.to_owned(), 400, "http.bad_json"),
        ("text/plain", r#"{"n":7}"#.to_owned(), 415, "http.media_type"),
        ("application/json", format!("{{\"n\":7{}}}", " ".repeat(200)), 413, "http.too_large"),
    ] {
        let answer = send(&app, post(content_type, body.clone())).await;
        assert_eq!((answer.status.as_u16(), &*answer.problem().code), (status, code), "{body}");
        assert!(!answer.text.contains("secret") && !answer.text.contains("4711"));
    }
}

#[tokio::test]
async fn bad_queries_paths_and_methods_are_problems() {
    let (app, _) = app();
    let device = DeviceId::from_bytes([5; 16]);
    let request = |path: &str| get_(path).body(Body::empty()).unwrap();
    assert_eq!(send(&app, request(&format!("/v1/devices/{device}"))).await.text, device.to_string());
    assert_eq!(send(&app, request("/v1/query?n=5")).await.text, "5");
    assert_eq!(send(&app, request("/v1/now")).await.text, "77 192.0.2.1:5");
    for (path, status, code) in [
        ("/v1/query?n=x", 400, "http.bad_query"),
        ("/v1/devices/not-an-id", 404, "http.no_such_route"),
        ("/nowhere", 404, "http.no_such_route"),
        ("/v1/nowhere", 404, "http.no_such_route"),
        ("/v1/json", 405, "http.method_not_allowed"),
    ] {
        let answer = send(&app, request(path)).await;
        assert_eq!((answer.status.as_u16(), &*answer.problem().code), (status, code), "{path}");
    }
}

#[tokio::test]
async fn a_panic_is_a_problem_and_every_answer_has_its_own_id() {
    let (app, _) = app();
    let request = || get_("/v1/panic").header("x-request-id", "forged").body(Body::empty()).unwrap();
    let (one, two) = (send(&app, request()).await, send(&app, request()).await);
    assert_eq!((one.status, &*one.problem().code), (StatusCode::INTERNAL_SERVER_ERROR, "http.panic"));
    assert!(!one.text.contains("4711"));
    let id = |answer: &Answer| answer.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(id(&one).len(), 16);
    assert_ne!(id(&one), id(&two));
}

#[test]
fn metrics_carry_route_templates_and_no_identifiers() {
    let recorder = Labels::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let (app, _) = app();
            let device = DeviceId::from_bytes([5; 16]);
            for path in [format!("/v1/devices/{device}"), format!("/{device}")] {
                let invented = Request::builder().method("GET").uri(path).body(Body::empty()).unwrap();
                send(&app, invented).await;
            }
            let invented = Request::builder().method("X4711").uri("/v1/now").body(Body::empty()).unwrap();
            send(&app, invented).await;
        })
    });
    let seen = recorder.0.lock().unwrap().join("\n");
    assert!(seen.contains("route=/v1/devices/{id}"), "{seen}");
    assert!(seen.contains("route=unmatched") && seen.contains("method=other"), "{seen}");
    assert!(!seen.contains("05050505") && !seen.contains("4711"), "{seen}");
}

/// Records the labels of every metric.
#[derive(Default)]
struct Labels(Mutex<Vec<String>>);

impl Labels {
    fn note(&self, key: &metrics::Key) {
        let labels: Vec<_> = key.labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
        self.0.lock().unwrap().push(format!("{} {}", key.name(), labels.join(" ")));
    }
}

impl metrics::Recorder for Labels {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_gauge(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn describe_histogram(&self, _: metrics::KeyName, _: Option<metrics::Unit>, _: metrics::SharedString) {}
    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        self.note(key);
        metrics::Counter::noop()
    }
    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        self.note(key);
        metrics::Gauge::noop()
    }
    fn register_histogram(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Histogram {
        self.note(key);
        metrics::Histogram::noop()
    }
}
