#!/usr/bin/env bash
# Tests the page: its logic, then in a browser on servers that misbehave on purpose, then, if one is
# named, on a real server.
# Usage: tools/test_page.sh [SERVER]
#   SERVER: the URL of one that serves an Energy-Based Transformer of text, and may serve one of images,
#   or the program ebt, which then trains tiny ones and serves them
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
  tiny_image_model=(--size 4xs --layers 1 --width 32 --heads 2 --image-height 16 --image-width 16 --steps 3
    --batch 2 --threads 1)
  start_tiny_server "$(realpath "$target")"
fi
say "Testing the page on $url"
tests=(page.test.mjs)
if node -e "fetch(new URL('v1/models', process.argv[1])).then((answer) => answer.json()).then(({data}) => {
    process.exit(data.some(({ebt}) => ebt.kind === 'image' && ebt.thinks) ? 0 : 1);
  })" "$url"; then
  tests+=(images.test.mjs)
else
  echo "It serves no Energy-Based Transformer of images: their view is tested on the double only."
fi
(cd tests/browser && BASE_URL=$url node --test "${tests[@]}") ||
  fail "the page failed; the server says: $(cat "$server_folder/log")"
[[ -z $server ]] || stop_tiny_server
