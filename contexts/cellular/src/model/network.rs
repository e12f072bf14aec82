//! The operator's document, checked and made into what the control plane works with.

use super::places;
use crate::CellularError;
use oxirush_security::Plmn;
use pakawaaz_contract::cellular::{
    CellularDataNetwork, CellularGnb, CellularNetwork, CellularRates, CellularSlice, CellularTimers,
};
use pakawaaz_control_plane::config::{
    AllowedGnb, AuthenticationMethod, Ciphering, DataNetwork, Integrity, Limits, Network, Snssai, Timers,
};
use pakawaaz_user_plane::rules::{BitRate, BitRates, IpNet};
use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

/// Data networks of one network.
const MOST_DATA_NETWORKS: usize = 16;
/// gNBs on the list.
const MOST_GNBS: usize = 1024;
/// Highest rate, 4 Tbit/s: what NAS and NGAP both can say.
const HIGHEST_RATE: u64 = 4_000_000_000_000;
/// Relative capacity told to gNBs; there is one core a site.
const CAPACITY: u8 = 100;

/// What a new installation starts with: the test network, and no gNB that may connect.
pub fn initial() -> CellularNetwork {
    let rate = CellularRates { uplink: 100_000_000, downlink: 100_000_000 };
    let slice = CellularSlice { sst: 1, sd: None };
    CellularNetwork {
        plmn: "001-01".into(),
        amf_name: "pakawaaz".into(),
        amf_region: 1,
        amf_set: 1,
        amf_pointer: 0,
        full_name: "Pakawaaz".into(),
        tacs: vec![1],
        areas: Vec::new(),
        slices: vec![slice.clone()],
        data_networks: vec![CellularDataNetwork {
            name: "gov".into(),
            slice,
            ipv4_pool: Some("10.45.0.0/16".into()),
            ipv6_pool: Some("fd00:45::/48".into()),
            dns: Vec::new(),
            mtu: 1400,
            five_qi: 9,
            ambr: rate,
            always_on: false,
        }],
        gnbs: Vec::new(),
        integrity: ["nia2", "nia1", "nia3"].map(String::from).to_vec(),
        ciphering: ["nea2", "nea1", "nea3"].map(String::from).to_vec(),
        authentication: "5g-aka".into(),
        ue_ambr: CellularRates { uplink: 200_000_000, downlink: 200_000_000 },
        timers: CellularTimers { t3512_seconds: 54 * 60, implicit_deregistration_seconds: 8 * 60 },
    }
}

/// A network that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// For the control plane.
    pub network: Network,
    /// Most that all sessions of one phone may carry together.
    pub ue_ambr: BitRates,
}

/// Checks a document.
///
/// # Errors
/// The `Bad…` ones and [`CellularError::PoolOverlap`]; the first that applies.
pub fn compile(document: &CellularNetwork) -> Result<Compiled, CellularError> {
    let amf_fits = document.amf_set < 1 << 10 && document.amf_pointer < 1 << 6;
    let named =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !amf_fits || !named(&document.amf_name, 150) || !named(&document.full_name, 60) {
        return Err(CellularError::BadAmf);
    }
    if !tacs_fit(&document.tacs, 16) {
        return Err(CellularError::BadTac);
    }
    places::check(document)?;
    let slices: Vec<Snssai> = document.slices.iter().map(slice).collect::<Result<_, _>>()?;
    if slices.is_empty() || slices.len() > 8 || has_twice(&slices) {
        return Err(CellularError::BadSlice);
    }
    let data_networks: Vec<DataNetwork> =
        document.data_networks.iter().map(|one| data_network(one, &slices)).collect::<Result<_, _>>()?;
    let names: Vec<String> = data_networks.iter().map(|one| one.name.to_ascii_lowercase()).collect();
    if data_networks.is_empty() || data_networks.len() > MOST_DATA_NETWORKS || has_twice(&names) {
        return Err(CellularError::BadDataNetwork);
    }
    let pools: Vec<IpNet> = data_networks.iter().flat_map(|one| [one.ipv4_pool, one.ipv6_pool]).flatten().collect();
    for (at, pool) in pools.iter().enumerate() {
        if pools.iter().skip(at + 1).any(|other| overlap(*pool, *other)) {
            return Err(CellularError::PoolOverlap);
        }
    }
    let t3512 = document.timers.t3512_seconds;
    let silent = document.timers.implicit_deregistration_seconds;
    // T3512 travels as at most 31 times 320 hours (TS 24.008 §10.5.7.4a); a week is long enough.
    if !(60..=7 * 86_400).contains(&t3512) || !(10..=86_400).contains(&silent) {
        return Err(CellularError::BadTimer);
    }
    let timers = Timers {
        t3512: Duration::from_secs(u64::from(t3512)),
        implicit_deregistration: Duration::from_secs(u64::from(silent)),
        ..Timers::default()
    };
    let network = Network {
        plmn: plmn(&document.plmn)?,
        amf_name: document.amf_name.clone(),
        amf: (document.amf_region, document.amf_set, document.amf_pointer),
        capacity: CAPACITY,
        full_name: document.full_name.clone(),
        tacs: document.tacs.clone(),
        slices,
        data_networks,
        gnbs: gnbs(&document.gnbs, &document.tacs)?,
        integrity: algorithms(&document.integrity, |text| {
            [("nia1", Integrity::Nia1), ("nia2", Integrity::Nia2), ("nia3", Integrity::Nia3)]
                .into_iter()
                .find_map(|(name, one)| (name == text).then_some(one))
        })?,
        ciphering: algorithms(&document.ciphering, |text| {
            [("nea1", Ciphering::Nea1), ("nea2", Ciphering::Nea2), ("nea3", Ciphering::Nea3)]
                .into_iter()
                .find_map(|(name, one)| (name == text).then_some(one))
        })?,
        method: match document.authentication.as_str() {
            "5g-aka" => AuthenticationMethod::FiveGAka,
            "eap-aka-prime" => AuthenticationMethod::EapAkaPrime,
            _ => return Err(CellularError::BadAuthentication),
        },
        timers,
        limits: Limits::default(),
    };
    // Its own rules, should they ever be narrower than ours.
    network.check().map_err(|_| CellularError::BadAmf)?;
    Ok(Compiled { network, ue_ambr: rates(document.ue_ambr).ok_or(CellularError::BadTimer)? })
}

