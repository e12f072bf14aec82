//! An official's own sessions, and the own cards with their phones.

use crate::MIGRATIONS;
use crate::world::{NOW, World, card};
use async_trait::async_trait;
use pakawaaz_aka::{AKid, UaStar};
use pakawaaz_base::SessionId;
use pakawaaz_contract::admin::Subject;
use pakawaaz_contract::directory::BilingualName;
use pakawaaz_contract::identity::MyPhone;
use pakawaaz_identity::Error;
use pakawaaz_identity::ports::{NetworkPhone, PhoneKey, Phones, SeenPhone};
use pakawaaz_storesuite::store_test;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

store_test!(an_official_sees_and_ends_own_sessions_only, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let list = world.identity.sessions_of(&first.actor()).await.unwrap().sessions;
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].session, list[0].device), (first.tokens().session, first.device));
    assert_eq!(list[0].ends_at, first.tokens().session_ends_at);

    // Somebody else's session is no session for the caller, and goes on.
    let denied = world.identity.end_session(&first.actor(), second.tokens().session).await;
    assert_eq!(denied, Err(Error::NotFound("session")));
    let unknown = SessionId::from_bytes([9; 16]);
    assert_eq!(world.identity.end_session(&first.actor(), unknown).await, Err(Error::NotFound("session")));
    world.authenticate(&second).await.unwrap();

    world.identity.end_session(&first.actor(), first.tokens().session).await.unwrap();
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
    assert!(world.closed.0.lock().unwrap().iter().any(|(device, _)| *device == first.device), "its socket closes");
    assert!(world.facts().await.iter().any(|kind| kind == "identity.session_ended"));
    assert!(world.identity.sessions_of(&first.actor()).await.unwrap().sessions.is_empty());
    // Ending it again changes nothing.
    world.identity.end_session(&first.actor(), first.tokens().session).await.unwrap();
    world.pass(Duration::from_secs(1)).await;
    world.authenticate(&second).await.unwrap();
});

fn block_c() -> BilingualName {
    BilingualName { en: "Block C".into(), ur: "بلاک سی".into() }
}

/// A network with one phone, or one that cannot say.
struct Network(Mutex<Option<String>>);

#[async_trait]
impl Phones for Network {
    async fn application_key(&self, _: &AKid, _: &str, _: UaStar) -> Option<PhoneKey> {
        None
    }

    async fn at(&self, _: IpAddr) -> Option<SeenPhone> {
        None
    }

    async fn phone(&self, imsi: &str) -> Result<Option<NetworkPhone>, Error> {
        let there = self.0.lock().unwrap().clone().ok_or(Error::Busy)?;
        let (place, area) = (Some(block_c()), None);
        let phone = NetworkPhone { equipment: None, cell: 0x1001, place, tac: 7, area, since: NOW, seen: NOW };
        Ok((imsi == there).then_some(phone))
    }
}

store_test!(an_official_sees_where_the_own_phone_is_and_nobody_elses, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let person = world.person((&first, &second), 3, "amna.khan").await;
    let network = Arc::new(Network(Mutex::new(Some(card(3).imsi.as_str().to_owned()))));
    let alone = world.identity.cards_of(&person.actor()).await.unwrap();
    assert_eq!((alone.network, alone.cards.len(), &alone.cards[0].phone), (false, 1, &None), "there is no network yet");
    world.identity.connect(network.clone());
    let mine = world.identity.cards_of(&person.actor()).await.unwrap().cards;
    assert_eq!((mine.len(), mine[0].iccid.as_str(), mine[0].status.as_str()), (1, card(3).iccid.as_str(), "bound"));
    let (cell, place) = ("000001001".into(), Some(block_c()));
    let phone = MyPhone { cell, place, tac: 7, area: None, since: NOW, seen: NOW, equipment: None };
    assert_eq!(mine[0].phone, Some(phone));

    // The other one's card is another one, and its phone is switched off.
    let others = world.identity.cards_of(&second.actor()).await.unwrap().cards;
    assert_eq!((others.len(), &others[0].phone), (1, &None));
    assert_ne!(others[0].sim, mine[0].sim);

    world.identity.suspend(&second.actor(), Subject::Sim(mine[0].sim)).await.unwrap();
    let mine = world.identity.cards_of(&person.actor()).await.unwrap().cards;
    assert_eq!(mine[0].status, "suspended");
    assert!(world.identity.cards_of(&person.actor()).await.unwrap().network);
    *network.0.lock().unwrap() = None;
    assert_eq!(world.identity.cards_of(&person.actor()).await.err(), Some(Error::Busy));
});
