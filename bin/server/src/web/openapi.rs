//! The contract: every context's part in one document.

use super::health;
use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use pakawaaz_http::Problem;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The document as `contract/openapi.json` holds it.
pub fn document() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Pakawaaz",
            version = "1",
            description = "Bodies are JSON; byte strings are unpadded base64url. Errors are RFC 9457 problem details with \
                a stable `code`. Requests with a session carry `Authorization: DPoP TOKEN` and a `DPoP` proof (RFC 9449). \
                The WebSocket `/v1/events` carries CBOR frames, see the crate pakawaaz-contract.",
            license(name = "Apache-2.0", identifier = "Apache-2.0")
        ),
        paths(health::livez, health::readyz),
        components(schemas(Problem)),
        tags((name = "server", description = "The server itself")),
        modifiers(&Dpop)
    )]
    struct Server;
    let mut document = Server::openapi();
    for part in [
        pakawaaz_identity::http::openapi(),
        pakawaaz_directory::http::openapi(),
        pakawaaz_messaging::http::openapi(),
        pakawaaz_files::http::openapi(),
        pakawaaz_cellular::http::openapi(),
    ] {
        document.merge(part);
    }
    name_operations(&mut document);
    document
}

/// Generators need an id for each operation that no other has; handlers in different modules share names.
fn name_operations(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let methods =
            [("get", &mut item.get), ("post", &mut item.post), ("put", &mut item.put), ("delete", &mut item.delete)];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty() && *w != "v1");
                operation.operation_id = Some(std::iter::once(method).chain(words).collect::<Vec<_>>().join("_"));
            }
        }
    }
}

/// The document as text.
pub fn text() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&document())
}

struct Dpop;

impl Modify for Dpop {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = ApiKeyValue::with_description(
            "Authorization",
            "`DPoP` and the access token (RFC 9449), with a proof in the header `DPoP`",
        );
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("dpop", SecurityScheme::ApiKey(ApiKey::Header(scheme)));
    }
}

/// `/openapi.json`.
pub fn router(text: String) -> Router {
    let body: &'static str = text.leak(); // once per server; handlers then share it without copies
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    Router::new().route("/openapi.json", get(move || async move { (headers, body) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_id_of_its_own_and_every_reference_leads_somewhere() {
        let text = text().expect("text");
        let document: serde_json::Value = serde_json::from_str(&text).expect("json");
        let mut ids = std::collections::HashSet::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let id = operation["operationId"].as_str().expect("id");
                assert!(ids.insert(id.to_owned()), "{method} {path}: {id} twice");
            }
        }
        assert!(ids.contains("post_login_start") && ids.contains("get_directory_officials_official"), "{ids:?}");
        for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document["components"]["schemas"][reference].is_object(), "{reference}");
        }
    }
}
