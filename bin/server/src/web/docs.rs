//! `/docs`: the contract as a page for people. Made from the OpenAPI document; no scripts, no foreign assets.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use serde_json::Value;
use std::fmt::Write;

const STYLE: &str = include_str!("docs.css");

/// The page and its style sheet.
pub fn router(document: &Value) -> Router {
    let page: &'static str = page(document).leak(); // once per server, as in `openapi`
    let headers = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)));
    let style = [(http::header::CONTENT_TYPE, "text/css; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Router::new()
        .route("/docs", get(move || async move { (headers, Html(page)) }))
        .route("/docs/style.css", get(move || async move { (style, STYLE) }))
}

/// The whole page.
pub fn page(document: &Value) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let title = text(&document["info"]["title"]);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title} API</title>\
         <link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><header><h1>{title} API</h1><p>{}</p>\
         <p><a href=\"/openapi.json\">openapi.json</a></p></header>",
        text(&document["info"]["description"])
    );
    let operations = operations(document);
    out.push_str("<nav><h2>Routes</h2><ul>");
    for operation in &operations {
        let _ = write!(out, "<li><a href=\"#{}\">{} {}</a></li>", operation.anchor, operation.method, operation.path);
    }
    out.push_str("</ul></nav><main>");
    let mut tag = "";
    for operation in &operations {
        if operation.tag != tag {
            tag = &operation.tag;
            let _ = write!(out, "<h2>{tag}</h2>");
        }
        write_operation(&mut out, operation);
    }
    out.push_str("<h2>Types</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        write_schema(&mut out, name, schema);
    }
    out.push_str("</main></body></html>\n");
    out
}

struct Operation<'a> {
    anchor: String,
    tag: String,
    method: String,
    path: String,
    value: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, methods) in members(&document["paths"]) {
        for (method, value) in members(methods).filter(|(_, value)| value["responses"].is_object()) {
            let anchor: String =
                format!("{method}{path}").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            let (tag, method) = (text(&value["tags"][0]), method.to_uppercase());
            all.push(Operation { anchor, tag, method, path: escape(path), value });
        }
    }
    all.sort_by(|a, b| (&a.tag, &a.path, &a.method).cmp(&(&b.tag, &b.path, &b.method)));
    all
}

fn write_operation(out: &mut String, operation: &Operation<'_>) {
    let Operation { anchor, method, path, value, .. } = operation;
    let _ = write!(
        out,
        "<section id=\"{anchor}\"><h3><b>{method}</b> <code>{path}</code></h3><p>{}</p><p>{}</p>",
        text(&value["summary"]),
        text(&value["description"])
    );
    let parameters = value["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>");
        for parameter in parameters {
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                text(&parameter["name"]),
                text(&parameter["in"]),
                kind(&parameter["schema"]),
                text(&parameter["description"])
            );
        }
        out.push_str("</table>");
    }
    for (media, body) in members(&value["requestBody"]["content"]) {
        let _ = write!(out, "<p>Request: {} <small>{}</small></p>", kind(&body["schema"]), escape(media));
    }
    out.push_str("<table><tr><th>Status</th><th>Answer</th><th></th></tr>");
    for (status, response) in members(&value["responses"]) {
        let answer = members(&response["content"]).next().map(|(_, body)| kind(&body["schema"])).unwrap_or_default();
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{answer}</td><td>{}</td></tr>",
            escape(status),
            text(&response["description"])
        );
    }
    out.push_str("</table></section>");
}

fn write_schema(out: &mut String, name: &str, schema: &Value) {
    let (id, about) = (escape(name), text(&schema["description"]));
    let _ = write!(out, "<section id=\"type-{id}\"><h3><code>{id}</code></h3><p>{about}</p>");
    let variants = ["oneOf", "anyOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let variants: Vec<&Value> = variants.collect();
    if variants.is_empty() {
        write_fields(out, schema);
    }
    for variant in variants {
        let _ = write!(out, "<p>{} {}</p>", kind(variant), text(&variant["description"]));
        write_fields(out, variant);
    }
    out.push_str("</section>");
}

fn write_fields(out: &mut String, schema: &Value) {
    if !schema["properties"].is_object() {
        let _ = write!(out, "<p>{}</p>", kind(schema));
        return;
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    out.push_str("<table><tr><th>Field</th><th>Type</th><th></th></tr>");
    for (name, field) in members(&schema["properties"]) {
        let optional = if required.contains(&name) { "" } else { " <small>optional</small>" };
        let _ = write!(
            out,
            "<tr><td><code>{}</code>{optional}</td><td>{}</td><td>{}</td></tr>",
            escape(name),
            kind(field),
            text(&field["description"])
        );
    }
    out.push_str("</table>");
}

/// A type in a few words, with a link where it has a name. Escaped.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .map(|v| format!("<code>{}</code>", escape(&v.to_string())))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        other => text(other),
    };
    if schema["items"].is_object() {
        return format!("list of {}", kind(&schema["items"]));
    }
    match schema["format"].as_str() {
        Some(format) => format!("{name} ({})", escape(format)),
        None => name,
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_in_the_document_becomes_markup() {
        let evil = "<script>alert('x')</script>\"";
        let document = json!({
            "info": { "title": evil, "description": evil },
            "paths": { evil: { "get": {
                "summary": evil, "description": evil, "tags": [evil],
                "parameters": [{ "name": evil, "in": evil, "schema": { "type": evil, "format": evil } }],
                "responses": { evil: { "description": evil } }
            } } },
            "components": { "schemas": { evil: {
                "description": evil, "properties": { evil: { "$ref": evil, "description": evil } }
            } } }
        });
        let page = page(&document);
        assert!(!page.contains("<script") && !page.contains("</script>\""), "{page}");
    }

    #[test]
    fn routes_and_types_are_shown_and_linked() {
        let page = page(&json!({
            "info": { "title": "T" },
            "paths": { "/v1/x/{id}": { "post": {
                "summary": "Do it", "tags": ["a"],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Do" } } } },
                "responses": { "204": { "description": "done" } }
            } } },
            "components": { "schemas": { "Do": { "properties": { "how": { "type": "string", "format": "uuid" } } } } }
        }));
        assert!(page.contains("<code>/v1/x/{id}</code>") && page.contains("<a href=\"#type-Do\">Do</a>"));
        assert!(page.contains("id=\"type-Do\"") && page.contains("string (uuid)") && page.contains("optional"));
    }
}
