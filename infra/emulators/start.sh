#!/usr/bin/env bash
# Starts both emulators, each on a free port, waits until they answer, and leaves NAME.pid, NAME.endpoint and
# NAME.log in .emulators/run (or in NANO_EMULATORS_RUN). Prints the environment that the tests read.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# answers URL: any HTTP answer will do, an error status too.
answers() {
  python3 - "$1" 2>/dev/null <<'PYTHON'
import sys, urllib.error, urllib.request
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=5)
except urllib.error.HTTPError:
    pass
PYTHON
}

# launch NAME PORT COMMAND...: in the background, with its output in a log and no standard input.
launch() {
  local name=$1 port=$2
  shift 2
  nohup "$@" </dev/null >"$run/$name.log" 2>&1 &
  echo "$!" >"$run/$name.pid"
  echo "http://127.0.0.1:$port" >"$run/$name.endpoint"
}

wait_for() {
  local name=$1 endpoint pid
  endpoint=$(<"$run/$name.endpoint")
  pid=$(<"$run/$name.pid")
  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || break
    answers "$endpoint/" && return
    sleep 0.2
  done
  tail -n 20 "$run/$name.log" >&2
  "$here/stop.sh"
  fail "$name did not come up; its log is above"
}

start_dynamodb() {
  local port
  port=$(free_port)
  launch dynamodb "$port" java -Djava.library.path="$dynamodb_home" -cp "$dynamodb_home/*" \
    software.amazon.dynamodb.services.local.main.ServerRunner \
    -inMemory -sharedDb -disableTelemetry -port "$port"
}

start_ministack() {
  local port
  port=$(free_port)
  GATEWAY_PORT=$port BIND_HOST=127.0.0.1 MINISTACK_HOST=127.0.0.1 LOG_LEVEL=WARNING \
    launch ministack "$port" "$ministack_home/bin/python" -m ministack
}

[ ! -e "$run/dynamodb.pid" ] || fail "already started in $run; stop them first with infra/emulators/stop.sh"
mkdir -p "$run"
start_dynamodb
start_ministack
wait_for dynamodb
wait_for ministack
echo "export NANO_TEST_DYNAMODB=$(<"$run/dynamodb.endpoint")"
echo "export NANO_TEST_AWS=$(<"$run/ministack.endpoint")"
