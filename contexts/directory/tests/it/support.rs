//! A directory over a fresh database, and shorthands.

use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, DeviceId, Millis, OfficialId, OrgUnitId, Role, SessionId};
use pakawaaz_contract::directory::{
    AppointRequest, BilingualName, CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, Official, OrgUnit,
    Post, UnitKind,
};
use pakawaaz_directory::Directory;
use pakawaaz_storage::{Db, Migration};
use std::sync::{Arc, LazyLock};

/// Both schemas.
pub static MIGRATIONS: LazyLock<Vec<Migration>> =
    LazyLock::new(|| [pakawaaz_audit::MIGRATIONS, pakawaaz_directory::MIGRATIONS].concat());

pub struct Office {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub directory: Directory,
    pub manager: Actor,
}

pub fn office(db: Db) -> Office {
    let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_000)));
    Office {
        directory: Directory::new(db.clone(), clock.clone()),
        db,
        clock,
        manager: actor(&[Role::DirectoryManager]),
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

    pub async fn appoint(&self, post: &Post, holder: Option<&Official>) -> Post {
        let request = AppointRequest { holder: holder.map(|h| h.official) };
        self.directory.appoint(&self.manager, post.post, request).await.expect("appointment")
    }

    pub async fn found(&self, query: &str) -> Vec<String> {
        let page = self.directory.search(query, Some(100), None).await.expect("search");
        page.officials.into_iter().map(|o| o.username).collect()
    }
}
