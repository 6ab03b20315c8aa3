#!/usr/bin/env bash
# 50,000 runs with faults of known result at --jobs 4, among neighbours that fork, flood, hang and fill a disk: no wrong verdict, nothing left
# behind. After 50 minutes it ends with 75: the same command goes on, for what was found of this program is kept in the build tree.
# builds: harness/all fakes/all fixtures/all actor hostile_scanner
#   tests/full/soak.sh [OPTIONS OF soak.py]        TREE=DIR: of the build; RESULT=FILE: where the result goes, as JSON
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-$PWD/.build}
keep=$TREE/soak-$(cat "$TREE/harness/gpustage" tests/full/soak.py | sha256sum | cut -c1-12).jsonl
exec python3 tests/full/soak.py "$TREE" --keep "$keep" ${RESULT:+--result "$RESULT"} "$@"
