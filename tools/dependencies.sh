# Sourced by ./run, ./test and .ci/run: says which Debian packages are missing, and installs them.

build_packages=(cmake ninja-build g++ libdnnl-dev ocl-icd-opencl-dev libfmt-dev libcli11-dev
  nlohmann-json3-dev librandom123-dev pkg-config libonig-dev libutf8proc-dev libsentencepiece-dev
  libpng-dev libjpeg62-turbo-dev zlib1g-dev libzstd-dev libboost-dev libeigen3-dev
  libspectra-dev libopenmpi-dev)
test_packages=(openmpi-bin libgtest-dev libexpat1-dev)
check_packages=(git clang-format clang-tidy libomp-dev zsh groff-base)
proxy_packages=(nginx-light)
package_test_packages=(dpkg-dev lintian mmdebstrap)
page_packages=(chromium fonts-liberation2)
command -v npm >/dev/null || page_packages+=(nodejs npm)   # others than Debian's do as well

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

fail() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

# install_missing PACKAGE...
install_missing() {
  local package missing=() as_root=()
  command -v apt-get >/dev/null ||
    fail "there is no apt here: install what Debian calls $*, then run 'cmake --preset release'"
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == "install ok installed" ]] ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "these packages are missing, and installing them takes root or sudo: ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing with apt: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
    fail "apt could not install ${missing[*]}"
}
