//! The secrets of one new card.

use super::transport::{IssueKey, IssueKind, check_values};
use super::{CardKind, Form, MadeCard, Wrapped, key_wrap};
use crate::answer::{Bound, Wrap};
use crate::ask::Refusal;
use aes::Aes256;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use pakawaaz_aka::milenage::derive_opc;
use pakawaaz_aka::tuak::derive_topc;
use pakawaaz_aka::{Algorithm, Key128, Key256, Op, Top, TuakIterations, TuakKey, TuakResLength, TuakSettings};
use pakawaaz_base::SimId;
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

/// pySim's initial value for every column (its `CardKeyProviderCsv`). The same for all cards: what is encrypted is random,
/// so equal beginnings tell nothing.
const PYSIM_IV: [u8; 16] = [0x23; 16];

/// Draws a card's secrets.
///
/// # Errors
/// [`Refusal::NotSetUp`] without operator's constant or transport key, [`Refusal::Malformed`], or as [`Wrap`] fails.
pub fn make(
    card: SimId,
    kind: CardKind,
    (form, transport): (Form, &str),
    wrap: &dyn Wrap,
    rng: &mut dyn CryptoRngCore,
) -> Result<MadeCard, Refusal> {
    let key_kind = match form {
        Form::Bureau => IssueKind::Bureau,
        Form::Pysim => IssueKind::Pysim,
    };
    let transport = IssueKey::transport(key_kind, transport).ok_or(Refusal::Malformed)?;
    let transport = value(wrap, transport)?;
    let (algorithm, k, opc) = algorithm(kind, wrap, rng)?;
    let secrets = match form {
        Form::Bureau => for_bureau(&transport, &k, &opc, rng),
        Form::Pysim => for_pysim(&transport, &k, &opc),
    };
    Ok(MadeCard {
        sealed: wrap.seal(Bound::Card(card), &algorithm.encode())?,
        check: check_values(&transport).concat(),
        secrets: secrets.ok_or(Refusal::Malformed)?,
    })
}

/// One of the values that cards are made with, of the right length.
fn value(wrap: &dyn Wrap, key: IssueKey) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let value = wrap.issue_key(key)?.ok_or(Refusal::NotSetUp)?;
    if value.len() == key.kind().length() { Ok(value) } else { Err(Refusal::NotOurs) }
}

type Bytes = Zeroizing<Vec<u8>>;

fn algorithm(
    kind: CardKind,
    wrap: &dyn Wrap,
    rng: &mut dyn CryptoRngCore,
) -> Result<(Algorithm, Bytes, Bytes), Refusal> {
    const BAD: Refusal = Refusal::Malformed;
    let (made, k, opc) = match kind {
        CardKind::Milenage => {
            let op = Op::from_slice(&value(wrap, IssueKey::operator(IssueKind::Op))?).map_err(|_| BAD)?;
            let mut k = Zeroizing::new([0; 16]);
            rng.fill_bytes(&mut *k);
            let k = Key128::from_bytes(*k);
            let opc = derive_opc(&k, &op);
            let (bytes, constant) = (k.as_bytes().to_vec(), opc.as_bytes().to_vec());
            (Algorithm::Milenage { k, opc }, bytes, constant)
        }
        CardKind::Tuak { iterations, res_bits } => {
            let settings = TuakSettings {
                iterations: TuakIterations::try_from(iterations).map_err(|_| BAD)?,
                res: TuakResLength::try_from(res_bits).map_err(|_| BAD)?,
            };
            let top = Top::from_slice(&value(wrap, IssueKey::operator(IssueKind::Top))?).map_err(|_| BAD)?;
            let mut k = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut *k);
            let k = TuakKey::K256(Key256::from_bytes(*k));
            let topc = derive_topc(&k, &top, settings.iterations);
            let (bytes, constant) = (k.as_bytes().to_vec(), topc.as_bytes().to_vec());
            (Algorithm::Tuak { k, topc, settings }, bytes, constant)
        }
    };
    Ok((made, Zeroizing::new(k), Zeroizing::new(opc)))
}

