//! What a refused command says.

use pakawaaz_base::StableError;
use pakawaaz_client::ClientError;
use serde::Serialize;

/// A refused command. `code` is stable; screens translate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineError {
    /// `identity.wrong_password`, `client.wrong_pin`, `engine.no_sim`.
    pub code: String,
    /// One English sentence, log-safe.
    pub message: String,
    /// Try again no sooner.
    pub retry_after_ms: Option<u64>,
}

/// What only the engine refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No command of that name.
    #[error("there is no such command")]
    UnknownCommand,
    /// No topic of that name.
    #[error("there is no such topic")]
    UnknownTopic,
    /// The arguments are not those of the command.
    #[error("these are not the command's arguments")]
    BadArguments,
    /// The text is no enrolment card and no SIM file.
    #[error("this is no SIM card file")]
    BadCard,
    /// This profile has no SIM.
    #[error("there is no SIM here")]
    NoSim,
    /// The subscription is not there any more.
    #[error("there is no such subscription")]
    NoSubscription,
    /// The voucher is for something else.
    #[error("this voucher is for something else")]
    WrongVoucher,
    /// The file is not the one that was being sent.
    #[error("this is another file")]
    OtherFile,
    /// Nothing was found under that id.
    #[error("there is nothing of that kind here")]
    NotFound,
}

impl Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownCommand => "engine.unknown_command",
            Self::UnknownTopic => "engine.unknown_topic",
            Self::BadArguments => "engine.bad_arguments",
            Self::BadCard => "engine.bad_card",
            Self::NoSim => "engine.no_sim",
            Self::NoSubscription => "engine.no_subscription",
            Self::WrongVoucher => "engine.wrong_voucher",
            Self::OtherFile => "engine.other_file",
            Self::NotFound => "engine.not_found",
        }
    }
}

impl From<Refusal> for EngineError {
    fn from(e: Refusal) -> Self {
        Self { code: e.code().to_owned(), message: e.to_string(), retry_after_ms: None }
    }
}

impl From<ClientError> for EngineError {
    fn from(e: ClientError) -> Self {
        let retry_after_ms = match &e {
            ClientError::Refused { retry_after_ms, .. } => *retry_after_ms,
            _ => None,
        };
        Self { code: e.any_code().to_owned(), message: e.to_string(), retry_after_ms }
    }
}

impl From<pakawaaz_trust::TrustError> for EngineError {
    fn from(e: pakawaaz_trust::TrustError) -> Self {
        Self { code: e.code().to_owned(), message: e.to_string(), retry_after_ms: None }
    }
}
