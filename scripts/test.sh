#!/usr/bin/env bash
# Everything that must hold, cheapest first. A step that fails does not keep the
# next from being tried; the summary at the end names all that failed.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
summary=()
failed=()

step() {
  local name=$1 start=$SECONDS verdict=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log/$name" || { verdict=FAILED; failed+=("$name"); }
  printf '== %s: %s (%d s)\n' "$name" "$verdict" $((SECONDS - start))
  summary+=("$(printf '%-7s %s (%d s)' "$verdict" "$name" $((SECONDS - start)))")
  [ "$verdict" = ok ]
}

native_tests() {
  cargo test --locked --workspace --no-fail-fast -- --show-output
}

browser_tests() {
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
  CHROMEDRIVER=${CHROMEDRIVER:-$(command -v chromedriver)} \
  WASM_BINDGEN_TEST_TIMEOUT=120 \
    cargo test --locked -p northsouth-app --target wasm32-unknown-unknown
}

# Tests may unwrap; clippy.toml says so for #[test] functions, which leaves out the helpers in tests/ folders.
tests_clippy() {
  cargo clippy --locked --workspace --all-targets -- \
    -D warnings -A clippy::unwrap_used -A clippy::expect_used -A clippy::panic
}

docs() {
  RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps -p northsouth
}

if step 'set-up' scripts/setup.sh node page tests; then
  step 'formatting' cargo fmt --all --check
  step 'clippy' cargo clippy --locked --workspace -- -D warnings
  step 'clippy, with tests' tests_clippy
  step 'clippy, wasm32' cargo clippy --locked -p northsouth-app --target wasm32-unknown-unknown -- -D warnings
  step 'documentation' docs
  step 'native tests' native_tests
  step 'scores, as the page tells them' node scripts/scores.mjs "$log/native tests"
  step 'tests in the browser' browser_tests
  if step 'page' make --no-print-directory build; then
    step 'size' node scripts/size.mjs dist
    step 'stories and accessibility' make --no-print-directory stories
  fi
fi

printf '\n== summary\n'
[ ! -f "$log/native tests" ] || grep -E '\b[0-9]+ of [0-9]+\b' "$log/native tests" | sort -u
printf '%s\n' "${summary[@]}"

# Once more at the end, as what keeps a long output often keeps its end only.
for name in "${failed[@]}"; do
  printf '\n== %s: how it failed\n' "$name"
  grep -E -A 25 'FAILED|panicked|^(error|warning|Diff)|OVER its ceiling' "$log/$name" | tail -n 80 || tail -n 40 "$log/$name"
done
[ ${#failed[@]} -eq 0 ]
