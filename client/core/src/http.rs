//! Requests to the server: JSON, problem details, and the session's token with its proof (RFC 9449).

use crate::transport::{HttpRequest, HttpResponse, Method};
use crate::{Client, ClientError, Connection, Platform, Store, Transport};
use pakawaaz_contract::identity::ServerInfo;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A problem document (RFC 9457), as far as the client reads it.
#[derive(serde::Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

/// `{}`: a request without anything to say.
#[derive(Serialize)]
pub(crate) struct Empty {}

/// Success or the server's reason.
pub(crate) fn check(response: HttpResponse) -> Result<HttpResponse, ClientError> {
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    let problem: Option<Problem> = pakawaaz_tree::from_json(&response.body).ok();
    let seconds = response.header("retry-after").and_then(|v| v.parse::<u64>().ok());
    let (code, retry) = problem.map_or_else(Default::default, |p| (p.code, p.retry_after_ms));
    Err(ClientError::Refused {
        // A proxy's page, or no code of ours: the status says all there is.
        code: if code.is_empty() || code.len() > 100 { format!("http.{}", response.status) } else { code },
        status: response.status,
        retry_after_ms: retry.or_else(|| seconds.map(|s| s.saturating_mul(1000))),
    })
}

pub(crate) fn json<R: DeserializeOwned>(response: HttpResponse) -> Result<R, ClientError> {
    pakawaaz_tree::from_json(&check(response)?.body).map_err(|_| ClientError::BadAnswer)
}

pub(crate) fn request(method: Method, path: &str) -> HttpRequest {
    HttpRequest { method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
}

pub(crate) fn post<B: Serialize>(path: &str, body: &B) -> HttpRequest {
    let mut request = request(Method::Post, path);
    request.headers.push(("content-type".into(), "application/json".into()));
    request.body = serde_json::to_vec(body).expect("contract types always serialise");
    request
}

/// Text as a query value: everything but unreserved characters in percent form (RFC 3986 §2.3).
pub(crate) fn query(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// A request without a session.
    pub(crate) async fn plain<R: DeserializeOwned>(&self, request: HttpRequest) -> Result<R, ClientError> {
        json(self.transport.http(request).await?)
    }
    /// The same on a connection of its own.
    pub(crate) async fn plain_on<R: DeserializeOwned>(
        &self,
        connection: &mut T::Connection,
        request: HttpRequest,
    ) -> Result<R, ClientError> {
        json(connection.send(request).await?)
    }
    /// A request with the session's token; refreshes the token when it has run out.
    pub(crate) async fn authorised(&self, request: HttpRequest) -> Result<HttpResponse, ClientError> {
        let session = self.session().await?;
        let signed = self.with_token(request.clone(), &session)?;
        let refused = match check(self.transport.http(signed).await?) {
            Err(ClientError::Refused { status: 401, .. }) => true,
            other => return other,
        };
        debug_assert!(refused);
        // Clocks differ or the server was restarted with other keys: one more try with a new token and its time.
        self.learn_server_time().await?;
        let session = self.refresh().await?;
        let signed = self.with_token(request, &session)?;
        match check(self.transport.http(signed).await?) {
            Err(ClientError::Refused { status: 401, .. }) => Err(ClientError::LoginRequired),
            other => other,
        }
    }
    /// GET with the session's token.
    pub(crate) async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, ClientError> {
        json(self.authorised(request(Method::Get, path)).await?)
    }
    /// POST of JSON with the session's token.
    pub(crate) async fn post<B: Serialize, R: DeserializeOwned>(&self, path: &str, body: &B) -> Result<R, ClientError> {
        json(self.authorised(post(path, body)).await?)
    }
    /// The same where the answer is 204.
    pub(crate) async fn post_empty<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        self.authorised(post(path, body)).await.map(drop)
    }
    /// What the server says about itself; its clock is remembered.
    pub(crate) async fn server_info(&self) -> Result<ServerInfo, ClientError> {
        let info: ServerInfo = self.plain(request(Method::Get, "/v1/server")).await?;
        if info.protocol != pakawaaz_contract::PROTOCOL_VERSION {
            return Err(ClientError::WrongVersion);
        }
        self.hear_time(info.time).await?;
        Ok(info)
    }
    pub(crate) async fn learn_server_time(&self) -> Result<(), ClientError> {
        self.server_info().await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        assert_eq!(query("Ab-9_.~"), "Ab-9_.~");
        assert_eq!(query("a b&c=د"), "a%20b%26c%3D%D8%AF");
    }

    #[test]
    fn problems_keep_their_code_and_pages_become_a_status() {
        let response = |status, body: &str| HttpResponse {
            status,
            headers: vec![("retry-after".into(), "3".into())],
            body: body.as_bytes().to_vec(),
        };
        let Err(ClientError::Refused { code, retry_after_ms, .. }) =
            check(response(401, r#"{"code":"identity.wrong_password","retry_after_ms":1500}"#))
        else {
            panic!("refused")
        };
        assert_eq!((code.as_str(), retry_after_ms), ("identity.wrong_password", Some(1500)));
        let Err(ClientError::Refused { code, retry_after_ms, .. }) = check(response(502, "<html>")) else {
            panic!("refused")
        };
        assert_eq!((code.as_str(), retry_after_ms), ("http.502", Some(3000)));
        assert!(check(response(204, "")).is_ok());
    }
}
