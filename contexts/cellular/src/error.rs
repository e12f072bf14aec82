//! Errors of this context.

use pakawaaz_audit::AuditError;
use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_storage::StorageError;

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellularError {
    /// The caller lacks the role.
    #[error("this is for administrators of the network")]
    Forbidden,
    /// No such thing.
    #[error("there is no such thing")]
    NotFound,
    /// Not 6 to 15 digits.
    #[error("not an IMSI")]
    BadImsi,
    /// Not a country code of 3 and a network code of 2 or 3 digits with `-` between.
    #[error("not a network (PLMN): write 410-99")]
    BadPlmn,
    /// AMF name, region, set, pointer or full name.
    #[error("the AMF's name or identifiers do not fit")]
    BadAmf,
    /// 1 to 16 different tracking areas of 24 bits are needed.
    #[error("1 to 16 different tracking areas of 24 bits are needed")]
    BadTac,
    /// 1 to 8 different slices are needed, a differentiator has six hexadecimal digits.
    #[error("1 to 8 different slices are needed; a differentiator has six hexadecimal digits")]
    BadSlice,
    /// A data network's name, slice, size of packets, QoS or rates.
    #[error("a data network's name, slice, MTU, 5QI or rates do not fit")]
    BadDataNetwork,
    /// A pool is no private network, or too large or small.
    #[error("a pool is not a private network of a usable size")]
    BadPool,
    /// Two pools share addresses.
    #[error("two pools overlap")]
    PoolOverlap,
    /// A gNB twice, with identity bits that do not fit, or for a tracking area that is not ours.
    #[error("a gNB is there twice, has an identity that does not fit, or serves no tracking area of ours")]
    BadGnb,
    /// A place's name, or a tracking area that has two or is not ours.
    #[error(
        "the name of a place is a line of at most 64 characters in English, and in Urdu or not; a tracking area has one \
         name and is one of the network's"
    )]
    BadPlace,
    /// An unknown algorithm, one twice, or none.
    #[error("algorithms: nia1 to nia3, nea1 to nea3, each once, at least one of each kind")]
    BadAlgorithm,
    /// Neither `5g-aka` nor `eap-aka-prime`.
    #[error("authentication is 5g-aka or eap-aka-prime")]
    BadAuthentication,
    /// A timer or rate outside of what the specifications can carry.
    #[error("a timer or rate is out of range")]
    BadTimer,
    /// Not 0 to 99.
    #[error("a share of signalling is 0 to 99 percent")]
    BadOverload,
    /// A profile names what the network does not have, or equipment that is not 14 digits.
    #[error("the profile names what the network does not have")]
    BadProfile,
    /// Somebody else changed it in the meantime.
    #[error("somebody else changed it in the meantime")]
    Changed,
    /// The PLMN cannot change while phones are registered.
    #[error("the PLMN cannot change while phones are registered")]
    PlmnInUse,
    /// A pool holds the address of the user plane's canary, which no phone may have.
    #[error("a pool holds the address of the user plane's canary")]
    CanaryInPool,
    /// As many phones are traced as can be.
    #[error("as many phones are traced as can be")]
    TooManyTraces,
    /// This server runs no core.
    #[error("this server runs no 5G core")]
    Off,
    /// Another node runs the core.
    #[error("this node waits: another one runs the 5G core")]
    Standby,
    /// The core has too much to do to answer.
    #[error("the core has too much to do")]
    Busy,
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Damaged,
    /// A phone's context could not be sealed.
    #[error("a context could not be sealed")]
    Seal,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The audit log refused the entry, so nothing was done.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<sqlx::Error> for CellularError {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl StableError for CellularError {
    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "cellular.forbidden",
            Self::NotFound => "cellular.not_found",
            Self::BadImsi => "cellular.bad_imsi",
            Self::BadPlmn => "cellular.bad_plmn",
            Self::BadAmf => "cellular.bad_amf",
            Self::BadTac => "cellular.bad_tac",
            Self::BadSlice => "cellular.bad_slice",
            Self::BadDataNetwork => "cellular.bad_data_network",
            Self::BadPool => "cellular.bad_pool",
            Self::PoolOverlap => "cellular.pool_overlap",
            Self::BadGnb => "cellular.bad_gnb",
            Self::BadPlace => "cellular.bad_place",
            Self::BadAlgorithm => "cellular.bad_algorithm",
            Self::BadAuthentication => "cellular.bad_authentication",
            Self::BadTimer => "cellular.bad_timer",
            Self::BadOverload => "cellular.bad_overload",
            Self::BadProfile => "cellular.bad_profile",
            Self::Changed => "cellular.changed",
            Self::PlmnInUse => "cellular.plmn_in_use",
            Self::CanaryInPool => "cellular.canary_in_pool",
            Self::TooManyTraces => "cellular.too_many_traces",
            Self::Off => "cellular.off",
            Self::Standby => "cellular.standby",
            Self::Busy => "cellular.busy",
            Self::Damaged => "cellular.damaged",
            Self::Seal => "cellular.seal",
            Self::Storage(e) => e.code(),
            Self::Audit(e) => e.code(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Forbidden => ErrorClass::Forbidden,
            Self::NotFound => ErrorClass::NotFound,
            Self::BadImsi
            | Self::BadPlmn
            | Self::BadAmf
            | Self::BadTac
            | Self::BadSlice
            | Self::BadDataNetwork
            | Self::BadPool
            | Self::PoolOverlap
            | Self::BadGnb
            | Self::BadPlace
            | Self::BadAlgorithm
            | Self::BadAuthentication
            | Self::BadTimer
            | Self::BadOverload
            | Self::BadProfile => ErrorClass::Invalid,
            Self::Changed | Self::PlmnInUse | Self::CanaryInPool | Self::TooManyTraces => ErrorClass::Conflict,
            Self::Off | Self::Standby | Self::Busy => ErrorClass::Unavailable,
            Self::Damaged | Self::Seal => ErrorClass::Internal,
            Self::Storage(e) => e.class(),
            Self::Audit(e) => e.class(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        matches!(self, Self::Busy).then_some(1000)
    }
}
