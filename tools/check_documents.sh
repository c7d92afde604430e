#!/usr/bin/env bash
# The files that documentation names exist, also those named from src/ebt on: `model/block.h`.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
while IFS=: read -r document name; do
  name=${name//\`/}
  [[ -e $name || -e src/ebt/$name ]] || { echo "$document names $name, which is not there" >&2; bad=1; }
done < <(grep -oE '`[a-z_]+(/[a-z_]+)+\.(h|cpp|sh|py)`' -- *.md docs/*.md bench/*.md | sort -u)
exit "$bad"
