#!/usr/bin/env bash
# What `harness/dev run` installs on a bare Debian: how many packages, and how much room they take, as apt plans it for a root of debootstrap's
# minbase (packages of priority "required", and apt). Nothing is fetched. tests/full/roots.sh does it in earnest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C
MOST_PACKAGES=120 MOST_MB=700
skip() { echo "skipped: $*" && exit 77; }
command -v apt-get >/dev/null || skip 'there is no apt-get here'
grep -qs '^ID=debian' /etc/os-release || skip 'the packages of this system are not those of Debian'
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
: >"$T/status"

# plan PACKAGES…: the names and versions that apt would install where nothing is.
plan() {
  apt-get -o Dir::State::status="$T/status" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Debug::NoLocking=1 --no-install-recommends --simulate \
    install "$@" 2>"$T/said" | sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1=\2/p' | sort -u
}

# shellcheck source=harness/dev.d/needs.sh
CXX='' source harness/dev.d/needs.sh
needs=()
for need in "${NEEDS[@]}" "${CLIENTS[@]}"; do needs+=("${need%%|*}"); done
mapfile -t required < <(apt-cache dumpavail 2>/dev/null | awk '/^Package: /{p=$2} /^Priority: required$/{print p}' | sort -u)
((${#required[@]} > 10)) || skip 'apt-get knows no packages of a bare root: apt-get update'
plan "${required[@]}" apt >"$T/bare" || skip "apt-get cannot plan a bare root: $(grep -m1 '^E: ' "$T/said")"
plan "${required[@]}" apt "${needs[@]}" >"$T/all" || skip "apt-get cannot plan it: $(grep -m1 '^E: ' "$T/said")"
comm -13 "$T/bare" "$T/all" >"$T/more"
packages=$(wc -l <"$T/more")
kilobytes=$(xargs apt-cache show <"$T/more" | awk '/^Installed-Size: /{ kb += $2 } END { print kb + 0 }')
echo "$packages packages, $((kilobytes / 1024)) MB on a bare root of $(wc -l <"$T/bare") packages; at most $MOST_PACKAGES and $MOST_MB MB"
((packages > 20)) || { echo 'that is too few to be true' && exit 1; }
((packages <= MOST_PACKAGES && kilobytes / 1024 <= MOST_MB))
