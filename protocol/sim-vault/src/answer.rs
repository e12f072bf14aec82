//! Answers, from sealed secrets and whoever can open them.

use crate::ask::{Answer, Ask, EapResult, FiveGResult, Refusal, Secret, Want};
use crate::making::{self, IssueKey};
use crate::suci::{self, Scheme};
use pakawaaz_aka::{Algorithm, Amf, AuthVector, Auts, EapIdentity, Rand, Sqn, generate_vector, resynchronise};
use pakawaaz_base::SimId;
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

/// What sealed secrets are bound to: they open for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A card.
    Card(SimId),
    /// A key for concealed identities.
    SuciKey(u8),
    /// What cards are made with.
    Issue(IssueKey),
}

/// Why secrets do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrapError {
    /// Sealed by another key, for something else, or damaged.
    NotOurs,
    /// The key cannot be reached.
    Down,
}

/// The key under which cards' secrets rest.
pub trait Wrap {
    /// Seals.
    ///
    /// # Errors
    /// [`WrapError::Down`].
    fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError>;
    /// Opens.
    ///
    /// # Errors
    /// [`WrapError`].
    fn open(&self, bound: Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError>;
    /// What cards are made with, opened. None where it was not set up, and in a vault that makes no cards.
    ///
    /// # Errors
    /// [`WrapError`].
    fn issue_key(&self, _: IssueKey) -> Result<Option<Zeroizing<Vec<u8>>>, WrapError> {
        Ok(None)
    }
}

/// The answer to one ask. How often, for which networks, and what is counted, is the caller's to say first.
pub fn answer(ask: &Ask, wrap: &dyn Wrap, rng: &mut dyn CryptoRngCore) -> Answer {
    try_answer(ask, wrap, rng).unwrap_or_else(Answer::Refused)
}

fn try_answer(ask: &Ask, wrap: &dyn Wrap, rng: &mut dyn CryptoRngCore) -> Result<Answer, Refusal> {
    Ok(match ask {
        Ask::SealCard { card, algorithm } => {
            // Nothing is sealed that could not be used.
            Algorithm::decode(algorithm.as_bytes()).map_err(|_| Refusal::Malformed)?;
            Answer::Sealed(wrap.seal(Bound::Card(*card), algorithm.as_bytes())?)
        }
        Ask::MakeCard { card, kind, form, transport } => {
            Answer::Made(making::make(*card, *kind, (*form, transport), wrap, rng)?)
        }
        Ask::Vector { card, sealed, sqn, want } => {
            let card = open_card(wrap, *card, sealed)?;
            vector(&card, Rand::random(rng), Sqn::from_bytes(*sqn), want)?
        }
        Ask::Resynchronise { card, sealed, rand, auts } => {
            let card = open_card(wrap, *card, sealed)?;
            let sqn = resynchronise(&card, &Rand(*rand), &Auts::from_bytes(*auts));
            Answer::Resynchronised(sqn.map_err(|_| Refusal::AutsRejected)?.to_bytes())
        }
        Ask::NewSuciKey { number, scheme } => {
            let (private, public) = new_suci_key(*scheme, rng);
            Answer::SuciKey { sealed: wrap.seal(Bound::SuciKey(*number), private.as_bytes())?, public }
        }
        Ask::SealSuciKey { number, scheme, private } => {
            let bytes = <&[u8; 32]>::try_from(private.as_bytes()).map_err(|_| Refusal::Malformed)?;
            let public = scheme.private_key(bytes).ok_or(Refusal::Malformed)?.public_key().to_octets();
            Answer::SuciKey { sealed: wrap.seal(Bound::SuciKey(*number), bytes)?, public }
        }
        Ask::OpenSuci { number, scheme, sealed, identity } => {
            let concealed = suci::read(identity).ok_or(Refusal::Concealed)?;
            if (concealed.number, concealed.scheme) != (*number, *scheme) {
                return Err(Refusal::Concealed);
            }
            let private = wrap.open(Bound::SuciKey(*number), sealed)?;
            let private = <&[u8; 32]>::try_from(private.as_slice()).map_err(|_| Refusal::NotOurs)?;
            let key = scheme.private_key(private).ok_or(Refusal::NotOurs)?;
            Answer::Imsi(concealed.open(&key).ok_or(Refusal::Concealed)?)
        }
    })
}

impl From<WrapError> for Refusal {
    fn from(error: WrapError) -> Self {
        match error {
            WrapError::NotOurs => Self::NotOurs,
            WrapError::Down => Self::Down,
        }
    }
}

fn open_card(wrap: &dyn Wrap, card: SimId, sealed: &[u8]) -> Result<Algorithm, Refusal> {
    let opened = wrap.open(Bound::Card(card), sealed)?;
    Algorithm::decode(&opened).map_err(|_| Refusal::NotOurs)
}

fn vector(card: &Algorithm, rand: Rand, sqn: Sqn, want: &Want) -> Result<Answer, Refusal> {
    // The separation bit: CK and IK of these vectors are of no use to a 2G or 3G network.
    let vector: AuthVector = generate_vector(card, rand, sqn, Amf::EAP_AKA_PRIME);
    match want {
        Want::EapAkaPrime { network, identity } => {
            let identity = EapIdentity::new(identity.as_str()).map_err(|_| Refusal::Malformed)?;
            let vector = vector.into_eap(network, &identity).map_err(|_| Refusal::Malformed)?;
            Ok(Answer::EapAkaPrime(EapResult::from(&vector)))
        }
        Want::FiveGAka { network } => {
            let keys = vector.five_g_aka(network).map_err(|_| Refusal::Malformed)?;
            Ok(Answer::FiveGAka(FiveGResult::new(vector.rand, &vector.autn, &keys)))
        }
    }
}

fn new_suci_key(scheme: Scheme, rng: &mut dyn CryptoRngCore) -> (Secret, Vec<u8>) {
    loop {
        let mut private = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *private);
        // Of 2^32 drawn for Profile B, one is no key.
        if let Some(key) = scheme.private_key(&private) {
            return (Secret::new(&*private), key.public_key().to_octets());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use oxirush_security::Plmn;
    use oxirush_security::nas_5gs::{HomeNetworkPublicKey, Protection, RoutingIndicator, Suci};
    use pakawaaz_aka::NetworkName;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// Seals nothing: for tests that look at what leaves.
    pub(crate) struct Plain;

    impl Wrap for Plain {
        fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
            Ok([&name(bound)[..], plaintext].concat())
        }
        fn open(&self, bound: Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
            let rest = sealed.strip_prefix(&name(bound)[..]).ok_or(WrapError::NotOurs)?;
            Ok(Zeroizing::new(rest.to_vec()))
        }
    }

    fn name(bound: Bound) -> [u8; 17] {
        let mut name = [0; 17];
        match bound {
            Bound::Card(card) => name[1..].copy_from_slice(card.as_bytes()),
            Bound::SuciKey(number) => name[..2].copy_from_slice(&[1, number]),
            Bound::Issue(key) => name[..2].copy_from_slice(&[2, key.kind().number()]),
        }
        name
    }

    fn card() -> SimId {
        SimId::from_bytes([7; 16])
    }

    fn ask(ask: &Ask) -> Answer {
        answer(ask, &Plain, &mut ChaCha20Rng::seed_from_u64(1))
    }

    fn milenage() -> Algorithm {
        Algorithm::milenage_from_hex(&"51".repeat(16), &"98".repeat(16)).expect("valid")
    }

    fn sealed(sim: &Algorithm) -> Vec<u8> {
        match ask(&Ask::SealCard { card: card(), algorithm: Secret::new(&sim.encode()) }) {
            Answer::Sealed(sealed) => sealed,
            other => panic!("{other:?}"),
        }
    }

    fn eap() -> Want {
        let network = NetworkName::new("pakawaaz:login.example").expect("valid");
        Want::EapAkaPrime { network, identity: "an identity".into() }
    }

    #[test]
    fn vectors_are_those_of_the_algorithm_with_a_rand_of_the_vault() {
        let (sim, sqn) = (milenage(), [0, 0, 0, 0, 1, 0x21]);
        let one = Ask::Vector { card: card(), sealed: sealed(&sim), sqn, want: eap() };
        let Answer::EapAkaPrime(result) = ask(&one) else { panic!("refused") };
        let got = result.vector().expect("whole");
        let Want::EapAkaPrime { network, identity } = eap() else { unreachable!() };
        let expected = generate_vector(&sim, got.rand, Sqn::from_bytes(sqn), Amf::EAP_AKA_PRIME);
        let expected = expected.into_eap(&network, &EapIdentity::new(identity).expect("valid"));
        assert_eq!(got, expected.expect("separated"));
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let Answer::EapAkaPrime(other) = answer(&one, &Plain, &mut rng) else { panic!("refused") };
        assert_ne!(other.vector().expect("whole").rand, got.rand);

        let want = Want::FiveGAka { network: network.clone() };
        let Answer::FiveGAka(result) = ask(&Ask::Vector { card: card(), sealed: sealed(&sim), sqn, want }) else {
            panic!("refused")
        };
        let (rand, autn, keys) = result.parts().expect("whole");
        let expected = generate_vector(&sim, rand, Sqn::from_bytes(sqn), Amf::EAP_AKA_PRIME);
        assert_eq!((autn, keys), (expected.autn, expected.five_g_aka(&network).expect("separated")));
    }

    /// RFC 9048 Appendix D, case 1, on the card of TS 35.208's test set 19: with RAND of the case, its keys.
    #[test]
    fn the_published_keys() {
        struct Case([u8; 16]);
        impl rand_core::RngCore for Case {
            fn next_u32(&mut self) -> u32 {
                0
            }
            fn next_u64(&mut self) -> u64 {
                0
            }
            fn fill_bytes(&mut self, out: &mut [u8]) {
                out.copy_from_slice(&self.0);
            }
            fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
                self.fill_bytes(out);
                Ok(())
            }
        }
        impl rand_core::CryptoRng for Case {}
        let sim = Algorithm::milenage_from_hex("5122250214c33e723a5dd523fc145fc0", "981d464c7c52eb6e5036234984ad0bcf");
        let rand = hex::decode("81e92b6c0ee0e12ebceba8d92a99dfa5").expect("hexadecimal").try_into().expect("16 bytes");
        let want = Want::EapAkaPrime {
            network: NetworkName::new("WLAN").expect("valid"),
            identity: "0555444333222111".into(),
        };
        let sqn = [0x16, 0xf3, 0xb3, 0xf7, 0x0f, 0xc2];
        let one = Ask::Vector { card: card(), sealed: sealed(&sim.expect("valid")), sqn, want };
        let Answer::EapAkaPrime(result) = answer(&one, &Plain, &mut Case(rand)) else { panic!("refused") };
        let got = result.vector().expect("whole");
        assert_eq!(hex::encode(got.xres.as_bytes()), "28d7b0f2a2ec3de5");
        assert_eq!(hex::encode(got.keys.k_encr.as_bytes()), "766fa0a6c317174b812d52fbcd11a179");
        let k_aut = "0842ea722ff6835bfa2032499fc3ec23c2f0e388b4f07543ffc677f1696d71ea";
        assert_eq!(hex::encode(got.keys.k_aut.as_bytes()), k_aut);
    }

