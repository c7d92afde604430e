#!/usr/bin/env bash
# Makes the Debian package, judges it by lintian, installs it on a bare Debian of this release, and uses
# what it brought. Needs root and the package archive that apt knows.
# Usage: tools/test_package.sh [BUILD]     BUILD: a built tree; default: build/release
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/dependencies.sh

((EUID == 0)) || fail "making a bare Debian takes root"
build=$(realpath "${1:-build/release}")
install_missing "${package_test_packages[@]}"
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

say "Making the package"
(cd "$work" && cpack --config "$build/CPackConfig.cmake" -G DEB >"$work/log") || fail "$(cat "$work/log")"
package=$(find "$work" -maxdepth 1 -name 'ebt_*.deb')
[[ -n $package ]] || fail "no package was made: $(cat "$work/log")"
dpkg-deb --info "$package"
lintian --fail-on error --suppress-tags unstripped-static-library "$package"

say "Installing it on a bare Debian"
# shellcheck disable=SC1091
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
bare=$work/bare
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $release" | head -n 1)
mmdebstrap --mode=root --variant=apt --quiet "$release" "$bare" "$mirror" ||
  fail "no bare Debian could be made"
cp "$package" "$bare/ebt.deb"
inside() { chroot "$bare" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
inside apt-get update -qq
inside DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /ebt.deb >"$work/log" 2>&1 ||
  fail "$(cat "$work/log")"

say "Using it"
inside ebt --version
inside sh -c 'seq 1 20000 >text.txt && ebt train --data text.txt --size 4xs --steps 2 --batch 2 --context 32 --out model'
inside ebt generate --model model --tokens 5
for file in man/man1/ebt.1.gz bash-completion/completions/ebt zsh/vendor-completions/_ebt doc/ebt/copyright; do
  [[ -s $bare/usr/share/$file ]] || fail "the package lacks /usr/share/$file"
done
inside apt-get remove -y -qq ebt >/dev/null
[[ ! -e $bare/usr/bin/ebt ]] || fail "the program stays behind when the package is removed"
