//! Authentication from both ends: acceptance, replay, resynchronisation, forgery, restart.

use pakawaaz_aka::secret::{Key128, Key256, Opc, Topc};
use pakawaaz_aka::*;
use pakawaaz_base::Millis;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

const NOW: Millis = Millis(1_790_000_000_000);

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    let tuak_key = prop_oneof![
        any::<[u8; 16]>().prop_map(|k| TuakKey::K128(Key128::from_bytes(k))),
        any::<[u8; 32]>().prop_map(|k| TuakKey::K256(Key256::from_bytes(k))),
    ];
    prop_oneof![
        any::<([u8; 16], [u8; 16])>()
            .prop_map(|(k, opc)| Algorithm::Milenage { k: Key128::from_bytes(k), opc: Opc::from_bytes(opc) }),
        (tuak_key, any::<[u8; 32]>(), 1..=2u8, 0..3usize).prop_map(|(k, topc, iterations, res)| Algorithm::Tuak {
            k,
            topc: Topc::from_bytes(topc),
            settings: TuakSettings {
                iterations: TuakIterations::try_from(iterations).expect("1 or 2"),
                res: [TuakResLength::Bits32, TuakResLength::Bits64, TuakResLength::Bits128][res],
            },
        }),
    ]
}

fn card(algorithm: &Algorithm) -> SoftwareUsim {
    SoftwareUsim::new(SoftwareSim {
        imsi: Imsi::new("410010123456789").expect("valid"),
        iccid: Iccid::with_check_digit("899241000000000001").expect("valid"),
        algorithm: algorithm.clone(),
    })
}

fn ind(n: u8) -> Ind {
    Ind::new(n).expect("0 to 31")
}

/// Issues a vector as the server does.
fn issue(state: &mut SqnState, a: &Algorithm, now: Millis, i: Ind, seed: u64) -> AuthVector {
    let (next, sqn) = next_sqn(*state, now, i).expect("not exhausted");
    *state = next;
    generate_vector(a, Rand::random(&mut StdRng::seed_from_u64(seed)), sqn, Amf::EAP_AKA_PRIME)
}

fn keys(ck: &CipherKey, ik: &IntegrityKey, autn: &Autn, network: &str) -> EapAkaPrimeKeys {
    let network = NetworkName::new(network).expect("valid");
    EapAkaPrimeKeys::derive(ck, ik, autn, &network, &EapIdentity::new("someone").expect("valid")).expect("bit set")
}

fn succeeded(answer: Result<UsimResponse, UsimError>, vector: &AuthVector) -> bool {
    matches!(answer, Ok(UsimResponse::Success { res, ck, ik })
        if res == vector.xres && ck == vector.ck && ik == vector.ik)
}

