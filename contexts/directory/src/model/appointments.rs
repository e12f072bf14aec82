//! Who holds a post: decided from what was signed and the time, by nothing else.

use pakawaaz_base::{Millis, OfficialId};
use pakawaaz_contract::directory;
use pakawaaz_trust::{Appointment, AppointmentKind};

/// What a newly signed statement about a post does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Its official takes the post, from whoever held it.
    Hold,
    /// Its official holds the post already, and does so under this statement from now on.
    Renew,
    /// The post falls vacant.
    Vacate,
    /// Nothing, and why (for the audit log).
    Refuse(&'static str),
}

/// Decides about `appointment`. `newest` is the time and id of the newest statement in effect about its post, `holder`
/// whoever holds the post now.
pub fn decide(
    appointment: &Appointment,
    newest: Option<(Millis, [u8; 16])>,
    holder: Option<OfficialId>,
    now: Millis,
) -> Decision {
    if newest.is_some_and(|(at, id)| !appointment.newer_than(at, &id)) {
        return Decision::Refuse("a_newer_one_counts");
    }
    let same = holder == Some(appointment.official);
    match appointment.kind {
        AppointmentKind::Ended if same => Decision::Vacate,
        AppointmentKind::Ended => Decision::Refuse("not_the_holder"),
        _ if now >= appointment.not_after => Decision::Refuse("expired"),
        _ if same => Decision::Renew,
        _ => Decision::Hold,
    }
}

/// Who may be shown as the holder at `now`: `holding` with the newest appointment to the post.
///
/// Without one nobody: an unsigned holding is no holding.
pub fn holder(
    holding: Option<OfficialId>,
    appointment: Option<&directory::Appointment>,
    now: Millis,
) -> Option<OfficialId> {
    let appointment = appointment?;
    let current = appointment.kind != directory::AppointmentKind::Ended && now < appointment.not_after;
    holding.filter(|official| current && *official == appointment.official)
}

/// Text of a kind in the database.
pub fn kind_text(kind: AppointmentKind) -> &'static str {
    match kind {
        AppointmentKind::Substantive => "substantive",
        AppointmentKind::Acting => "acting",
        AppointmentKind::Ended => "ended",
    }
}

/// The inverse of [`kind_text`], as the contract says it.
pub fn kind_from_text(text: &str) -> Option<directory::AppointmentKind> {
    Some(match text {
        "substantive" => directory::AppointmentKind::Substantive,
        "acting" => directory::AppointmentKind::Acting,
        "ended" => directory::AppointmentKind::Ended,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_base::{Bytes, PostId};
    use proptest::prelude::*;

    fn people() -> (OfficialId, OfficialId) {
        (OfficialId::from_bytes([1; 16]), OfficialId::from_bytes([2; 16]))
    }

    fn signed(official: OfficialId, kind: AppointmentKind, at: i64) -> Appointment {
        Appointment {
            realm: "r".into(),
            id: [7; 16],
            post: PostId::from_bytes([9; 16]),
            official,
            kind,
            not_before: Millis(at),
            not_after: Millis(at + 100),
            at: Millis(at),
        }
    }

    fn shown(appointment: &Appointment) -> directory::Appointment {
        directory::Appointment {
            official: appointment.official,
            kind: kind_from_text(kind_text(appointment.kind)).expect("known"),
            not_before: appointment.not_before,
            not_after: appointment.not_after,
            statement: Bytes::default(),
        }
    }

    #[test]
    fn a_post_is_taken_renewed_handed_over_and_vacated() {
        use AppointmentKind::{Acting, Ended, Substantive};
        let ((a, b), now) = (people(), Millis(50));
        let older = Some((Millis(5), [1; 16]));
        for kind in [Substantive, Acting] {
            assert_eq!(decide(&signed(a, kind, 10), None, None, now), Decision::Hold);
            assert_eq!(decide(&signed(a, kind, 10), older, Some(b), now), Decision::Hold);
            assert_eq!(decide(&signed(a, kind, 10), older, Some(a), now), Decision::Renew);
        }
        assert_eq!(decide(&signed(a, Ended, 10), older, Some(a), now), Decision::Vacate);
        assert_eq!(decide(&signed(a, Ended, 10), older, Some(b), now), Decision::Refuse("not_the_holder"));
        assert_eq!(decide(&signed(a, Ended, 10), older, None, now), Decision::Refuse("not_the_holder"));
    }

    #[test]
    fn what_is_old_or_over_does_nothing() {
        let (a, _) = people();
        let one = signed(a, AppointmentKind::Substantive, 10);
        for newest in [(Millis(11), [0; 16]), (Millis(10), [7; 16]), (Millis(10), [8; 16])] {
            assert_eq!(decide(&one, Some(newest), None, Millis(50)), Decision::Refuse("a_newer_one_counts"));
        }
        assert_eq!(decide(&one, Some((Millis(10), [6; 16])), None, Millis(50)), Decision::Hold);
        assert_eq!(decide(&one, None, None, Millis(109)), Decision::Hold);
        assert_eq!(decide(&one, None, None, Millis(110)), Decision::Refuse("expired"));
    }

    #[test]
    fn nobody_is_shown_without_an_appointment_in_force() {
        let (a, b) = people();
        let one = shown(&signed(a, AppointmentKind::Acting, 10));
        assert_eq!(holder(Some(a), Some(&one), Millis(109)), Some(a));
        assert_eq!(holder(Some(a), Some(&one), Millis(110)), None, "expired");
        assert_eq!(holder(Some(a), None, Millis(50)), None, "unsigned");
        assert_eq!(holder(Some(b), Some(&one), Millis(50)), None, "of somebody else");
        assert_eq!(holder(None, Some(&one), Millis(50)), None);
        let ended = shown(&signed(a, AppointmentKind::Ended, 10));
        assert_eq!(holder(Some(a), Some(&ended), Millis(50)), None);
    }

    proptest! {
        /// In whatever order statements arrive, the one that counts is the newest of them.
        #[test]
        fn the_newest_wins_in_any_order(mut times in proptest::collection::vec(0i64..40, 1..8), seed in any::<u64>()) {
            let last = *times.iter().max().expect("not empty");
            let n = times.len();
            for i in 0..n {
                times.swap(i, (seed as usize).wrapping_mul(i + 7) % n);
            }
            let (mut newest, mut holds) = (None, None);
            for (n, at) in times.iter().enumerate() {
                let official = OfficialId::from_bytes([*at as u8; 16]);
                let mut one = signed(official, AppointmentKind::Substantive, *at);
                one.id = [n as u8; 16];
                if matches!(decide(&one, newest, holds, Millis(50)), Decision::Hold | Decision::Renew) {
                    (newest, holds) = (Some((one.at, one.id)), Some(official));
                }
            }
            prop_assert_eq!(holds, Some(OfficialId::from_bytes([last as u8; 16])));
        }
    }
}
