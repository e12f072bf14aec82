//! Changes of profiles reach the core that runs here, whoever wrote them and whatever it did at that moment.
//!
//! Whoever writes one tells the core of the same process at once (`Cellular::set_subscriber`). That is not enough: the core may
//! run on another node, be just beginning, or have no time to listen; and a phone that is being authenticated has the profile
//! that was read before. So the core is told again what the database says now: of every profile when it begins, of a changed one
//! in a second, and of each once more when no authentication can be under way that read the older one.

use crate::runner::Ask;
use crate::{Cellular, CellularError, store};
use pakawaaz_base::{Millis, StableError as _};
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::io::Command;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bounds the delay of a change that another node has written.
const POLL: Duration = Duration::from_millis(500);
/// Profiles of one step.
const AT_ONCE: i64 = 256;
/// When the core is told of a change again. An authentication waits at most for the home network twice (9 s each) and for the
/// phone ten times (T3560, 6 s).
const AGAIN: [Duration; 3] = [Duration::from_secs(10), Duration::from_secs(40), Duration::from_secs(120)];

/// What the core knows.
#[derive(Default)]
struct Told {
    /// Which core: a new one knows what was kept of each phone.
    core: u64,
    /// The last change that it was told of.
    seen: i64,
    again: BTreeSet<(Millis, Imsi)>,
}

/// Runs until `stop`.
pub async fn run(cellular: Cellular, stop: CancellationToken) {
    let mut told = Told::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        match step(&cellular, &mut told).await {
            Ok(()) | Err(CellularError::Off | CellularError::Standby) => {}
            Err(error) => tracing::warn!(code = error.code(), "the core was not told of profiles; will retry"),
        }
    }
}

async fn step(cellular: &Cellular, told: &mut Told) -> Result<(), CellularError> {
    let core = cellular.inner.cores.load(Ordering::Relaxed);
    cellular.core()?;
    if core != told.core {
        *told = Told { core, ..Told::default() };
    }
    let changed = store::subscribers::changed(cellular.inner.db.read().await?.conn(), told.seen, AT_ONCE).await?;
    for (change, imsi) in changed {
        tell(cellular, imsi).await?;
        told.seen = change;
        let now = cellular.now();
        told.again.extend(AGAIN.map(|later| (now.plus(later), imsi)));
    }
    while let Some(first) = told.again.first().copied().filter(|(due, _)| *due <= cellular.now()) {
        tell(cellular, first.1).await?;
        told.again.remove(&first);
    }
    Ok(())
}

