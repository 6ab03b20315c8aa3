#!/usr/bin/env bash
# What a real NVIDIA machine answers through Vulkan, for fixtures/recordings/real-gpu. As root there:
#
#   record_vulkan.sh FOLDER LIBVULKAN [PROGRAM [VULKANINFO]]
#
# LIBVULKAN is a loader that was brought along (llama-server's), PROGRAM the built vulkan_conformance; without it, it is compiled there.
# Look at the paths in vulkan.descriptors.txt before it is kept.
# It changes nothing of the machine: nodes are hidden in a mount namespace of this script's own. UUIDs and PCI addresses are not printed.
set -euo pipefail
out=${1:?the folder to write to} library=$(realpath "${2:?libvulkan.so.1}") program=${3:-} vulkaninfo=${4:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
if [[ ! -x $program ]]; then
  program=$(mktemp -d)/vulkan_conformance
  cc -O1 -o "$program" "$here"/vulkan_conformance{,_bad_input}.c -ldl
fi

"$program" "$library" >"$out/vulkan.conformance.txt"

# The list of memory types, which --json has no room for.
if [[ -n $vulkaninfo ]]; then
  "$vulkaninfo" 2>/dev/null | sed -n '/^VkPhysicalDeviceMemoryProperties:/,/^VkPhysicalDeviceFeatures:/p' >"$out/vulkan.memory.txt"
fi

# hidden NODE...: the first answers of a machine where something else stands in the place of these nodes.
hidden() {
  unshare --mount --propagation private bash -c '
    empty=$(mktemp)
    for node in "${@:3}"; do mount --bind "$empty" "/dev/$node"; done
    "$1" "$2" find | grep -E "^(instance|count): "' _ "$program" "$library" "$@" || echo "exit status $?"
}
for nodes in nvidiactl nvidia0 nvidia-uvm "nvidiactl nvidia0"; do
  echo "when: without $nodes"
  # shellcheck disable=SC2086  # words on purpose
  hidden $nodes
done >"$out/vulkan.nodes.txt"

# Which descriptors the driver keeps: what "ulimit -n 16" met on the recorded machine.
VK_LOADER_DEBUG='' strace -f -e trace=openat,close -o "$out/vulkan.descriptors.txt" "$program" "$library" find >/dev/null ||
  echo "no strace" >"$out/vulkan.descriptors.txt"

# What libGLX_nvidia.so.0 is linked to, in order, and what it exports of the loader's interface.
driver=$(ldconfig -p | sed -n 's/.*libGLX_nvidia.so.0 .*=> //p' | head -1)
{ readelf -dW "$driver" | grep NEEDED; readelf -dW "$(dirname "$driver")"/libnvidia-glcore.so.* | grep NEEDED; nm -D "$driver" | grep vk_; } \
  >"$out/vulkan.driver.txt" || true
