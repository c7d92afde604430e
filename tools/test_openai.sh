#!/usr/bin/env bash
# Tests the server with OpenAI's own client from npm, on a tiny model.
# Usage: tools/test_openai.sh [EBT]     EBT: the program; default: build/release/ebt
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh
source tools/tiny_server.sh

ebt=$(realpath "${1:-build/release/ebt}")
command -v npm >/dev/null || install_missing nodejs npm

export EBT_API_KEY=secret
start_tiny_server "$ebt" --texts 2 --queue 4
say "Testing with the openai client"
cd tests/serve/openai
npm ci --silent --no-audit --no-fund
BASE_URL="$url" npm test --silent
stop_tiny_server
