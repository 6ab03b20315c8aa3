#!/usr/bin/env bash
# truth_test.sh BUILD: a few cases of the collection, other ones each time; tests/full/truth.sh has all. The seed is printed, and
# GPUSTAGE_SEED gives one again.
set -euo pipefail
exec python3 tests/proof/truth.py "$1" --sample 6 ${GPUSTAGE_SEED:+--seed "$GPUSTAGE_SEED"}
