//! Questions to the home network, each in a task of its own.

use super::core::Answer;
use crate::{Cellular, DrawnVector, Expected};
use oxirush_security::nas_5gs::KAusf;
use pakawaaz_control_plane::identifiers::{AmfUeNgapId, Imsi};
use pakawaaz_control_plane::io::{self, HomeVector, VaultRefusal, VaultRequest};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The control plane gives up a little later.
const PATIENCE: Duration = Duration::from_secs(9);

/// Asks, and tells the core.
pub(super) async fn ask(
    cellular: Cellular,
    answers: mpsc::Sender<Answer>,
    ue: AmfUeNgapId,
    request: u32,
    asked: u64,
    ask: VaultRequest,
) {
    let reply = tokio::time::timeout(PATIENCE, vector(&cellular, ask)).await;
    let reply = reply.unwrap_or(Err(VaultRefusal::Unavailable));
    // The core may have ended meanwhile.
    let _ = answers.send(Answer { ue, request, asked, reply }).await;
}

async fn vector(cellular: &Cellular, ask: VaultRequest) -> Result<Box<HomeVector>, VaultRefusal> {
    let DrawnVector { imsi, rand, autn, expected } = cellular.inner.home.vector(ask).await?;
    let imsi = Imsi::new(&imsi).ok_or(VaultRefusal::Unknown)?;
    let subscription = cellular.subscription(&imsi).await.map_err(|_| VaultRefusal::Unavailable)?;
    if subscription.blocked {
        return Err(VaultRefusal::Blocked);
    }
    let expected = match expected {
        Expected::FiveGAka { xres_star, k_ausf } => io::Expected::FiveGAka { xres_star, k_ausf: KAusf::new(&k_ausf) },
        Expected::EapAkaPrime { xres, k_aut, k_ausf } => {
            io::Expected::EapAkaPrime { xres, k_aut, k_ausf: KAusf::new(&k_ausf) }
        }
    };
    Ok(Box::new(HomeVector { imsi, subscription: Arc::new(subscription), rand, autn, expected }))
}
