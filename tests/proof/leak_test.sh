#!/usr/bin/env bash
# A machine with a CUDA toolkit that its ld.so.cache names: nothing of it reaches a scanner, and where a scanner's own RUNPATH
# leads to it, the run says so. The toolkit and the cache are made up, in a mount namespace of this test alone.
# usage: leak_test.sh GPUSTAGE FAKE-CUDART SCANNER
set -uo pipefail

GPUSTAGE=$1 CUDART=$2 SCANNER=$3

skip() { echo "skipped: $1" && exit 77; }
if [[ ${INSIDE:-} != 1 ]]; then
  ((EUID == 0)) || skip "a mount namespace with a cache of its own needs root"
  command -v unshare patchelf >/dev/null || skip "no unshare or patchelf here"
  INSIDE=1 exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "$@"
fi

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failed=0
fails() { echo "FAILED: $1" && failed=1; }

mount -t tmpfs tmpfs /opt || skip "no tmpfs can be mounted here"
mkdir -p /opt/host-cuda/lib64
cp "$CUDART" /opt/host-cuda/lib64/libcudart.so.12
cp "$CUDART" /opt/host-cuda/lib64/libcuda.so.1
printf '/opt/host-cuda/lib64\n/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n' >"$WORK/conf"
/sbin/ldconfig -X -f "$WORK/conf" -C "$WORK/cache" || skip "ldconfig makes no cache here"
mount --bind "$WORK/cache" /etc/ld.so.cache
/sbin/ldconfig -p | grep -q '=> /opt/host-cuda/lib64/libcudart.so.12$' || fails "the made-up cache does not name the toolkit"

cat >"$WORK/case.yaml" <<'END'
claim: a toolkit of this machine is not seen
machine: {devices: [h100-80gb]}
layout: [nvidia-driver-debian, ollama-cuda-12]
expect: [{loads_not: libcudart.so.12}]
END
scanner() {
  cp "$SCANNER" "$WORK/$1"
  cat >"$WORK/$1.yaml" <<END
scanner: $1
about: it is linked to libcudart
program: {path: ./$1}
at: /usr/local/bin/$1
argv: [/usr/local/bin/$1]
fits: ollama
devices: {read: lines, stream: stdout, match: '^GPU \\d+: (?P<name>.+)\$'}
log: {stream: stderr, format: plain}
END
}

# 1. What Ollama's model and the hand test find is the tree's alone.
"$GPUSTAGE" run first-steps/healthy@gpus=1,stack=ollama-12 --evidence-dir "$WORK/kept" >"$WORK/out" 2>&1 || fails "a healthy case: $(cat "$WORK/out")"
grep -rq 'host-cuda' "$WORK/kept" && fails "a healthy case has met the toolkit"
"$GPUSTAGE" trace "$WORK/kept" 2>&1 | grep -q 'NOT HERMETIC' && fails "a healthy case has a leak"
"$GPUSTAGE" exec first-steps/healthy@gpus=1,stack=ollama-12 -- /bin/cat /etc/ld.so.cache 2>/dev/null | grep -q host-cuda && fails "the tree's cache names the toolkit"

# 2. A scanner that is linked to it: this machine's loader finds the toolkit, and inside it is not found.
scanner linked
"$GPUSTAGE" run "$WORK/case.yaml" --scanner "$WORK/linked.yaml" --filter linked --evidence-dir "$WORK/linked.kept" >"$WORK/out" 2>&1 || fails "a linked scanner: $(cat "$WORK/out")"
"$GPUSTAGE" trace "$WORK/linked.kept" 2>&1 | grep -q 'NOT HERMETIC' && fails "a linked scanner has met the toolkit"

# 3. The same with a RUNPATH of the toolkit, as nvcc's users have: that is a leak, and an error.
scanner leaky
patchelf --set-rpath /opt/host-cuda/lib64 "$WORK/leaky"
"$GPUSTAGE" run "$WORK/case.yaml" --scanner "$WORK/leaky.yaml" --evidence-dir "$WORK/leaky.kept" >"$WORK/out" 2>&1
[[ $? == 1 ]] || fails "a leak is not exit status 1: $(cat "$WORK/out")"
grep -q 'not hermetic: /opt/host-cuda/lib64/libcudart.so.12, a GPU library of this machine, was used' "$WORK/out" || fails "a leak is not named: $(cat "$WORK/out")"
"$GPUSTAGE" trace "$WORK/leaky.kept" 2>&1 | tr -s ' \n' ' ' | grep -q 'NOT HERMETIC: /opt/host-cuda/lib64/libcudart.so.12' || fails "trace does not show the leak"

# 4. Nothing of this machine's devices is there to be looked at.
"$GPUSTAGE" exec first-steps/healthy@gpus=1,stack=ollama-12 -- /bin/ls /sys /dev 2>/dev/null >"$WORK/out"
grep -qE '^(class|bus|module|devices|dri|kfd)$' "$WORK/out" && fails "/sys or /dev of this machine is seen: $(cat "$WORK/out")"

((failed == 0)) && echo "nothing of a host's toolkit reaches a scanner, and a way to it is told"
exit "$failed"
