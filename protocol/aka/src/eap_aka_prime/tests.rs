//! RFC 9048 Appendix D (RFC 5448 Appendix C), cases 1 to 4; identity and inputs from there.

use super::*;

struct Case {
    network: &'static str,
    autn: &'static str,
    ck: &'static str,
    ik: &'static str,
    ck_prime: &'static str,
    ik_prime: &'static str,
    k_encr: &'static str,
    k_aut: &'static str,
    k_re: &'static str,
    msk: &'static str,
    emsk: &'static str,
}

const IDENTITY: &str = "0555444333222111";

const CASES: [Case; 4] = [
    Case {
        network: "WLAN",
        autn: "bb52e91c747ac3ab2a5c23d15ee351d5",
        ck: "5349fbe098649f948f5d2e973a81c00f",
        ik: "9744871ad32bf9bbd1dd5ce54e3e2e5a",
        ck_prime: "0093962d0dd84aa5684b045c9edffa04",
        ik_prime: "ccfc230ca74fcc96c0a5d61164f5a76c",
        k_encr: "766fa0a6c317174b812d52fbcd11a179",
        k_aut: "0842ea722ff6835bfa2032499fc3ec23c2f0e388b4f07543ffc677f1696d71ea",
        k_re: "cf83aa8bc7e0aced892acc98e76a9b2095b558c7795c7094715cb3393aa7d17a",
        msk: "67c42d9aa56c1b79e295e3459fc3d187d42be0bf818d3070e362c5e967a4d544\
              e8ecfe19358ab3039aff03b7c930588c055babee58a02650b067ec4e9347c75a",
        emsk: "f861703cd775590e16c7679ea3874ada866311de290764d760cf76df647ea01c\
               313f69924bdd7650ca9bac141ea075c4ef9e8029c0e290cdbad5638b63bc23fb",
    },
    Case {
        network: "HRPD",
        autn: "bb52e91c747ac3ab2a5c23d15ee351d5",
        ck: "5349fbe098649f948f5d2e973a81c00f",
        ik: "9744871ad32bf9bbd1dd5ce54e3e2e5a",
        ck_prime: "3820f0277fa5f77732b1fb1d90c1a0da",
        ik_prime: "db94a0ab557ef6c9ab48619ca05b9a9f",
        k_encr: "05ad73ac915fce89ac77e1520d82187b",
        k_aut: "5b4acaef62c6ebb8882b2f3d534c4b35277337a00184f20ff25d224c04be2afd",
        k_re: "3f90bf5c6e5ef325ff04eb5ef6539fa8cca8398194fbd00be425b3f40dba10ac",
        msk: "87b321570117cd6c95ab6c436fb5073ff15cf85505d2bc5bb7355fc21ea8a757\
              57e8f86a2b138002e05752913bb43b82f868a96117e91a2d95f526677d572900",
        emsk: "c891d5f20f148a1007553e2dea555c9cb672e9675f4a66b4bafa027379f93aee\
               539a5979d0a0042b9d2ae28bed3b17a31dc8ab75072b80bd0c1da612466e402c",
    },
    Case {
        network: "WLAN",
        autn: "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0",
        ck: "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
        ik: "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",
        ck_prime: "cd4c8e5c68f57dd1d7d7dfd0c538e577",
        ik_prime: "3ece6b705dbbf7dfc459a11280c65524",
        k_encr: "897d302fa2847416488c28e20dcb7be4",
        k_aut: "c40700e7722483ae3dc7139eb0b88bb558cb3081eccd057f9207d1286ee7dd53",
        k_re: "0a591a22dd8b5b1cf29e3d508c91dbbdb4aee23051892c42b6a2de66ea504473",
        msk: "9f7dca9e37bb22029ed986e7cd09d4a70d1ac76d95535c5cac40a7504699bb89\
              61a29ef6f3e90f183de5861ad1bedc81ce9916391b401aa006c98785a5756df7",
        emsk: "724de00bdb9e568187be3fe746114557d5018779537ee37f4d3c6c738cb97b9d\
               c651bc19bfadc344ffe2b52ca78bd8316b51dacc5f2b1440cb9515521cc7ba23",
    },
    Case {
        network: "HRPD",
        autn: "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0",
        ck: "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
        ik: "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0",
        ck_prime: "8310a71ce6f754889613da8f64d5fb46",
        ik_prime: "5adf14360ae838192db23f6fcb7f8c76",
        k_encr: "745e7439ba238f50fcac4d15d47cd1d9",
        k_aut: "3e1d2aa4e677025cfd862a4be18361a13a645765571463df833a9759e8099879",
        k_re: "99da835e2ae82462576fe6516fad1f802f0fa1191655dd0a273da96d04e0fcd3",
        msk: "c6d3a6e0ceea951eb20d74f32c3061d0680a04b0b086ee8700ace3e0b95fa026\
              83c287beee44432294ff98af26d2cc783bace75c4b0af7fdfeb5511ba8e4cbd0",
        emsk: "7fb56813838adafa99d140c2f198f6dacebfb6afee444961105402b508c7f363\
               352cb2919644b50463e6a69354150147ae09cbc54b8a651d8787a6893ed8536d",
    },
];

