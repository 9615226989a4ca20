"""Changes between two versions account for every clause, and spell out what changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clauselens.inference.reading.changes import compare, word_runs
from clauselens.inference.reading.page import render_report
from clauselens.inference.reading.report import read_report

vocabulary = ("we", "keep", "sell", "your", "data", "for", "a", "year", ",", ".", "not")
words = st.lists(st.sampled_from(vocabulary), max_size=12)
clause_texts = st.lists(words.filter(bool).map(" ".join), max_size=12)


@given(clause_texts, clause_texts)
def test_every_clause_has_one_fate(make_policy, old, new):
    found = compare(make_policy(old), make_policy(new, 2))
    same = found.unchanged + found.moved
    kinds = {kind: len(found.of_kind(kind)) for kind in ("added", "removed", "reworded")}
    assert same + kinds["reworded"] + kinds["removed"] == len(old)
    assert same + kinds["reworded"] + kinds["added"] == len(new)
    sides = (
        [c.old.anchor for c in found.changes if c.old],
        [c.new.anchor for c in found.changes if c.new],
    )
    for anchors in sides:
        assert len(anchors) == len(set(anchors))


@given(clause_texts)
def test_a_version_does_not_differ_from_itself(make_policy, texts):
    found = compare(make_policy(texts), make_policy(texts, 2))
    assert found.changes == ()
    assert (found.unchanged, found.moved) == (len(texts), 0)


@given(st.text(max_size=80), st.text(max_size=80))
def test_runs_hold_both_texts(old, new):
    runs = word_runs(old, new)
    assert "".join(run.text for run in runs if run.kind != "added") == old
    assert "".join(run.text for run in runs if run.kind != "removed") == new


def test_each_kind_of_change_is_told_from_the_others(make_policy):
    old = [
        "We keep your data for one year after your last visit.",
        "We do not sell anything to anybody.",
        "Please write to our office in Hangzhou.",
        "Cookies are small files.",
    ]
    new = [
        "Please write to our office in Hangzhou.",
        "We keep your data for two years after your last visit.",
        "Cookies are small files.",
        "An advertising partner receives identifiers.",
    ]
    labels = [["retention"], [], ["contact"], ["cookies"]]
    found = compare(
        make_policy(old, labels=labels),
        make_policy(new, 2, labels=[["contact"], ["retention"], [], ["sharing"]]),
    )
    by_kind = {change.kind: change for change in found.changes}
    assert len(by_kind) == len(found.changes) == 4
    assert [(r.kind, r.text) for r in by_kind["reworded"].runs if r.kind != "same"] == [
        ("removed", "one year"),
        ("added", "two years"),
    ]
    assert by_kind["removed"].old.sentence.text == old[1]
    assert by_kind["added"].new.sentence.text == new[3]
    assert by_kind["relabelled"].labels == ("cookies",)
    assert (found.unchanged, found.moved) == (2, 0)
    # What was removed stands behind the clause that it followed.
    assert [c.kind for c in found.changes] == ["reworded", "removed", "relabelled", "added"]


def test_a_clause_that_went_elsewhere_is_moved(make_policy):
    found = compare(make_policy(["a", "b", "c", "d"]), make_policy(["b", "c", "d", "a"], 2))
    assert found.changes == ()
    assert (found.unchanged, found.moved) == (3, 1)


def test_changes_join_across_a_lone_space():
    runs = word_runs("keep it one year now", "keep it two days now")
    assert [(run.kind, run.text) for run in runs] == [
        ("same", "keep it "),
        ("removed", "one year"),
        ("added", "two days"),
        ("same", " now"),
    ]


def test_changes_of_a_real_policy_stand_on_the_page(classifier, root, tmp_path):
    text = (root / "data/raw/003_3503b7024bc40af4.txt").read_text(encoding="utf-8")
    (tmp_path / "old.txt").write_text(text, encoding="utf-8")
    added = "We share a new identifier with weather stations in Antarctica."
    (tmp_path / "new.txt").write_text(f"{text}\n\n{added}\n", encoding="utf-8")
    report = read_report(classifier, [tmp_path / "old.txt", tmp_path / "new.txt"], changes=True)
    assert report.changes.unchanged + report.changes.moved == len(report.policies[0].clauses)
    (change,) = report.changes.of_kind("added")
    assert change.new.sentence.text == added
    page = render_report(report)
    assert f"<ins>{added}</ins>" in page
    assert f'href="#{change.new.anchor}"' in page
