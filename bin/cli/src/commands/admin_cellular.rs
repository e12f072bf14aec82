//! The cellular network. A change reads the document, changes it and writes it back; who was slower is told.

use super::admin_cellular_radio::{self, place_text};
use super::people::time;
use crate::args_cellular::{
    CellularCommand, DnnsCommand, GnbsCommand, NetworkChange, NetworkCommand, SliceArgs, SlicesCommand,
    SubscribersCommand, TacsCommand,
};
use crate::context::Shell;
use crate::output;
use anyhow::{Context as _, bail, ensure};
use pakawaaz_client_native::NativeClient;
use pakawaaz_contract::cellular::{
    CellularAllowList, CellularCore, CellularDataNetwork, CellularDetachRequest, CellularNetwork,
    CellularOverloadRequest, CellularProfile, CellularQuery, CellularRates, CellularSlice, CellularSubscribedNetwork,
    CellularSubscriber, CellularUe, SetCellularNetworkRequest,
};

/// Rows fetched at once.
const PAGE: u32 = 1000;

pub async fn run(shell: &Shell, client: &NativeClient, command: CellularCommand) -> anyhow::Result<()> {
    match command {
        CellularCommand::Network { command: NetworkCommand::Show } => show_network(shell, client).await,
        CellularCommand::Network { command: NetworkCommand::Set(change) } => {
            change_network(shell, client, |network| apply(network, *change)).await
        }
        CellularCommand::Gnbs { command } => {
            admin_cellular_radio::gnbs(shell, client, command.unwrap_or(GnbsCommand::List)).await
        }
        CellularCommand::Dnns { command } => dnns(shell, client, command.unwrap_or(DnnsCommand::List)).await,
        CellularCommand::Slices { command } => slices(shell, client, command.unwrap_or(SlicesCommand::List)).await,
        CellularCommand::Tacs { command } => {
            admin_cellular_radio::tacs(shell, client, command.unwrap_or(TacsCommand::List)).await
        }
        CellularCommand::Subscribers { command } => {
            subscribers(shell, client, command.unwrap_or(SubscribersCommand::List)).await
        }
        CellularCommand::Ues { imsi } => {
            let ues = all_ues(client, imsi).await?;
            shell.out.show(&ues, |ues| {
                let row = |ue: &CellularUe| {
                    let cell = ue.cell.clone().unwrap_or_default();
                    let pei = ue.pei.clone().unwrap_or_default();
                    let sessions = ue.sessions.len().to_string();
                    let place = place_text(ue.place.as_ref());
                    vec![ue.imsi.clone(), pei, cell, place, ue.state.clone(), time(ue.since), time(ue.seen), sessions]
                };
                let header = ["IMSI", "EQUIPMENT", "CELL", "PLACE", "STATE", "SINCE", "HEARD", "SESSIONS"];
                output::table(&header, &ues.iter().map(row).collect::<Vec<_>>())
            });
            Ok(())
        }
        CellularCommand::Sessions { imsi } => {
            sessions(shell, client, imsi, &["IMSI", "DNN", "IPV4", "IPV6", "CARRIED", "SINCE"], |_, session| {
                let carried = if session.carried { "yes" } else { "no" };
                vec![
                    session.dnn.clone(),
                    session.ipv4.clone().unwrap_or_default(),
                    session.ipv6.clone().unwrap_or_default(),
                    carried.into(),
                    time(session.since),
                ]
            })
            .await
        }
        CellularCommand::Traffic { imsi } => {
            let header = ["IMSI", "DNN", "UP PACKETS", "UP BYTES", "DOWN PACKETS", "DOWN BYTES", "REFUSED", "POLICED"];
            sessions(shell, client, imsi, &header, |_, session| {
                let traffic = session.traffic;
                let numbers = [
                    traffic.uplink_packets,
                    traffic.uplink_bytes,
                    traffic.downlink_packets,
                    traffic.downlink_bytes,
                    traffic.refused_packets,
                    traffic.policed_packets,
                ];
                std::iter::once(session.dnn.clone()).chain(numbers.iter().map(u64::to_string)).collect()
            })
            .await
        }
        CellularCommand::Detach { imsi, come_back } => {
            client.cellular_detach(&CellularDetachRequest { imsi, come_back }).await?;
            shell.out.done("detached", "The phone leaves the network.");
            Ok(())
        }
        CellularCommand::Overload { percent } => {
            client.cellular_overload(&CellularOverloadRequest { percent }).await?;
            let text = match percent {
                0 => "gNBs take what phones ask for again.".to_owned(),
                some => format!("gNBs turn away {some} % of what phones ask for. `overload 0` ends it."),
            };
            shell.out.show(&serde_json::json!({ "overload": percent }), |_| vec![text]);
            Ok(())
        }
        CellularCommand::Trace { imsi, what } => super::admin_cellular_trace::run(shell, client, imsi, what).await,
        CellularCommand::Alarms { clear: Some(alarm), .. } => {
            client.clear_cellular_alarm(&alarm).await?;
            shell.out.done("cleared", "Cleared. It is raised anew should it go on.");
            Ok(())
        }
        CellularCommand::Alarms { clear: None, all } => {
            let mut list = client.cellular_alarms().await?;
            list.alarms.retain(|alarm| all || alarm.alarm_cleared_time.is_none());
            shell.out.show(&list, |list| {
                let rows: Vec<Vec<String>> = list
                    .alarms
                    .iter()
                    .map(|alarm| {
                        let (id, severity) = (alarm.alarm_id.clone(), alarm.perceived_severity.clone());
                        let (object, what) = (alarm.object_instance.clone(), alarm.specific_problem.clone());
                        vec![id, severity, time(alarm.alarm_raised_time), alarm.count.to_string(), object, what]
                    })
                    .collect();
                output::table(&["ALARM", "SEVERITY", "SINCE", "SEEN", "OBJECT", "PROBLEM"], &rows)
            });
            Ok(())
        }
    }
}

