# Sourced by the other scripts, from the project's folder: makes .venv with pinned packages, once.
# Usage: setup EXTRAS (train, or train,dev). A second call finds its stamp and installs nothing.

export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 TRANSFORMERS_OFFLINE=1
export TOKENIZERS_PARALLELISM=true PIP_DISABLE_PIP_VERSION_CHECK=1
# What builds the package is pinned too.
export PIP_CONSTRAINT="$PWD/constraints.txt" PIP_BUILD_CONSTRAINT="$PWD/constraints.txt"

step() { printf '\n== %s (%d s since start)\n' "$1" "$SECONDS"; }

setup() {
  local extras=$1 python=${PYTHON:-python3} want
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "error: Python 3.11 or newer is needed; name one: PYTHON=python3.12 $0" >&2
    exit 2
  fi
  want=$(cat pyproject.toml constraints.txt | sha256sum)
  if [ ! -x .venv/bin/python ]; then
    step "making .venv"
    "$python" -m venv .venv
  fi
  # The stamp of train,dev counts for train too: its name starts with it.
  if ! cat .venv/.installed-"$extras"* 2>/dev/null | grep -qxF "$want"; then
    step "installing clauselens[$extras] into .venv (pinned in constraints.txt; some minutes, once)"
    .venv/bin/python -m pip install --quiet --upgrade pip
    .venv/bin/python -m pip install --quiet --editable ".[$extras]"
    echo "$want" > ".venv/.installed-$extras"
  fi
  export PATH="$PWD/.venv/bin:$PATH"
}