/// `410-99`.
pub fn plmn(text: &str) -> Result<Plmn, CellularError> {
    let (mcc, mnc) = text.split_once('-').ok_or(CellularError::BadPlmn)?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if mcc.len() != 3 || !(2..=3).contains(&mnc.len()) || !digits(mcc) || !digits(mnc) {
        return Err(CellularError::BadPlmn);
    }
    Plmn::new(mcc, mnc).map_err(|_| CellularError::BadPlmn)
}

/// A slice.
pub fn slice(slice: &CellularSlice) -> Result<Snssai, CellularError> {
    let sd = match &slice.sd {
        None => None,
        Some(text) if text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Some(u32::from_str_radix(text, 16).map_err(|_| CellularError::BadSlice)?)
        }
        Some(_) => return Err(CellularError::BadSlice),
    };
    Ok(Snssai { sst: slice.sst, sd })
}

/// A slice as it is shown.
pub fn show_slice(slice: Snssai) -> CellularSlice {
    CellularSlice { sst: slice.sst, sd: slice.sd.map(|sd| format!("{sd:06x}")) }
}

/// Rates; none when one is 0 or beyond what can be said.
pub fn rates(rates: CellularRates) -> Option<BitRates> {
    let fits = |rate: u64| (1000..=HIGHEST_RATE).contains(&rate);
    (fits(rates.uplink) && fits(rates.downlink))
        .then_some(BitRates { uplink: BitRate(rates.uplink), downlink: BitRate(rates.downlink) })
}

/// Whether an address belongs to a network.
pub fn holds(net: IpNet, address: IpAddr) -> bool {
    let (net_bits, width) = bits(net.address);
    let (address_bits, other) = bits(address);
    width == other && net_bits & mask(net.prefix, width) == address_bits & mask(net.prefix, width)
}

/// The data network in whose pool an address lies.
pub fn network_with(network: &Network, address: IpAddr) -> Option<&str> {
    let has =
        |one: &&DataNetwork| [one.ipv4_pool, one.ipv6_pool].into_iter().flatten().any(|pool| holds(pool, address));
    network.data_networks.iter().find(has).map(|one| one.name.as_str())
}

fn tacs_fit(tacs: &[u32], most: usize) -> bool {
    // 0 and 0xfffffe are reserved for when there is none (TS 23.003 §28.4.3, TS 24.501 §9.11.3.8).
    !tacs.is_empty() && tacs.len() <= most && !has_twice(tacs) && tacs.iter().all(|tac| (1..0xff_fffe).contains(tac))
}

fn has_twice<T: std::hash::Hash + Eq>(all: &[T]) -> bool {
    let mut seen = HashSet::new();
    !all.iter().all(|one| seen.insert(one))
}

