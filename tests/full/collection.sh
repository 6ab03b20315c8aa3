#!/usr/bin/env bash
# What takes longer of the collection of public reports: every report's scenario is run, and every fault is exchanged for its
# neighbours, which a claim below the symptom must tell from it.
# builds: harness/all fakes/all fixtures/all reports_test mutants
#   tests/full/collection.sh [ARGS]        ARGS are for mutants: --only TEXT, --sample N, --seed N
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-.build}

"$TREE/tests/collection/reports_test"
"$TREE/tests/collection/mutants" "$@"
