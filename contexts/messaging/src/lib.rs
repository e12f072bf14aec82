//! MLS delivery service: key packages, one ordered chained log per group, cursors, events.
