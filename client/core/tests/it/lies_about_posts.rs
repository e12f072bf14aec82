//! A server that lies about who holds a post: each lie by name, and what the client says of it.

use crate::world::{Device, REALM, World};
use futures::executor::block_on;
use pakawaaz_base::{Bytes, Millis, OfficialId, OrgUnitId, PostId, ProposalId};
use pakawaaz_client::views::Standing;
use pakawaaz_contract::admin::{ApproveRequest, Proposal, ProposalKind, ProposalStatus};
use pakawaaz_contract::directory::{self, BilingualName, HeldPost, Official, OfficialPage, Post};
use pakawaaz_trust::{
    Appointment, AppointmentKind, DeviceSigner as _, SignLabel, Signed, SigningKey, Statement, verify,
};
use rand::RngCore as _;
use rand::rngs::OsRng;

const HOUR: i64 = 3_600_000;

struct Realm {
    world: World,
    first: Device,
    second: Device,
    /// Looks things up.
    clerk: Device,
    post: PostId,
}

impl Realm {
    fn new() -> Self {
        let mut world = World::new();
        let (first, second, clerk) = (world.official(), world.official(), world.official());
        Self { world, first, second, clerk, post: PostId::from_bytes([1; 16]) }
    }

    /// An appointment for an hour, signed `age` ms ago.
    fn appointment(&self, official: OfficialId, age: i64) -> Appointment {
        let at = Millis(self.world.now.get() - age);
        let mut id = [0; 16];
        OsRng.fill_bytes(&mut id);
        Appointment {
            realm: REALM.into(),
            id,
            post: self.post,
            official,
            kind: AppointmentKind::Substantive,
            not_before: at,
            not_after: Millis(at.0 + HOUR),
            at,
        }
    }

    fn ended(&self, official: OfficialId, age: i64) -> Appointment {
        let one = self.appointment(official, age);
        Appointment { kind: AppointmentKind::Ended, not_after: one.not_before, ..one }
    }

    fn signed_by(&self, one: &Appointment, by: &[(&Device, &SigningKey)]) -> directory::Appointment {
        let mut signed = Signed::new(&Statement::Appointment(one.clone())).unwrap();
        by.iter().for_each(|(device, key)| signed.sign_device(device.id, key).unwrap());
        directory::Appointment {
            official: one.official,
            kind: match one.kind {
                AppointmentKind::Substantive => directory::AppointmentKind::Substantive,
                AppointmentKind::Acting => directory::AppointmentKind::Acting,
                AppointmentKind::Ended => directory::AppointmentKind::Ended,
            },
            not_before: one.not_before,
            not_after: one.not_after,
            statement: signed.to_bytes().unwrap().into(),
        }
    }

    /// Signed by both administrators.
    fn signed(&self, one: &Appointment) -> directory::Appointment {
        self.signed_by(one, &[(&self.first, &self.first.key), (&self.second, &self.second.key)])
    }

    /// What the clerk sees when the server says this.
    fn shown(&self, holder: Option<OfficialId>, appointment: Option<directory::Appointment>) -> Option<Standing> {
        let post = Post {
            post: self.post,
            unit: OrgUnitId::from_bytes([2; 16]),
            title: BilingualName::default(),
            grade: 22,
            holder,
            held_since: None,
            appointment,
        };
        let page = serde_json::to_vec(&post).unwrap();
        self.world.server.borrow_mut().pages.insert(format!("/v1/directory/posts/{}", self.post), page);
        block_on(self.clerk.client.one_post(self.post)).unwrap().standing
    }

    fn says(&self, one: &Appointment) -> Option<Standing> {
        self.shown(Some(one.official), Some(self.signed(one)))
    }
}

fn somebody(n: u8) -> OfficialId {
    OfficialId::from_bytes([n; 16])
}

