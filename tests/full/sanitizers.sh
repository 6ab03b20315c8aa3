#!/usr/bin/env bash
# Every unit test of this tree with the address and undefined behaviour sanitizers in harness and tests, built at -O1 in a tree of its own: an
# hour and more of building on two cores. After 50 minutes it ends with 75: the same command goes on, with the build, then behind the tests that
# have passed. Scenario files are not run again each on their own: tests/full/soak.py starts the sanitized program some two thousand times.
#   tests/full/sanitizers.sh        TREE=DIR: of the usual build, below which it lies; RESULT=FILE: where the result goes; MINUTES=50: of one part
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${TREE:-$PWD/.build}/asan
end=$((SECONDS + 60 * ${MINUTES:-50}))
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGPUSTAGE_SANITIZE=ON -DGPUSTAGE_WERROR=OFF \
  -DCMAKE_CXX_FLAGS_RELEASE='-O1 -g1 -DNDEBUG' -DCMAKE_C_FLAGS_RELEASE='-O1 -g1 -DNDEBUG' >/dev/null
status=0
timeout $((end - SECONDS)) nice ninja -C "$build" >"$build/build.log" 2>&1 || status=$?
((status != 124)) || { echo "built so far: $(tail -1 "$build/build.log" | cut -c1-60)" && exit 75; }
((status == 0)) || { tail -20 "$build/build.log" && exit 1; }

# What was passed with exactly these files.
done=$build/passed-$(find "$build" -maxdepth 4 -type f -perm -u+x -newer "$build/CMakeCache.txt" -size +64k -not -name '*.so*' | LC_ALL=C sort |
  xargs -r sha256sum | sha256sum | cut -c1-12)
touch "$done"
ctest --test-dir "$build" -N -E '^(scenarios/|Scenarios\.|Full\.|Dev$|Rules\.)' | sed -nE 's/^ *Test +#([0-9]+): (.*)$/\1 \2/p' >"$build/tests"
# Some at a time, as many at once as there are processors; then each that did not pass once more and alone, for a limit of time is no find.
failed=()
while ((SECONDS < end)); do
  numbers=($(grep -vxFf <(cat "$done" <(printf '%s\n' "${failed[@]+"${failed[@]}"}")) "$build/tests" | head -n 60 | cut -d' ' -f1 || true))
  ((${#numbers[@]})) || break
  ctest --test-dir "$build" -j "$(nproc)" -I "${numbers[0]},${numbers[0]},1$(printf ',%s' "${numbers[@]:1}")" >"$build/last.log" 2>&1 </dev/null || true
  for number in "${numbers[@]}"; do
    name=$(grep -m1 "^$number " "$build/tests")
    if grep -qE "Test +#$number: .*( Passed|\\*\\*\\*Skipped) " "$build/last.log" ||
      ctest --test-dir "$build" -I "$number,$number" --output-on-failure >"$build/alone.log" 2>&1 </dev/null; then
      echo "$name" >>"$done"
    else
      failed+=("$name")
      cp "$build/alone.log" "$build/failed-${#failed[@]}.log"
      echo "FAILED: $name: $(grep -m1 -E 'ERROR: |runtime error|Failure' "$build/alone.log" || tail -3 "$build/alone.log")"
    fi
  done
done
if (($(wc -l <"$done") + ${#failed[@]} < $(wc -l <"$build/tests"))); then
  echo "$(wc -l <"$done") of $(wc -l <"$build/tests") tests have passed" && exit 75
fi
soak=0
python3 tests/full/soak.py "$build" --runs 1 || soak=$?
said="$(wc -l <"$done") tests pass with address and undefined behaviour sanitizers, ${#failed[@]} fail; soak ends with $soak"
echo "$said"
[[ -z ${RESULT:-} ]] || printf '["%s"]' "$said" >"$RESULT"
((${#failed[@]} == 0 && soak == 0))
