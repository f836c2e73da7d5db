//! Stamps the commit and the target into the binary.
fn main() {}
