//! Runs every store test on SQLite and on a PostgreSQL it starts itself.