proptest! {
    #[test]
    fn both_ends_agree_and_a_replay_is_noticed(a in any_algorithm(), seed in any::<u64>(), i in 0..32u8) {
        let mut state = SqnState::provisioned(NOW);
        let mut usim = card(&a);
        let v = issue(&mut state, &a, NOW, ind(i), seed);
        let Ok(UsimResponse::Success { res, ck, ik }) = usim.authenticate(&v.rand, &v.autn) else {
            return Err(TestCaseError::fail("a genuine challenge was refused"));
        };
        prop_assert_eq!(&res, &v.xres);
        prop_assert_eq!(keys(&ck, &ik, &v.autn, "realm"), keys(&v.ck, &v.ik, &v.autn, "realm"));
        prop_assert_ne!(keys(&ck, &ik, &v.autn, "realm").k_aut, keys(&v.ck, &v.ik, &v.autn, "other").k_aut);

        let before = usim.clone();
        let Ok(UsimResponse::SyncFailure { auts }) = usim.authenticate(&v.rand, &v.autn) else {
            return Err(TestCaseError::fail("a replay was not noticed"));
        };
        prop_assert_eq!(&usim, &before);
        let sqn_ms = resynchronise(&a, &v.rand, &auts).expect("the card's own AUTS");
        prop_assert_eq!((sqn_ms.seq(), sqn_ms.ind()), (1, ind(i)));
    }

    /// The server has lost its counter (or another has moved the card's) by any amount, either way.
    #[test]
    fn resynchronisation_recovers_in_one_round(
        a in any_algorithm(), seed in any::<u64>(), on_card in 0..(1u64 << 43) - 1, on_server in 0..(1u64 << 43) - 1,
        offset in any::<i64>(), card_ind in 0..32usize, i in 0..32u8
    ) {
        let mut counters = [0u64; 32];
        counters[card_ind] = on_card;
        let mut usim = card(&a).with_state(UsimState::try_from(counters).expect("in range"));
        let mut state = SqnState::from_parts(on_server, offset).expect("in range");
        let v = issue(&mut state, &a, NOW, ind(i), seed);
        match usim.authenticate(&v.rand, &v.autn) {
            Ok(UsimResponse::SyncFailure { auts }) => {
                let sqn_ms = resynchronise(&a, &v.rand, &auts).expect("the card's own AUTS");
                prop_assert_eq!(sqn_ms.seq(), on_card);
                state = state.resynchronised(NOW, sqn_ms);
                let v = issue(&mut state, &a, NOW, ind(i), seed.wrapping_add(1));
                prop_assert!(succeeded(usim.authenticate(&v.rand, &v.autn), &v));
            }
            answer => prop_assert!(succeeded(answer, &v)),
        }
    }

    #[test]
    fn a_changed_challenge_is_never_answered(
        a in any_algorithm(), seed in any::<u64>(), bit in 0..128usize, mask in any::<[u8; 16]>()
    ) {
        let v = issue(&mut SqnState::provisioned(NOW), &a, NOW, ind(0), seed);
        let mut usim = card(&a);
        let before = usim.clone();
        let flip = |mut bytes: [u8; 16]| { bytes[bit / 8] ^= 0x80 >> (bit % 8); bytes };
        let flipped = Autn::from_bytes(flip(v.autn.to_bytes()));
        prop_assert_eq!(usim.authenticate(&v.rand, &flipped), Err(UsimError::MacFailure));
        prop_assert_eq!(usim.authenticate(&Rand(flip(v.rand.0)), &v.autn), Err(UsimError::MacFailure));
        if mask != [0; 16] {
            let genuine = v.autn.to_bytes();
            let masked = Autn::from_bytes(std::array::from_fn(|i| genuine[i] ^ mask[i]));
            prop_assert_eq!(usim.authenticate(&v.rand, &masked), Err(UsimError::MacFailure));
        }
        prop_assert_eq!(&usim, &before);
        prop_assert!(succeeded(usim.authenticate(&v.rand, &v.autn), &v), "the genuine one still works");
    }

    #[test]
    fn a_changed_resynchronisation_moves_no_counter(a in any_algorithm(), seed in any::<u64>(), bit in 0..112usize) {
        let v = issue(&mut SqnState::provisioned(NOW), &a, NOW, ind(0), seed);
        let mut usim = card(&a);
        let _ = usim.authenticate(&v.rand, &v.autn);
        let Ok(UsimResponse::SyncFailure { auts }) = usim.authenticate(&v.rand, &v.autn) else {
            return Err(TestCaseError::fail("a replay was not noticed"));
        };
        let mut bytes = auts.to_bytes();
        bytes[bit / 8] ^= 0x80 >> (bit % 8);
        prop_assert_eq!(resynchronise(&a, &v.rand, &Auts::from_bytes(bytes)), Err(AkaError::MacFailure));
        let other = Rand::random(&mut StdRng::seed_from_u64(seed.wrapping_add(1)));
        prop_assert_eq!(resynchronise(&a, &other, &auts), Err(AkaError::MacFailure), "bound to its RAND");
    }

    /// Vectors of different purposes or sites may be used in any order; each once.
    #[test]
    fn different_counters_may_come_out_of_order(
        a in any_algorithm(), seed in any::<u64>(), order in Just((0..8u8).collect::<Vec<_>>()).prop_shuffle()
    ) {
        let mut state = SqnState::provisioned(NOW);
        let vectors: Vec<_> = (0..8u8).map(|i| issue(&mut state, &a, NOW, ind(i), seed ^ u64::from(i))).collect();
        let mut usim = card(&a);
        for i in &order {
            let v = &vectors[usize::from(*i)];
            prop_assert!(succeeded(usim.authenticate(&v.rand, &v.autn), v));
        }
        for v in &vectors {
            let replayed = matches!(usim.authenticate(&v.rand, &v.autn), Ok(UsimResponse::SyncFailure { .. }));
            prop_assert!(replayed);
        }
    }
}

#[test]
fn a_restarted_card_remembers_what_it_has_seen() {
    let a = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
    let mut state = SqnState::provisioned(NOW);
    let mut usim = card(&a);
    let v = issue(&mut state, &a, NOW, ind(4), 1);
    assert!(succeeded(usim.authenticate(&v.rand, &v.autn), &v));

    let file = serde_json::to_string(&usim).expect("serialises");
    let mut restarted: SoftwareUsim = serde_json::from_str(&file).expect("parses");
    assert_eq!(restarted, usim);
    assert!(matches!(restarted.authenticate(&v.rand, &v.autn), Ok(UsimResponse::SyncFailure { .. })));
    let next = issue(&mut state, &a, NOW, ind(4), 2);
    assert!(succeeded(restarted.authenticate(&next.rand, &next.autn), &next));
}

#[test]
fn a_file_with_only_the_sim_is_a_new_card() {
    let a = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
    let usim = card(&a);
    let file = serde_json::json!({ "sim": usim.sim() }).to_string();
    assert_eq!(serde_json::from_str::<SoftwareUsim>(&file).expect("parses"), usim);
}

#[test]
fn a_holder_away_for_years_gets_in_without_resynchronisation() {
    const YEAR: i64 = 365 * 86_400_000;
    let a = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
    let mut state = SqnState::provisioned(NOW);
    let mut usim = card(&a);
    for year in [0, 1, 7, 8, 30] {
        let v = issue(&mut state, &a, Millis(NOW.0 + year * YEAR), ind(0), year as u64);
        assert!(succeeded(usim.authenticate(&v.rand, &v.autn), &v), "year {year}");
    }
}

#[test]
fn another_cards_challenge_is_refused() {
    let mine = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
    let other = Algorithm::milenage_from_hex(&"03".repeat(16), &"02".repeat(16)).expect("valid");
    let v = issue(&mut SqnState::provisioned(NOW), &other, NOW, ind(0), 1);
    assert_eq!(card(&mine).authenticate(&v.rand, &v.autn), Err(UsimError::MacFailure));
}
