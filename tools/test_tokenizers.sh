#!/usr/bin/env bash
# Compares tokens with those of Hugging Face's own tokenizers from npm.
# Usage: tools/test_tokenizers.sh [EBT [TEXTS]]     EBT: the program; default: build/release/ebt
#                                                   TEXTS: random ones for each tokenizer; default: 10
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

ebt=$(realpath "${1:-build/release/ebt}")
command -v npm >/dev/null || install_missing nodejs npm

say "Comparing with the tokenizers package"
cd tests/tokenizers
npm ci --silent --no-audit --no-fund
EBT="$ebt" RANDOM_TEXTS="${2:-10}" npm test --silent
