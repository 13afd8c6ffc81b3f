#!/usr/bin/env bash
# `make test`: everything that CI runs, in the order in which mistakes are cheapest to find. Ends at the first
# failure. Words after `make test` go to nobody; to run some tests only, `make services`, source .run/env and
# use cargo test.
# shellcheck source=deploy/local/checkout.sh
. "$(dirname "${BASH_SOURCE[0]}")/checkout.sh"
trap services_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { # step NAME CMD...
  local name=$1 t0=$SECONDS; shift
  printf '== %s\n' "$name"
  "$@" || fail "$name failed after $((SECONDS - t0)) s"
  printf '== %s: done in %d s\n' "$name" $((SECONDS - t0))
}
# One TLS provider only: with two of them in the tree the first handshake panics.
no_ring() { ! cargo tree --locked --workspace -e no-dev -i ring 2>/dev/null | grep .; }

printf 'Format, build, lints and tests of the whole workspace, against its own PostgreSQL, RabbitMQ, Redis and S3.\n'
printf 'The first time takes about 10 minutes on two cores (it compiles some 500 crates), later a minute or two.\n'
step "tools and packages" need_tools
step "face models" deploy/local/models.sh
step "format" cargo fmt --all --check
services_begin
step "build" cargo build --workspace --all-targets --locked
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "no second TLS provider" no_ring
step "services" services_ready "$TARGET/debug/gatehouse"
step "migrate" "$GATEHOUSE_BIN" migrate
step "tests" cargo test --workspace --locked
