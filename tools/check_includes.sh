#!/usr/bin/env bash
# Includes run down: a folder of src/ebt includes of itself and of those before it in `order`;
# lab, bench, apps and tests are above all of them, and nothing in src includes those.
set -euo pipefail
cd "$(dirname "$0")/.."

order=(core kernels io dist data layers model think train eval report serve)

for folder in src/ebt/*/; do
  [[ " ${order[*]} " == *" $(basename "$folder") "* ]] ||
    { echo "$folder has no place in the order of $0" >&2; exit 1; }
done
find src/ebt -name '*.h' -o -name '*.cpp' -not -name '*_test.cpp' | sort |
  xargs awk -v order="${order[*]}" '
    BEGIN { n = split(order, folder, " "); for (i = 1; i <= n; ++i) rank[folder[i]] = i }
    /^#include "/ {
      split(FILENAME, path, "/"); split($2, included, "[\"/]")
      if (included[2] != "ebt" || !(included[3] in rank) || rank[included[3]] > rank[path[3]]) {
        print FILENAME ":" FNR ": " $0 " runs up"; bad = 1
      }
    }
    END { exit bad }'
