//! When enough members have rejected a commit.

use pakawaaz_base::OfficialId;
use pakawaaz_conversation::Roster;
use std::collections::BTreeSet;

/// Whether a majority of the *other* members' officials reject a commit of `committer`.
///
/// Officials, not devices: somebody with many devices has one voice. A group of one official never quarantines.
pub fn reached(roster: &Roster, committer: OfficialId, rejecting: &BTreeSet<OfficialId>) -> bool {
    let others: BTreeSet<_> = roster.iter().map(|leaf| leaf.official).filter(|o| *o != committer).collect();
    let against = rejecting.intersection(&others).count();
    against * 2 > others.len()
}
