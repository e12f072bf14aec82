//! What runs beside the requests.

pub mod cards;
pub mod follow;
pub mod logins;
pub mod profiles;