fn data_network(one: &CellularDataNetwork, slices: &[Snssai]) -> Result<DataNetwork, CellularError> {
    const BAD: CellularError = CellularError::BadDataNetwork;
    let belongs = slice(&one.slice).map_err(|_| BAD)?;
    let five_qi = matches!(one.five_qi, 1..=10 | 65..=67 | 69..=76 | 79 | 80 | 82..=90);
    if !dnn_fits(&one.name) || !slices.contains(&belongs) || !(1280..=9000).contains(&one.mtu) || !five_qi {
        return Err(BAD);
    }
    let ipv4_pool = one.ipv4_pool.as_deref().map(|text| pool(text, true)).transpose()?;
    let ipv6_pool = one.ipv6_pool.as_deref().map(|text| pool(text, false)).transpose()?;
    if ipv4_pool.is_none() && ipv6_pool.is_none() {
        return Err(CellularError::BadPool);
    }
    if one.dns.len() > 4 {
        return Err(BAD);
    }
    Ok(DataNetwork {
        name: one.name.clone(),
        slice: belongs,
        ipv4_pool,
        ipv6_pool,
        dns: one.dns.iter().map(|text| text.parse().map_err(|_| BAD)).collect::<Result<_, _>>()?,
        mtu: one.mtu,
        default_five_qi: one.five_qi,
        ambr: rates(one.ambr).ok_or(BAD)?,
        always_on: one.always_on,
    })
}

/// A DNN is a network identifier alone: labels of letters, digits and hyphens (TS 23.003 §9.1.1).
fn dnn_fits(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let lower = name.to_ascii_lowercase();
    (1..=62).contains(&name.len())
        && name.split('.').all(label)
        && !["rac", "lac", "sgsn", "rnc"].iter().any(|start| lower.starts_with(start))
        && !lower.ends_with(".gprs")
}

fn pool(text: &str, v4: bool) -> Result<IpNet, CellularError> {
    const BAD: CellularError = CellularError::BadPool;
    let (address, prefix) = text.split_once('/').ok_or(BAD)?;
    let address: IpAddr = address.parse().map_err(|_| BAD)?;
    let prefix: u8 = prefix.parse().map_err(|_| BAD)?;
    let private = match address {
        IpAddr::V4(address) => {
            let shared = address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]);
            v4 && (8..=29).contains(&prefix) && (address.is_private() || shared)
        }
        IpAddr::V6(address) => !v4 && (32..=63).contains(&prefix) && (address.segments()[0] & 0xfe00) == 0xfc00,
    };
    let net = IpNet { address, prefix };
    let (bits, width) = bits(address);
    if !private || bits & !mask(prefix, width) != 0 {
        return Err(BAD);
    }
    Ok(net)
}

fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

fn mask(prefix: u8, width: u8) -> u128 {
    let all = if width == 32 { u128::from(u32::MAX) } else { u128::MAX };
    match width.saturating_sub(prefix) {
        free if free >= 128 => 0,
        free => all & (all << free),
    }
}

fn overlap(one: IpNet, other: IpNet) -> bool {
    holds(one, other.address) || holds(other, one.address)
}

fn gnbs(all: &[CellularGnb], ours: &[u32]) -> Result<Vec<AllowedGnb>, CellularError> {
    let fits = |gnb: &CellularGnb| {
        (22..=32).contains(&gnb.bits)
            && u64::from(gnb.id) < 1 << gnb.bits
            && !gnb.tacs.is_empty()
            && !has_twice(&gnb.tacs)
            && gnb.tacs.iter().all(|tac| ours.contains(tac))
    };
    let ids: Vec<(u32, u8)> = all.iter().map(|gnb| (gnb.id, gnb.bits)).collect();
    if all.len() > MOST_GNBS || has_twice(&ids) || !all.iter().all(fits) {
        return Err(CellularError::BadGnb);
    }
    Ok(all.iter().map(|gnb| AllowedGnb { id: (gnb.id, gnb.bits), tacs: gnb.tacs.clone() }).collect())
}

