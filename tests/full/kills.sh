#!/usr/bin/env bash
# gpustage killed at 200 random moments, half of them as root and half as an ordinary user with one id and with lent ones: by SIGKILL, SIGTERM,
# SIGINT, SIGHUP and a terminal that is closed. Then started where descriptors, memory, processes, a disk, /proc or /dev/shm are missing and
# TMPDIR is odd. It ends, by itself and never by abort(); no process, mount, socket or file is left, or the next start clears it. Needs root.
# builds: harness/all fakes/all fixtures/all
#   tests/full/kills.sh [OPTIONS OF kills.py]        TREE=DIR: of the build, where an ordinary user can read it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-$PWD/.build}
((EUID == 0)) || { echo 'skipped: needs root' && exit 77; }
setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$TREE/harness/gpustage" || { echo "skipped: nobody may not read $TREE" && exit 77; }
exec python3 tests/full/kills.py "$TREE" ${RESULT:+--result "$RESULT"} "$@"
