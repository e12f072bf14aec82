//! Entry points of the fuzz workspace: each takes arbitrary bytes and must not panic.

use crate::dpop::{self, Request};
use crate::opaque::OpaqueServer;
use crate::seal::SealKey;
use crate::state::{Round1, Round2};
use crate::token::TokenVerifier;
use pakawaaz_base::Millis;

/// DPoP proofs and request URLs.
pub fn dpop(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let request = Request { htm: "GET", htu: text, access_token: None, nonce: None };
    let _ = dpop::verify(text, &request, None, Millis(0));
}

/// Access tokens.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = TokenVerifier::new("realm", []).verify(text, Millis(0));
}

/// Sealed state, and the layout inside it as if it had been authentic.
pub fn sealed_state(data: &[u8]) {
    assert!(SealKey::new([0; 32]).open("fuzz", b"id", data, Millis(0)).is_err(), "nobody can forge a state");
    if let Ok(state) = Round1::decode(data) {
        assert_eq!(state.encode().as_slice(), data);
    }
    if let Ok(state) = Round2::decode(data) {
        assert_eq!(state.encode().as_slice(), data);
    }
}

/// OPAQUE messages and keys.
pub fn opaque(data: &[u8]) {
    let _ = OpaqueServer::from_bytes(data);
    let _ = OpaqueServer::password_file(data);
    let _ = crate::opaque::finish(data, data, "u", "r", b"c");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_input_panics(data in proptest::collection::vec(any::<u8>(), 0..600)) {
            super::dpop(&data);
            super::token(&data);
            super::sealed_state(&data);
            super::opaque(&data);
        }
    }
}
