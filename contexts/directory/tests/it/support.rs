//! A directory over a fresh database, and shorthands.

use pakawaaz_base::SessionId;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, Clock as _, DeviceId, Millis, OfficialId, OrgUnitId, PostId, ProposalId, Role};
use pakawaaz_contract::directory::{
    BilingualName, CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, Official, OrgUnit, Post, UnitKind,
};
use pakawaaz_contract::facts::AppointmentSigned;
use pakawaaz_directory::Directory;
use pakawaaz_directory::jobs::appointments::Appointments;
use pakawaaz_storage::{Db, Migration, OutboxConsumer, outbox};
use pakawaaz_trust::{Appointment, AppointmentKind, Signed, Statement};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Both schemas.
pub static MIGRATIONS: LazyLock<Vec<Migration>> =
    LazyLock::new(|| [pakawaaz_audit::MIGRATIONS, pakawaaz_directory::MIGRATIONS].concat());

pub struct Office {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub directory: Directory,
    pub manager: Actor,
    statements: AtomicU8,
}

/// How long appointments of these tests last.
pub const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

pub fn office(db: Db) -> Office {
    let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_000)));
    Office {
        directory: Directory::new(db.clone(), clock.clone()),
        db,
        clock,
        manager: actor(&[Role::DirectoryManager]),
        statements: AtomicU8::new(0),
    }
}

pub fn actor(roles: &[Role]) -> Actor {
    Actor {
        official: OfficialId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        session: SessionId::from_bytes([3; 16]),
        roles: roles.to_vec(),
        assurance: Assurance::SoftwareNative,
    }
}

pub fn name(en: &str, ur: &str) -> BilingualName {
    BilingualName { en: en.into(), ur: ur.into() }
}

impl Office {
    pub async fn unit(&self, parent: Option<&OrgUnit>, kind: UnitKind, en: &str, ur: &str) -> OrgUnit {
        let request = CreateUnitRequest { parent: parent.map(|p| p.unit), kind, name: name(en, ur) };
        self.directory.create_unit(&self.manager, request).await.expect("unit")
    }

    pub async fn post(&self, unit: OrgUnitId, en: &str, grade: u8) -> Post {
        let request = CreatePostRequest { unit, title: name(en, ""), grade };
        self.directory.create_post(&self.manager, request).await.expect("post")
    }

    pub async fn official(&self, username: &str, en: &str, ur: &str) -> Official {
        let request = CreateOfficialRequest { username: username.into(), name: name(en, ur), rank: name("", "") };
        self.directory.create_official(&self.manager, request).await.expect("official")
    }

    /// A statement as identity carries it out; nobody looks at signatures here.
    pub fn statement(&self, post: PostId, official: OfficialId, kind: AppointmentKind) -> Appointment {
        let (at, n) = (self.clock.now(), self.statements.fetch_add(1, Ordering::Relaxed));
        let not_after = if kind == AppointmentKind::Ended { at } else { at.plus(YEAR) };
        Appointment { realm: "test".into(), id: [n; 16], post, official, kind, not_before: at, not_after, at }
    }

    /// Identity's facts, not yet delivered.
    pub async fn signed(&self, statements: &[Appointment]) {
        let mut tx = self.db.begin().await.expect("tx");
        for one in statements {
            let statement = Signed::new(&Statement::Appointment(one.clone())).expect("encodes");
            let statement = statement.to_bytes().expect("encodes").into();
            let fact = AppointmentSigned { proposal: ProposalId::from_bytes([8; 16]), statement, at: self.clock.now() };
            outbox::append(&mut tx, AppointmentSigned::KIND, &fact, self.clock.now()).expect("a fact");
        }
        tx.commit().await.expect("commit");
    }

    /// The outbox consumer, as bin/server runs it.
    pub fn consumer(&self) -> OutboxConsumer {
        OutboxConsumer::new(self.db.clone(), Arc::new(Appointments(self.directory.clone())))
    }

    pub async fn takes_effect(&self, statement: Appointment) {
        self.signed(&[statement]).await;
        self.consumer().deliver().await.expect("delivered");
    }

    /// Appoints, or vacates from whoever holds the post.
    pub async fn appoint(&self, post: &Post, holder: Option<&Official>) -> Post {
        let statement = match holder {
            Some(holder) => self.statement(post.post, holder.official, AppointmentKind::Substantive),
            None => {
                let holder = self.directory.post(post.post).await.expect("post").holder.expect("held");
                self.statement(post.post, holder, AppointmentKind::Ended)
            }
        };
        self.takes_effect(statement).await;
        self.directory.post(post.post).await.expect("post")
    }

    pub async fn found(&self, query: &str) -> Vec<String> {
        let page = self.directory.search(query, Some(100), None).await.expect("search");
        page.officials.into_iter().map(|o| o.username).collect()
    }
}
