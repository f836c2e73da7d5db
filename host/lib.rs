//! gordon-janitor host.
