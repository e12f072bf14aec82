//! Names and usernames: what may be stored.

use crate::DirectoryError;
use pakawaaz_contract::directory::BilingualName;

/// Longest name, title or rank, in characters.
pub const MAX_NAME: usize = 200;

/// Trims a name and checks it. English is required.
pub fn required(name: &BilingualName) -> Result<BilingualName, DirectoryError> {
    let name = optional(name)?;
    if name.en.is_empty() { Err(DirectoryError::BadName) } else { Ok(name) }
}

/// Trims a name that may be empty and checks it.
pub fn optional(name: &BilingualName) -> Result<BilingualName, DirectoryError> {
    Ok(BilingualName { en: text(&name.en)?, ur: text(&name.ur)? })
}

fn text(text: &str) -> Result<String, DirectoryError> {
    let text = text.trim();
    if text.chars().count() > MAX_NAME || text.chars().any(deceptive) {
        return Err(DirectoryError::BadName);
    }
    Ok(text.to_owned())
}

/// Control characters, and the overrides and isolates that would let a name rearrange the text around it.
fn deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Checks a login name: 3–32 of `a-z 0-9 . _ -`, starting with a letter.
pub fn username(name: &str) -> Result<(), DirectoryError> {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let all = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if starts && all && (3..=32).contains(&name.len()) { Ok(()) } else { Err(DirectoryError::BadUsername) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn en(text: &str) -> BilingualName {
        BilingualName { en: text.into(), ur: String::new() }
    }

    #[test]
    fn names_are_trimmed_and_english_is_required() {
        assert_eq!(required(&en("  Amna Khan ")).expect("fits").en, "Amna Khan");
        assert!(required(&en("   ")).is_err());
        assert!(optional(&en("")).is_ok());
        assert!(required(&en(&"x".repeat(MAX_NAME))).is_ok());
        assert!(required(&en(&"x".repeat(MAX_NAME + 1))).is_err());
    }

    #[test]
    fn names_cannot_rearrange_the_screen() {
        for bad in ["a\nb", "a\u{202e}b", "a\u{2066}b", "a\u{0}b"] {
            assert!(required(&en(bad)).is_err(), "{bad:?}");
        }
        // Zero-width joiners are part of correct Urdu.
        let urdu = BilingualName { en: "x".into(), ur: "محمد\u{200c}علی".into() };
        assert!(required(&urdu).is_ok());
    }

    #[test]
    fn usernames_follow_the_contract() {
        for good in ["abc", "a.khan", "so-admin_2", "abcdefghijklmnopqrstuvwxyz012345"] {
            assert!(username(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "1abc", ".abc", "Abc", "a b c", "ámna", "abcdefghijklmnopqrstuvwxyz0123456"] {
            assert!(username(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in ".*") {
            let _ = username(&text);
            if let Ok(name) = required(&en(&text)) {
                prop_assert_eq!(required(&name).expect("stable").en, name.en);
            }
        }
    }
}
