#!/usr/bin/env bash
# The page of --report html in a real browser: Debian's Chromium without a window, driven by tests/full/html_page.py. Looks for errors
# of the console, clicks, keys, times of 10,000 cases, and screenshots of 320, 1280 and 2560 px in light and dark, kept in SHOTS.
# builds: harness/all fakes/all fixtures/all
#   tests/full/html.sh        SHOTS=DIR: where they are kept; AXE=axe.min.js: another copy of axe-core
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PROGRAM=${GPUSTAGE:-$PWD/.build/harness/gpustage}
[[ -x $PROGRAM ]] || { echo 'skipped: nothing is built: harness/dev run first-steps' && exit 77; }
command -v python3 >/dev/null || { echo 'skipped: there is no python3 here' && exit 77; }
command -v chromium >/dev/null || { echo 'skipped: there is no chromium here: harness/dev full html' && exit 77; }
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
# axe-core as the registry of npm has it, a plain archive: contrast, names and roles.
if [[ -z ${AXE:-} && ${GPUSTAGE_OFFLINE:-0} != 1 ]] && command -v npm >/dev/null; then
  (cd "$SCRATCH" && npm pack --silent axe-core@4.10.3 >/dev/null && tar -xzf axe-core-*.tgz package/axe.min.js) || true
  AXE=$SCRATCH/package/axe.min.js
fi
[[ -s ${AXE:-} ]] || { echo 'axe-core is not here: contrast and names are not checked' && AXE=; }

cat >"$SCRATCH/page.yaml" <<'END'
claim: a page about </script><script>document.title = "owned"</script>
machine: {devices: [h100-80gb]}
layout: [nvidia-driver-debian, ollama-cuda-12]
matrix:
  mode:
    set: case
    to: [{as: open, value: {}}, {as: shut, value: {tree: [{chmod: /usr/local/lib/ollama/cuda_v12, mode: "0711"}]}}]
  mask: {set: env.CUDA_VISIBLE_DEVICES, to: ["0", "-1", {as: html, value: "<img src=x onerror=document.title='owned'>"}]}
  debug: {set: env.OLLAMA_DEBUG, to: ["0", "1", "2"]}
runs: [{name: service, scanner: ollama-model}]
expect: [{devices: 1}]
END
(cd "$SCRATCH" && "$PROGRAM" run page.yaml --report json=page.json --report html=page.html >page.txt) && { echo 'nothing failed' && exit 1; }
python3 tests/full/html_many.py "$SCRATCH/page.json" "$SCRATCH/many.json" 10000
"$PROGRAM" merge "$SCRATCH/many.json" --report html="$SCRATCH/many.html" >/dev/null || (($? == 1))
python3 tests/full/html_page.py "$SCRATCH/page.html" "$SCRATCH/many.html" "${SHOTS:-$SCRATCH}" ${AXE:+"$AXE"}
