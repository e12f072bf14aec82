//! gNBs that are on the list and mean harm, end to end: without a phone's keys they end nobody's login, proven by the card or
//! by the phone, whatever they say, keep back, repeat or break.

use crate::akma::Terminal;
use crate::cellular_support::{Listening, Site, plmn};
use pakawaaz_harness::Person;
use pakawaaz_ransim::gnb::{GnbEvent, PhoneId};
use pakawaaz_ransim::hostile;
use pakawaaz_ransim::phone::{Effect, Event, Io, Phone};
use pakawaaz_ransim::world::{GnbId, Happened, N2Wire as _};

/// Where the victims are.
const HOME: GnbId = GnbId(0);
/// The other one. Both are hostile.
const AWAY: GnbId = GnbId(1);
const TAC: u32 = 1;

/// What a phone says when it is called, as its gNB hears it; passed on to the core, or kept back.
fn said(site: &mut Site, phone: PhoneId, passed_on: bool, call: impl FnOnce(&mut Phone, &mut Io<'_>)) -> Vec<u8> {
    let now = site.now();
    let heard = site.radio.with_phone(phone, now, |phone, io| {
        call(phone, io);
        let heard = io.out.iter().find_map(|effect| match effect {
            Effect::Send(nas) | Effect::Connect { nas, .. } => Some(nas.clone()),
            _ => None,
        });
        if !passed_on {
            io.out.retain(|effect| matches!(effect, Effect::Event(_)));
        }
        heard
    });
    heard.flatten().expect("it says something")
}

/// Two gNBs with a phone of their own each, by which the core's answers show that it has read all before.
struct Hostile {
    helpers: [(GnbId, PhoneId); 2],
    next_ran: u32,
}

impl Hostile {
    async fn settle(site: &mut Site) -> Self {
        assert_eq!(site.gnb(2).await, AWAY);
        let (first, second) = (site.world.first.clone(), site.world.second.clone());
        let helpers = [(HOME, site.phone(&first, HOME).await), (AWAY, site.phone(&second, AWAY).await)];
        for (_, helper) in helpers {
            site.idle(helper).await;
        }
        Self { helpers, next_ran: 1000 }
    }

    /// One NAS message in every way in which gNBs can carry it: as the first of a new connection, on the victim's own
    /// connection, and from elsewhere with that connection's numbers.
    fn carry(&mut self, site: &mut Site, victim: PhoneId, nas: &[u8]) {
        let ids = site.radio.gnbs()[0].ngap_ids(victim);
        for gnb in [HOME, AWAY] {
            let id = site.radio.gnbs()[gnb.0 as usize].config().id;
            self.next_ran += 1;
            site.radio.wire.send(gnb, 1, hostile::gnb::initial(plmn(), id, TAC, self.next_ran, nas.to_vec()));
            if let Some((ran, Some(amf))) = ids {
                site.radio.wire.send(gnb, 1, hostile::gnb::uplink(plmn(), id, TAC, amf, ran, nas.to_vec()));
            }
        }
    }

    /// The core has read everything that these gNBs have said.
    async fn heard(&self, site: &mut Site, gnbs: &[GnbId]) {
        for (gnb, helper) in self.helpers {
            if gnbs.contains(&gnb) {
                site.service(helper).await;
                site.idle(helper).await;
            }
        }
    }
}

/// A phone whose radio is gone, whatever it was told; then it is in service at this gNB. What happened to it meanwhile.
async fn connected_anew(site: &mut Site, phone: PhoneId, gnb: GnbId) -> Vec<Event> {
    let now = site.now();
    site.radio.move_phone(phone, gnb, now);
    site.service(phone).await
}

/// The victims' logins.
struct Logins<'a>([(&'a Person, Listening); 2]);

