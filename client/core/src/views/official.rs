//! Officials and posts, with how far the claim about who holds what can be believed.

use pakawaaz_base::{Millis, OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{AppointmentKind, BilingualName};
use serde::{Deserialize, Serialize};

/// Whether somebody holds a post, as far as this device could verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Two administrators signed it, down to the pinned root, and it is in force.
    Verified,
    /// They signed it, but it has ended.
    Expired,
    /// They signed it, but this device has seen a newer statement about the post.
    Outdated,
    /// Only the server says so.
    Unverified,
}

/// An official as found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficialView {
    /// The id.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// Full name.
    pub name: BilingualName,
    /// Honorific or rank.
    pub rank: BilingualName,
    /// Posts held, as the server says, highest grade first.
    pub posts: Vec<HeldPostView>,
}

/// A post beside the official who is said to hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPostView {
    /// The post.
    pub post: PostId,
    /// Title.
    pub title: BilingualName,
    /// Unit name, then its parents up to the ministry.
    pub units: Vec<BilingualName>,
    /// Basic pay scale.
    pub grade: u8,
    /// How it is held.
    pub kind: Option<AppointmentKind>,
    /// Until when.
    pub until: Option<Millis>,
    /// Whether that can be believed. Kind and end are as signed unless it is [`Standing::Unverified`].
    pub standing: Standing,
}

/// A page of officials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficialsView {
    /// Best match first.
    pub officials: Vec<OfficialView>,
    /// Pass as `after` for the next page.
    pub next: Option<String>,
}

/// A post of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostView {
    /// The post.
    pub post: PostId,
    /// Its unit.
    pub unit: OrgUnitId,
    /// Title.
    pub title: BilingualName,
    /// Basic pay scale.
    pub grade: u8,
    /// Who is said to hold it; none = said to be vacant, which nobody can verify.
    pub holder: Option<OfficialId>,
    /// Since when, as the server says.
    pub held_since: Option<Millis>,
    /// How it is held.
    pub kind: Option<AppointmentKind>,
    /// Until when.
    pub until: Option<Millis>,
    /// Whether the holder can be believed; none for a vacant post.
    pub standing: Option<Standing>,
}

/// Posts of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostsView {
    /// Highest grade first.
    pub posts: Vec<PostView>,
}
