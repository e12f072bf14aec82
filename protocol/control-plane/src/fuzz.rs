//! Entry points of the fuzz workspace: whatever comes from outside, nothing panics.

use crate::config::{
    AllowedGnb, AuthenticationMethod, Ciphering, DataNetwork, Integrity, Limits, Network, Snssai, Timers,
};
use crate::control_plane::ControlPlane;
use crate::core::Cx;
use crate::identifiers::{AssociationId, Imsi, Location, RanUeNgapId};
use crate::io::{Input, Output, SubscribedDataNetwork, Subscription, UeSnapshot};
use crate::n2::Ids;
use crate::security::SecurityContext;
use crate::trace;
use crate::traced::Tracing;
use crate::ue::{Access, Capability, Connection, Ue, UeKey};
use oxirush_nas::nas_5gs::{
    CipheringAlgorithm, Direction, IntegrityAlgorithm, Nas5gsSecurityHeaderType, NasSecurityContext,
};
use oxirush_ngap::ngap::{NASPDU, NGAP_PDU};
use oxirush_security::Plmn;
use oxirush_security::nas_5gs::KAmf;
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{BitRate, BitRates, IpNet, Tunnel, UserPlaneReply, UserPlaneRequest};
use rand_core::{CryptoRng, RngCore};
use std::sync::Arc;
use zeroize::Zeroizing;

const GNB: AssociationId = AssociationId(1);
const NOW: Millis = Millis(1_800_000_000_000);
const K_AMF: [u8; 32] = [0x11; 32];
const RAN: u32 = 7;

/// Counts: what is random to a phone must not be random to a fuzzer.
struct Counting(u64);
impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        self.0 += 1;
        u32::try_from(self.0 & 0xffff_ffff).unwrap_or(0)
    }
    fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32())
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for octet in dest {
            *octet = self.next_u32().to_le_bytes()[0];
        }
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}
impl CryptoRng for Counting {}

fn rates() -> BitRates {
    BitRates { uplink: BitRate(100_000_000), downlink: BitRate(100_000_000) }
}

fn network() -> Option<Network> {
    let slice = Snssai { sst: 1, sd: None };
    Some(Network {
        plmn: Plmn::new("001", "01").ok()?,
        amf_name: "amf".to_owned(),
        amf: (1, 1, 0),
        capacity: 1,
        full_name: "network".to_owned(),
        tacs: vec![1],
        slices: vec![slice],
        data_networks: vec![DataNetwork {
            name: "dn".to_owned(),
            slice,
            ipv4_pool: Some(IpNet { address: [10, 0, 0, 0].into(), prefix: 24 }),
            ipv6_pool: Some(IpNet { address: [0xfd00, 1, 0, 0, 0, 0, 0, 0].into(), prefix: 48 }),
            dns: vec![[10, 0, 0, 1].into()],
            mtu: 1400,
            default_five_qi: 9,
            ambr: rates(),
            always_on: false,
        }],
        gnbs: vec![AllowedGnb { id: (1, 24), tacs: vec![1] }],
        integrity: vec![Integrity::Nia2],
        ciphering: vec![Ciphering::Nea2],
        method: AuthenticationMethod::FiveGAka,
        timers: Timers::default(),
        limits: Limits::default(),
    })
}

/// A control plane with one gNB that is set up, and one phone on it that is registered and secured.
struct Fixture {
    core: ControlPlane,
    rng: Counting,
    phone: NasSecurityContext,
    amf: u64,
}

