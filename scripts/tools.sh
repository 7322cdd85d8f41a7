#!/usr/bin/env bash
# Gets the tools that a group of checks needs, at pinned versions:
#
#   scripts/tools.sh lint|jsonnet|test|e2e|bench|release|screenshots ...
#
# Tools written in Go are built once into the user's cache and linked into .cache/bin, which
# the Makefile puts first on PATH; promtool is 3.16 there. Debian packages are installed with
# apt-get if that is possible (as root or with sudo); promtool in /usr/bin is 2.42. If tools
# could not be installed, it lists them and exits with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

actionlint=v1.7.12
golangci_lint=v2.15.0
go_jsonnet=v0.22.0
helm=v3.22.0
cyclonedx_gomod=v1.10.0
nfpm=v2.45.2 # later ones need modules that not every proxy has
prometheus=v0.316.0 # of the Go module; the release is 3.16.0
axe_core=4.14.1 # and what sha512sum says of its archive in the npm registry
axe_core_sum=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5

cache=${XDG_CACHE_HOME:-$HOME/.cache}/softdelete_exporter/tools
bin=$PWD/.cache/bin
drawing=''   # set if Grafana's components are wanted
axe=''       # set if axe-core and Grafana's library are wanted
packages=() # Debian packages whose command is missing
missing=()  # tools that could not be installed, and why

# go_tools NAME VERSION TAGS PACKAGE...: builds, once per version, and links.
go_tools() {
  local dir=$cache/$1-$2 version=$2 tags=$3
  shift 3
  if [ ! -d "$dir" ]; then
    echo "tools: building ${dir##*/} (once; minutes)" >&2
    # The directory is renamed when it is complete, so if it exists, it is complete.
    if ! GOFLAGS='' CGO_ENABLED=0 GOBIN=$dir.$$ go install -tags "$tags" "${@/%/@$version}"; then
      missing+=("${dir##*/}: go install failed, see above")
      rm -rf "$dir.$$"
      return
    fi
    mv "$dir.$$" "$dir"
  fi
  ln -sf "$dir"/* "$bin/"
}

# debian COMMAND PACKAGE: adds the package if the command is missing.
debian() {
  PATH=/usr/bin:/usr/sbin:$PATH command -v "$1" >/dev/null || packages+=("$2")
}

install_packages() {
  [ ${#packages[@]} -gt 0 ] || return 0
  local sudo=() made_policy='' policy=/usr/sbin/policy-rc.d
  if [ "$(id -u)" != 0 ]; then sudo=(sudo -n); fi
  if ! command -v apt-get >/dev/null || ! "${sudo[@]}" true 2>/dev/null; then
    missing+=("Debian packages ${packages[*]}: no apt-get, or neither root nor sudo")
    return 0
  fi
  echo "tools: installing ${packages[*]}" >&2
  # Installing a package starts its service, unless this file forbids it.
  if [ ! -e $policy ]; then
    made_policy=yes
    trap '"${sudo[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null
    "${sudo[@]}" chmod 755 $policy
  fi
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${packages[@]}"; } >&2; then
    missing+=("Debian packages ${packages[*]}: apt-get failed, see above")
  fi
  if [ -n "$made_policy" ]; then
    "${sudo[@]}" rm -f $policy
    trap - EXIT
  fi
}

# axe_core puts axe.min.js, which finds accessibility problems in a page, into .cache.
axe_core() {
  local dir=$cache/axe-core-$axe_core
  if [ ! -d "$dir" ]; then
    if ! (
      work=$(mktemp -d "$cache/axe.XXXXXX") &&
      trap 'rm -rf "$work"' EXIT && # also if interrupted
      cd "$work" &&
      npm pack --silent "axe-core@$axe_core" >/dev/null &&
      echo "$axe_core_sum  axe-core-$axe_core.tgz" | sha512sum --quiet -c &&
      tar -xzf "axe-core-$axe_core.tgz" package/axe.min.js &&
      mv package "$dir"
    ) >&2; then
      missing+=("axe-core $axe_core: npm pack failed, or delivered another file; see above")
      return
    fi
  fi
  ln -sf "$dir/axe.min.js" .cache/axe.min.js
}

# node_modules NAME FOLDER: installs what the lock file in the folder names, once per content, and links it as
# .cache/NAME.
node_modules() {
  local lock=$2/package-lock.json dir
  dir=$cache/$1-$(sha512sum "$lock" | cut -c 1-12)
  if [ ! -d "$dir" ]; then
    echo "tools: installing ${dir##*/} from npm (once; a minute)" >&2
    if ! (
      work=$(mktemp -d "$cache/npm.XXXXXX") &&
      trap 'rm -rf "$work"' EXIT &&
      mkdir "$work/package" &&
      cp "$2/package.json" "$lock" "$work/package/" &&
      npm --prefix "$work/package" ci --silent --ignore-scripts --no-audit --no-fund &&
      mv "$work/package" "$dir"
    ) >&2; then
      missing+=("$1: npm ci failed, see above")
      return
    fi
  fi
  ln -sfn "$dir" ".cache/$1"
}

mkdir -p "$cache" "$bin"
for group in "$@"; do
  case $group in
  lint)
    go_tools golangci-lint $golangci_lint '' github.com/golangci/golangci-lint/v2/cmd/golangci-lint
    go_tools actionlint $actionlint '' github.com/rhysd/actionlint/cmd/actionlint ;;
  jsonnet) go_tools go-jsonnet $go_jsonnet '' github.com/google/go-jsonnet/cmd/{jsonnet,jsonnetfmt,jsonnet-lint} ;;
  test) # without PostgreSQL, the tests download it with npm
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v npm >/dev/null || debian postgres postgresql ;;
  e2e)
    go_tools prometheus $prometheus remove_all_sd github.com/prometheus/prometheus/cmd/{prometheus,promtool}
    go_tools helm $helm '' helm.sh/helm/v3/cmd/helm
    debian /usr/bin/promtool prometheus
    debian prometheus-alertmanager prometheus-alertmanager
    debian pgbouncer pgbouncer
    debian chromium chromium
    debian curl curl
    debian wget wget
    debian npm npm
    axe=yes
    debian systemd-analyze systemd
    debian psql postgresql-client
    for server in /usr/lib/postgresql/*/; do # the extension that the index advice uses, for each server
      [ -e "/usr/share/postgresql/$(basename "$server")/extension/hypopg.control" ] || packages+=("postgresql-$(basename "$server")-hypopg")
    done ;;
  screenshots) # Grafana's components, half a gigabyte
    drawing=yes ;;
  bench)
    debian prometheus-sql-exporter prometheus-sql-exporter
    debian prometheus-postgres-exporter prometheus-postgres-exporter
    debian pgbench postgresql ;;
  release)
    go_tools cyclonedx-gomod $cyclonedx_gomod '' github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
    go_tools nfpm $nfpm '' github.com/goreleaser/nfpm/v2/cmd/nfpm ;;
  *) echo "usage: scripts/tools.sh lint|jsonnet|test|e2e|bench|release|screenshots ..." >&2; exit 2 ;;
  esac
done
install_packages
if [ -n "$axe" ]; then
  axe_core
  node_modules grafana-data e2e/monitoring/grafana
fi

if [ -n "$drawing" ]; then node_modules grafana-ui e2e/monitoring/grafana-ui; fi

if [ ${#missing[@]} -gt 0 ]; then
  printf 'tools: could not get %s\n' "${missing[@]}" >&2
  exit 1
fi