fn for_bureau(transport: &[u8], k: &[u8], opc: &[u8], rng: &mut dyn CryptoRngCore) -> Option<Wrapped> {
    let cipher = Aes256::new_from_slice(transport).ok()?;
    let mut adm1 = Zeroizing::new([0; 8]);
    rng.fill_bytes(&mut *adm1);
    let mut digits = |count| key_wrap::wrap(&cipher, &*pin(count, rng));
    let (pin1, puk1, pin2, puk2) = (digits(4)?, digits(8)?, digits(4)?, digits(8)?);
    Some(Wrapped::Bureau {
        k: key_wrap::wrap(&cipher, k)?,
        opc: key_wrap::wrap(&cipher, opc)?,
        adm1: key_wrap::wrap(&cipher, &*adm1)?,
        pin1,
        puk1,
        pin2,
        puk2,
    })
}

/// Random digits as on the card: 0xff behind them (TS 102 221 §9.5.1).
fn pin(digits: usize, rng: &mut dyn CryptoRngCore) -> Zeroizing<[u8; 8]> {
    let mut out = Zeroizing::new([0xff; 8]);
    for place in out.iter_mut().take(digits) {
        *place = loop {
            let mut byte = [0];
            rng.fill_bytes(&mut byte);
            // 250 is the largest multiple of ten: every digit is as likely.
            if byte[0] < 250 {
                break b'0' + byte[0] % 10;
            }
        };
    }
    out
}

fn for_pysim(transport: &[u8], k: &[u8], opc: &[u8]) -> Option<Wrapped> {
    let (ki_key, opc_key) = (transport.get(..32)?, transport.get(32..)?);
    Some(Wrapped::Pysim { ki: cbc(ki_key, k)?, opc: cbc(opc_key, opc)? })
}

