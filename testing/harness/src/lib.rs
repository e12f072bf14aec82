//! A whole server and real clients in one process, for end-to-end tests.
