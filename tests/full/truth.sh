#!/usr/bin/env bash
# No statement of trace over the whole collection is false: tests/proof/truth.py has how it is held to strace, ld.so, the journal and the log.
# builds: harness/all fakes/all fixtures/all truth_bare
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-.build}
exec python3 tests/proof/truth.py "$TREE" "$@"
