#!/usr/bin/env bash
# Runs what README.md shows: every command line of the program, its example scenario and its example scanner.
# usage: readme_test.sh BUILD_TREE
set -euo pipefail

BUILD=$1
README=README.md
PROGRAM=$BUILD/harness/gpustage
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failed=0 ran=0

check() {
  ran=$((ran + 1))
  if "$@" >"$WORK/out" 2>&1; then return; fi
  echo "README shows this, and it fails: $*"
  cat "$WORK/out"
  failed=$((failed + 1))
}

# The block that follows the line "<!-- file: NAME -->", without its fences.
block() {
  awk -v mark="<!-- file: $1 -->" '$0 == mark {on = 1; next} on && /^```/ {if (inside) exit; inside = 1; next} on && inside' "$README"
}

# Lines of code blocks that start the program, as a user in the source tree would type them.
while IFS= read -r line; do
  check bash -c "cd '$WORK' && ${line//.build\/harness\/gpustage/$PROGRAM}"
done < <(grep -E '^\.build/harness/gpustage ' "$README")

for name in my-scenario.yaml my-scanner.yaml; do
  block "$name" >"$WORK/$name"
  [[ -s $WORK/$name ]] || { echo "README has no block for $name"; failed=$((failed + 1)); }
done
[[ $(grep -cve '^ *$' "$WORK/my-scanner.yaml") -le 10 ]] || { echo "the example scanner is longer than ten lines"; failed=$((failed + 1)); }
cp "$BUILD/subjects/my_scanner" "$WORK/my-scanner"
check "$PROGRAM" run "$WORK/my-scenario.yaml"
check "$PROGRAM" run first-steps/healthy --filter gpus=2,stack=ollama-12 --scanner "$WORK/my-scanner.yaml"
grep -q 'my-scanner' "$WORK/out" || { echo "the example scanner did not run"; failed=$((failed + 1)); }

lines=$(wc -l <"$README")
[[ $lines -lt 250 ]] || { echo "README.md has $lines lines, and 250 are the end"; failed=$((failed + 1)); }
[[ $ran -ge 7 ]] || { echo "only $ran commands were found in README.md"; failed=$((failed + 1)); }
echo "$ran commands of README.md ran"
exit $((failed > 0))
