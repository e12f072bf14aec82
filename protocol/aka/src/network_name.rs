//! The name of the network that asks, which EAP-AKA' binds into every key (RFC 9048 §3.1).

use crate::AkaError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Access network identity: 1 to 253 printable ASCII characters without spaces, in fields separated by
/// colons, no field empty (RFC 9048 §3.1; TS 24.302 §8.1.1). `WLAN`, `5G:mnc001.mcc410.3gppnetwork.org`,
/// or our own login realm.
///
/// Compared byte for byte: case matters, as it does in the key derivation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkName(String);

impl NetworkName {
    /// Longest name in bytes.
    pub const MAX_LEN: usize = 253;

    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`AkaError::NetworkName`] with the rule that is broken.
    pub fn new(name: impl Into<String>) -> Result<Self, AkaError> {
        let name = name.into();
        if name.is_empty() {
            return Err(AkaError::NetworkName("it is empty"));
        }
        if name.len() > Self::MAX_LEN {
            return Err(AkaError::NetworkName("it is longer than 253 bytes"));
        }
        if !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(AkaError::NetworkName("only printable ASCII without spaces is allowed"));
        }
        if name.split(':').any(str::is_empty) {
            return Err(AkaError::NetworkName("a field between colons is empty"));
        }
        Ok(Self(name))
    }
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkName({})", self.0)
    }
}
impl TryFrom<String> for NetworkName {
    type Error = AkaError;
    fn try_from(name: String) -> Result<Self, AkaError> {
        Self::new(name)
    }
}
impl From<NetworkName> for String {
    fn from(name: NetworkName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_in_use_are_accepted_and_others_are_not() {
        for good in ["WLAN", "HRPD", "5G:mnc001.mcc410.3gppnetwork.org", "pakawaaz:login.example"] {
            assert_eq!(NetworkName::new(good).expect(good).as_str(), good);
        }
        for bad in ["", ":", "a:", ":a", "a::b", "a b", "a\n", "ا", "a\0", &"x".repeat(254)] {
            assert!(matches!(NetworkName::new(bad), Err(AkaError::NetworkName(_))), "{bad:?}");
        }
        assert!(NetworkName::new("x".repeat(253)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_taken_whole_or_refused(text in any::<String>()) {
            if let Ok(name) = NetworkName::new(text.clone()) {
                prop_assert_eq!(name.as_str(), text.as_str());
                let json = serde_json::to_string(&name).expect("serialises");
                prop_assert_eq!(serde_json::from_str::<NetworkName>(&json).expect("parses"), name);
            }
        }
    }
}
