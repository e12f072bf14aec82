//! Native client store: encrypted rows in SQLite.
