#!/usr/bin/env bash
# All of what says how good `gpustage why` is: every scenario with a fix, each proven answer again from scratch, and 30 machines with two
# causes. Half an hour and more on two cores: a program that hangs is waited for at each start.
# builds: harness/all fakes/all fixtures/all why_evaluation why_planted
#   tests/full/why.sh        TREE=DIR: of the build; RESULT=FILE: where the result goes, as JSON
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-$PWD/.build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

status=0
"$TREE/tests/diagnose/why_evaluation" --again 10 --jobs "$(nproc)" | tee "$scratch/evaluation" || status=1
"$TREE/tests/diagnose/why_planted" 30 1 "$(nproc)" | tee "$scratch/planted" || status=1

# The summaries, a line an entry.
if [[ -n ${RESULT:-} ]]; then
  { grep -E '^[0-9]+ runs|  bars? ' "$scratch/evaluation"; tail -n 1 "$scratch/planted"; } |
    awk 'BEGIN { printf "[" } { gsub(/["\\]/, ""); gsub(/ +/, " "); printf "%s\"%s\"", (NR > 1 ? ", " : ""), $0 } END { print "]" }' >"$RESULT"
fi
exit $status