#[test]
fn the_truth_about_a_post_is_verified() {
    let realm = Realm::new();
    assert_eq!(realm.says(&realm.appointment(somebody(3), 0)), Some(Standing::Verified));
    assert_eq!(realm.shown(None, None), None, "a vacant post has no holder to judge");
    let acting = Appointment { kind: AppointmentKind::Acting, ..realm.appointment(somebody(4), 0) };
    assert_eq!(realm.says(&acting), Some(Standing::Verified));
}

#[test]
fn names_a_false_holder() {
    let realm = Realm::new();
    let one = realm.appointment(somebody(3), 0);
    let signed = realm.signed(&one);
    assert_eq!(realm.shown(Some(somebody(4)), Some(signed.clone())), Some(Standing::Unverified));
    let retold = directory::Appointment { official: somebody(4), ..signed.clone() };
    assert_eq!(realm.shown(Some(somebody(4)), Some(retold)), Some(Standing::Unverified));
    assert_eq!(realm.shown(Some(somebody(4)), None), Some(Standing::Unverified), "no statement at all");
    let noise = directory::Appointment { statement: Bytes(vec![1, 2, 3]), ..signed.clone() };
    assert_eq!(realm.shown(Some(somebody(3)), Some(noise)), Some(Standing::Unverified));
    let longer = directory::Appointment { not_after: Millis(one.not_after.0 * 2), ..signed };
    assert_eq!(realm.shown(Some(somebody(3)), Some(longer)), Some(Standing::Unverified), "another end than signed");
}

#[test]
fn appoints_without_two_administrators() {
    let realm = Realm::new();
    let one = realm.appointment(somebody(3), 0);
    let (first, second) = (&realm.first, &realm.second);
    let made_up = SigningKey::generate(&mut OsRng);
    for by in [&[(first, &first.key)][..], &[(first, &first.key), (second, &made_up)], &[]] {
        let shown = realm.shown(Some(one.official), Some(realm.signed_by(&one, by)));
        assert_eq!(shown, Some(Standing::Unverified));
    }
    // A forged statement is not remembered either: the true one, though signed earlier, is believed.
    assert_eq!(realm.says(&realm.appointment(somebody(4), 1000)), Some(Standing::Verified));
}

#[test]
fn shows_an_expired_appointment_as_current() {
    let realm = Realm::new();
    let one = realm.appointment(somebody(3), 0);
    assert_eq!(realm.says(&one), Some(Standing::Verified));
    realm.world.now.set(one.not_after.0);
    assert_eq!(realm.says(&one), Some(Standing::Expired));
    let other = Realm::new();
    assert_eq!(other.says(&other.appointment(somebody(4), HOUR * 2)), Some(Standing::Expired), "never seen before");
    let not_begun = Appointment { not_before: Millis(one.not_after.0 + HOUR), ..realm.appointment(somebody(5), 0) };
    let not_begun = Appointment { not_after: Millis(not_begun.not_before.0 + HOUR), ..not_begun };
    assert_eq!(realm.says(&not_begun), Some(Standing::Unverified));
}

#[test]
fn uses_a_statement_for_another_post() {
    let realm = Realm::new();
    let other = Appointment { post: PostId::from_bytes([9; 16]), ..realm.appointment(somebody(3), 0) };
    assert_eq!(realm.says(&other), Some(Standing::Unverified));
}

#[test]
fn brings_a_former_holder_back() {
    let realm = Realm::new();
    let (former, present) = (realm.appointment(somebody(3), 2000), realm.appointment(somebody(4), 1000));
    assert_eq!(realm.says(&former), Some(Standing::Verified));
    assert_eq!(realm.says(&present), Some(Standing::Verified));
    assert_eq!(realm.says(&former), Some(Standing::Outdated));
    // The end of the present holder's time is remembered as well.
    assert_eq!(realm.shown(None, Some(realm.signed(&realm.ended(somebody(4), 500)))), None);
    assert_eq!(realm.says(&present), Some(Standing::Outdated));
    assert_eq!(realm.says(&realm.appointment(somebody(4), 0)), Some(Standing::Verified), "appointed again");
}

