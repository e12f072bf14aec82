//! Groups.

use crate::Messaging;
use axum::extract::State;
use pakawaaz_base::GroupId;
use pakawaaz_contract::messaging::{CreateGroupRequest, EpochTree, GroupList, GroupState};
use pakawaaz_http::{Authenticated, Json, Path, Problem};

/// Register a group
///
/// The same request again gives the same answer.
#[utoipa::path(post, path = "/v1/groups", tag = "messaging", request_body = CreateGroupRequest, responses(
    (status = 200, body = GroupState),
    (status = 400, body = Problem, description = "messaging.bad_group_info, conversation.wrong_configuration, conversation.bad_leaf"),
    (status = 403, body = Problem, description = "messaging.no_successor, messaging.device_cut"),
    (status = 409, body = Problem, description = "messaging.group_exists"),
    (status = 429, body = Problem, description = "messaging.too_many_groups")
))]
pub async fn create(
    Authenticated(actor): Authenticated,
    State(messaging): State<Messaging>,
    Json(request): Json<CreateGroupRequest>,
) -> Result<Json<GroupState>, Problem> {
    Ok(Json(messaging.create_group(&actor, request).await?))
}

/// Groups of this device
#[utoipa::path(get, path = "/v1/groups", tag = "messaging", responses((status = 200, body = GroupList)))]
pub async fn list(
    Authenticated(actor): Authenticated,
    State(messaging): State<Messaging>,
) -> Result<Json<GroupList>, Problem> {
    Ok(Json(messaging.group_list(&actor).await?))
}

/// Newest state of a group
#[utoipa::path(get, path = "/v1/groups/{group}", tag = "messaging",
    params(("group" = GroupId, Path, description = "The group")), responses(
    (status = 200, body = GroupState),
    (status = 404, body = Problem, description = "messaging.group_not_found")
))]
pub async fn state(
    Authenticated(actor): Authenticated,
    State(messaging): State<Messaging>,
    Path(group): Path<GroupId>,
) -> Result<Json<GroupState>, Problem> {
    Ok(Json(messaging.group(&actor, group).await?))
}

/// Tree of an epoch
///
/// For those who were welcomed into it; kept for thirty days.
#[utoipa::path(get, path = "/v1/groups/{group}/epochs/{epoch}/tree", tag = "messaging",
    params(("group" = GroupId, Path, description = "The group"), ("epoch" = u64, Path, description = "The epoch")),
    responses(
    (status = 200, body = EpochTree),
    (status = 404, body = Problem, description = "messaging.group_not_found, messaging.tree_not_found")
))]
pub async fn tree(
    Authenticated(actor): Authenticated,
    State(messaging): State<Messaging>,
    Path((group, epoch)): Path<(GroupId, u64)>,
) -> Result<Json<EpochTree>, Problem> {
    Ok(Json(messaging.epoch_tree(&actor, group, epoch).await?))
}
