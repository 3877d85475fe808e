# Sourced by the other scripts: where the emulators live. Each version has a folder of its own, named after the
# file that pins it, so that a changed pin installs anew and a half-done installation is never used.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
home=$root/.emulators
run=${NANO_EMULATORS_RUN:-$home/run}

pin() { cksum <"$here/$1" | cut -d ' ' -f 1; }

dynamodb_home=$home/dynamodb-$(pin pom.xml)
ministack_home=$home/ministack-$(pin requirements.txt)

fail() {
  echo "emulators: $*" >&2
  exit 1
}
