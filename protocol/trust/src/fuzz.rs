//! Entry points of the fuzz workspace: each takes arbitrary bytes and must neither panic nor break its own law.

use crate::x509::{CaChain, DeviceCertificate, MlsCertificate};
use crate::{DeviceEvidence, Signed, Voucher, x509};
use pakawaaz_base::{Bytes, Millis};

/// Signed statements and device evidence: what decodes encodes to the same bytes.
pub fn statement(data: &[u8]) {
    if let Ok(signed) = Signed::from_bytes(data) {
        assert_eq!(signed.to_bytes().as_deref(), Ok(data));
    }
    if let Ok(evidence) = DeviceEvidence::from_bytes(data) {
        assert_eq!(evidence.to_bytes().as_deref(), Ok(data));
    }
}

/// Voucher texts: what decodes survives another round.
pub fn voucher(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(voucher) = Voucher::from_text(text)
        && let Ok(again) = voucher.to_text()
    {
        assert_eq!(Voucher::from_text(&again), Ok(voucher));
    }
}

/// Certificates, certificate requests, and chains of them (each with a two-byte length before it).
pub fn certificate(data: &[u8]) {
    let _ = DeviceCertificate::parse(data);
    let _ = MlsCertificate::parse(data);
    let _ = x509::verify_csr(data);
    let mut chain = Vec::new();
    let mut rest = data;
    while let [a, b, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*a, *b])).min(tail.len());
        chain.push(Bytes(tail[..len].to_vec()));
        rest = &tail[len..];
        if chain.len() == 4 {
            break;
        }
    }
    let _ = CaChain::verify(&chain, &[0; 32], Millis(0));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_input_panics(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            super::statement(&data);
            super::voucher(&data);
            super::certificate(&data);
        }
    }
}
