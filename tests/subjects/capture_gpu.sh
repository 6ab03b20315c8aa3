#!/usr/bin/env bash
# capture_gpu.sh OUT CAPTURE: gpustage-capture on a machine with a real NVIDIA GPU, as it is and in states that are made on purpose, for
# fixtures/machines. As root there. No setting of the machine is changed: what is broken is an environment, or stands in a mount
# namespace of the capture's own, over a copy of the driver's folder.
#   VULKAN_LOADER=DIR: a libvulkan.so.1 to ask, where none is installed
set -uo pipefail
out=$1 capture=$(realpath "$2")
mkdir -p "$out"
out=$(realpath "$out")
driver=$(ldconfig -p 2>/dev/null | awk '/libcuda\.so\.1 .*x86-64/ {print $NF; exit}')
[[ -n $driver ]] || driver=/usr/local/nvidia/lib64/libcuda.so.1
folder=$(dirname "$driver")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# state NAME COMMAND…: what capture writes there, and how long it took, with the copies of with_links, which no bound is for.
state() {
  local name=$1 began took
  shift
  began=$(date +%s%3N)
  "$@" "$capture" -o "$out/$name.yaml" 2>"$work/err" || { echo "FAIL  $name: $(cat "$work/err")" && failed=1; }
  took=$(($(date +%s%3N) - began))
  echo "$name: $took ms, $(stat -c %s "$out/$name.yaml") bytes"
  [[ $1 == with_links ]] && took=0
  ((took <= 2000 && $(stat -c %s "$out/$name.yaml") <= 200000)) || { echo "FAIL  $name: over its bounds" && failed=1; }
}
# with_links SCRIPT: in a mount namespace in which the driver's folder is a copy of itself, after SCRIPT has changed its links.
with_links() {
  local script=$1
  shift
  unshare --mount --propagation private bash -c '
    real=$1/real links=$1/links folder=$2
    mkdir -p "$real" "$links" && mount --bind "$folder" "$real"
    rm -f "$links"/*
    for file in "$real"/*; do
      if [[ -L $file ]]; then cp -P "$file" "$links/"; elif [[ -f $file ]]; then cp "$file" "$links/"; fi
    done
    cd "$links" && eval "$3" && cd /
    mount --bind "$links" "$folder" && shift 3 && exec "$@"' - "$work" "$folder" "$script" "$@"
}

state h200-healthy env
# An update that was broken off: the links of libcuda lead to the new version, whose file never came; those of NVML are the old ones.
state h200-half-upgraded with_links 'ln -sfn libcuda.so.590.48.01 libcuda.so.1'
# The other half: the library of NVML is gone with the old version, and libcuda is still there.
state h200-half-removed with_links 'rm -f libnvidia-ml.so*'
state h200-uvm-hidden unshare --mount sh -c 'mount --bind /dev/null /dev/nvidia-uvm && exec "$@"' -
state h200-no-devices env CUDA_VISIBLE_DEVICES=
[[ -z ${VULKAN_LOADER:-} ]] || state h200-vulkan env "LD_LIBRARY_PATH=$VULKAN_LOADER"
exit $failed
