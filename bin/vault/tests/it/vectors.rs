//! What it gives is what the algorithms give.

use crate::lab::{Lab, card, eap, one, seal};
use pakawaaz_aka::{
    Algorithm, Amf, Auts, EapIdentity, NetworkName, Rand, Sqn, TuakIterations, TuakResLength, TuakSettings,
    generate_vector,
};
use pakawaaz_sim_vault::{Answer, Ask, Want};

/// K, OPc and SQN of the test sets of TS 35.208 §4.3.
const MILENAGE: [[&str; 3]; 8] = [
    ["465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf", "ff9bb4d0b607"],
    ["0396eb317b6d1c36f19c1c84cd6ffd16", "53c15671c60a4b731c55b4a441c0bde2", "fd8eef40df7d"],
    ["fec86ba6eb707ed08905757b1bb44b8f", "1006020f0a478bf6b699f15c062e42b3", "9d0277595ffc"],
    ["9e5944aea94b81165c82fbf9f32db751", "a64a507ae1a2a98bb88eb4210135dc87", "0b604a81eca8"],
    ["4ab1deb05ca6ceb051fc98e77d026a84", "dcf07cbd51855290b92a07a9891e523e", "e880a1b580b6"],
    ["6c38a116ac280c454f59332ee35c8c4f", "3803ef5363b947c6aaa225e58fae3934", "414b98222181"],
    ["2d609d4db0ac5bf0d2c0de267014de0d", "c35a0ab0bcbfc9252caff15f24efbde0", "6bf69438c2e4"],
    ["5122250214c33e723a5dd523fc145fc0", "981d464c7c52eb6e5036234984ad0bcf", "16f3b3f70fc2"],
];

/// K, TOPc, iterations and SQN of the test sets of TS 35.233 §6.3 to §6.8.
const TUAK: [(&str, &str, u8, &str); 5] = [
    (
        "abababababababababababababababab",
        "bd04d9530e87513c5d837ac2ad954623a8e2330c115305a73eb45d1f40cccbff",
        1,
        "111111111111",
    ),
    (
        "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0",
        "305425427e18c503c8a4b294ea72c95d0c36c6c6b29d0c65de5974d5977f8524",
        1,
        "0123456789ab",
    ),
    (
        "b8da837a50652d6ac7c97da14f6acc61",
        "2bc16eb657a68e1f446f08f57c0efb1d493527a2e652ce281eb6ca0e4487760a",
        1,
        "0dea2ee2c5af",
    ),
    (
        "1574ca56881d05c189c82880f789c9cd4244955f4426aa2b69c29f15770e5aa5",
        "3c6052e41532a28a47aa3cbb89f223e8f3aaa976aecd48bc3e7d6165a55eff62",
        1,
        "c89bb71f3a41",
    ),
    (
        "1574ca56881d05c189c82880f789c9cd4244955f4426aa2b69c29f15770e5aa5",
        "b04a66f26c62fcd6c82de22a179ab65506ecf47f56245cd149966cfa9cec7a51",
        2,
        "c89bb71f3a41",
    ),
];

fn published() -> Vec<(Algorithm, [u8; 6])> {
    let sqn = |text: &str| hex::decode(text).expect("hexadecimal").try_into().expect("6 bytes");
    let milenage =
        MILENAGE.iter().map(|[k, opc, number]| (Algorithm::milenage_from_hex(k, opc).expect("valid"), sqn(number)));
    let tuak = TUAK.iter().map(|(k, topc, iterations, number)| {
        let iterations = TuakIterations::try_from(*iterations).expect("1 or 2");
        let settings = TuakSettings { iterations, res: TuakResLength::Bits64 };
        (Algorithm::tuak_from_hex(k, topc, settings).expect("valid"), sqn(number))
    });
    milenage.chain(tuak).collect()
}

/// Every published card, through the process: what `protocol/aka`, which is tested with the published outputs, says for the
/// challenge that the vault drew.
pub fn published_cards_get_their_vectors(lab: &Lab) {
    let running = lab.start();
    let mut client = running.client();
    let network = NetworkName::new("5G:mnc093.mcc208.3gppnetwork.org").expect("valid");
    for (number, (algorithm, sqn)) in published().into_iter().enumerate() {
        let card = card(number as u8 + 1);
        let sealed = seal(&mut client, card, &algorithm);
        let asks = [eap("WLAN"), Want::FiveGAka { network: network.clone() }].map(|want| Ask::Vector {
            card,
            sealed: sealed.clone(),
            sqn,
            want,
        });
        let answers = client.ask(&asks).expect("answers");
        let expected = |rand: Rand| generate_vector(&algorithm, rand, Sqn::from_bytes(sqn), Amf::EAP_AKA_PRIME);
        let [Answer::EapAkaPrime(eap), Answer::FiveGAka(five_g)] = &answers[..] else { panic!("{answers:?}") };
        let eap = eap.vector().expect("whole");
        let (wlan, identity) = (NetworkName::new("WLAN"), EapIdentity::new("0555444333222111"));
        let want = expected(eap.rand).into_eap(&wlan.expect("valid"), &identity.expect("valid")).expect("separated");
        assert_eq!(eap, want);
        let (rand, autn, keys) = five_g.parts().expect("whole");
        let want = expected(rand);
        assert_eq!(autn, want.autn);
        assert_eq!(keys, want.five_g_aka(&network).expect("separated"));
        assert_ne!(rand, eap.rand, "every challenge is new");

        // AUTS of a card that has counted up to here.
        let sqn_ms = Sqn::from_bytes([0, 0, 0, 0, 7, 0x40]);
        let (ak, mac) = (algorithm.f5_star(&rand), algorithm.f1_star(&rand, sqn_ms, Amf::ZERO));
        let mut auts = [0; 14];
        for (at, byte) in auts.iter_mut().enumerate().take(6) {
            *byte = sqn_ms.to_bytes()[at] ^ ak.as_bytes()[at];
        }
        auts[6..].copy_from_slice(&mac);
        assert_eq!(pakawaaz_aka::resynchronise(&algorithm, &rand, &Auts::from_bytes(auts)), Ok(sqn_ms));
        let ask = Ask::Resynchronise { card, sealed, rand: rand.0, auts };
        assert_eq!(one(&mut client, ask), Answer::Resynchronised(sqn_ms.to_bytes()));
    }
}

#[test]
fn by_a_key_in_a_file() {
    published_cards_get_their_vectors(&Lab::new());
}
