#!/usr/bin/env bash
# The tests, on the real encoder and the real corpus, offline but for the package index.
# Usage: scripts/test.sh [pytest options]   (--run-slow adds the slow ones)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

setup train,dev
step "tests"
python -m pytest "$@"
