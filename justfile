# What CI runs, by hand. `just` lists the recipes.

_default:
    @just --list

# Everything CI checks.
check:
    .ci/run

# All tests; installs what they need.
test:
    tests/run

# Tests, fuzzing and benchmarks that take long.
long seconds="300":
    tests/long {{ seconds }}

# Benchmarks of single parts.
bench:
    cargo bench --workspace
    cargo run --release -p janitor-plugin-dns --example kept-copies

# The whole program beside others, on the same zones.
peers *arguments:
    benches/peers/run {{ arguments }}

# One fuzz target.
fuzz target seconds="60":
    cargo +nightly fuzz run {{ target }} -- -max_total_time={{ seconds }}