/// What the database says now. A card that is blocked is cut instead (`follow`), which ends what it has proven as well.
async fn tell(cellular: &Cellular, imsi: Imsi) -> Result<(), CellularError> {
    let subscription = match cellular.subscription(&imsi).await {
        // One that cannot be read holds up no other. Its card is refused when it is authenticated.
        Err(CellularError::Damaged) => {
            tracing::error!("the profile of a card cannot be read");
            return Ok(());
        }
        read => Arc::new(read?),
    };
    if subscription.blocked {
        return Ok(());
    }
    cellular.ask(|done| Ask::Command(Command::Subscription { imsi, subscription }, done)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Standing;
    use crate::{DrawnVector, HomeNetwork};
    use pakawaaz_base::time::ManualClock;
    use pakawaaz_base::{Actor, Assurance, DeviceId, OfficialId, Role, SessionId};
    use pakawaaz_contract::cellular::{CellularProfile, CellularSubscriber};
    use pakawaaz_control_plane::io::{VaultRefusal, VaultRequest};
    use pakawaaz_login::SealKey;
    use pakawaaz_storage::Db;
    use pakawaaz_storesuite::Engine;
    use std::sync::Mutex;
    use tokio::sync::mpsc;

    const IMSI: &str = "001010000000001";

    struct Nobody;

    #[async_trait::async_trait]
    impl HomeNetwork for Nobody {
        async fn vector(&self, _: VaultRequest) -> Result<DrawnVector, VaultRefusal> {
            Err(VaultRefusal::Unknown)
        }
    }

    async fn node(db: &Db, clock: &Arc<ManualClock>) -> Cellular {
        Cellular::start(db.clone(), clock.clone(), SealKey::new([7; 32]), Arc::new(Nobody)).await.unwrap()
    }

    /// What a core was told: the equipment that the card may be in.
    type Heard = Arc<Mutex<Vec<Vec<String>>>>;

    fn take(heard: &Heard) -> Vec<Vec<String>> {
        std::mem::take(&mut heard.lock().unwrap())
    }

    /// A core begins here; it has no time for the first `deaf` questions.
    fn begin(cellular: &Cellular, mut deaf: u32) -> Heard {
        let (asks, mut asked) = mpsc::channel(8);
        let heard = Heard::default();
        let to = heard.clone();
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                let Ask::Command(Command::Subscription { subscription, .. }, done) = ask else { panic!("no other") };
                if deaf > 0 {
                    deaf -= 1;
                    continue;
                }
                to.lock().unwrap().push(subscription.equipment.iter().map(ToString::to_string).collect());
                let _ = done.send(());
            }
        });
        cellular.set_core(Standing::Active(asks));
        heard
    }

    async fn write(cellular: &Cellular, equipment: &str, blocked: bool) {
        let actor = Actor {
            official: OfficialId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            session: SessionId::from_bytes([3; 16]),
            roles: vec![Role::Administrator],
            assurance: Assurance::SoftwareNative,
        };
        let profile = CellularProfile { equipment: vec![equipment.into()], blocked, ..CellularProfile::default() };
        cellular.set_subscriber(&actor, &CellularSubscriber { imsi: IMSI.into(), profile }).await.unwrap();
    }

    const ONE: &str = "35000000000001";
    const OTHER: &str = "35000000000002";

    fn run<F: Future<Output = ()>>(test: impl Fn(Db, Arc<ManualClock>) -> F) {
        let migrations = [pakawaaz_audit::MIGRATIONS, crate::MIGRATIONS].concat();
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let clock = Arc::new(ManualClock::at(Millis(1_800_000_000_000)));
            pakawaaz_storesuite::run(engine, &migrations, |db| test(db, clock.clone()));
        }
    }

    #[test]
    fn what_another_node_has_written_reaches_the_core_once_it_has_time() {
        run(|db, clock| async move {
            let (active, standby) = (node(&db, &clock).await, node(&db, &clock).await);
            standby.set_core(Standing::Standby);
            let (heard, mut told) = (begin(&active, 1), Told::default());
            step(&active, &mut told).await.unwrap();
            write(&standby, ONE, false).await;
            step(&active, &mut told).await.expect_err("it did not listen");
            step(&active, &mut told).await.unwrap();
            assert_eq!(take(&heard), [[ONE]]);
            step(&active, &mut told).await.unwrap();
            assert!(take(&heard).is_empty(), "once");
            write(&standby, OTHER, false).await;
            step(&active, &mut told).await.unwrap();
            assert_eq!(take(&heard), [[OTHER]]);
        });
    }

    #[test]
    fn a_core_that_begins_is_told_of_every_profile() {
        run(|db, clock| async move {
            let (cellular, mut told) = (node(&db, &clock).await, Told::default());
            write(&cellular, ONE, false).await;
            for _ in 0..2 {
                let heard = begin(&cellular, 0);
                step(&cellular, &mut told).await.unwrap();
                assert_eq!(take(&heard), [[ONE]]);
            }
        });
    }

    #[test]
    fn a_phone_that_was_being_authenticated_gets_the_newer_profile_in_the_end() {
        run(|db, clock| async move {
            let (active, other) = (node(&db, &clock).await, node(&db, &clock).await);
            let (heard, mut told) = (begin(&active, 0), Told::default());
            step(&active, &mut told).await.unwrap();
            write(&other, ONE, false).await;
            step(&active, &mut told).await.unwrap();
            assert_eq!(take(&heard), [[ONE]]);
            for seconds in [10, 30, 80] {
                clock.advance(Duration::from_secs(seconds - 1));
                step(&active, &mut told).await.unwrap();
                assert!(take(&heard).is_empty());
                clock.advance(Duration::from_secs(1));
                step(&active, &mut told).await.unwrap();
                assert_eq!(take(&heard), [[ONE]]);
            }
            assert!(told.again.is_empty());
        });
    }

    #[test]
    fn a_change_between_the_begin_and_the_first_look_is_told_again() {
        run(|db, clock| async move {
            let (active, other) = (node(&db, &clock).await, node(&db, &clock).await);
            let (heard, mut told) = (begin(&active, 0), Told::default());
            write(&other, ONE, false).await;
            step(&active, &mut told).await.unwrap();
            assert_eq!(take(&heard), [[ONE]]);
            clock.advance(Duration::from_secs(10));
            step(&active, &mut told).await.unwrap();
            assert_eq!(take(&heard), [[ONE]], "an authentication of this core may have read the older one");
        });
    }

    #[test]
    fn a_damaged_profile_holds_up_no_other() {
        run(|db, clock| async move {
            let (active, other) = (node(&db, &clock).await, node(&db, &clock).await);
            let (heard, mut told) = (begin(&active, 0), Told::default());
            let mut tx = db.begin().await.unwrap();
            sqlx::query("UPDATE cellular_profile_change SET number = number + 1").execute(tx.conn()).await.unwrap();
            sqlx::query("INSERT INTO cellular_subscriber (imsi, profile, changed_at, change) VALUES ('001010000000009', '?', 0, 2)")
                .execute(tx.conn()).await.unwrap();
            tx.commit().await.unwrap();
            write(&other, ONE, false).await;
            for _ in 0..3 {
                let _ = step(&active, &mut told).await;
            }
            assert_eq!(take(&heard), [[ONE]]);
        });
    }

    /// Its phone would leave as any other, and what the card has proven would not end.
    #[test]
    fn a_blocked_card_is_left_to_whoever_cuts_it() {
        run(|db, clock| async move {
            let (active, other) = (node(&db, &clock).await, node(&db, &clock).await);
            let (heard, mut told) = (begin(&active, 0), Told::default());
            write(&other, ONE, true).await;
            step(&active, &mut told).await.unwrap();
            assert!(take(&heard).is_empty());
        });
    }
}
