#!/usr/bin/env bash
# A hundred thousand changes of files that are written at random, and as many of files of the collection: each must change the value that is
# asked for and leave every other byte (tests/scenario/edit_test.cc). ctest has some thousand of them.
# builds: edit_test
#   tests/full/edits.sh        TREE=DIR: of the build; RESULT=FILE: where the result goes, as JSON
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-.build}
GPUSTAGE_EDITS=100000 "$TREE/tests/scenario/edit_test" --gtest_filter='Edited.*' | tee "$TREE/edits.txt"
[[ -z ${RESULT:-} ]] || printf '["%s"]\n' "$(grep -E '^[0-9]+ changes: ' "$TREE/edits.txt")" >"$RESULT"
