"""Real evaluations to show in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def evaluate():
    """``evaluate(model, out)`` writes an evaluation with its page, of the split test."""
    from clauselens.cli.evaluation import evaluate_model, page_options

    def run(model: Path, out: Path, *, data: Path | None = None, against: Path | None = None):
        page = page_options(True, against)
        return evaluate_model(model, data=data, split="test", out=out, page=page)

    return run


@pytest.fixture(scope="session")
def evaluated(evaluate, fp32_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation with its page."""
    out = tmp_path_factory.mktemp("evaluation") / "one"
    evaluate(fp32_folder, out)
    return out


@pytest.fixture(scope="session")
def evaluated_against(
    evaluate, fp32_folder: Path, evaluated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same model with higher thresholds, beside the evaluation before."""
    from clauselens.model.folder import THRESHOLDS, seal
    from clauselens.storage import read_json, write_json

    model = tmp_path_factory.mktemp("stricter") / "small-strict"
    shutil.copytree(fp32_folder, model)
    cuts = read_json(model / THRESHOLDS)
    write_json(model / THRESHOLDS, {label: min(1.0, cut * 1.3) for label, cut in cuts.items()})
    seal(model)
    out = model.with_name("evaluation")
    evaluate(model, out, against=evaluated)
    return out
