//! Entry points of the fuzz workspace: a simulator that panics hides what it was to find.

use crate::gnb::{Gnb, GnbConfig, GnbIo};
use crate::phone::{Concealment, Io, Phone, PhoneConfig, eap};
use crate::{packet, sims};
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::HomeNetworkPublicKey;
use pakawaaz_aka::{Algorithm, Iccid, Imsi, SoftwareSim, SoftwareUsim};
use pakawaaz_base::Millis;
use rand_core::SeedableRng as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A packet out of a tunnel: what is read can be written.
pub fn inner_packet(data: &[u8]) {
    if let Some(read) = packet::read(data) {
        let _ = packet::write(&read);
    }
}

/// A file with cards, of any form.
pub fn sim_file(data: &[u8]) {
    let _ = sims::read(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = sims::read_batch(text, &[0x42; 32]);
    }
}

/// An EAP packet of a core.
pub fn eap_packet(data: &[u8]) {
    let Some(packet) = eap::Packet::parse(data) else { return };
    let _ = packet.mac_is_right(&[7; 32]);
    let _ = (packet.challenge(), packet.res(), packet.auts());
}

/// NGAP PDUs of a hostile core, one after the other: `length (2) ‖ bytes`.
pub fn ngap(data: &[u8]) {
    let Some(plmn) = network() else { return };
    let Ok(mut gnb) = Gnb::new(GnbConfig::new(plmn, 1, 1, IpAddr::V4(Ipv4Addr::LOCALHOST))) else { return };
    let mut out = Vec::new();
    gnb.up(&mut GnbIo { now: Millis(1_000), out: &mut out }, 2);
    for pdu in pieces(data) {
        gnb.receive(&mut GnbIo { now: Millis(2_000), out: &mut out }, pdu);
        out.clear();
    }
}

/// NAS messages of a hostile core to a phone that registers, one after the other: `length (2) ‖ bytes`.
pub fn nas(data: &[u8]) {
    let Some(mut phone) = phone() else { return };
    let (mut rng, mut out) = (rand_chacha::ChaCha20Rng::seed_from_u64(1), Vec::new());
    phone.power_on(&mut Io { now: Millis(1_000), rng: &mut rng, out: &mut out });
    for message in pieces(data) {
        phone.receive(&mut Io { now: Millis(2_000), rng: &mut rng, out: &mut out }, message);
        assert!(!phone.is_registered(), "nobody registers without the card's key");
        out.clear();
    }
}

fn network() -> Option<Plmn> {
    Plmn::new("410", "99").ok()
}

fn phone() -> Option<Phone> {
    let algorithm =
        Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf").ok()?;
    let card = SoftwareUsim::new(SoftwareSim {
        imsi: Imsi::new("410990000000001").ok()?,
        iccid: Iccid::with_check_digit("899241000000000001").ok()?,
        algorithm,
    });
    let key = Arc::new(HomeNetworkPublicKey::profile_a(&[9; 32]));
    let config = PhoneConfig::new(network()?, Concealment::Ecies { id: 1, key });
    Phone::new(Arc::new(config), card, "3500000000000012").ok()
}

/// Cut at lengths of two bytes.
fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&[high, low], rest) = data.split_first_chunk::<2>()?;
        let (piece, after) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
        data = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            super::inner_packet(&data);
            super::sim_file(&data);
            super::eap_packet(&data);
            super::ngap(&data);
            super::nas(&data);
            let whole = [&(data.len() as u16).to_be_bytes()[..], &data].concat();
            super::ngap(&whole);
            super::nas(&whole);
        }
    }
}
