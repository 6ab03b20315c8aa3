#!/usr/bin/env bash
# An OCI image layout of a root directory, without a daemon: one layer, a configuration, a manifest, each under its checksum. The same root
# gives the same bytes. `skopeo copy oci:LAYOUT docker-daemon:NAME`, `podman pull oci:LAYOUT` and `umoci unpack` read it.
# usage: image.sh ROOT LAYOUT VERSION
set -euo pipefail
(($# == 3)) || { sed -n 's/^# usage: /usage: /p' "$0" >&2 && exit 2; }
ROOT=$1 LAYOUT=$2 VERSION=$3
EPOCH=${SOURCE_DATE_EPOCH:-0}
[[ -d $ROOT/usr ]] || { echo "image.sh: $ROOT is no root directory" >&2 && exit 2; }
rm -rf "$LAYOUT"
mkdir -p "$LAYOUT/blobs/sha256"

# blob FILE: to its place; prints "MEDIA-LESS" descriptor fields.
blob() {
  local sum
  sum=$(sha256sum <"$1" | cut -d' ' -f1)
  mv "$1" "$LAYOUT/blobs/sha256/$sum"
  printf '"digest": "sha256:%s", "size": %d' "$sum" "$(stat -c %s "$LAYOUT/blobs/sha256/$sum")"
}

tar -C "$ROOT" --sort=name --mtime="@$EPOCH" --numeric-owner --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
  -cf "$LAYOUT/layer" --exclude=./proc/* --exclude=./dev/* --exclude=./tmp/* .
bare=$(sha256sum <"$LAYOUT/layer" | cut -d' ' -f1)
gzip -n "$LAYOUT/layer"
layer=$(blob "$LAYOUT/layer.gz")
created=$(date -u -d "@$EPOCH" +%FT%TZ)
cat >"$LAYOUT/config" <<END
{"created": "$created", "architecture": "amd64", "os": "linux",
 "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"], "Cmd": ["gpustage", "help"], "WorkingDir": "/root",
  "Labels": {"org.opencontainers.image.title": "gpustage", "org.opencontainers.image.version": "$VERSION"}},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$bare"]}}
END
config=$(blob "$LAYOUT/config")
cat >"$LAYOUT/manifest" <<END
{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
 "config": {"mediaType": "application/vnd.oci.image.config.v1+json", $config},
 "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", $layer}]}
END
manifest=$(blob "$LAYOUT/manifest")
cat >"$LAYOUT/index.json" <<END
{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
 "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", $manifest,
  "annotations": {"org.opencontainers.image.ref.name": "$VERSION"}}]}
END
printf '{"imageLayoutVersion": "1.0.0"}\n' >"$LAYOUT/oci-layout"
