#!/usr/bin/env bash
# Prints the license of Go and of each module that is part of the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

printf '== Go\n\n'
cat "$(go env GOROOT)/LICENSE"
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}} {{.Dir}}{{end}}{{end}}' . | sort -u |
  while read -r module dir; do
    files=$(find "$dir" -maxdepth 1 -type f \( -iname 'LICENSE*' -o -iname 'COPYING*' -o -iname 'NOTICE*' \) | sort)
    [ -n "$files" ] || { echo "licenses: $module has no license" >&2; exit 1; }
    printf '\n== %s\n\n' "$module"
    xargs -d '\n' cat <<<"$files"
  done
