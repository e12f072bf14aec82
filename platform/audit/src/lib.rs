//! Append-only, hash-chained audit of administrative acts.