#[test]
fn shows_the_end_of_somebody_elses_time() {
    let realm = Realm::new();
    let present = realm.appointment(somebody(4), 1000);
    assert_eq!(realm.says(&present), Some(Standing::Verified));
    let other = realm.ended(somebody(3), 0);
    assert_eq!(realm.shown(Some(somebody(3)), Some(realm.signed(&other))), Some(Standing::Unverified));
    assert_eq!(realm.says(&present), Some(Standing::Verified), "it says nothing about the present holder");
}

#[test]
fn lists_two_holders_of_one_post() {
    let realm = Realm::new();
    let (former, present) = (realm.appointment(somebody(3), 2000), realm.appointment(somebody(4), 1000));
    let official = |one: &Appointment| Official {
        official: one.official,
        username: "x".into(),
        name: BilingualName::default(),
        rank: BilingualName::default(),
        posts: vec![HeldPost {
            post: one.post,
            title: BilingualName::default(),
            units: Vec::new(),
            grade: 22,
            appointment: Some(realm.signed(one)),
        }],
    };
    let page = OfficialPage { officials: vec![official(&former), official(&present)], next: None };
    let page = serde_json::to_vec(&page).unwrap();
    realm.world.server.borrow_mut().pages.insert("/v1/directory/officials".into(), page);
    let found = block_on(realm.clerk.client.find("x", 10, None)).unwrap().officials;
    let standings: Vec<_> = found.iter().map(|o| o.posts[0].standing).collect();
    assert_eq!(standings, [Standing::Outdated, Standing::Verified]);
    // Without the server the same is known, and nothing of who was never seen.
    realm.world.server.borrow_mut().pages.clear();
    let remembered = |n| block_on(realm.clerk.client.remembered_official(somebody(n))).unwrap();
    assert_eq!(remembered(3).unwrap().posts[0].standing, Standing::Outdated);
    assert_eq!(remembered(4).unwrap().posts[0].standing, Standing::Verified);
    assert_eq!(remembered(5), None);
}

#[test]
fn shows_one_proposal_and_has_another_signed() {
    let realm = Realm::new();
    let statement = |official| {
        let mut signed = Signed::new(&Statement::Appointment(realm.appointment(official, 0))).unwrap();
        signed.sign_device(realm.first.id, &realm.first.key).unwrap();
        signed
    };
    let (honest, swapped) = (statement(somebody(3)), statement(somebody(4)));
    let proposal = |signed: &Signed| Proposal {
        proposal: ProposalId::from_bytes([5; 16]),
        kind: ProposalKind::Appointments,
        status: ProposalStatus::Open,
        proposed_by: realm.first.official,
        approved_by: Vec::new(),
        proposed_at: Millis(0),
        statements: vec![signed.to_bytes().unwrap().into()],
    };
    let shown = proposal(&honest);
    {
        let mut server = realm.world.server.borrow_mut();
        let list = serde_json::json!({ "proposals": [proposal(&swapped)] });
        server.pages.insert("/v1/admin/proposals".into(), serde_json::to_vec(&list).unwrap());
        let path = format!("/v1/admin/proposals/{}/approve", shown.proposal);
        server.pages.insert(path, serde_json::to_vec(&shown).unwrap());
    }
    block_on(realm.second.client.approve(&shown)).unwrap();
    let sent = realm.world.server.borrow().sent.last().unwrap().1.clone();
    let request: ApproveRequest = serde_json::from_slice(&sent).unwrap();
    let key = realm.second.key.public_key();
    assert!(verify(&key, SignLabel::Statement, &honest.payload, &request.signatures[0]).is_ok());
    assert!(verify(&key, SignLabel::Statement, &swapped.payload, &request.signatures[0]).is_err());
}
