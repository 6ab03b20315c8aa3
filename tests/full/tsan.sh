#!/usr/bin/env bash
# The sanitizer of threads over the jobs of a run and whoever listens: some two thousand runs at --jobs 4 among hostile neighbours, those of the
# first steps and of faults, and the unit tests of boxes, watching and the spool. Half an hour of building on two cores; after 50 minutes it ends
# with 75, and goes on when it is started again.
#   tests/full/tsan.sh        TREE=DIR: of the usual build, below which it lies; RESULT=FILE: where the result goes; MINUTES=50: of one part
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${TREE:-$PWD/.build}/tsan
end=$((SECONDS + 60 * ${MINUTES:-50}))
# A box is made by a thread among others; its process makes no threads.
export TSAN_OPTIONS=halt_on_error=1:exitcode=66:die_after_fork=0

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGPUSTAGE_SANITIZE=thread -DGPUSTAGE_WERROR=OFF \
  -DCMAKE_CXX_FLAGS_RELEASE='-O1 -g1 -DNDEBUG' -DCMAKE_C_FLAGS_RELEASE='-O1 -g1 -DNDEBUG' >/dev/null
status=0
timeout $((end - SECONDS)) nice ninja -C "$build" harness/all fakes/all fixtures/all actor hostile_scanner run_test suite_test hostile_test \
  >"$build/build.log" 2>&1 || status=$?
((status != 124)) || { echo "built so far: $(tail -1 "$build/build.log" | cut -c1-60)" && exit 75; }
((status == 0)) || { tail -20 "$build/build.log" && exit 1; }

bad=0 said=()
note() {
  said+=("$1 $( (($2 == 0)) && echo clean || echo "ends with $2")")
  echo "${said[-1]}"
  (($2 == 0)) || bad=1
}
status=0
python3 tests/full/soak.py "$build" --runs 1 || status=$?
note 'soak at --jobs 4' "$status"
status=0
"$build/harness/gpustage" run first-steps faults --quiet --jobs 4 --report json="$build/report.json" >"$build/run.log" 2>&1 || status=$?
((status == 0)) || tail -40 "$build/run.log"
note 'first-steps and faults' "$status"
for folder in run suite; do
  status=0
  "$build/tests/$folder/${folder}_test" >"$build/$folder.log" 2>&1 || status=$?
  ((status == 0)) || grep -E -A12 'WARNING: ThreadSanitizer|Failure' "$build/$folder.log" | head -40
  note "tests of $folder" "$status"
done
status=0
"$build/tests/hostile/hostile_test" --gtest_filter='As/HostileBox.*' >"$build/hostile.log" 2>&1 || status=$?
((status == 0)) || grep -E -A12 'WARNING: ThreadSanitizer|Failure' "$build/hostile.log" | head -40
note 'hostile boxes' "$status"
[[ -z ${RESULT:-} ]] || printf '%s\n' "${said[@]}" | awk 'BEGIN { printf "[" } { printf "%s\"%s\"", NR > 1 ? ", " : "", $0 } END { print "]" }' >"$RESULT"
exit $bad
