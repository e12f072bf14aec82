//! Entry points of the fuzz workspace: whatever a server, a member or a damaged disk may hand to the client.
//!
//! None of these may panic. The property tests here run the same functions on a few inputs.

use crate::memory::MemoryStore;
use crate::platform::Platform;
use crate::store::Store as _;
use crate::sync::machine::Machine;
use crate::testing::{Nowhere, PIN};
use crate::transport::HttpResponse;
use crate::vault::{PinCost, Vault, VaultHeader};
use crate::{Client, keys};
use pakawaaz_base::Millis;
use pakawaaz_contract::frames::ServerFrame;
use std::time::Duration;
use zeroize::Zeroizing;

struct Still;
impl Platform for Still {
    fn now(&self) -> Millis {
        Millis(1_800_000_000_000)
    }
    fn fill_random(&self, out: &mut [u8]) {
        out.fill(7);
    }
    async fn sleep(&self, _: Duration) {}
    fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([7; 32])
    }
}

/// Frames of a server, each with two bytes of length before it (big-endian), into the sync machine.
pub fn server_frames(data: &[u8]) {
    let client = Client::new(MemoryStore::new(), Nowhere, Still);
    let mut rng = client.db.rng();
    let Ok((vault, _)) = Vault::create(PIN, &[7; 32], PinCost::TESTS, &mut rng) else { return };
    client.db.set_vault(Some(vault));
    let mut machine = Machine::default();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (frame, after) = after.split_at(length);
        rest = after;
        if let Ok(frame) = ServerFrame::decode(frame) {
            // Errors are fine: a connection ends by them.
            let _ = futures::executor::block_on(client.on_frame(&mut machine, frame));
        }
    }
}

/// A damaged or forged row of each kind: the header, and sealed rows under a key that the attacker knows (a thief with
/// PIN and device, which is the most that can be).
pub fn stored_rows(data: &[u8]) {
    let store = MemoryStore::new();
    let client = Client::new(&store, Nowhere, Still);
    if let Ok(header) = ciborium::from_reader::<VaultHeader, _>(data)
        && header.is_cheap()
    {
        let _ = Vault::open(&header, PIN, &[7; 32]);
    }
    let mut rng = client.db.rng();
    let Ok((vault, _)) = Vault::create(PIN, &[7; 32], PinCost::TESTS, &mut rng) else { return };
    let _ = vault.open_row(b"k", data);
    let group = pakawaaz_base::GroupId::from_bytes([1; 16]);
    let message = pakawaaz_base::MessageId::from_bytes([2; 16]);
    let rows = [
        keys::PROFILE.to_vec(),
        keys::SESSION.to_vec(),
        keys::KNOWN.to_vec(),
        keys::group(group),
        keys::line(group, 1, 0),
        keys::message(group, message),
        keys::outbox(message),
        keys::unread(group, 1),
        keys::flags(group),
        keys::draft(group),
        keys::SETTINGS.to_vec(),
    ];
    let puts = rows.iter().map(|key| (key.clone(), vault.seal(key, data, &mut rng))).collect();
    let batch = crate::store::Batch { puts, deletes: Vec::new() };
    client.db.set_vault(Some(vault));
    futures::executor::block_on(async {
        let _ = store.commit(batch).await;
        let _ = client.whoami().await;
        let _ = client.conversations().await;
        let _ = client.read(group, None, 10).await;
        let _ = client.open_timeline(group, 10).await;
        let _ = client.read_around(group, message, 10).await;
        let _ = client.search("a", None, None).await;
        let _ = client.message_info(group, message).await;
        let _ = client.typing(group, true).await;
        let _ = client.members(group).await;
        let _ = client.ensure_session().await;
    });
}

/// An HTTP answer, as a problem and as JSON.
pub fn http_answer(data: &[u8]) {
    for status in [200, 400, 503] {
        let response = HttpResponse { status, headers: Vec::new(), body: data.to_vec() };
        let _ = crate::http::json::<pakawaaz_contract::identity::DeviceList>(response);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
        frames.iter().flat_map(|f| [&(f.len() as u16).to_be_bytes()[..], f].concat()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn nothing_panics(data: Vec<u8>) {
            server_frames(&data);
            stored_rows(&data);
            http_answer(&data);
        }

        #[test]
        fn real_frames_with_flipped_bits_do_not_panic(at: prop::sample::Index, bit in 0u8..8) {
            let entry = pakawaaz_contract::frames::LogEntry {
                group: pakawaaz_base::GroupId::from_bytes([1; 16]),
                seq: 1,
                epoch: 0,
                kind: pakawaaz_contract::frames::LogKind::Commit,
                message: pakawaaz_base::MessageId::from_bytes([2; 16]),
                at: Millis(0),
                mls: vec![0; 40].into(),
                log_hash: [3; 32].into(),
            };
            let frames = [ServerFrame::Log(entry).encode(), ServerFrame::CaughtUp.encode()];
            let mut data = framed(&frames);
            server_frames(&data);
            let at = at.index(data.len());
            data[at] ^= 1 << bit;
            server_frames(&data);
        }
    }
}
