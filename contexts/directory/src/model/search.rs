//! Text search that finds the same officials on both databases.
//!
//! Both sides, the stored texts and the query, are folded by [`fold`]; the database then only compares plain
//! characters with `LIKE`. Folding loses differences on purpose: an official typed with an Arabic keyboard
//! (ي, ك) must be found with an Urdu one (ی, ک), with or without vowel marks.

use crate::DirectoryError;
use pakawaaz_base::OfficialId;
use pakawaaz_contract::directory::Official;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Separates the texts of one official; [`fold`] never produces it.
const SEPARATOR: char = '\n';
/// The escape character of every `LIKE` in this context; [`fold`] never produces it either.
pub const ESCAPE: char = '!';
/// Words of a query that are looked at.
pub const MAX_WORDS: usize = 6;
/// Characters of a query that are looked at.
const MAX_QUERY: usize = 100;

/// Folds a text for comparison: compatibility decomposition (NFKD), lower case, no marks, Urdu and Arabic
/// letter variants and digits made one, everything but letters and digits a single space.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let lowered = text.nfkd().flat_map(char::to_lowercase);
    for c in lowered.nfkd().filter(|c| !is_combining_mark(*c) && !invisible(*c)).map(unify) {
        if c == 'ß' {
            out.push_str("ss"); // what its upper case would fold to
        } else if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

/// Characters inside a word that nobody sees: tatweel, zero-width joiners, direction marks, soft hyphen.
fn invisible(c: char) -> bool {
    matches!(c, '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{61c}' | '\u{ad}' | '\u{2060}' | '\u{feff}')
}

/// One letter for each family of look-alikes. Composed forms (آ ئ ؤ ۂ) were taken apart by NFKD before.
fn unify(c: char) -> char {
    match c {
        'ي' | 'ى' | 'ې' => 'ی',
        'ك' => 'ک',
        'ه' | 'ھ' | 'ە' => 'ہ',
        'ة' => 'ۃ',
        'ٱ' => 'ا',
        '٠'..='٩' => shift(c, '٠'),
        '۰'..='۹' => shift(c, '۰'),
        other => other,
    }
}

fn shift(digit: char, zero: char) -> char {
    char::from(b'0' + (digit as u32 - zero as u32) as u8)
}

/// The searchable row of an official.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Username and names.
    pub who: String,
    /// Titles of posts held and names of their units.
    pub what: String,
    /// Highest grade held; 0 without a post.
    pub grade: i64,
    /// Orders equals.
    pub sort_key: Vec<u8>,
}

/// Builds the searchable row.
pub fn index(official: &Official) -> Index {
    let names = [&official.name.en, &official.name.ur, &official.username];
    let who = names.into_iter().map(|text| fold(text));
    let mut what: Vec<String> = Vec::new();
    for post in &official.posts {
        for name in std::iter::once(&post.title).chain(&post.units) {
            for text in [fold(&name.en), fold(&name.ur)] {
                if !what.contains(&text) {
                    what.push(text);
                }
            }
        }
    }
    Index {
        who: document(who),
        what: document(what.into_iter()),
        grade: official.posts.iter().map(|p| i64::from(p.grade)).max().unwrap_or(0),
        sort_key: fold(&official.name.en).into_bytes(),
    }
}

fn document(texts: impl Iterator<Item = String>) -> String {
    let mut out = String::from(SEPARATOR);
    for text in texts.filter(|t| !t.is_empty()) {
        out.push_str(&text);
        out.push(SEPARATOR);
    }
    out
}

/// The `LIKE` patterns of a query, with [`ESCAPE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns {
    /// A text is the query.
    pub exact: String,
    /// A text begins with it.
    pub prefix: String,
    /// A later word of a text begins with it.
    pub word: String,
    /// A text contains it.
    pub substring: String,
    /// Every word occurs somewhere; unused places match everything.
    pub words: [String; MAX_WORDS],
}

/// Patterns for a query as typed. An empty query matches everybody equally.
pub fn patterns(query: &str) -> Patterns {
    let shortened: String = query.chars().take(MAX_QUERY).collect();
    let query = escape(&fold(&shortened));
    let any = || "%".to_owned();
    if query.is_empty() {
        return Patterns {
            exact: any(),
            prefix: any(),
            word: any(),
            substring: any(),
            words: [(); MAX_WORDS].map(|()| any()),
        };
    }
    let mut words = query.split(' ').map(|word| format!("%{word}%"));
    Patterns {
        exact: format!("%{SEPARATOR}{query}{SEPARATOR}%"),
        prefix: format!("%{SEPARATOR}{query}%"),
        word: format!("% {query}%"),
        substring: format!("%{query}%"),
        words: [(); MAX_WORDS].map(|()| words.next().unwrap_or_else(any)),
    }
}

