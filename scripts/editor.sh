#!/usr/bin/env bash
# Bundles the page's text editor (app/editor) where that is not done yet or no longer true. Trunk runs it before each build.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh node
export PATH="$PWD/.tools/bin:$PATH"
cd app/editor

if ! cmp -s package-lock.json node_modules/.installed; then
  echo "Fetching the text editor's npm packages (a few seconds)"
  npm ci --silent --no-audit --no-fund
  cp package-lock.json node_modules/.installed
fi
if [ ! -f build/editor.js ] || [ -n "$(find src package.json node_modules/.installed -newer build/editor.js)" ]; then
  npm run --silent build
fi
