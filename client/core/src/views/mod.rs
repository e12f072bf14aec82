//! What a screen shows, ready to show: plain serialisable values, made in Rust once for every front end.

mod alarm;
mod conversation;
mod device;
mod official;
mod search;
mod session;
mod timeline;
mod whoami;

pub use alarm::{Alarm, AlarmKind};
pub use conversation::{ConversationView, Flags, MemberView};
pub use device::DeviceView;
pub use official::{HeldPostView, OfficialView, OfficialsView, PostView, PostsView, Standing};
pub use search::{SearchHit, SearchPage};
pub use session::SessionView;
pub use timeline::{FileView, LineView, MessageInfo, MessageStatus, ReactionView, ReplyView, SystemLine, TimelineView};
pub use whoami::WhoAmI;