async fn show_network(shell: &Shell, client: &NativeClient) -> anyhow::Result<()> {
    let state = client.cellular_network().await?;
    shell.out.show(&state, |state| {
        let network = &state.network;
        let area = |tac: &u32| match network.areas.iter().find(|area| area.tac == *tac) {
            Some(named) => format!("{tac} ({})", named.place.en),
            None => tac.to_string(),
        };
        vec![
            format!("PLMN {}, {} ({}), version {}", network.plmn, network.full_name, network.amf_name, state.version),
            match state.core {
                CellularCore::Active => "this node runs the core".to_owned(),
                CellularCore::Standby => "standby: another node runs the core".to_owned(),
                CellularCore::Off => "this node runs no core".to_owned(),
            },
            format!("AMF region {}, set {}, pointer {}", network.amf_region, network.amf_set, network.amf_pointer),
            format!("tracking areas: {}", network.tacs.iter().map(area).collect::<Vec<_>>().join(", ")),
            format!("slices: {}", network.slices.iter().map(slice_text).collect::<Vec<_>>().join(", ")),
            format!("data networks: {}", network.data_networks.iter().map(|d| &*d.name).collect::<Vec<_>>().join(", ")),
            format!("gNBs that may connect: {}", network.gnbs.len()),
            format!("integrity {}, ciphering {}", network.integrity.join(" > "), network.ciphering.join(" > ")),
            format!("authentication: {}", network.authentication),
            format!(
                "T3512 {} s, implicit deregistration after {} s more",
                network.timers.t3512_seconds, network.timers.implicit_deregistration_seconds
            ),
        ]
    });
    Ok(())
}

fn apply(network: &mut CellularNetwork, change: NetworkChange) -> anyhow::Result<()> {
    if let Some(file) = &change.file {
        let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let value: serde_json::Value = serde_json::from_slice(&text).context("the file is no JSON")?;
        // Both what `show` prints and the document alone.
        let document = value.get("network").cloned().unwrap_or(value);
        *network = serde_json::from_value(document).context("the file is not a network")?;
    }
    let set = |field: &mut String, value: Option<String>| value.into_iter().for_each(|value| *field = value);
    set(&mut network.plmn, change.plmn);
    set(&mut network.amf_name, change.amf_name);
    set(&mut network.full_name, change.full_name);
    set(&mut network.authentication, change.authentication);
    network.amf_region = change.amf_region.unwrap_or(network.amf_region);
    network.amf_set = change.amf_set.unwrap_or(network.amf_set);
    network.amf_pointer = change.amf_pointer.unwrap_or(network.amf_pointer);
    if !change.integrity.is_empty() {
        network.integrity = change.integrity;
    }
    if !change.ciphering.is_empty() {
        network.ciphering = change.ciphering;
    }
    if let Some(seconds) = change.t3512 {
        network.timers.t3512_seconds = seconds;
    }
    if let Some(seconds) = change.implicit_deregistration {
        network.timers.implicit_deregistration_seconds = seconds;
    }
    Ok(())
}

