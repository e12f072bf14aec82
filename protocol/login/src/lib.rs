//! Three-factor login transcript, OPAQUE suite, key schedule, DPoP and access tokens; pure.
