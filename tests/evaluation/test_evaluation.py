from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    hamming_loss,
    label_ranking_average_precision_score,
)

from clauselens.dataset.rows import clauses
from clauselens.errors import InputError
from clauselens.evaluation import plots
from clauselens.evaluation.bootstrap import difference, draw_resamples, f1_draws, interval
from clauselens.evaluation.calibration import fit_platt, fit_temperature
from clauselens.evaluation.crossfit import choose_method, cross_fit, fit_final
from clauselens.evaluation.figures import figures
from clauselens.evaluation.leakage import check_unseen
from clauselens.evaluation.markdown import render_report
from clauselens.evaluation.metrics import compute_metrics, label_matrix
from clauselens.evaluation.report import System, compare, write_metrics
from clauselens.evaluation.scaling import sigmoid
from clauselens.evaluation.thresholds import best_threshold, fit_thresholds
from clauselens.storage import sha256_bytes, write_json

LABELS = ("a", "b", "c", "d")


def noisy(seed=0, rows=120):
    rng = np.random.default_rng(seed)
    gold = rng.random((rows, 4)) < [0.5, 0.3, 0.15, 0.05]
    scores = np.clip(gold * 0.4 + rng.random((rows, 4)) * 0.6, 0, 1)
    return gold, scores


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(bool, st.tuples(st.integers(1, 30), st.just(4))),
    st.integers(0, 2**32 - 1),
)
def test_f1_equals_scikit_learn(gold, seed):
    predicted = np.random.default_rng(seed).random(gold.shape) < 0.4
    ours = compute_metrics(gold, predicted.astype(float), np.full(4, 0.5), LABELS, min_support=1)
    if gold.any() or predicted.any():
        assert ours.micro_f1 == pytest.approx(
            f1_score(gold, predicted, average="micro", zero_division=0)
        )
    per_label = f1_score(gold, predicted, average=None, zero_division=0)
    for found, expected in zip(ours.labels, per_label, strict=True):
        if found.support or found.predicted:
            assert found.f1 == pytest.approx(expected)
        else:
            assert math.isnan(found.f1)
    assert ours.hamming_loss == pytest.approx(hamming_loss(gold, predicted))
    assert ours.exact_match == pytest.approx((gold == predicted).all(1).mean())


def test_macro_runs_over_frequent_labels_only():
    gold, scores = noisy()
    metrics = compute_metrics(gold, scores, np.full(4, 0.5), LABELS, min_support=15)
    frequent = [m for m in metrics.labels if m.support >= 15]
    assert 0 < len(frequent) < 4
    assert metrics.macro_labels == len(frequent)
    assert metrics.macro_f1 == pytest.approx(np.mean([m.f1 for m in frequent]))


def test_best_threshold_is_optimal_among_all_cuts():
    gold, scores = noisy(1)
    for j in range(4):
        cut = best_threshold(gold[:, j], scores[:, j])
        reached = f1_score(gold[:, j], scores[:, j] >= cut)
        every = [f1_score(gold[:, j], scores[:, j] >= s) for s in scores[:, j]]
        assert reached == pytest.approx(max(every))


def test_labels_with_few_positives_share_the_global_threshold():
    gold, scores = noisy(2)
    gold[np.flatnonzero(gold[:, 2])[9:], 2] = False
    assert 0 < gold[:, 3].sum() < gold[:, 2].sum() == 9 < 10 <= gold[:, 0].sum()
    cuts = fit_thresholds(gold, scores)
    common = cuts[3]
    assert cuts[2] == common
    own = fit_thresholds(gold[:, :1], scores[:, :1])[0]
    assert min(own, common) < cuts[0] < max(own, common)
    assert abs(cuts[0] - common) < abs(cuts[0] - own), "200 positives pull towards the common cut"


def test_a_threshold_hangs_less_on_single_rows_than_the_best_cut():
    gold, scores = noisy(5)
    label = slice(0, 1)
    parts = np.random.default_rng(1).integers(0, len(gold), (30, len(gold)))
    best = [best_threshold(gold[part, 0], scores[part, 0]) for part in parts]
    mean = [fit_thresholds(gold[part, label], scores[part, label])[0] for part in parts]
    assert np.std(mean) < 0.8 * np.std(best)
    assert np.array_equal(fit_thresholds(gold, scores), fit_thresholds(gold, scores))
    assert fit_thresholds(gold[:0], scores[:0]).tolist() == [0.5] * 4


