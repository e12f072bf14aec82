//! Organisation tree, posts, officials (context `directory`).

use pakawaaz_base::{Bytes, Millis, OfficialId, OrgUnitId, PostId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name in both languages. English is required; Urdu may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct BilingualName {
    /// English.
    pub en: String,
    /// Urdu.
    #[serde(default)]
    pub ur: String,
}

/// Kind of an organisational unit, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// Ministry (top).
    Ministry,
    /// Division of a ministry.
    Division,
    /// Wing of a division.
    Wing,
    /// Section of a wing.
    Section,
}

/// A unit of the tree.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrgUnit {
    /// Its id.
    pub unit: OrgUnitId,
    /// Its parent; none for a ministry.
    pub parent: Option<OrgUnitId>,
    /// Its kind.
    pub kind: UnitKind,
    /// Its name.
    pub name: BilingualName,
}

/// `GET /v1/directory/units`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrgTree {
    /// Parents before children.
    pub units: Vec<OrgUnit>,
}

/// `POST /v1/admin/units` (directory manager). Answer: [`OrgUnit`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreateUnitRequest {
    /// Parent; none for a ministry.
    pub parent: Option<OrgUnitId>,
    /// Kind; must be below the parent's.
    pub kind: UnitKind,
    /// Name.
    pub name: BilingualName,
}

/// How a post is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentKind {
    /// In the holder's own right.
    Substantive,
    /// Until somebody is appointed.
    Acting,
    /// Held no longer.
    Ended,
}

/// What two administrators signed about a post. Made by a proposal (`ProposalKind::Appointments`); everything beside
/// `statement` repeats what it says, and only `statement` can be verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appointment {
    /// Who holds the post, or did until it ended.
    pub official: OfficialId,
    /// How.
    pub kind: AppointmentKind,
    /// From when.
    pub not_before: Millis,
    /// Until when.
    pub not_after: Millis,
    /// `trust::Signed` with `Statement::Appointment`.
    pub statement: Bytes,
}

/// A post.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Post {
    /// Its id.
    pub post: PostId,
    /// Unit it belongs to.
    pub unit: OrgUnitId,
    /// Title.
    pub title: BilingualName,
    /// Basic pay scale 1–22; orders search results.
    pub grade: u8,
    /// Who holds it now; none = vacant.
    pub holder: Option<OfficialId>,
    /// Since when.
    pub held_since: Option<Millis>,
    /// The newest appointment to it, also when that has ended or expired; none when there never was one.
    pub appointment: Option<Appointment>,
}

/// `POST /v1/admin/posts` (directory manager). Answer: [`Post`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreatePostRequest {
    /// Unit.
    pub unit: OrgUnitId,
    /// Title.
    pub title: BilingualName,
    /// Basic pay scale 1–22.
    pub grade: u8,
}

/// `GET /v1/directory/posts?unit=ID`; one of them by `GET /v1/directory/posts/{post}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PostList {
    /// By grade, highest first.
    pub posts: Vec<Post>,
}

/// `POST /v1/admin/officials` (directory manager). Answer: [`Official`]. Idempotent by `username`:
/// the same name with other facts is `directory.username_taken`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreateOfficialRequest {
    /// Login name: 3–32 of `a-z 0-9 . _ -`, starts with a letter.
    pub username: String,
    /// Full name.
    pub name: BilingualName,
    /// Honorific or service rank ("Dr", "Brig (R)"); may be empty.
    #[serde(default)]
    pub rank: BilingualName,
}

/// An official as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Official {
    /// The id.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// Full name.
    pub name: BilingualName,
    /// Honorific or rank.
    pub rank: BilingualName,
    /// Posts held, highest grade first.
    pub posts: Vec<HeldPost>,
}

/// A post as shown beside an official.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldPost {
    /// The post.
    pub post: PostId,
    /// Title.
    pub title: BilingualName,
    /// Unit name, then its parents up to the ministry.
    pub units: Vec<BilingualName>,
    /// Basic pay scale.
    pub grade: u8,
    /// The appointment that makes this official the holder.
    #[serde(default)]
    pub appointment: Option<Appointment>,
}

/// `GET /v1/directory/officials?q=TEXT&limit=N&after=CURSOR`: by name, post or unit, in either language.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfficialPage {
    /// Best match first.
    pub officials: Vec<Official>,
    /// Pass as `after` for the next page.
    pub next: Option<String>,
}
