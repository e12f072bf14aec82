//! The AKMA anchor function (AAnF, TS 33.535 §4.2.3): keeps K_AKMA of each card, gives applications their own keys.
//!
//! In the database, sealed, and not in memory: a login may come to another node than the core's, and a phone that is taken
//! back after a restart has not authenticated again. A key lives until the card's next primary authentication, until the
//! card is cut off or its phone says goodbye with its integrity protected, and never longer than [`KEY_LASTS`]. Silence and
//! lost radio end nothing, since anybody can cause them.

use super::Cellular;
use crate::store::akma::{self, AkmaRow};
use crate::{CellularError, store};
use pakawaaz_aka::akma::home_network_domain;
use pakawaaz_aka::{AKid, KAkma, UaStar};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_login::SealKey;
use rand::rngs::OsRng;
use std::time::Duration;
use zeroize::Zeroizing;

/// Lifetime of K_AKMA and of every K_AF from it. The specification leaves it to the operator; a working day, so that a phone
/// that was taken away switched on does not prove its card for longer.
pub const KEY_LASTS: Duration = Duration::from_secs(12 * 3600);
/// What is sealed.
const PURPOSE: &str = "cellular akma";

/// The key of one application function (TS 33.535 §6.2).
#[derive(Clone)]
pub struct ApplicationKey {
    /// The card that it belongs to.
    pub imsi: String,
    /// K_AF.
    pub key: Zeroizing<[u8; 32]>,
    /// When the card proved itself for it.
    pub proven_at: Millis,
    /// Not valid from then on.
    pub ends_at: Millis,
}

impl std::fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplicationKey").field("ends_at", &self.ends_at).finish_non_exhaustive()
    }
}

impl Cellular {
    /// K_AF of the application `fqdn` with this protocol, for whoever calls its key `a_kid`. None for a name that is of
    /// another network, was never given, or has been replaced, taken away or outlived. On every node.
    ///
    /// Errors: the database.
    pub async fn application_key(
        &self,
        a_kid: &AKid,
        fqdn: &str,
        protocol: UaStar,
    ) -> Result<Option<ApplicationKey>, CellularError> {
        let plmn = self.decided().compiled.network.plmn;
        if a_kid.realm() != home_network_domain(plmn.mcc(), plmn.mnc()) {
            return Ok(None);
        }
        let Some(row) = akma::named(self.inner.db.read().await?.conn(), &a_kid.name().0).await? else {
            return Ok(None);
        };
        let Some((anchor, proven_at)) = open(&self.inner.seal, &row, self.now()) else { return Ok(None) };
        let key = anchor.k_af(fqdn, protocol).map_err(|_| CellularError::Seal)?;
        metrics::counter!("pakawaaz_cellular_akma_application_keys_total").increment(1);
        Ok(Some(ApplicationKey { imsi: row.imsi.as_str().to_owned(), key, proven_at, ends_at: row.ends_at }))
    }

    /// Forgets keys that have ended.
    pub(crate) async fn prune_akma(&self) -> Result<(), CellularError> {
        let mut tx = self.inner.db.begin().await?;
        store::akma::prune(tx.conn(), self.now()).await?;
        Ok(tx.commit().await?)
    }
}

/// A card has proven itself: its key, for its row. None for a number that is no IMSI to the key derivation.
pub(crate) fn seal(key: &SealKey, imsi: &Imsi, k_ausf: &[u8; 32], at: Millis) -> Option<AkmaRow> {
    let (anchor, name) = KAkma::derive(k_ausf, &pakawaaz_aka::Imsi::new(imsi.as_str()).ok()?).ok()?;
    let ends_at = at.plus(KEY_LASTS);
    let mut plain = Zeroizing::new([0; 40]);
    plain[..32].copy_from_slice(anchor.as_bytes());
    plain[32..].copy_from_slice(&at.as_i64().to_be_bytes());
    let sealed = key.seal(PURPOSE, &id(imsi, &name.0), ends_at, &*plain, &mut OsRng).ok()?;
    Some(AkmaRow { imsi: *imsi, a_tid: name.0, sealed, ends_at })
}

/// The key, and when its card proved itself. The end is sealed in as well: a row that somebody made live longer does not open.
fn open(key: &SealKey, row: &AkmaRow, now: Millis) -> Option<(KAkma, Millis)> {
    let opened = key.open(PURPOSE, &id(&row.imsi, &row.a_tid), &row.sealed, now).ok()?;
    let (anchor, at) = opened.plaintext.split_first_chunk::<32>()?;
    let at = Millis(i64::from_be_bytes(at.try_into().ok()?));
    (opened.expires_at == row.ends_at).then(|| (KAkma::from_bytes(anchor), at))
}

fn id(imsi: &Imsi, a_tid: &[u8; 32]) -> Vec<u8> {
    [a_tid.as_slice(), imsi.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Millis = Millis(1_800_000_000_000);

    fn imsi(n: u8) -> Imsi {
        Imsi::new(&format!("41099000000000{n}")).unwrap()
    }

    #[test]
    fn a_key_opens_for_its_own_card_and_name_and_in_its_time_only() {
        let key = SealKey::new([7; 32]);
        let row = seal(&key, &imsi(1), &[9; 32], AT).unwrap();
        let (anchor, name) = KAkma::derive(&[9; 32], &pakawaaz_aka::Imsi::new("410990000000001").unwrap()).unwrap();
        assert_eq!(row.a_tid, name.0);
        assert!(!row.sealed.windows(4).any(|part| anchor.as_bytes().windows(4).any(|secret| secret == part)));
        let last = Millis(row.ends_at.as_i64() - 1);
        let (opened, proven_at) = open(&key, &row, last).unwrap();
        assert_eq!((opened.as_bytes(), proven_at), (anchor.as_bytes(), AT));
        assert!(open(&key, &row, row.ends_at).is_none(), "ended");
        for other in [
            AkmaRow { imsi: imsi(2), ..row.clone() },
            AkmaRow { a_tid: [0; 32], ..row.clone() },
            AkmaRow { ends_at: row.ends_at.plus(KEY_LASTS), ..row.clone() },
        ] {
            assert!(open(&key, &other, AT).is_none(), "{other:?}");
        }
        assert!(open(&SealKey::new([8; 32]), &row, AT).is_none());
    }

    #[test]
    fn a_number_that_is_no_imsi_has_no_key() {
        assert!(seal(&SealKey::new([7; 32]), &Imsi::new("41099012").unwrap(), &[9; 32], AT).is_none());
    }
}
