from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clauselens.dataset.build import build_dataset, read_dataset_config
from clauselens.dataset.duplicates import (
    THRESHOLD,
    character_tfidf,
    duplicate_groups,
    near_duplicate_pairs,
)
from clauselens.dataset.folds import fewer_rows, leave_one_document_out
from clauselens.dataset.rows import clauses, read_examples
from clauselens.dataset.splits import with_validation
from clauselens.errors import InputError
from clauselens.records import Example


def test_committed_dataset_is_what_the_build_gives(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root)
    config = read_dataset_config(Path("configs/dataset.yaml"))
    build_dataset(replace(config, out=tmp_path))
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in (root / "data/dataset").iterdir()}
    assert built == committed


def test_load_dataset_reads_the_folder_with_typed_features(root, tmp_path, taxonomy, examples):
    import datasets

    loaded = datasets.load_dataset(str(root / "data/dataset"), cache_dir=str(tmp_path))
    assert set(loaded) == {"train", "validation", "test", "excluded"}
    names = loaded["train"].features["labels"].feature.names
    assert tuple(names) == taxonomy.labels
    for split, rows in loaded.items():
        ours = [e for e in examples if e.split == split]
        assert [row["text"] for row in rows] == [e.text for e in ours]
        assert [tuple(names[i] for i in row["labels"]) for row in rows] == [e.labels for e in ours]


def test_rows_are_the_documents_own_text(examples, documents):
    texts = {d.id: d.text for d in documents}
    assert all(texts[e.document_id][e.start : e.end] == e.text for e in examples)


def test_test_is_whole_documents_and_no_group_crosses_a_split(examples):
    tested = {e.document_id for e in examples if e.split == "test"}
    assert all((e.split == "test") == (e.document_id in tested) for e in examples)
    splits = {}
    for example in examples:
        if example.duplicate_group >= 0:
            splits.setdefault(example.duplicate_group, set()).add(example.split)
    assert all(
        found in ({"test"}, {"test", "excluded"}) or len(found) == 1 for found in splits.values()
    )
    assert any("excluded" in found for found in splits.values())


def test_pairs_are_exact(examples):
    texts = [e.text for e in clauses(examples, "train")][:200]
    vectors = character_tfidf(texts).toarray()
    similarity = vectors @ vectors.T
    expected = {
        (i, j) for i in range(200) for j in range(i + 1, 200) if similarity[i, j] >= THRESHOLD
    }
    assert {(i, j) for i, j, _ in near_duplicate_pairs(character_tfidf(texts))} == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12))
def test_equal_texts_share_a_group(texts):
    groups = duplicate_groups([*texts, *texts]) if any(t.strip() for t in texts) else None
    if groups is not None:
        for i, text in enumerate(texts):
            if len(text.strip()) > 0 and character_tfidf([*texts])[i].nnz:
                assert groups[i] == groups[i + len(texts)]


@pytest.mark.parametrize("purge", [None, 0.8, 0.6, 0.5])
def test_folds_hold_out_whole_documents_and_purge_what_is_alike(examples, purge):
    rows = [e for e in examples if e.kind in ("sentence", "list_item")]
    vectors = character_tfidf([e.text for e in rows])
    held = []
    for fold in leave_one_document_out(rows, purge=purge):
        assert {rows[i].document_id for i in fold.held_out} == {fold.document}
        assert sorted([*fold.train, *fold.held_out, *fold.purged]) == list(range(len(rows)))
        similarity = (vectors[list(fold.train)] @ vectors[list(fold.held_out)].T).toarray()
        if purge is not None:
            assert similarity.max() < purge
        else:
            assert not fold.purged
        held += fold.held_out
    assert sorted(held) == list(range(len(rows)))


def test_a_fold_with_less_to_learn_from_is_part_of_the_fold(examples):
    rows = [e for e in examples if e.kind in ("sentence", "list_item")]
    folds = leave_one_document_out(rows)
    taught = []
    for fold in folds:
        two, half, quarter, nothing = (
            fewer_rows(fold, rows, documents=documents, share=share, seed=0)
            for documents, share in ((2, 1), (4, 0.5), (4, 0.25), (0, 1))
        )
        assert fewer_rows(fold, rows, documents=4, share=1, seed=0) == fold
        assert two.held_out == half.held_out == fold.held_out
        assert nothing.train == ()
        documents = {rows[i].document_id for i in two.train}
        assert set(two.train) == {i for i in fold.train if rows[i].document_id in documents}
        taught += documents
        assert set(quarter.train) < set(half.train) < set(fold.train)
        assert len(half.train) == round(len(fold.train) / 2)
        assert half.train != fewer_rows(fold, rows, documents=4, share=0.5, seed=1).train
    assert sorted(taught) == sorted(2 * [fold.document for fold in folds])


def test_validation_takes_whole_groups_and_hangs_on_the_seed_alone():
    rows = [Example(id=str(i), text=str(i), labels=(), duplicate_group=i // 3) for i in range(60)]
    first, again, other = (with_validation(rows, fraction=0.2, seed=s) for s in (1, 1, 2))
    assert first == again != other
    chosen = {e.duplicate_group for e in first if e.split == "validation"}
    assert all((e.duplicate_group in chosen) == (e.split == "validation") for e in first)
    assert sum(e.split == "validation" for e in first) == 12


def test_bring_your_own_rows_need_only_text_and_labels(tmp_path, taxonomy):
    (tmp_path / "own.jsonl").write_text(
        '{"text": "We keep it for a year.", "labels": ["retention"]}\n'
        '{"text": "Nothing here.", "labels": []}\n'
        '{"text": "We keep it for one year.", "labels": ["retention"]}\n'
    )
    (tmp_path / "own.csv").write_text(
        'text,labels\n"We keep it, for a year.",retention\nNothing.,\nBoth.,retention; security\n'
    )
    rows = read_examples(tmp_path / "own.jsonl", taxonomy=taxonomy)
    assert [e.labels for e in rows] == [("retention",), (), ("retention",)]
    assert rows[0].duplicate_group == rows[2].duplicate_group != rows[1].duplicate_group
    assert read_examples(tmp_path / "own.csv", taxonomy=taxonomy)[2].labels == (
        "retention",
        "security",
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"text": "a", "labels": ["nope"]}, "own.jsonl:1: unknown label 'nope'"),
        ({"text": " ", "labels": []}, "own.jsonl:1: 'text' is ' '"),
        ({"text": "a"}, "own.jsonl:1: 'labels' is None"),
        ({"text": "a", "labels": [], "split": "dev"}, "own.jsonl:1: 'split' is 'dev'"),
        ({"text": "a", "labels": [], "start": "x"}, "own.jsonl:1: 'start' is 'x'"),
        ({"text": "a", "labels": [], "id": "\ud800"}, "'id' is not valid Unicode"),
    ],
)
def test_bad_rows_are_named(tmp_path, taxonomy, line, message):
    (tmp_path / "own.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match=message):
        read_examples(tmp_path / "own.jsonl", taxonomy=taxonomy)


def test_an_unknown_key_of_the_dataset_config_names_the_nearest(tmp_path, root):
    text = (root / "configs/dataset.yaml").read_text().replace("seed:", "sead:")
    (tmp_path / "d.yaml").write_text(text)
    with pytest.raises(InputError, match="unknown key 'sead' .did you mean 'seed'"):
        read_dataset_config(tmp_path / "d.yaml")


def test_groups_are_numbered_by_first_row():
    groups = duplicate_groups(["we keep your data", "other words entirely", "we keep your data"])
    assert np.array_equal(groups, [0, 1, 0])
