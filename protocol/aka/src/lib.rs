//! 3GPP authentication and key agreement.
