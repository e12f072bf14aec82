//! The canary end to end: isolation that is broken on purpose behind a running server is an alarm at the administrator's.

use crate::cellular_support::{Site, say};
use pakawaaz_ransim::world::GnbId;
use pakawaaz_upf::lab::{CANARY, SERVICE};
use std::time::Duration;

const GNB: GnbId = GnbId(0);
/// Longer than everything here takes, so that a failure ends.
const GIVE_UP: Duration = Duration::from_secs(60);

/// What an administrator sees of the isolation; none when all is well.
fn alarm(site: &Site) -> Option<String> {
    let all = site.world.first.ok(&["admin", "cellular", "alarms"]);
    let ours = all["alarms"].as_array().unwrap().iter().find(|alarm| {
        alarm["probableCause"] == "Breach of confidentiality" && alarm["perceivedSeverity"] != "CLEARED"
    })?;
    assert_eq!((&ours["perceivedSeverity"], &ours["objectInstance"]), (&"CRITICAL".into(), &"UPFFunction=1".into()));
    Some(ours["specificProblem"].as_str().unwrap().to_owned())
}

/// Rounds that have found something out.
fn rounds(site: &Site) -> u64 {
    let figures = site.figures_of_user_plane();
    let line = figures.lines().find_map(|line| line.strip_prefix("pakawaaz_upf_canary_rounds_total "));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn one_more_round(site: &Site) {
    // The next one may have begun before what was done just now.
    let wanted = rounds(site) + 2;
    until("no round", || rounds(site) >= wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolation_that_is_broken_is_an_alarm_until_it_holds_again() {
    let Some(mut site) = Site::with_user_plane(CANARY).await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let phone = site.phone(&ayesha, GNB).await;
    site.reached_the_internet();
    one_more_round(&site).await;
    assert_eq!((alarm(&site), site.reached_the_internet()), (None, 0));

    // Somebody takes the kernel's rules away and adds a way out. The user plane itself still refuses everything.
    let rules = site.inside_user_plane("nft", "list ruleset");
    site.inside_user_plane("nft", "flush ruleset");
    site.inside_user_plane("ip", &format!("route add default via {SERVICE}"));
    until("no alarm", || alarm(&site).is_some()).await;
    one_more_round(&site).await;
    let problem = alarm(&site).expect("an alarm that stays");
    say(&problem);
    assert!(problem.contains("the kernel let through what it must not"), "{problem}");
    assert!(site.reached_the_internet() > 0, "they have really left");

    site.inside_user_plane("ip", "route del default");
    site.rules_of_user_plane(&rules);
    until("the alarm stays", || alarm(&site).is_none()).await;
    site.reached_the_internet();
    one_more_round(&site).await;
    assert_eq!((alarm(&site), site.reached_the_internet()), (None, 0));
    assert!(site.pings(phone, 1).await, "phones have noticed nothing");
}

/// The core hears where the canary is, and gives nobody its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_canarys_address_is_given_to_no_phone() {
    let Some(mut site) = Site::with_user_plane(CANARY).await else { return };
    // Once there is a session, the user plane has said everything that it says to a core that connects.
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    site.phone(&ayesha, GNB).await;
    let change = ["admin", "cellular", "dnns", "add", "second", "--ipv4"];
    site.world.first.fails(&[&change[..], &["10.44.0.0/24"]].concat(), "cellular.canary_in_pool");
    site.world.first.ok(&[&change[..], &["10.43.0.0/24"]].concat());
}
