#!/usr/bin/env bash
# Puts the files of a release into .tarballs: for each platform a tarball and its bill of
# materials, packages for Debian and RPM, and the checksums of all of them. The same commit
# always makes the same bytes.
#
#   scripts/release.sh [GOOS/GOARCH ...]
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C TZ=UTC CGO_ENABLED=0 BRANCH=HEAD BUILD_USER=release
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

[ $# -gt 0 ] || set -- {linux,darwin,windows,freebsd}/{amd64,arm64}
[ -z "$(git status --porcelain)" ] || { echo "release: commit your changes first; a release is made of a commit" >&2; exit 1; }

VERSION=$(cat VERSION)
out=$PWD/.tarballs config=$PWD/packaging/nfpm.yaml
build=$PWD/.build
rm -rf "$out" "$build"
mkdir -p "$out" "$build/common"

echo "release: files for all platforms" >&2
make -s build BINARY="$build/native"
common=$build/common
cp LICENSE NOTICE config.yaml "$common"
scripts/licenses.sh >"$common/LICENSES"
"$build/native" --help-man >"$common/softdelete_exporter.1"
mkdir "$common/completions"
"$build/native" --completion-script-bash >"$common/completions/softdelete_exporter.bash"
"$build/native" --completion-script-zsh >"$common/completions/_softdelete_exporter"
mkdir -p "$common/mixin/dashboards"
cp mixin/{alerts,rules,inhibit_rules}.yaml "$common/mixin"
cp mixin/dashboards/*.json "$common/mixin/dashboards"
sed 's:/usr/local/bin/:/usr/bin/:; /^# \/etc/d' examples/systemd/softdelete_exporter.service >"$build/softdelete_exporter.service"

for platform; do
  echo "release: $platform" >&2
  os=${platform%/*} ARCH=${platform#*/}
  STAGE=$build/softdelete_exporter-$VERSION.$os-$ARCH
  cp -R "$common" "$STAGE"
  suffix=''
  [ "$os" != windows ] || suffix=.exe
  GOOS=$os GOARCH=$ARCH make -s build BINARY="$STAGE/softdelete_exporter$suffix"
  chmod -R u=rwX,go=rX "$STAGE"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$build" -cf - "${STAGE##*/}" |
    gzip -n9 >"$out/${STAGE##*/}.tar.gz"
  cyclonedx-gomod bin -json -noserial -notimestamp -version "v$VERSION" \
    -output "$out/${STAGE##*/}.cdx.json" "$STAGE/softdelete_exporter$suffix" >&2
  [ "$os" = linux ] || continue
  cp "$build/softdelete_exporter.service" "$STAGE"
  for packager in deb rpm; do
    (cd "$STAGE" && VERSION=$VERSION ARCH=$ARCH nfpm package -f "$config" -p $packager -t "$out" >&2)
  done
done

(cd "$out" && sha256sum -- * >sha256sums.txt)
