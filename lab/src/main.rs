//! `lab`: experiments with simulated swarms.

fn main() {}
