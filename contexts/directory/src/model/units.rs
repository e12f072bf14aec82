//! Rules of the organisation tree and of posts.

use crate::DirectoryError;
use pakawaaz_contract::directory::UnitKind;

/// Lowest and highest basic pay scale.
pub const GRADES: std::ops::RangeInclusive<u8> = 1..=22;

/// A ministry stands at the top; everything else hangs below something of a higher kind.
pub fn check_place(parent: Option<UnitKind>, kind: UnitKind) -> Result<(), DirectoryError> {
    let fits = match parent {
        None => kind == UnitKind::Ministry,
        Some(parent) => parent < kind,
    };
    if fits { Ok(()) } else { Err(DirectoryError::KindMustDescend) }
}

/// Checks a basic pay scale.
pub fn check_grade(grade: u8) -> Result<(), DirectoryError> {
    if GRADES.contains(&grade) { Ok(()) } else { Err(DirectoryError::BadGrade) }
}

/// The number that stands for a kind in the database.
pub fn kind_to_i64(kind: UnitKind) -> i64 {
    match kind {
        UnitKind::Ministry => 1,
        UnitKind::Division => 2,
        UnitKind::Wing => 3,
        UnitKind::Section => 4,
    }
}

/// The reverse of [`kind_to_i64`].
pub fn kind_from_i64(value: i64) -> Option<UnitKind> {
    [UnitKind::Ministry, UnitKind::Division, UnitKind::Wing, UnitKind::Section]
        .into_iter()
        .find(|kind| kind_to_i64(*kind) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [UnitKind; 4] = [UnitKind::Ministry, UnitKind::Division, UnitKind::Wing, UnitKind::Section];

    #[test]
    fn only_ministries_stand_alone_and_kinds_descend() {
        for (depth, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(check_place(None, kind).is_ok(), depth == 0);
            for (above, parent) in KINDS.into_iter().enumerate() {
                assert_eq!(check_place(Some(parent), kind).is_ok(), above < depth, "{parent:?} over {kind:?}");
            }
        }
    }

    #[test]
    fn kinds_survive_the_database() {
        for kind in KINDS {
            assert_eq!(kind_from_i64(kind_to_i64(kind)), Some(kind));
        }
        assert_eq!(kind_from_i64(0), None);
        assert_eq!(kind_from_i64(5), None);
    }

    #[test]
    fn grades_have_bounds() {
        assert!(check_grade(0).is_err());
        assert!(check_grade(1).is_ok());
        assert!(check_grade(22).is_ok());
        assert!(check_grade(23).is_err());
    }
}
