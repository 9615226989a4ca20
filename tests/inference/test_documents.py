"""Documents of all formats in a batch: ids, kept texts, bad ones among good ones, resumed runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pytest

from clauselens.errors import InputError
from clauselens.inference.batch import BatchOptions, predict_files
from clauselens.inference.inputs import expand, read_rows
from clauselens.inference.rows import Columns

SMALL = {
    "a.html": "<h1>Privacy</h1><h2>Data</h2><p>We collect your name.</p>",
    "b.md": "# Privacy\n\n## Data\n\nWe collect:\n\n- your name\n- your address\n",
    "c.txt": "We sell nothing.\n",
    "sub/a.htm": "<p>We keep your name for a year.</p>",
}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "in"
    for name, text in SMALL.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "~$b.docx").write_text("a lock")
    return folder


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def tree(folder, out):
    """The output, its sidecar and its texts, as bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0].startswith(out.name)
    }


def test_offsets_refer_to_the_kept_texts(classifier, folder, tmp_path):
    out = tmp_path / "out.jsonl"
    predict_files(classifier, [folder], out, BatchOptions())
    meta = json.loads((tmp_path / "out.jsonl.meta.json").read_text())
    assert [entry["id"] for entry in meta["documents"]] == ["a", "b", "a-2"]
    assert [entry["file"] for entry in meta["documents"]] == [
        str(folder / name) for name in ("a.html", "b.md", "sub/a.htm")
    ]
    texts = {e["id"]: (tmp_path / e["text"]).read_bytes().decode() for e in meta["documents"]}
    texts["c"] = SMALL["c.txt"]
    rows = jsonl(out)
    assert len(rows) == 6
    for row in rows:
        document, _, place = row["id"].rpartition(":")
        start, end = map(int, place.split("-"))
        assert texts[document][start:end] == row["text"]
    assert rows[2]["lead_in"] == "We collect:"


def test_a_repeat_gives_the_same_bytes_and_stale_texts_go(classifier, folder, tmp_path):
    out = tmp_path / "out.jsonl"
    predict_files(classifier, [folder], out, BatchOptions())
    first = tree(tmp_path, out)
    assert len(first) == 5
    predict_files(classifier, [folder], out, BatchOptions())
    assert tree(tmp_path, out) == first
    (tmp_path / "out.jsonl.texts/mine.txt").write_text("not ours")
    predict_files(classifier, [folder / "b.md"], out, BatchOptions())
    assert sorted(tree(tmp_path, out)) == [
        *("out.jsonl", "out.jsonl.meta.json", "out.jsonl.texts/b.txt"),
        "out.jsonl.texts/mine.txt",
    ]
    (tmp_path / "out.jsonl.texts/mine.txt").unlink()
    predict_files(classifier, [folder / "c.txt"], out, BatchOptions())
    assert sorted(tree(tmp_path, out)) == ["out.jsonl", "out.jsonl.meta.json"]
    assert "documents" not in json.loads((tmp_path / "out.jsonl.meta.json").read_text())


def test_kept_texts_are_no_input(classifier, folder):
    (folder / "out.jsonl.texts").mkdir()
    (folder / "out.jsonl.texts/a.txt").write_text("We sell nothing.")
    assert [path.name for path in expand([folder])] == ["a.html", "b.md", "c.txt", "a.htm"]


def test_a_bad_document_among_others_is_one_row(classifier, folder, tmp_path):
    (folder / "bad.pdf").write_text("We sell nothing.")
    (folder / "empty.txt").write_text("")
    out = tmp_path / "out.csv"
    summary = predict_files(classifier, [folder], out, BatchOptions())
    assert (summary.rows, summary.errors) == (8, 2)
    bad = [row for row in read_rows([folder], Columns()) if row.error]
    assert [(row.id, row.error) for row in bad] == [
        (
            str(folder / "bad.pdf"),
            "named .pdf, but holds something else: give it its own suffix",
        ),
        (str(folder / "empty.txt"), "empty file"),
    ]
    with pytest.raises(InputError, match=r"bad\.pdf: named \.pdf, but holds"):
        predict_files(classifier, [folder], tmp_path / "s.jsonl", BatchOptions(strict=True))
    assert not list(tmp_path.glob("*s.jsonl*"))


def test_a_bad_document_alone_ends_the_command(fast_folder, tmp_path):
    path = tmp_path / "bad.pdf"
    path.write_text("We sell nothing.")
    program = [sys.executable, "-m", "clauselens", "predict", str(fast_folder), str(path)]
    done = subprocess.run(
        [*program, "-o", str(tmp_path / "out.jsonl")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"{path}: named .pdf, but holds something else" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pdf"]


def test_a_killed_run_ends_with_the_same_bytes(fast_folder, root, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("huahuan.html", "zhiqi.docx", "hualai.pdf", "huawei-enterprise.md"):
        shutil.copy(root / "tests/fixtures/formats" / name, folder)
    (folder / "z.pdf").write_text("no PDF")
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole" / "out.jsonl"
    whole.parent.mkdir()
    command = [sys.executable, "-m", "clauselens", "predict", str(fast_folder), str(folder)]
    options = ["--part-rows", "20", "-o"]
    subprocess.run([*command, *options, str(whole)], check=True, stderr=subprocess.DEVNULL)
    kept = 0
    with subprocess.Popen([*command, *options, str(out)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and kept < 5:
            kept = len(list(tmp_path.glob(".out.jsonl.parts/part-*")))
            time.sleep(0.005)
        process.kill()
    assert process.returncode == -9
    assert not out.exists()
    done = subprocess.run([*command, *options, str(out)], capture_output=True, text=True)
    assert "from an interrupted run)" in done.stderr
    assert tree(tmp_path, out) == tree(whole.parent, whole)
    assert len(tree(tmp_path, out)) == 6
    assert not list(tmp_path.glob(".*"))
