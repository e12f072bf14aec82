//! Names of measurements: those of TS 28.552, and ours, which say so.

use std::collections::BTreeSet;
use std::path::Path;

/// Names of TS 28.552 that we use (§5.2, §5.3.1).
const SPECIFIED: [&str; 21] = [
    "AMF.AuthFail",
    "AMF.AuthReject",
    "AMF.AuthReq",
    "MM.ConfUpdate",
    "MM.ConfUpdateSucc",
    "MM.Paging5GReq",
    "MM.Paging5GSucc",
    "RM.RegInitFail",
    "RM.RegInitReq",
    "RM.RegInitSucc",
    "RM.RegMobFail",
    "RM.RegMobReq",
    "RM.RegMobSucc",
    "RM.RegPeriodFail",
    "RM.RegPeriodReq",
    "RM.RegPeriodSucc",
    "RM.RegisteredSubNbrMean",
    "SM.PduSessionCreationFail",
    "SM.PduSessionCreationReq",
    "SM.PduSessionCreationSucc",
    "SM.SessionNbrMean",
];

fn sources(directory: &Path, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false => all.push(std::fs::read_to_string(path).unwrap()),
        }
    }
}

/// Looks through the source, so that a name that no test has counted is seen too.
#[test]
fn a_name_is_the_specifications_or_says_that_it_is_ours() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut used = BTreeSet::new();
    for source in &all {
        let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        for text in lines.flat_map(|line| line.split('"').skip(1).step_by(2)) {
            let (family, rest) = text.split_once('.').unwrap_or_default();
            if family.len() >= 2 && family.chars().all(|c| c.is_ascii_uppercase()) && !rest.contains(' ') {
                used.insert(text);
            }
        }
        for name in source.split("count(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(name.starts_with("control_plane.") || SPECIFIED.contains(&name), "{name}");
        }
    }
    assert_eq!(used.into_iter().collect::<Vec<_>>(), SPECIFIED);
}
