//! Figures for Prometheus, by the names of TS 28.552 where it has one: `RM.RegInitReq` is
//! `pakawaaz_cellular_RM_RegInitReq`.

use crate::model::alarms::Alarms;
use pakawaaz_control_plane::ControlPlane;

/// Reports everything as it is now.
pub(super) fn write(plane: &ControlPlane, alarms: &Alarms, healthy: bool) {
    for (name, count) in plane.counters().iter() {
        metrics::counter!(metric(name)).absolute(count);
    }
    for (name, value) in plane.gauges() {
        metrics::gauge!(metric(name)).set(value as f64);
    }
    metrics::gauge!("pakawaaz_cellular_gnbs").set(plane.gnbs().filter(|gnb| gnb.ready).count() as f64);
    metrics::gauge!("pakawaaz_cellular_alarms").set(alarms.len() as f64);
    for (severity, count) in alarms.by_severity() {
        metrics::gauge!("pakawaaz_cellular_alarms_by_severity", "severity" => severity).set(count as f64);
    }
    metrics::gauge!("pakawaaz_cellular_overload_percent").set(f64::from(plane.overload()));
    metrics::counter!("pakawaaz_cellular_alarms_dropped_total").absolute(alarms.dropped);
    metrics::gauge!("pakawaaz_cellular_storage_up").set(if healthy { 1.0 } else { 0.0 });
}

/// A measurement's name as a metric's: what Prometheus does not allow becomes an underscore.
fn metric(name: &str) -> String {
    let rest: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("pakawaaz_cellular_{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_keep_their_names() {
        assert_eq!(metric("RM.RegInitReq"), "pakawaaz_cellular_RM_RegInitReq");
        assert_eq!(metric("control_plane.foreign_gnb"), "pakawaaz_cellular_control_plane_foreign_gnb");
    }
}
