# shellcheck shell=bash
# harness/dev bench: what it costs to watch. Sourced by harness/dev.
#
# A ratio and never a time: in each round the same cases run at every level, one level after the other, and are held against
# `none` of the same round. `none` runs twice: how far its second time is from 1 is what this machine makes of nothing.

ROUNDS=${GPUSTAGE_ROUNDS:-9}
LEVELS=(none none-again libs files all)

# milliseconds REPORT.json: a line "SCANNER MS" for each scanner; "command" is the whole of gpustage run, with staging before the
# runs and reading after them.
milliseconds() {
  awk -F'": ' '
    /^      "scanner"/ { gsub(/[",]/, "", $2); scanner = $2 }
    /^      "duration_ms"/ { sum[scanner] += $2 }
    /^  "seconds"/ { sum["command"] = 1000 * $2 }
    END { for (scanner in sum) print scanner, sum[scanner] }' "$1"
}

# bench PATHS…: of cases that pass. Nothing else should run on this machine.
bench() {
  local scratch round i level status
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064  # as it is now
  trap "rm -rf '$scratch'" EXIT
  for ((round = 0; round < ROUNDS; ++round)); do
    for ((i = 0; i < ${#LEVELS[@]}; ++i)); do
      level=${LEVELS[(round + i) % ${#LEVELS[@]}]}  # none is first in its turn only
      status=0
      "$TREE/harness/gpustage" run "$@" --jobs 1 --evidence "${level%-again}" --report json="$scratch/report.json" >"$scratch/out" || status=$?
      ((status == 0)) || { cat "$scratch/out" >&2 && cannot "gpustage run --evidence ${level%-again} ended with $status: only what passes can be timed"; }
      milliseconds "$scratch/report.json" | sed "s/^/$round $level /" >>"$scratch/all"
    done
    say "round $((round + 1)) of $ROUNDS"
  done
  printf 'time of a run as a ratio to --evidence none: median of %s rounds (least to most); %s\n' "$ROUNDS" "$(grep -m1 passed "$scratch/out" | sed 's/ in .*//')"
  awk -v levels="${LEVELS[*]:1}" '
    { ms[$1, $2, $3] = $4; scanners[$3] = 1; if ($1 + 0 > last) last = $1 }
    END {
      count = split(levels, level, " ")
      for (scanner in scanners)
        for (l = 1; l <= count; ++l) {
          n = 0
          for (r = 0; r <= last; ++r) if (ms[r, "none", scanner] > 0) ratio[++n] = ms[r, level[l], scanner] / ms[r, "none", scanner]
          for (i = 2; i <= n; ++i) for (j = i; j > 1 && ratio[j] < ratio[j - 1]; --j) { t = ratio[j]; ratio[j] = ratio[j - 1]; ratio[j - 1] = t }
          if (n > 0) printf "%-14s %-11s %.2f (%.2f to %.2f)\n", scanner, level[l], ratio[int((n + 1) / 2)], ratio[1], ratio[n]
        }
    }' "$scratch/all" | sort -s -k1,1
}

# bench_why [DIR [--share PERCENT] [--seed N]]: broken machines with their truth, and what `gpustage why` says of each, with its seconds. A
# tenth, drawn by name and seed, where nothing else is said: --share 100 is all of them, an hour and more. What `full why` found of the same
# sources is not started again.
bench_why() {
  local folder=${1:-$TREE/benchmark}
  (($# == 0)) || shift
  build_for tests harness/all fakes/all fixtures/all why_evaluation
  rm -rf "$folder" && mkdir -p "$folder"
  say "$(bench_about)"
  exec "$TREE/tests/diagnose/why_evaluation" --share 10 --jobs "$(nproc)" --publish "$folder" --json "$folder/results.json" \
    --keep "$TREE/why-scores" --stamp "$("$ROOT/tests/full/why.sh" --stamp)" "$@"
}

# bench_collection [--rounds N] [--only TEXT]: the scenarios of the public reports, over as many bare execs of the same programs.
bench_collection() {
  build_for tests harness/all fakes/all fixtures/all collection_cost
  GPUSTAGE_CACHE=$GPUSTAGE_CACHE exec "$TREE/tests/collection/collection_cost" "$TREE/harness/gpustage" "$@"
}

# Commit and day, under which a table stands.
bench_about() {
  local commit
  commit=$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo 'no commit')
  git -C "$ROOT" diff --quiet HEAD -- 2>/dev/null || commit+=', changed'
  printf '%s, %s, %s processors' "$commit" "$(date -u +%F)" "$(nproc)"
}

# bench_peers [ARGS OF peers.py]: the peers are fetched below the build tree, pinned; one that cannot be had keeps a row with the reason.
bench_peers() {
  build_program
  mkdir -p "$TREE/bench"
  "${CC:-cc}" -O2 -o "$TREE/bench/subject" "$ROOT/tests/bench/subject.c"
  exec python3 "$ROOT/tests/bench/peers.py" "$TREE/harness/gpustage" "$TREE/bench/subject" "$TREE/bench" --rounds "$ROUNDS" \
    --cases "${GPUSTAGE_CASES:-100}" --about "$(bench_about)" "$@"
}

# bench_costs [ARGS OF costs.py]
bench_costs() {
  build_program
  mkdir -p "$TREE/bench"
  exec python3 "$ROOT/tests/bench/costs.py" "$TREE/harness/gpustage" "$TREE/bench" --rounds "$ROUNDS" --about "$(bench_about)" "$@"
}
