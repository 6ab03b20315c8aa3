#!/usr/bin/env bash
# No statement of trace over the whole collection is false: tests/proof/truth.py has how it is held to strace, ld.so, the journal and the log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${GPUSTAGE_TREE:-.build}
ninja -C "$TREE" --quiet harness/all fakes/all fixtures/all truth_bare >&2
exec python3 tests/proof/truth.py "$TREE" "$@"