    #[test]
    fn only_what_is_ours_is_answered() {
        let good = sealed(&milenage());
        let other = SimId::from_bytes([8; 16]);
        let vector = |card, sealed, want| ask(&Ask::Vector { card, sealed, sqn: [0; 6], want });
        assert_eq!(vector(other, good.clone(), eap()), Answer::Refused(Refusal::NotOurs));
        assert_eq!(vector(card(), good[..40].to_vec(), eap()), Answer::Refused(Refusal::NotOurs));
        let network = NetworkName::new("WLAN").expect("valid");
        let nobody = Want::EapAkaPrime { network, identity: String::new() };
        assert_eq!(vector(card(), good.clone(), nobody), Answer::Refused(Refusal::Malformed));
        let half = Ask::SealCard { card: card(), algorithm: Secret::new(&milenage().encode()[..32]) };
        assert_eq!(ask(&half), Answer::Refused(Refusal::Malformed));
        let auts = Ask::Resynchronise { card: card(), sealed: good, rand: [1; 16], auts: [2; 14] };
        assert_eq!(ask(&auts), Answer::Refused(Refusal::AutsRejected));
    }

    #[test]
    fn identities_open_with_the_key_of_their_number() {
        let plmn = Plmn::new("410", "99").expect("a network");
        for scheme in [Scheme::A, Scheme::B] {
            let Answer::SuciKey { sealed, public } = ask(&Ask::NewSuciKey { number: 3, scheme }) else {
                panic!("refused")
            };
            // One that was made elsewhere is the same once it is sealed.
            let private = Secret::new(&sealed[17..]);
            let again = ask(&Ask::SealSuciKey { number: 3, scheme, private });
            assert_eq!(again, Answer::SuciKey { sealed: sealed.clone(), public: public.clone() });
            let half = Ask::SealSuciKey { number: 3, scheme, private: Secret::new(&[1; 16]) };
            assert_eq!(ask(&half), Answer::Refused(Refusal::Malformed));
            let public = match scheme {
                Scheme::A => HomeNetworkPublicKey::profile_a(&public.try_into().expect("32 bytes")),
                Scheme::B => HomeNetworkPublicKey::profile_b(&public).expect("a point"),
            };
            let protection = Protection::Ecies { key_id: 3, key: &public };
            let suci = Suci::conceal_imsi(plmn, "0000012345", RoutingIndicator::default(), protection);
            let identity = suci.expect("conceals").to_nas_octets().expect("encodes");
            let open = |number, identity: &[u8]| {
                ask(&Ask::OpenSuci { number, scheme, sealed: sealed.clone(), identity: identity.to_vec() })
            };
            assert_eq!(open(3, &identity), Answer::Imsi("410990000012345".into()));
            assert_eq!(open(4, &identity), Answer::Refused(Refusal::Concealed));
            let mut changed = identity.clone();
            *changed.last_mut().expect("bytes") ^= 1;
            assert_eq!(open(3, &changed), Answer::Refused(Refusal::Concealed));
            assert_eq!(open(3, &identity[..5]), Answer::Refused(Refusal::Concealed));
        }
    }

