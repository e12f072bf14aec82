//! The Pakawaaz server: the only place that wires contexts together.

fn main() {}
