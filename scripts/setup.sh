#!/usr/bin/env bash
# Installs what is missing, and only that. What is missing goes into .tools/
# of this clone; Debian packages are the one exception.
#
#   scripts/setup.sh make    GNU make
#   scripts/setup.sh node    Node.js: serves the page, runs wasm-opt and the browser tests
#   scripts/setup.sh page    what building the page needs
#   scripts/setup.sh tests   what `make test` needs beyond that
#   scripts/setup.sh fonts   Chinese glyphs for screenshots
#   scripts/setup.sh lighthouse   what `make lighthouse` needs beyond the tests
set -euo pipefail
cd "$(dirname "$0")/.."

trunk_version=0.21.14
binaryen_version=132
node_version=22
binaryen_oldest=120
lighthouse_version=12.8.2
tools=$PWD/.tools
export PATH="$tools/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

say() { printf 'set-up: %s\n' "$*"; }
fail() { printf 'set-up: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Whole words only, so that 0.2.13 is not taken for 0.2.130.
reports() { have "$1" && "$1" --version 2>/dev/null | grep -qwF -- "$2"; }

apt_install() {
  local why=$1
  shift
  have apt-get || fail "$why: please install $* with your system's package manager, then run this again"
  local root=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "$why: please run 'sudo apt-get install $*', then run this again"
    root=(sudo -n)
  fi
  say "$why: installing $* from Debian (about a minute)"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  # A new machine has no package lists, an old one has lists that name packages long gone.
  "${apt[@]}" update >/dev/null || say "apt-get update failed; trying with the lists there are"
  "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null
}

cargo_install() {
  # Debug builds do the same work in a third of the time that building them in release costs.
  local quiet=--quiet
  [ ! -t 2 ] || quiet=
  CARGO_TARGET_DIR="$tools/build" CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 \
    cargo install $quiet --debug --root "$tools" "$@"
}

npm_install() {
  mkdir -p "$tools/bin"
  npm install --silent --no-audit --no-fund --prefix "$tools" "$1" >/dev/null
}

setup_make() {
  have make || apt_install "make is missing" make
}

node_is_new() { node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; }

setup_node() {
  if node_is_new; then return; fi
  have npm || apt_install "Node.js is missing" nodejs npm
  if node_is_new; then return; fi
  say "Node.js $(node --version) is older than 20: fetching $node_version from npm into .tools/ (a few seconds)"
  npm_install "node@$node_version"
  ln -sf ../node_modules/.bin/node "$tools/bin/node"
}

setup_page() {
  have cargo || fail "Rust is missing: see https://rustup.rs"
  have cc || apt_install "a C linker is missing" gcc libc6-dev

  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
    have rustup || fail "this Rust has no wasm32-unknown-unknown target and there is no rustup to add it"
    say "adding Rust's wasm32-unknown-unknown target (a few seconds)"
    rustup --quiet target add wasm32-unknown-unknown
  fi

  if ! reports trunk "${trunk_version%.*}"; then
    say "building trunk $trunk_version into .tools/ (once; 3 to 5 minutes on two cores)"
    cargo_install --locked --no-default-features "trunk@$trunk_version"
  fi

  # Must be the very version of the crate that the page is compiled with. Without
  # --locked: a dependency that its own lock file names has been withdrawn.
  local bindgen
  bindgen=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, "", $3); print $3 }' Cargo.lock)
  if ! reports wasm-bindgen "$bindgen" || ! reports wasm-bindgen-test-runner "$bindgen"; then
    say "building wasm-bindgen $bindgen into .tools/ (once; 1 to 2 minutes on two cores)"
    cargo_install "wasm-bindgen-cli@$bindgen"
  fi
  rm -rf "$tools/build"

  # Debian's own is too old for what current Rust emits.
  local found
  found=$(wasm-opt --version 2>/dev/null | sed -n 's/[^0-9]*\([0-9][0-9]*\).*/\1/p') || true
  if [ "${found:-0}" -lt "$binaryen_oldest" ]; then
    setup_node
    say "fetching wasm-opt $binaryen_version from npm into .tools/ (a few seconds)"
    npm_install "binaryen@$binaryen_version"
    ln -sf ../node_modules/.bin/wasm-opt "$tools/bin/wasm-opt"
  fi
}

setup_tests() {
  setup_node
  local missing=()
  node e2e/lib/chromium.mjs >/dev/null 2>&1 || missing+=(chromium)
  have chromedriver || [ -n "${CHROMEDRIVER:-}" ] || missing+=(chromium-driver)
  [ ${#missing[@]} = 0 ] || apt_install "the browser tests need Chromium" "${missing[@]}"

  if ! cmp -s e2e/package-lock.json e2e/node_modules/.installed; then
    say "fetching the browser tests' npm packages (a few seconds)"
    npm ci --silent --no-audit --no-fund --prefix e2e
    cp e2e/package-lock.json e2e/node_modules/.installed
  fi
}

setup_fonts() {
  have fc-list && [ -n "$(fc-list :lang=zh-cn family)" ] ||
    apt_install "no Chinese font is installed" fontconfig fonts-noto-cjk
}

setup_lighthouse() {
  grep -qsF "\"version\": \"$lighthouse_version\"" "$tools/node_modules/lighthouse/package.json" && return
  say "fetching Lighthouse $lighthouse_version from npm into .tools/ (half a minute)"
  npm_install "lighthouse@$lighthouse_version"
}

for part in "$@"; do
  case $part in
    make | node | page | tests | fonts | lighthouse) "setup_$part" ;;
    *) fail "unknown part '$part'" ;;
  esac
done
