"""The facts of a reading report agree with the predictions, and are the same every time."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from clauselens import ClauseClassifier
from clauselens.errors import InputError
from clauselens.inference.reading.coverage import coverage, findings
from clauselens.inference.reading.looks import looks
from clauselens.inference.reading.page import render_report
from clauselens.inference.reading.records import MARGIN
from clauselens.inference.reading.report import read_report, to_json
from clauselens.records import contexts
from clauselens.taxonomy import taxonomy_from_dict


@pytest.fixture(scope="module")
def paths(root):
    return sorted((root / "data/raw").glob("*.txt"))[:2]


@pytest.fixture(scope="module")
def report(classifier, paths):
    return read_report(classifier, paths, threshold=0.3)


def test_sentences_carry_what_the_classifier_predicts(classifier, report, paths):
    for policy, path in zip(report.policies, paths, strict=True):
        expected = classifier.predict_document(path, threshold=0.3)
        assert [read.sentence for read in policy.sentences] == [s for s, _ in expected]
        for read, (_, prediction) in zip(policy.sentences, expected, strict=True):
            assert read.prediction == prediction
            near = {k for k, score in prediction.scores.items() if abs(score - 0.3) <= MARGIN}
            assert set(read.close_calls) == near
        assert policy.document.text[:50] in path.read_text(encoding="utf-8")
    anchors = [read.anchor for policy in report.policies for read in policy.sentences]
    assert len(anchors) == len(set(anchors))


def test_counts_and_best_sentences_agree_with_the_labels(report):
    assert len(report.matrix) == len(report.model.labels)
    for label, row in zip(report.model.labels, report.matrix, strict=True):
        for policy, cell in zip(report.policies, row, strict=True):
            having = [read for read in policy.clauses if label in read.labels]
            assert {f.read.anchor for f in cell.found} == {read.anchor for read in having}
            scores = [f.score for f in cell.found]
            assert scores == sorted(scores, reverse=True)
            if having:
                assert cell.closest is None
            else:
                best = max(read.prediction.scores[label] for read in policy.clauses)
                assert cell.closest.score == best < 0.3


def test_every_item_shows_the_sentences_of_its_categories(report, taxonomy):
    articles = {article.title.split(",")[0]: article for article in report.coverage}
    assert list(articles) == ["GDPR Article 13", "GDPR Article 14", "PIPL Article 17"]
    items = {covered.item.id: covered for a in report.coverage for covered in a.items}
    mapped = {c.id: dict(c.mappings) for c in taxonomy.categories}
    assert set(items["13(2)(a)"].labels) == {
        label for label, maps in mapped.items() if "13(2)(a)" in maps.get("gdpr", "")
    }
    # A range names the places between its ends too, and an item of like content shares them.
    (ranged,) = [k for k, maps in mapped.items() if "13(1)(c)–(d)" in maps.get("gdpr", "")]
    assert ranged in items["13(1)(c)"].labels
    assert items["13(1)(d)"].labels == (ranged,) == items["14(2)(b)"].labels
    assert items["13(3)"].labels == ()
    for covered in items.values():
        for policy, cell in zip(report.policies, covered.policies, strict=True):
            expected = [r for r in policy.clauses if set(r.labels) & set(covered.labels)]
            assert {f.read.anchor for f in cell.found} == {read.anchor for read in expected}


def test_a_taxonomy_without_mappings_has_no_coverage(report):
    bare = taxonomy_from_dict({"categories": list(report.model.labels)}, where="here")
    model = replace(report.model, taxonomy=bare)
    assert coverage(report.policies, model) == ()
    assert "Coverage" not in render_report(
        replace(report, model=model, coverage=coverage(report.policies, model))
    )
    whole = taxonomy_from_dict(
        {"categories": [{"id": k, "mappings": {"gdpr": "13(2)"}} for k in report.model.labels]},
        where="here",
    )
    (article, _) = coverage(report.policies, replace(report.model, taxonomy=whole))
    served = {covered.item.id for covered in article.items if covered.labels}
    assert served == {f"13(2)({letter})" for letter in "abcdef"}


def test_equal_inputs_give_equal_bytes(classifier, paths, report):
    again = read_report(classifier, paths, threshold=0.3)
    assert render_report(again) == render_report(report)
    assert json.dumps(to_json(again)) == json.dumps(to_json(report))


def test_the_json_holds_the_facts_of_the_page(report):
    facts = json.loads(json.dumps(to_json(report)))
    page = render_report(report)
    for policy, stored in zip(report.policies, facts["policies"], strict=True):
        for sentence in stored["sentences"]:
            assert policy.document.text[sentence["start"] : sentence["end"]] == sentence["text"]
            assert page.count(f'id="{sentence["anchor"]}"') == 1
    known = {s["anchor"] for p in facts["policies"] for s in p["sentences"]}
    for article in facts["coverage"]:
        for item in article["items"]:
            for cell in item["policies"]:
                assert set(cell["found"]) <= known


def test_the_context_is_what_the_model_reads(classifier, report):
    long = "word " * 300
    reads = report.policies[0].sentences
    told = contexts([read.sentence for read in reads])
    for read, context in list(zip(reads, told, strict=True))[::10]:
        assert read.context == (context.text if read.sentence.is_clause else "")
    context = replace(told[-1], lead_in=long)
    cut = classifier.context_read("We keep it.", context)
    assert context.text.endswith(cut)
    assert 0 < len(cut) < len(context.text)
    alike = replace(context, section=cut, lead_in="", previous="")
    (one,), (other,) = classifier.encode(["We keep it."] * 2, [context, alike])
    assert one == other
    assert classifier.context_read(long * 2, context) == ""


def test_neighbours_are_the_rows_that_the_model_learnt_from(classifier, report, examples):
    texts = {example.id: example for example in examples}
    learnt = [n for p in report.policies for r in p.clauses for n in r.neighbours]
    assert learnt
    for near in learnt:
        assert near.clause.text == texts[near.clause.id].text
        assert near.clause.labels == texts[near.clause.id].labels
        assert texts[near.clause.id].split == "train"
    for policy in report.policies:
        for read in policy.clauses:
            cosines = [near.cosine for near in read.neighbours]
            assert cosines == sorted(cosines, reverse=True)
            assert len({near.clause.text for near in read.neighbours}) == len(cosines) == 4


def test_an_older_model_folder_reports_without_neighbours(fp32_folder, paths, tmp_path):
    from clauselens.model.folder import TRAINING_CLAUSES, unseal

    folder = tmp_path / "older"
    shutil.copytree(fp32_folder, folder)
    unseal(folder, [TRAINING_CLAUSES])
    found = read_report(ClauseClassifier.load(folder), paths[:1])
    assert not found.model.has_neighbours
    assert all(read.neighbours == () for read in found.policies[0].clauses)
    assert "not available: this model folder has none" in render_report(found)


def test_a_document_that_cannot_be_read_is_named(classifier, tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n")
    with pytest.raises(InputError, match=r"empty\.txt: empty file"):
        read_report(classifier, [empty])
    with pytest.raises(InputError, match="two documents, the old and the new version; 1 given"):
        read_report(classifier, [empty], changes=True)


def test_a_clause_with_nothing_to_read_does_not_stop_the_report(classifier, tmp_path):
    path = tmp_path / "odd.txt"
    path.write_text("We keep your data for a year.\n\n\u200b\u2062\n\nWe sell nothing.\n")
    report = read_report(classifier, [path])
    assert [bool(read.prediction.scores) for read in report.policies[0].clauses].count(True) == 2
    assert "[U+200B]" in render_report(report)


def test_looks_tell_categories_apart(report):
    for labels in (report.model.labels, [f"label {n}" for n in range(300)], ["a", "A", "§", "aa"]):
        found = looks(labels)
        assert len({look.code for look in found.values()}) == len(labels)
    shapes = looks(report.model.labels)
    assert len({look.classes for look in shapes.values()}) == len(report.model.labels) == 21


def test_findings_of_no_category_are_empty(report):
    none = findings(report.policies[0], (), report.model)
    assert none.found == ()
    assert none.closest is None
