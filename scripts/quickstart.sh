#!/usr/bin/env bash
# The main job on real input, offline but for the package index: five policies -> sentences ->
# annotated dataset -> training -> evaluation -> predictions -> pages to read. Allow 20 minutes
# on 2 cores.
# Usage: scripts/quickstart.sh [CONFIG]   (default configs/minilm.yaml)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

config=${1:-configs/minilm.yaml}
name=$(basename "$config" .yaml)
setup train

step "corpus -> sentences"
clauselens corpus build

step "sentences + adjudicated labels -> dataset"
clauselens agreement
clauselens dataset build

step "training: $config"
clauselens train "$config" --overwrite

step "evaluation on the policy that training did not see"
clauselens evaluate "models/$name" --html

step "predictions for all five policies"
clauselens predict "models/$name" data/raw -o predictions/clauses.jsonl
head -n 3 predictions/clauses.jsonl | cut -c 1-300

step "the same as a page to read"
clauselens report "models/$name" data/raw -o predictions/report.html

step "done: models/$name, its evaluation/evaluation.html, predictions/clauses.jsonl and report.html"
