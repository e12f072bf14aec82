//! Background tasks: one token ends them all, and readiness knows when one has died.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The running background tasks. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    tasks: Arc<Mutex<Vec<(&'static str, JoinHandle<()>)>>>,
    stop: CancellationToken,
}

impl Jobs {
    /// Starts a task that runs until it sees the token cancelled.
    pub fn start<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> F,
    ) {
        let handle = tokio::spawn(task(self.stop.clone()));
        self.lock().push((name, handle));
    }

    /// Tasks that ended although nobody asked them to: they panicked.
    pub fn dead(&self) -> Vec<&'static str> {
        if self.stop.is_cancelled() {
            return Vec::new();
        }
        self.lock().iter().filter(|(_, task)| task.is_finished()).map(|(name, _)| *name).collect()
    }

    /// Ends all tasks; those that do not end within `patience` are aborted.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.lock());
        let deadline = tokio::time::Instant::now() + patience;
        for (name, mut task) in tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                tracing::warn!(job = name, "did not stop in time");
                task.abort();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(&'static str, JoinHandle<()>)>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_is_reported_dead_and_the_others_are_stopped() {
        let jobs = Jobs::default();
        jobs.start("good", |stop| async move { stop.cancelled().await });
        jobs.start("bad", |_| async { panic!("on purpose") });
        while jobs.dead().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(jobs.dead(), ["bad"]);
        jobs.stop(Duration::from_secs(60)).await;
        assert!(jobs.dead().is_empty());
    }
}
