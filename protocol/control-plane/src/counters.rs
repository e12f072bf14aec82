//! Measurements, kept as plain numbers; the edge turns them into metrics.
//!
//! A name is that of TS 28.552 where the specification measures the same thing, without the subcounter of slice or cause:
//! registrations (§5.2.2: `RM.RegInitReq`, `RM.RegInitSucc`, `RM.RegInitFail`, and the same with `Mob` and `Period`),
//! paging (`MM.Paging5GReq`, `MM.Paging5GSucc`), UE configuration update (`MM.ConfUpdate`, `MM.ConfUpdateSucc`),
//! authentication (`AMF.AuthReq`, `AMF.AuthFail`, `AMF.AuthReject`), and creation of PDU sessions (§5.3.1:
//! `SM.PduSessionCreationReq`, `SM.PduSessionCreationSucc`, `SM.PduSessionCreationFail`). Everything else begins with
//! `control_plane.`, so that nobody takes a count of ours for one that the specification defines.

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
