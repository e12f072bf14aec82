//! Load generator and benchmarks that print their figures.

fn main() {}
