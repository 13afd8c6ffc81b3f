#!/usr/bin/env bash
# `make run`: builds, starts everything on this machine, and lets simulated terminals pass people through the
# doors of a demo tenant. Stays in the foreground; Ctrl-C (or SIGTERM) stops all that it started. Programs that
# drive it may wait for the line that begins with "Ready:". GATEHOUSE_LISTEN moves the port.
LISTEN=${GATEHOUSE_LISTEN:-127.0.0.1:8080}
# shellcheck source=deploy/local/checkout.sh
. "$(dirname "${BASH_SOURCE[0]}")/checkout.sh"

# Where a client on this machine reaches it.
PORT=${LISTEN##*:}
case ${LISTEN%:*} in 0.0.0.0 | "") HOST=127.0.0.1 ;; "[::]") HOST="[::1]" ;; *) HOST=${LISTEN%:*} ;; esac
GATEHOUSE_PID="" SIMULATOR_PID="" TAIL_PID=""

say() { printf '%s\n' "$*"; }
# shellcheck disable=SC2317,SC2086 # an EXIT trap; pids have no spaces
stop_all() {
  local code=$?
  trap '' INT TERM HUP
  # Terminals first, so that the server does not report them as lost; it then closes its own sockets.
  printf '\nStopping.\n'
  local pid
  for pid in $TAIL_PID $SIMULATOR_PID $GATEHOUSE_PID; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  services_end
  say "Stopped. The data stays in $RUN_DIR; make clean deletes it."
  exit $code
}

# ---------------------------------------------------------------- a client in six lines, for a machine without curl
# http METHOD PATH KEY [JSON] : sets STATUS and BODY; STATUS is empty when nobody answered in 15 s.
http() {
  local answer fd host=${HOST//[\[\]]/}
  STATUS="" BODY=""
  { exec {fd}<>"/dev/tcp/$host/$PORT"; } 2>/dev/null || return 0
  printf '%s %s HTTP/1.0\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "$HOST" "$PORT" "$3" "$(printf %s "${4:-}" | wc -c)" "${4:-}" >&"$fd" || true
  answer=$(timeout 15 cat <&"$fd" 2>/dev/null | tr -d '\0\r') || true
  exec {fd}>&-
  STATUS=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' <<<"$answer")
  BODY=$(sed '1,/^$/d' <<<"$answer")
}
# json NAME [OBJECT] : the first string called NAME on stdin, or the one inside the object called OBJECT.
json() {
  local text; text=$(tr -d '\n')
  [ -z "${2:-}" ] || text=$(grep -o "\"$2\" *: *{[^}]*}" <<<"$text" | head -n1)
  grep -o "\"$1\" *: *\"[^\"]*\"" <<<"$text" | head -n1 | sed 's/.*: *"\(.*\)"$/\1/' || true
}

# ---------------------------------------------------------------- steps
port_must_be_free() {
  if (exec 3<>"/dev/tcp/${HOST//[\[\]]/}/$PORT") 2>/dev/null; then
    fail "something listens on $HOST:$PORT already; stop it, or choose another port: GATEHOUSE_LISTEN=127.0.0.1:8081 make run"
  fi
}
create_demo_tenant() {
  (umask 077; "$GATEHOUSE_BIN" tenant create --name Demo --timezone Asia/Shanghai --json >"$RUN_DIR/demo.json.new") ||
    fail "the demo tenant could not be made; the reason stands above"
  mv "$RUN_DIR/demo.json.new" "$RUN_DIR/demo.json"
}
start_gatehouse() {
  export GATEHOUSE_LISTEN=$LISTEN
  "$GATEHOUSE_BIN" all >"$RUN_DIR/log/gatehouse.log" 2>&1 </dev/null &
  GATEHOUSE_PID=$!
  local deadline=$((SECONDS + 60))
  until http GET /readyz -; [ "$STATUS" = 200 ]; do
    if ! kill -0 "$GATEHOUSE_PID" 2>/dev/null; then tail -n 20 "$RUN_DIR/log/gatehouse.log" >&2; fail "gatehouse ended while starting; its last words stand above"; fi
    if [ $SECONDS -ge $deadline ]; then tail -n 20 "$RUN_DIR/log/gatehouse.log" >&2; say "$BODY" >&2; fail "gatehouse was not ready within 60 s"; fi
    sleep 0.1
  done
}
# The tenant of an earlier run may be gone, when the database is another one than then.
demo_key_works() { http GET "/v1/devices?limit=1" "$(json api_key <"$RUN_DIR/demo.json")"; [ "$STATUS" = 200 ]; }
SN_FIRST=168380000101
DOORS=("Main entrance|Lobby|in" "Main exit|Lobby|out" "Workshop|Hall 2|in" "Workshop exit|Hall 2|out" "Car park|Gate B|in")
claim_devices() {
  local i name location direction
  for i in "${!DOORS[@]}"; do
    IFS='|' read -r name location direction <<<"${DOORS[$i]}"
    http POST /v1/devices "$API_KEY" "{\"sn\":\"$((SN_FIRST + i))\",\"name\":\"$name\",\"protocol\":\"terminal_ws\",\"location\":\"$location\",\"direction\":\"$direction\"}"
    case $STATUS in 200 | 201 | 409) ;; *) fail "terminal $((SN_FIRST + i)) could not be registered: ${STATUS:-no answer} $BODY" ;; esac
  done
}
print_table() {
  local device; http GET "/v1/devices?limit=10" "$API_KEY"; device=$(json id <<<"$BODY")
  local api=http://$HOST:$PORT
  cat <<EOF

  API              $api/v1
  Documentation    $api/docs/
  Terminals        $TERMINAL_URL
  Push devices     http://$HOST:$PORT/push/${TERMINAL_URL##*/}
  API key          $API_KEY
  Owner            $(json email owner <"$RUN_DIR/demo.json")  password  $(json password owner <"$RUN_DIR/demo.json")
  Settings         $RUN_DIR/env
  Logs             $RUN_DIR/log/gatehouse.log, simulator.log

  The terminals and whether they are online:
    curl -H 'Authorization: Bearer $API_KEY' '$api/v1/devices'
  What they saw, newest first:
    curl -H 'Authorization: Bearer $API_KEY' '$api/v1/records?limit=5'
  Open a door and wait for what the terminal says:
    curl -H 'Authorization: Bearer $API_KEY' -H 'Content-Type: application/json' -d '{"type":"open_door","message":"Welcome"}' '$api/v1/devices/$device/commands?wait=10s'

EOF
}

