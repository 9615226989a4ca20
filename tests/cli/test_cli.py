from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import typer
import yaml

from clauselens.cli.main import app
from clauselens.storage import sha256_file

HEAVY = ("torch", "transformers", "datasets", "sklearn", "evaluate", "scipy", "matplotlib")


def run(*arguments, cwd=None, **options):
    command = [sys.executable, "-m", "clauselens", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, **options)


@pytest.mark.parametrize("code", ["import clauselens", "import clauselens.cli.main"])
def test_importing_loads_nothing_heavy(code):
    probe = f"{code}; import sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "corpus.sentences",
        "annotation.interchange",
        "dataset.folds",
        "model.folder",
        "inference.batch",
    ]
    + ["evaluation.report"],
)
def test_rooms_above_training_load_no_torch(module):
    probe = f"import clauselens.{module}, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_wrong_folder_is_told_before_an_engine_is_imported(tmp_path):
    probe = f"""
import sys
from clauselens import ClauseClassifier
try:
    ClauseClassifier.load({str(tmp_path)!r})
except ValueError as error:
    print(error, [name for name in ("torch", "openvino") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("not a complete model folder of clauselens []")


def test_a_base_install_predicts(fp32_folder, model_folder):
    # Everything that the extra [train] adds is made impossible to import.
    probe = f"""
import sys
for name in {(*HEAVY, "accelerate", "nltk", "nncf")!r}:
    sys.modules[name] = None
from clauselens import ClauseClassifier
print(ClauseClassifier.load({str(fp32_folder)!r}).predict_proba(["We sell nothing."]).shape)
try:
    ClauseClassifier.load({str(model_folder)!r})
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    shape, error = done.stdout.splitlines()
    assert shape == "(1, 21)"
    assert "no graph for OpenVINO; make it with `clauselens export" in error


@pytest.mark.parametrize("command", [["-c", "import clauselens"], ["-m", "clauselens", "--help"]])
def test_import_and_help_answer_within_a_second(command):
    def seconds():
        started = time.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        return time.perf_counter() - started

    # The best of several: the bound is on the work, not on a busy machine.
    assert min(seconds() for _ in range(5)) < 1


def commands(command, path=()):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


def shown(text):
    """Words as a terminal shows them: no box, no code marks."""
    return " ".join(text.replace("│", " ").replace("`", "").split())


def test_help_teaches_every_command_whole():
    # Markdown drops what it takes for markup, such as <name>, without a word.
    found = list(commands(typer.main.get_command(app)))
    assert {"train", "predict", "corpus build"} < {" ".join(path) for path, _ in found}
    for path, command in found:
        wide = {**os.environ, "COLUMNS": "400"}
        page = shown(run(*path, "--help", env=wide).stdout)
        whole = inspect.getdoc(command.callback) if command.callback else command.help
        assert whole, path
        for text in [whole, *(entry.help or "" for entry in command.params)]:
            assert shown(text) in page, (path, text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nope.yaml"], "nope.yaml: no such file"),
        (["train", "configs/smoke.yaml", "sed=1"], "unknown key 'sed' (did you mean 'seed'?)"),
        (
            ["train", "configs/minilm.yaml", "pretraining.num_train_epochs=0", "-o", "no"],
            "expected more than 0",
        ),
        (["crossval", "configs/minilm.yaml", "--seeds", "1,1"], "1 stands there twice"),
        (["crossval", "configs/minilm.yaml", "--seeds", "-1"], "-1 is not from 0 to 4294967295"),
        (["predict", "nope", "data/raw", "-o", "out.jsonl"], "nope: no such model folder"),
        (["predict", "nope", "none.txt", "-o", "out.jsonl"], "none.txt: no such file"),
        (["predict", "nope", "data/raw", "-o", "o", "--threshold", "x"], "expected a number"),
        (["report", "nope", "data/raw/none.txt"], "nope: no such model folder"),
        (["report", "nope", "none.txt", "-o", "page.pdf"], "expected a name that ends in .html"),
        (["evaluate", "configs"], "configs: no checksums.json; not a complete model folder"),
        (["dataset", "build", "--config", "nope.yaml"], "nope.yaml: no such file"),
        (["corpus", "build", "--raw", "tests"], "sources.yaml: no such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(root, arguments, message):
    done = run(*arguments, cwd=root)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "nope.yaml"],
        ["train", "configs/smoke.yaml", "sed=1"],
        ["crossval", "nope.yaml"],
        ["crossval", "configs/smoke.yaml", "--seeds", "one"],
        ["crossval", "configs/smoke.yaml", "--purge", "2"],
        ["evaluate", "configs"],
        ["export", "nope"],
    ],
)
def test_a_mistake_shows_before_anything_heavy_loads(root, arguments):
    """Where nothing heavy can be imported, the answer is the same."""
    probe = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
