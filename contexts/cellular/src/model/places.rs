//! Names of places, which officials and operators read instead of the numbers of cells and tracking areas.

use crate::CellularError;
use pakawaaz_contract::cellular::CellularNetwork;
use pakawaaz_contract::directory::BilingualName;
use std::collections::HashSet;

/// Longest name, in characters of each language.
pub const MAX_NAME: usize = 64;
/// Bits of an NR cell identity, of which the first ones are the gNB's (TS 38.413 §9.3.1.7).
const CELL_BITS: u8 = 36;

/// Takes away what surrounds names, and names that say nothing.
pub fn tidy(document: &mut CellularNetwork) {
    let tidied = |name: BilingualName| {
        let name = BilingualName { en: name.en.trim().to_owned(), ur: name.ur.trim().to_owned() };
        (!name.en.is_empty() || !name.ur.is_empty()).then_some(name)
    };
    for gnb in &mut document.gnbs {
        gnb.place = gnb.place.take().and_then(tidied);
    }
    document.areas.retain_mut(|area| match tidied(std::mem::take(&mut area.place)) {
        Some(place) => {
            area.place = place;
            true
        }
        None => false,
    });
}

/// Checks a document's names.
///
/// # Errors
/// [`CellularError::BadPlace`].
pub fn check(document: &CellularNetwork) -> Result<(), CellularError> {
    let mut named = HashSet::new();
    let gnbs = document.gnbs.iter().filter_map(|gnb| gnb.place.as_ref());
    let fits = gnbs.chain(document.areas.iter().map(|area| &area.place)).all(fits)
        && document.areas.iter().all(|area| document.tacs.contains(&area.tac) && named.insert(area.tac));
    if fits { Ok(()) } else { Err(CellularError::BadPlace) }
}

/// The place of a gNB.
pub fn of_gnb(document: &CellularNetwork, id: u32, bits: u8) -> Option<BilingualName> {
    document.gnbs.iter().find(|gnb| (gnb.id, gnb.bits) == (id, bits))?.place.clone()
}

/// The place of a cell: that of its gNB.
pub fn of_cell(document: &CellularNetwork, cell: u64) -> Option<BilingualName> {
    let its = |id: u32, bits: u8| bits < CELL_BITS && cell >> (CELL_BITS - bits) == u64::from(id);
    // Identities of different lengths may begin alike: the longer one says more.
    let gnb = document.gnbs.iter().filter(|gnb| its(gnb.id, gnb.bits)).max_by_key(|gnb| gnb.bits)?;
    gnb.place.clone()
}

/// The name of a tracking area.
pub fn of_area(document: &CellularNetwork, tac: u32) -> Option<BilingualName> {
    document.areas.iter().find(|area| area.tac == tac).map(|area| area.place.clone())
}

/// English is there, Urdu may be; both are one line that shows something and leaves the text around it in its order.
fn fits(name: &BilingualName) -> bool {
    let line = |text: &str| text.chars().count() <= MAX_NAME && !text.chars().any(deceptive);
    let shows = |text: &str| text.chars().any(char::is_alphanumeric);
    line(&name.en) && line(&name.ur) && shows(&name.en) && (name.ur.is_empty() || shows(&name.ur))
}

/// Control characters, and the overrides and isolates that would rearrange a screen. Joiners are part of correct Urdu.
fn deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::{compile, initial};
    use pakawaaz_contract::cellular::{CellularArea, CellularGnb};
    use proptest::prelude::*;

    fn name(en: &str, ur: &str) -> BilingualName {
        BilingualName { en: en.into(), ur: ur.into() }
    }

    fn gnb(id: u32, bits: u8, en: &str) -> CellularGnb {
        CellularGnb { id, bits, tacs: vec![1], place: Some(name(en, "")) }
    }

    fn with(place: BilingualName) -> CellularNetwork {
        let mut document = initial();
        document.gnbs = vec![CellularGnb { id: 1, bits: 24, tacs: vec![1], place: Some(place) }];
        document
    }

    #[test]
    fn a_cell_has_the_place_of_its_gnb_and_of_no_other() {
        let mut document = initial();
        document.gnbs = vec![gnb(1, 24, "Block C"), gnb(2, 24, "Block D"), gnb(1, 22, "Block E"), gnb(1, 32, "Roof")];
        assert!(compile(&document).is_ok());
        let place = |cell: u64| of_cell(&document, cell).map(|name| name.en);
        assert_eq!(place(0x1001).as_deref(), Some("Block C"));
        assert_eq!(place(0x1fff).as_deref(), Some("Block C"));
        assert_eq!(place(0x2000).as_deref(), Some("Block D"));
        assert_eq!(place(0x4000).as_deref(), Some("Block E"), "by its 22 bits");
        assert_eq!(place(0x0010).as_deref(), Some("Roof"));
        assert_eq!(place(0x0020), None);
        assert_eq!(of_gnb(&document, 1, 22).map(|name| name.en).as_deref(), Some("Block E"));
        assert_eq!(of_gnb(&document, 3, 24), None);
    }

    #[test]
    fn a_name_is_a_short_line_that_rearranges_nothing() {
        let fits = |en: &str, ur: &str| compile(&with(name(en, ur))).is_ok();
        for (en, ur) in [("Secretariat, Block C", "سیکرٹریٹ، بلاک سی"), ("B-2", ""), ("x", "قائد\u{200c}اعظم")]
        {
            assert!(fits(en, ur), "{en} {ur}");
        }
        assert!(fits(&"x".repeat(MAX_NAME), &"س".repeat(MAX_NAME)));
        let long = "x".repeat(MAX_NAME + 1);
        for (en, ur) in [
            (long.as_str(), ""),
            ("x", long.as_str()),
            ("a\nb", ""),
            ("a\u{1b}[2J", ""),
            ("a\u{202e}b", ""),
            ("x", "a\u{2066}b"),
            ("—", ""),
            ("x", "\u{200c}"),
            ("", "بلاک"),
        ] {
            assert_eq!(compile(&with(name(en, ur))).err(), Some(CellularError::BadPlace), "{en:?} {ur:?}");
        }
    }

    #[test]
    fn an_area_is_named_once_and_is_one_of_the_networks() {
        let area = |tac: u32| CellularArea { tac, place: name("Islamabad", "اسلام آباد") };
        let compiled = |tacs: &[u32]| {
            let mut document = initial();
            document.areas = tacs.iter().map(|tac| area(*tac)).collect();
            compile(&document).map(|_| of_area(&document, 1).is_some())
        };
        assert_eq!((compiled(&[]), compiled(&[1])), (Ok(false), Ok(true)));
        for bad in [[2].as_slice(), &[1, 1], &[1, 2]] {
            assert_eq!(compiled(bad), Err(CellularError::BadPlace), "{bad:?}");
        }
    }

    #[test]
    fn what_says_nothing_is_no_name() {
        let mut document = with(name("  ", ""));
        document.areas = vec![CellularArea { tac: 1, place: name("", " ") }];
        tidy(&mut document);
        assert!(document.gnbs[0].place.is_none() && document.areas.is_empty());
        let mut document = with(name(" Block C ", "بلاک سی "));
        tidy(&mut document);
        assert_eq!(document.gnbs[0].place, Some(name("Block C", "بلاک سی")));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_any_cell_looked_up(en in ".{0,80}", ur in ".{0,80}", cell: u64, bits in 0u8..=64) {
            let mut document = with(name(&en, &ur));
            document.gnbs[0].bits = bits;
            tidy(&mut document);
            let _ = check(&document);
            let _ = of_cell(&document, cell);
        }
    }
}
