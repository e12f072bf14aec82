//! What a search over stored messages found.

use crate::views::LineView;
use pakawaaz_base::GroupId;
use serde::{Deserialize, Serialize};

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// Its conversation.
    pub group: GroupId,
    /// The message.
    pub line: LineView,
}

/// A slice of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPage {
    /// Newest first.
    pub hits: Vec<SearchHit>,
    /// Goes on with the next slice; none when everything has been looked at.
    pub next: Option<String>,
    /// Lines looked at in this slice.
    pub scanned: u32,
}
