from __future__ import annotations

import csv
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clauselens.errors import InputError
from clauselens.inference.batch import BatchOptions, predict_files
from clauselens.inference.inputs import Columns, read_rows

TEXTS = ["We sell nothing.", "We keep your data for a year.", 'Quoted, "comma"\nand line.']
ALL = Columns(keep=("*",))


def run(classifier, source, out, columns=None, **options):
    return predict_files(
        classifier, [source], out, BatchOptions(columns=columns or Columns(), **options)
    )


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def sources(tmp_path):
    write_csv(tmp_path / "in.csv", [["id", "text"], *((f"r{i}", t) for i, t in enumerate(TEXTS))])
    records = [{"id": f"r{i}", "text": t} for i, t in enumerate(TEXTS)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "in.parquet")
    return [tmp_path / f"in.{kind}" for kind in ("csv", "jsonl", "parquet")]


def test_all_inputs_give_what_the_api_gives(classifier, sources, tmp_path):
    expected = classifier.predict(TEXTS)
    for source in sources:
        summary = run(classifier, source, tmp_path / "out.jsonl")
        assert (summary.rows, summary.errors) == (3, 0)
        for row, prediction in zip(jsonl(tmp_path / "out.jsonl"), expected, strict=True):
            assert set(row) == {"id", "row", "labels", "scores", "windows", "language", "error"}
            assert row["id"] == f"r{prediction.row}"
            assert row["row"] == prediction.row
            assert row["labels"] == list(prediction.labels)
            assert row["scores"] == pytest.approx(dict(prediction.scores), abs=1e-6)
            assert (row["windows"], row["error"]) == (1, None)