fn algorithms<T: std::hash::Hash + Eq>(
    names: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, CellularError> {
    let all: Option<Vec<T>> = names.iter().map(|name| read(name)).collect();
    all.filter(|all| !all.is_empty() && !has_twice(all)).ok_or(CellularError::BadAlgorithm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn changed(change: impl FnOnce(&mut CellularNetwork)) -> Result<Compiled, CellularError> {
        let mut document = initial();
        change(&mut document);
        compile(&document)
    }

    #[test]
    fn what_a_new_installation_starts_with_is_fine_and_lets_no_gnb_in() {
        let made = compile(&initial()).expect("compiles");
        assert!(made.network.gnbs.is_empty());
        assert_eq!(format!("{}-{}", made.network.plmn.mcc(), made.network.plmn.mnc()), "001-01");
    }

    #[test]
    fn networks_are_written_with_both_codes() {
        for good in ["410-99", "410-099", "001-01"] {
            assert!(plmn(good).is_ok(), "{good}");
        }
        for bad in ["41099", "41-099", "410-9", "410-0999", "41a-99", "410-9x", "", "-"] {
            assert_eq!(plmn(bad).err(), Some(CellularError::BadPlmn), "{bad}");
        }
    }

    fn gnb(id: u32, bits: u8, tac: u32) -> CellularGnb {
        CellularGnb { id, bits, tacs: vec![tac], place: None }
    }

    #[test]
    fn each_rule_has_its_own_error() {
        let rules: [(CellularError, fn(&mut CellularNetwork)); 17] = [
            (CellularError::BadPlmn, |n| n.plmn = "1".into()),
            (CellularError::BadAmf, |n| n.amf_set = 1024),
            (CellularError::BadAmf, |n| n.amf_name = String::new()),
            (CellularError::BadTac, |n| n.tacs = vec![]),
            (CellularError::BadTac, |n| n.tacs = vec![1, 1]),
            (CellularError::BadTac, |n| n.tacs = vec![0]),
            (CellularError::BadSlice, |n| n.slices[0].sd = Some("12345".into())),
            (CellularError::BadDataNetwork, |n| n.data_networks[0].name = "a b".into()),
            (CellularError::BadDataNetwork, |n| n.data_networks[0].slice.sst = 9),
            (CellularError::BadPool, |n| n.data_networks[0].ipv4_pool = Some("8.8.0.0/16".into())),
            (CellularError::BadPool, |n| n.data_networks[0].ipv4_pool = Some("10.45.0.1/16".into())),
            (CellularError::BadPool, |n| n.data_networks[0].ipv6_pool = Some("2001:db8::/48".into())),
            (CellularError::BadGnb, |n| n.gnbs = vec![gnb(1 << 22, 22, 1)]),
            (CellularError::BadGnb, |n| n.gnbs = vec![gnb(1, 24, 2)]),
            (CellularError::BadAlgorithm, |n| n.integrity = vec!["nia0".into()]),
            (CellularError::BadAlgorithm, |n| n.ciphering = vec![]),
            (CellularError::BadTimer, |n| n.timers.t3512_seconds = 1),
        ];
        for (at, (error, rule)) in rules.into_iter().enumerate() {
            assert_eq!(changed(rule).err(), Some(error), "rule {at}");
        }
        assert_eq!(changed(|n| n.authentication = "none".into()).err(), Some(CellularError::BadAuthentication));
    }

    #[test]
    fn pools_do_not_overlap_whichever_is_larger() {
        let with = |pool: &str| {
            changed(|n| {
                let mut other = n.data_networks[0].clone();
                (other.name, other.ipv4_pool, other.ipv6_pool) = ("other".into(), Some(pool.into()), None);
                n.data_networks.push(other);
            })
        };
        for bad in ["10.45.0.0/16", "10.45.128.0/20", "10.0.0.0/8"] {
            assert_eq!(with(bad).err(), Some(CellularError::PoolOverlap), "{bad}");
        }
        assert!(with("10.46.0.0/16").is_ok());
    }

    #[test]
    fn names_of_data_networks_are_labels() {
        for good in ["gov", "voice.gov", "a-1"] {
            assert!(dnn_fits(good), "{good}");
        }
        for bad in ["", ".", "a..b", "-a", "a-", "a b", "rac1", "x.gprs", "ä"] {
            assert!(!dnn_fits(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_harms(text in ".{0,40}") {
            let _ = plmn(&text);
            let _ = pool(&text, true);
            let _ = pool(&text, false);
            let _ = dnn_fits(&text);
        }

        #[test]
        fn a_network_holds_what_shares_its_prefix(address: u32, prefix in 0u8..=32) {
            let net = IpNet { address: IpAddr::V4(address.into()), prefix };
            prop_assert!(holds(net, IpAddr::V4(address.into())));
            if prefix > 0 {
                prop_assert!(!holds(net, IpAddr::V4((address ^ 1 << 31).into())));
            }
        }
    }
}
