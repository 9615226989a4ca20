"""Classifies files in bounded memory, in parts with checksums, so that a killed run goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

from clauselens import __version__
from clauselens.errors import InputError, OutputError
from clauselens.inference.classifier import ClauseClassifier, Thresholds
from clauselens.inference.documents import is_document
from clauselens.inference.inputs import STDIN, expand, read_rows
from clauselens.inference.journal import Journal
from clauselens.inference.outputs import (
    RESERVED,
    Format,
    JsonLines,
    Layout,
    check_output,
    output_format,
)
from clauselens.inference.rows import Columns, InputRow
from clauselens.inference.stream import predict_stream
from clauselens.inference.texts import KeptTexts
from clauselens.records import Prediction
from clauselens.storage import sha256_file, write_json

STDOUT = Path("-")
PART_ROWS = 2048
"""Rows of a part: what an interrupted run may have to compute again."""

DOCUMENT_LIBRARIES = (
    "charset-normalizer",
    "ftfy",
    "lxml",
    "markdown-it-py",
    "pypdfium2",
    "python-docx",
    "selectolax",
    "sentencex",
)
"""What the text and the clauses of documents follow from."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How to read and write.

    ``threshold`` replaces fitted cut-offs; with ``strict`` the first bad row ends the run; with
    ``raw`` CSV cells that look like formulas stay as they are; ``part_rows`` are computed, written
    and journaled together.
    """

    columns: Columns = field(default_factory=Columns)
    threshold: Thresholds = None
    strict: bool = False
    raw: bool = False
    part_rows: int = PART_ROWS

    def __post_init__(self) -> None:
        if self.part_rows < 1:
            raise InputError(f"part_rows is {self.part_rows}, expected at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """What a batch run did; ``resumed`` of the ``rows`` came from an interrupted run."""

    rows: int
    errors: int
    foreign: int
    resumed: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return (self.rows - self.resumed) / self.seconds if self.seconds else 0.0


def predict_files(
    classifier: ClauseClassifier,
    inputs: Sequence[Path],
    out: Path,
    options: BatchOptions,
    *,
    progress: Progress = lambda rows: None,
) -> BatchSummary:
    """Classify files into ``out`` with a sidecar ``<out>.meta.json``.

    The extracted texts of documents, which offsets refer to, go into ``<out>.texts/``; the sidecar
    names them. ``out`` appears when it is complete. Given again after an interruption, the same
    call goes on after the last finished part and ends with the same bytes. ``progress`` is told
    the rows done so far. Raises InputError on a bad input or option, on an output that another run
    holds or that an interrupted run of other options began, and with ``strict`` at the first bad
    row; OutputError where it cannot write.
    """
    started = time.perf_counter()
    facts = {
        "clauselens_version": __version__,
        "model_checksum": classifier.checksum,
        "taxonomy": classifier.taxonomy.name,
        "taxonomy_version": classifier.taxonomy.version,
        "engine": classifier.engine.name,
        "precision": classifier.engine.precision,
    }
    files = expand(inputs)
    if out == STDOUT:
        rows = read_rows(files, options.columns)
        return _to_standard_output(classifier, rows, options, started, progress)
    check_output(out)
    if out.resolve() in (path.resolve() for path in files):
        raise InputError(f"{out}: an input and the output; write elsewhere")
    # Standard input cannot be read again.
    run = _run(classifier, facts, files, options)
    with Journal(out, run, resume=STDIN not in files) as journal:
        resumed = _totals(journal)["rows"]
        texts = KeptTexts(journal.folder / "texts")
        rows = read_rows(files, options.columns, keep=texts.keep)
        head = list(islice(rows, options.part_rows))
        form = output_format(out, _layout(classifier, head, facts, options))
        todo = islice(chain(head, rows), resumed, None)
        _write_parts(classifier, journal, form, todo, options, progress)
        with _writing(journal):
            about = {**facts, "thresholds": _thresholds(classifier, options)}
            _finish(journal, form, out, about, texts)
        total = _totals(journal)
    return BatchSummary(**total, resumed=resumed, seconds=time.perf_counter() - started)


def _run(
    classifier: ClauseClassifier,
    facts: dict[str, str],
    files: Sequence[Path],
    options: BatchOptions,
) -> dict[str, Any]:
    """All that the bytes of a part depend on, beside its rows."""
    engine = classifier.engine
    libraries = ["numpy", "tokenizers", "pyarrow", engine.name]
    if any(is_document(path) for path in files):
        libraries += DOCUMENT_LIBRARIES
    return {
        **facts,
        "threads": engine.threads,
        "libraries": {name: version(name) for name in libraries},
        "inputs": {str(path): sha256_file(path) for path in files if path != STDIN},
        **asdict(options),
    }


def _layout(
    classifier: ClauseClassifier,
    head: Sequence[InputRow],
    facts: dict[str, str],
    options: BatchOptions,
) -> Layout:
    kept = next((tuple(row.kept) for row in head if row.kept), ())
    return Layout(
        labels=classifier.labels,
        kept=tuple(name for name in kept if name not in RESERVED),
        metadata=facts,
        raw=options.raw,
    )


def _thresholds(classifier: ClauseClassifier, options: BatchOptions) -> dict[str, float]:
    cuts = classifier.cuts(options.threshold)
    return dict(zip(classifier.labels, cuts.tolist(), strict=True))


def _write_parts(
    classifier: ClauseClassifier,
    journal: Journal,
    form: Format,
    rows: Iterator[InputRow],
    options: BatchOptions,
    progress: Progress,
) -> None:
    done = _totals(journal)["rows"]
    progress(done)
    cuts = classifier.cuts(options.threshold)
    for part in predict_stream(classifier, rows, cuts, part_rows=options.part_rows, first=done):
        errors, foreign = _count(part, options)
        data = form.part([(prediction, row.kept) for prediction, row in part])
        with _writing(journal):
            journal.add(data, rows=len(part), errors=errors, foreign=foreign)
        done += len(part)
        progress(done)


@contextmanager
def _writing(journal: Journal) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{journal.out}: cannot write: {error.strerror or error}; {len(journal.parts)} "
            "finished parts are safe, and the same command goes on after them"
        ) from error


def _finish(
    journal: Journal, form: Format, out: Path, facts: dict[str, Any], texts: KeptTexts
) -> None:
    """Join the parts, move the whole and its texts to their place, and say what it is."""
    joined = journal.folder / "joined"
    form.join(journal.verified(), joined)
    with joined.open("rb") as file:
        os.fsync(file.fileno())
    documents = texts.publish(out)
    os.replace(joined, out)
    total = _totals(journal)
    counts = {"rows": total["rows"], "errors": total["errors"], "not_english": total["foreign"]}
    write_json(
        out.with_name(out.name + ".meta.json"),
        {**facts, **counts, **({"documents": documents} if documents else {})},
    )


def _totals(journal: Journal) -> dict[str, int]:
    names = ("rows", "errors", "foreign")
    return {name: sum(getattr(part, name) for part in journal.parts) for name in names}


def _count(part: Sequence[tuple[Prediction, InputRow]], options: BatchOptions) -> tuple[int, int]:
    """Rows with an error, and rows that are not English. Raises InputError if ``strict``."""
    bad = [row.told(found.error) for found, row in part if found.error is not None]
    if bad and options.strict:
        raise InputError(bad[0])
    return len(bad), sum(prediction.language is not None for prediction, _ in part)


def _to_standard_output(
    classifier: ClauseClassifier,
    rows: Iterator[InputRow],
    options: BatchOptions,
    started: float,
    progress: Progress,
) -> BatchSummary:
    form = JsonLines(Layout(labels=classifier.labels, kept=(), metadata={}), zipped=False)
    cuts = classifier.cuts(options.threshold)
    total = {"rows": 0, "errors": 0, "foreign": 0}
    for part in predict_stream(classifier, rows, cuts, part_rows=options.part_rows):
        errors, foreign = _count(part, options)
        sys.stdout.buffer.write(form.part([(found, row.kept) for found, row in part]))
        sys.stdout.buffer.flush()
        for name, number in (("rows", len(part)), ("errors", errors), ("foreign", foreign)):
            total[name] += number
        progress(total["rows"])
    return BatchSummary(**total, resumed=0, seconds=time.perf_counter() - started)
