//! Measurements by the names of TS 28.552, kept as plain numbers; the edge turns them into metrics.

/// Counts since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(std::collections::BTreeMap<&'static str, u64>);

impl Counters {
    /// One more.
    pub fn add(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }
    /// Value of one.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
    /// All that were ever counted.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().map(|(name, count)| (*name, *count))
    }
}