/// Makes `LIKE` take every character literally.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | ESCAPE) {
            out.push(ESCAPE);
        }
        out.push(c);
    }
    out
}

/// A place in a result list: the last official shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Class of match, 0 = best.
    pub score: i64,
    /// Its grade then.
    pub grade: i64,
    /// The official.
    pub official: OfficialId,
}

impl Cursor {
    /// As text for the client.
    pub fn encode(&self) -> String {
        format!("{}~{}~{}", self.score, self.grade, self.official)
    }

    /// The reverse of [`Self::encode`].
    pub fn decode(text: &str) -> Result<Self, DirectoryError> {
        let mut parts = text.splitn(3, '~');
        let mut number = || parts.next().and_then(|p| p.parse::<u8>().ok()).map(i64::from);
        let (score, grade) = (number(), number());
        let official = parts.next().and_then(|p| p.parse().ok());
        match (score, grade, official) {
            (Some(score), Some(grade), Some(official)) => Ok(Self { score, grade, official }),
            _ => Err(DirectoryError::BadCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_contract::directory::{BilingualName, HeldPost};
    use proptest::prelude::*;

    #[test]
    fn latin_text_folds_case_accents_and_punctuation() {
        assert_eq!(fold("  Section Officer (Admin-II) "), "section officer admin ii");
        assert_eq!(fold("Zoë  O'Neill"), "zoe o neill");
        assert_eq!(fold("ﬁnance"), "finance");
        assert_eq!(fold("İSTANBUL"), "istanbul");
        assert_eq!(fold("%_!\\"), "");
    }

    #[test]
    fn urdu_variants_fold_together() {
        assert_eq!(fold("علي"), fold("علی"));
        assert_eq!(fold("كمال"), fold("کمال"));
        assert_eq!(fold("آمنہ"), fold("امنه"));
        assert_eq!(fold("مُحَمَّد"), fold("محمد"));
        assert_eq!(fold("رئیس"), fold("ریيس"));
        assert_eq!(fold("محمـــد\u{200c}"), fold("محمد"));
        assert_eq!(fold("گریڈ ۲۲"), fold("گریڈ ٢٢"));
        assert_eq!(fold("گریڈ ۲۲"), "گریڈ 22");
        assert_ne!(fold("علی"), fold("عالی"));
    }

    fn official() -> Official {
        let name = |en: &str, ur: &str| BilingualName { en: en.into(), ur: ur.into() };
        Official {
            official: OfficialId::from_bytes([1; 16]),
            username: "a.khan".into(),
            name: name("Amna Khan", "آمنہ خان"),
            rank: name("Dr", ""),
            posts: vec![HeldPost {
                post: pakawaaz_base::PostId::from_bytes([2; 16]),
                title: name("Section Officer", ""),
                units: vec![name("Admin-II", ""), name("Finance Division", "خزانہ ڈویژن")],
                grade: 17,
                appointment: None,
            }],
        }
    }

    #[test]
    fn the_index_holds_every_text_between_separators() {
        let index = index(&official());
        assert_eq!(index.who, "\namna khan\nامنہ خان\na khan\n");
        assert_eq!(index.what, "\nsection officer\nadmin ii\nfinance division\nخزانہ ڈویژن\n");
        assert_eq!(index.grade, 17);
    }

    #[test]
    fn cursors_survive_and_garbage_is_refused() {
        let cursor = Cursor { score: 3, grade: 22, official: OfficialId::from_bytes([7; 16]) };
        assert_eq!(Cursor::decode(&cursor.encode()).expect("decodes"), cursor);
        for bad in ["", "1", "1~2", "1~2~x", "x~2~07070707-0707-0707-0707-070707070707", "-1~2~3"] {
            assert!(Cursor::decode(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn folding_is_stable_and_leaves_no_wildcards(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(&fold(&folded), &folded);
            prop_assert!(!folded.contains(['%', '_', ESCAPE, SEPARATOR]));
            prop_assert!(!folded.contains("  ") && folded.trim() == folded);
        }

        #[test]
        fn words_survive_being_joined(a in "[a-zA-Zآ-ی]{1,8}", b in "[a-zA-Zآ-ی]{1,8}") {
            let joined = fold(&format!("{a} - {b}"));
            prop_assert_eq!(joined, format!("{} {}", fold(&a), fold(&b)).trim().to_owned());
        }

        #[test]
        fn patterns_never_panic_and_are_bounded(text in any::<String>()) {
            let patterns = patterns(&text);
            // A character decomposes into at most 18 (U+FDFA).
            prop_assert!(patterns.exact.chars().count() <= 18 * MAX_QUERY + 4);
        }

        #[test]
        fn cursor_decoding_never_panics(text in any::<String>()) {
            let _ = Cursor::decode(&text);
        }
    }
}