pub(super) async fn change_network(
    shell: &Shell,
    client: &NativeClient,
    change: impl FnOnce(&mut CellularNetwork) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let state = client.cellular_network().await?;
    let (version, mut network) = (state.version, state.network);
    change(&mut network)?;
    let state = client.set_cellular_network(&SetCellularNetworkRequest { version, network }).await?;
    shell.out.show(&state, |state| vec![format!("In force: version {}.", state.version)]);
    Ok(())
}

async fn dnns(shell: &Shell, client: &NativeClient, command: DnnsCommand) -> anyhow::Result<()> {
    match command {
        DnnsCommand::List => {
            let networks = client.cellular_network().await?.network.data_networks;
            shell.out.show(&networks, |networks| {
                let row = |one: &CellularDataNetwork| {
                    vec![
                        one.name.clone(),
                        slice_text(&one.slice),
                        one.ipv4_pool.clone().unwrap_or_default(),
                        one.ipv6_pool.clone().unwrap_or_default(),
                        one.five_qi.to_string(),
                        one.mtu.to_string(),
                        (one.ambr.downlink / 1_000_000).to_string(),
                        one.dns.join(","),
                        if one.always_on { "yes" } else { "no" }.into(),
                    ]
                };
                output::table(
                    &["DNN", "SLICE", "IPV4", "IPV6", "5QI", "MTU", "MBIT/S", "NAME SERVERS", "ALWAYS ON"],
                    &networks.iter().map(row).collect::<Vec<_>>(),
                )
            });
            Ok(())
        }
        DnnsCommand::Allowed { name } => allowed(shell, client, name).await,
        DnnsCommand::Add { name, ipv4, ipv6, slice, dns, mtu, five_qi, mbits, always_on } => {
            let one = CellularDataNetwork {
                name,
                slice: to_slice(slice),
                ipv4_pool: ipv4,
                ipv6_pool: ipv6,
                dns,
                mtu,
                five_qi,
                ambr: rates(mbits),
                always_on,
            };
            change_network(shell, client, |network| {
                network.data_networks.push(one);
                Ok(())
            })
            .await
        }
        DnnsCommand::Remove { name } => {
            change_network(shell, client, |network| {
                let before = network.data_networks.len();
                network.data_networks.retain(|one| one.name != name);
                ensure!(network.data_networks.len() < before, "there is no data network of this name");
                Ok(())
            })
            .await
        }
    }
}

/// Entries of the allow-lists in force, with the name servers, which need none.
async fn allowed(shell: &Shell, client: &NativeClient, only: Option<String>) -> anyhow::Result<()> {
    let mut found = client.cellular_allow_lists().await?;
    ensure!(
        found.user_plane,
        "the user plane is not connected, so nobody knows what it would allow; phones get no sessions"
    );
    if let Some(only) = only {
        // DNNs are compared like domain names.
        found.lists.retain(|one| one.dnn.eq_ignore_ascii_case(&only));
        ensure!(
            !found.lists.is_empty(),
            "the user plane has no allow-list for this data network: its phones get no sessions"
        );
    }
    shell.out.show(&found.lists, |lists| {
        let rows = |one: &CellularAllowList| {
            let first = vec![one.dnn.clone(), one.serial.to_string()];
            let row = |about: &str, networks: &[String], protocol: &str, ports: &[String]| {
                let rest = [about.to_owned(), networks.join(","), protocol.to_owned(), ports.join(",")];
                [first.clone(), rest.to_vec()].concat()
            };
            let mut rows: Vec<_> = one
                .allow
                .iter()
                .map(|entry| row(&entry.about, &entry.networks, &entry.protocol, &entry.ports))
                .collect();
            if !one.resolvers.is_empty() {
                rows.push(row("name servers", &one.resolvers, "udp,tcp", &["53".to_owned()]));
            }
            if rows.is_empty() {
                rows.push(row("nothing at all", &[], "", &[]));
            }
            rows
        };
        let header = ["DNN", "LIST", "WHAT", "WHERE", "PROTOCOL", "PORTS"];
        output::table(&header, &lists.iter().flat_map(rows).collect::<Vec<_>>())
    });
    Ok(())
}

