//! Counters as a file in Prometheus' text format, for the node exporter's text collector or the server beside us. A socket
//! that listens would be one more way in.

use crate::canary::desk::Rounds;
use crate::forwarding::Lost;
use pakawaaz_user_plane::Counters;
use std::fmt::Write as _;
use std::path::Path;

/// The whole text. Without a canary there are no figures of it: none is not the same as zero.
pub fn text(counters: &Counters, lost: Lost, connected: bool, canary: Option<Rounds>) -> String {
    let mut out = String::new();
    let mut last = "";
    let extra = [
        ("lost_to_gnbs_total", None, lost.n3),
        ("lost_to_tun_total", None, lost.tun),
        ("control_plane_connected", None, u64::from(connected)),
    ];
    let canary = canary.map(|rounds| {
        [("canary_rounds_total", None, rounds.total), ("canary_isolation_broken", None, u64::from(rounds.broken))]
    });
    for (name, reason, value) in counters.values().chain(extra).chain(canary.into_iter().flatten()) {
        if name != last {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            let _ = writeln!(out, "# TYPE pakawaaz_upf_{name} {kind}");
            last = name;
        }
        let label = reason.map(|reason| format!("{{reason=\"{reason}\"}}")).unwrap_or_default();
        let _ = writeln!(out, "pakawaaz_upf_{name}{label} {value}");
    }
    out
}

/// Replaces the file at once, so that nobody reads half of it.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_type_and_a_line() {
        let text = text(&Counters::default(), Lost { n3: 3, tun: 0 }, true, Some(Rounds { total: 2, broken: true }));
        assert!(text.contains("# TYPE pakawaaz_upf_sessions gauge\npakawaaz_upf_sessions 0\n"));
        assert!(text.contains("pakawaaz_upf_refused_packets_total{reason=\"not_allowed\"} 0\n"));
        assert!(
            text.contains(
                "# TYPE pakawaaz_upf_canary_isolation_broken gauge\npakawaaz_upf_canary_isolation_broken 1\n"
            )
        );
        assert!(text.contains("pakawaaz_upf_lost_to_gnbs_total 3\n"));
        assert_eq!(text.matches("# TYPE pakawaaz_upf_refused_packets_total counter").count(), 1);
    }
}
