//! The published test sets: TS 35.232 (sets 2 to 6, with intermediate values there) and TS 35.233 §6.3 to
//! §6.8 (sets 1 to 6). They use more lengths than we offer, so they run against the core.

use super::*;
use hex::FromHex;

struct Set {
    k: &'static str,
    rand: &'static str,
    sqn: &'static str,
    amf: &'static str,
    top: &'static str,
    iterations: u8,
    topc: &'static str,
    f1: &'static str,
    f1_star: &'static str,
    f2: &'static str,
    f3: &'static str,
    f4: &'static str,
    f5: &'static str,
    f5_star: &'static str,
}

const SETS: [Set; 6] = [
    Set {
        k: "abababababababababababababababab",
        rand: "42424242424242424242424242424242",
        sqn: "111111111111",
        amf: "ffff",
        top: "5555555555555555555555555555555555555555555555555555555555555555",
        iterations: 1,
        topc: "bd04d9530e87513c5d837ac2ad954623a8e2330c115305a73eb45d1f40cccbff",
        f1: "f9a54e6aeaa8618d",
        f1_star: "e94b4dc6c7297df3",
        f2: "657acd64",
        f3: "d71a1e5c6caffe986a26f783e5c78be1",
        f4: "be849fa2564f869aecee6f62d4337e72",
        f5: "719f1e9b9054",
        f5_star: "e7af6b3d0e38",
    },
    Set {
        k: "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0",
        rand: "0123456789abcdef0123456789abcdef",
        sqn: "0123456789ab",
        amf: "abcd",
        top: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        iterations: 1,
        topc: "305425427e18c503c8a4b294ea72c95d0c36c6c6b29d0c65de5974d5977f8524",
        f1: "c0b8c2d4148ec7aa5f1d78a97e4d1d58",
        f1_star: "ef81af7290f7842c6ceafa537fa0745b",
        f2: "e9d749dc4eea0035",
        f3: "a4cb6f6529ab17f8337f27baa8234d47",
        f4: "2274155ccf4199d5e2abcbf621907f90",
        f5: "480a9345cc1e",
        f5_star: "f84eb338848c",
    },
    Set {
        k: "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0",
        rand: "0123456789abcdef0123456789abcdef",
        sqn: "0123456789ab",
        amf: "abcd",
        top: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        iterations: 1,
        topc: "305425427e18c503c8a4b294ea72c95d0c36c6c6b29d0c65de5974d5977f8524",
        f1: "d97b75a1776065271b1e212bc3b1bf173f438b21e6c64a55a96c372e085e5cc5",
        f1_star: "427bbf07c6e3a86c54f8c5216499f3909a6fd4a164c9fe235b1550258111b821",
        f2: "07021c73e7635c7d",
        f3: "4d59ac796834eb85d11fa148a5058c3c",
        f4: "126d47500136fdc5ddfd14f19ebf16749ce4b6435323fbb5715a3a796a6082bd",
        f5: "1d6622c4e59a",
        f5_star: "f84eb338848c",
    },
    Set {
        k: "b8da837a50652d6ac7c97da14f6acc61",
        rand: "6887e55425a966bd86c9661a5fa72be8",
        sqn: "0dea2ee2c5af",
        amf: "df1e",
        top: "0952be13556c32ebc58195d9dd930493e12a9003669988ffde5fa1f0fe35cc01",
        iterations: 1,
        topc: "2bc16eb657a68e1f446f08f57c0efb1d493527a2e652ce281eb6ca0e4487760a",
        f1: "749214087958dd8f58bfcdf869d8ae3f",
        f1_star: "619e865afe80e382aee13063f9dfb56d",
        f2: "4041ce438e3e38e8aa96562eed83ac43",
        f3: "3e3bc01bea0cd914c4c2c83ce2d92757",
        f4: "666a8e6f577b1aa77b7fd53cebb8a3d6",
        f5: "1f880d005119",
        f5_star: "45e617d77fe5",
    },
    Set {
        k: "1574ca56881d05c189c82880f789c9cd4244955f4426aa2b69c29f15770e5aa5",
        rand: "c570aac68cde651fb1e3088322498bef",
        sqn: "c89bb71f3a41",
        amf: "297d",
        top: "e59f6eb10ea406813f4991b0b9e02f181edf4c7e17b480f66d34da35ee88c95e",
        iterations: 1,
        topc: "3c6052e41532a28a47aa3cbb89f223e8f3aaa976aecd48bc3e7d6165a55eff62",
        f1: "d7340dad02b4cb01",
        f1_star: "c6021e2e66accb15",
        f2: "84d89b41db1867ffd4c7ba1d82163f4d526a20fbae5418fbb526940b1eeb905c",
        f3: "d419676afe5ab58c1d8bee0d43523a4d2f52ef0b31a4676a0c334427a988fe65",
        f4: "205533e505661b61d05cc0eac87818f4",
        f5: "d7b3d2d4980a",
        f5_star: "ca9655264986",
    },
    Set {
        k: "1574ca56881d05c189c82880f789c9cd4244955f4426aa2b69c29f15770e5aa5",
        rand: "c570aac68cde651fb1e3088322498bef",
        sqn: "c89bb71f3a41",
        amf: "297d",
        top: "e59f6eb10ea406813f4991b0b9e02f181edf4c7e17b480f66d34da35ee88c95e",
        iterations: 2,
        topc: "b04a66f26c62fcd6c82de22a179ab65506ecf47f56245cd149966cfa9cec7a51",
        f1: "90d2289ed1ca1c3dbc2247bb480d431ac71d2e4a7677f6e997cfddb0cbad88b7",
        f1_star: "427355dbac30e825063aba61b556e87583abac638e3ab01c4c884ad9d458dc2f",
        f2: "d67e6e64590d22eecba7324afa4af4460c93f01b24506d6e12047d789a94c867",
        f3: "ede57edfc57cdffe1aae75066a1b7479bbc3837438e88d37a801cccc9f972b89",
        f4: "48ed9299126e5057402fe01f9201cf25249f9c5c0ed2afcf084755daff1d3999",
        f5: "6aae8d18c448",
        f5_star: "8c5f33b61f4e",
    },
];