async fn slices(shell: &Shell, client: &NativeClient, command: SlicesCommand) -> anyhow::Result<()> {
    match command {
        SlicesCommand::List => {
            let slices = client.cellular_network().await?.network.slices;
            shell.out.show(&slices, |slices| slices.iter().map(slice_text).collect());
            Ok(())
        }
        SlicesCommand::Add(slice) => {
            change_network(shell, client, |network| {
                network.slices.push(to_slice(slice));
                Ok(())
            })
            .await
        }
        SlicesCommand::Remove(slice) => {
            let slice = to_slice(slice);
            change_network(shell, client, |network| {
                let before = network.slices.len();
                network.slices.retain(|one| *one != slice);
                ensure!(network.slices.len() < before, "there is no such slice");
                Ok(())
            })
            .await
        }
    }
}

async fn subscribers(shell: &Shell, client: &NativeClient, command: SubscribersCommand) -> anyhow::Result<()> {
    match command {
        SubscribersCommand::List => {
            let mut all: Vec<CellularSubscriber> = Vec::new();
            loop {
                let after = all.last().map(|one| one.imsi.clone());
                let query = CellularQuery { imsi: None, after, limit: Some(PAGE) };
                let page = client.cellular_subscribers(&query).await?;
                all.extend(page.subscribers);
                if !page.more {
                    break;
                }
            }
            shell.out.show(&all, |all| output::table(&SUBSCRIBER, &all.iter().map(subscriber).collect::<Vec<_>>()));
            Ok(())
        }
        SubscribersCommand::Show { imsi } => {
            let profile = profile(client, &imsi).await?;
            shell.out.show(&CellularSubscriber { imsi, profile }, |one| output::table(&SUBSCRIBER, &[subscriber(one)]));
            Ok(())
        }
        SubscribersCommand::Set { imsi, dnns, ipv4, ipv6, mbits } => {
            change_profile(shell, client, imsi, |profile| {
                set(profile, dnns, ipv4, ipv6, mbits);
                Ok(())
            })
            .await
        }
        SubscribersCommand::Block { imsi } => {
            change_profile(shell, client, imsi, |profile| {
                profile.blocked = true;
                Ok(())
            })
            .await
        }
        SubscribersCommand::Unblock { imsi } => {
            change_profile(shell, client, imsi, |profile| {
                profile.blocked = false;
                Ok(())
            })
            .await
        }
        SubscribersCommand::BindImei { imsi, imei } => {
            change_profile(shell, client, imsi, |profile| {
                profile.equipment = imei.iter().map(|text| equipment(text)).collect::<anyhow::Result<_>>()?;
                Ok(())
            })
            .await
        }
    }
}

const SUBSCRIBER: [&str; 5] = ["IMSI", "BLOCKED", "DATA NETWORKS", "MBIT/S", "EQUIPMENT"];

fn subscriber(one: &CellularSubscriber) -> Vec<String> {
    let networks = match &one.profile.data_networks {
        None => "all".into(),
        Some(named) => named.iter().map(network_text).collect::<Vec<_>>().join(","),
    };
    let equipment = if one.profile.equipment.is_empty() { "any".into() } else { one.profile.equipment.join(",") };
    let rates = one.profile.ue_ambr.map_or("as all".into(), |rates| (rates.downlink / 1_000_000).to_string());
    vec![one.imsi.clone(), if one.profile.blocked { "yes" } else { "no" }.into(), networks, rates, equipment]
}

/// What a card may do; what was said of a data network that is named again stays.
fn set(
    profile: &mut CellularProfile,
    dnns: Vec<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    mbits: Option<u64>,
) {
    let before = profile.data_networks.take().unwrap_or_default();
    let named = |name: String| {
        let known = before.iter().find(|one| one.name == name).cloned();
        known.unwrap_or(CellularSubscribedNetwork { name, ipv4: None, ipv6: None, ambr: None })
    };
    let mut networks: Vec<_> = dnns.into_iter().map(named).collect();
    if let Some(first) = networks.first_mut() {
        first.ipv4 = ipv4.or_else(|| first.ipv4.take());
        first.ipv6 = ipv6.or_else(|| first.ipv6.take());
    }
    profile.data_networks = (!networks.is_empty()).then_some(networks);
    profile.ue_ambr = mbits.map(rates);
}

