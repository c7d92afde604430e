#!/usr/bin/env bash
# Tests the server with clients from npm as they are, on a tiny model: OpenAI's, in Node and in a
# browser, those of the AI SDK, LangChain and OpenAI's Agents SDK, and the requests of lm-eval.
# Usage: tools/test_clients.sh [EBT]     EBT: the program; default: build/release/ebt
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/tiny_server.sh

ebt=$(realpath "${1:-build/release/ebt}")
install_missing "${page_packages[@]}"

export EBT_API_KEY=secret
start_tiny_server "$ebt" --texts 2 --queue 14 --cors '*'
say "Testing with clients from npm"
cd tests/serve/clients
npm ci --silent --no-audit --no-fund
for test in *.test.mjs; do # one after the other: some of them fill the server
  BASE_URL="$url" node --test "$test"
done
stop_tiny_server
