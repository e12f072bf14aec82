//! gNBs and tracking areas, and the names of their places.

use super::admin_cellular::change_network;
use crate::args_cellular::{GnbsCommand, PlaceArgs, TacsCommand};
use crate::context::Shell;
use crate::output;
use anyhow::{Context as _, ensure};
use pakawaaz_client_native::NativeClient;
use pakawaaz_contract::cellular::{CellularArea, CellularGnb, CellularGnbState, CellularNetwork};
use pakawaaz_contract::directory::BilingualName;

pub async fn gnbs(shell: &Shell, client: &NativeClient, command: GnbsCommand) -> anyhow::Result<()> {
    match command {
        GnbsCommand::List => {
            let allowed = client.cellular_network().await?.network.gnbs;
            // A server without a core still says which would be let in.
            let (connected, overload) = match client.cellular_gnbs().await {
                Ok(list) => (Some(list.gnbs), list.overload),
                Err(e) => {
                    output::note(&format!("which gNBs are connected is not known here: {e}"));
                    (None, 0)
                }
            };
            let shown = serde_json::json!({ "allowed": allowed, "connected": connected, "overload": overload });
            shell.out.show(&shown, |_| {
                let rows = gnb_rows(&allowed, connected.as_deref());
                let asked = format!("They are asked to turn away {overload} % of what phones ask for.");
                let asked = (overload > 0).then_some(asked);
                output::table(&["GNB", "PLACE", "TACS", "STATE"], &rows).into_iter().chain(asked).collect()
            });
            Ok(())
        }
        GnbsCommand::Allow { id, bits, tacs, place } => {
            change_network(shell, client, |network| {
                allow(network, id, bits, tacs, place.name());
                Ok(())
            })
            .await
        }
        GnbsCommand::Name { id, bits, place, urdu } => {
            change_network(shell, client, |network| {
                let gnb = network.gnbs.iter_mut().find(|gnb| (gnb.id, gnb.bits) == (id, bits));
                gnb.with_context(|| format!("there is no gNB {id}/{bits} on the list"))?.place = name(place, urdu);
                Ok(())
            })
            .await
        }
        GnbsCommand::Forbid { id, bits } => {
            change_network(shell, client, |network| {
                let before = network.gnbs.len();
                network.gnbs.retain(|gnb| (gnb.id, gnb.bits) != (id, bits));
                ensure!(network.gnbs.len() < before, "there is no gNB {id}/{bits} on the list");
                Ok(())
            })
            .await
        }
    }
}

pub async fn tacs(shell: &Shell, client: &NativeClient, command: TacsCommand) -> anyhow::Result<()> {
    match command {
        TacsCommand::List => {
            let network = client.cellular_network().await?.network;
            let place = |tac: u32| network.areas.iter().find(|area| area.tac == tac).map(|area| &area.place);
            let areas: Vec<(u32, Option<&BilingualName>)> =
                network.tacs.iter().map(|tac| (*tac, place(*tac))).collect();
            let values: Vec<serde_json::Value> =
                areas.iter().map(|(tac, place)| serde_json::json!({ "tac": tac, "place": place })).collect();
            shell.out.show(&values, |_| {
                let row = |(tac, place): &(u32, Option<&BilingualName>)| vec![tac.to_string(), both(*place)];
                output::table(&["TAC", "PLACE"], &areas.iter().map(row).collect::<Vec<_>>())
            });
            Ok(())
        }
        TacsCommand::Add { tac, place } => {
            change_network(shell, client, |network| {
                network.tacs.push(tac);
                call(network, tac, place.name());
                Ok(())
            })
            .await
        }
        TacsCommand::Name { tac, place, urdu } => {
            change_network(shell, client, |network| {
                ensure!(network.tacs.contains(&tac), "there is no such tracking area");
                call(network, tac, name(place, urdu));
                Ok(())
            })
            .await
        }
        TacsCommand::Remove { tac } => {
            change_network(shell, client, |network| {
                let before = network.tacs.len();
                network.tacs.retain(|one| *one != tac);
                ensure!(network.tacs.len() < before, "there is no such tracking area");
                call(network, tac, None);
                Ok(())
            })
            .await
        }
    }
}

impl PlaceArgs {
    fn name(self) -> Option<BilingualName> {
        name(self.place, self.place_ur)
    }
}

fn name(en: Option<String>, ur: Option<String>) -> Option<BilingualName> {
    en.map(|en| BilingualName { en, ur: ur.unwrap_or_default() })
}

/// Puts a gNB on the list, in the place of what was said of it before. A name stays until there is another one.
fn allow(network: &mut CellularNetwork, id: u32, bits: u8, tacs: Vec<u32>, place: Option<BilingualName>) {
    let before = network.gnbs.iter().position(|gnb| (gnb.id, gnb.bits) == (id, bits));
    let before = before.and_then(|at| network.gnbs.remove(at).place);
    network.gnbs.push(CellularGnb { id, bits, tacs, place: place.or(before) });
}

