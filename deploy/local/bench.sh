#!/usr/bin/env bash
# `make bench`: the optimised build against durable services, and the table of figures beside their bounds.
# Arguments go to the bench program.
# shellcheck source=deploy/local/checkout.sh
. "$(dirname "${BASH_SOURCE[0]}")/checkout.sh"
trap services_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

printf 'The figures, from an optimised build. The first build takes about 16 minutes on two cores.\n'
need_tools
services_begin
cargo build --release --workspace --bins --locked
services_ready "$TARGET/release/gatehouse"
"$GATEHOUSE_BIN" migrate
"$TARGET/release/bench" "$@"
