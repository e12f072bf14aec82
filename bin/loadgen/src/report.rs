//! Figures as a table for people and as one JSON object for programs.

use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::time::Duration;

/// Figures in the order in which they were found.
#[derive(Debug, Default)]
pub struct Report {
    title: String,
    rows: Vec<(String, &'static str, Value, String)>,
    notes: Vec<String>,
}

impl Report {
    /// An empty report.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }
    /// A figure: `key` in JSON, `what` in the table, its value and unit.
    pub fn add(&mut self, key: &'static str, what: &str, value: f64, unit: &str) {
        let value = (value * 1000.0).round() / 1000.0;
        self.rows.push((what.to_owned(), key, Value::from(value), unit.to_owned()));
    }
    /// A fact that is no number.
    pub fn fact(&mut self, key: &'static str, what: &str, value: &str) {
        self.rows.push((what.to_owned(), key, Value::from(value), String::new()));
    }
    /// What a reader must know to read the figures rightly.
    pub fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
    /// For people.
    pub fn table(&self) -> String {
        let shown: Vec<(String, String)> = self.rows.iter().map(|(w, _, v, u)| (w.clone(), shown(v, u))).collect();
        let width = shown.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        let mut out = format!("{}\n{}\n", self.title, "─".repeat(self.title.chars().count()));
        for (what, value) in shown {
            let pad = " ".repeat(width - what.chars().count());
            let _ = writeln!(out, "{what}{pad}  {value}");
        }
        for note in &self.notes {
            let _ = writeln!(out, "* {note}");
        }
        out
    }
    /// For programs.
    pub fn json(&self) -> String {
        let mut all = Map::new();
        all.insert("benchmark".into(), Value::from(self.title.clone()));
        for (_, key, value, unit) in &self.rows {
            let key = if unit.is_empty() { (*key).to_owned() } else { format!("{key} ({unit})") };
            all.insert(key, value.clone());
        }
        all.insert("notes".into(), self.notes.clone().into());
        Value::Object(all).to_string()
    }
}

fn shown(value: &Value, unit: &str) -> String {
    let text = match value.as_f64() {
        None => value.as_str().unwrap_or_default().to_owned(),
        Some(n) if n >= 100.0 => thousands(n.round() as u64),
        Some(n) => format!("{n}"),
    };
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Durations, for percentiles.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// One more.
    pub fn push(&mut self, one: Duration) {
        self.0.push(one);
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// The value that `share` (0 to 1) of all do not exceed, by nearest rank, in milliseconds.
    pub fn quantile_ms(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let rank = (share * self.0.len() as f64).ceil() as usize;
        let at = self.0.get(rank.max(1) - 1).or(self.0.last());
        at.map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let mut all = Latencies::default();
        for ms in (1..=100).rev() {
            all.push(Duration::from_millis(ms));
        }
        assert_eq!((all.quantile_ms(0.5), all.quantile_ms(0.99), all.quantile_ms(1.0)), (50.0, 99.0, 100.0));
        assert!(Latencies::default().quantile_ms(0.5).is_nan());
    }

    #[test]
    fn table_and_json_say_the_same() {
        let mut report = Report::new("t");
        report.add("rate", "Rate", 12_345.6, "/s");
        report.fact("profile", "Build", "release");
        assert!(report.table().contains("Rate   12,346 /s"), "{}", report.table());
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["rate (/s)"], 12345.6);
        assert_eq!(json["profile"], "release");
    }
}
