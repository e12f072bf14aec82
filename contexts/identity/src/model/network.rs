//! Whether a login's address, its card and the phone at the address fit together.

use crate::ports::SeenPhone;
use pakawaaz_contract::identity::{LoginNetwork, NetworkAgreement};

/// Judges the phone at the address of a login. `before` is the equipment that the device's login before came through.
///
/// Of another card's phone nothing is kept: it is not this official's to know.
pub fn judge(imsi: &str, seen: SeenPhone, before: Option<&str>) -> LoginNetwork {
    if seen.imsi != imsi {
        return LoginNetwork { agreement: NetworkAgreement::OtherCard, equipment: None };
    }
    let other = match (seen.pei.as_deref(), before) {
        (Some(now), Some(before)) => equipment(now) != equipment(before),
        _ => false,
    };
    let agreement = if other { NetworkAgreement::OtherEquipment } else { NetworkAgreement::SamePhone };
    LoginNetwork { agreement, equipment: seen.pei }
}

/// The 14 digits that IMEI and IMEISV share (TS 23.003 §6.2): the software version may change.
fn equipment(pei: &str) -> &str {
    pei.get(..14).unwrap_or(pei)
}

/// As stored.
pub fn text(agreement: NetworkAgreement) -> &'static str {
    match agreement {
        NetworkAgreement::SamePhone => "same_phone",
        NetworkAgreement::OtherCard => "other_card",
        NetworkAgreement::OtherEquipment => "other_equipment",
    }
}

/// The inverse.
pub fn from_text(text: &str) -> Option<NetworkAgreement> {
    use NetworkAgreement::{OtherCard, OtherEquipment, SamePhone};
    [SamePhone, OtherCard, OtherEquipment].into_iter().find(|agreement| self::text(*agreement) == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use NetworkAgreement::{OtherCard, OtherEquipment, SamePhone};

    fn seen(imsi: &str, pei: Option<&str>) -> SeenPhone {
        SeenPhone { imsi: imsi.into(), pei: pei.map(str::to_owned) }
    }

    #[test]
    fn the_card_counts_first_then_the_equipment_without_its_software() {
        let (imei, imeisv, other) = ("350000000000019", "3500000000000102", "3500000000000202");
        for (phone, before, expected) in [
            (seen("1", Some(imei)), None, SamePhone),
            (seen("1", None), Some(imei), SamePhone),
            (seen("1", Some(imei)), Some(imeisv), SamePhone),
            (seen("1", Some(other)), Some(imeisv), OtherEquipment),
            (seen("2", Some(imei)), Some(imei), OtherCard),
        ] {
            assert_eq!(judge("1", phone.clone(), before).agreement, expected, "{phone:?}");
        }
        assert_eq!(judge("1", seen("2", Some(imei)), None).equipment, None, "another card's phone is not told");
    }

    #[test]
    fn texts_round_trip() {
        for agreement in [SamePhone, OtherCard, OtherEquipment] {
            assert_eq!(from_text(text(agreement)), Some(agreement));
        }
        assert_eq!(from_text("agrees"), None);
    }
}
