# shellcheck shell=bash disable=SC2034 # used by the scripts that source this
# Sourced by run.sh, test.sh and bench.sh: where this checkout's things are, and its services for as long as
# the script runs. What ran before is left running, what the script started it stops.
set -euo pipefail
export LC_ALL=C.UTF-8 LANG=C.UTF-8

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ROOT=$PWD
SERVICES=$ROOT/deploy/local/services.sh
export RUN_DIR=${RUN_DIR:-$ROOT/.run}
TARGET=${CARGO_TARGET_DIR:-target}
[[ $TARGET == /* ]] || TARGET=$ROOT/$TARGET
STARTED=() STARTING_PID=""

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# What can be missing is named before anything slow begins.
need_tools() {
  command -v cargo >/dev/null || fail "there is no cargo on the PATH; install the Rust toolchain as https://rustup.rs says"
  "$SERVICES" install
  # The README's commands, which a test runs, are written with it.
  command -v curl >/dev/null || "$SERVICES" packages curl
}

# Begins to start PostgreSQL, RabbitMQ and Redis beside whatever the script does next (RabbitMQ takes 7 s).
# The S3 server waits for services_ready: it is the binary that is about to be built.
services_begin() {
  mapfile -t STARTED < <("$SERVICES" status | awk '$2 == "down" { print $1 }')
  mkdir -p "$RUN_DIR/log"
  "$SERVICES" start postgres rabbitmq redis >"$RUN_DIR/log/start.log" 2>&1 </dev/null &
  STARTING_PID=$!
}

kept_key() { # kept_key NAME BYTES
  [ -s "$RUN_DIR/$1" ] || (umask 077; od -An -v -N"$2" -tx1 /dev/urandom | tr -d ' \n' >"$RUN_DIR/$1")
  cat "$RUN_DIR/$1"
}

# services_ready BINARY : waits for them, starts S3 from this binary, and takes over the settings.
services_ready() {
  local rc=0
  wait "$STARTING_PID" || rc=$?
  STARTING_PID=""
  cat "$RUN_DIR/log/start.log" >&2
  [ $rc = 0 ] || fail "the services did not start; what they said stands above, more is in $RUN_DIR/data/log"
  export GATEHOUSE_BIN=$1
  "$SERVICES" start s3 || fail "the S3 server did not start"
  eval "$("$SERVICES" env)"
  # Services of the caller's own come without these two: they are made once and kept.
  export GATEHOUSE_MASTER_KEY=${GATEHOUSE_MASTER_KEY:-$(kept_key master_key 32)}
  export GATEHOUSE_OPERATOR_KEY=${GATEHOUSE_OPERATOR_KEY:-$(kept_key operator_key 24)}
}

# Stops what services_begin found down. For an EXIT trap.
services_end() {
  [ -z "$STARTING_PID" ] || wait "$STARTING_PID" || true
  [ ${#STARTED[@]} = 0 ] || "$SERVICES" stop "${STARTED[@]}" || true
}