impl Logins<'_> {
    fn go_on(&mut self, site: &Site, after: &str) {
        for (owner, listening) in &mut self.0 {
            assert!(site.seen(owner).is_some(), "registered after {after}");
            assert!(listening.goes_on(), "logged in after {after}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_gnbs_end_no_login_by_card_or_by_phone() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    let terminal = Terminal::of(&ayesha, &bilal);
    let mut hostile = Hostile::settle(&mut site).await;

    // Goodbyes that were meant and heard, of the phones' earlier registrations. The gNB has kept a copy.
    let phones = [site.phone(&ayesha, HOME).await, site.phone(&bilal, HOME).await];
    let mut recorded = Vec::new();
    for (phone, owner) in phones.into_iter().zip([&ayesha, &bilal]) {
        recorded.push(said(&mut site, phone, true, Phone::deregister));
        site.until_phone(phone, |event| matches!(event, Event::Deregistered(_))).await;
        while site.seen(owner).is_some() {
            tokio::task::yield_now().await;
        }
        while site.radio.phone(phone).unwrap().is_connected() {
            site.radio.wire.wait().await;
            let now = site.now();
            site.radio.step(now);
        }
        let now = site.now();
        site.radio.register(phone, now);
        site.until_phone(phone, |event| matches!(event, Event::SessionUp { .. })).await;
    }
    // One is logged in by her phone, the other by his card.
    terminal.offer(&site, phones[0]);
    assert!(terminal.phone_is_enough());
    bilal.ok(&["login"]);
    let mut logins = Logins([(&ayesha, Listening::start(&ayesha)), (&bilal, Listening::start(&bilal))]);

    // Plain, and what was genuine once.
    for (phone, recorded) in phones.into_iter().zip(&recorded) {
        let guti = site.radio.phone(phone).unwrap().guti().expect("a name");
        for message in hostile::nas::plain_for(guti) {
            hostile.carry(&mut site, phone, &message);
        }
        hostile.carry(&mut site, phone, &hostile::nas::replay(recorded));
        hostile.carry(&mut site, phone, &hostile::nas::wrong_mac(recorded));
    }
    hostile.heard(&mut site, &[HOME, AWAY]).await;
    logins.go_on(&site, "plain messages and repeated goodbyes");

    // A goodbye that nobody has heard, under the keys in use: changed in any part it is none. What a connected phone says is
    // ciphered; what an idle one says can be read by everybody.
    for idle in [false, true] {
        let mut kept_back = Vec::new();
        for phone in phones {
            if idle {
                site.idle(phone).await;
            }
            let goodbye = said(&mut site, phone, false, Phone::power_off);
            hostile.carry(&mut site, phone, &hostile::nas::wrong_mac(&goodbye));
            hostile.carry(&mut site, phone, &hostile::nas::wrong_count(&goodbye));
            // Not in the first two octets, which no MAC covers: with other spare bits there it would still be the phone's own
            // goodbye.
            for changed in hostile::nas::bit_flips(&goodbye).skip(16).step_by(7) {
                hostile.carry(&mut site, phone, &changed);
            }
            kept_back.push(goodbye);
        }
        hostile.heard(&mut site, &[HOME, AWAY]).await;
        logins.go_on(&site, "forged goodbyes");
        // The phones are switched on again, and only now it is played, as it was said.
        for (phone, goodbye) in phones.into_iter().zip(&kept_back) {
            let now = site.now();
            site.radio.power_on(phone, now);
            site.until_phone(phone, |event| matches!(event, Event::SessionUp { .. })).await;
            hostile.carry(&mut site, phone, goodbye);
        }
        hostile.heard(&mut site, &[HOME, AWAY]).await;
        logins.go_on(&site, "goodbyes that were kept back");
    }

    // The interface: contexts released, refused and reset, by another gNB and by their own.
    for phone in phones {
        site.idle(phone).await;
        site.service(phone).await;
        let (ran, amf) = site.radio.gnbs()[0].ngap_ids(phone).expect("connected");
        for gnb in [AWAY, HOME] {
            let id = site.radio.gnbs()[gnb.0 as usize].config().id;
            let amf = amf.expect("known to the core");
            let pdus = hostile::gnb::foreign_ids(plmn(), id, TAC, amf, ran);
            for pdu in pdus.into_iter().chain(hostile::gnb::out_of_order(amf, ran)) {
                site.radio.wire.send(gnb, 1, pdu);
            }
        }
    }
    hostile.heard(&mut site, &[HOME, AWAY]).await;
    logins.go_on(&site, "released contexts");
    // With connections that there are: all before has ended them.
    for phone in phones {
        connected_anew(&mut site, phone, HOME).await;
    }
    site.radio.wire.send(HOME, 0, hostile::gnb::reset_all());
    site.until(|happened| matches!(happened, Happened::Gnb(HOME, GnbEvent::ResetAcknowledged))).await;
    logins.go_on(&site, "a reset");
    for phone in phones {
        connected_anew(&mut site, phone, HOME).await;
    }
    site.radio.wire.lose(HOME);
    site.until(|happened| matches!(happened, Happened::Gnb(HOME, GnbEvent::Lost))).await;
    hostile.heard(&mut site, &[AWAY]).await;
    logins.go_on(&site, "a gNB that is gone");

    // The phones come back elsewhere with one service request each.
    for phone in phones {
        let events = connected_anew(&mut site, phone, AWAY).await;
        assert!(!events.iter().any(|event| matches!(event, Event::Registered { .. })), "{events:?}");
    }
    logins.go_on(&site, "everything");
    // What the phone shares with its network is as good as before, and so are the tokens of both.
    drop(logins);
    ayesha.ok(&["find", "a"]);
    bilal.ok(&["find", "a"]);
    terminal.offer(&site, phones[0]);
    assert!(terminal.phone_is_enough());

    // And the test can tell: the very same words of the phones themselves end both.
    for (phone, owner) in phones.into_iter().zip([&ayesha, &bilal]) {
        let mut listening = Listening::start(owner);
        said(&mut site, phone, true, Phone::power_off);
        listening.ended().await;
    }
    assert!(!terminal.phone_is_enough());
}
