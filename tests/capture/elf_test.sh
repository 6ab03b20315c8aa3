#!/usr/bin/env bash
# gpustage-capture starts on any x86-64 Linux: static, under 2 MB; its probe asks nothing of a glibc
# younger than 2.17 and is started by the loader that every distribution has at that path.
set -euo pipefail
capture=$1 probe=$2
fail() { echo "$*" && exit 1; }
headers=$(readelf -lW "$capture")
grep -q INTERP <<<"$headers" && fail "$capture has an interpreter"
grep -q DYNAMIC <<<"$headers" && fail "$capture is linked dynamically"
(($(stat -c %s "$capture") < 2000000)) || fail "$capture has $(stat -c %s "$capture") bytes"
grep -qF /lib64/ld-linux-x86-64.so.2 <<<"$(readelf -lW "$probe")" || fail "$probe has another interpreter"
versions=$(readelf -VW "$probe" | grep -oE 'GLIBC_[0-9.]+' | sort -uV)
[[ $(printf '%s\nGLIBC_2.17\n' "$versions" | sort -V | tail -1) == GLIBC_2.17 ]] ||
  fail "the probe wants $versions"
needed=$(readelf -dW "$probe" | grep -oE 'lib[a-z]+\.so\.[0-9]' | sort | tr '\n' ' ')
# dlopen is libdl's before glibc 2.34.
[[ $needed == 'libc.so.6 libdl.so.2 ' ]] || fail "the probe needs $needed"
