#!/usr/bin/env bash
# Installs ebt under a temporary prefix, moves it, builds the example against it as a stranger
# would, and runs that on a tiny model.
# Usage: tools/test_install.sh [BUILD]     BUILD: a built tree; default: build/release
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

build=${1:-build/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "Installing $build"
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/prefix"   # no path of the first place may be left
ebt=$work/prefix/bin/ebt
config=$(find "$work/prefix" -name ebtConfig.cmake)
if grep -rl -e "$PWD" -e -Werror "$(dirname "$config")"; then
  fail "these files name the build tree, or its warnings"
fi

say "Compiling every installed header without what only the build needs"
(cd "$work/prefix/include" && find ebt -name '*.h' | sort | sed 's/.*/#include <&>/') >"$work/all.cpp"
for private in Random123 dnnl oneapi CLI png jpeglib; do
  if grep -rlE "#include [<\"]$private" "$work/prefix/include"; then
    fail "these headers include $private, which users of the library need not have"
  fi
done
c++ -std=c++20 -Wall -Wextra -Werror -Wno-restrict -fsyntax-only -I"$work/prefix/include" "$work/all.cpp"

say "Building the example"
cmake -S examples -B "$work/examples" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/examples"

say "Running it on a tiny model"
"$ebt" train --data docs/formats.md --size 4xs --steps 2 --batch 2 --context 32 --out "$work/model" >/dev/null
"$work/examples/think" "$work/model" "The energy " | tee "$work/lines"
lines=$(grep -cE '^".+"  energy (-?[0-9]+\.[0-9]{3} ){4,}-?[0-9]+\.[0-9]{3}  log probability -?[0-9]+\.[0-9]{3}$' "$work/lines" || true)
[[ $lines == 20 && $(wc -l <"$work/lines") == 20 ]] || fail "expected 20 lines with five energies or more"
if "$work/examples/think" "$work/nowhere" 2>"$work/error"; then
  fail "a folder that is not there was opened"
fi
grep -q '^think: .*nowhere' "$work/error" || fail "it said: $(cat "$work/error")"
