//! Topics: their arguments, their snapshots, and what makes them stale.

use crate::engine::args::{Devices, Group, Nothing, Timeline, To};
use crate::engine::error::Refusal;
use crate::engine::watch::{PACE, SLOW_PACE, Touch};
use crate::engine::{Engine, EngineError, Host};
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_client::views::TimelineView;
use pakawaaz_client::{ClientError, Platform, Store, Transport};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::time::Duration;

/// Most lines of one window; what goes beyond is let go at the other end.
const MOST: usize = 300;

/// A topic with its arguments.
pub enum Topic {
    /// State of the application.
    App,
    /// The list of conversations.
    Conversations,
    /// A window of one.
    Timeline(GroupId, RefCell<Window>),
    /// Members of one.
    Members(GroupId),
    /// Devices of an official; none: own ones.
    Devices(Option<OfficialId>),
    /// Alarms.
    Alarms,
    /// Transfers.
    Transfers,
    /// Who writes.
    Typing,
}

fn parse<A: DeserializeOwned>(args: &str) -> Result<A, EngineError> {
    pakawaaz_tree::from_json(args.as_bytes()).map_err(|_| Refusal::BadArguments.into())
}

impl Topic {
    /// Reads a topic's name and arguments.
    ///
    /// # Errors
    /// `engine.unknown_topic`, `engine.bad_arguments`.
    pub fn parse(name: &str, args: &str) -> Result<Self, EngineError> {
        let plain = |topic| parse::<Nothing>(args).map(|_| topic);
        match name {
            "app" => plain(Self::App),
            "conversations" => plain(Self::Conversations),
            "devices" => Ok(Self::Devices(parse::<Devices>(args)?.official)),
            "alarms" => plain(Self::Alarms),
            "transfers" => plain(Self::Transfers),
            "typing" => plain(Self::Typing),
            "members" => Ok(Self::Members(parse::<Group>(args)?.group)),
            "timeline" => {
                let Timeline { group, limit } = parse(args)?;
                Ok(Self::Timeline(group, RefCell::new(Window::new(limit))))
            }
            _ => Err(Refusal::UnknownTopic.into()),
        }
    }

    /// Whether a change can be seen in it.
    pub fn shows(&self, touch: Touch) -> bool {
        match (self, touch) {
            (Self::App, Touch::App)
            | (Self::Conversations, Touch::Lines(_) | Touch::Listed(_) | Touch::Members(_))
            | (Self::Devices(_), Touch::Devices)
            | (Self::Alarms, Touch::Alarms)
            | (Self::Transfers, Touch::Transfers)
            | (Self::Typing, Touch::Typing) => true,
            (Self::Timeline(group, _), Touch::Lines(other) | Touch::Members(other))
            | (Self::Members(group), Touch::Members(other)) => *group == other,
            _ => false,
        }
    }

    /// Shortest time between two of its snapshots.
    pub fn pace(&self) -> Duration {
        if matches!(self, Self::Transfers) { SLOW_PACE } else { PACE }
    }

    /// The window of a timeline.
    pub fn window(&self) -> Option<&RefCell<Window>> {
        match self {
            Self::Timeline(_, window) => Some(window),
            _ => None,
        }
    }
}

/// Where a window goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// As a conversation is opened: at the first unread line, or the newest.
    Open,
    /// Around a message.
    Message(MessageId),
    /// To the end.
    Newest,
    /// Stay.
    Stay,
}

/// A window of a timeline: which lines the last snapshot showed, and what was asked for since.
#[derive(Clone, Debug)]
pub struct Window {
    limit: usize,
    goal: Goal,
    /// First position shown.
    top: Option<u64>,
    /// First position below; none: the window follows the end.
    end: Option<u64>,
    /// Lines shown.
    count: usize,
    more_above: usize,
    more_below: usize,
    unread_from: Option<String>,
}

impl Window {
    /// A window of about `limit` lines.
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, MOST);
        Self {
            limit,
            goal: Goal::Open,
            top: None,
            end: None,
            count: limit,
            more_above: 0,
            more_below: 0,
            unread_from: None,
        }
    }

    /// Moves it; the next snapshot shows where to.
    pub fn go(&mut self, to: To) {
        match to {
            To::Older(n) => self.more_above = self.more_above.saturating_add(n).min(MOST),
            To::Newer(n) => self.more_below = self.more_below.saturating_add(n).min(MOST),
            To::Message(message) => self.goal = Goal::Message(message),
            To::Newest(_) => self.goal = Goal::Newest,
        }
    }

    /// Remembers what is shown now.
    fn settle(&mut self, view: &TimelineView) {
        self.top = view.lines.iter().find_map(|l| l.seq);
        self.end = view.after().map(|last| last.saturating_add(1));
        self.count = view.lines.iter().filter(|l| l.seq.is_some()).count().max(self.limit.min(10));
    }
}

