//! Alarms: what they are called, and when one is new (TS 28.532 §11.2).

use pakawaaz_base::Millis;
use pakawaaz_contract::cellular::CellularAlarm;
use pakawaaz_contract::facts::{AlarmNotification, AlarmNotificationType};
use std::collections::HashMap;
use std::time::Duration;

/// Alarms that are not cleared; beyond, new ones are counted and not kept: whoever floods us with them fills no memory.
pub const MOST: usize = 1000;
/// An alarm that is seen again is written again at most this often.
const AGAIN: Duration = Duration::from_secs(10);

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A gNB that is not on the list, or serves what it may not, tried to connect.
    ForeignGnb,
    /// A card is in equipment that it is not bound to.
    ForeignEquipment,
    /// Somebody proved a card from behind a phone that does not fit it.
    ForeignLogin,
    /// A gNB sends what it must not.
    MisbehavingGnb,
    /// A gNB has gone.
    GnbLost,
    /// There are as many associations as there may be.
    Associations,
    /// The home network does not answer.
    HomeNetwork,
    /// The user plane does not answer.
    UserPlane,
    /// Contexts cannot be written.
    Storage,
    /// Kept contexts could not be read.
    Contexts,
    /// The node that ran the core has fallen silent, and another one runs it.
    Takeover,
    /// The canary found a packet that left the network and must not, or that what is allowed does not pass.
    IsolationBroken,
    /// What was configured in two places does not fit together.
    Configuration,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::ForeignGnb,
        Self::ForeignEquipment,
        Self::ForeignLogin,
        Self::MisbehavingGnb,
        Self::GnbLost,
        Self::Associations,
        Self::HomeNetwork,
        Self::UserPlane,
        Self::Storage,
        Self::Contexts,
        Self::Takeover,
        Self::IsolationBroken,
        Self::Configuration,
    ];

    /// As stored.
    pub fn text(self) -> &'static str {
        match self {
            Self::ForeignGnb => "foreign_gnb",
            Self::ForeignEquipment => "foreign_equipment",
            Self::ForeignLogin => "foreign_login",
            Self::MisbehavingGnb => "misbehaving_gnb",
            Self::GnbLost => "gnb_lost",
            Self::Associations => "associations",
            Self::HomeNetwork => "home_network",
            Self::UserPlane => "user_plane",
            Self::Storage => "storage",
            Self::Contexts => "contexts",
            Self::Takeover => "takeover",
            Self::IsolationBroken => "isolation_broken",
            Self::Configuration => "configuration",
        }
    }
    /// The inverse.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.text() == text)
    }
    /// Alarm type (TS 28.532 table 11.2.2.2).
    pub fn alarm_type(self) -> &'static str {
        match self {
            Self::ForeignGnb | Self::ForeignEquipment | Self::ForeignLogin | Self::IsolationBroken => {
                "SECURITY_SERVICE_OR_MECHANISM_VIOLATION"
            }
            Self::MisbehavingGnb => "OPERATIONAL_VIOLATION",
            Self::GnbLost | Self::UserPlane => "COMMUNICATIONS_ALARM",
            Self::Associations => "QUALITY_OF_SERVICE_ALARM",
            Self::HomeNetwork | Self::Storage | Self::Contexts | Self::Takeover | Self::Configuration => {
                "PROCESSING_ERROR_ALARM"
            }
        }
    }
    /// Probable cause (TS 32.111-2 Annex B).
    pub fn probable_cause(self) -> &'static str {
        match self {
            Self::ForeignGnb => "Unauthorised access attempt",
            Self::ForeignEquipment | Self::ForeignLogin => "Authentication failure",
            Self::MisbehavingGnb => "Communications protocol error",
            Self::GnbLost => "Connection establishment error",
            Self::Associations => "Resource at or nearing capacity",
            Self::HomeNetwork | Self::UserPlane => "Underlying resource unavailable",
            Self::Storage => "Storage capacity problem",
            Self::Contexts => "Corrupt data",
            Self::Takeover => "Application subsystem failure",
            Self::IsolationBroken => "Breach of confidentiality",
            Self::Configuration => "Configuration or customization error",
        }
    }
    /// Perceived severity.
    pub fn severity(self) -> &'static str {
        match self {
            Self::HomeNetwork | Self::UserPlane | Self::Storage | Self::IsolationBroken => "CRITICAL",
            Self::ForeignGnb | Self::GnbLost | Self::Associations | Self::Takeover | Self::Configuration => "MAJOR",
            Self::ForeignEquipment | Self::ForeignLogin | Self::MisbehavingGnb | Self::Contexts => "MINOR",
        }
    }
}

