#!/usr/bin/env bash
# Tests the page: its logic, then in a browser on servers that misbehave on purpose and on one that does
# not: the one that is named, or a double.
# Usage: tools/test_page.sh [SERVER]
#   SERVER: the URL of one that serves an Energy-Based Transformer of text, and may serve one of images,
#   or the program ebt, which then trains tiny ones and serves them
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/tiny_server.sh

target=${1:-}
[[ -z $target || $target == http* || -x $target ]] || fail "'$target' is neither a URL nor a program"
install_missing "${page_packages[@]}"
say "Testing the logic of the page"
(cd web && npm test --silent)

(cd tests/browser && npm ci --silent --no-audit --no-fund)
if [[ -z $target ]]; then
  say "Testing the page in a browser, on servers that misbehave and one that does not"
  (cd tests/browser && npm test --silent)
  exit 0
fi

say "Testing the page in a browser, on servers that misbehave"
(cd tests/browser && node --test servers.test.mjs image_servers.test.mjs)
url=$target
if [[ $target != http* ]]; then
  tiny_model=(--size 4xs --steps 100 --batch 4 --context 128)
  tiny_image_model=(--size 4xs --layers 1 --width 32 --heads 2 --image-height 16 --image-width 16 --steps 3
    --batch 2 --threads 1)
  start_tiny_server "$(realpath "$target")"
fi
say "Testing the page on $url"
tests=(page.test.mjs images.test.mjs)
node -e "fetch(new URL('v1/models', process.argv[1])).then((answer) => answer.json()).then(({data}) => {
    process.exit(data.some(({ebt}) => ebt.kind === 'image' && ebt.thinks) ? 0 : 1);
  })" "$url" || {
  echo "It serves no Energy-Based Transformer of images: their view is tested on a double."
  (cd tests/browser && node --test images.test.mjs)
  tests=(page.test.mjs)
}
(cd tests/browser && BASE_URL=$url node --test "${tests[@]}") ||
  fail "the page failed; the server says: $([[ -n $server ]] && cat "$server_folder/log" || echo "see its log")"
[[ -z $server ]] || stop_tiny_server