/// Lets lines at the top go until `MOST` are left, never parting lines of one position.
fn cut_top(view: &mut TimelineView) {
    let over = view.lines.len().saturating_sub(MOST);
    let Some(first) = view.lines.get(over).and_then(|l| l.seq).filter(|_| over > 0) else { return };
    view.lines.retain(|l| l.seq.is_none_or(|seq| seq >= first));
    view.older = true;
}

/// The same at the bottom, queued lines first.
fn cut_bottom(view: &mut TimelineView) {
    if view.lines.len() <= MOST {
        return;
    }
    let Some(last) = view.lines.get(MOST - 1).and_then(|l| l.seq) else { return };
    view.lines.retain(|l| l.seq.is_some_and(|seq| seq <= last));
    view.newer = true;
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// The snapshot of a topic.
    ///
    /// # Errors
    /// What the core says: locked, offline, no such conversation.
    pub(crate) async fn snapshot(&self, topic: &Topic) -> Result<String, EngineError> {
        fn json<V: serde::Serialize>(view: &V) -> Result<String, EngineError> {
            serde_json::to_string(view).map_err(|_| ClientError::Damaged.into())
        }
        let client = self.client();
        match topic {
            Topic::App => json(&self.app_state().await?),
            Topic::Conversations => json(&client.conversations().await?),
            Topic::Timeline(group, window) => json(&self.timeline(*group, window).await?),
            Topic::Members(group) => json(&client.members(*group).await?),
            Topic::Devices(official) => json(&client.devices(*official).await?),
            Topic::Alarms => json(&client.alarms().await?),
            Topic::Transfers => json(&client.transfers().await?),
            Topic::Typing => json(&self.who_types()),
        }
    }

    async fn timeline(&self, group: GroupId, window: &RefCell<Window>) -> Result<TimelineView, EngineError> {
        let client = self.client();
        // What is asked for while this reads is for the next snapshot.
        let now = {
            let mut window = window.borrow_mut();
            let now = window.clone();
            window.goal = Goal::Stay;
            (window.more_above, window.more_below) = (0, 0);
            now
        };
        let mut view = match now.goal {
            Goal::Open => client.open_timeline(group, now.limit).await?,
            Goal::Newest => client.read(group, None, now.limit).await?,
            Goal::Message(message) => match client.read_around(group, message, now.limit).await {
                Ok(view) => view,
                // A link to a message that this device does not have leaves the window where it is.
                Err(_) => self.stay(group, &now).await?,
            },
            Goal::Stay => self.stay(group, &now).await?,
        };
        let mut window = window.borrow_mut();
        match now.goal {
            Goal::Open => window.unread_from = view.unread_from.clone(),
            _ => view.unread_from = window.unread_from.clone(),
        }
        window.settle(&view);
        Ok(view)
    }

    /// The same lines as they are now, with those that were asked for, and new ones at the end if it is shown.
    async fn stay(&self, group: GroupId, now: &Window) -> Result<TimelineView, ClientError> {
        let client = self.client();
        let mut want = now.count.saturating_add(now.more_above);
        let mut view = client.read(group, now.end, want).await?;
        if now.more_above == 0 {
            // Lines that came push none out at the top while somebody reads there.
            let above = |view: &TimelineView| {
                let first = view.lines.iter().find_map(|l| l.seq);
                view.older && first.zip(now.top).is_some_and(|(first, top)| first > top)
            };
            while above(&view) && view.lines.len() < MOST {
                want = want.saturating_mul(2);
                view = client.read(group, now.end, want).await?;
            }
            if let Some(top) = now.top {
                let before = view.lines.len();
                view.lines.retain(|l| l.seq.is_none_or(|seq| seq >= top));
                view.older |= view.lines.len() < before;
            }
        }
        if let Some(end) = now.end.filter(|_| now.more_below > 0) {
            let below = client.read_after(group, end.saturating_sub(1), now.more_below).await?;
            view.lines.extend(below.lines);
            view.newer = below.newer;
        }
        if now.more_above > 0 {
            cut_bottom(&mut view);
        } else {
            cut_top(&mut view);
        }
        Ok(view)
    }
}
