//! The official's own phone.

use crate::Identity;
use axum::extract::State;
use pakawaaz_contract::identity::MyCards;
use pakawaaz_http::{Authenticated, Json, Problem};

/// The caller's SIM cards, and where their phones are.
#[utoipa::path(get, path = "/v1/me/phone", tag = "session",
    responses((status = 200, body = MyCards), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn mine(
    State(identity): State<Identity>,
    Authenticated(actor): Authenticated,
) -> Result<Json<MyCards>, Problem> {
    Ok(Json(identity.cards_of(&actor).await?))
}
