from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clauselens.errors import InputError
from clauselens.inference.batch import BatchOptions, predict_files
from clauselens.inference.inputs import read_rows
from clauselens.inference.rows import Columns

TEXTS = ["We sell nothing.", "We keep your data for a year.", 'Quoted, "comma"\nand line.']
ALL = Columns(keep=("*",))


def run(classifier, source, out, columns=None, **options):
    return predict_files(
        classifier, [source], out, BatchOptions(columns=columns or Columns(), **options)
    )


def jsonl(path):
    return [json.loads(line) for line in path.read_text().split("\n") if line]


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


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": null}', r"in\.jsonl:2: no text"),
        # An id of its own does not say where the row is.
        ('{"text": null, "id": "a7"}', r"in\.jsonl:2 \(id 'a7'\): no text"),
    ],
)
def test_strict_stops_and_leaves_nothing(classifier, tmp_path, row, message):
    (tmp_path / "in.jsonl").write_text(f'{{"text": "a"}}\n{row}\n')
    with pytest.raises(InputError, match=message):
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
    run(classifier, source, tmp_path / "raw.csv", ALL, raw=True)
    with (tmp_path / "raw.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["id"] == "=1+1"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_no_rows_give_an_empty_file(classifier, tmp_path, kind):
    (tmp_path / "in.jsonl").write_text("")
    summary = run(classifier, tmp_path / "in.jsonl", tmp_path / f"out.{kind}")
    assert summary.rows == 0
    assert (tmp_path / f"out.{kind}").exists()


@pytest.mark.parametrize("suffix", ["gz", "bz2", "zst"])
def test_compressed_input_gives_the_same(classifier, sources, tmp_path, suffix):
    for source in sources[:2]:
        packed = tmp_path / f"{source.name}.{suffix}"
        with pa.output_stream(packed, compression="detect") as file:
            file.write(source.read_bytes())
        run(classifier, source, tmp_path / "plain.csv")
        run(classifier, packed, tmp_path / "packed.csv")
        assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "packed.csv").read_bytes()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_truncated_compressed_file_is_named(classifier, tmp_path, kind):
    rows = "".join(f'{{"text": "row {n} of many"}}\n' for n in range(20_000))
    data = gzip.compress(("text\n" + rows if kind == "csv" else rows).encode())
    (tmp_path / f"in.{kind}.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=rf"in\.{kind}\.gz: cannot be read"):
        list(read_rows([tmp_path / f"in.{kind}.gz"], Columns()))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_compressed_output_holds_the_same_and_no_time(classifier, sources, tmp_path, kind):
    run(classifier, sources[0], tmp_path / f"out.{kind}")
    run(classifier, sources[0], tmp_path / f"out.{kind}.gz")
    packed = (tmp_path / f"out.{kind}.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / f"out.{kind}").read_bytes()
    assert packed[4:8] == bytes(4)


def test_an_output_beside_its_inputs_is_not_read_again(classifier, sources, tmp_path):
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/rows.jsonl").write_text("{}")
    assert run(classifier, tmp_path, tmp_path / "out.jsonl").rows == 9
    with pytest.raises(InputError, match=r"out\.jsonl: an input and the output"):
        run(classifier, tmp_path, tmp_path / "out.jsonl")


@pytest.mark.parametrize("name", ["in.parquet.gz", "in.doc", "in"])
def test_an_unknown_input_is_named(classifier, tmp_path, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=rf"{name}: cannot read"):
        run(classifier, tmp_path / name, tmp_path / "out.jsonl")


@pytest.mark.parametrize("name", ["out.txt", "out.parquet.gz", "out"])
def test_an_unknown_output_is_named(classifier, sources, tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: can write"):
        run(classifier, sources[0], tmp_path / name)


def test_text_that_is_no_utf8_in_parquet_is_an_error_of_its_row(classifier, tmp_path):
    column = pa.array([b"We sell nothing.", b"\xff\xfe", b"We keep it."]).view(pa.string())
    pq.write_table(pa.table({"text": column}), tmp_path / "in.parquet")
    run(classifier, tmp_path / "in.parquet", tmp_path / "out.jsonl")
    errors = [row["error"] for row in jsonl(tmp_path / "out.jsonl")]
    assert errors[0] is None
    assert errors[1].startswith("not UTF-8")
    assert errors[2] is None


def test_a_line_without_end_is_an_error_of_its_row(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr("clauselens.inference.inputs.MAX_BYTES", 1000)
    lines = ['{"text": "We sell nothing."}', '{"text": "' + "a" * 5000 + '"}', '{"text": "Yes."}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    (tmp_path / "in.csv").write_text("text\nWe sell nothing.\n" + '"' + "a" * 5000 + '"\nYes.\n')
    for kind, error in (("jsonl", "a line of over 1,000 bytes"), ("csv", "field larger than")):
        run(classifier, tmp_path / f"in.{kind}", tmp_path / "out.jsonl")
        rows = jsonl(tmp_path / "out.jsonl")
        assert [row["error"] is None for row in rows] == [True, False, True]
        assert error in rows[1]["error"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("\x00\x07\x1b", "no visible characters"),
        ("\u202e\u2066\u200f", "no visible characters"),
        ("a" * 10_000_000, "10,000,000 characters, more than 1,000,000"),
        ("We \x00 sell \u202e nothing.", None),
        ("=cmd|' /C calc'!A0 We sell nothing.", None),
    ],
)
def test_odd_texts_are_scored_or_named(classifier, tmp_path, text, error):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": text}))
    run(classifier, source, tmp_path / "out.jsonl")
    (row,) = jsonl(tmp_path / "out.jsonl")
    if error is None:
        assert row["error"] is None
        assert len(row["scores"]) == 21
    else:
        assert error in row["error"]
        with pytest.raises(InputError, match=error):
            classifier.predict([text])


def test_what_a_bad_number_is_in_a_kept_column_stays_json(classifier, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "We sell nothing.", "n": NaN, "deep": [Infinity]}')
    run(classifier, tmp_path / "in.jsonl", tmp_path / "out.jsonl", ALL)
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    row = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (row["n"], row["deep"]) == (None, [None])


def test_parts_hold_every_row_once_and_in_order(classifier, tmp_path):
    lines = [f'{{"id": {n}, "text": "We keep it for {n} days."}}' for n in range(50)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for part_rows in (1, 7, 50, 1000):
        run(classifier, tmp_path / "in.jsonl", tmp_path / "out.jsonl", part_rows=part_rows)
        rows = jsonl(tmp_path / "out.jsonl")
        assert [row["row"] for row in rows] == list(range(50))
        assert [row["id"] for row in rows] == [str(n) for n in range(50)]
    with pytest.raises(InputError, match="part_rows is 0"):
        BatchOptions(part_rows=0)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["text", "id", "section", "lead_in", "x"]), VALUES),
        max_size=6,
    ),
    st.sampled_from(["jsonl", "csv", "parquet"]),
)
def test_any_rows_come_out_scored_or_with_an_error(classifier, tmp_path, rows, kind):
    source = tmp_path / "wild.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / f"wild-out.{kind}"
    summary = run(classifier, source, out, ALL)
    assert summary.rows == len(rows)
    if kind == "jsonl":
        for row in jsonl(out):
            assert (row["error"] is None) == (len(row["scores"]) == 21)


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
