#!/usr/bin/env bash
# Tests the page: its logic, then in a browser on servers that misbehave on purpose, then, if one is
# named, on a real server.
# Usage: tools/test_page.sh [SERVER]
#   SERVER: the URL of one that serves an Energy-Based Transformer, or the program ebt, which then
#   trains a tiny model and serves it
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

source tools/tiny_server.sh

target=${1:-}
[[ -z $target || $target == http* || -x $target ]] || fail "'$target' is neither a URL nor a program"
install_missing "${page_packages[@]}"
say "Testing the logic of the page"
(cd web && npm test --silent)

say "Testing the page in a browser"
(cd tests/browser && npm ci --silent --no-audit --no-fund && npm test --silent)

[[ -n $target ]] || exit 0
url=$target
if [[ $target != http* ]]; then
  tiny_model=(--size 4xs --steps 100 --batch 4 --context 128)
  start_tiny_server "$(realpath "$target")"
fi
say "Testing the page on $url"
(cd tests/browser && BASE_URL=$url node --test page.test.mjs) ||
  fail "the page failed; the server says: $(cat "$server_folder/log")"
[[ -z $server ]] || stop_tiny_server
