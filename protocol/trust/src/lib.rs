//! Certificates, vouchers, grants, cross-signatures, quorum-signed statements: who may speak for whom; pure.
