//! Entry points of the fuzz workspace: each takes any bytes and must neither panic nor break its invariant.

use crate::{
    AKid, Algorithm, Amf, Autn, Auts, EapIdentity, Iccid, Imsi, Ind, Key128, NetworkName, Rand, SoftwareSim,
    SoftwareUsim, Sqn, TuakKey, Usim, UsimResponse, generate_vector, resynchronise,
};

fn card() -> Option<SoftwareUsim> {
    Some(SoftwareUsim::new(SoftwareSim {
        imsi: Imsi::new("410010123456789").ok()?,
        iccid: Iccid::with_check_digit("899241000000000001").ok()?,
        algorithm: Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf")
            .ok()?,
    }))
}

/// Bytes as an AUTN: what is taken is written back unchanged.
pub fn autn(data: &[u8]) {
    if let Ok(autn) = Autn::from_slice(data) {
        assert_eq!(autn.to_bytes(), data);
    }
}

/// Bytes as an AUTS answering a fixed RAND: what is taken is written back unchanged.
pub fn auts(data: &[u8]) {
    let (Ok(auts), Some(card)) = (Auts::from_slice(data), card()) else { return };
    assert_eq!(auts.to_bytes(), data);
    // Whether it verifies is not asserted: only K decides.
    let _ = resynchronise(&card.sim().algorithm, &Rand([7; 16]), &auts);
}

/// Bytes as SQN (6) and RAND (16), then changes to the AUTN: only the genuine AUTN is answered, and the
/// card's counters move only when it says success.
pub fn usim(data: &[u8]) {
    let (Some((sqn, rest)), Some(mut card)) = (data.split_first_chunk::<6>(), card()) else { return };
    let Some((rand, rest)) = rest.split_first_chunk::<16>() else { return };
    let rand = Rand(*rand);
    let vector = generate_vector(&card.sim().algorithm, rand, Sqn::from_bytes(*sqn), Amf::EAP_AKA_PRIME);
    let genuine = vector.autn.to_bytes();
    let mut bytes = genuine;
    for (b, change) in bytes.iter_mut().zip(rest) {
        *b ^= change;
    }
    let before = card.state().clone();
    let answer = card.authenticate(&rand, &Autn::from_bytes(bytes));
    assert_eq!(answer.is_ok(), bytes == genuine, "exactly the genuine AUTN passes");
    match answer {
        Ok(UsimResponse::Success { res, ck, ik }) => {
            assert_eq!((res, ck, ik), (vector.xres, vector.ck, vector.ik));
            assert_eq!(card.state().highest(), Sqn::from_bytes(*sqn));
        }
        Ok(UsimResponse::SyncFailure { auts }) => {
            assert_eq!(*card.state(), before);
            assert_eq!(resynchronise(&card.sim().algorithm, &rand, &auts), Ok(before.highest()));
        }
        Err(_) => assert_eq!(*card.state(), before),
    }
}

/// Bytes as a stored algorithm: what is read is written back unchanged.
pub fn algorithm(data: &[u8]) {
    if let Ok(a) = Algorithm::decode(data) {
        assert_eq!(a.encode().as_slice(), data);
    }
}

/// Bytes as every kind of text that an import file or a peer may hold.
pub fn text(data: &[u8]) {
    let _ = Ind::new(data.first().copied().unwrap_or(0));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Key128::from_hex(text);
    let _ = TuakKey::from_hex(text);
    let _ = NetworkName::new(text);
    let _ = EapIdentity::new(text);
    let _ = Imsi::new(text);
    if let Ok(card) = Iccid::new(text) {
        assert_eq!(card.as_str(), text);
    }
    if let Ok(name) = AKid::parse(text) {
        assert_eq!(name.to_string(), text);
    }
}
