//! What each kind of grant allows and needs.

use pakawaaz_base::Assurance;
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus};
use pakawaaz_trust::GrantKind;

/// Longest label of a device, in characters.
pub const MAX_LABEL: usize = 64;

/// Text of a grant kind in the database.
pub fn kind_text(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::First => "first",
        GrantKind::Additional => "additional",
        GrantKind::Recovery => "recovery",
        GrantKind::Password => "password",
    }
}

/// What an enrolment under a grant looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// A password must be registered.
    pub password_required: bool,
    /// A password may be registered.
    pub password_allowed: bool,
    /// Where the device stands right after it.
    pub status: DeviceStatus,
}

/// `None`: the grant enrols nothing.
pub fn shape(kind: GrantKind, has_password: bool) -> Option<Shape> {
    match kind {
        // A second "first" device would need nobody's cross-signature.
        GrantKind::First if has_password => None,
        GrantKind::First => {
            Some(Shape { password_required: true, password_allowed: true, status: DeviceStatus::Active })
        }
        // Losing every device does not mean having forgotten the password; somebody who never had one sets it.
        GrantKind::Recovery => {
            Some(Shape { password_required: !has_password, password_allowed: true, status: DeviceStatus::Active })
        }
        GrantKind::Additional => {
            Some(Shape { password_required: false, password_allowed: false, status: DeviceStatus::Pending })
        }
        GrantKind::Password => None,
    }
}

/// The assurance recorded for a device: what it claims, but no more than the evidence proves.
///
/// No verifier for hardware evidence exists yet, so a native device counts as software whatever it claims,
/// and a device bound to a browser origin counts as web.
pub fn proven_assurance(claimed: Assurance, channel: ChannelMode, _evidence: &[u8]) -> Assurance {
    let cap = match channel {
        ChannelMode::Origin => Assurance::SoftwareWeb,
        ChannelMode::TlsExporter | ChannelMode::Loopback => Assurance::SoftwareNative,
    };
    claimed.min(cap)
}

/// A label of 1 to [`MAX_LABEL`] characters without control characters.
pub fn valid_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_additional_device_waits_and_sets_no_password() {
        let shape = shape(GrantKind::Additional, true).expect("enrols");
        assert_eq!(shape.status, DeviceStatus::Pending);
        assert!(!shape.password_allowed);
        assert_eq!(super::shape(GrantKind::Password, true), None);
        assert_eq!(super::shape(GrantKind::First, true), None);
        assert!(super::shape(GrantKind::Recovery, false).expect("enrols").password_required);
    }

    #[test]
    fn claims_beyond_the_evidence_are_lowered() {
        let native = |claimed| proven_assurance(claimed, ChannelMode::TlsExporter, b"");
        assert_eq!(native(Assurance::MeasuredBoot), Assurance::SoftwareNative);
        assert_eq!(native(Assurance::SoftwareWeb), Assurance::SoftwareWeb);
        let web = proven_assurance(Assurance::Tee, ChannelMode::Origin, b"");
        assert_eq!(web, Assurance::SoftwareWeb);
    }

    #[test]
    fn labels_are_short_and_printable() {
        assert!(valid_label("دفتر"));
        assert!(!valid_label(""));
        assert!(!valid_label("a\nb"));
        assert!(!valid_label(&"x".repeat(65)));
    }
}
