#!/usr/bin/env bash
# Tests the server under 64 clients at once, of which some are slow, leave, or send nonsense.
# Usage: tools/test_load.sh [SECONDS] [EBT]     default: 60 build/release/ebt
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/tiny_server.sh

seconds=${1:-60}
prepare_clients "${2:-build/release/ebt}"
start_tiny_server "$ebt" --texts 8 --queue 40
say "Loading the server for $seconds s"
BASE_URL="$url" node tests/serve/load_client.mjs "$seconds" 64 ||
  { cat "$server_folder/log" >&2; exit 1; }
stop_tiny_server
