//! What a screen shows, ready to show: plain serialisable values, made in Rust once for every front end.

mod alarm;
mod conversation;
mod device;
mod official;
mod timeline;
mod whoami;

pub use alarm::{Alarm, AlarmKind};
pub use conversation::{ConversationView, MemberView};
pub use device::DeviceView;
pub use official::{HeldPostView, OfficialView, OfficialsView, PostView, PostsView, Standing};
pub use timeline::{LineView, MessageStatus, SystemLine, TimelinePage};
pub use whoami::WhoAmI;