# ---------------------------------------------------------------- the run
say "Gatehouse on this machine: build it, start PostgreSQL, RabbitMQ, Redis and an S3 server for this checkout alone,"
say "make a demo tenant, start the server on $LISTEN, and let ${#DOORS[@]} simulated terminals pass people."
if [ -x "$TARGET/debug/gatehouse" ]; then say "About 15 seconds when little has changed. Ctrl-C stops all of it; the data stays."
else say "The first time takes about 6 minutes on two cores, nearly all of it compiling; later about 15 seconds. Ctrl-C stops all of it."; fi
port_must_be_free
trap stop_all EXIT
trap 'exit 0' INT TERM HUP
need_tools
deploy/local/models.sh
services_begin
say "Building (some 500 crates the first time) while the services start."
cargo build --bin gatehouse --locked
services_ready "$TARGET/debug/gatehouse"
say "Preparing the database."
"$GATEHOUSE_BIN" migrate >"$RUN_DIR/log/migrate.log" 2>&1 || { cat "$RUN_DIR/log/migrate.log" >&2; fail "the database could not be prepared"; }
export GATEHOUSE_LISTEN=$LISTEN
# Push devices fetch pictures over plain http from a port of their own, the next one where none is named.
export GATEHOUSE_PUSH_IMAGES_LISTEN=${GATEHOUSE_PUSH_IMAGES_LISTEN:-${LISTEN%:*}:$((PORT + 1))}
[ -s "$RUN_DIR/demo.json" ] || create_demo_tenant
say "Starting the server."
start_gatehouse
demo_key_works || { create_demo_tenant; demo_key_works || fail "the demo tenant's key is refused: ${STATUS:-no answer} $BODY"; }
API_KEY=$(json api_key <"$RUN_DIR/demo.json")
# The address may have moved since the tenant was made; its token has not.
TERMINAL_URL=ws://$HOST:$PORT/terminal/$(json terminal_url <"$RUN_DIR/demo.json" | sed 's,.*/,,')
claim_devices
"$GATEHOUSE_BIN" simulate terminal --url "$TERMINAL_URL" --sn "$SN_FIRST" --count ${#DOORS[@]} --passes-per-minute 6 >"$RUN_DIR/log/simulator.log" 2>&1 </dev/null &
SIMULATOR_PID=$!
print_table
say "Ready: $HOST:$PORT. What the server and the terminals say follows; Ctrl-C stops everything."
tail -q -n +1 -F "$RUN_DIR/log/simulator.log" "$RUN_DIR/log/gatehouse.log" 2>/dev/null &
TAIL_PID=$!
wait "$GATEHOUSE_PID" || true
fail "the server ended by itself; its last words stand above and in $RUN_DIR/log/gatehouse.log"
