//! Questions about phones that wait until the user plane has said what their sessions have carried.

use super::core::UePage;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_user_plane::rules::{REPORTED_AT_ONCE, SessionRef, UserPlaneRequest};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Questions that may wait; more are answered with what is known.
const MOST: usize = 64;
/// How long one waits for a user plane that is busy; then it is answered with what is known.
const PATIENCE: Duration = Duration::from_secs(1);

/// A question about registered phones.
pub(crate) struct Question {
    pub only: Option<Imsi>,
    pub after: Option<Imsi>,
    pub limit: usize,
    pub reply: oneshot::Sender<UePage>,
}

/// Those that wait, by the number that the user plane's answer will have: the first one has waited longest.
#[derive(Default)]
pub(super) struct Reports {
    next: u64,
    waiting: BTreeMap<u64, (Question, Instant)>,
}

impl Reports {
    /// Has a question wait, and gives what the user plane is to be asked; the question itself when too many wait.
    pub(super) fn wait(
        &mut self,
        question: Question,
        sessions: &[SessionRef],
        now: Instant,
    ) -> Result<Vec<UserPlaneRequest>, Question> {
        if self.waiting.len() >= MOST {
            return Err(question);
        }
        let mut requests = Vec::new();
        for some in sessions.chunks(REPORTED_AT_ONCE) {
            self.next += 1;
            requests.push(UserPlaneRequest::Report { number: self.next, sessions: some.to_vec() });
        }
        // Answers come in order, so the last one is the last.
        self.waiting.insert(self.next, (question, now + PATIENCE));
        Ok(requests)
    }

    /// The user plane has answered.
    pub(super) fn answered(&mut self, number: u64) -> Option<Question> {
        self.waiting.remove(&number).map(|(question, _)| question)
    }

    /// When the first one has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, (_, until))| *until)
    }

    /// Those that have waited long enough.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Question> {
        let mut late = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|first| first.get().1 <= now) {
            late.push(first.remove().0);
        }
        late
    }

    /// Nobody will answer any more.
    pub(super) fn all(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.waiting).into_values().map(|(question, _)| question).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question { only: None, after: None, limit: 1, reply: oneshot::channel().0 }
    }

    #[tokio::test]
    async fn a_question_waits_for_the_last_answer_or_until_it_is_late() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        let sessions = vec![SessionRef(1); REPORTED_AT_ONCE + 1];
        let asked = reports.wait(question(), &sessions, now).ok().unwrap();
        assert_eq!(asked.len(), 2, "a frame is not large enough");
        assert!(reports.answered(1).is_none() && reports.answered(2).is_some() && reports.answered(2).is_none());
        reports.wait(question(), &sessions[..1], now).ok().unwrap();
        assert!(reports.late(now).is_empty());
        assert_eq!(reports.late(reports.deadline().unwrap()).len(), 1);
        assert!(reports.deadline().is_none());
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        for _ in 0..MOST {
            assert!(reports.wait(question(), &[SessionRef(1)], now).is_ok());
        }
        assert!(reports.wait(question(), &[SessionRef(1)], now).is_err());
        assert_eq!(reports.all().len(), MOST);
    }
}
