#!/usr/bin/env bash
# trace_host_gpu.sh OUT GPUSTAGE: `gpustage trace --host` on a machine with a real NVIDIA GPU, healthy and broken in six ways. No
# setting of the machine is changed: what is broken is an environment, a mount namespace of the trace's own, or a copy in a directory
# of ours. OUT gets one file a way; each is held to what its chain must say. Needs a C compiler; two of the ways need root.
set -uo pipefail
out=$1 gpustage=$(realpath "$2")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
out=$(realpath "$out")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cc -o "$work/open" "$here/open_driver.c" -ldl || exit 1
driver=$(ldconfig -p 2>/dev/null | awk '/libcuda\.so\.1 .*x86-64/ {print $NF; exit}')
[[ -n $driver ]] || driver=$(ls /usr/lib/x86_64-linux-gnu/libcuda.so.1 /usr/local/nvidia/lib64/libcuda.so.1 /usr/lib64/libcuda.so.1 2>/dev/null | head -1)
[[ -n $driver ]] || { echo 'no libcuda.so.1 on this machine'; exit 77; }
real=$(readlink -f "$driver")
failed=0

# way NAME PATTERN COMMAND…: the trace, in one line, must match the pattern.
way() {
  local name=$1 pattern=$2
  shift 2
  "$@" >"$out/$name.txt" 2>"$out/$name.err"
  if tr -s ' \n' '  ' <"$out/$name.txt" | grep -qE -- "$pattern"; then
    echo "ok    $name"
  else
    echo "FAIL  $name: expected $pattern"
    failed=1
  fi
}
skipped() { echo "skip  $1: $2"; }
trace=("$gpustage" trace --host -- "$work/open")

way healthy 'entry point.*asked after the run it counts [1-9]|counted' "${trace[@]}"
grep -q 'LOST\|lost at' "$out/healthy.txt" && { echo 'FAIL  healthy: something is lost'; failed=1; }

way masked 'lost at "initialised".*cuInit answers 100.*CUDA_VISIBLE_DEVICES=-1' env CUDA_VISIBLE_DEVICES=-1 "${trace[@]}"

if [[ $EUID == 0 ]] && unshare -m true 2>/dev/null; then
  way hidden-node 'lost at "initialised".*cuInit answers (100|999|304)' \
    unshare -m sh -c 'mount --bind /dev/null /dev/nvidiactl && exec "$@"' - "${trace[@]}"
else
  skipped hidden-node 'no mount namespace without root'
fi

stub=$(ls /usr/local/cuda*/targets/x86_64-linux/lib/stubs/libcuda.so /usr/local/cuda*/lib64/stubs/libcuda.so 2>/dev/null | head -1)
if [[ -n $stub ]]; then
  mkdir "$work/stub" && cp "$stub" "$work/stub/libcuda.so.1"
  way stub-first 'lost at "initialised".*cuInit answers 34' env LD_LIBRARY_PATH="$work/stub" "${trace[@]}"
else
  skipped stub-first 'no toolkit with a stub is installed'
fi

if ldconfig -p | grep -q 'libcudart\.so\.10\.2 '; then
  skipped missing-library 'the runtime of CUDA 10.2 is installed'
else
  way missing-library 'libcudart\.so\.10\.2 was lost at "loaded".*was not found' "$gpustage" trace --host -- "$work/open" libcudart.so.10.2
fi

if [[ $EUID == 0 ]]; then
  mkdir "$work/closed" && cp "$real" "$work/closed/libcuda.so.1" && chmod 700 "$work/closed/libcuda.so.1"
  way wrong-user 'Permission denied' \
    setpriv --reuid=65534 --regid=65534 --clear-groups env "HOME=$work" "$gpustage" trace --host -- "$work/open" "$work/closed/libcuda.so.1"
else
  skipped wrong-user 'no other user without root'
fi

mkdir "$work/cut" && head -c 20000 "$real" >"$work/cut/libcuda.so.1"
way truncated-library 'libcuda\.so\.1 was lost at "loaded"' env LD_LIBRARY_PATH="$work/cut" "${trace[@]}"

# A process that runs already. held NAME PATTERN COMMAND…: it has opened the driver, and waits on a descriptor of its own.
held() {
  local name=$1 pattern=$2 child
  shift 2
  mkfifo "$work/$name"
  exec 7<>"$work/$name"
  "$@" "$work/open" libcuda.so.1 7 >"$work/$name.said" &
  child=$!
  exec 7>&-
  until grep -q cuInit "$work/$name.said" || ! kill -0 $child 2>/dev/null; do sleep 0.1; done
  way "$name" "$pattern" "$gpustage" trace --host --pid $child
  kill $child && wait $child 2>/dev/null
}
held pid-healthy "mapped [^ ]*libcuda[^ ]* \\(NVIDIA's driver\\).*holds open /dev/nvidia.*counts [1-9]" env
held pid-masked 'cuInit of [^ ]* answers 100.*CUDA_VISIBLE_DEVICES=-1 hides every device' env CUDA_VISIBLE_DEVICES=-1
if [[ $EUID == 0 ]] && unshare -m true 2>/dev/null; then
  held pid-hidden-node 'it has mounts of its own' unshare -m sh -c 'mount --bind /dev/null /dev/nvidiactl && exec "$@"' -
fi
exit $failed