impl Fixture {
    fn new() -> Option<Self> {
        let network = network()?;
        let plmn = network.plmn;
        let mut core = ControlPlane::new(Arc::new(network)).ok()?;
        let mut rng = Counting(0);
        let mut out = Vec::new();
        core.handle(Input::Up { association: GNB, peer: String::new(), streams: 2 }, NOW, &mut rng, &mut out);
        let (ues, shared) = core.parts();
        let key = shared.new_ue();
        let amf = shared.new_ngap();
        let gnb = shared.gnbs.get_mut(&GNB)?;
        (gnb.ready, gnb.id, gnb.tacs) = (true, Some((1, 24)), vec![1]);
        gnb.ues.insert(RanUeNgapId(RAN), key);
        shared.by_ngap.insert(amf, key);
        shared.registered = 1;
        let imsi = Imsi::new("001010000000001")?;
        shared.by_imsi.insert(imsi, key);
        shared.by_tmsi.insert(1, key);
        let mut ue = Box::new(Ue::new(key, NOW));
        let location = Location { plmn, cell: 1, tac: 1 };
        let mut connection = Connection::new(GNB, Ids { amf, ran: RanUeNgapId(RAN) }, location);
        (connection.secured, connection.access) = (true, Access::Established);
        // What is traced is read once more, in forms that others wrote.
        shared.traced.insert(imsi);
        connection.tracing = Tracing::On(imsi);
        ue.imsi = Some(imsi);
        (ue.registered, ue.tmsi, ue.location) = (true, Some(1), Some(location));
        ue.security = Some(SecurityContext::fresh(KAmf::new(&K_AMF), 0, Integrity::Nia2, Ciphering::Nea2));
        ue.capability = Capability::new(&[0xf0, 0xf0]);
        ue.subscription = Some(Arc::new(Subscription {
            slices: vec![Snssai { sst: 1, sd: None }],
            data_networks: vec![SubscribedDataNetwork {
                name: "dn".to_owned(),
                static_ipv4: None,
                static_ipv6: None,
                ambr: None,
            }],
            ue_ambr: rates(),
            equipment: Vec::new(),
            blocked: false,
        }));
        ue.connection = Some(Box::new(connection));
        ues.insert(key, ue);
        let phone =
            NasSecurityContext::from_fresh_kamf(&KAmf::new(&K_AMF), IntegrityAlgorithm::NIA2, CipheringAlgorithm::NEA2);
        Some(Self { core, rng, phone: phone.ok()?, amf: amf.0 })
    }

    fn message(&mut self, bytes: &[u8]) {
        let mut out = Vec::new();
        self.core.handle(Input::Message { association: GNB, stream: 1, bytes }, NOW, &mut self.rng, &mut out);
        for output in out {
            self.follow(output);
        }
    }

    /// The user plane takes every session, so that what comes after is reached too. Whatever we send can be read.
    fn follow(&mut self, output: Output) {
        match output {
            Output::Traced { downlink, name, bytes, .. } => {
                let entry = trace::Entry { at: NOW, downlink, name, bytes };
                trace::pcap(std::slice::from_ref(&entry));
                assert_eq!(trace::ladder(&[entry]).lines().count(), 2);
            }
            Output::UserPlane(UserPlaneRequest::Establish(rules)) => {
                let uplink = Tunnel { address: [192, 0, 2, 1].into(), teid: 1 };
                let reply = UserPlaneReply::Established { session: rules.session, uplink };
                let mut out = Vec::new();
                self.core.handle(Input::UserPlane(reply), NOW, &mut self.rng, &mut out);
                out.into_iter().for_each(|output| self.follow(output));
            }
            Output::Send { bytes, .. } => {
                let readable = NGAP_PDU::decode(&bytes).and_then(|pdu| pdu.check());
                assert!(
                    readable.is_ok_and(|deviations| deviations.is_empty()),
                    "what we send follows the specification"
                );
            }
            _ => {}
        }
    }

    fn uplink(&mut self, nas: &[u8]) {
        let (ues, shared) = self.core.parts();
        let Some(ue) = ues.get_mut(&UeKey(1)) else { return };
        let mut out = Vec::new();
        let mut cx = Cx { core: shared, now: NOW, rng: &mut self.rng, out: &mut out };
        crate::ue::nas::receive(ue, &mut cx, nas);
        out.into_iter().for_each(|output| self.follow(output));
    }
}

/// Bytes of a gNB. Cut at 0xff 0xfe into several PDUs.
pub fn ngap(data: &[u8]) {
    let Some(mut fixture) = Fixture::new() else { return };
    let mut rest = data;
    while !rest.is_empty() {
        let cut = rest.windows(2).position(|pair| pair == [0xff, 0xfe]);
        let (one, more) = cut.map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + 2..]));
        fixture.message(one);
        rest = more;
    }
}

/// A NAS message as the first of a connection, and again on a connection that is not secured.
pub fn nas_plain(data: &[u8]) {
    let Some(mut fixture) = Fixture::new() else { return };
    let Some(first) = first_message(data) else { return };
    fixture.message(&first);
    let (ues, shared) = fixture.core.parts();
    let key = ues.keys().copied().max().unwrap_or(UeKey(0));
    let mut out = Vec::new();
    let mut cx = Cx { core: shared, now: NOW, rng: &mut fixture.rng, out: &mut out };
    if let Some(ue) = ues.get_mut(&key) {
        crate::ue::nas::receive(ue, &mut cx, data);
    }
}

