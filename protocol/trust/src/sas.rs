//! Short authentication string: what two people compare when one device is linked by another.

use crate::enrol::fields;
use pakawaaz_base::OfficialId;
use sha2::{Digest as _, Sha256};

/// Groups of digits in a code.
pub const GROUPS: usize = 6;

/// Six groups of five digits, separated by spaces, of a device key: `"40251 88713 …"`.
///
/// Digits read the same in English and Urdu. 30 digits are 99 bits: nobody can search for a second key with the same
/// code, so nothing has to be committed to before comparing.
pub fn short_code(realm: &str, official: OfficialId, device_key: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"pakawaaz short code v1\0");
    hash.update(fields(&[realm.as_bytes(), official.as_bytes(), device_key]));
    let digest = hash.finalize();
    let group = |i: usize| {
        // 40 bits per group make the bias of the remainder smaller than 2^-23.
        let mut wide = [0u8; 8];
        wide[3..].copy_from_slice(&digest[i * 5..i * 5 + 5]);
        format!("{:05}", u64::from_be_bytes(wide) % 100_000)
    };
    (0..GROUPS).map(group).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_groups_of_five_digits_that_depend_on_every_input() {
        let official = OfficialId::from_bytes([1; 16]);
        let code = short_code("realm", official, &[4; 65]);
        let groups: Vec<_> = code.split(' ').collect();
        assert_eq!(groups.len(), 6);
        assert!(groups.iter().all(|g| g.len() == 5 && g.bytes().all(|b| b.is_ascii_digit())));
        assert_eq!(code, short_code("realm", official, &[4; 65]));
        assert_ne!(code, short_code("realm", official, &[5; 65]));
        assert_ne!(code, short_code("other", official, &[4; 65]));
        assert_ne!(code, short_code("realm", OfficialId::from_bytes([2; 16]), &[4; 65]));
    }
}
