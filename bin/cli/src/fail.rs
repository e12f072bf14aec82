//! Errors at the terminal: what happened, what to do next, a stable code, an exit code.

use crate::output;
use pakawaaz_base::{ErrorClass, StableError as _};
use pakawaaz_client::ClientError;
use pakawaaz_client_native::{OpenError, ProfileError};
use std::process::ExitCode;

/// Prints `error` on standard error and gives the exit code of its class.
pub fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    let (code, class, advice) = classify(error);
    if json {
        output::note(&serde_json::json!({ "error": code, "message": error.to_string() }).to_string());
    } else {
        output::note(&format!("pakawaaz: {error} [{code}]"));
        if let Some(advice) = advice {
            output::note(&format!("  {advice}"));
        }
    }
    ExitCode::from(exit_code(class))
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

fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "client.login_required" => "Run `pakawaaz login`.",
        "client.unreachable" => {
            "Check that the server is running and this machine is on the network. Queued messages are kept."
        }
        "client.untrusted_server" => {
            "The server's certificate does not lead to the root in your voucher. Do not go on; tell your administrator."
        }
        "client.wrong_pin" => {
            "Try again. Without the PIN the profile cannot be opened; a recovery voucher makes a new one."
        }
        "client.not_approved" => "On a device you already have, run `pakawaaz devices approve ID`.",
        "identity.wrong_password" => "The device was recognised; the password is wrong.",
        "identity.sim_rejected" => "The SIM is not the one bound to your account, or it was revoked.",
        "identity.login_failed" => "The name or the device is unknown to the server, or was revoked.",
        "identity.back_off" | "http.throttled" => "Too many attempts; wait a little.",
        _ => return None,
    })
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
    fn an_unknown_error_is_a_usage_error() {
        assert_eq!(classify(&anyhow::anyhow!("no such file")).1, ErrorClass::Invalid);
    }
}
