//! Concealed identities (SUCI) and the keys that open them (TS 33.501 §6.12, Annex C).

use oxirush_security::nas_5gs::{HomeNetworkPrivateKey, Suci};
use serde::{Deserialize, Serialize};

/// Protection schemes. The null scheme, which conceals nothing, is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Profile A: X25519.
    A,
    /// Profile B: secp256r1.
    B,
}

impl Scheme {
    /// As stored and shown.
    pub fn text(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
    /// The inverse.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::A, Self::B].into_iter().find(|scheme| scheme.text() == text)
    }
    /// Identifier in a SUCI (TS 33.501 Annex C.1).
    pub(crate) fn identifier(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
        }
    }
    /// The private key from 32 bytes; none for Profile B's few bytes that are no key.
    pub fn private_key(self, bytes: &[u8; 32]) -> Option<HomeNetworkPrivateKey> {
        match self {
            Self::A => Some(HomeNetworkPrivateKey::profile_a(bytes)),
            Self::B => HomeNetworkPrivateKey::profile_b(bytes).ok(),
        }
    }
}

/// A concealed identity as it arrives, before it is opened.
pub struct Concealed {
    suci: Suci,
    /// Key that is said to open it.
    pub number: u8,
    /// Scheme it is said to be of.
    pub scheme: Scheme,
}

/// Reads a mobile identity of NAS (TS 24.501 §9.11.3.4, from the octet with its type). None when it is not a SUCI, or of
/// another scheme than ours.
pub fn read(identity: &[u8]) -> Option<Concealed> {
    let suci = Suci::from_nas_octets(identity).ok()?;
    let said = suci.protection_scheme().identifier();
    let scheme = [Scheme::A, Scheme::B].into_iter().find(|scheme| scheme.identifier() == said)?;
    Some(Concealed { number: suci.home_network_public_key_id(), scheme, suci })
}

impl Concealed {
    /// The IMSI. None when the key is another one, or a bit was changed.
    pub fn open(&self, key: &HomeNetworkPrivateKey) -> Option<String> {
        let supi = self.suci.deconceal(Some(key)).ok()?;
        supi.as_imsi()?;
        Some(supi.identity().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxirush_security::Plmn;
    use oxirush_security::nas_5gs::{Protection, RoutingIndicator};
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hexadecimal")
    }

    /// Opens the example of the specification, with the header of NAS before it; no other key does, and no bit may be changed.
    fn opens_the_example(scheme: Scheme, key: &str, output: &str) {
        let key: [u8; 32] = bytes(key).try_into().expect("32 bytes");
        let mut identity = vec![0x01, 0x72, 0x24, 0x10, 0xf0, 0xff, scheme.identifier(), 27];
        identity.extend(bytes(output));
        let key = scheme.private_key(&key).expect("a key");
        let concealed = read(&identity).expect("a SUCI");
        assert_eq!((concealed.number, concealed.scheme), (27, scheme));
        assert_eq!(concealed.open(&key).as_deref(), Some("274012001002086"));
        let other = scheme.private_key(&[7; 32]).expect("a key");
        assert_eq!(concealed.open(&other), None);
        for bit in 8 * 8..identity.len() * 8 {
            let mut changed = identity.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let opened = read(&changed).and_then(|concealed| concealed.open(&key));
            assert_eq!(opened, None, "bit {bit}");
        }
    }

    /// TS 33.501 Annex C.4.3.1.
    #[test]
    fn profile_a_of_the_specification() {
        opens_the_example(
            Scheme::A,
            "c53c22208b61860b06c62e5406a7b330c2b577aa5558981510d128247d38bd1d",
            "b2e92f836055a255837debf850b528997ce0201cb82adfe4be1f587d07d8457dcb02352410cddd9e730ef3fa87",
        );
    }

    /// TS 33.501 Annex C.4.4.1.
    #[test]
    fn profile_b_of_the_specification() {
        opens_the_example(
            Scheme::B,
            "f1ab1074477ebcc7f554ea1c5fc368b1616730155e0041ac447d6301975fecda",
            "039aab8376597021e855679a9778ea0b67396e68c66df32c0f41e9acca2da9b9d146a33fc2716ac7dae96aa30a4d",
        );
    }

    #[test]
    fn both_schemes_open_what_they_concealed_and_the_null_scheme_is_not_read() {
        let plmn = Plmn::new("410", "99").expect("a network");
        for scheme in [Scheme::A, Scheme::B] {
            let key = scheme.private_key(&[9; 32]).expect("a key");
            let public = key.public_key();
            let protection = Protection::Ecies { key_id: 3, key: &public };
            let suci =
                Suci::conceal_imsi(plmn, "0000012345", RoutingIndicator::default(), protection).expect("conceals");
            let concealed = read(&suci.to_nas_octets().expect("encodes")).expect("a SUCI");
            assert_eq!(concealed.open(&key).as_deref(), Some("410990000012345"));
            assert_eq!(Scheme::from_text(scheme.text()), Some(scheme));
        }
        let plain = Suci::conceal_imsi(plmn, "0000012345", RoutingIndicator::default(), Protection::Null);
        assert!(read(&plain.expect("conceals").to_nas_octets().expect("encodes")).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(identity: Vec<u8>) {
            if let Some(concealed) = read(&identity) {
                let _ = concealed.open(&Scheme::A.private_key(&[9; 32]).expect("a key"));
            }
        }
    }
}
