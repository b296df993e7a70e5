#!/bin/sh
# Bundles the text editor for the page, unless the bundle is newer than what it is made of. Run by Trunk before each build.
set -eu
cd "$(dirname "$0")"
if [ ! -f node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --silent --no-audit --no-fund --ignore-scripts
  touch node_modules/.installed
fi
if [ ! -f build/editor.js ] || [ -n "$(find src package.json package-lock.json -newer build/editor.js)" ]; then
  npm run --silent build
fi