/// What a gNB does that it must not, in words for whoever looks after it.
pub fn misbehaviour(what: &'static str) -> &'static str {
    match what {
        "transfer_syntax_error" => "it sends what is no NGAP message",
        "ids_of_another_gnb" => "it speaks for phones of another gNB",
        "foreign_tracking_area" => "it brings phones from a tracking area that it does not serve",
        "too_many_unknown_phones" => {
            "it brings more phones that have proved nothing than fit; the others are turned away"
        }
        "too_many_associations" => {
            "it holds more associations without a gNB that is set up than fit; the oldest of them are closed"
        }
        "configuration_refused" => "it did not take over, or did not answer to, a new configuration",
        "identity_in_use_elsewhere" => {
            "it has the identity of a gNB that was connected from another address, and took its place; see to it that no \
             two have the same"
        }
        other => other,
    }
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its identity.
    pub id: [u8; 16],
    /// What is wrong.
    pub kind: Kind,
    /// With what: a distinguished name.
    pub object: String,
    /// In words; no secrets.
    pub problem: String,
    /// First seen.
    pub raised_at: Millis,
    /// Last seen, or cleared.
    pub changed_at: Millis,
    /// Over since.
    pub cleared_at: Option<Millis>,
    /// How often it was seen.
    pub seen: i64,
}

impl Alarm {
    /// What others are told when it is written as it is now; nothing of one that is merely seen again.
    pub fn notification(&self) -> Option<AlarmNotification> {
        let notification = match (self.cleared_at, self.seen) {
            (Some(_), _) => AlarmNotificationType::Cleared,
            (None, 1) => AlarmNotificationType::New,
            (None, _) => return None,
        };
        Some(AlarmNotification { notification, alarm: self.show() })
    }

    /// With the fields of TS 28.532.
    pub fn show(&self) -> CellularAlarm {
        let id: String = self.id.iter().map(|byte| format!("{byte:02x}")).collect();
        let severity = if self.cleared_at.is_some() { "CLEARED" } else { self.kind.severity() };
        CellularAlarm {
            alarm_id: id,
            object_instance: self.object.clone(),
            alarm_type: self.kind.alarm_type().into(),
            probable_cause: self.kind.probable_cause().into(),
            perceived_severity: severity.into(),
            alarm_raised_time: self.raised_at,
            alarm_changed_time: self.changed_at,
            alarm_cleared_time: self.cleared_at,
            specific_problem: self.problem.clone(),
            count: self.seen,
        }
    }
}

/// Alarms that are not cleared.
#[derive(Debug, Default)]
pub struct Alarms {
    active: HashMap<(Kind, String), Alarm>,
    /// Alarms that found no room.
    pub dropped: u64,
}

impl Alarms {
    /// Those that were not cleared when the process ended.
    pub fn restored(all: impl IntoIterator<Item = Alarm>) -> Self {
        let active = all.into_iter().take(MOST).map(|alarm| ((alarm.kind, alarm.object.clone()), alarm)).collect();
        Self { active, dropped: 0 }
    }

    /// Something is wrong. Gives what is to be written, if anything: a new alarm, or one that was not written lately.
    pub fn raise(&mut self, kind: Kind, object: &str, problem: &str, id: [u8; 16], now: Millis) -> Option<Alarm> {
        if let Some(known) = self.active.get_mut(&(kind, object.to_owned())) {
            known.seen = known.seen.saturating_add(1);
            if now.since(known.changed_at) < AGAIN {
                return None;
            }
            known.changed_at = now;
            problem.clone_into(&mut known.problem);
            return Some(known.clone());
        }
        if self.active.len() >= MOST {
            self.dropped += 1;
            return None;
        }
        let (object, problem) = (object.to_owned(), problem.to_owned());
        let alarm = Alarm { id, kind, object, problem, raised_at: now, changed_at: now, cleared_at: None, seen: 1 };
        self.active.insert((kind, alarm.object.clone()), alarm.clone());
        Some(alarm)
    }

    /// It is not wrong any more. Gives what is to be written.
    pub fn clear(&mut self, kind: Kind, object: &str, now: Millis) -> Option<Alarm> {
        let mut alarm = self.active.remove(&(kind, object.to_owned()))?;
        alarm.changed_at = now;
        alarm.cleared_at = Some(now);
        Some(alarm)
    }

    /// An operator has seen to it.
    pub fn clear_by_id(&mut self, id: [u8; 16], now: Millis) -> Option<Alarm> {
        let key = self.active.iter().find(|(_, alarm)| alarm.id == id).map(|(key, _)| key.clone())?;
        self.clear(key.0, &key.1, now)
    }

    /// Whether it is wrong now.
    pub fn is_active(&self, kind: Kind, object: &str) -> bool {
        self.active.contains_key(&(kind, object.to_owned()))
    }

    /// Objects with which this is wrong now.
    pub fn objects(&self, kind: Kind) -> Vec<String> {
        self.active.keys().filter(|(other, _)| *other == kind).map(|(_, object)| object.clone()).collect()
    }

    /// How many are not cleared, by perceived severity.
    pub fn by_severity(&self) -> [(&'static str, usize); 3] {
        ["CRITICAL", "MAJOR", "MINOR"]
            .map(|severity| (severity, self.active.keys().filter(|(kind, _)| kind.severity() == severity).count()))
    }

    /// How many are not cleared.
    pub fn len(&self) -> usize {
        self.active.len()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    #[test]
    fn the_same_thing_is_one_alarm_until_it_is_cleared() {
        let mut alarms = Alarms::default();
        let first = alarms.raise(Kind::GnbLost, "GNB=1", "gone", [1; 16], NOW).expect("new");
        assert_eq!(alarms.raise(Kind::GnbLost, "GNB=1", "gone", [2; 16], NOW), None, "told a moment ago");
        assert!(alarms.raise(Kind::GnbLost, "GNB=2", "gone", [3; 16], NOW).is_some(), "another gNB");
        let again = alarms.raise(Kind::GnbLost, "GNB=1", "gone", [4; 16], NOW.plus(AGAIN)).expect("told again");
        assert_eq!((again.id, again.seen, again.raised_at), (first.id, 3, NOW));
        let told = |alarm: &Alarm| alarm.notification().map(|told| told.notification);
        assert_eq!((told(&first), told(&again)), (Some(AlarmNotificationType::New), None));
        let cleared = alarms.clear(Kind::GnbLost, "GNB=1", NOW.plus(AGAIN)).expect("was there");
        assert_eq!(cleared.show().perceived_severity, "CLEARED");
        assert_eq!(told(&cleared), Some(AlarmNotificationType::Cleared));
        assert_eq!(alarms.clear(Kind::GnbLost, "GNB=1", NOW), None);
        assert!(alarms.raise(Kind::GnbLost, "GNB=1", "gone", [5; 16], NOW).is_some_and(|new| new.id == [5; 16]));
    }

    #[test]
    fn a_flood_of_alarms_fills_no_memory() {
        let mut alarms = Alarms::default();
        for n in 0..MOST + 5 {
            alarms.raise(Kind::ForeignGnb, &format!("peer {n}"), "", [0; 16], NOW);
        }
        assert_eq!((alarms.len(), alarms.dropped), (MOST, 5));
    }

    #[test]
    fn the_reference_has_every_alarm_with_its_severity_and_no_other() {
        let reference = include_str!("../../../../docs/reference/cellular-alarms.md");
        let rows: Vec<&str> = reference.lines().filter(|line| line.matches('|').count() == 5).skip(2).collect();
        assert_eq!(rows.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let begin = format!("| `{}` | {} |", kind.text(), kind.severity().to_lowercase());
            assert!(rows.iter().any(|row| row.starts_with(&begin)), "{begin}");
        }
    }

    #[test]
    fn alarms_are_counted_by_their_severity() {
        let mut alarms = Alarms::default();
        for (kind, object) in [(Kind::Storage, "a"), (Kind::GnbLost, "b"), (Kind::GnbLost, "c")] {
            alarms.raise(kind, object, "", [0; 16], NOW);
        }
        assert_eq!(alarms.by_severity(), [("CRITICAL", 1), ("MAJOR", 2), ("MINOR", 0)]);
        assert_eq!(
            Kind::ALL.iter().filter(|kind| !["CRITICAL", "MAJOR", "MINOR"].contains(&kind.severity())).count(),
            0
        );
    }

    #[test]
    fn kinds_are_read_as_they_are_written_and_shown_by_the_names_of_the_specification() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_text(kind.text()), Some(kind));
        }
        let shown = Alarms::default().raise(Kind::UserPlane, "UPFFunction=1", "gone", [7; 16], NOW).unwrap().show();
        let json = serde_json::to_value(&shown).unwrap();
        for field in [
            "alarmId",
            "objectInstance",
            "alarmType",
            "probableCause",
            "perceivedSeverity",
            "alarmRaisedTime",
            "alarmChangedTime",
            "specificProblem",
        ] {
            assert!(!json[field].is_null(), "{field}");
        }
    }
}
