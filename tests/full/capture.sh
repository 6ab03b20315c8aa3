#!/usr/bin/env bash
# gpustage-capture in the roots of Debian 11, 12 and 13, in one of glibc and base-files alone (as distroless images are), and in one of
# musl and busybox alone, as root and as a user: it reads the machine, asks the driver through the root's own loader where there is one,
# keeps to its bounds, and what it writes runs. Needs root, debootstrap and Debian's packages; nothing in the roots is configured.
#   tests/full/capture.sh        ROOTS=DIR: where they are made and kept, TREE=DIR: the build, instead of a scratch directory and .build
# builds: gpustage gpustage_capture host_driver
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILD=${TREE:-.build}
CAPTURE=$BUILD/harness/gpustage-capture GPUSTAGE=$BUILD/harness/gpustage DRIVER=$BUILD/tests/host/libhost_driver.so
MOST_MS=2000 MOST_BYTES=200000

((EUID == 0)) || { echo 'skipped: needs root' && exit 77; }
command -v debootstrap >/dev/null || { echo 'skipped: there is no debootstrap here' && exit 77; }
for file in "$CAPTURE" "$GPUSTAGE" "$DRIVER"; do
  [[ -f $file ]] || { echo "skipped: $file is not built" && exit 77; }
done
if [[ -z ${ROOTS:-} ]]; then
  ROOTS=$(mktemp -d)
  trap 'rm -rf --one-file-system "$ROOTS"' EXIT
fi

# unpacked ROOT SUITE PACKAGE…: these alone, of what debootstrap fetched.
unpacked() {
  local root=$ROOTS/$1 suite=$2 package
  shift 2
  mkdir -p "$root/proc" "$root/dev"
  for package in "$@"; do dpkg-deb -x "$ROOTS/$suite"/var/cache/apt/archives/"${package}"_*.deb "$root"; done
}
# with_driver ROOT: a libcuda.so.1 that counts one device, where Debian's packages put it.
with_driver() {
  mkdir -p "$ROOTS/$1/usr/lib/x86_64-linux-gnu"
  cp "$DRIVER" "$ROOTS/$1/usr/lib/x86_64-linux-gnu/libcuda.so.1"
}
# capture_in ROOT UID: what it writes there; nothing is left mounted.
capture_in() {
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount --pid --fork --kill-child bash -ec '
    mount --bind "$1" "$1" && cd "$1" && mount -t proc proc proc
    exec chroot --userspec="$2:$2" . /gpustage-capture' - "$ROOTS/$1" "$2"
}

wrong=0
check() { # ROOT WORDS-THAT-ARE-WRITTEN…
  local root=$1 uid began took text words
  shift
  cp "$CAPTURE" "$ROOTS/$root/gpustage-capture"
  for uid in 0 1000; do
    began=$(date +%s%3N)
    text=$(capture_in "$root" "$uid") || { echo "$root as $uid: ended with $?" && wrong=1 && continue; }
    took=$(($(date +%s%3N) - began))
    for words in "$@" "user: \"$uid\""; do
      grep -qF -- "$words" <<<"$text" || { echo "$root as $uid: no '$words' in: $text" && wrong=1; }
    done
    ((took <= MOST_MS && ${#text} <= MOST_BYTES)) || { echo "$root as $uid: $took ms, ${#text} bytes" && wrong=1; }
    printf '%s\n' "$text" >"$ROOTS/$root-$uid.yaml"
    "$GPUSTAGE" run "$ROOTS/$root-$uid.yaml" >"$ROOTS/run" 2>&1 || { echo "$root as $uid: $(cat "$ROOTS/run")" && wrong=1; }
    echo "$root as $uid: $took ms, ${#text} bytes; $(grep -E '^[0-9]+ passed' "$ROOTS/run" || tail -1 "$ROOTS/run")"
  done
}

for suite in bullseye bookworm trixie; do
  [[ -e $ROOTS/$suite/etc/os-release ]] ||
    debootstrap --foreign --variant=minbase --include=musl,busybox-static "$suite" "$ROOTS/$suite" >"$ROOTS/$suite.log"
  # In a container debootstrap makes a link to our own of it.
  [[ ! -L $ROOTS/$suite/proc ]] || { rm "$ROOTS/$suite/proc" && mkdir "$ROOTS/$suite/proc"; }
  with_driver "$suite"
  check "$suite" 'on a machine of debian.' 'the driver counts 1' '(/usr/lib/x86_64-linux-gnu/libcuda.so.1), cuInit 0'
done
unpacked distroless bookworm base-files libc6
with_driver distroless
check distroless 'on a machine of debian.' 'the driver counts 1'
unpacked musl bookworm musl busybox-static
check musl 'NOT KNOWN: what the driver answers: no loader of glibc is here'
exit $wrong
