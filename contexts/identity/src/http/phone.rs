//! The official's own phone.

use crate::{Identity, PhoneNetwork};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use pakawaaz_contract::identity::MyCards;
use pakawaaz_http::{Authenticated, Json, Problem};
use std::sync::Arc;

#[derive(Clone)]
pub(super) struct Api {
    identity: Identity,
    network: Arc<dyn PhoneNetwork>,
}

/// Routes about the caller's own phone. Apart from [`super::router`], because what they ask is made after identity.
pub fn phone_router(identity: Identity, network: Arc<dyn PhoneNetwork>) -> Router {
    Router::new().route("/v1/me/phone", get(mine)).with_state(Api { identity, network })
}

/// The caller's SIM cards, and where their phones are.
#[utoipa::path(get, path = "/v1/me/phone", tag = "session",
    responses((status = 200, body = MyCards), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn mine(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
) -> Result<Json<MyCards>, Problem> {
    Ok(Json(api.identity.cards_of(&actor, &*api.network).await?))
}