sys.argv = {["clauselens", *arguments]!r}
from clauselens.cli.main import main
main()
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=root)
    assert done.returncode == 2
    assert done.stderr == run(*arguments, cwd=root).stderr
    assert "Traceback" not in done.stderr


def test_agreement_and_boundary_score_print(root):
    assert "equal label sets" in run("agreement", cwd=root).stdout
    assert (
        "clauselens" in run("corpus", "score", "tests/fixtures/boundaries.jsonl", cwd=root).stdout
    )


def test_predict_reads_standard_input_and_writes_standard_output(model_folder):
    lines = '{"id": "x", "text": "We sell nothing."}\n{"text": ""}\n'
    done = run("predict", model_folder, "-", "-o", "-", input=lines)
    assert done.returncode == 0
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["id"] == "x"
    assert len(first["scores"]) == 21
    assert second["error"] == "empty text"
    assert "2 rows, 1 errors" in done.stderr


def test_a_base_install_makes_a_reading_report(fp32_folder, root, tmp_path):
    policy = root / "data/raw/003_3503b7024bc40af4.txt"
    probe = f"""
import sys
for name in {(*HEAVY, "accelerate", "nltk", "nncf")!r}:
    sys.modules[name] = None
sys.argv = ["clauselens", "report", {str(fp32_folder)!r}, {str(policy)!r}, "-o", "a/page.html"]
from clauselens.cli.main import main
main()
"""
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "a/page.html: 1 documents, 81 sentences" in done.stderr
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["page.html", "page.json"]
    facts = json.loads((tmp_path / "a/page.json").read_text())
    assert facts["model"]["nearest_training_sentences"]
    sentences = facts["policies"][0]["sentences"]
    assert all(len(s["nearest"]) == 4 for s in sentences if "nearest" in s)


def test_a_report_that_cannot_be_made_leaves_nothing(fp32_folder, root, tmp_path):
    policy = root / "data/raw/003_3503b7024bc40af4.txt"
    for given, code, message in (
        ([policy, "--changes"], 2, "two documents, the old and the new version; 1 given"),
        ([tmp_path], 2, "no document in this folder (.txt"),
        ([policy, "--threshold", "retentoin=0.3"], 2, "did you mean 'retention'?"),
        ([policy, "-o", "/proc/no/page.html"], 1, "cannot be written"),
    ):
        done = run("report", fp32_folder, *given, cwd=tmp_path)
        assert done.returncode == code
        assert message in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_train_makes_the_folder_that_it_starts_from(train_config, tmp_path):
    few = replace(train_config, trainer={**train_config.trainer, "max_steps": 2})
    second = replace(
        few, encoder=replace(few.encoder, name="models/first", sha256="", recipe="first.yaml")
    )
    for name, config in (("first", few), ("second", second)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config.to_dict()))
    lost = run("train", "second.yaml", "data=nowhere", cwd=tmp_path)
    assert (lost.returncode, lost.stdout) == (2, "")
    done = run("train", "second.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "models/first: not there yet, first.yaml makes it first" in done.stdout
    encoder = sha256_file(tmp_path / "models/first/model.safetensors")
    made = json.loads((tmp_path / "models/second/training_config.json").read_text())
    assert made["config"]["encoder"]["sha256"] == encoder
    again = run("train", "second.yaml", "-o", "models/third", cwd=tmp_path)
    assert "not there yet" not in again.stdout
    assert sha256_file(tmp_path / "models/first/model.safetensors") == encoder


def test_evaluate_writes_a_report_beside_the_baselines(model_folder, tmp_path):
    done = run("evaluate", model_folder, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "metrics.json").read_text())
    names = [system["name"] for system in report["systems"]]
    assert names[:3] == ["small", "small, every threshold 0.5", "small, bare sentences"]
    assert "TF-IDF + logistic regression" in names
    assert "| small |" in (tmp_path / "report.md").read_text()


def test_evaluate_refuses_rows_that_the_model_saw(model_folder, tmp_path):
    done = run("evaluate", model_folder, "--split", "train", "-o", tmp_path / "e")
    assert done.returncode == 2
    assert "in training" in done.stderr
    assert not (tmp_path / "e").exists()
