//! Long conversations, for measurements: as many lines as somebody gathers in years, made in seconds.

use crate::records::{Line, LineRecord, MessageRecord, Mode};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, MessageId, Millis, OfficialId};
use std::collections::VecDeque;
use std::time::Duration;

/// Messages stored in one batch.
const BATCH: u64 = 1000;
/// Between two messages of [`Client::long_conversation`]: 100,000 make three years.
const APART: Duration = Duration::from_secs(950);
/// Every so many messages answer another.
const ANSWERS: u64 = 8;
/// What they answer was said so many messages before, or halfway in a shorter conversation.
const ANSWERED: u64 = 50_000;

/// Sentences of different lengths and directions, so that rows have the heights that rows have.
const SAID: [&str; 7] = [
    "Noted, thank you.",
    "مسودہ منظور ہو گیا ہے، دستخط کے لیے بھیج دیجیے۔",
    "Please find the revised estimate for the second quarter. The grant for the northern districts has been moved to \
     the next heading, as the Finance Division asked; the total is unchanged.",
    "Yes.",
    "اجلاس کل صبح دس بجے کمیٹی روم نمبر دو میں ہوگا۔ براہِ کرم پچھلی کارروائی کی نقل ساتھ لائیے، اور اگر کوئی اعتراض ہو \
     تو آج شام تک تحریری طور پر بتا دیجیے تاکہ ایجنڈے میں شامل کیا جا سکے۔",
    "Can it wait until Thursday?",
    "The Deputy Secretary has asked for سمری نمبر 214 before noon; the file is with Section III.",
];

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Appends `count` messages of this official to a conversation, as they would stand in its log. The log goes no
    /// further after this.
    ///
    /// # Errors
    /// Store errors, [`ClientError::NoSuchConversation`].
    pub async fn fill_conversation(&self, group: GroupId, count: u64) -> Result<(), ClientError> {
        let me = self.profile().await?.official;
        let now = self.platform().now();
        self.fill(group, count, |n| Said {
            author: me,
            at: now,
            text: format!("line {n} of a long conversation about نظامِ کار"),
            answers: None,
        })
        .await
    }

    /// A direct conversation of `count` messages with somebody whom this profile already talks to, or with nobody. Both
    /// have written, some messages answer far older ones, all have been read. Its rows are those of a real one; but no
    /// server knows it, so nothing can be sent there. Every text begins with `№` and its number, from 1.
    ///
    /// # Errors
    /// Store errors, [`ClientError::Locked`].
    pub async fn long_conversation(&self, count: u64) -> Result<GroupId, ClientError> {
        let profile = self.profile().await?;
        let me = profile.official;
        let known = self.conversations().await?.into_iter().filter(|c| c.direct).flat_map(|c| c.members);
        let other = known.into_iter().find(|o| *o != me);
        let group = self.lonely_conversation().await?;
        if let Some(other) = other {
            let mut record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
            record.direct = true;
            // Which device it was is of no consequence where nothing can be sent.
            record.members.push((other, profile.device));
            let mut tx = self.db.tx();
            tx.put(keys::group(group), &record);
            tx.commit().await?;
        }
        let now = self.platform().now();
        let authors = [me, other.unwrap_or(me)];
        self.fill(group, count, |n| Said {
            // Neither writes alone, and neither is interrupted by every message.
            author: authors[usize::from(n % 5 < 3)],
            at: now.minus(APART * u32::try_from(count - n).unwrap_or(u32::MAX)),
            text: format!("№ {n} · {}", SAID[(n % SAID.len() as u64) as usize]),
            answers: (n % ANSWERS == ANSWERS - 1).then(|| ANSWERED.min(n / 2)),
        })
        .await?;
        Ok(group)
    }

    /// Makes a conversation that nobody else is in and no server knows.
    ///
    /// # Errors
    /// Store errors.
    pub async fn lonely_conversation(&self) -> Result<GroupId, ClientError> {
        let (now, profile) = (self.platform().now(), self.profile().await?);
        let group = GroupId::new(now, &mut self.db.rng());
        let hash = pakawaaz_conversation::log::genesis(group).into();
        let mut record = crate::sync::step_fresh(group, 0, hash, false, now, Mode::Live);
        record.members = vec![(profile.official, profile.device)];
        let mut tx = self.db.tx();
        tx.put(keys::group(group), &record);
        tx.commit().await?;
        Ok(group)
    }

    async fn fill(&self, group: GroupId, count: u64, say: impl Fn(u64) -> Said) -> Result<(), ClientError> {
        let mut record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let everybody = record.officials();
        // The newest messages, as far back as an answer reaches.
        let mut said: VecDeque<MessageId> = VecDeque::new();
        let mut made = 0;
        while made < count {
            let mut tx = self.db.tx();
            for _ in 0..BATCH.min(count - made) {
                made += 1;
                record.seq += 1;
                let (seq, Said { author, at, text, answers }) = (record.seq, say(made));
                let message = MessageId::new(at, &mut self.db.rng());
                let reply_to = answers.and_then(|back| said.iter().rev().nth(back.saturating_sub(1) as usize).copied());
                let line = Line::Text { author, text, reply_to, mentions: Vec::new(), file: None };
                let line = LineRecord { hash: Some(record.hash.clone()), message: Some(message), at, line };
                let mine = author == me;
                let about = MessageRecord {
                    seq,
                    author,
                    mine,
                    delivered: Default::default(),
                    read: everybody.iter().filter(|o| mine && **o != me).copied().collect(),
                    reactions: Vec::new(),
                    edited: false,
                    deleted: false,
                };
                tx.put(keys::line(group, seq, 0), &line);
                tx.put(keys::message(group, message), &about);
                (record.last_line, record.last_message, record.updated_at) = (Some((seq, 0)), seq, at);
                said.push_back(message);
                if said.len() as u64 > ANSWERED {
                    said.pop_front();
                }
            }
            tx.put(keys::group(group), &record);
            tx.commit().await?;
        }
        Ok(())
    }
}

/// One message to be.
struct Said {
    author: OfficialId,
    at: Millis,
    text: String,
    /// How many messages before this one the answered one was.
    answers: Option<u64>,
}
