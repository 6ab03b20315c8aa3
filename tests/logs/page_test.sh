#!/usr/bin/env bash
# What harness/docs/my-machine-sees-no-gpu.md shows is what is printed. `page_test.sh PROGRAM --write` writes it anew.
set -euo pipefail

PROGRAM=$1
PAGE=harness/docs/my-machine-sees-no-gpu.md
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# The page with every block that follows the mark filled with what its command prints.
filled() {
  local line fence='' inside=0 mark=0 count=0
  while IFS= read -r line; do
    if [[ $inside == 1 ]]; then
      [[ $line == "$fence" ]] && inside=0 && printf '%s\n' "$line"
      continue
    fi
    printf '%s\n' "$line"
    if [[ $line == '<!-- output of the command -->' ]]; then
      mark=1
    elif [[ $mark == 1 && $line == '```'* ]]; then
      fence=$line
    elif [[ $mark == 1 && $line == '$ gpustage '* ]]; then
      # shellcheck disable=SC2086
      "$PROGRAM" ${line#\$ gpustage }
      mark=0 inside=1 count=$((count + 1))
    fi
  done <"$PAGE"
  [[ $count -ge 2 ]] || { echo "only $count commands were found in $PAGE" >&2; exit 1; }
}

filled >"$WORK/page"
if [[ ${2:-} == --write ]]; then
  cp "$WORK/page" "$PAGE"
else
  diff -u "$PAGE" "$WORK/page"
fi
