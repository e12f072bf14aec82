//! Shapes that only the screens know.

use pakawaaz_base::OfficialId;
use pakawaaz_contract::directory::BilingualName;

/// What stands for the name of somebody whose name was never heard.
pub fn unnamed(official: OfficialId) -> BilingualName {
    let id = official.to_string();
    BilingualName { en: id.clone(), ur: id }
}
