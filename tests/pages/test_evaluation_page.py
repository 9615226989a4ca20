"""The evaluation page says what the metrics say, shows every error or counts it, and escapes."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from clauselens.cli.evaluation import page_options
from clauselens.errors import InputError
from clauselens.evaluation.errors import SHOWN
from clauselens.evaluation.highlight import STEPS, pieces, step, strongest
from clauselens.inference.occlusion import MAX_PARTS, word_effects
from clauselens.model.folder import THRESHOLDS, seal
from clauselens.records import Context
from clauselens.storage import read_json, write_json, write_jsonl

KINDS = ("false_positive", "false_negative")
HOSTILE = [
    "</script><script>alert(1)</script> We keep your data.",
    "We \u202eevil\u202c share <img src=x onerror=alert(1)> data & 'quotes' \"here\".",
    "--> {{ 7 * 7 }} {% raw %} we collect your name. \u200b\x07",
]


class Page(HTMLParser):
    """Elements with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def items(self, kind=None):
        found = [a for tag, a in self.elements if tag == "article"]
        return [a for a in found if kind is None or a["data-kind"] == kind]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def page_of(folder):
    return Page((folder / "evaluation.html").read_text())


def wrong(row):
    return set(row["gold"]) ^ set(row["labels"])


def test_predictions_and_errors_agree_with_the_metrics(evaluated):
    metrics = json.loads((evaluated / "metrics.json").read_text())
    rows, errors = lines(evaluated / "predictions.jsonl"), lines(evaluated / "errors.jsonl")
    assert len(rows) == metrics["rows"] > 10
    cuts = metrics["thresholds"]["all"]
    for row in rows:
        assert row["labels"] == [x for x, score in row["scores"].items() if score >= cuts[x]]
    count = Counter((error["label"], error["kind"]) for error in errors)
    (run,) = metrics["systems"][0]["runs"]
    for label in run["labels"]:
        hits = sum(label["label"] in set(r["gold"]) & set(r["labels"]) for r in rows)
        assert count[label["label"], KINDS[0]] == label["predicted"] - hits
        assert count[label["label"], KINDS[1]] == label["support"] - hits
    assert sum(count.values()) == sum(len(wrong(row)) for row in rows) > SHOWN


@pytest.fixture(scope="module")
def overfull(evaluate, fp32_folder, tmp_path_factory):
    """An evaluation of a model that gives every label to every row."""
    model = tmp_path_factory.mktemp("overfull") / "model"
    shutil.copytree(fp32_folder, model)
    write_json(model / THRESHOLDS, dict.fromkeys(read_json(model / THRESHOLDS), 0.0))
    seal(model)
    evaluate(model, model.with_name("evaluation"))
    return model.with_name("evaluation")


@pytest.mark.parametrize("which", ["evaluated", "overfull"])
def test_every_error_is_on_the_page_or_counted(which, request):
    folder = request.getfixturevalue(which)
    errors, page = lines(folder / "errors.jsonl"), page_of(folder)
    by_label = Counter(error["label"] for error in errors)
    assert which == "evaluated" or max(by_label.values()) > SHOWN
    assert len(page.items()) == sum(min(SHOWN, n) for n in by_label.values())
    counts = re.findall(r"(\d+) false positives?, (\d+) false negatives?", page.text)
    assert sum(int(a) + int(b) for a, b in counts) == len(errors)
    for kind in KINDS:
        shown = [e for e in errors if e["kind"] == kind and e["rank"] <= SHOWN]
        assert len(page.items(kind)) == len(shown)


def test_the_worst_errors_come_first(evaluated):
    last = {}
    for error in lines(evaluated / "errors.jsonl"):
        distance = abs(error["score"] - (error["kind"] == "false_negative"))
        assert distance <= last.get(error["label"], 1.0)
        last[error["label"]] = distance


def test_the_same_evaluation_gives_the_same_bytes(evaluate, fp32_folder, evaluated, tmp_path):
    evaluate(fp32_folder, tmp_path)
    for name in ("evaluation.html", "errors.jsonl", "predictions.jsonl", "metrics.json"):
        assert (tmp_path / name).read_bytes() == (evaluated / name).read_bytes(), name


def test_the_page_stands_alone(evaluated):
    page = page_of(evaluated)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src", "action"):
            address = attributes.get(name) or "#"
            assert address.startswith(("#", "data:image/png;base64,")), (tag, address)
            if address.startswith("#") and name in attributes:
                assert address[1:] in ids
        if tag == "img":
            assert len(attributes["alt"]) > 40


def test_hostile_rows_show_as_text(evaluate, fp32_folder, taxonomy, tmp_path):
    rows = [
        {"id": f"{i}{text}", "text": text, "section": text, "document_id": text, "labels": labels}
        for i, (text, labels) in enumerate(
            (text, labels) for text in HOSTILE for labels in (list(taxonomy.labels), [])
        )
    ]
    write_jsonl(tmp_path / "test.jsonl", rows)
    evaluate(fp32_folder, tmp_path / "out", data=tmp_path / "test.jsonl")
    text = (tmp_path / "out/evaluation.html").read_text()
    assert text.count("<script") == 1
    assert not set(text) & set("\u202e\u202c\u200b\x07")
    page = Page(text)
    assert {a["src"][:5] for tag, a in page.elements if tag == "img"} == {"data:"}
    assert "</script><script>alert(1)</script>" in page.text
    assert "[U+202E]evil[U+202C]" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_a_run_beside_itself_changes_nothing(evaluate, fp32_folder, evaluated, tmp_path):
    evaluate(fp32_folder, tmp_path, against=evaluated)
    page = page_of(tmp_path)
    assert lines(tmp_path / "changes.jsonl") == []
    assert not [a for a in page.items() if a["data-kind"] not in KINDS]
    differences = re.findall(
        r"[+-]\d\.\d{3}\n? *\[[+-]\d\.\d{3}, [+-]\d\.\d{3}\]", comparison(page)
    )
    assert len(differences) > 20
    assert set(differences) == {"+0.000 [+0.000, +0.000]"}


