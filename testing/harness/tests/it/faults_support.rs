//! What the tests of faults share.

use pakawaaz_harness::World;
use pakawaaz_storage::{Db, StorageOptions};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Dice that fall the same way in every run.
pub fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Runs on this thread, as every shell of the client does.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future)
}

/// The audit chain verifies, the server ends in order, and its database passes the integrity check.
pub fn audit_and_database_are_sound(world: &mut World) {
    assert_eq!(world.first.ok(&["admin", "audit"])["verified"], true);
    assert_eq!(world.server.terminate(), Some(0));
    let url = format!("sqlite://{}", world.data().join("pakawaaz.db").display());
    block_on(async {
        let db = Db::open(&url, &StorageOptions::default()).await.unwrap();
        db.integrity_check().await.unwrap();
        db.close().await;
    });
}
