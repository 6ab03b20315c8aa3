#!/usr/bin/env bash
# Holds README.md and harness/docs to what is printed. usage: readme_test.sh BUILD_TREE
set -euo pipefail
command -v python3 >/dev/null || { echo 'skipped: there is no python3 here' && exit 77; }
exec python3 "$(dirname "${BASH_SOURCE[0]}")/pages.py" "$@"
