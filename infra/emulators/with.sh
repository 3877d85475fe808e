#!/usr/bin/env bash
# with.sh COMMAND...: runs the command with both emulators up and stops them after it, also when it fails.
# Every run has emulators of its own, so that two runs in one checkout do not meet.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/paths.sh"

export NANO_EMULATORS_RUN=$home/run/$$

finish() {
  local status=$?
  "$here/stop.sh"
  if [ "$status" -eq 0 ]; then rm -rf "$NANO_EMULATORS_RUN"; fi
  exit "$status"
}

"$here/install.sh"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$here/start.sh"

# A proxy set for the outside world must not see calls to this machine; nor may a test reach a real account.
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
export NANO_TEST_AWS_REQUIRED=1
export NANO_TEST_DYNAMODB NANO_TEST_AWS
NANO_TEST_DYNAMODB=$(<"$NANO_EMULATORS_RUN/dynamodb.endpoint")
NANO_TEST_AWS=$(<"$NANO_EMULATORS_RUN/ministack.endpoint")
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL
export AWS_ACCESS_KEY_ID=emulator AWS_SECRET_ACCESS_KEY=emulator AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
"$@"