fn vector(text: &str) -> Vec<u8> {
    hex::decode(text).expect("test data is hexadecimal")
}

fn bytes<const N: usize>(text: &str) -> [u8; N]
where
    [u8; N]: FromHex<Error = hex::FromHexError>,
{
    <[u8; N]>::from_hex(text).expect("test data is hexadecimal")
}

fn mac(t: &Tuak<'_>, instance: u8, len: usize, rand: &Rand, sqn: Sqn, amf: Amf) -> Vec<u8> {
    match len {
        8 => t.mac::<8>(instance, rand, sqn, amf).to_vec(),
        16 => t.mac::<16>(instance, rand, sqn, amf).to_vec(),
        32 => t.mac::<32>(instance, rand, sqn, amf).to_vec(),
        _ => panic!("no such MAC length"),
    }
}

#[test]
fn published_test_sets() {
    for (n, set) in SETS.iter().enumerate() {
        let n = n + 1;
        let k = TuakKey::from_hex(set.k).expect("K");
        let settings = TuakSettings {
            iterations: TuakIterations::try_from(set.iterations).expect("1 or 2"),
            res: TuakResLength::default(),
        };
        let (rand, sqn, amf) = (Rand(bytes(set.rand)), Sqn::from_bytes(bytes(set.sqn)), Amf(bytes(set.amf)));

        let topc = derive_topc(&k, &Top::from_hex(set.top).expect("TOP"), settings.iterations);
        assert_eq!(topc.as_bytes(), &bytes(set.topc), "TOPc of set {n}");
        let t = Tuak::new(&k, &topc, settings);
        assert_eq!(mac(&t, 0x00, set.f1.len() / 2, &rand, sqn, amf), vector(set.f1), "f1 of set {n}");
        assert_eq!(mac(&t, 0x80, set.f1_star.len() / 2, &rand, sqn, amf), vector(set.f1_star), "f1* of set {n}");
        let lengths = Lengths { res: set.f2.len() / 2, ck: set.f3.len() / 2, ik: set.f4.len() / 2 };
        let out = t.core(lengths, &rand);
        assert_eq!(*reversed(&out[..lengths.res]), vector(set.f2), "f2 of set {n}");
        assert_eq!(*reversed(&out[32..32 + lengths.ck]), vector(set.f3), "f3 of set {n}");
        assert_eq!(*reversed(&out[64..64 + lengths.ik]), vector(set.f4), "f4 of set {n}");
        assert_eq!(*field::<6>(&out, 96), bytes(set.f5), "f5 of set {n}");
        assert_eq!(t.f5_star(&rand).as_bytes(), &bytes(set.f5_star), "f5* of set {n}");
    }
}

/// Set 1 has exactly the lengths of our public functions (RES of 32 bits).
#[test]
fn public_functions_agree_with_set_1() {
    let set = &SETS[0];
    let k = TuakKey::from_hex(set.k).expect("K");
    let topc = Topc::from_hex(set.topc).expect("TOPc");
    let settings = TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits32 };
    let (rand, sqn, amf) = (Rand(bytes(set.rand)), Sqn::from_bytes(bytes(set.sqn)), Amf(bytes(set.amf)));
    let t = Tuak::new(&k, &topc, settings);
    assert_eq!(t.f1(&rand, sqn, amf), bytes(set.f1));
    assert_eq!(t.f1_star(&rand, sqn, amf), bytes(set.f1_star));
    let out = t.f2345(&rand);
    assert_eq!(out.res.as_bytes(), vector(set.f2));
    assert_eq!(out.ck.as_bytes(), &bytes(set.f3));
    assert_eq!(out.ik.as_bytes(), &bytes(set.f4));
    assert_eq!(out.ak.as_bytes(), &bytes(set.f5));
}

#[test]
fn keys_and_settings_have_few_shapes() {
    assert!(matches!(TuakKey::from_hex(&"0a".repeat(16)), Ok(TuakKey::K128(_))));
    assert!(matches!(TuakKey::from_hex(&"0a".repeat(32)), Ok(TuakKey::K256(_))));
    let err = TuakKey::from_hex(&"0a".repeat(20)).expect_err("40 digits");
    assert_eq!(err.to_string(), "K must be 32 or 64 hexadecimal digits, got 40");
    assert!(matches!(TuakKey::from_hex("xy"), Err(AkaError::NotHex { position: 1, .. })));
    for n in 0..=u8::MAX {
        assert_eq!(TuakIterations::try_from(n).is_ok(), n == 1 || n == 2);
    }
    for bits in 0..=300u16 {
        assert_eq!(TuakResLength::try_from(bits).is_ok(), [32, 64, 128].contains(&bits));
    }
}