/// A data network of a card, and its addresses there that never change.
fn network_text(one: &CellularSubscribedNetwork) -> String {
    let fixed: Vec<&str> = [&one.ipv4, &one.ipv6].into_iter().flatten().map(String::as_str).collect();
    if fixed.is_empty() { one.name.clone() } else { format!("{} ({})", one.name, fixed.join(" ")) }
}

/// The first 14 digits, which IMEI and IMEISV share.
fn equipment(text: &str) -> anyhow::Result<String> {
    if !(14..=16).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        bail!("an IMEI has 14 to 16 digits");
    }
    Ok(text.chars().take(14).collect())
}

async fn profile(client: &NativeClient, imsi: &str) -> anyhow::Result<CellularProfile> {
    let query = CellularQuery { imsi: Some(imsi.to_owned()), ..CellularQuery::default() };
    let found = client.cellular_subscribers(&query).await?.subscribers.into_iter().next();
    Ok(found.map(|one| one.profile).unwrap_or_default())
}

async fn change_profile(
    shell: &Shell,
    client: &NativeClient,
    imsi: String,
    change: impl FnOnce(&mut CellularProfile) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut profile = profile(client, &imsi).await?;
    change(&mut profile)?;
    let subscriber = CellularSubscriber { imsi, profile };
    client.set_cellular_subscriber(&subscriber).await?;
    shell.out.show(&subscriber, |one| output::table(&SUBSCRIBER, &[self::subscriber(one)]));
    Ok(())
}

async fn all_ues(client: &NativeClient, imsi: Option<String>) -> anyhow::Result<Vec<CellularUe>> {
    let mut all: Vec<CellularUe> = Vec::new();
    loop {
        let after = all.last().map(|ue| ue.imsi.clone());
        let query = CellularQuery { imsi: imsi.clone(), after, limit: Some(PAGE) };
        let page = client.cellular_ues(&query).await?;
        all.extend(page.ues);
        if !page.more {
            return Ok(all);
        }
    }
}

async fn sessions(
    shell: &Shell,
    client: &NativeClient,
    imsi: Option<String>,
    header: &[&str],
    row: impl Fn(&CellularUe, &pakawaaz_contract::cellular::CellularSession) -> Vec<String>,
) -> anyhow::Result<()> {
    let ues = all_ues(client, imsi).await?;
    let with_card = |ue: &CellularUe, session: &pakawaaz_contract::cellular::CellularSession| {
        let mut value = serde_json::to_value(session).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("imsi".into(), ue.imsi.clone().into());
        }
        value
    };
    let values: Vec<serde_json::Value> =
        ues.iter().flat_map(|ue| ue.sessions.iter().map(move |session| with_card(ue, session))).collect();
    shell.out.show(&values, |_| {
        let rows: Vec<Vec<String>> = ues
            .iter()
            .flat_map(|ue| ue.sessions.iter().map(move |session| (ue, session)))
            .map(|(ue, session)| std::iter::once(ue.imsi.clone()).chain(row(ue, session)).collect())
            .collect();
        output::table(header, &rows)
    });
    Ok(())
}

fn to_slice(slice: SliceArgs) -> CellularSlice {
    CellularSlice { sst: slice.sst, sd: slice.sd.map(|sd| sd.to_lowercase()) }
}

fn slice_text(slice: &CellularSlice) -> String {
    slice.sd.as_ref().map_or_else(|| slice.sst.to_string(), |sd| format!("{}-{sd}", slice.sst))
}

fn rates(mbits: u64) -> CellularRates {
    let rate = mbits.saturating_mul(1_000_000);
    CellularRates { uplink: rate, downlink: rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_keeps_its_fixed_address_when_its_rates_change() {
        let mut profile = CellularProfile::default();
        let dnns = || vec!["gov".to_owned(), "other".to_owned()];
        set(&mut profile, dnns(), Some("10.45.9.9".into()), None, None);
        set(&mut profile, dnns(), None, Some("fd00:45:0:9::".into()), Some(20));
        let one = CellularSubscriber { imsi: "410990000000001".into(), profile: profile.clone() };
        assert_eq!(subscriber(&one)[2], "gov (10.45.9.9 fd00:45:0:9::),other");
        assert_eq!(profile.ue_ambr, Some(rates(20)));
        set(&mut profile, Vec::new(), None, None, None);
        assert_eq!((profile.data_networks, profile.ue_ambr), (None, None), "everything, as every card");
    }
}
