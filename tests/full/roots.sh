#!/usr/bin/env bash
# harness/dev run on bare roots, literally: debootstrap's minbase of Debian 12 and 13, nothing else, entered by chroot (as sbuild and
# schroot do) and by pivot_root; then the package there, and what README and the pages show, line by line, as root and as a user. Prints how
# many packages and how much room it takes. Needs root, debootstrap and Debian's packages.
#   tests/full/roots.sh [bookworm] [trixie]        ROOTS=DIR: where they are made and kept, instead of a scratch directory
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SOURCE=$PWD
MOST_PACKAGES=120 MOST_MB=700

((EUID == 0)) || { echo 'skipped: needs root' && exit 77; }
command -v debootstrap >/dev/null || { echo 'skipped: there is no debootstrap here' && exit 77; }
if [[ -z ${ROOTS:-} ]]; then
  ROOTS=$(mktemp -d)
  trap 'rm -rf --one-file-system "$ROOTS"' EXIT
fi

# in_root chroot|pivot ROOT COMMAND…: with /proc and /dev; all mounts go with the command.
in_root() {
  local how=$1 root=$2
  shift 2
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount --pid --fork --kill-child bash -ec '
    how=$1 root=$2; shift 2
    mount --bind "$root" "$root" && cd "$root"
    mount -t proc proc proc && mount --rbind /dev dev && mount -t tmpfs -o mode=1777 tmp tmp
    export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
    if [[ $how == chroot ]]; then exec chroot . "$@"; fi
    mkdir -p .outer && pivot_root . .outer && umount -l /.outer && exec "$@"' - "$how" "$root" "$@"
}

packages_in() { in_root chroot "$1" dpkg-query -W -f '${Package}\n' | wc -l; }
megabytes_in() { in_root chroot "$1" dpkg-query -W -f '${Installed-Size}\n' | awk '{ kb += $1 } END { print int(kb / 1024) }'; }

check_root() {
  local suite=$1 root=$ROOTS/$suite packages megabytes built how
  [[ -x $root/usr/bin/apt-get ]] || debootstrap --variant=minbase "$suite" "$root" >"$ROOTS/$suite.log"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  # What a proxy of this machine wants of the clients.
  for file in /etc/pip.conf "${PIP_CERT:-}" "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}"; do
    [[ ! -f $file ]] || install -D "$(readlink -f "$file")" "$root$file"
  done
  rm -rf "$root/gpustage" && mkdir "$root/gpustage"
  tar -c --exclude=./.build --exclude=./.git --exclude=./shared -C "$SOURCE" . | tar -x -C "$root/gpustage"
  packages=$(packages_in "$root") megabytes=$(megabytes_in "$root")
  in_root pivot "$root" /gpustage/harness/dev run first-steps >"$ROOTS/$suite.run" 2>&1 || true  # held to below
  packages=$(($(packages_in "$root") - packages)) megabytes=$(($(megabytes_in "$root") - megabytes))
  # One build from nothing: its log has when each command ended, in milliseconds from the start.
  built=$(awk 'NR > 1 && $2 > last { last = $2 } END { print int(last / 1000) }' "$root/gpustage/.build/.ninja_log" 2>/dev/null || echo '?')
  echo "$suite: $packages packages, $megabytes MB, built in $built s on $(nproc) processors; said before: $(grep -m1 -oE '[0-9]+ packages, .*' "$ROOTS/$suite.run" || echo nothing)"
  for how in chroot pivot; do
    in_root "$how" "$root" /gpustage/harness/dev run first-steps >"$ROOTS/$suite.$how" 2>&1 || true
    echo "$suite by $how: $(grep -E '^[0-9]+ passed' "$ROOTS/$suite.$how" || tail -3 "$ROOTS/$suite.$how")"
    grep -qE '^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped in' "$ROOTS/$suite.$how" || wrong=1
  done
  in_root pivot "$root" bash -ec 'cd /gpustage && harness/dev package && dpkg -i .build/package/*.deb && ninja -C .build my_scanner
    for user in 0 1000; do
      rm -rf "/walk-$user" && python3 tests/pages.py .build --walk "/walk-$user" && chown -R "$user:$user" "/walk-$user"
      setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="/walk-$user" PATH=/usr/bin:/bin bash "/walk-$user/walk.sh" || exit
    done' >"$ROOTS/$suite.walk" 2>&1 || { tail -5 "$ROOTS/$suite.walk" && wrong=1; }
  echo "$suite: README and pages: $(grep -E '^[0-9]+ steps' "$ROOTS/$suite.walk" | paste -sd ';')"
  ((packages <= MOST_PACKAGES && megabytes <= MOST_MB)) || { echo "at most $MOST_PACKAGES packages and $MOST_MB MB" && wrong=1; }
}

(($#)) || set -- bookworm trixie
wrong=0
for suite in "$@"; do check_root "$suite"; done
exit $wrong
