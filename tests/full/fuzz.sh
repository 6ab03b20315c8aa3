#!/usr/bin/env bash
# libFuzzer over every reader of what others write, with address and undefined behaviour sanitizers. Needs clang++ and compiler-rt
# (Debian: clang libclang-rt-14-dev). What it finds is left in .build/fuzz/found; a find becomes a file of tests/fuzz/corpus.
#   tests/full/fuzz.sh [TARGET…]        SECONDS_EACH=360: of a target, ten of them make an hour on one core
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=.build/fuzz
EACH=${SECONDS_EACH:-360}
command -v clang++ >/dev/null || { echo 'skipped: there is no clang++ here' && exit 77; }

FLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
cmake -S . -B "$TREE" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Release -DGPUSTAGE_FUZZ=ON \
  -DGPUSTAGE_WERROR=OFF -DCMAKE_CXX_FLAGS_RELEASE="-O1 -g1 -DNDEBUG $FLAGS" >/dev/null
ninja -C "$TREE" gpustage_fuzz >/dev/null
mkdir -p "$TREE/found"

bad=0
(($#)) || set -- $(ls tests/fuzz/corpus)
for target; do
  corpus=$TREE/corpus/$target
  mkdir -p "$corpus"
  seeds=(tests/fuzz/corpus/"$target")
  case $target in  # what lies here anyway
    scenario) cp -n $(find scenarios -name '*.yaml') "$corpus" ;;
    pasted-log | issue) seeds+=(fixtures/logs/threads) ;;
    elf) [[ ! -d .build/fakes ]] || seeds+=(.build/fakes) ;;
  esac
  if GPUSTAGE_FUZZ=$target GPUSTAGE_FIXTURES=$PWD/fixtures "$TREE"/tests/fuzz/gpustage_fuzz "$corpus" "${seeds[@]}" -max_total_time="$EACH" -timeout=10 \
    -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$TREE/found/$target-" >"$TREE/$target.log" 2>&1; then
    printf '%-12s %s\n' "$target" "$(grep -oE 'Done [0-9]+ runs' "$TREE/$target.log")"
  else
    bad=$((bad + 1))
    printf '%-12s FAILED: %s\n' "$target" "$(grep -m1 -E 'SUMMARY|ERROR' "$TREE/$target.log")"
  fi
done
echo "$(($# - bad)) passed, $bad failed"
((bad == 0))
