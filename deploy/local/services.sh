#!/usr/bin/env bash
# Private PostgreSQL, RabbitMQ, Redis and an S3 server for this checkout, all under one folder.
#
#   services.sh install            installs missing Debian packages (root or sudo); starts no system service
#   services.sh packages NAME...   installs these Debian packages in the same way
#   services.sh start [NAME...]    postgres rabbitmq redis s3 (default: all); idempotent; waits until healthy
#   services.sh stop  [NAME...]    the data is kept
#   services.sh restart [NAME...]
#   services.sh status [NAME...]   one line each; exit code 0 when all of them are healthy
#   services.sh env                prints the export lines (the same as RUN_DIR/env)
#   services.sh logs [NAME]        the end of the log files
#   services.sh clean              stops all, then deletes RUN_DIR with all data
#
# Everything listens on 127.0.0.1 on ports of its own, runs as an ordinary user even when this script runs
# as root, and neither touches nor is touched by services of the system. PostgreSQL and Redis are durable.
# The S3 server is `gatehouse objectstore`, run from a copy, so that a rebuild does not disturb it.
#
# Environment:
#   RUN_DIR         where all of it lives (default: .run at the root of the repository)
#   GATEHOUSE_BIN   the gatehouse binary for s3 (default: the one that RUN_DIR/env names, or else
#                   ${CARGO_TARGET_DIR:-target}/debug/gatehouse)
#   SERVICES_USER   the user the programs run as when root runs this script (default: postgres)
#   PORT_BASE       where the search for free ports begins (20000); START_TIMEOUT: seconds (90)
#
# Services of your own: with GATEHOUSE_DATABASE_URL, GATEHOUSE_AMQP_URL, GATEHOUSE_REDIS_URL and
# GATEHOUSE_S3_ENDPOINT all set, nothing is started and those are used. RUN_DIR/env sets the same variables;
# it also sets GATEHOUSE_LOCAL_RUN_DIR, by which a shell that sourced it is told from one with own services.
# shellcheck disable=SC2016 # the quoted programs are for another bash
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 LANG=C.UTF-8

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
ROOT=$(cd "$HERE/../.." && pwd -P)
RUN_DIR=${RUN_DIR:-$ROOT/.run}
PORT_BASE=${PORT_BASE:-20000}
START_TIMEOUT=${START_TIMEOUT:-90}
DB_NAME=gatehouse DB_OWNER=gatehouse_owner DB_APP=gatehouse_app
S3_ACCESS_KEY=gatehouse S3_BUCKET=gatehouse S3_REGION=us-east-1
ALL=(postgres rabbitmq redis s3)

