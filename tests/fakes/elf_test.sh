#!/usr/bin/env bash
# Each fake as a file: its name, what it needs, what it exports under which version node, and what it must not bring into a
# scanner. `elf_test.sh FAKES_DIR`; with --self-test, breaks a fake in several ways and wants each of them to be seen.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lists=$here/fakes
fakes=${1:?the folder of the built fakes}
failures=0
checked=0

fail() {
  echo "$name: $1"
  failures=$((failures + 1))
}

dynamic() { readelf -dW "$file" | sed -nE "s/.*\($1\).*\[(.*)\]/\1/p"; }
# name or name@@node, a line each; a list may have NAME@NODE
listed() { sed -n "/^#/!s/\$/${2:+@@$2}/p" "$lists/$1" | sed -E 's/^([^@]+)@([^@]+)$/\1@@\2/' | LC_ALL=C sort; }
exported() { nm -D --defined-only --with-symbol-versions "$file" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort; }

# readelf, nm and eu-elflint have nothing to complain of. Where the version node is called as the SONAME, as in NVIDIA's libraries, elflint
# calls that a duplicate and every symbol of the node invalid; it says nothing else of ours, and the same of the real ones.
check_with_tools() {
  local said
  said=$({ readelf -aW "$file" && nm -D "$file"; } 2>&1 >/dev/null) || said="exit status $? $said"
  [[ -z $said ]] || fail "binutils complain: $(head -1 <<< "$said")"
  command -v eu-elflint > /dev/null || { fail "no eu-elflint here (elfutils)"; return; }
  said=$(eu-elflint --gnu-ld "$file" | grep -vxE "No errors|section \[ *[0-9]+\] '\.gnu\.version_d': entry 0 has duplicate version name '$(dynamic SONAME)'") || true
  [[ $said != *"invalid version index 2"* || -z $node ]] || said=$(grep -v ': invalid version index 2$' <<< "$said") || true
  [[ -z $said ]] || fail "eu-elflint complains: $(head -1 <<< "$said")"
}