/// Names a tracking area, or takes its name away.
fn call(network: &mut CellularNetwork, tac: u32, place: Option<BilingualName>) {
    network.areas.retain(|area| area.tac != tac);
    network.areas.extend(place.map(|place| CellularArea { tac, place }));
}

/// None: it is not known which are connected, so none is called away.
fn gnb_rows(allowed: &[CellularGnb], connected: Option<&[CellularGnbState]>) -> Vec<Vec<String>> {
    let row = |gnb: &CellularGnb| {
        let is = |one: &&CellularGnbState| (one.id, one.bits) == (Some(gnb.id), Some(gnb.bits));
        let state = match connected.map(|all| all.iter().find(is)) {
            Some(Some(one)) => format!("here as {}, {} phones connected", one.name, one.connected),
            Some(None) => "away".into(),
            None => "not known".into(),
        };
        let tacs: Vec<String> = gnb.tacs.iter().map(u32::to_string).collect();
        vec![format!("{}/{}", gnb.id, gnb.bits), both(gnb.place.as_ref()), tacs.join(","), state]
    };
    allowed.iter().map(row).collect()
}

/// A place in the language of this program.
pub fn place_text(place: Option<&BilingualName>) -> String {
    place.map(|place| place.en.clone()).unwrap_or_default()
}

/// A place in both languages, for whoever gives the names.
fn both(place: Option<&BilingualName>) -> String {
    let Some(place) = place else { return String::new() };
    if place.ur.is_empty() { place.en.clone() } else { format!("{} / {}", place.en, place.ur) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args_cellular::CellularCommand;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: CellularCommand,
    }

    fn block(en: &str) -> Option<BilingualName> {
        Some(BilingualName { en: en.into(), ur: "بلاک".into() })
    }

    #[test]
    fn a_gnb_that_is_allowed_anew_keeps_its_name_until_it_gets_another() {
        let text = r#"{"plmn":"410-99","amf_name":"a","amf_region":1,"amf_set":1,"amf_pointer":0,"full_name":"a","tacs":[1],
            "slices":[],"data_networks":[],"gnbs":[],"integrity":[],"ciphering":[],"authentication":"5g-aka",
            "ue_ambr":{"uplink":1,"downlink":1},
            "timers":{"t3512_seconds":60,"implicit_deregistration_seconds":60}}"#;
        // A document from before places had names.
        let mut network: CellularNetwork = serde_json::from_str(text).unwrap();
        allow(&mut network, 7, 24, vec![1], block("Block C"));
        allow(&mut network, 7, 24, vec![1, 2], None);
        let known = |network: &CellularNetwork| network.gnbs.iter().map(|gnb| gnb.place.clone()).collect::<Vec<_>>();
        assert_eq!((known(&network), network.gnbs[0].tacs.len()), (vec![block("Block C")], 2));
        allow(&mut network, 7, 24, vec![1], block("Block D"));
        assert_eq!(known(&network), [block("Block D")]);
        assert_eq!(gnb_rows(&network.gnbs, Some(&[])), [["7/24", "Block D / بلاک", "1", "away"]]);
        assert_eq!(gnb_rows(&network.gnbs, None)[0][3], "not known", "a node without the core calls none away");

        call(&mut network, 1, block("Islamabad"));
        call(&mut network, 1, block("Rawalpindi"));
        assert_eq!((network.areas.len(), network.areas[0].place.en.as_str()), (1, "Rawalpindi"));
        call(&mut network, 1, None);
        assert!(network.areas.is_empty());
    }

    #[test]
    fn a_change_of_the_network_that_changes_nothing_is_refused() {
        assert!(Line::try_parse_from(["cellular", "network", "set"]).is_err());
        assert!(Line::try_parse_from(["cellular", "network", "set", "--t3512", "3600"]).is_ok());
    }

    #[test]
    fn a_name_in_urdu_alone_is_refused_before_anybody_is_asked() {
        for bad in [
            ["gnbs", "allow", "1", "--tac", "1", "--place-ur", "بلاک"].as_slice(),
            &["tacs", "add", "1", "--place-ur", "بلاک"],
        ] {
            assert!(Line::try_parse_from([&["cellular"], bad].concat()).is_err(), "{bad:?}");
        }
        let named = Line::try_parse_from(["cellular", "gnbs", "name", "1", "Block C", "بلاک سی"]).unwrap();
        let CellularCommand::Gnbs { command: Some(GnbsCommand::Name { id: 1, bits: 24, place, urdu }) } = named.command
        else {
            panic!("it is that command")
        };
        assert_eq!((place.as_deref(), urdu.as_deref()), (Some("Block C"), Some("بلاک سی")));
    }
}
