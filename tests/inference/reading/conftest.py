"""Policies made of texts alone, pages."""

from __future__ import annotations

import pytest

from clauselens.inference.reading.page import render_report
from clauselens.inference.reading.records import Policy, ReadSentence
from clauselens.inference.reading.report import read_report
from clauselens.records import Document, Prediction, Sentence


@pytest.fixture(scope="session")
def make_policy():
    """Makes a policy of clauses without a model, of the texts and labels that it is given."""
    return policy


def policy(texts, number=1, labels=None):
    """A policy of clauses, without a model: what is compared are texts and labels."""
    reads, start = [], 0
    for row, text in enumerate(texts):
        sentence = Sentence(
            id=f"d:{start}", document_id="d", start=start, end=start + len(text), text=text,
            kind="sentence", section=(), lead_in="",
        )  # fmt: skip
        given_labels = tuple(labels[row]) if labels else ()
        reads.append(
            ReadSentence(
                sentence=sentence,
                prediction=Prediction(id=sentence.id, row=row, labels=given_labels),
                anchor=f"p{number}-s-{start}-{sentence.end}",
                context="",
                close_calls=(),
                neighbours=(),
            )
        )
        start += len(text) + 1
    document = Document(
        id="d", source="d.txt", sha256="", title="", language="en", text="\n".join(texts)
    )
    return Policy(number=number, title="d", document=document, sentences=tuple(reads))


@pytest.fixture(scope="session")
def policies(root, tmp_path_factory):
    """A policy, and a second version of it."""
    folder = tmp_path_factory.mktemp("policies")
    text = (root / "data/raw/003_3503b7024bc40af4.txt").read_text(encoding="utf-8")
    (folder / "old.txt").write_text(text, encoding="utf-8")
    later = text.replace("personal information", "personal data", 3)
    added = "We share a new identifier with weather stations in Antarctica."
    (folder / "new.txt").write_text(f"{later}\n\n{added}\n", encoding="utf-8")
    return [folder / "old.txt", folder / "new.txt"]


@pytest.fixture(scope="session")
def single(classifier, policies):
    """The report of one policy."""
    return read_report(classifier, policies[:1], threshold=0.3)


@pytest.fixture(scope="session")
def compared(classifier, policies):
    """The report of two versions."""
    return read_report(classifier, policies, threshold=0.3, changes=True)


@pytest.fixture(scope="session")
def page_of(tmp_path_factory):
    """Writes a report as a page, once for each name, and gives its address."""
    folder = tmp_path_factory.mktemp("pages")

    def write(report, name):
        path = folder / f"{name}.html"
        path.write_text(render_report(report), encoding="utf-8")
        return path.as_uri()

    return write
