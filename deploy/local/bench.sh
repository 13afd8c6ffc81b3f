#!/usr/bin/env bash
# `make bench`: the optimised build against durable services, and the table of figures beside their bounds.
# Arguments go to the bench program: --only memory|records|photos|door, --seconds N, --terminals N,
# --heartbeat-s N, --json FILE. PROFILE=dev measures the unoptimised build, to try the benchmark itself.
#
# The services are fresh ones of the benchmark's own, in RUN_DIR (.run/bench), deleted afterwards: figures
# do not depend on what the demo has stored, and the demo does not see them. Stop `make run` before, though:
# whatever else the machine does makes them worse.
RUN_DIR=${RUN_DIR:-$(dirname "${BASH_SOURCE[0]}")/../../.run/bench}
mkdir -p "$RUN_DIR" && RUN_DIR=$(cd "$RUN_DIR" && pwd -P)
# shellcheck source=deploy/local/checkout.sh
. "$(dirname "${BASH_SOURCE[0]}")/checkout.sh"
trap bench_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bench_end() {
  services_end
  # What was found running, and services of the caller's own, are left alone: then not all was started here.
  [ ${#STARTED[@]} -lt 4 ] || "$SERVICES" clean || true
}

PROFILE=${PROFILE:-release}
BUILT=$TARGET/$PROFILE
[ "$PROFILE" != dev ] || BUILT=$TARGET/debug
printf 'The figures, from the %s build. The first release build takes about 16 minutes on two cores,\n' "$PROFILE"
printf 'measuring about 5 minutes; the machine should do nothing else meanwhile.\n'
need_tools
deploy/local/models.sh
cargo build --profile "$PROFILE" -p gatehouse -p gatehouse-tests --bins --locked
# After the build: nothing of it may still be busy when measuring begins.
services_begin
services_ready "$BUILT/gatehouse"
"$GATEHOUSE_BIN" migrate
# Five thousand terminals are five thousand sockets on both sides.
ulimit -n "$(ulimit -Hn)"
"$BUILT/bench" "$@"
