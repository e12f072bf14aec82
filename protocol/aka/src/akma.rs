//! AKMA (TS 33.535): keys for applications from the phone's registration with the 5G core.
//!
//! K_AKMA is derived once from K_AUSF and lives until the next primary authentication. K_AF is static for one K_AKMA and
//! one application, so whoever uses it as proof binds fresh nonces of both sides into what is proven.
//!
//! What is verified: function codes, parameters and AF_ID against the text of TS 33.535 (Release 17 and 18) Annex A.2 to A.4,
//! the SUPI's form (an IMSI's digits as a character string, without its type) against TS 33.501 Annex A.7.0, the organisation
//! octets against TS 33.220 Annex H.2 and an operating system's constants for it. Not verified: numbers, since no test vectors
//! are published and the open implementations that we know depart from the text; and how an A-KID's username is put together,
//! see [`AKid`].

use crate::AkaError;
use crate::hex_text;
use crate::kdf::kdf;
use crate::subscriber::{Imsi, MncLength};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// TS 33.535 Annex A.2, A.3, A.4.
const FC_K_AKMA: u8 = 0x80;
const FC_A_TID: u8 = 0x81;
const FC_K_AF: u8 = 0x82;

/// Ua* security protocol identifier (TS 33.535 Annex A.4, TS 33.220 Annex H.1 and H.2): an octet for the organisation, then
/// four that it gives out. 0x01 is 3GPP, 0xff the private range, for which nobody has to register. TS 33.220 warns of that range
/// that a weakness of one private protocol may help against another with the same identifier; so whoever uses one keys
/// nothing with K_AF itself, but with what a label and the transcript of their protocol make of it.
pub type UaStar = [u8; 5];

/// The AKMA anchor key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KAkma([u8; 32]);

impl fmt::Debug for KAkma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KAkma(redacted)")
    }
}

/// AKMA temporary UE identifier: names the key, and nobody who does not have K_AUSF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ATid(pub [u8; 32]);

impl KAkma {
    /// From its bytes, as an anchor function keeps them. The caller wipes its own copy.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }
    /// The bytes. The caller seals them before they rest anywhere.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From K_AUSF of the latest primary authentication, with its name.
    ///
    /// # Errors
    /// None for an [`Imsi`].
    pub fn derive(k_ausf: &[u8; 32], imsi: &Imsi) -> Result<(Self, ATid), AkaError> {
        // SUPI of the type IMSI as in TS 33.501 Annex A.7.0: `imsi-` is not part of it.
        let supi = imsi.as_str().as_bytes();
        let key = kdf(k_ausf, FC_K_AKMA, &[b"AKMA", supi])?;
        let name = kdf(k_ausf, FC_A_TID, &[b"A-TID", supi])?;
        Ok((Self(*key), ATid(*name)))
    }

    /// The key of one application function: its FQDN, and the protocol that it uses with the phone.
    ///
    /// # Errors
    /// [`AkaError::ParameterTooLong`] for an FQDN over 65530 bytes.
    pub fn k_af(&self, fqdn: &str, protocol: UaStar) -> Result<Zeroizing<[u8; 32]>, AkaError> {
        kdf(&self.0, FC_K_AF, &[&[fqdn.as_bytes(), &protocol].concat()])
    }
}

/// What the username of an A-KID begins with, and what stands between its parts.
const RID: &str = "rid";
const TID: &str = ".atid";
/// Longest text that can be one: four digits, 64 hexadecimal ones and the realm.
const LONGEST: usize = 128;

/// AKMA key identifier: a network access identifier (RFC 7542 §2.2) whose username holds the card's routing indicator and
/// the A-TID, and whose realm is the home network (TS 33.535 §6.1; realm as in TS 23.003 §28.2).
///
/// **Our own convention**: no clause that we have found says how the two share the username. Phones of other makers may do it
/// otherwise; this type is the one place that knows. Here they are labelled as the parts of a SUCI are in TS 23.003 §28.7.3: `rid0.atid<64 hexadecimal digits>@5gc.mnc099.mcc410.3gppnetwork.org`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AKid {
    routing: String,
    name: ATid,
    realm: String,
}

