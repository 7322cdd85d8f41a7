#!/usr/bin/env bash
# Runs groups of tests, goes on after failures, and lists the failures at the end:
#
#   scripts/test.sh unit|e2e ...
set -uo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT # otherwise a Ctrl-C would count as a failed test
failed=() # commands

run() {
  "$@" 2>&1 | tee -a "$output"
  [ "${PIPESTATUS[0]}" = 0 ] || failed+=("$*")
}

for group in "$@"; do
  case $group in
  unit)
    run scripts/tools.sh test
    # sampling has only one goroutine, so the race detector cannot find anything there, but
    # makes its tests eight times slower.
    mapfile -t others < <(go list ./... | grep -v '/sampling$')
    run go test -race -timeout 30m "${others[@]}"
    run go test ./sampling ;;
  e2e)
    run scripts/tools.sh jsonnet e2e
    run go test -tags e2e -timeout 60m ./e2e/... ./mixin ./internal/kubernetes ;;
  *) echo "usage: scripts/test.sh unit|e2e ..." >&2; exit 2 ;;
  esac
done

[ ${#failed[@]} -gt 0 ] || exit 0
printf '\n== failed\n'
printf '%.70s\n' "${failed[@]}"
awk '
  /^ *--- FAIL: /          { tests = tests "\n    " $3 }
  /^panic: test timed out/ { tests = tests "\n    " $0 }
  /^FAIL\t/                { print "  " $2 tests; tests = "" }
' "$output"
exit 1
