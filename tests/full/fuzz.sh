#!/usr/bin/env bash
# libFuzzer over every reader of what others write, with address and undefined behaviour sanitizers. Needs clang++ and compiler-rt
# (Debian: clang libclang-rt-dev). What it finds is left in .build/fuzz/found; a find becomes a file of tests/fuzz/corpus.
# builds: fakes/all
#   tests/full/fuzz.sh [TARGET…]        SECONDS_EACH=360: of a target, as many at once as there are processors; ten make an hour of one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILT=${TREE:-$PWD/.build}
TREE=$BUILT/fuzz
EACH=${SECONDS_EACH:-360}
command -v clang++ >/dev/null || { echo 'skipped: there is no clang++ here' && exit 77; }

FLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
cmake -S . -B "$TREE" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Release -DGPUSTAGE_FUZZ=ON -DGPUSTAGE_UNITY=OFF \
  -DGPUSTAGE_WERROR=OFF -DCMAKE_CXX_FLAGS_RELEASE="-O1 -g1 -DNDEBUG $FLAGS" >/dev/null
ninja -C "$TREE" gpustage_fuzz >"$TREE/build.log" || { tail -20 "$TREE/build.log" && exit 1; }
mkdir -p "$TREE/found"

# fuzz TARGET: its line goes to TARGET.said.
fuzz() {
  local target=$1 corpus=$TREE/corpus/$1 seeds=(tests/fuzz/corpus/"$1") status=0
  mkdir -p "$corpus"
  case $target in  # what lies here anyway
    scenario) find scenarios -name '*.yaml' -exec cp -n -t "$corpus" {} + ;;
    pasted-log | issue) seeds+=(fixtures/logs/threads) ;;
    elf) [[ ! -d $BUILT/fakes ]] || seeds+=("$BUILT/fakes") ;;
  esac
  GPUSTAGE_FUZZ=$target GPUSTAGE_FIXTURES=$PWD/fixtures "$TREE"/tests/fuzz/gpustage_fuzz "$corpus" "${seeds[@]}" -max_total_time="$EACH" -timeout=10 \
    -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$TREE/found/$target-" >"$TREE/$target.log" 2>&1 || status=$?
  if ((status == 0)); then
    printf '%-12s %s\n' "$target" "$(grep -oE 'Done [0-9]+ runs' "$TREE/$target.log")" >"$TREE/$target.said"
  else
    printf '%-12s FAILED: %s\n' "$target" "$(grep -m1 -E 'SUMMARY|ERROR' "$TREE/$target.log" || echo "status $status")" >"$TREE/$target.said"
  fi
}

(($#)) || set -- $(ls tests/fuzz/corpus)
for target; do
  while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n || true; done
  fuzz "$target" &
done
wait
lines=()
for target; do lines+=("$(<"$TREE/$target.said")"); done
printf '%s\n' "${lines[@]}"
bad=$(printf '%s\n' "${lines[@]}" | grep -c FAILED || true)
echo "$(($# - bad)) passed, $bad failed"
[[ -z ${RESULT:-} ]] || printf '%s\n' "${lines[@]}" | awk 'BEGIN { printf "[" } { gsub(/["\\]/, ""); gsub(/ +/, " "); printf "%s\"%s\"", NR > 1 ? ", " : "", $0 } END { print "]" }' >"$RESULT"
((bad == 0))
