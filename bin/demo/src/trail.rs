//! How far a message of ours has come, step by step with the time of each.

use crate::output::{shortened, span};
use pakawaaz_client::views::MessageStatus;
use std::time::Duration;

/// A status in a sign and a word: colour or sign alone would exclude people.
pub fn label(status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Queued => "○ queued",
        MessageStatus::Sent => "✓ sent",
        MessageStatus::Delivered => "✓✓ delivered",
        MessageStatus::Read => "● read",
        MessageStatus::Failed => "✗ failed",
    }
}

/// The steps of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    text: String,
    steps: Vec<(MessageStatus, Duration)>,
}

impl Trail {
    /// A message that has just been queued.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), steps: vec![(MessageStatus::Queued, Duration::ZERO)] }
    }
    /// The last step.
    pub fn status(&self) -> MessageStatus {
        self.steps.last().map_or(MessageStatus::Queued, |(status, _)| *status)
    }
    /// Takes the next step, `after` so long. Whether it was news: a status never goes back.
    pub fn reach(&mut self, status: MessageStatus, after: Duration) -> bool {
        let news = status > self.status();
        if news {
            self.steps.push((status, after));
        }
        news
    }
    /// All steps in one line.
    pub fn line(&self) -> String {
        let steps = self.steps.iter().map(|(status, after)| match status {
            MessageStatus::Queued => label(*status).to_owned(),
            _ => format!("{} {}", label(*status), span(*after)),
        });
        format!("      {}", steps.collect::<Vec<_>>().join("   "))
    }
    /// The last step alone, for when other lines came between.
    pub fn last(&self) -> String {
        let after = self.steps.last().map_or(Duration::ZERO, |(_, after)| *after);
        format!("      {} {}: “{}”", label(self.status()), span(after), shortened(&self.text, 40))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up_and_never_go_back() {
        let mut trail = Trail::new("a message that is much longer than fits into a quotation here");
        assert!(trail.reach(MessageStatus::Sent, Duration::from_millis(9)));
        assert!(!trail.reach(MessageStatus::Sent, Duration::from_millis(10)));
        assert!(trail.reach(MessageStatus::Read, Duration::from_millis(900)));
        assert!(!trail.reach(MessageStatus::Delivered, Duration::from_millis(901)));
        assert_eq!(trail.line().trim(), "○ queued   ✓ sent 9 ms   ● read 900 ms");
        assert!(trail.last().contains("● read 900 ms: “a message that is much"), "{}", trail.last());
    }
}
