from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clauselens import ClauseClassifier, Context
from clauselens.dataset.rows import clauses
from clauselens.errors import InputError
from clauselens.evaluation.scaling import sigmoid
from clauselens.inference.checks import text_problem
from clauselens.inference.language import foreign_language
from clauselens.records import contexts

TOLERANCE = 1e-4
"""How far a float32 score may move with the batch that it is computed in."""


@pytest.fixture(scope="module")
def rows(examples):
    return clauses(examples, "test")[:40]


def scores(classifier, rows):
    return classifier.predict_proba([r.text for r in rows], [r.context for r in rows])


def test_plain_transformers_gives_our_uncalibrated_scores(model_folder, classifier, rows):
    from transformers import pipeline

    texts = [row.text for row in rows]
    pipe = pipeline("text-classification", model=str(model_folder), top_k=None, device=-1)
    found = [{entry["label"]: entry["score"] for entry in row} for row in pipe(texts)]
    theirs = np.array([[row[label] for label in classifier.labels] for row in found])
    ours = sigmoid(classifier.predict_logits(texts))
    assert np.abs(theirs - ours).max() < TOLERANCE


def test_scores_are_probabilities_in_the_order_of_the_labels(classifier, taxonomy, rows):
    found = scores(classifier, rows)
    assert classifier.labels == taxonomy.labels
    assert found.shape == (len(rows), len(taxonomy.labels))
    assert ((found >= 0) & (found <= 1)).all()


def test_empty_in_empty_out(classifier):
    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, len(classifier.labels))


def test_order_is_kept_and_no_row_hangs_on_the_rows_beside(classifier, rows):
    together = scores(classifier, rows)
    assert np.abs(together[::-1] - scores(classifier, rows[::-1])).max() < TOLERANCE
    alone = np.concatenate([scores(classifier, [row]) for row in rows[:10]])
    assert np.abs(together[:10] - alone).max() < TOLERANCE


def test_labels_follow_the_thresholds(classifier, rows):
    texts = [row.text for row in rows]
    for prediction in classifier.predict(texts):
        expected = [k for k, v in prediction.scores.items() if v >= classifier.thresholds[k]]
        assert list(prediction.labels) == expected
    first = classifier.labels[0]
    assert all(p.labels == classifier.labels for p in classifier.predict(texts, threshold=0))
    assert all(first in p.labels for p in classifier.predict(texts, threshold={first: 0.0}))
    assert not any(first in p.labels for p in classifier.predict(texts, threshold={first: 1.0}))


def test_context_changes_scores_and_an_empty_one_does_not(classifier):
    texts = ["1) Provide services;"]
    bare = classifier.predict_proba(texts)
    lead_in = Context(lead_in="We use your personal data for the following purposes:")
    assert np.abs(bare - classifier.predict_proba(texts, [lead_in])).max() > 1e-3
    assert np.array_equal(bare, classifier.predict_proba(texts, [Context()]))
    assert np.array_equal(bare, classifier.predict_proba(texts, [None]))


def test_a_long_text_is_read_in_windows_by_the_maximum(classifier):
    filler = "We respect your privacy and value the trust that you place in us every day. " * 40
    clause = "We delete your data after two years."
    (long,) = classifier.predict([filler + clause])
    assert long.windows > 1
    assert classifier.predict([clause])[0].windows == 1
    (whole,) = classifier.predict_logits([filler + clause])
    (start,) = classifier.predict_logits([filler])
    assert (whole >= start - 1).all()


@pytest.mark.parametrize(
    ("texts", "contexts", "message"),
    [
        ("one string", None, "texts is one string"),
        (["a", None], None, "text 1: no text .null."),
        (["a", 3.5], None, "text 1: expected a text, found float"),
        (["a", " \n"], None, "text 1: empty text"),
        (["a\ud800"], None, "text 0: not valid Unicode"),
        (["a", "b"], [None], "2 texts but 1 contexts"),
    ],
)
def test_bad_values_raise_and_are_named(classifier, texts, contexts, message):
    with pytest.raises(InputError, match=message):
        classifier.predict(texts, contexts)


def test_bad_thresholds_raise(classifier):
    with pytest.raises(InputError, match="unknown label 'scop' .did you mean 'scope'"):
        classifier.predict(["a"], threshold={"scop": 0.5})
    with pytest.raises(InputError, match="threshold of 'scope' is 2, expected 0 to 1"):
        classifier.predict(["a"], threshold=2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_is_scored_or_refused(classifier, texts):
    try:
        found = classifier.predict_proba(texts)
    except InputError:
        assert any(text_problem(t) for t in texts)
    else:
        assert not any(text_problem(t) for t in texts)
        assert np.isfinite(found).all()


def test_other_languages_are_flagged_and_scored(classifier, sentences):
    texts = [
        "Wir speichern Ihre Daten so lange wie nötig.",
        "我们收集您的个人信息",
        "We sell nothing.",
    ]
    found = classifier.predict(texts)
    assert [p.language for p in found] == ["de", "zh", None]
    assert all(len(p.scores) == len(classifier.labels) for p in found)
    assert not any(foreign_language(s.text) for s in sentences)


def test_a_pickled_copy_and_threads_give_the_same_scores(classifier, rows):
    expected = scores(classifier, rows)
    copy = pickle.loads(pickle.dumps(classifier))
    assert isinstance(copy, ClauseClassifier)
    assert np.array_equal(scores(copy, rows), expected)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: scores(classifier, rows), range(8)):
            assert np.array_equal(found, expected)


def test_a_document_is_segmented_and_read_in_context(classifier, documents, sentences, root):
    path = root / "data/raw/000_b4e8dd4c03d9a6ef.txt"
    policy = documents[0]
    expected = [s for s in sentences if s.document_id == policy.id]
    found = classifier.predict_document(path)
    assert [(s.start, s.end, s.kind) for s, _ in found] == [
        (s.start, s.end, s.kind) for s in expected
    ]
    told = [c for s, c in zip(expected, contexts(expected), strict=True) if s.is_clause]
    direct = classifier.predict_proba([s.text for s in expected if s.is_clause], told)
    listed = [list(p.scores.values()) for s, p in found if s.is_clause]
    assert np.array_equal(np.array(listed), direct)
    assert all(p.labels == () and p.scores == {} for s, p in found if not s.is_clause)
    as_text = classifier.predict_document(policy.text)
    assert [p.labels for _, p in as_text] == [p.labels for _, p in found]