log() { printf '[services] %s\n' "$*" >&2; }
die() { log "error: $*"; exit 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# ---------------------------------------------------------------- services of the caller's own
EXTERNAL_VARS=(GATEHOUSE_DATABASE_URL GATEHOUSE_AMQP_URL GATEHOUSE_REDIS_URL GATEHOUSE_S3_ENDPOINT)
EXTERNAL=0
find_external() {
  [ -z "${GATEHOUSE_LOCAL_RUN_DIR:-}" ] || return 0
  local v have=() lack=()
  for v in "${EXTERNAL_VARS[@]}"; do if [ -n "${!v:-}" ]; then have+=("$v"); else lack+=("$v"); fi; done
  if [ ${#lack[@]} = 0 ]; then EXTERNAL=1
  elif [ ${#have[@]} != 0 ]; then log "note: ${have[*]} set, but not ${lack[*]}: only all four together replace the private services, so RUN_DIR/env will win"; fi
}

# ---------------------------------------------------------------- who runs the programs
IS_ROOT=0; [ "$(id -u)" = 0 ] && IS_ROOT=1
if [ $IS_ROOT = 1 ]; then SVC_USER=${SERVICES_USER:-postgres}; else SVC_USER=$(id -un 2>/dev/null || id -u); fi
# Runs a command as the service user (initdb, postgres and Debian's rabbitmq wrapper refuse uid 0).
as_svc() {
  if [ $IS_ROOT = 1 ]; then
    setpriv --reuid "$SVC_USER" --regid "$(id -g "$SVC_USER")" --clear-groups -- env HOME="$DATA/home" USER="$SVC_USER" "$@"
  else
    env HOME="$DATA/home" "$@"
  fi
}

# ---------------------------------------------------------------- programs
find_programs() {
  local d dirs
  PG_BIN=""
  mapfile -t dirs < <(compgen -G '/usr/lib/postgresql/*/bin' | sort -V -r)
  for d in "${dirs[@]}"; do [ -x "$d/initdb" ] && { PG_BIN=$d; break; }; done
  RABBIT_SBIN=""
  # Never /usr/sbin/rabbitmq-server: Debian's wrapper refuses users other than root and rabbitmq,
  # and as root it moves to /var/lib/rabbitmq.
  mapfile -t dirs < <(compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin' | sort -V -r)
  for d in "${dirs[@]}"; do [ -x "$d/rabbitmq-server" ] && { RABBIT_SBIN=$d; break; }; done
  REDIS_BIN=$(command -v redis-server || command -v valkey-server || true)
}
# The gatehouse binary: the caller's, or the one RUN_DIR/env names, or cargo's.
find_gatehouse() {
  BIN=${GATEHOUSE_BIN:-}
  if [ -z "$BIN" ] && [ -f "$RUN_DIR/env" ]; then
    BIN=$(sed -n "s/^export GATEHOUSE_BIN='\(.*\)'$/\1/p" "$RUN_DIR/env"); [ -x "$BIN" ] || BIN=""
  fi
  [ -n "$BIN" ] || BIN=${CARGO_TARGET_DIR:-target}/debug/gatehouse
  [[ $BIN == /* ]] || BIN=$ROOT/$BIN
}

install_packages() {
  find_programs
  local want=()
  if [ $EXTERNAL = 0 ]; then
    [ -n "$PG_BIN" ] || want+=(postgresql)
    [ -n "$RABBIT_SBIN" ] || want+=(rabbitmq-server)
    [ -n "$REDIS_BIN" ] || want+=(redis-server)
  fi
  # rustc links with it, and one dependency is written in C.
  command -v cc >/dev/null || want+=(gcc libc6-dev)
  [ ${#want[@]} = 0 ] && return 0
  apt_install "${want[@]}"
  find_programs
}
apt_install() { # apt_install PACKAGE...
  local sudo=()
  if [ $IS_ROOT = 0 ]; then
    if sudo -n true 2>/dev/null; then sudo=(sudo -n); else
      die "these packages are missing and need root to install: $*. Run: sudo apt-get install --no-install-recommends $*"
    fi
  fi
  command -v apt-get >/dev/null || die "there is no apt-get here; install by hand what Debian calls $*"
  log "installing $* (about a minute)"
  # One script, run as root.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive bash -euo pipefail -s -- "$@" <<'APT' || die "apt-get could not install $*; its messages are above"
# A temporary policy that starts no service, and no default PostgreSQL cluster; both are put back.
policy=/usr/sbin/policy-rc.d conf=/etc/postgresql-common/createcluster.conf saved="" said=$(mktemp)
put_back() {
  if [ "${made_policy:-0}" = 1 ]; then rm -f "$policy"; fi
  if [ -n "$saved" ]; then mv -f "$saved" "$conf"; fi
  rm -f "$said"
}
trap put_back EXIT
trap 'exit 130' INT; trap 'exit 143' TERM
if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; made_policy=1; fi
# What it says is worth reading only when it fails.
get() { apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$said" 2>&1 || { cat "$said" >&2; exit 1; }; }
get update
if [[ " $* " == *" postgresql "* ]]; then
  get install -y --no-install-recommends postgresql-common
  saved=$conf.saved; cp -p "$conf" "$saved"
  sed -i '/^#\?create_main_cluster/d' "$conf"; echo 'create_main_cluster = false' >>"$conf"
fi
get install -y --no-install-recommends "$@"
APT
  log "installed: $*"
}

# ---------------------------------------------------------------- folders and ports
prepare() {
  find_programs
  mkdir -p "$RUN_DIR"
  RUN_DIR=$(cd "$RUN_DIR" && pwd -P)
  ID=$(printf %s "$RUN_DIR" | sha256sum | cut -c1-8)
  DATA=$RUN_DIR/data
  if [ $IS_ROOT = 1 ]; then
    id "$SVC_USER" >/dev/null 2>&1 || die "there is no user $SVC_USER (run services.sh install first, or set SERVICES_USER)"
    # The service user must be able to walk to RUN_DIR; a clone under /root or a 0700 folder is not reachable.
    if ! setpriv --reuid "$SVC_USER" --regid "$(id -g "$SVC_USER")" --clear-groups test -x "$RUN_DIR"; then
      local alt=/var/tmp/gatehouse-$ID
      mkdir -p "$alt"
      [ -L "$DATA" ] || { [ -d "$DATA" ] && rmdir "$DATA"; ln -sfn "$alt" "$DATA"; }
      DATA=$alt
    fi
  fi
  mkdir -p "$DATA"/{home,log}
  if [ $IS_ROOT = 1 ]; then
    # Data that an ordinary user made stays that user's: root then acts as that user.
    local owner; owner=$(stat -c %U "$DATA/")
    if [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then SVC_USER=$owner; else chown "$SVC_USER": "$DATA/"; fi
    chown "$SVC_USER": "$DATA/home" "$DATA/log"
  else
    [ -w "$DATA/log" ] || die "$DATA belongs to $(stat -c %U "$DATA"): it was made by another user; run as that user, or set RUN_DIR"
  fi
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# A stored port is still ours to take while nobody listens on it. Sockets that a stopped server left behind
# with clients that have not closed yet (FIN-WAIT-2 for a minute) do not count: the servers bind over them.
port_unheard() { ! ss -Htln "sport = :$1" 2>/dev/null | grep . >/dev/null && ! port_open "$1"; }
# A new port: no socket in any state, so no ephemeral client socket either.
port_free() { ! ss -Htan "sport = :$1" 2>/dev/null | grep -v TIME-WAIT >/dev/null && ! port_open "$1"; }

PORTS_TAKEN=" "
pick_port() { # pick_port VAR : keeps the stored port while it is free or ours
  local var=$1 p=${!1:-}
  if [ -z "$p" ] || ! { port_unheard "$p" && [[ $PORTS_TAKEN != *" $p "* ]]; }; then
    [ -n "$p" ] && log "port $p of $var is taken by something else; choosing another"
    p=$NEXT_PORT
    while ! port_free "$p" || [[ $PORTS_TAKEN == *" $p "* ]]; do p=$((p + 1)); done
    NEXT_PORT=$((p + 1))
  fi
  PORTS_TAKEN+="$p "
  printf -v "$var" %s "$p"
}

# RUN_DIR/ports: the ports and every generated secret, made once and kept until clean.
SETTINGS=(POSTGRES_PORT RABBITMQ_PORT RABBITMQ_DIST_PORT EPMD_PORT REDIS_PORT S3_PORT PASSWORD MASTER_KEY OPERATOR_KEY)
load_ports() {
  local v; for v in "${SETTINGS[@]}"; do printf -v "$v" %s ""; done
  # shellcheck disable=SC1091
  if [ -f "$RUN_DIR/ports" ]; then . "$RUN_DIR/ports"; fi
}
random_hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
# put_file NAME : stdin becomes RUN_DIR/NAME, readable by its owner only, in one step
put_file() {
  (umask 077; cat >"$RUN_DIR/$1.new"); chown --reference="$RUN_DIR" "$RUN_DIR/$1.new"
  if cmp -s "$RUN_DIR/$1.new" "$RUN_DIR/$1"; then rm -f "$RUN_DIR/$1.new"; else mv "$RUN_DIR/$1.new" "$RUN_DIR/$1"; fi
}
choose_ports() {
  load_ports
  # Two checkouts get different ranges; kept below the ephemeral range (32768..).
  NEXT_PORT=$((PORT_BASE + (16#${ID:0:4} % 1000) * 10))
  local v
  for v in POSTGRES_PORT RABBITMQ_PORT RABBITMQ_DIST_PORT EPMD_PORT REDIS_PORT S3_PORT; do # also those in use
    [ -n "${!v}" ] && [ "${!v}" -ge "$NEXT_PORT" ] && [ "${!v}" -lt $((NEXT_PORT + 10)) ] && NEXT_PORT=$((${!v} + 1))
  done
  running postgres || pick_port POSTGRES_PORT
  if ! running rabbitmq; then pick_port RABBITMQ_PORT; pick_port RABBITMQ_DIST_PORT; epmd_ours || pick_port EPMD_PORT; fi
  running redis || pick_port REDIS_PORT
  running s3 || pick_port S3_PORT
  PASSWORD=${PASSWORD:-$(random_hex 12)}
  MASTER_KEY=${MASTER_KEY:-$(random_hex 32)}
  OPERATOR_KEY=${OPERATOR_KEY:-$(random_hex 24)}
  for v in "${SETTINGS[@]}"; do echo "$v=${!v}"; done | put_file ports
}

# ---------------------------------------------------------------- processes
# (No `grep -q` behind a pipe anywhere here: it ends at the first match, the writer dies of SIGPIPE, and with
# pipefail a match then counts as none.)
# A pid file is believed only if that process is alive AND carries this DATA folder in its command
# line, environment or working folder: after a reboot the number may belong to somebody else.
pid_of() {
  local f=$DATA/$1.pid pid
  [ -s "$f" ] || return 1
  pid=$(head -n1 "$f" | tr -dc 0-9); [ -n "$pid" ] && alive "$pid" || return 1
  { cat "/proc/$pid/cmdline" "/proc/$pid/environ"; readlink "/proc/$pid/cwd"; } 2>/dev/null | tr '\0' '\n' | grep -F -- "$DATA" >/dev/null || return 1
  echo "$pid"
}
running() { pid_of "$1" >/dev/null; }
# spawn NAME CMD... : detached, its pid in NAME.pid, its output in log/NAME.log. It keeps none of our file
# descriptors: a server that held our stdout would hang "services.sh start | tee", and fd 9 is the lock.
spawn() {
  local name=$1; shift
  LOG_FROM=$(stat -c %s "$DATA/log/$name.log" 2>/dev/null || echo 0)
  (as_svc setsid -f bash -c 'echo $$ >"$1"; shift; exec "$@"' _ "$DATA/$name.pid" "$@") >>"$DATA/log/$name.log" 2>&1 </dev/null 9>&-
}
# Alive, and not a zombie: the init of a container may take seconds to bury what it inherited.
alive() { local s; s=$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) && [ "$s" != Z ]; }
await_gone() { # await_gone PID SECONDS
  local i; for ((i = 0; i < $2 * 50; i++)); do alive "$1" || return 0; sleep 0.02; done; return 1
}
say_log() { tail -c +"$((LOG_FROM + 1))" "$DATA/log/$1.log" 2>/dev/null | tail -n 25 >&2; } # since the last spawn
wait_healthy() { # wait_healthy NAME
  local name=$1 t0 end; t0=$(now_ms); end=$((t0 + START_TIMEOUT * 1000))
  until "healthy_$name"; do
    if [ "$(now_ms)" -gt "$end" ]; then log "$name did not become healthy in ${START_TIMEOUT} s:"; say_log "$name"; return 1; fi
    # Dead already? (give the pid file a second to appear)
    if [ $(($(now_ms) - t0)) -gt 2000 ] && ! running "$name"; then log "$name ended while starting:"; say_log "$name"; return 1; fi
    sleep 0.05
  done
}

# ---------------------------------------------------------------- PostgreSQL
psql_admin() { PGPASSWORD=$PASSWORD PGCONNECT_TIMEOUT=5 "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$POSTGRES_PORT" -U postgres "$@"; }
healthy_postgres() { "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$POSTGRES_PORT" -U postgres -d postgres; }
start_postgres() {
  [ -n "$PG_BIN" ] || { log "PostgreSQL is not installed; run: deploy/local/services.sh install"; return 1; }
  local made=0
  if [ ! -f "$DATA/postgres/PG_VERSION" ]; then
    rm -rf "$DATA/postgres" "$DATA/postgres.new"
    as_svc bash -c 'umask 077; cat >"$1/pgpass"' _ "$DATA" <<<"$PASSWORD"
    as_svc "$PG_BIN/initdb" -D "$DATA/postgres.new" -U postgres --pwfile="$DATA/pgpass" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 >"$DATA/log/initdb.log" 2>&1 || { cat "$DATA/log/initdb.log" >&2; return 1; }
    rm -f "$DATA/pgpass"; mv "$DATA/postgres.new" "$DATA/postgres" # a killed initdb leaves no half cluster behind
  fi
  [ -f "$DATA/postgres/roles-made" ] && made=1
  # A killed server that init has not buried yet still counts as running for the next one.
  local old i; old=$(head -n1 "$DATA/postgres/postmaster.pid" 2>/dev/null | tr -dc 0-9) || true
  if [ -n "$old" ] && ! alive "$old"; then for ((i = 0; i < 200; i++)); do [ -d "/proc/$old" ] || break; sleep 0.1; done; fi
  # fsync and synchronous_commit stay on: what is acknowledged is on disk. No unix socket: a deep clone path
  # would pass the 107-byte limit of a socket's name.
  spawn postgres "$PG_BIN/postgres" -D "$DATA/postgres" -p "$POSTGRES_PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=300 -c shared_buffers=256MB -c max_wal_size=2GB -c wal_level=replica -c log_min_messages=warning -c jit=off \
    -c fsync=on -c synchronous_commit=on -c full_page_writes=on
  wait_healthy postgres || return 1
  [ $made = 1 ] && return 0
  psql_admin -d postgres -v o="$DB_OWNER" -v a="$DB_APP" -v d="$DB_NAME" -v p="$PASSWORD" <<'SQL'
select format('create role %I login createrole password %L', :'o', :'p') where not exists (select from pg_roles where rolname = :'o') \gexec
select format('create role %I login noinherit nosuperuser nobypassrls nocreaterole nocreatedb password %L', :'a', :'p') where not exists (select from pg_roles where rolname = :'a') \gexec
select format('create database %I owner %I', :'d', :'o') where not exists (select from pg_database where datname = :'d') \gexec
SQL
  as_svc touch "$DATA/postgres/roles-made"
}
stop_postgres() { # SIGINT = fast shutdown (SIGTERM would wait for the clients)
  local pid; pid=$(pid_of postgres) || return 0
  kill -INT "$pid"; await_gone "$pid" 20 || { kill -QUIT "$pid"; await_gone "$pid" 5; }
  rm -f "$DATA/postgres.pid"
}

# ---------------------------------------------------------------- RabbitMQ
RABBIT_ENV=()
rabbit_env() {
  RABBIT_ENV=(
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_NODENAME="gatehouse$ID@localhost" RABBITMQ_USE_LONGNAME=false
    RABBITMQ_CONFIG_FILE="$DATA/rabbitmq/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$DATA/rabbitmq/advanced.config"
    RABBITMQ_MNESIA_BASE="$DATA/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$DATA/log" RABBITMQ_SCHEMA_DIR="$DATA/rabbitmq/schema"
    RABBITMQ_GENERATED_CONFIG_DIR="$DATA/rabbitmq/config" RABBITMQ_ENABLED_PLUGINS_FILE="$DATA/rabbitmq/enabled_plugins"
    RABBITMQ_PID_FILE="$DATA/rabbitmq/beam.pid" RABBITMQ_DIST_PORT="$RABBITMQ_DIST_PORT"
    ERL_EPMD_PORT="$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1
    RUNNING_UNDER_SYSTEMD=1 ERL_CRASH_DUMP_BYTES=0
    # no busy waiting (it starves the tests on 2 cores), distribution on loopback only
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
  )
}
epmd_bin() { command -v epmd || compgen -G '/usr/lib/erlang/erts-*/bin/epmd' | tail -n1; }
epmd_ours() { [ -n "${EPMD_PORT:-}" ] && ERL_EPMD_PORT=$EPMD_PORT "$(epmd_bin)" -names 2>/dev/null | grep "up and running" >/dev/null; }
# The AMQP listener opens at the end of the boot; the broker answers a protocol header with a Start frame (type 1).
healthy_rabbitmq() {
  local b
  b=$( { exec 3<>"/dev/tcp/127.0.0.1/$RABBITMQ_PORT" && printf 'AMQP\0\0\11\1' >&3 && timeout 3 head -c1 <&3 | od -An -tx1; } 2>/dev/null) || return 1
  [ "${b// /}" = 01 ]
}
start_rabbitmq() {
  [ -n "$RABBIT_SBIN" ] || { log "RabbitMQ is not installed; run: deploy/local/services.sh install"; return 1; }
  as_svc mkdir -p "$DATA/rabbitmq"
  as_svc bash -c 'umask 077; cat >"$1"' _ "$DATA/rabbitmq/rabbitmq.conf" <<EOF
listeners.tcp.1 = 127.0.0.1:$RABBITMQ_PORT
default_user = gatehouse
default_pass = $PASSWORD
loopback_users = none
num_acceptors.tcp = 2
disk_free_limit.absolute = 100MB
vm_memory_high_watermark.absolute = 1GB
log.file = rabbitmq-broker.log
log.file.level = warning
log.console = false
EOF
  as_svc bash -c '[ -f "$1" ] || echo "[]." >"$1"; [ -f "$2" ] || echo "[]." >"$2"' _ "$DATA/rabbitmq/enabled_plugins" "$DATA/rabbitmq/advanced.config"
  rabbit_env
  # RUNNING_UNDER_SYSTEMD makes the script end in "exec erl", so that the pid that spawn wrote is the
  # Erlang VM's own; without it a shell stays between, with the VM as its child.
  spawn rabbitmq env "${RABBIT_ENV[@]}" "$RABBIT_SBIN/rabbitmq-server"
  wait_healthy rabbitmq
}
stop_rabbitmq() { # SIGTERM = init:stop(), an orderly stop that flushes queues
  local pid i
  if pid=$(pid_of rabbitmq); then
    kill -TERM "$pid"; await_gone "$pid" 30 || { kill -KILL "$pid"; await_gone "$pid" 5; }
  fi
  # The private epmd, once the node has left it.
  for ((i = 0; i < 40; i++)); do
    epmd_ours || break
    ERL_EPMD_PORT=$EPMD_PORT "$(epmd_bin)" -kill >/dev/null 2>&1 && break
    sleep 0.05
  done
  rm -f "$DATA/rabbitmq.pid"
}

# ---------------------------------------------------------------- Redis
redis_say() { # redis_say 'INLINE COMMAND' : one line of the answer, with no redis-cli needed
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$REDIS_PORT" && printf 'AUTH %s\r\n%s\r\n' "$PASSWORD" "$1" >&3 && read -r -t 2 line <&3 && read -r -t 2 line <&3 && printf %s "${line%$'\r'}"; } 2>/dev/null
}
healthy_redis() { [ "$(redis_say PING)" = +PONG ]; }
start_redis() {
  [ -n "$REDIS_BIN" ] || { log "Redis is not installed; run: deploy/local/services.sh install"; return 1; }
  as_svc mkdir -p "$DATA/redis"
  as_svc bash -c 'umask 077; cat >"$1"' _ "$DATA/redis/redis.conf" <<EOF
bind 127.0.0.1
port $REDIS_PORT
dir "$DATA/redis"
requirepass $PASSWORD
appendonly yes
appendfsync everysec
save ""
daemonize no
EOF
  spawn redis "$REDIS_BIN" "$DATA/redis/redis.conf"
  wait_healthy redis
}
stop_redis() { local pid; pid=$(pid_of redis) || return 0; kill -TERM "$pid"; await_gone "$pid" 10 || kill -KILL "$pid"; rm -f "$DATA/redis.pid"; }

# ---------------------------------------------------------------- S3
healthy_s3() { # any HTTP answer will do (403 without a signature)
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$S3_PORT" && printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 && read -r -t 2 line <&3; } 2>/dev/null && [[ $line == HTTP/1.* ]]
}
S3_COPY() { echo "$DATA/bin/gatehouse"; }
# A server that runs from an older build than the one that stands now.
stale_s3() { [ -x "$BIN" ] && ! cmp -s "$BIN" "$(S3_COPY)"; }
start_s3() {
  local copy; copy=$(S3_COPY)
  if [ -x "$BIN" ]; then
    # Always a copy: the service user may not reach the original (a clone under /root), and cargo replaces it.
    if ! cmp -s "$BIN" "$copy"; then
      mkdir -p "$DATA/bin" && install -m 755 "$BIN" "$copy.new" && mv "$copy.new" "$copy" || return 1
    fi
  elif [ ! -x "$copy" ]; then
    log "s3 is the gatehouse binary itself, and there is none at $BIN; build it first: cargo build --bin gatehouse"; return 1
  fi
  as_svc mkdir -p "$DATA/s3"
  spawn s3 env GATEHOUSE_S3_ACCESS_KEY="$S3_ACCESS_KEY" GATEHOUSE_S3_SECRET_KEY="$PASSWORD" GATEHOUSE_S3_BUCKET="$S3_BUCKET" \
    "$copy" objectstore --root "$DATA/s3" --listen "127.0.0.1:$S3_PORT"
  wait_healthy s3
}
stop_s3() { local pid; pid=$(pid_of s3) || return 0; kill -TERM "$pid"; await_gone "$pid" 3 || kill -KILL "$pid"; await_gone "$pid" 2 || true; rm -f "$DATA/s3.pid"; }

# ---------------------------------------------------------------- actions
write_env() {
  put_file env <<EOF
export GATEHOUSE_LOCAL_RUN_DIR='$RUN_DIR'
export GATEHOUSE_BIN='$BIN'
export GATEHOUSE_DATABASE_URL='postgres://$DB_APP:$PASSWORD@127.0.0.1:$POSTGRES_PORT/$DB_NAME'
export GATEHOUSE_DATABASE_OWNER_URL='postgres://$DB_OWNER:$PASSWORD@127.0.0.1:$POSTGRES_PORT/$DB_NAME'
export GATEHOUSE_AMQP_URL='amqp://gatehouse:$PASSWORD@127.0.0.1:$RABBITMQ_PORT/%2f'
export GATEHOUSE_REDIS_URL='redis://default:$PASSWORD@127.0.0.1:$REDIS_PORT/0'
export GATEHOUSE_S3_ENDPOINT='http://127.0.0.1:$S3_PORT'
export GATEHOUSE_S3_REGION='$S3_REGION'
export GATEHOUSE_S3_ACCESS_KEY='$S3_ACCESS_KEY'
export GATEHOUSE_S3_SECRET_KEY='$PASSWORD'
export GATEHOUSE_S3_BUCKET='$S3_BUCKET'
export GATEHOUSE_MASTER_KEY='$MASTER_KEY'
export GATEHOUSE_OPERATOR_KEY='$OPERATOR_KEY'
export GATEHOUSE_FACE_MODELS='${GATEHOUSE_FACE_MODELS:-$ROOT/.run/models}'
${GATEHOUSE_LISTEN:+export GATEHOUSE_LISTEN='$GATEHOUSE_LISTEN'}
EOF
}
do_start() {
  choose_ports
  write_env
  local n pids=() names=() t0 rc=0; t0=$(now_ms)
  for n in "$@"; do
    if running "$n" && "healthy_$n"; then
      if [ "$n" = s3 ] && stale_s3; then log "s3: runs from an older build; starting it anew"; stop_s3; else log "$n: already running"; continue; fi
    fi
    (s=$(now_ms); "start_$n" && log "$n: up in $(($(now_ms) - s)) ms") & # side by side
    pids+=($!); names+=("$n")
  done
  for n in "${!pids[@]}"; do wait "${pids[$n]}" || { log "${names[$n]}: FAILED"; rc=1; }; done
  [ $rc = 0 ] || return 1
  [ ${#pids[@]} = 0 ] || log "started in $(($(now_ms) - t0)) ms; settings in $RUN_DIR/env"
}
do_stop() {
  load_ports
  local n pids=() t0; t0=$(now_ms)
  for n in "$@"; do "stop_$n" & pids+=($!); done
  for n in "${pids[@]}"; do wait "$n" || true; done
  for n in "$@"; do running "$n" && { log "$n: still running"; return 1; }; done
  log "stopped: $* in $(($(now_ms) - t0)) ms"
}
do_status() {
  load_ports
  local n rc=0
  for n in "$@"; do
    if running "$n"; then
      if "healthy_$n"; then echo "$n up pid=$(pid_of "$n")"; else echo "$n unhealthy pid=$(pid_of "$n")"; rc=1; fi
    else echo "$n down"; rc=1; fi
  done
  return $rc
}
do_clean() {
  do_stop "${ALL[@]}"
  rm -rf "${RUN_DIR:?}"/{data,env,ports,demo.json,log,models,master_key,operator_key} "/var/tmp/gatehouse-$ID"
  rmdir "$RUN_DIR" 2>/dev/null || true
}

action=${1:-}; shift || true
if [ "$action" = packages ]; then [ $# = 0 ] || apt_install "$@"; exit; fi
names=("$@"); [ ${#names[@]} = 0 ] && names=("${ALL[@]}")
case $action in
  install | start | stop | restart | status | env | logs | clean) ;;
  *) sed -n '2,/^set /{/^# shellcheck/d;s/^# \?//p}' "${BASH_SOURCE[0]}" | sed '/^set /d' >&2; exit 2 ;;
esac
for n in "${names[@]}"; do [[ " ${ALL[*]} " == *" $n "* ]] || die "there is no service called $n; the four are ${ALL[*]}"; done
find_external
if [ $EXTERNAL = 1 ]; then
  case $action in
    start) log "using the services that your GATEHOUSE_... variables name; nothing to start"; exit 0 ;;
    status) for n in "${names[@]}"; do echo "$n external"; done; exit 0 ;;
    env) exit 0 ;;
    stop | restart) [ $# = 0 ] || { log "the services that your GATEHOUSE_... variables name are not this script's to stop"; exit 3; } ;;
  esac
fi
case $action in install) install_packages; exit ;; esac
if [ ! -d "$RUN_DIR" ]; then # nothing to prepare only in order to say that there is nothing
  case $action in
    status) for n in "${names[@]}"; do echo "$n down"; done; exit 1 ;;
    stop | clean) exit 0 ;;
    env | logs) die "not started yet" ;;
  esac
fi
prepare
find_gatehouse
# One action at a time in a RUN_DIR (fd 9; the servers are started without it).
case $action in start | stop | restart | clean) exec 9<"$RUN_DIR"; flock -w 180 9 || die "another services.sh is at work on $RUN_DIR" ;; esac
case $action in
  start) do_start "${names[@]}" ;;
  stop) do_stop "${names[@]}" ;;
  restart) do_stop "${names[@]}"; [ $EXTERNAL = 1 ] || do_start "${names[@]}" ;;
  status) do_status "${names[@]}" ;;
  env) [ -f "$RUN_DIR/env" ] || die "not started yet"; cat "$RUN_DIR/env" ;;
  logs) tail -n 40 "$DATA"/log/"${1:-}"*.log ;;
  clean) do_clean ;;
esac