# check NAME SONAME NODE LIST NEEDED…; "-" for none.
check() {
  [[ ! -e $fakes/$1.missing ]] || { cat "$fakes/$1.missing"; echo; return 0; }
  name=$1 file=${file_under_test:-$fakes/$1.so}
  local soname=${2#-} node=${3#-} list=$4
  shift 4
  checked=$((checked + 1))
  check_with_tools
  [[ $(dynamic SONAME) == "$soname" ]] || fail "its SONAME is '$(dynamic SONAME)', not '$soname'"
  [[ $(dynamic NEEDED | xargs) == "$*" ]] || fail "it needs $(dynamic NEEDED | xargs), not $*"
  local difference
  difference=$(diff <(listed "$list" "$node") <(exported)) ||
    fail "its exports are not those of $list: $(sed -n 2p <<< "$difference")"
  nm "$file" | grep -E ' t (cu|cuda|__cuda|cublas|nvml|ggml|hip|hsa|rsmi|amdsmi|rocblas|hipblas)[A-Z_]' | sed 's/.* t //' | grep -v '[.]' | while read -r function; do  # NAME.cold is the compiler's
    echo "$name: $function is defined and not in $list"
  done | grep . && failures=$((failures + 1))
  nm -D "$file" | grep -oE '@GLIBC_[0-9.]+' | sed 's/@GLIBC_//' | sort -u | while read -r version; do
    [[ $(printf '%s\n2.17\n' "$version" | sort -V | tail -1) == 2.17 ]] || echo "$name: it needs GLIBC_$version"
  done | grep . && failures=$((failures + 1))
  nm -D --undefined-only "$file" | grep -oE ' (open|openat|fopen|read|pread|mmap|close|write|stat|ioctl)(64)?@' |
    sed 's/@//' | while read -r function; do
      echo "$name: it calls $function of libc, which people replace"
    done | grep . && failures=$((failures + 1))
  readelf -sW "$file" | grep -q ' UNIQUE ' && fail "it has a unique symbol"
  readelf -lW "$file" | grep -qE 'GNU_STACK.* RWE ' && fail "its stack is executable"
  [[ $(grep -aoF GPUSTAGE-STAMP1 "$file" | wc -l) == 1 ]] || fail "it does not hold exactly one stamp"
  return 0
}

check_all() {
  check cuda libcuda.so.1 - cuda_driver/exports.txt libc.so.6
  check cuda-stub libcuda.so.1 - cuda_driver/exports.txt libc.so.6
  check nvml libnvidia-ml.so.1 - nvml/exports.txt libc.so.6
  check cudart-11 libcudart.so.11.0 libcudart.so.11.0 cuda_runtime/exports-11.txt libc.so.6
  for major in 11 12 13; do
    check cublaslt-$major libcublasLt.so.$major libcublasLt.so.$major cublas/lt-exports-$major.txt libc.so.6
    check cublas-$major libcublas.so.$major libcublas.so.$major cublas/exports-$major.txt \
      libcublasLt.so.$major libc.so.6
  done
  for major in 12 13; do
    check cudart-$major libcudart.so.$major libcudart.so.$major cuda_runtime/exports-$major.txt libc.so.6
    check ggml-cuda-upstream-$major - - ggml/exports-cuda.txt \
      libggml-base.so libcudart.so.$major libcublas.so.$major libcuda.so.1 libc.so.6
    check ggml-cuda-ollama-$major - - ggml/exports-cuda.txt \
      libggml-base.so.0 libcudart.so.$major libcublas.so.$major libcuda.so.1 libc.so.6
  done
  check libstdcxx-7 libstdc++.so.6 - libstdcxx/exports-7.txt libc.so.6
  check ggml-base-upstream libggml-base.so - ggml/exports-base-upstream.txt libc.so.6
  check ggml-base-ollama libggml-base.so.0 - ggml/exports-base-ollama.txt libc.so.6
  local glcore=libnvidia-glcore.so.580.159.04 glsi=libnvidia-glsi.so.580.159.04 tls=libnvidia-tls.so.580.159.04
  local gpucomp=libnvidia-gpucomp.so.580.159.04
  check vulkan-nvidia libGLX_nvidia.so.0 - vulkan/exports.txt $glsi $tls $glcore libX11.so.6 libXext.so.6 libc.so.6
  check vulkan-radv libvulkan_radeon.so - vulkan/exports.txt libc.so.6
  check vulkan-amdvlk amdvlk64.so - vulkan/exports.txt libc.so.6
  check vulkan-anv libvulkan_intel.so - vulkan/exports.txt libc.so.6
  check vulkan-nvk libvulkan_nouveau.so - vulkan/exports.txt libc.so.6
  check vulkan-venus libvulkan_virtio.so - vulkan/exports.txt libc.so.6
  check vulkan-lavapipe libvulkan_lvp.so - vulkan/exports.txt libc.so.6
  check nvidia-glcore $glcore - vulkan/shell-exports.txt $gpucomp libc.so.6
  check nvidia-gpucomp $gpucomp - vulkan/shell-exports.txt libc.so.6
  check nvidia-glsi $glsi - vulkan/shell-exports.txt libc.so.6
  check nvidia-tls $tls - vulkan/shell-exports.txt libc.so.6
  check egl libEGL.so.1 - vulkan/shell-exports.txt libc.so.6
  check x11 libX11.so.6 - vulkan/shell-exports.txt libc.so.6
  check xext libXext.so.6 - vulkan/shell-exports.txt libc.so.6
  check hsa-5 libhsa-runtime64.so.1 ROCR_1 hsa/exports-5.txt libc.so.6
  check hsa-6 libhsa-runtime64.so.1 ROCR_1 hsa/exports-6.txt libc.so.6
  local rocm major rocblas hipblas
  for rocm in 5:librocblas.so.0:libhipblas.so.0 6:librocblas.so.4:libhipblas.so.2 7:librocblas.so.5:libhipblas.so.3; do
    IFS=: read -r major rocblas hipblas <<< "$rocm"
    check hip-$major libamdhip64.so.$major - hip/exports-$major.txt libhsa-runtime64.so.1 libc.so.6
    check rocblas-$major $rocblas - rocblas/rocblas-exports.txt libamdhip64.so.$major libc.so.6
    check hipblas-$major $hipblas - rocblas/hipblas-exports.txt $rocblas libamdhip64.so.$major libc.so.6
    check ggml-hip-upstream-$major - - ggml/exports-cuda.txt libggml-base.so libamdhip64.so.$major $hipblas $rocblas libc.so.6
    ((major == 5)) || check ggml-hip-ollama-$major - - ggml/exports-cuda.txt \
      libggml-base.so.0 libamdhip64.so.$major $hipblas $rocblas libc.so.6
  done
  check rocm-smi librocm_smi64.so.1 - smi/rsmi-exports.txt libc.so.6
  check amd-smi libamd_smi.so.26 - smi/amdsmi-exports.txt libc.so.6
  for preload in pass-through loses-caller returns-null breaks-later reenters counts-early; do
    check preload-$preload - - preloads/exports.txt libc.so.6
  done
  local built
  built=$(find "$fakes" -maxdepth 1 -name '*.so' | wc -l)
  ((built == checked)) || { echo "$built fakes are built, $checked are checked"; failures=$((failures + 1)); }
}

# The names that a real program may ask for: those of the real library, where it is here.
check_against_real() {
  local cache=${GPUSTAGE_CACHE:-$HOME/.cache/gpustage} real major
  for major in 11 12 13; do
    real=$(find "$cache/real/cudart-$major" -name 'libcudart.so.*' 2> /dev/null | head -1)
    if [[ -z $real ]]; then
      echo "not compared with a real libcudart $major: none in $cache/real (harness/dev real fetches it)"
      continue
    fi
    name=cudart-$major file=$real
    local missing
    missing=$(LC_ALL=C comm -13 <(listed cuda_runtime/exports-$major.txt "$(dynamic SONAME)") <(exported) | xargs)
    [[ -z $missing ]] || fail "the real one also exports $missing"
  done
}

# Breaks a copy with `$@` and wants the check to say `says`.
wants() {
  local says=$1 said
  shift
  cp "$fakes/nvml.so" "$scratch/nvml.so"
  "$@"
  said=$(file_under_test=$scratch/nvml.so check nvml libnvidia-ml.so.1 - nvml/exports.txt libc.so.6)
  [[ $said == *"$says"* ]] || { echo "not seen: $says (it said: $said)"; exit 1; }
}

self_test() {
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  wants "it needs libm.so.6 libc.so.6" patchelf --add-needed libm.so.6 "$scratch/nvml.so"
  wants "its SONAME is 'other'" patchelf --set-soname other "$scratch/nvml.so"
  wants "eu-elflint complains" patchelf --set-soname libnvidia-ml-under-another-name.so.1 "$scratch/nvml.so"
  wants "exactly one stamp" sed -i s/GPUSTAGE-STAMP1/GPUSTAGE-STAMP2/ "$scratch/nvml.so"
  wants "its exports are not those" cp "$fakes/cuda.so" "$scratch/nvml.so"
  printf 'inline int& Counter() { static int n; return n; }\nint main() { return Counter(); }\nauto* keep = &Counter;\n' \
    > "$scratch/bad.cc"
  wants "it has a unique symbol" g++ -shared -fPIC -o "$scratch/nvml.so" "$scratch/bad.cc"
  wants "its stack is executable" g++ -shared -fPIC -z execstack -o "$scratch/nvml.so" "$scratch/bad.cc"
  printf '#include <fcntl.h>\nint f() { return open("/", O_RDONLY); }\n' > "$scratch/open.cc"
  wants "it calls open of libc" g++ -shared -fPIC -o "$scratch/nvml.so" "$scratch/open.cc"
  printf '#include <pthread.h>\nextern "C" int f() { return pthread_mutex_clocklock(nullptr, 0, nullptr); }\n' > "$scratch/new.cc"
  wants "it needs GLIBC_2." g++ -shared -fPIC -o "$scratch/nvml.so" "$scratch/new.cc"
}

if [[ ${2:-} == --self-test ]]; then
  self_test
else
  check_all
  check_against_real
  ((failures == 0)) || exit 1
fi
