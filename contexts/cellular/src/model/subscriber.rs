//! What a card may do, from its profile and the network.

use super::network::{Compiled, holds, rates, slice};
use crate::CellularError;
use pakawaaz_contract::cellular::CellularProfile;
use pakawaaz_control_plane::io::{SubscribedDataNetwork, Subscription};
use pakawaaz_user_plane::rules::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Equipment that one card may be bound to.
const MOST_EQUIPMENT: usize = 8;

/// The subscription of a card; without a profile it may use everything there is.
///
/// What a profile names and the network does not have any more is left out.
pub fn subscription(profile: Option<&CellularProfile>, compiled: &Compiled) -> Subscription {
    let network = &compiled.network;
    let plain = CellularProfile::default();
    let profile = profile.unwrap_or(&plain);
    let slices = match &profile.slices {
        None => network.slices.clone(),
        Some(named) => {
            named.iter().filter_map(|one| slice(one).ok()).filter(|one| network.slices.contains(one)).collect()
        }
    };
    let all =
        |name: &str| SubscribedDataNetwork { name: name.to_owned(), static_ipv4: None, static_ipv6: None, ambr: None };
    let data_networks = match &profile.data_networks {
        None => network.data_networks.iter().map(|one| all(&one.name)).collect(),
        Some(named) => named
            .iter()
            .filter(|one| network.data_networks.iter().any(|known| known.name == one.name))
            .map(|one| SubscribedDataNetwork {
                name: one.name.clone(),
                static_ipv4: one.ipv4.as_deref().and_then(|text| text.parse().ok()),
                static_ipv6: one.ipv6.as_deref().and_then(|text| text.parse().ok()),
                ambr: one.ambr.and_then(rates),
            })
            .collect(),
    };
    Subscription {
        slices,
        data_networks,
        ue_ambr: profile.ue_ambr.and_then(rates).unwrap_or(compiled.ue_ambr),
        equipment: profile.equipment.clone(),
        blocked: profile.blocked,
    }
}

/// Whether a profile fits the network.
///
/// # Errors
/// [`CellularError::BadProfile`].
pub fn check(profile: &CellularProfile, compiled: &Compiled) -> Result<(), CellularError> {
    const BAD: CellularError = CellularError::BadProfile;
    let network = &compiled.network;
    for one in profile.slices.iter().flatten() {
        if !slice(one).is_ok_and(|one| network.slices.contains(&one)) {
            return Err(BAD);
        }
    }
    for one in profile.data_networks.iter().flatten() {
        let known = network.data_networks.iter().find(|known| known.name == one.name).ok_or(BAD)?;
        if let Some(text) = &one.ipv4 {
            let address: Ipv4Addr = text.parse().map_err(|_| BAD)?;
            fits(known.ipv4_pool, IpAddr::V4(address))?;
        }
        if let Some(text) = &one.ipv6 {
            let address: Ipv6Addr = text.parse().map_err(|_| BAD)?;
            if u128::from(address) & u128::from(u64::MAX) != 0 {
                return Err(BAD);
            }
            fits(known.ipv6_pool, IpAddr::V6(address))?;
        }
        if one.ambr.is_some_and(|ambr| rates(ambr).is_none()) {
            return Err(BAD);
        }
    }
    let equipment = |text: &String| text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit());
    let ambr = profile.ue_ambr.is_none_or(|ambr| rates(ambr).is_some());
    if !ambr || profile.equipment.len() > MOST_EQUIPMENT || !profile.equipment.iter().all(equipment) {
        return Err(BAD);
    }
    Ok(())
}

/// A fixed address is one of the pool's that phones may have.
fn fits(pool: Option<IpNet>, address: IpAddr) -> Result<(), CellularError> {
    match pool {
        Some(pool) if holds(pool, address) && pool.address != address => Ok(()),
        _ => Err(CellularError::BadProfile),
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::{compile, initial};
    use super::*;
    use pakawaaz_contract::cellular::{CellularSlice, CellularSubscribedNetwork};

    fn named(name: &str, ipv4: Option<&str>) -> CellularSubscribedNetwork {
        CellularSubscribedNetwork { name: name.into(), ipv4: ipv4.map(Into::into), ipv6: None, ambr: None }
    }

    #[test]
    fn a_card_without_a_profile_may_use_everything() {
        let compiled = compile(&initial()).unwrap();
        let given = subscription(None, &compiled);
        assert_eq!(given.slices, compiled.network.slices);
        assert_eq!(given.data_networks.len(), 1);
        assert!(!given.blocked && given.equipment.is_empty());
    }

    #[test]
    fn a_profile_is_obeyed_and_what_has_gone_is_left_out() {
        let compiled = compile(&initial()).unwrap();
        let profile = CellularProfile {
            slices: Some(vec![CellularSlice { sst: 1, sd: None }, CellularSlice { sst: 7, sd: None }]),
            data_networks: Some(vec![named("gov", Some("10.45.9.9")), named("gone", None)]),
            equipment: vec!["35000000000001".into()],
            blocked: true,
            ..CellularProfile::default()
        };
        let given = subscription(Some(&profile), &compiled);
        assert_eq!((given.slices.len(), given.data_networks.len(), given.blocked), (1, 1, true));
        assert_eq!(given.data_networks[0].static_ipv4, Some(Ipv4Addr::new(10, 45, 9, 9)));
        assert_eq!(check(&profile, &compiled), Err(CellularError::BadProfile), "it names what is not there");
    }

    #[test]
    fn fixed_addresses_are_of_the_pool_and_equipment_has_fourteen_digits() {
        let compiled = compile(&initial()).unwrap();
        let with = |change: fn(&mut CellularProfile)| {
            let mut profile =
                CellularProfile { data_networks: Some(vec![named("gov", None)]), ..CellularProfile::default() };
            change(&mut profile);
            check(&profile, &compiled)
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|p| p.data_networks = Some(vec![named("gov", Some("10.45.1.1"))])), Ok(()));
        let bad = Err(CellularError::BadProfile);
        assert_eq!(with(|p| p.data_networks = Some(vec![named("gov", Some("10.46.1.1"))])), bad);
        assert_eq!(with(|p| p.data_networks = Some(vec![named("gov", Some("10.45.0.0"))])), bad);
        assert_eq!(with(|p| p.equipment = vec!["123".into()]), bad);
    }
}