fn first_message(nas: &[u8]) -> Option<Vec<u8>> {
    use oxirush_ngap::helpers::{nr_cgi, tai};
    use oxirush_ngap::ngap::{RRCEstablishmentCause, UserLocationInformation, UserLocationInformationNR};
    let plmn = oxirush_ngap::helpers::plmn("001", "01").ok()?;
    let cell = nr_cgi(plmn, 1, 24, 1).ok()?;
    let nr = UserLocationInformationNR::new(cell, tai(plmn, [0, 0, 1]), None, None);
    let pdu = oxirush_ngap::build_ngap!(
        InitiatingMessage,
        InitialUEMessage,
        InitialUEMessage,
        RAN_UE_NGAP_ID(RAN + 1),
        NAS_PDU(NASPDU(nas.into())),
        UserLocationInformation(UserLocationInformation::userLocationInformationNR(nr)),
        RRCEstablishmentCause(RRCEstablishmentCause::mo_Signalling),
    );
    pdu.ok()?.encode().ok()
}

/// Messages of a registered phone under its own keys. Cut at 0xff 0xfe into several.
pub fn nas_protected(data: &[u8]) {
    let Some(mut fixture) = Fixture::new() else { return };
    let mut rest = data;
    while !rest.is_empty() {
        let cut = rest.windows(2).position(|pair| pair == [0xff, 0xfe]);
        let (one, more) = cut.map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + 2..]));
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        if let Ok(sealed) = fixture.phone.protect_opaque_payload(one.to_vec(), header, Direction::Uplink) {
            fixture.uplink(&sealed);
        }
        rest = more;
    }
    assert!(fixture.amf > 0, "the phone was connected");
}

/// An EAP packet of a phone.
pub fn eap(data: &[u8]) {
    crate::eap::answer(1, &[3; 32], data);
}

/// A kept context.
pub fn snapshot(data: &[u8]) {
    let (Some(network), Some(imsi)) = (network(), Imsi::new("001010000000001")) else { return };
    let Ok(mut core) = ControlPlane::new(Arc::new(network)) else { return };
    let tmsi = data.get(1..5).and_then(|octets| octets.try_into().ok()).map(u32::from_be_bytes).unwrap_or_default();
    for tmsi in [0, 1, tmsi] {
        let snapshot = UeSnapshot { imsi, tmsi, context: Zeroizing::new(data.to_vec()) };
        core.restore([snapshot], NOW, &mut Counting(0), &mut Vec::new());
    }
}

/// A capture file: reading it ends, and what is read is written as the same again.
pub fn capture(data: &[u8]) {
    let Some(pdus) = trace::read(data) else { return };
    let entries: Vec<trace::Entry> = pdus
        .iter()
        .map(|(downlink, bytes)| trace::Entry {
            at: NOW,
            downlink: *downlink,
            name: String::new(),
            bytes: bytes.clone(),
        })
        .collect();
    assert_eq!(trace::read(&trace::pcap(&entries)), Some(pdus));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_fixtures_phone_is_understood() {
        let mut fixture = Fixture::new().unwrap();
        // A PDU session establishment request for session 5.
        let octets = [0x7e, 0, 0x67, 1, 0, 7, 0x2e, 5, 1, 0xc1, 0xff, 0xff, 0x91, 0x12, 5, 0x81];
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        let sealed = fixture.phone.protect_opaque_payload(octets.to_vec(), header, Direction::Uplink).unwrap();
        fixture.uplink(&sealed);
        assert_eq!(fixture.core.gauges()[2], ("SM.SessionNbrMean", 1));
    }

    proptest! {
        #[test]
        fn entries_survive_any_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            ngap(&data);
            nas_plain(&data);
            nas_protected(&data);
            eap(&data);
            snapshot(&data);
            capture(&data);
        }
        #[test]
        fn entries_survive_any_message_body(kind: u8, data in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut nas = vec![0x7e, 0, kind];
            nas.extend(&data);
            nas_plain(&nas);
            nas_protected(&nas);
            let mut kept = vec![2];
            kept.extend(&data);
            snapshot(&kept);
        }
    }
}