def comparison(page):
    return page.text.split("Two runs side by side")[1].split("Rows whose labels changed")[0]


def test_two_runs_show_their_metrics_and_what_changed(evaluated, evaluated_against):
    page = page_of(evaluated_against)
    for folder in (evaluated, evaluated_against):
        overall = json.loads((folder / "metrics.json").read_text())["systems"][0]["overall"]
        for figure in overall.values():
            if figure["value"] is not None:
                own = f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"
                assert own in comparison(page)
    before, now = (
        {r["id"]: r for r in lines(f / "predictions.jsonl")} for f in (evaluated, evaluated_against)
    )
    expected = {}
    for id_, row in now.items():
        if set(row["labels"]) != set(before[id_]["labels"]):
            right = "fixed" if not wrong(row) else "broken" if not wrong(before[id_]) else None
            expected[id_] = right or "different"
    changes = lines(evaluated_against / "changes.jsonl")
    assert {change["id"]: change["kind"] for change in changes} == expected
    assert expected
    for kind in ("fixed", "broken", "different"):
        number = sum(found == kind for found in expected.values())
        assert len(page.items(kind)) == number
        assert f"{number} {kind}" in page.text


def with_another_label(text):
    metrics = json.loads(text)
    metrics["support"]["keeping"] = metrics["support"].pop("retention")
    return json.dumps(metrics)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("metrics.json", with_another_label, "only here: retention; only there: keeping"),
        ("metrics.json", lambda t: t.replace('"thresholds"', '"cuts"'), "no field 'thresholds'"),
        ("metrics.json", lambda t: t.replace('"all"', '"some"'), "thresholds are not whole"),
        ("metrics.json", lambda t: "[]", "expected an object, found list"),
        ("predictions.jsonl", lambda t: t.split("\n", 1)[1], r"other data: 1 of \d+ rows"),
        ("predictions.jsonl", lambda t: t.replace('"text": "', '"text": "X', 1), "another text"),
        (
            "predictions.jsonl",
            lambda t: re.sub(r'd": \[.*?\]', 'd": ["x"]', t, count=1),
            "gold labels",
        ),
        ("predictions.jsonl", lambda t: t.replace('"scores": {', '"scores": 1, "x": {'), "scores"),
        ("predictions.jsonl", lambda t: "[1]\n", r"jsonl:1: expected an object"),
    ],
)
def test_another_run_that_does_not_fit_is_refused(
    evaluate, fp32_folder, evaluated, tmp_path, file, change, message
):
    other = tmp_path / "other"
    shutil.copytree(evaluated, other)
    text = (other / file).read_text()
    assert change(text) != text
    (other / file).write_text(change(text))
    with pytest.raises(InputError, match=message):
        evaluate(fp32_folder, tmp_path / "out", against=other)
    assert not (tmp_path / "out").exists()


def test_options_that_do_not_fit_are_refused(fp32_folder, tmp_path):
    with pytest.raises(InputError, match="give --html too"):
        page_options(False, tmp_path)
    with pytest.raises(InputError, match=r"no predictions\.jsonl with metrics\.json"):
        page_options(True, tmp_path)


def test_the_command_writes_the_page(fp32_folder, tmp_path):
    from clauselens.cli.main import app

    done = CliRunner().invoke(app, ["evaluate", str(fp32_folder), "--html", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "evaluation.html" in done.output
    assert (tmp_path / "evaluation.html").stat().st_size > 100_000


def test_an_effect_is_the_logit_with_the_word_less_that_without(classifier):
    text, context = "We keep your data for two years.", Context(section="Retention")
    (found,) = word_effects(classifier, [text], [context])
    assert [text[a:b] for a, b in found.spans] == text.split()
    whole, without, bare = classifier.predict_logits(
        [text, "We keep your data for years.", text], [context, context, None]
    )
    assert found.effects[5] == pytest.approx(whole - without, abs=1e-4)
    assert found.context == pytest.approx(whole - bare, abs=1e-4)
    assert np.abs(found.effects).max() > 0


def test_texts_of_any_length_are_explained(classifier):
    texts = ["Retention", "word " * 400, " We  sell\nnothing. "]
    one, long, spaced = word_effects(classifier, texts, [Context()] * 3)
    assert one.spans == ()
    assert one.effects.shape == (0, 21)
    assert one.context is None
    assert 1 < len(long.spans) <= MAX_PARTS
    assert "".join(texts[1][a:b] + " " for a, b in long.spans) == texts[1]
    assert [texts[2][a:b] for a, b in spaced.spans] == ["We", "sell", "nothing."]


@given(st.lists(st.tuples(st.text(min_size=1), st.floats(-9, 9))))
def test_pieces_give_the_text_again_in_steps_of_their_effect(words):
    spans, text = [], ""
    for word, _ in words:
        spans.append((len(text) + 1, len(text) + 1 + len(word)))
        text += " " + word
    effects = np.array([effect for _, effect in words])
    found = pieces(text, spans, effects)
    assert "".join(piece.text for piece in found) == text
    for piece in found:
        assert abs(piece.step) <= len(STEPS)
    for effect in effects:
        assert (step(effect) > 0) == (effect >= STEPS[0])
        assert (step(effect) < 0) == (effect <= -STEPS[0])
    for_it, against = strongest(text, spans, effects)
    assert all(effect > 0 for _, effect in for_it)
    assert all(effect < 0 for _, effect in against)
