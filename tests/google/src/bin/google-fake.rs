//! The server by itself, for a person to try.
fn main() {}