def test_bootstrap_gives_the_value_itself_and_is_seeded():
    gold, scores = noisy(3)
    predicted = scores >= 0.5
    clusters = [i // 3 for i in range(len(gold))]
    first, again = (f1_draws(gold, predicted, draw_resamples(clusters, seed=5)) for _ in range(2))
    assert first.micro[0] == pytest.approx(f1_score(gold, predicted, average="micro"))
    assert np.array_equal(first.micro, again.micro)
    found = interval(first.micro)
    assert found.low < found.value < found.high


def test_a_resample_is_the_rows_of_its_clusters():
    gold, scores = noisy(4, rows=30)
    predicted = scores >= 0.5
    clusters = [i // 4 for i in range(30)]
    resamples = draw_resamples(clusters, seed=1, resamples=5)
    draws = f1_draws(gold, predicted, resamples, min_support=1)
    for index, weights in enumerate(resamples.row_weights, start=1):
        rows = np.repeat(np.arange(30), weights)
        assert draws.micro[index] == pytest.approx(
            f1_score(gold[rows], predicted[rows], average="micro")
        )


def test_a_system_does_not_differ_from_itself_and_does_from_a_worse_one():
    gold, scores = noisy(5)
    resamples = draw_resamples(range(len(gold)), seed=0)
    good = f1_draws(gold, scores >= 0.5, resamples)
    bad = f1_draws(gold, np.random.default_rng(0).random(gold.shape) >= 0.5, resamples)
    same = difference(good.micro, good.micro)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert difference(good.micro, bad.micro).low > 0


def test_rows_that_go_together_widen_the_interval():
    gold, scores = noisy(6, rows=60)
    # Each row stands ten times: as clusters of ten they say no more than one of them.
    gold, predicted = np.repeat(gold, 10, axis=0), np.repeat(scores >= 0.5, 10, axis=0)
    clustered, alone = (
        interval(f1_draws(gold, predicted, draw_resamples(keys, seed=0)).micro)
        for keys in ([i // 10 for i in range(600)], range(600))
    )
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


def test_report_is_valid_json_beside_markdown(tmp_path):
    gold, scores = noisy(7)
    gold[:, 3] = False
    cuts = np.full(4, 0.5)
    documents = ["x" if i < 50 else "y" for i in range(len(gold))]
    systems = [
        System(name=name, scores=(values, values), thresholds=(cuts, cuts), prior=gold.mean(0))
        for name, values in (("one", scores), ("two", 1 - scores))
    ]
    report = compare(
        gold,
        systems,
        LABELS,
        clusters=range(len(gold)),
        parts=[documents],
        protocol="A test.",
    )
    write_metrics(tmp_path, report, thresholds={"all": dict.fromkeys(LABELS, 0.5)})
    found = json.loads((tmp_path / "metrics.json").read_text())
    first, second = report.systems
    assert found["systems"][0]["overall"]["micro_f1"]["value"] == pytest.approx(
        first.runs[0].micro_f1
    )
    assert found["systems"][0]["labels"]["d"]["average_precision"]["value"] is None
    assert first.parts["x"]["rows"] == 50
    assert second.gains["micro_f1"].value == pytest.approx(
        first.runs[0].micro_f1 - second.runs[0].micro_f1
    )
    assert f"{second.gains['micro_f1'].value:+.3f}" in render_report(report)


def test_values_of_all_figures_are_those_of_scikit_learn():
    gold, scores = noisy(9)
    scores = scores.round(1)
    cuts = np.full(4, 0.5)
    found = figures(gold, scores, cuts, draw_resamples(range(len(gold))), prior=gold.mean(0))
    metrics = compute_metrics(gold, scores, cuts, LABELS)
    for name, draws in found.overall.items():
        if name != "macro_f1_all" or metrics.macro_f1_all == metrics.macro_f1_all:
            assert draws[0] == pytest.approx(getattr(metrics, name)), name
    labelled = gold.any(1)
    assert metrics.ranking_average_precision == pytest.approx(
        label_ranking_average_precision_score(gold[labelled], scores[labelled])
    )
    for j in range(4):
        assert found.labels["average_precision"][0, j] == pytest.approx(
            average_precision_score(gold[:, j], scores[:, j])
        )
        assert found.labels["brier_skill"][0, j] == pytest.approx(
            1 - np.square(scores[:, j] - gold[:, j]).mean() / gold[:, j].var()
        )


def test_the_prior_has_no_skill_though_its_pooled_calibration_looks_perfect():
    gold, _ = noisy(10, rows=400)
    prior = np.tile(gold.mean(0), (len(gold), 1))
    found = figures(
        gold, prior, np.full(4, 0.5), draw_resamples(range(len(gold))), prior=gold.mean(0)
    )
    assert found.labels["brier_skill"][0] == pytest.approx(np.zeros(4))
    assert abs(prior.mean() - gold.mean()) < 1e-12


def test_platt_and_temperature_mend_what_they_can():
    rng = np.random.default_rng(0)
    true = rng.normal(-1, 2, (2000, 3))
    gold = rng.random(true.shape) < sigmoid(true)
    hot, biased = true * 3, true * 3 + [2.0, 0.0, -2.0]
    assert fit_temperature(gold, hot).slope == pytest.approx(np.full(3, 1 / 3), rel=0.1)
    platt = fit_platt(gold, biased)
    assert platt.slope == pytest.approx(np.full(3, 1 / 3), rel=0.15)
    assert platt.offset == pytest.approx([-2 / 3, 0, 2 / 3], abs=0.25)
    few = gold.copy()
    few[:, 0] = False
    assert fit_platt(few, biased).offset[0] == 0


def test_cross_fitting_never_looks_at_the_scored_document():
    gold, scores = noisy(11, rows=150)
    logits = np.log(np.clip(scores, 0.01, 0.99) / (1 - np.clip(scores, 0.01, 0.99)))
    documents = [["x", "y", "z"][i % 3] for i in range(150)]
    of = np.array(documents)
    first = cross_fit(gold, logits, documents, method="platt")
    changed = gold.copy()
    changed[of == "x"] = ~changed[of == "x"]
    second = cross_fit(changed, logits, documents, method="platt")
    assert np.array_equal(first.thresholds[of == "x"], second.thresholds[of == "x"])
    assert np.array_equal(first.probabilities[of == "x"], second.probabilities[of == "x"])
    assert not np.array_equal(first.probabilities[of == "y"], second.probabilities[of == "y"])


def test_the_calibration_with_the_least_loss_is_chosen():
    rng = np.random.default_rng(1)
    true = rng.normal(-1, 2, (900, 3))
    gold = rng.random(true.shape) < sigmoid(true)
    documents = [str(i % 3) for i in range(900)]
    method, losses = choose_method(gold, [true * 4], documents)
    assert method in ("temperature", "platt")
    assert losses[method] == min(losses.values()) < losses["none"]
    scaling, cuts = fit_final(gold, true * 4, method="temperature")
    assert scaling.slope == pytest.approx(np.full(3, 0.25), rel=0.15)
    assert ((cuts > 0.2) & (cuts < 0.7)).all()


def test_pictures_are_drawn(tmp_path):
    gold, scores = noisy(12)
    found = interval(f1_draws(gold, scores >= 0.5, draw_resamples(range(len(gold)))).micro)
    plots.plot_label_f1(tmp_path / "1.png", LABELS, gold.sum(0), [found] * 4)
    plots.plot_precision_recall(tmp_path / "2.png", LABELS, gold, scores)
    plots.plot_calibration(tmp_path / "3.png", gold, scores)
    plots.plot_confusion(tmp_path / "4.png", LABELS, gold, scores >= 0.5)
    plots.plot_cooccurrence(tmp_path / "5.png", LABELS, gold)
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 5000


def test_metric_of_evaluate_agrees_with_ours():
    from clauselens.evaluation.hf_metric import MultiLabelF1

    gold, scores = noisy(8)
    predicted = scores >= 0.5
    found = MultiLabelF1().compute(
        predictions=predicted.astype(int).tolist(), references=gold.astype(int).tolist()
    )
    expected = compute_metrics(
        gold, predicted.astype(float), np.full(4, 0.5), LABELS, min_support=1
    )
    assert found["micro_f1"] == pytest.approx(expected.micro_f1)
    assert found["macro_f1"] == pytest.approx(expected.macro_f1)
    assert found["exact_match"] == pytest.approx(expected.exact_match)


def test_rows_that_a_model_saw_are_refused(tmp_path, examples):
    rows = clauses(examples, "test")
    unseen = clauses(examples, "train")
    grouped = next(e for e in clauses(examples, "excluded"))

    def manifest(example):
        write_json(
            tmp_path / "m.json",
            {
                "data": "d",
                "rows": [
                    {
                        "id": example.id,
                        "use": "train",
                        "duplicate_group": example.duplicate_group,
                        "text_sha256": sha256_bytes(example.text.encode()),
                    }
                ],
            },
        )
        return tmp_path / "m.json"

    check_unseen(manifest(unseen[0]), rows, data="d")
    with pytest.raises(InputError, match=f"saw 1 of {len(rows)} rows"):
        check_unseen(manifest(rows[0]), rows, data="d")
    with pytest.raises(InputError, match="near-duplicates"):
        check_unseen(manifest(grouped), rows, data="d")
    with pytest.raises(InputError, match="saw 1 of"):
        check_unseen(manifest(rows[0]), rows, data="another copy")
    # A benchmark's own split may be scored though it leaks, but never a row itself.
    assert check_unseen(manifest(grouped), rows, data="d", near_duplicates=True) > 0
    with pytest.raises(InputError, match="saw 1 of"):
        check_unseen(manifest(rows[0]), rows, data="d", near_duplicates=True)


def test_label_matrix_round_trip():
    matrix = label_matrix([("a", "c"), ()], LABELS)
    assert matrix.tolist() == [[True, False, True, False], [False] * 4]
    with pytest.raises(KeyError):
        label_matrix([("z",)], LABELS)
