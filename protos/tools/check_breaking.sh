#!/usr/bin/env bash
# Compare the protos with those on main: a client that was built from them must go on working.
set -euo pipefail

base=
for candidate in origin/main main; do
  if git rev-parse --quiet --verify "$candidate:protos/slotcast" >/dev/null 2>&1; then
    base=$candidate
    break
  fi
done
if [ -z "$base" ]; then
  echo 'No main with protos to compare with: the check for breaking changes is left out.'
  exit 0
fi

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
git archive "$base" buf.yaml protos | tar -x -C "$before"
"${BUF:-buf}" breaking --against "$before"
