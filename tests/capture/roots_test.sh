#!/usr/bin/env bash
# gpustage-capture starts in roots that have nothing, or no glibc: it says what it could not ask, and
# what it writes is a scenario that runs.
set -euo pipefail
capture=$1 gpustage=$2
((EUID == 0)) || { echo "needs root: it enters another root" && exit 77; }
unshare -m true 2>/dev/null || { echo "this machine allows no mount namespace" && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "$*" && exit 1; }

# captured ROOT: what it writes there.
captured() { unshare -m chroot "$1" /gpustage-capture; }

mkdir -p "$scratch/empty" "$scratch/musl/lib" "$scratch/musl/proc" "$scratch/musl/dev"
cp "$capture" "$scratch/empty/gpustage-capture"
cp "$capture" "$scratch/musl/gpustage-capture"
# As musl's distributions have it: a loader of another name, and no /lib64.
printf 'ID=alpine\nVERSION_ID=3.20\n' >"$scratch/musl/os-release"
mkdir -p "$scratch/musl/etc" && mv "$scratch/musl/os-release" "$scratch/musl/etc/os-release"
: >"$scratch/musl/lib/ld-musl-x86_64.so.1"

for root in empty musl; do
  captured "$scratch/$root" >"$scratch/$root.yaml" || fail "$root: ended with $?"
  grep -qF 'NOT KNOWN: what the driver answers: no loader of glibc is here' "$scratch/$root.yaml" ||
    fail "$root: $(cat "$scratch/$root.yaml")"
  "$gpustage" run "$scratch/$root.yaml" >"$scratch/out" 2>&1 || fail "$root: $(cat "$scratch/out")"
done
