#!/usr/bin/env bash
# No statement of trace over the whole collection is false: tests/proof/truth.py has how it is held to strace, ld.so, the journal and the log.
# What was held of this program stays beside it, and a later call goes on behind it.
# builds: harness/all fakes/all fixtures/all truth_bare
#   tests/full/truth.sh [OPTIONS]        TREE=DIR: of the build; RESULT=FILE: where the result goes, as JSON; MINUTES=50: of one part
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-.build}
program=$(sha256sum "$TREE/harness/gpustage" | cut -c1-12)
status=0
python3 tests/proof/truth.py "$TREE" --resume "$TREE/truth-$program.jsonl" --minutes "${MINUTES:-50}" "$@" >"$TREE/truth-$program.txt" || status=$?
cat "$TREE/truth-$program.txt"
if [[ -n ${RESULT:-} ]]; then
  grep -E '^[0-9]+ runs; |^not (checked|compared)|^[0-9]+ cases are left' "$TREE/truth-$program.txt" |
    awk 'BEGIN { printf "[" } { gsub(/["\\]/, ""); printf "%s\"%s\"", (NR > 1 ? ", " : ""), $0 } END { print "]" }' >"$RESULT"
fi
exit $status
