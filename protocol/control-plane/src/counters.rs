//! Measurements, kept as plain numbers; the edge turns them into metrics.
//!
//! A name is that of TS 28.552 where the specification measures the same thing, without the subcounter of slice or cause.
//! Everything else begins with `control_plane.`, so that nobody takes a count of ours for one that the specification defines.
//!
//! | name | what is counted | TS 28.552 |
//! |---|---|---|
//! | `RM.RegInitReq`, `RM.RegMobReq`, `RM.RegPeriodReq` | registration requests received, by type | §5.2.2 |
//! | `RM.RegInitSucc`, `RM.RegMobSucc`, `RM.RegPeriodSucc` | registrations accepted | §5.2.2 |
//! | `RM.RegInitFail`, `RM.RegMobFail`, `RM.RegPeriodFail` | registrations rejected or given up | §5.2.2 |
//! | `AMF.AuthReq` | authentication requests sent, without repetitions by T3560 | §5.2 |
//! | `AMF.AuthFail` | authentication failure messages received | §5.2 |
//! | `AMF.AuthReject` | authentication rejects sent | §5.2 |
//! | `MM.Paging5GReq`, `MM.Paging5GSucc` | paging procedures begun, and those that were answered | §5.2 |
//! | `MM.ConfUpdate`, `MM.ConfUpdateSucc` | configuration update commands sent, and completions received | §5.2 |
//! | `SM.PduSessionCreationReq`, `…Succ`, `…Fail` | PDU sessions asked for, created, refused | §5.3.1.3 to §5.3.1.5 |
//! | `RM.RegisteredSubNbrMean`, `SM.SessionNbrMean` | levels now, samples of the mean | §5.2.1.1, §5.3.1.1 |

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
