#!/usr/bin/env bash
# All of what says how good `gpustage why` is: every scenario with a fix, each proven answer again from scratch, 30 machines with two
# causes, and every captured machine and large layout made small. An hour and more on two cores: a program that hangs is waited for at each
# start. After 50 minutes it ends with 75, and says how many are left: the same command goes on, for what was found is kept in the build tree
# until a source or a scenario is another.
# builds: harness/all fakes/all fixtures/all why_evaluation why_planted diagnose_test
#   tests/full/why.sh        TREE=DIR: of the build; RESULT=FILE: where the result goes, as JSON; MINUTES=50: of one part
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TREE=${TREE:-$PWD/.build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What decides what is found: not how it is said. Scenarios are kept one by one. Without git, nothing is gone on with.
stamp() {
  local sources=(harness fakes fixtures tests/diagnose/evaluation.cc ':!harness/cli' ':!harness/dev*' ':!harness/docs'
    ':!harness/report' ':!harness/diagnose/*_text.cc' ':!harness/diagnose/*_words.cc' ':!harness/diagnose/*_commands.cc'
    ':!harness/diagnose/*_json.cc' ':!harness/diagnose/diff.*')
  { git ls-files -s -- "${sources[@]}" && git diff -- "${sources[@]}" &&
    git ls-files -oz --exclude-standard -- "${sources[@]}" | xargs -0r sha256sum; } 2>/dev/null | sha256sum | cut -c1-16 || date +%s
}

if [[ ${1:-} == --stamp ]]; then
  stamp
  exit
fi

status=0
touch "$scratch/planted" "$scratch/small"
# Twice as many jobs as processors: what hangs is waited for, and costs nothing.
"$TREE/tests/diagnose/why_evaluation" --again 10 --jobs "$(($(nproc) * 2))" --minutes "${MINUTES:-50}" --keep "$TREE/why-scores" --stamp "$(stamp)" |
  tee "$scratch/evaluation" || status=$?
((status == 75)) || "$TREE/tests/diagnose/why_planted" 30 1 "$(nproc)" | tee "$scratch/planted" || status=1
((status == 75)) || GPUSTAGE_WHOLE=1 "$TREE/tests/diagnose/diagnose_test" --gtest_filter='*MachineTest.*' | tee "$scratch/small" || status=1

# The summaries, a line an entry.
if [[ -n ${RESULT:-} ]]; then
  { grep -E '^[0-9]+ runs|^[0-9]+ are left|^seconds a run|  bars? ' "$scratch/evaluation" && tail -qn 1 "$scratch/planted" &&
    awk '/ parts are left/ { beyond = $1 - $10; if (beyond > most) most = beyond; n++ } END { if (n) print n " machines made small, at most " most + 0 " parts beyond the floor" }' "$scratch/small"; } |
    awk 'BEGIN { printf "[" } { gsub(/["\\]/, ""); gsub(/ +/, " "); printf "%s\"%s\"", (NR > 1 ? ", " : ""), $0 } END { print "]" }' >"$RESULT"
fi
exit $status
