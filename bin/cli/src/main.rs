//! pakawaaz: the terminal client for officials and administrators.

fn main() {}
