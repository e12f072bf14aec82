//! Errors at the terminal: what happened, what to do next, a stable code, an exit code.

use crate::advice::advice;
use crate::output;
use pakawaaz_base::{ErrorClass, StableError as _};
use pakawaaz_client::ClientError;
use pakawaaz_client_native::{OpenError, ProfileError};
use std::process::ExitCode;

/// Prints `error` on standard error and gives the exit code of its class.
pub fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let (code, class, advice) = classify(error);
    let text = text(error);
    if json {
        output::note(&serde_json::json!({ "error": code, "message": text }).to_string());
    } else {
        // A refusal is its code already.
        let code = if text.contains(&code) { String::new() } else { format!(" [{code}]") };
        output::note(&format!("pakawaaz: {text}{code}"));
        if let Some(advice) = advice {
            output::note(&format!("  {advice}"));
        }
    }
    ExitCode::from(exit_code(class))
}

/// What happened, and why; a cause that an error's own words tell already is not told twice.
fn text(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text {
        text if text.is_empty() => cause,
        text if text.contains(&cause) => text,
        text => format!("{text}: {cause}"),
    })
}

/// Documented in `pakawaaz_base::ErrorClass`.
fn exit_code(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::Invalid => 2,
        ErrorClass::Unauthenticated => 3,
        ErrorClass::Forbidden => 4,
        ErrorClass::NotFound => 5,
        ErrorClass::Conflict => 6,
        ErrorClass::Throttled => 7,
        ErrorClass::Unavailable => 8,
        ErrorClass::Internal => 70,
    }
}

fn classify(error: &anyhow::Error) -> (String, ErrorClass, Option<&'static str>) {
    for cause in error.chain() {
        if let Some(e) = cause.downcast_ref::<ClientError>() {
            return (e.any_code().to_owned(), e.class(), advice(e.any_code()));
        }
        if let Some(OpenError::Profile(e)) = cause.downcast_ref::<OpenError>() {
            let (code, class) = match e {
                ProfileError::Missing => ("client.not_enrolled", ErrorClass::NotFound),
                ProfileError::Exists => ("client.already_enrolled", ErrorClass::Conflict),
                ProfileError::Locked => ("client.store_busy", ErrorClass::Unavailable),
                ProfileError::Damaged(_) | ProfileError::Io(_) => ("client.damaged", ErrorClass::Internal),
            };
            return (code.to_owned(), class, None);
        }
        if let Some(e) = cause.downcast_ref::<pakawaaz_trust::TrustError>() {
            return (e.code().to_owned(), e.class(), None);
        }
    }
    ("cli.invalid".to_owned(), ErrorClass::Invalid, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_the_servers_code_and_class() {
        let refused =
            ClientError::Refused { code: "identity.wrong_password".into(), status: 401, retry_after_ms: None };
        let (code, class, advice) = classify(&anyhow::Error::new(refused).context("logging in"));
        assert_eq!((code.as_str(), class), ("identity.wrong_password", ErrorClass::Unauthenticated));
        assert!(advice.is_some());
        assert_eq!(exit_code(class), 3);
    }

    #[test]
    fn a_cause_is_told_and_not_twice() {
        let there = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "File exists");
        let error = anyhow::Error::new(there).context("making trace.pcap");
        assert_eq!(text(&error), "making trace.pcap: File exists");
        let refused = ClientError::Refused { code: "cellular.bad_gnb".into(), status: 400, retry_after_ms: None };
        let error = anyhow::Error::new(refused);
        assert_eq!(text(&error).matches("cellular.bad_gnb").count(), 1);
    }

    #[test]
    fn an_unknown_error_is_a_usage_error() {
        assert_eq!(classify(&anyhow::anyhow!("no such file")).1, ErrorClass::Invalid);
    }
}
