#!/usr/bin/env bash
# gpustage-capture of a unit and of a container: by what systemctl, docker and podman of PATH say, the variables and
# the nodes are those of that process, not of the shell.
set -euo pipefail
capture=$1
scratch=$(mktemp -d)
mkfifo "$scratch/hold"
child=
trap '[[ -z $child ]] || kill "$child" 2>/dev/null || true; rm -rf "$scratch"' EXIT
fail() { echo "$*" && exit 1; }
has() { grep -qF -- "$2" <<<"$1" || fail "not there: $2 in $1"; }
hasnt() { if grep -qF -- "$2" <<<"$1"; then fail "there: $2 in $1"; fi; }

# tool NAME BODY: a program of this name, first on PATH.
mkdir "$scratch/bin"
tool() { printf '#!/bin/sh\n%s\n' "$2" >"$scratch/bin/$1" && chmod +x "$scratch/bin/$1"; }
export PATH=$scratch/bin:$PATH CUDA_VISIBLE_DEVICES=5

env CUDA_VISIBLE_DEVICES=7 OLLAMA_DEBUG=1 cat "$scratch/hold" &
child=$!
exec 9>"$scratch/hold" # cat has opened the other end by then, and waits until this one is closed

tool systemctl "case \$* in *MainPID*geheim.service*) echo $child ;; *) exit 1 ;; esac"
out=$("$capture" --unit geheim)
has "$out" 'CUDA_VISIBLE_DEVICES: "7"'
has "$out" 'OLLAMA_DEBUG: "1"'
hasnt "$out" geheim

tool systemctl 'exit 1'
tool podman "case \$* in *geheimer-behaelter) echo $child ;; *) exit 1 ;; esac"
tool docker 'exit 1'
out=$("$capture" --container geheimer-behaelter)
has "$out" 'CUDA_VISIBLE_DEVICES: "7"'
hasnt "$out" geheim

# It does not run: what systemctl tells everybody, and what it cannot.
tool systemctl 'case $* in *MainPID*) echo 0 ;; *) cat <<END ;; esac
Environment=PATH=/bin "LD_LIBRARY_PATH=/usr/local/cuda/lib64" CUDA_VISIBLE_DEVICES=6
EnvironmentFiles=/etc/default/geheim (ignore_errors=yes)
User=ollama
END'
out=$("$capture" --unit geheim)
has "$out" 'NOT KNOWN: the process of the unit: none runs'
has "$out" 'CUDA_VISIBLE_DEVICES: "6"'
has "$out" 'LD_LIBRARY_PATH: "/usr/local/cuda/lib64"'
has "$out" 'NOT KNOWN: the variables of the files that the unit names'
has "$out" 'sudo grep'
hasnt "$out" geheim

# Nobody knows it: the variables of the shell are not the service's.
tool systemctl 'exit 1'
out=$("$capture" --unit geheim)
has "$out" 'NOT KNOWN: the variables of the unit'
hasnt "$out" 'CUDA_VISIBLE_DEVICES'

# A service with /dev of its own, as PrivateDevices makes it: the same root, other mounts.
((EUID == 0)) && unshare -m true 2>/dev/null || exit 0
[[ ! -e /dev/nvidia0 ]] || exit 0
mkfifo "$scratch/private"
# shellcheck disable=SC2016  # for the inner shell
unshare -m sh -c 'mount -t tmpfs none /dev && : >/dev/nvidia0 && exec cat "$1"' - "$scratch/private" &
private=$!
exec 8>"$scratch/private"
out=$("$capture" --pid "$private")
exec 8>&-
has "$out" '{file: /dev/nvidia0, content: "", mode: "0666"}  # it is no device'