    proptest! {
        /// Whatever is asked, the card's own keys are not in what comes back, in no piece of eight bytes.
        #[test]
        fn no_key_of_the_card_leaves(k: [u8; 16], opc: [u8; 16], sqn: [u8; 6], rand: [u8; 16], auts: [u8; 14], seed: u64) {
            let sim = Algorithm::Milenage {
                k: pakawaaz_aka::Key128::from_bytes(k),
                opc: pakawaaz_aka::Opc::from_bytes(opc),
            };
            let sealed = sealed(&sim);
            let network = NetworkName::new("WLAN").expect("valid");
            let asks = [
                Ask::Vector { card: card(), sealed: sealed.clone(), sqn, want: eap() },
                Ask::Vector { card: card(), sealed: sealed.clone(), sqn, want: Want::FiveGAka { network } },
                Ask::Resynchronise { card: card(), sealed, rand, auts },
            ];
            for one in asks {
                let said = answer(&one, &Plain, &mut ChaCha20Rng::seed_from_u64(seed));
                let mut bytes = Vec::new();
                crate::frame::encode(&crate::FromVault::Answers { id: 0, answers: vec![said.clone()] }, &mut bytes)
                    .expect("fits");
                let mut secrets = vec![k, opc];
                let sent = match &said {
                    Answer::EapAkaPrime(result) => Some(result.vector().expect("whole").rand),
                    Answer::FiveGAka(result) => Some(result.parts().expect("whole").0),
                    _ => None,
                };
                if let Some(rand) = sent {
                    let response = sim.f2345(&rand);
                    secrets.extend([*response.ck.as_bytes(), *response.ik.as_bytes()]);
                }
                for secret in secrets {
                    for piece in secret.windows(8) {
                        prop_assert!(!bytes.windows(8).any(|window| window == piece));
                    }
                }
            }
        }
    }
}
