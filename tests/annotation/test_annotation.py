from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clauselens.annotation.agreement import agreement
from clauselens.annotation.carry import carry_labels
from clauselens.annotation.interchange import read_annotations, write_annotations
from clauselens.errors import InputError
from clauselens.records import Annotation, Sentence


@pytest.fixture(scope="module")
def passes(root, sentences, taxonomy):
    return {
        name: read_annotations(
            root / f"data/annotations/{name}.jsonl", sentences=sentences, taxonomy=taxonomy
        )
        for name in ("pass_a", "pass_b", "gold")
    }


def test_gold_gives_a_reason_exactly_where_the_passes_differ(passes):
    for key, gold in passes["gold"].items():
        a, b = passes["pass_a"][key].labels, passes["pass_b"][key].labels
        assert bool(gold.note) == (a != b)
        if a == b:
            assert gold.labels == a


def test_taxonomy_has_the_codebook_ids_in_order(root, taxonomy):
    text = (root / "data/annotations/CODEBOOK.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    ids = [row[2].strip(" `") for row in rows if row[1].strip().isdigit()]
    assert list(taxonomy.labels) == ids
    mapped = {row[1].strip(" `"): row[2].strip() for row in rows if row[1].strip(" `") in ids}
    for category in taxonomy.categories:
        assert dict(category.mappings)["opp115"] == mapped[category.id]


def test_alpha_and_kappa_of_a_known_case():
    def given(*sets):
        return {
            str(i): Annotation(sentence_id=str(i), annotator="x", labels=labels)
            for i, labels in enumerate(sets)
        }

    first = given(("a",), ("a",), ("b",), ())
    second = given(("a",), ("b",), ("b",), ())
    found = agreement(first, second, clause_ids=["0", "1", "2", "3"], labels=["a", "b"])
    assert (found.units, found.equal, found.both_empty) == (4, 3, 1)
    # Nominal case, since no sets overlap in part: observed 1/4; of the 8 values 3 a, 3 b and
    # 2 empty, expected (8*8 - 3*3 - 3*3 - 2*2) / (8*7) = 42/56.
    assert found.alpha == pytest.approx(1 - (1 / 4) / (42 / 56))
    # Without the empty pair: observed 1/3, expected (6*6 - 3*3 - 3*3) / (6*5) = 18/30.
    assert found.alpha_labelled == pytest.approx(1 - (1 / 3) / (18 / 30))
    # Label a: agreed 3/4; expected 2/4*1/4 + 2/4*3/4 = 1/2.
    assert found.labels[0].kappa == pytest.approx(0.5)


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": ["retentoin"]},
            "g.jsonl:1: unknown label 'retentoin' .did you mean 'retention'",
        ),
        ({"sentence_id": "nope:1-2"}, "g.jsonl:1: no sentence has the id 'nope:1-2'"),
        ({"labels": "scope"}, "g.jsonl:1: field 'labels' has the value 'scope' of a wrong type"),
    ],
)
def test_bad_annotations_are_named_with_file_and_row(
    root, tmp_path, sentences, taxonomy, change, message
):
    data = rows(root / "data/annotations/gold.jsonl")
    data[0].update(change)
    file = tmp_path / "g.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in data))
    with pytest.raises(InputError, match=message):
        read_annotations(file, sentences=sentences, taxonomy=taxonomy)


def test_a_clause_without_annotation_is_named(root, tmp_path, sentences, taxonomy):
    data = (root / "data/annotations/gold.jsonl").read_text().splitlines(keepends=True)
    file = tmp_path / "g.jsonl"
    file.write_text("".join(data[1:]))
    with pytest.raises(InputError, match=r"the clause 'huahuan:32-169' has no annotation"):
        read_annotations(file, sentences=sentences, taxonomy=taxonomy)


def test_annotations_survive_a_round_trip(passes, tmp_path, sentences, taxonomy):
    file = tmp_path / "copy.jsonl"
    write_annotations(file, passes["gold"].values(), note_field="reason")
    assert read_annotations(file, sentences=sentences, taxonomy=taxonomy) == passes["gold"]


def test_carry_keeps_what_is_unchanged_and_lists_the_rest(sentences, passes, taxonomy):
    gold = passes["gold"]
    clauses = [s for s in sentences if s.is_clause]
    first, second = clauses[4], clauses[5]
    merged = Sentence(
        id="merged",
        document_id=first.document_id,
        start=first.start,
        end=second.end,
        text="",
        kind="sentence",
        section=(),
        lead_in="",
    )
    new = [merged, *(s for s in sentences if s not in (first, second))]
    carried = carry_labels(sentences, gold, new, taxonomy=taxonomy)
    assert carried.read_again == ("merged",)
    by_id = {a.sentence_id: a for a in carried.annotations}
    assert set(by_id["merged"].labels) == set(gold[first.id].labels) | set(gold[second.id].labels)
    assert all(by_id[s.id] == gold[s.id] for s in clauses if s not in (first, second))


def test_a_changed_lead_in_must_be_read_again(sentences, passes, taxonomy):
    clause = next(s for s in sentences if s.lead_in)
    new = [replace(s, lead_in="Other:") if s is clause else s for s in sentences]
    carried = carry_labels(sentences, passes["gold"], new, taxonomy=taxonomy)
    assert carried.read_again == (clause.id,)
