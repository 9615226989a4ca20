"""Shared fixtures: the real corpus, the real dataset, and a real encoder trained for a moment."""

from __future__ import annotations

import os
import shutil

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

from dataclasses import replace
from pathlib import Path

import pytest

from clauselens.corpus.build import read_sentences
from clauselens.corpus.reader import read_corpus
from clauselens.records import Document, Example, Sentence
from clauselens.taxonomy import Taxonomy, read_taxonomy

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the slow tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--run-slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow; add --run-slow"))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return read_taxonomy(ROOT / "configs/taxonomy.yaml")


@pytest.fixture(scope="session")
def documents() -> list[Document]:
    return read_corpus(ROOT / "data/raw")


@pytest.fixture(scope="session")
def sentences(documents: list[Document]) -> list[Sentence]:
    return read_sentences(ROOT / "data/sentences/sentences.jsonl", documents)


@pytest.fixture(scope="session")
def examples(taxonomy: Taxonomy) -> list[Example]:
    from clauselens.dataset.rows import read_examples

    return read_examples(ROOT / "data/dataset", taxonomy=taxonomy)


@pytest.fixture(scope="session")
def small_data(
    examples: list[Example], taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Every eighth clause of train, validation and test, as a dataset folder."""
    from clauselens.dataset.rows import clauses, to_row
    from clauselens.storage import write_jsonl

    folder = tmp_path_factory.mktemp("data")
    for split in ("train", "validation", "test"):
        rows = clauses(examples, split)[:: 2 if split == "validation" else 8]
        write_jsonl(folder / f"{split}.jsonl", (to_row(replace(row)) for row in rows))
    return folder


@pytest.fixture(scope="session")
def train_config(root: Path, small_data: Path):
    from clauselens.training.config import read_train_config

    return read_train_config(
        root / "configs/smoke.yaml",
        [
            f"data={small_data}",
            f"taxonomy={root / 'configs/taxonomy.yaml'}",
            "trainer.disable_tqdm=true",
            "trainer.num_train_epochs=3",
            "trainer.per_device_train_batch_size=8",
        ],
    )


@pytest.fixture(scope="session")
def model_folder(train_config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder from the real encoder, fine-tuned on a few rows."""
    from clauselens.cli.model import score_examples
    from clauselens.training.run import train

    out = tmp_path_factory.mktemp("models") / "small"
    train(train_config, out, scorer=score_examples)
    return out


def exported(model_folder: Path, precision: str) -> Path:
    from clauselens.inference.export import export

    folder = model_folder.with_name(f"small-{precision}")
    shutil.copytree(model_folder, folder)
    export(folder, precision=precision)
    return folder


@pytest.fixture(scope="session")
def fp32_folder(model_folder: Path) -> Path:
    """The same with its graph for OpenVINO, in float32."""
    return exported(model_folder, "fp32")


@pytest.fixture(scope="session")
def fast_folder(model_folder: Path) -> Path:
    """The same in what this processor is fastest in: bf16, if it has that."""
    return exported(model_folder, "auto")


@pytest.fixture(scope="session")
def classifier(fp32_folder: Path):
    from clauselens import ClauseClassifier

    return ClauseClassifier.load(fp32_folder, engine="openvino")


CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""The browser draws without a graphics card, and asks nothing of its maker."""


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: `apt-get install chromium`")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    base = pytest.importorskip(
        "axe_playwright_python.base", reason="needs `pip install axe-playwright-python`"
    )
    return base.AXE_SCRIPT
