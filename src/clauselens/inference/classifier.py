"""The classifier: texts in, scores and labels out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.corpus.reader import read_document
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.inference.ahead import one_ahead
from clauselens.inference.checks import check_texts, text_problem
from clauselens.inference.cpus import available_cpus
from clauselens.inference.engine import Engine, engine_class
from clauselens.inference.language import foreign_language
from clauselens.model.encoding import InputEncoder, Window
from clauselens.model.folder import ModelFacts, check_complete, read_facts
from clauselens.records import Context, Document, Prediction, Sentence, contexts
from clauselens.storage import sha256_bytes
from clauselens.taxonomy import Taxonomy, nearest

Thresholds = float | Mapping[str, float] | None

NEAR = 0.0075
"""Scores as near as this to a cut-off are computed in float32: several times the error of bf16."""

_CHUNK = 4096
"""Texts that are encoded and sorted by length together."""


class ClauseClassifier:
    """A trained model. Build it with ``load``; it may be called from several threads, and
    pickled (the copy loads the folder again).
    """

    def __init__(self, facts: ModelFacts, encoder: InputEncoder, engine: Engine) -> None:
        self._facts = facts
        self._encoder = encoder
        self.engine = engine

    @classmethod
    def load(
        cls, folder: str | Path, engine: str = "auto", threads: int | None = None
    ) -> ClauseClassifier:
        """Load a model folder after verifying its checksums; writes nothing.

        ``engine``: ``openvino`` (the default on a processor), ``torch`` (on a GPU, or where no
        graph was exported); ``threads``: processors to use, by default all that are allowed.
        Raises InputError if the folder is damaged or incomplete, MissingExtraError if the engine
        is not installed.
        """
        if threads is not None and threads < 1:
            raise InputError(f"threads is {threads}, expected at least 1")
        check_complete(Path(folder))  # Before an engine is imported, which takes seconds.
        with ThreadPoolExecutor(1) as beside:
            # The engine's library is imported while the files are read for their checksums.
            making = beside.submit(engine_class, Path(folder), engine)
            facts = read_facts(Path(folder))
            make = making.result()
        encoder = InputEncoder.load(facts.folder, facts.input_format)
        return cls(facts, encoder, make(facts.folder, threads or available_cpus()))

    def __reduce__(self) -> tuple[Callable[..., ClauseClassifier], tuple[Path, str, int]]:
        return ClauseClassifier.load, (self._facts.folder, self.engine.name, self.engine.threads)

    def with_engine(self, engine: Engine) -> ClauseClassifier:
        """The same model computed by another engine."""
        return ClauseClassifier(self._facts, self._encoder, engine)

    def encode(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> list[list[Window]]:
        """What the engine gets of each text: one window, or several that overlap."""
        return self._encoder.encode(texts, contexts)

    def context_read(self, text: str, context: Context | None) -> str:
        """The part of ``context`` that the model reads before ``text``; empty for none."""
        return self._encoder.context_read(text, context)

    @property
    def folder(self) -> Path:
        """The model folder, as it was given."""
        return self._facts.folder

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the score columns."""
        return self._facts.taxonomy.labels

    @property
    def taxonomy(self) -> Taxonomy:
        return self._facts.taxonomy

    @property
    def thresholds(self) -> dict[str, float]:
        """The cut-off of each label, as fitted in training."""
        return dict(zip(self.labels, map(float, self._facts.thresholds), strict=True))

    @property
    def uses_context(self) -> bool:
        """Whether the model was trained to read context."""
        return self._facts.input_format.context

    @property
    def checksum(self) -> str:
        """One digest for the whole model folder."""
        return self._facts.checksum

    def predict_logits(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> NDArray[np.float64]:
        """The network's raw outputs, ``(n, labels)``; over several windows, the maximum."""
        check_texts(texts, contexts)
        cuts = self.cuts(None)
        found = [self.compute(encoded, cuts) for _, encoded in self._encoded(texts, contexts)]
        return np.concatenate(found) if found else np.zeros((0, len(self.labels)))

    def predict_proba(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> NDArray[np.float64]:
        """Calibrated probabilities, ``(n, labels)`` in [0, 1]; for no texts, ``(0, labels)``.

        ``contexts`` has one entry for each text, or is None. A text longer than the input window
        is read in overlapping windows and scored by the maximum of each label.
        Raises InputError, with the position, on a value that is not a text or is empty.
        """
        return self._facts.scaling.probabilities(self.predict_logits(texts, contexts))

    def predict(
        self,
        texts: Sequence[str],
        contexts: Sequence[Context | None] | None = None,
        *,
        threshold: Thresholds = None,
    ) -> list[Prediction]:
        """One prediction for each text, in order: scores of all labels, labels by threshold.

        ``threshold`` replaces the fitted cut-offs: a number for all labels or a mapping for some.
        Raises InputError as ``predict_proba`` does, and on a bad threshold.
        """
        check_texts(texts, contexts)
        cuts = self.cuts(threshold)
        return [
            prediction
            for part, encoded in self._encoded(texts, contexts)
            for prediction in self.predictions(
                texts[part], encoded, self.compute(encoded, cuts), cuts, first=part.start
            )
        ]

    def compute(
        self, encoded: Sequence[Sequence[Window]], cuts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Logits of encoded texts, ``(n, labels)``; over several windows, the maximum.

        Where the engine computes in bf16, a text with a score near its cut-off is computed again
        in float32, so that rounding does not decide on a label.
        """
        logits = self._maxima(encoded, exact=False)
        if self.engine.precision == "bf16":
            scores = self._facts.scaling.probabilities(logits)
            near = np.flatnonzero((np.abs(scores - cuts) < NEAR).any(1))
            if near.size:
                logits[near] = self._maxima([encoded[row] for row in near.tolist()], exact=True)
        return logits

    def _maxima(self, encoded: Sequence[Sequence[Window]], *, exact: bool) -> NDArray[np.float64]:
        # Equal windows are computed once. Those of like length waste least on padding; the
        # longest go first, lest one thread be busy with them when the others have ended.
        unique = sorted(
            dict.fromkeys(window for row in encoded for window in row),
            key=lambda window: -len(window.ids),
        )
        place = {window: index for index, window in enumerate(unique)}
        outputs = self.engine.logits(unique, exact=exact)
        logits = np.empty((len(encoded), len(self.labels)))
        for row, found in enumerate(encoded):
            logits[row] = outputs[[place[window] for window in found]].max(0)
        return logits

    def predictions(
        self,
        texts: Sequence[str],
        encoded: Sequence[Sequence[Window]],
        logits: NDArray[np.float64],
        cuts: NDArray[np.float64],
        *,
        first: int = 0,
    ) -> list[Prediction]:
        """What ``predict`` returns, from what ``encode`` and ``compute`` gave; rows count from
        ``first``.
        """
        return [
            Prediction(
                id=str(row),
                row=row,
                labels=tuple(
                    label
                    for label, score, cut in zip(self.labels, scores, cuts, strict=True)
                    if score >= cut
                ),
                scores=dict(zip(self.labels, scores.tolist(), strict=True)),
                windows=len(windows),
                language=foreign_language(text),
            )
            for row, (text, windows, scores) in enumerate(
                zip(texts, encoded, self._facts.scaling.probabilities(logits), strict=True), first
            )
        ]

    def predict_document(
        self, path_or_text: Path | str, *, threshold: Thresholds = None
    ) -> list[tuple[Sentence, Prediction]]:
        """Segment a document and classify its clauses, each with its context.

        A ``Path`` is read by its suffix (text, Markdown, HTML, PDF, Word); a ``str`` is the text
        itself. Returns every unit of the document in order; headings and boilerplate have no
        labels and no scores. Raises InputError if the file cannot be read.
        """
        if isinstance(path_or_text, Path):
            document = read_document(path_or_text)
        else:
            document = Document(
                id="text",
                source="",
                sha256=sha256_bytes(path_or_text.encode("utf-8", "surrogatepass")),
                title="",
                language="en",
                text=path_or_text,
            )
        sentences = segment_document(document)
        predictions = self.predict_sentences(sentences, threshold=threshold)
        for prediction in predictions:
            if prediction.error is not None:
                raise InputError(f"{prediction.id}: {prediction.error}")
        return list(zip(sentences, predictions, strict=True))

    def predict_sentences(
        self, sentences: Sequence[Sentence], *, threshold: Thresholds = None
    ) -> list[Prediction]:
        """One prediction for each unit of a document, in reading order, with its context.

        Headings and boilerplate have no labels and no scores; a clause that has nothing to read
        has an error.
        """
        problems = [text_problem(s.text) if s.is_clause else None for s in sentences]
        told = [
            (sentence.text, context)
            for sentence, context, problem in zip(
                sentences, contexts(sentences), problems, strict=True
            )
            if sentence.is_clause and problem is None
        ]
        texts, given = [text for text, _ in told], [context for _, context in told]
        found = iter(self.predict(texts, given, threshold=threshold))
        return [
            replace(next(found), id=sentence.id, row=row)
            if sentence.is_clause and problem is None
            else Prediction(id=sentence.id, row=row, error=problem)
            for row, (sentence, problem) in enumerate(zip(sentences, problems, strict=True))
        ]

    def cuts(self, threshold: Thresholds) -> NDArray[np.float64]:
        """The cut-off of each label, ``(labels,)``, some replaced. Raises InputError."""
        cuts = self._facts.thresholds.copy()
        given = (
            {}
            if threshold is None
            else threshold
            if isinstance(threshold, Mapping)
            else dict.fromkeys(self.labels, threshold)
        )
        for label, value in given.items():
            if label not in self.labels:
                raise InputError(f"threshold: unknown label {label!r}{nearest(label, self.labels)}")
            if not 0 <= value <= 1:
                raise InputError(f"threshold of {label!r} is {value}, expected 0 to 1")
            cuts[self.labels.index(label)] = value
        return cuts

    def _encoded(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None
    ) -> Iterator[tuple[slice, list[list[Window]]]]:
        """Parts of the texts with their windows; the next is encoded while one is computed."""
        parts = (slice(i, min(i + _CHUNK, len(texts))) for i in range(0, len(texts), _CHUNK))
        return one_ahead(
            (part, self.encode(texts[part], contexts[part] if contexts else None)) for part in parts
        )
