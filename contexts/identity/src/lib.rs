//! Officials' accounts, devices, SIMs, certificates, three-factor login, sessions, revocation.
