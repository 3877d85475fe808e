#!/usr/bin/env bash
# Stops the emulators that start.sh started, by process id, and waits until they are gone.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

# ours PID: the number may belong to another process by now; ours runs from .emulators.
ours() {
  [[ $(ps -o args= -p "$1" 2>/dev/null) == *"$home/"* ]]
}

stop() {
  local pid
  pid=$(<"$run/$1.pid")
  if ours "$pid"; then
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      ours "$pid" || break
      sleep 0.1
    done
    if ours "$pid"; then kill -9 "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$run/$1.pid" "$run/$1.endpoint"
}

for name in dynamodb ministack; do
  if [ -e "$run/$name.pid" ]; then stop "$name"; fi
done