impl AKid {
    /// Of a card with this routing indicator (1 to 4 digits, TS 23.003 §2.2B) in its home network.
    ///
    /// # Errors
    /// [`AkaError::OutOfRange`] for another routing indicator.
    pub fn new(routing: &str, name: ATid, imsi: &Imsi, mnc: MncLength) -> Result<Self, AkaError> {
        if !is_routing(routing) {
            return Err(AkaError::OutOfRange { what: "routing indicator", expected: "1 to 4 digits" });
        }
        let realm = home_network_domain(imsi.mcc(), imsi.mnc(mnc));
        Ok(Self { routing: routing.to_owned(), name, realm })
    }

    /// Reads one. Every A-KID has one spelling; anything else is none.
    ///
    /// # Errors
    /// [`AkaError::OutOfRange`], [`AkaError::NotHex`].
    pub fn parse(text: &str) -> Result<Self, AkaError> {
        const NONE: AkaError =
            AkaError::OutOfRange { what: "A-KID", expected: "rid….atid…@5gc.mnc….mcc….3gppnetwork.org" };
        if text.len() > LONGEST {
            return Err(NONE);
        }
        let (user, realm) = text.split_once('@').ok_or(NONE)?;
        let (routing, digits) = user.strip_prefix(RID).and_then(|rest| rest.split_once(TID)).ok_or(NONE)?;
        let lower = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_routing(routing) || !lower || !is_home_network_domain(realm) {
            return Err(NONE);
        }
        let name = hex_text::decode("A-TID", "64 hexadecimal digits", digits)?;
        Ok(Self { routing: routing.to_owned(), name: ATid(name), realm: realm.to_owned() })
    }

    /// Which key it names.
    pub fn name(&self) -> &ATid {
        &self.name
    }
    /// The home network's domain.
    pub fn realm(&self) -> &str {
        &self.realm
    }
}

impl fmt::Display for AKid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RID}{}{TID}{}@{}", self.routing, &*hex_text::encode(&self.name.0), self.realm)
    }
}
/// A pseudonym that lasts for hours: not for logs.
impl fmt::Debug for AKid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AKid(…@{})", self.realm)
    }
}

/// The domain of a home network (TS 23.003 §28.2): network codes of two digits get a zero before them.
pub fn home_network_domain(mcc: &str, mnc: &str) -> String {
    format!("5gc.mnc{mnc:0>3}.mcc{mcc}.3gppnetwork.org")
}

fn is_home_network_domain(realm: &str) -> bool {
    let codes = realm.strip_prefix("5gc.mnc").and_then(|rest| rest.strip_suffix(".3gppnetwork.org"));
    let three = |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
    codes.and_then(|codes| codes.split_once(".mcc")).is_some_and(|(mnc, mcc)| three(mnc) && three(mcc))
}

