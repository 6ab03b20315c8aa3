#!/usr/bin/env bash
# Nothing grows with the cases: CASES=100000 of two runs each in one start of gpustage, JSON and JUnit written at the end. Looked at four
# times a second from first to last: resident memory stays below 120 MB, and descriptors and mounts come back to what they were.
# Then lists of 40,000 words: twice as long takes about twice as long; and 64 MiB of any output: at most 256 MiB and 2 s after the run.
# builds: harness/all fakes/all fixtures/all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-$PWD/.build}
CASES=${CASES:-100000}
MOST_KB=$((120 * 1000)) MOST_RATIO=2.8
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc -O1 -o "$scratch/subject" tests/bench/subject.c
mkdir -p "$scratch/parts/scanners"
mv "$scratch/subject" "$scratch/parts/scanners"
cat >"$scratch/parts/scanners/subject.yaml" <<'YAML'
scanner: subject
about: reads its tree and says two lines
program: {path: ./subject}
at: /usr/local/bin/subject
argv: [/usr/local/bin/subject]
fits: subject
devices: {read: lines, stream: stdout, match: '^GPU (?P<name>.+)$'}
log: {stream: stdout, format: plain}
YAML

# numbers FROM TO: "1, 2, 3"
numbers() { seq -s ', ' "$1" "$2" | sed -E 's/[0-9]+/"&"/g'; }

# ---- Cases ---------------------------------------------------------------------------------------------------------------

cat >"$scratch/many.yaml" <<YAML
claim: the subject starts
machine: {devices: []}
tree:
  - {dir: /opt/subject/lib}
  - {file: /opt/subject/lib/file-0, content: "number 0\n"}
env: {SUBJECT_TREE: /opt/subject, SUBJECT_NUMBER: "0"}
matrix:
  hundreds: {set: env.SUBJECT_MODE, to: [$(numbers 1 $(((CASES + 99) / 100)))]}
  ones: {set: env.SUBJECT_NUMBER, to: [$(numbers 0 99)]}
runs:
  - {name: first, scanner: subject}
  - {name: second, scanner: subject}
expect: [{outcome: {exited: 0}, log: {has: ["in mode"]}}]
YAML

# look PID: "KB MOUNTS DESCRIPTOR=WHAT…", four times a second for as long as it lives.
look() {
  local kb mounts descriptors
  while kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null) && [[ -n $kb ]]; do
    mounts=$(wc -l 2>/dev/null <"/proc/$1/mounts" || echo 0)
    descriptors=$(find "/proc/$1/fd" -mindepth 1 -printf '%f=%l\n' 2>/dev/null | tr ' \n' '_ ' || true)
    [[ -z $descriptors ]] || echo "$kb $mounts $descriptors"
    sleep 0.25
  done
}

start=$SECONDS
"$TREE/harness/gpustage" run "$scratch/many.yaml" --fixtures "$scratch/parts" --quiet --report json="$scratch/report.json" \
  --report junit="$scratch/report.xml" >"$scratch/said" 2>&1 &
program=$!
look $program >"$scratch/looks"
bad=0
wait $program || bad=$?
took=$((SECONDS - start))
((bad == 0)) || tail -5 "$scratch/said"
passed=$(grep -oE '^[0-9]+ passed' "$scratch/said" | cut -d' ' -f1 || echo 0)

# Of both halves: what memory was at most, what the mounts were at least (between two cases there are none), and how many descriptors stayed: the
# same open file at the same number in each of forty looks, ten seconds. What a case opens is closed in milliseconds; what leaks stays.
growth=$(awk -v most="$MOST_KB" '
  function stayed(from, to,   i, n, field, words, seen, kept) {
    for (i = from; i <= to; ++i) {
      n = split(open[i], words, " ")
      for (field = 1; field <= n; ++field) seen[words[field]]++
    }
    for (field in seen) kept += seen[field] == to - from + 1
    return kept + 0
  }
  { kb[NR] = $1; mounts[NR] = $2; $1 = $2 = ""; open[NR] = $0 }
  END {
    for (i = int(NR / 10) + 1; i <= NR; ++i) {  # by then all is open that stays open
      half = i > NR * 0.55
      if (kb[i] > peak[half]) peak[half] = kb[i]
      if (!(half in few) || mounts[i] < few[half]) few[half] = mounts[i]
    }
    wide = NR > 400 ? 40 : int(NR / 10)
    early = stayed(int(NR / 10) + 1, int(NR / 10) + wide)
    late = stayed(int(NR * 0.9) - wide + 1, int(NR * 0.9))  # before the reports are written
    top = peak[0] > peak[1] ? peak[0] : peak[1]
    good = NR > 8 && wide > 0 && early > 0 && top <= most && late <= early && few[1] <= few[0]
    printf "%d {\"looks\": %d, \"kb_first_half\": %d, \"kb_second_half\": %d, \"descriptors_that_stay\": [%d, %d], \"mounts\": [%d, %d]}\n",
      good, NR, peak[0], peak[1], early, late, few[0], few[1]
  }' "$scratch/looks")
echo "$CASES cases of two runs in $took s: $passed passed; ${growth#* }"
[[ ${growth%% *} == 1 && $passed == $((2 * ((CASES + 99) / 100) * 100)) ]] || bad=1

# ---- A long list ---------------------------------------------------------------------------------------------------------

# listed KIND WORDS: milliseconds of the processor for `gpustage check` of a scenario with so many short words in argv, or values of an axis.
listed() {
  local list
  list=$(seq -s ', ' "$2" | sed -E 's/[0-9]+/w&/g')
  {
    printf 'claim: many words\nmachine: {devices: []}\nexpect: [{outcome: {exited: 0}}]\n'
    case $1 in
      argv) printf 'runs: [{scanner: subject, args: [%s]}]\n' "$list" ;;
      axis) printf 'runs: [{scanner: subject}]\nmatrix:\n  word: {set: env.WORD, to: [%s]}\n' "$list" ;;
    esac
  } >"$scratch/words.yaml"
  (TIMEFORMAT='%U %S'
    time "$TREE/harness/gpustage" check "$scratch/words.yaml" --fixtures "$scratch/parts" >"$scratch/said" 2>&1) 2>"$scratch/took" ||
    { cat "$scratch/said" >&2 && exit 1; }
  awk '{ print int(1000 * ($1 + $2)) }' "$scratch/took"
}
words=
for kind in argv axis; do
  half=$(listed $kind 20000)
  whole=$(listed $kind 40000)
  ratio=$(awk -v a="$half" -v b="$whole" 'BEGIN { printf "%.2f", b / a }')
  echo "$kind of 20,000 words $half ms, of 40,000 $whole ms: $ratio times"
  awk -v r="$ratio" -v most=$MOST_RATIO 'BEGIN { exit r <= most ? 0 : 1 }' || bad=1
  words+="${words:+, }\"$kind\": [$half, $whole]"
done

# ---- Much output ---------------------------------------------------------------------------------------------------------

mkdir "$scratch/flood"
python3 tests/full/flood.py "$TREE/harness/gpustage" "$scratch/flood" | tee "$scratch/floods" || bad=1
floods=$(tail -n 1 "$scratch/floods")

[[ -z ${RESULT:-} ]] || printf '{"cases": %s, "passed": %s, "seconds": %s, "growth": %s, "words_ms": {%s}, "floods": %s}' \
  "$CASES" "$passed" "$took" "${growth#* }" "$words" "$floods" >"$RESULT"
exit $bad
