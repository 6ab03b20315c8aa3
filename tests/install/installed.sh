# shellcheck shell=bash
# An installed tree to look at: put into a scratch prefix, moved away from it, with the source and build trees out of sight.
# Sourced by the tests here, with the build tree as $1.
set -euo pipefail
export LC_ALL=C

BUILD=$(cd "$1" && pwd -P)
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
HERE=$SOURCE/tests/install
grep -q '^GPUSTAGE_SANITIZE:BOOL=ON' "$BUILD/CMakeCache.txt" && { echo 'skipped: a build with sanitizers is not for installing' && exit 77; }

KEPT=${GPUSTAGE_CACHE:-${HOME:-/nonexistent}/.cache/gpustage}  # what may be fetched once for all runs
OFFLINE=${GPUSTAGE_OFFLINE:-0}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
chmod 755 "$T"
export HOME=$T/home GPUSTAGE_CACHE=$T/cache
unset GPUSTAGE_OLLAMA GPUSTAGE_OFFLINE
mkdir "$HOME"
cd "$T"

fail() {
  printf '%s\n' "$*"
  exit 1
}

# says WORDS: $T/out has them.
says() { grep -qF -- "$1" "$T/out" || fail "does not say \"$1\":" "$(<"$T/out")"; }

# ends STATUS COMMAND…: with its output in $T/out.
ends() {
  local expected=$1 status=0
  shift
  "$@" >"$T/out" 2>&1 </dev/null || status=$?
  [[ $status == "$expected" ]] || fail "ended with $status, not $expected: $*" "$(<"$T/out")"
}

# away COMMAND…: where there are no source and build trees, as far as this user can have it so.
away() {
  if ((EUID != 0)); then
    "$@"
    return
  fi
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount bash -c 'for tree in "$1" "$2"; do [[ ! -d $tree ]] || mount -t tmpfs away "$tree"; done; shift 2; exec "$@"' - \
    "$SOURCE" "$BUILD" "$@"
}

needs_box() {
  local status=0
  "$PREFIX/bin/gpustage" doctor >"$T/out" || status=$?
  [[ $status != 3 ]] || { echo 'skipped: this machine allows no private root; gpustage doctor says why' && exit 77; }
}

install_tree() {
  PREFIX=$T/moved/to
  mkdir "$T/moved"
  cmake --install "$BUILD" --prefix "$T/first" >"$T/out" 2>&1 || fail "$(<"$T/out")"
  mv "$T/first" "$PREFIX"
}
