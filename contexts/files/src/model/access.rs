//! Who may download: whoever shows the bytes whose hash the uploader gave.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The 32 bytes of an access header; `None` when it is anything else.
pub fn parse(header: &str) -> Option<[u8; 32]> {
    // 32 bytes are 43 characters; longer ones need not be decoded to be wrong.
    if header.len() != 43 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(header).ok()?.try_into().ok()
}

/// As a client sends it.
pub fn show(access: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(access)
}

/// Whether these bytes open a file with this hash, in constant time.
pub fn opens(access: &[u8; 32], hash: &[u8; 32]) -> bool {
    Sha256::digest(access).as_slice().ct_eq(hash).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_its_own_bytes_open(access: [u8; 32], other: [u8; 32]) {
            let hash: [u8; 32] = Sha256::digest(access).into();
            prop_assert!(opens(&access, &hash));
            prop_assert_eq!(opens(&other, &hash), access == other);
            prop_assert_eq!(parse(&show(&access)), Some(access));
        }

        #[test]
        fn garbage_is_no_access(text in "\\PC{0,60}") {
            crate::fuzz::access_header(text.as_bytes());
        }
    }
}
