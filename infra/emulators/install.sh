#!/usr/bin/env bash
# Installs the pinned emulators into .emulators/. Does nothing when they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

copy_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

need() {
  command -v "$1" >/dev/null || fail "$1 is missing: $2"
}

check_prerequisites() {
  need java "install Java 17 or newer (Debian: apt-get install default-jre-headless)"
  need mvn "install Maven (Debian: apt-get install maven)"
  need python3 "install Python 3.10 or newer (Debian: apt-get install python3-venv)"
  python3 -c 'import ensurepip, venv' 2>/dev/null ||
    fail "python3 cannot make a virtual environment (Debian: apt-get install python3-venv)"
  local version
  version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${version:-0}" -ge 17 ] || fail "DynamoDB Local needs Java 17 or newer, found ${version:-none}"
}

# publish TEMPORARY FINAL makes a finished installation visible in one step; another run may have been faster.
publish() {
  [ -d "$2" ] || mv "$1" "$2"
  rm -rf "$1"
}

install_dynamodb() {
  [ -d "$dynamodb_home" ] && return
  echo "emulators: installing DynamoDB Local"
  local fresh=$dynamodb_home.$$
  mvn -q -B -ntp -f "$here/pom.xml" "$copy_plugin:copy-dependencies" -DoutputDirectory="$fresh"
  publish "$fresh" "$dynamodb_home"
}

install_ministack() {
  [ -d "$ministack_home" ] && return
  echo "emulators: installing ministack"
  local fresh=$ministack_home.$$
  python3 -m venv "$fresh"
  "$fresh/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$here/requirements.txt"
  publish "$fresh" "$ministack_home"
}

mkdir -p "$home"
if [ ! -d "$dynamodb_home" ] || [ ! -d "$ministack_home" ]; then
  check_prerequisites
  install_dynamodb
  install_ministack
fi
