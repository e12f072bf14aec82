//! AKMA as the phone's software derives it (TS 33.535 Annex A), written apart from the core's: an error of one is seen by the
//! other.

use super::Phone;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the phone gives to one application on it.
pub struct ApplicationKey {
    /// A-KID.
    pub name: String,
    /// K_AF.
    pub key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApplicationKey(redacted)")
    }
}

impl Phone {
    /// K_AF of the latest primary authentication, for the application `fqdn` with this Ua* protocol. None before the first.
    /// A phone has it also while it is not registered.
    pub fn application_key(&self, fqdn: &str, protocol: [u8; 5]) -> Option<ApplicationKey> {
        let k_ausf = self.k_ausf.as_deref()?;
        let imsi = self.imsi.as_bytes();
        let k_akma = derive(k_ausf, 0x80, &[b"AKMA", imsi]);
        let a_tid = derive(k_ausf, 0x81, &[b"A-TID", imsi]);
        let key = derive(&k_akma, 0x82, &[&[fqdn.as_bytes(), &protocol].concat()]);
        let plmn = &self.config.plmn;
        let (mcc, mnc) = (plmn.mcc(), plmn.mnc());
        let routing = self.config.routing;
        let name = format!("rid{routing}.atid{}@5gc.mnc{mnc:0>3}.mcc{mcc}.3gppnetwork.org", hex::encode(*a_tid));
        Some(ApplicationKey { name, key })
    }
}

/// The function of TS 33.220 Annex B.2.
fn derive(key: &[u8; 32], fc: u8, parameters: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut s = vec![fc];
    for parameter in parameters {
        s.extend_from_slice(parameter);
        s.extend_from_slice(&u16::try_from(parameter.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(&s);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