fn is_routing(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, Mac as _};
    use proptest::prelude::*;
    use sha2::Sha256;

    /// TS 33.220 Annex B.2 by hand, without this crate's derivation: FC ‖ P0 ‖ L0 ‖ P1 ‖ L1.
    fn by_hand(key: &[u8], s: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
        mac.update(s);
        mac.finalize().into_bytes().into()
    }

    proptest! {
        #[test]
        fn as_the_strings_of_annex_a_say(k_ausf: [u8; 32], digits in "[0-9]{15}", ua: [u8; 5]) {
            let imsi = Imsi::new(digits.clone()).expect("valid");
            let (key, name) = KAkma::derive(&k_ausf, &imsi).expect("derives");
            let s = [b"\x80AKMA\x00\x04".as_slice(), digits.as_bytes(), b"\x00\x0f"].concat();
            prop_assert_eq!(key.as_bytes(), &by_hand(&k_ausf, &s));
            let s = [b"\x81A-TID\x00\x05".as_slice(), digits.as_bytes(), b"\x00\x0f"].concat();
            prop_assert_eq!(name.0, by_hand(&k_ausf, &s));
            let s = [b"\x82login.example".as_slice(), &ua, b"\x00\x12"].concat();
            prop_assert_eq!(*key.k_af("login.example", ua).expect("derives"), by_hand(key.as_bytes(), &s));
        }

        #[test]
        fn an_identifier_has_one_spelling(text in ".{0,140}", routing in "[0-9]{1,4}", name: [u8; 32]) {
            if let Ok(read) = AKid::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
            let imsi = Imsi::new("410990123456789").expect("valid");
            let made = AKid::new(&routing, ATid(name), &imsi, MncLength::Two).expect("valid");
            prop_assert_eq!(AKid::parse(&made.to_string()), Ok(made));
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        let imsi = Imsi::new("410990123456789").expect("valid");
        let good = AKid::new("12", ATid([0xab; 32]), &imsi, MncLength::Two).expect("valid");
        let text = good.to_string();
        assert_eq!(text, format!("rid12.atid{}@5gc.mnc099.mcc410.3gppnetwork.org", "ab".repeat(32)));
        assert_eq!(format!("{good:?}"), "AKid(…@5gc.mnc099.mcc410.3gppnetwork.org)");
        assert!(AKid::parse(&text).is_ok() && good.name() == &ATid([0xab; 32]));
        for (from, to) in [
            ("rid12", "rid"),
            ("rid12", "rid12345"),
            ("rid12", "ridab"),
            ("rid", "RID"),
            (".atid", "."),
            ("abab", "ABAB"),
            ("abab", "ab"),
            ("@", "@@"),
            ("mnc099", "mnc99"),
            ("mcc410", "mcc4l0"),
            (".org", ".org."),
            ("5gc.", ""),
        ] {
            assert!(AKid::parse(&text.replacen(from, to, 1)).is_err(), "{from} as {to}");
        }
        for routing in ["", "12345", "1a", "٣"] {
            assert!(AKid::new(routing, ATid([0; 32]), &imsi, MncLength::Two).is_err(), "{routing}");
        }
    }

    /// HMAC-SHA-256 of the strings of Annex A written out by hand, computed by another implementation of HMAC.
    #[test]
    fn known_answers() {
        let imsi = Imsi::new("410010123456789").expect("valid");
        let (key, name) = KAkma::derive(&[0x11; 32], &imsi).expect("derives");
        assert_eq!(hex::encode(key.0), "6f2cc252a0a1ffb77fba6777a3dc913ef8ef85dd8e2a30bf8f3cd7f13d1459a8");
        assert_eq!(hex::encode(name.0), "b059e5ad6bdd9098758438d7438c6f33274fccc3af287cbd614f45240cdf93da");
        let k_af = key.k_af("login.example", [0xff, 0, 0, 0, 1]).expect("derives");
        assert_eq!(hex::encode(*k_af), "7edd7279048b62fd19d02798349f4028d85f12b304f598569b0d9c8463b08b72");
        assert_eq!(format!("{key:?}"), "KAkma(redacted)");
    }

    #[test]
    fn every_input_matters() {
        let (one, other) = (Imsi::new("410010123456789").expect("valid"), Imsi::new("410010123456780").expect("valid"));
        let (key, name) = KAkma::derive(&[1; 32], &one).expect("derives");
        for (k_ausf, imsi) in [([2; 32], &one), ([1; 32], &other)] {
            let (k, n) = KAkma::derive(&k_ausf, imsi).expect("derives");
            assert!(k.0 != key.0 && n != name);
        }
        let base = key.k_af("a.example", [0; 5]).expect("derives");
        assert_ne!(base, key.k_af("b.example", [0; 5]).expect("derives"));
        assert_ne!(base, key.k_af("a.example", [0, 0, 0, 0, 1]).expect("derives"));
    }
}