def test_all_outputs_hold_the_same(classifier, sources, tmp_path):
    for kind in ("jsonl", "csv", "parquet"):
        run(classifier, sources[0], tmp_path / f"out.{kind}")
    plain = jsonl(tmp_path / "out.jsonl")
    with (tmp_path / "out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    columns = pq.read_table(tmp_path / "out.parquet")
    for a, b, c in zip(plain, table, columns.to_pylist(), strict=True):
        assert a["id"] == b["id"] == c["id"]
        assert a["labels"] == [label for label in b["labels"].split(";") if label] == c["labels"]
        for label, score in a["scores"].items():
            assert float(b[f"score_{label}"]) == pytest.approx(score)
            assert c[f"score_{label}"] == pytest.approx(score, abs=1e-6)
    meta = json.loads((tmp_path / "out.csv.meta.json").read_text())
    assert meta["model_checksum"] == classifier.checksum
    assert columns.schema.metadata[b"model_checksum"].decode() == classifier.checksum
    assert (meta["rows"], meta["errors"]) == (3, 0)


def test_documents_are_segmented_with_context(classifier, root, tmp_path):
    source = root / "data/raw/003_3503b7024bc40af4.txt"
    run(classifier, source, tmp_path / "out.jsonl")
    expected = [(s, p) for s, p in classifier.predict_document(source) if s.is_clause]
    for row, (sentence, prediction) in zip(jsonl(tmp_path / "out.jsonl"), expected, strict=True):
        assert row["id"] == sentence.id
        assert row["text"] == sentence.text
        assert row["labels"] == list(prediction.labels)


def test_context_columns_are_used(classifier, tmp_path):
    lead = "We use your data for the following purposes:"
    source = write_csv(tmp_path / "in.csv", [["s", "h", "l"], ["1) Services;", "Use", lead]])
    columns = Columns(text="s", section="h", lead_in="l", keep=("h",))
    run(classifier, source, tmp_path / "out.jsonl", columns)
    (row,) = jsonl(tmp_path / "out.jsonl")
    from clauselens import Context

    (expected,) = classifier.predict(["1) Services;"], [Context(section="Use", lead_in=lead)])
    assert row["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)
    assert row["h"] == "Use"


def test_a_bad_row_gets_its_error_and_the_run_goes_on(classifier, tmp_path):
    lines = [
        b'{"text": "We sell nothing."}',
        b'{"text": null}',
        b'{"text": 5}',
        b'{"text": ["a"]}',
        b'{"text": "  "}',
        b'{"other": 1}',
        b'{"text": "broken',
        b"[1]",
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b'{"text": "We sell nothing."}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    summary = run(classifier, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    rows = jsonl(tmp_path / "out.jsonl")
    assert (summary.rows, summary.errors) == (11, 9)
    assert [row["row"] for row in rows] == list(range(11))
    errors = [row["error"] for row in rows]
    for error, part in zip(
        errors,
        [None, "null", "found int", "found list", "empty", "no field 'text'", "not valid JSON"]
        + ["found list", "not UTF-8 at byte 10", "lone surrogate", None],
        strict=True,
    ):
        assert (error is None) if part is None else (part in error)
    assert rows[0]["scores"] == rows[-1]["scores"]
    assert all(row["scores"] == {} for row in rows[1:-1])
    assert rows[1]["id"].endswith("in.jsonl:2")


def test_bad_csv_rows_get_their_error(classifier, tmp_path):
    (tmp_path / "in.csv").write_bytes(b'id,text\n1,fine\n2\n3,a,b\n4,\xff\n5,"two\nlines"\n')
    run(classifier, tmp_path / "in.csv", tmp_path / "out.jsonl")
    rows = jsonl(tmp_path / "out.jsonl")
    assert [row["id"].rpartition(":")[2] for row in rows] == ["1", "3", "4", "4", "5"]
    assert rows[1]["error"] == "1 cells, the header has 2"
    assert rows[2]["error"] == "3 cells, the header has 2"
    assert "not valid Unicode" in rows[3]["error"]
    assert rows[4]["error"] is None


def test_strict_stops_and_leaves_nothing(classifier, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n{"text": null}\n')
    with pytest.raises(InputError, match=r"in\.jsonl:2: no text"):
        run(classifier, tmp_path / "in.jsonl", tmp_path / "out.jsonl", strict=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl"]


def test_a_failed_run_keeps_the_old_output(classifier, tmp_path):
    (tmp_path / "in.csv").write_text("words\na\n")
    (tmp_path / "out.jsonl").write_text("old\n")
    with pytest.raises(InputError, match=r"in\.csv: no column 'text' .columns: words"):
        run(classifier, tmp_path / "in.csv", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "old\n"


def test_formulas_in_csv_are_neutralised(classifier, tmp_path):
    source = write_csv(tmp_path / "in.csv", [["id", "text"], ["=1+1", "-2 We sell."], ["b", "c"]])
    run(classifier, source, tmp_path / "out.csv", ALL)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["id"], rows[0]["text"]) == ("'=1+1", "'-2 We sell.")
    assert (rows[1]["id"], rows[1]["text"]) == ("b", "c")


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_no_rows_give_an_empty_file(classifier, tmp_path, kind):
    (tmp_path / "in.jsonl").write_text("")
    summary = run(classifier, tmp_path / "in.jsonl", tmp_path / f"out.{kind}")
    assert summary.rows == 0
    assert (tmp_path / f"out.{kind}").exists()


def test_a_truncated_parquet_file_is_named(classifier, sources, tmp_path):
    data = sources[2].read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"cut\.parquet: cannot read as Parquet"):
        run(classifier, tmp_path / "cut.parquet", tmp_path / "out.jsonl")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(["csv", "jsonl"]), st.binary(max_size=200))
def test_readers_never_fail_otherwise_than_by_a_row_error(tmp_path, kind, data):
    path = tmp_path / f"fuzz.{kind}"
    path.write_bytes((b"id,text\n" if kind == "csv" else b"") + data)
    for row in read_rows([path], ALL):
        assert row.id


def test_the_row_of_a_document_names_its_place(root):
    rows = list(read_rows([root / "data/raw"], Columns()))
    assert len({row.id for row in rows}) == len(rows)
    assert replace(rows[0], kept={}).error is None