/// AES-256-CBC without padding: whole blocks only.
fn cbc(key: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    if plain.is_empty() || !plain.len().is_multiple_of(16) {
        return None;
    }
    let cipher = Aes256::new_from_slice(key).ok()?;
    let mut chain = PYSIM_IV;
    let mut out = Vec::with_capacity(plain.len());
    for part in plain.chunks_exact(16) {
        let mut block = aes::Block::from(std::array::from_fn::<u8, 16, _>(|at| part[at] ^ chain[at]));
        cipher.encrypt_block(&mut block);
        chain = block.into();
        out.extend(chain);
    }
    Some(out)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::answer::WrapError;
    use crate::answer::tests::Plain;
    use aes::cipher::BlockDecrypt as _;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// With constants and two transport keys called `test`.
    pub(crate) struct Issuing;

    pub(crate) const BUREAU: [u8; 32] = [0x42; 32];
    pub(crate) const PYSIM: [u8; 64] = [0x24; 64];

    impl Wrap for Issuing {
        fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
            Plain.seal(bound, plaintext)
        }
        fn open(&self, bound: Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
            Plain.open(bound, sealed)
        }
        fn issue_key(&self, key: IssueKey) -> Result<Option<Zeroizing<Vec<u8>>>, WrapError> {
            Ok(match key.file_name().as_str() {
                "op" => Some(vec![0x0a; 16]),
                "top" => Some(vec![0x0b; 32]),
                "bureau-test" => Some(BUREAU.to_vec()),
                "pysim-test" => Some(PYSIM.to_vec()),
                _ => None,
            }
            .map(Zeroizing::new))
        }
    }

    const TUAK: CardKind = CardKind::Tuak { iterations: 1, res_bits: 64 };

    fn made(kind: CardKind, form: Form) -> MadeCard {
        let card = SimId::from_bytes([7; 16]);
        make(card, kind, (form, "test"), &Issuing, &mut ChaCha20Rng::seed_from_u64(3)).expect("makes")
    }

    fn opened(card: &MadeCard) -> Algorithm {
        let bytes = Plain.open(Bound::Card(SimId::from_bytes([7; 16])), &card.sealed).expect("opens");
        Algorithm::decode(&bytes).expect("an algorithm")
    }

    #[test]
    fn what_the_bureau_unwraps_is_what_was_sealed() {
        let cipher = Aes256::new(&BUREAU.into());
        for kind in [CardKind::Milenage, TUAK] {
            let card = made(kind, Form::Bureau);
            let Wrapped::Bureau { k, opc, adm1, pin1, puk1, pin2, puk2 } = &card.secrets else { panic!("other form") };
            let open = |wrapped: &[u8]| key_wrap::unwrap(&cipher, wrapped).expect("unwraps");
            assert_eq!(super::super::algorithm(kind, &open(k), &open(opc)), Some(opened(&card)));
            assert_eq!(card.check, check_values(&BUREAU).concat());
            assert_eq!(open(adm1).len(), 8);
            for (value, digits) in [(pin1, 4), (puk1, 8), (pin2, 4), (puk2, 8)] {
                let value = open(value);
                assert!(value[..digits].iter().all(u8::is_ascii_digit) && value[digits..].iter().all(|b| *b == 0xff));
            }
            // OPc follows from K and the operator's constant.
            match opened(&card) {
                Algorithm::Milenage { k, opc } => assert_eq!(derive_opc(&k, &Op::from_bytes([0x0a; 16])), opc),
                Algorithm::Tuak { k, topc, .. } => {
                    assert_eq!(derive_topc(&k, &Top::from_bytes([0x0b; 32]), TuakIterations::One), topc);
                }
            }
        }
    }

    #[test]
    fn what_pysim_decrypts_is_what_was_sealed() {
        for kind in [CardKind::Milenage, TUAK] {
            let card = made(kind, Form::Pysim);
            let Wrapped::Pysim { ki, opc } = &card.secrets else { panic!("other form") };
            let open = |key: &[u8], value: &[u8]| {
                let cipher = Aes256::new_from_slice(key).expect("a key");
                let (mut out, mut chain) = (Vec::new(), vec![0x23; 16]);
                for part in value.chunks(16) {
                    let mut block = aes::Block::clone_from_slice(part);
                    cipher.decrypt_block(&mut block);
                    out.extend(block.iter().zip(&chain).map(|(a, b)| a ^ b));
                    chain = part.to_vec();
                }
                out
            };
            let read = super::super::algorithm(kind, &open(&PYSIM[..32], ki), &open(&PYSIM[32..], opc));
            assert_eq!(read, Some(opened(&card)));
        }
    }

    /// NIST SP 800-38A §F.2.5, with the initial value of pySim put into the first block.
    #[test]
    fn the_published_chaining() {
        let key = hex::decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").expect("hexadecimal");
        let mut plain =
            hex::decode("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").expect("digits");
        for (at, byte) in plain.iter_mut().take(16).enumerate() {
            *byte ^= at as u8 ^ 0x23;
        }
        let expected = "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d";
        assert_eq!(cbc(&key, &plain).map(hex::encode).as_deref(), Some(expected));
    }

    #[test]
    fn nothing_is_made_for_a_key_that_the_vault_does_not_know() {
        let card = SimId::from_bytes([7; 16]);
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut try_make = |kind, form, name, wrap: &dyn Wrap| make(card, kind, (form, name), wrap, &mut rng).err();
        let bureau = Form::Bureau;
        assert_eq!(try_make(CardKind::Milenage, bureau, "other", &Issuing), Some(Refusal::NotSetUp));
        assert_eq!(try_make(CardKind::Milenage, bureau, "../op", &Issuing), Some(Refusal::Malformed));
        assert_eq!(try_make(CardKind::Milenage, bureau, "test", &Plain), Some(Refusal::NotSetUp));
        let odd = CardKind::Tuak { iterations: 3, res_bits: 64 };
        assert_eq!(try_make(odd, bureau, "test", &Issuing), Some(Refusal::Malformed));
    }

    #[test]
    fn no_two_cards_are_alike_and_no_secret_is_in_clear() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let card = SimId::from_bytes([7; 16]);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let card = make(card, CardKind::Milenage, (Form::Bureau, "test"), &Issuing, &mut rng).expect("makes");
            let Algorithm::Milenage { k, opc } = opened(&card) else { panic!("another algorithm") };
            assert!(seen.insert(*k.as_bytes()));
            let text = format!("{:?}", card.secrets);
            let mut bytes = Vec::new();
            ciborium::into_writer(&card.secrets, &mut bytes).expect("writes");
            for secret in [k.as_bytes(), opc.as_bytes()] {
                assert!(!bytes.windows(8).any(|window| window == &secret[..8]) && !text.contains(&hex::encode(secret)));
            }
        }
    }
}
