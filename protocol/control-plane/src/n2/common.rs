//! Values that several messages share, between our types and those of the codec.

use crate::config::{Network, Snssai};
use crate::identifiers::{AmfUeNgapId, Location, RanUeNgapId};
use oxirush_ngap::helpers;
use oxirush_ngap::ngap::{
    GTPTEID, GTPTunnel, GUAMI, PLMNIdentity, SNSSAI, SliceSupportItem, SliceSupportList, TAC, TAI,
    TransportLayerAddress, UPTransportLayerInformation, UserLocationInformation,
};
use oxirush_ngap::{BitString, Error};
use oxirush_security::Plmn;
use pakawaaz_user_plane::rules::Tunnel;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A phone on N2, by the names of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) amf: AmfUeNgapId,
    pub(crate) ran: RanUeNgapId,
}

pub(crate) fn plmn(plmn: Plmn) -> PLMNIdentity {
    PLMNIdentity::from(plmn)
}

pub(crate) fn our_guami(network: &Network) -> Result<GUAMI, Error> {
    let (region, set, pointer) = network.amf;
    helpers::guami(plmn(network.plmn), region, set, pointer)
}

pub(crate) fn snssai(slice: Snssai) -> SNSSAI {
    helpers::s_nssai(slice.sst, slice.sd.map(sd_octets))
}

pub(crate) fn sd_octets(sd: u32) -> [u8; 3] {
    let [_, a, b, c] = sd.to_be_bytes();
    [a, b, c]
}

pub(crate) fn slice_of(slice: &SNSSAI) -> Snssai {
    let sd = slice.sd.as_ref().map(|sd| u32::from_be_bytes([0, sd.0[0], sd.0[1], sd.0[2]]));
    Snssai { sst: slice.sst.0[0], sd }
}

pub(crate) fn slices(network: &Network) -> SliceSupportList {
    SliceSupportList(network.slices.iter().map(|slice| SliceSupportItem::new(snssai(*slice), None)).collect())
}

pub(crate) fn tac_octets(tac: u32) -> [u8; 3] {
    sd_octets(tac)
}

pub(crate) fn tac_of(tac: &TAC) -> u32 {
    u32::from_be_bytes([0, tac.0[0], tac.0[1], tac.0[2]])
}

pub(crate) fn tai(network: &Network, tac: u32) -> TAI {
    helpers::tai(plmn(network.plmn), tac_octets(tac))
}

/// Where the phone is; none when the access is not NR or the network is none.
pub(crate) fn location_of(location: &UserLocationInformation<'_>) -> Option<Location> {
    let UserLocationInformation::userLocationInformationNR(nr) = location else { return None };
    let network = Plmn::from_ap_octets(nr.tai.plmn_identity.0).ok()?;
    Some(Location { plmn: network, cell: nr.nr_cgi.nr_cell_identity.0.value(), tac: tac_of(&nr.tai.tac) })
}

pub(crate) fn tunnel(tunnel: Tunnel) -> UPTransportLayerInformation<'static> {
    let octets = match tunnel.address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let address = TransportLayerAddress(BitString::from(octets));
    let teid = GTPTEID(tunnel.teid.to_be_bytes());
    UPTransportLayerInformation::gTPTunnel(GTPTunnel::new(address, teid, None))
}

/// The gNB's end; none for an address of another length, or TEID 0. Of an address of both kinds (20 octets, TS 38.414 §5.2)
/// the first, IPv4, is taken.
pub(crate) fn tunnel_of(information: &UPTransportLayerInformation<'_>) -> Option<Tunnel> {
    let UPTransportLayerInformation::gTPTunnel(gtp) = information else { return None };
    let octets = gtp.transport_layer_address.0.as_octets();
    let address = match octets.len() {
        4 | 20 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets.get(..4)?).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => return None,
    };
    let teid = u32::from_be_bytes(gtp.gtp_teid.0);
    (teid != 0).then_some(Tunnel { address, teid })
}
