//! Entry points of the fuzz workspace.

use crate::model::search;

/// Folds, escapes and pages with arbitrary text.
pub fn search_query(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let folded = search::fold(text);
        assert_eq!(search::fold(&folded), folded);
        let _ = search::patterns(text);
        let _ = search::Cursor::decode(text);
    }
}
