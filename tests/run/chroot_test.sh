#!/usr/bin/env bash
# gpustage in a chroot, as sbuild and schroot start it: what it hears of the box has the box's paths, not those of whoever made the chroot.
#   tests/run/chroot_test.sh GPUSTAGE
set -euo pipefail
((EUID == 0)) || { echo 'skipped: needs root' && exit 77; }
unshare --mount true 2>/dev/null || { echo 'skipped: no mount namespace can be made here' && exit 77; }
"$1" doctor | grep -qE '^isolation +root:' || { echo 'skipped: no box of root can be made here' && exit 77; }
root=$(mktemp -d)
trap 'rmdir "$root"' EXIT
# shellcheck disable=SC2016  # for the inner shell
said=$(unshare --mount bash -ec 'mount --make-rprivate / && mount --rbind / "$1" && cd "$1" && exec chroot . "${@:2}"' - "$root" \
  bash -c 'cd "$1" && exec "$2" run first-steps/unlistable-directory --scanner ollama-model --jobs 1 2>&1' - "$PWD" "$1") || {
  printf '%s\n' "$said" && exit 1
}
grep -q '^3 passed, 0 failed' <<<"$said" || { printf '%s\n' "$said" && exit 1; }
