//! Entry points of the fuzz workspace.

use crate::model::{refresh, sim_csv};
use pakawaaz_aka::{TuakIterations, TuakResLength, TuakSettings};

/// Any bytes as a SIM batch: good rows come from good lines, and cards are never repeated.
pub fn sim_csv(data: &[u8]) {
    let tuak = TuakSettings { iterations: TuakIterations::One, res: TuakResLength::Bits64 };
    if let Ok(rows) = sim_csv::parse(data, tuak) {
        let mut iccids: Vec<_> = rows.iter().map(|r| r.iccid.as_str()).collect();
        iccids.sort_unstable();
        iccids.dedup();
        assert_eq!(iccids.len(), rows.len());
        assert!(rows.iter().all(|r| r.line > 1));
    }
}

/// Any bytes as a refresh token.
pub fn refresh_token(data: &[u8]) {
    if let Some(token) = refresh::split(data) {
        assert_eq!(refresh::join(&token), data);
    }
}
