//! Search over the messages on this device. Nothing is indexed and nothing leaves the device: lines are opened slice
//! by slice, newest first, so that a screen shows what was found so far and can stop.

use crate::read::Names;
use crate::records::{GroupRecord, Line, LineRecord, OutItem};
use crate::scene::Scene;
use crate::store::Range;
use crate::views::{SearchHit, SearchPage};
use crate::{Client, ClientError, Platform, Store, Transport, db, keys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_base::{GroupId, Millis};
use std::collections::{BTreeMap, BinaryHeap};

/// Lines that one call looks at, about.
const SLICE: usize = 2000;
/// Lines of one conversation that are opened at once. The order of what is found across conversations is as exact as
/// this is small.
const STEP: usize = 100;

/// Text as it is compared: compatibility forms, letter case, vowel marks, tatweel and joiners do not matter, and
/// letters that Arabic and Urdu keyboards write differently are one.
pub fn normalise(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in folded(text).chars() {
        match c {
            // Combining marks of Latin and Arabic script, Quranic signs, tatweel, joiners and direction marks.
            '\u{300}'..='\u{36f}'
            | '\u{610}'..='\u{61a}'
            | '\u{640}'
            | '\u{64b}'..='\u{65f}'
            | '\u{670}'
            | '\u{6d6}'..='\u{6ed}'
            | '\u{8d3}'..='\u{8ff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {}
            'ي' | 'ى' => out.push('ی'),
            'ك' => out.push('ک'),
            'ه' | 'ە' => out.push('ہ'),
            'ς' => out.push('σ'),
            '٠'..='٩' => out.extend(char::from_digit(c as u32 - '٠' as u32, 10)),
            '۰'..='۹' => out.extend(char::from_digit(c as u32 - '۰' as u32, 10)),
            c => out.push(c),
        }
    }
    out
}

/// Compatibility decomposition (UAX #15, NFKD) of the lower-case letters of the compatibility decomposition.
#[cfg(not(target_arch = "wasm32"))]
fn folded(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfkd().flat_map(char::to_lowercase).nfkd().collect()
}

/// The same by the browser, which has the tables already.
#[cfg(target_arch = "wasm32")]
fn folded(text: &str) -> String {
    const FORM: &str = "NFKD";
    String::from(js_sys::JsString::from(text).normalize(FORM).to_lower_case().normalize(FORM))
}

/// What is looked for: every word, anywhere.
struct Query(Vec<String>);

impl Query {
    fn new(text: &str) -> Self {
        Self(normalise(text).split_whitespace().map(str::to_owned).collect())
    }
    fn found_in(&self, line: &LineRecord) -> bool {
        let Line::Text { text, file, .. } = &line.line else { return false };
        if text.is_empty() && file.is_none() {
            return false;
        }
        let mut text = normalise(text);
        if let Some(file) = file {
            text.push('\n');
            text.push_str(&normalise(&file.name));
        }
        self.0.iter().all(|word| text.contains(word))
    }
}

/// How far a search has come in each conversation: everything from this position on has been looked at. The time is
/// that of the position.
type Positions = BTreeMap<GroupId, (u64, Millis)>;

fn cursor_of(positions: &Positions) -> String {
    let rows: Vec<_> = positions.iter().collect();
    URL_SAFE_NO_PAD.encode(&*db::encode(&rows))
}

fn positions_of(cursor: &str) -> Result<Positions, ClientError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ClientError::BadCursor)?;
    let rows: Vec<(GroupId, (u64, Millis))> = db::decode(&bytes).map_err(|_| ClientError::BadCursor)?;
    Ok(rows.into_iter().collect())
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Looks for messages that contain every word of `text`, in one conversation or all, newest first. One call looks
    /// at about 2,000 lines; `cursor` is the `next` of the call before.
    ///
    /// # Errors
    /// [`ClientError::BadCursor`], [`ClientError::NoSuchConversation`].
    pub async fn search(
        &self,
        text: &str,
        group: Option<GroupId>,
        cursor: Option<&str>,
    ) -> Result<SearchPage, ClientError> {
        let query = Query::new(text);
        let mut page = SearchPage { hits: Vec::new(), next: None, scanned: 0 };
        if query.0.is_empty() {
            return Ok(page);
        }
        let mut scenes = self.scenes(group).await?;
        let mut positions = cursor.map_or_else(|| Ok(Positions::new()), positions_of)?;
        // The conversation whose next line is the newest comes next.
        let start = |s: &Scene| match positions.get(&s.record.group) {
            Some((0, _)) => None,
            Some((_, at)) => Some((*at, s.record.group)),
            None => Some((s.record.updated_at, s.record.group)),
        };
        let mut heap: BinaryHeap<(Millis, GroupId)> = scenes.values().filter_map(start).collect();
        let mut scanned = 0;
        while scanned < SLICE {
            let Some((_, group)) = heap.pop() else { break };
            let Some(scene) = scenes.get_mut(&group) else { continue };
            let mut range = Range::prefix(&keys::lines(group)).newest_first().limit(STEP);
            if let Some((seq, _)) = positions.get(&group) {
                range = range.before(keys::line(group, *seq, 0));
            }
            let mut rows = self.db.scan::<LineRecord>(range).await?;
            scanned += rows.len();
            let end = match rows.last() {
                Some((key, last)) if rows.len() == STEP => (keys::seq_of(key).ok_or(ClientError::Damaged)?, last.at),
                // Looked at to its beginning.
                _ => (0, Millis(0)),
            };
            if end.0 > 0 {
                // The last position may have more lines than were opened: it is opened again with the next step.
                let all = rows.len();
                rows.retain(|(key, _)| keys::seq_of(key) != Some(end.0));
                let next = if rows.is_empty() { end.0 } else { end.0.saturating_add(1) };
                positions.insert(group, (next, end.1));
                heap.push((end.1, group));
                scanned -= if rows.is_empty() { 0 } else { all - rows.len() };
            } else {
                positions.insert(group, end);
            }
            for (key, row) in rows.into_iter().filter(|(_, row)| query.found_in(row)) {
                let seq = keys::seq_of(&key).ok_or(ClientError::Damaged)?;
                let sub = key.get(25).copied().ok_or(ClientError::Damaged)?;
                if let Some(line) = self.line_view(scene, seq, sub, row).await?.filter(|l| !l.deleted) {
                    page.hits.push(SearchHit { group, line });
                }
            }
        }
        page.scanned = u32::try_from(scanned).unwrap_or(u32::MAX);
        page.hits.sort_by(|a, b| b.line.at.cmp(&a.line.at).then(b.line.seq.cmp(&a.line.seq)));
        page.next = (!heap.is_empty()).then(|| cursor_of(&positions));
        Ok(page)
    }

    async fn scenes(&self, group: Option<GroupId>) -> Result<BTreeMap<GroupId, Scene>, ClientError> {
        let records = match group {
            Some(group) => vec![self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?],
            None => {
                let rows = self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await?;
                rows.into_iter().map(|(_, record)| record).collect()
            }
        };
        let mut waiting: BTreeMap<GroupId, Vec<OutItem>> = BTreeMap::new();
        for (_, item) in self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await? {
            waiting.entry(item.group).or_default().push(item);
        }
        let me = self.profile().await?.official;
        let scene = |record: GroupRecord| {
            let waiting = waiting.remove(&record.group).unwrap_or_default();
            (record.group, Scene { me, names: Names::new(), record, waiting, about: BTreeMap::new() })
        };
        Ok(records.into_iter().map(scene).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arabic_and_urdu_spellings_are_one() {
        // Kāf, yā and hā of an Arabic keyboard; vowel marks; tatweel; a composed letter; digits.
        assert_eq!(normalise("كيه"), normalise("کیہ"));
        assert_eq!(normalise("مُحَمَّد"), normalise("محمد"));
        assert_eq!(normalise("پاكـــستان"), normalise("پاکستان"));
        assert_eq!(normalise("آئین"), normalise("ائین"));
        assert_eq!(normalise("\u{626}"), "ی");
        assert_eq!(normalise("\u{6c2}"), "ہ");
        assert_eq!(normalise("۲۰۲۶ ٢٠٢٦"), "2026 2026");
        assert_eq!(normalise("ﷺ"), normalise("صلى الله عليه وسلم"), "compatibility form");
        assert_ne!(normalise("بھارت"), normalise("بہارت"), "an aspirate is another letter");
    }

    #[test]
    fn latin_letters_match_without_case_and_accents() {
        assert_eq!(normalise("ÉTAT ﬁle İstanbul ΣΊΣΥΦΟΣ"), "etat file istanbul σισυφοσ");
        assert_eq!(normalise("Ｆｕｌｌ"), "full");
    }

    proptest! {
        /// The short way for ASCII is the same way.
        #[test]
        fn ascii_is_nothing_special(text in "[ -~]{0,40}") {
            prop_assert_eq!(normalise(&text), folded(&text));
        }

        #[test]
        fn normalising_again_changes_nothing(text in "\\PC{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn arabic_text_normalises_once(text in "[\u{600}-\u{6ff}\u{fb50}-\u{fdff}\u{fe70}-\u{feff}]{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        /// Whatever is written is found by any part of it, however its writer cased it.
        #[test]
        fn a_part_is_found(before in "[a-zA-Zآ-یé ]{0,10}", part in "[a-zA-Zآ-یé]{1,10}", after in "[a-zA-Zآ-ی ]{0,10}") {
            let query = Query::new(&part.to_uppercase());
            prop_assume!(!query.0.is_empty());
            let line = LineRecord {
                hash: None,
                message: None,
                at: Millis(0),
                line: Line::Text {
                    author: pakawaaz_base::OfficialId::from_bytes([1; 16]),
                    text: format!("{before}{part}{after}"),
                    reply_to: None,
                    mentions: Vec::new(),
                    file: None,
                },
            };
            prop_assert!(query.found_in(&line));
        }

        #[test]
        fn foreign_cursors_never_panic(cursor in "\\PC{0,60}") {
            let _ = positions_of(&cursor);
        }
    }

    #[test]
    fn a_cursor_round_trips() {
        let positions = Positions::from([(GroupId::from_bytes([3; 16]), (7, Millis(9)))]);
        assert_eq!(positions_of(&cursor_of(&positions)).unwrap(), positions);
    }
}
