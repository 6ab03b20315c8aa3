#!/usr/bin/env bash
# The Debian package: as Debian wants files, and in a bare root of what it depends on and Debian's essentials, entered by
# pivot_root: installed by dpkg, run, taken off again. The root's packages are fetched once, some 20 MB, and only unpacked.
# usage: deb_test.sh BUILD_TREE
# shellcheck source=tests/install/installed.sh
source "$(dirname "${BASH_SOURCE[0]}")/installed.sh"
# shellcheck source=harness/package/bare_root.sh
source "$SOURCE/harness/package/bare_root.sh"
skip() { echo "skipped: $*" && exit 77; }
for tool in cpack dpkg dpkg-deb dpkg-shlibdeps apt-get; do
  command -v $tool >/dev/null || skip "there is no $tool here"
done

ends 0 cpack -G DEB --config "$BUILD/CPackConfig.cmake" -B "$T/package"
DEB=$(echo "$T"/package/*.deb)
dpkg-deb -R "$DEB" files
dpkg-deb -c "$DEB" | awk '{print $1, $2, $6}' >contents

# ---- Files -------------------------------------------------------------------------------------------------------------

odd=$(grep -vE '^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) root/root \./(usr/((bin|include|lib|share)/.*)?)?$' contents || true)
[[ -z $odd ]] || fail "owner, mode or place: $odd"
(cd files && md5sum --quiet -c DEBIAN/md5sums)
while IFS= read -r file; do
  ! head -c 4 "$file" | grep -qa '^.ELF' || ! readelf -SW "$file" | grep -q ' \.symtab ' || fail "not stripped: $file"
done < <(find files/usr -type f)
depends=$(dpkg-deb -f "$DEB" Depends)
[[ $depends == *'libc6 (>= '* && $depends == *libyaml-cpp* ]] || fail "Depends: $depends"
[[ ! $depends =~ nvidia|cuda|gtest|gmock ]] || fail "Depends: $depends"

# ---- A bare root -------------------------------------------------------------------------------------------------------

((EUID == 0)) || skip 'only root can enter a root of its own by pivot_root'
unshare --mount --pid --fork true 2>/dev/null || skip 'this machine gives root no mount namespace'
mkdir root
bare_root root "$KEPT/debian" "$DEB" || skip "a bare root cannot be had: $BARE_WHY"
cp "$DEB" root/gpustage.deb
inside_root() { inside root "$@"; }
# But for what dpkg and ldconfig keep of themselves.
everything() {
  (cd root && find . -path ./var/lib/dpkg -prune -o -print | grep -vE '^\./(etc/ld\.so\.cache|var/cache/ldconfig.*|var/log/dpkg\.log)$' | sort)
}

ends 0 inside_root ldconfig  # as libc-bin does when it is configured
everything >before
ends 0 inside_root dpkg -i /gpustage.deb
ends 0 inside_root gpustage doctor
says '  ok  fakes      /usr/lib/gpustage/fakes'
ends 0 inside_root gpustage run first-steps
says ' passed, 0 failed, '
! grep -q '^0 passed' out || fail "$(<out)"
says 'the real part ggml-12 is not here: run gpustage-real'
says 'no ollama here: give --ollama PATH, GPUSTAGE_OLLAMA or PATH'
grep -E '^[0-9]+ passed, ' out
# What README and the pages show, line by line, as root and as a user who is nobody else.
if command -v python3 >/dev/null; then
  (cd "$SOURCE" && python3 tests/pages.py "$BUILD" --walk "$T/walk")
  for user in root 1000; do
    cp -r walk "root/walk-$user"
    as=()
    if [[ $user != root ]]; then
      chown -R "$user:$user" "root/walk-$user"
      as=(setpriv --reuid "$user" --regid "$user" --clear-groups env "HOME=/walk-$user")
    fi
    ends 0 inside_root "${as[@]}" bash "/walk-$user/walk.sh"
    echo "README and pages as $user: $(tail -1 out)"
    rm -rf "root/walk-$user"
  done
fi

# The same root as an image: what its index names is there under its checksum, and what is unpacked of it runs.
ends 0 "$SOURCE/harness/package/image.sh" root image 0.1.0
ends 0 "$SOURCE/harness/package/image.sh" root again 0.1.0
diff -r image again || fail 'the same root gives another image'
for blob in image/blobs/sha256/*; do [[ $(sha256sum <"$blob") == "${blob##*/}  -" ]] || fail "not what it is called: $blob"; done
named=$(cat image/index.json image/blobs/sha256/* 2>/dev/null | grep -aoE '"digest": "sha256:[0-9a-f]{64}", "size": [0-9]+' | sort -u)
[[ $(wc -l <<<"$named") == 3 ]] || fail "a manifest, a configuration and a layer: $named"
while read -r sum size; do
  [[ $(stat -c %s "image/blobs/sha256/$sum") == "$size" ]] || fail "another size than its descriptor says: $sum"
done < <(sed -E 's/.*sha256:([0-9a-f]+)", "size": ([0-9]+)/\1 \2/' <<<"$named")
layer=$(ls -S image/blobs/sha256 | head -1)
[[ $(gzip -dc "image/blobs/sha256/$layer" | sha256sum) == "$(grep -aohE 'diff_ids": \["sha256:[0-9a-f]{64}' image/blobs/sha256/* | grep -oE '[0-9a-f]{64}')  -" ]] ||
  fail 'the layer is not what the configuration says'
mkdir unpacked && tar -xzf "image/blobs/sha256/$layer" -C unpacked
ends 0 inside unpacked gpustage run first-steps
says ' passed, 0 failed, '
echo "the image: $(du -sm image | cut -f1) MB; of it: $(grep -E '^[0-9]+ passed' out)"
rm -rf unpacked image again

ends 0 inside_root gpustage-gtest first-steps --gtest_filter='*unlistable*'
ends 0 inside_root env GPUSTAGE_CACHE=/tmp gpustage-real
says 'gpustage-real: ggml-12: missing, and there is no npm here'

ends 0 inside_root dpkg --purge gpustage
everything | diff before - || fail 'the package leaves something'
echo ok