#[test]
fn published_cases() {
    let identity = EapIdentity::new(IDENTITY).expect("valid");
    for (n, case) in CASES.iter().enumerate() {
        let n = n + 1;
        let network = NetworkName::new(case.network).expect("valid");
        let autn = Autn::from_slice(&hex::decode(case.autn).expect("hex")).expect("16 bytes");
        let ck = CipherKey::from_hex(case.ck).expect("CK");
        let ik = IntegrityKey::from_hex(case.ik).expect("IK");
        let (ck_prime, ik_prime) = derive_ck_ik_prime(&ck, &ik, autn.sqn_xor_ak(), &network).expect("fits");
        assert_eq!(ck_prime.expose_hex().as_str(), case.ck_prime, "CK' of case {n}");
        assert_eq!(ik_prime.expose_hex().as_str(), case.ik_prime, "IK' of case {n}");
        let keys = EapAkaPrimeKeys::derive(&ck, &ik, &autn, &network, &identity).expect("bit set");
        assert_eq!(keys.k_encr.expose_hex().as_str(), case.k_encr, "K_encr of case {n}");
        assert_eq!(keys.k_aut.expose_hex().as_str(), case.k_aut, "K_aut of case {n}");
        assert_eq!(keys.k_re.expose_hex().as_str(), case.k_re, "K_re of case {n}");
        assert_eq!(keys.msk.expose_hex().as_str(), case.msk, "MSK of case {n}");
        assert_eq!(keys.emsk.expose_hex().as_str(), case.emsk, "EMSK of case {n}");
    }
}

#[test]
fn every_input_changes_every_key() {
    let derive = |ck: u8, ik: u8, sqn: u8, network: &str, identity: &str| {
        let mut autn = [0u8; 16];
        autn[0] = sqn;
        autn[6] = 0x80;
        EapAkaPrimeKeys::derive(
            &CipherKey::from_bytes([ck; 16]),
            &IntegrityKey::from_bytes([ik; 16]),
            &Autn::from_bytes(autn),
            &NetworkName::new(network).expect("valid"),
            &EapIdentity::new(identity).expect("valid"),
        )
        .expect("bit set")
    };
    let base = derive(1, 2, 3, "net", "id");
    assert_eq!(base, derive(1, 2, 3, "net", "id"));
    for other in [
        derive(9, 2, 3, "net", "id"),
        derive(1, 9, 3, "net", "id"),
        derive(1, 2, 9, "net", "id"),
        derive(1, 2, 3, "Net", "id"),
        derive(1, 2, 3, "net", "iD"),
    ] {
        assert_ne!(base.k_encr, other.k_encr);
        assert_ne!(base.k_aut, other.k_aut);
        assert_ne!(base.k_re, other.k_re);
        assert_ne!(base.msk, other.msk);
        assert_ne!(base.emsk, other.emsk);
    }
}

#[test]
fn identities_are_bounded_and_not_shown() {
    assert!(EapIdentity::new("").is_err());
    assert!(EapIdentity::new("x".repeat(254)).is_err());
    assert!(EapIdentity::new("a\nb").is_err());
    let id = EapIdentity::new("x".repeat(253)).expect("longest");
    assert_eq!(format!("{id:?}"), "EapIdentity(redacted)");
}

/// The example of TS 23.003 §19.3.2: MCC 234, MNC 15, with a leading 6 for EAP-AKA'.
#[test]
fn root_nai_of_a_card() {
    let imsi = Imsi::new("234150999999999").expect("valid");
    let nai = EapIdentity::root_nai(&imsi, MncLength::Two);
    assert_eq!(nai.as_str(), "6234150999999999@nai.epc.mnc015.mcc234.3gppnetwork.org");
    let nai = EapIdentity::root_nai(&imsi, MncLength::Three);
    assert_eq!(nai.as_str(), "6234150999999999@nai.epc.mnc150.mcc234.3gppnetwork.org");
}
