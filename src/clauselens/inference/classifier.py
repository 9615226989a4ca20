"""The classifier: texts in, scores and labels out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.corpus.reader import read_document
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.inference.engine import Engine, load_engine
from clauselens.inference.language import foreign_language
from clauselens.model.encoding import InputEncoder
from clauselens.model.folder import ModelFacts, read_facts
from clauselens.records import Context, Document, Prediction, Sentence
from clauselens.storage import sha256_bytes
from clauselens.taxonomy import Taxonomy, nearest

Thresholds = float | Mapping[str, float] | None

BATCH = 32
"""Windows that go through the network together."""

_CHUNK = 4096
"""Texts that are encoded and sorted by length together."""


class ClauseClassifier:
    """A trained model. Build it with ``load``; it may be called from several threads, and
    pickled (the copy loads the folder again).
    """

    def __init__(self, facts: ModelFacts, encoder: InputEncoder, engine: Engine) -> None:
        self._facts = facts
        self._encoder = encoder
        self._engine = engine

    @classmethod
    def load(cls, folder: str | Path) -> ClauseClassifier:
        """Load a model folder after verifying its checksums; writes nothing.

        Raises InputError if the folder is damaged or incomplete, MissingExtraError if no engine
        is installed.
        """
        facts = read_facts(Path(folder))
        encoder = InputEncoder.load(facts.folder, facts.input_format)
        return cls(facts, encoder, load_engine(facts.folder))

    def __reduce__(self) -> tuple[Callable[[Path], ClauseClassifier], tuple[Path]]:
        return ClauseClassifier.load, (self._facts.folder,)

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
    def checksum(self) -> str:
        """One digest for the whole model folder."""
        return self._facts.checksum

    def predict_logits(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> NDArray[np.float64]:
        """The network's raw outputs, ``(n, labels)``; over several windows, the maximum."""
        return self._logits(texts, contexts)[0]

    def predict_proba(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> NDArray[np.float64]:
        """Calibrated probabilities, ``(n, labels)`` in [0, 1]; for no texts, ``(0, labels)``.

        ``contexts`` has one entry for each text, or is None. A text longer than the input window
        is read in overlapping windows and scored by the maximum of each label.
        Raises InputError, with the position, on a value that is not a text or is empty.
        """
        return self._facts.scaling.probabilities(self._logits(texts, contexts)[0])

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
        cuts = self._cuts(threshold)
        logits, windows = self._logits(texts, contexts)
        probabilities = self._facts.scaling.probabilities(logits)
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
                windows=count,
                language=foreign_language(text),
            )
            for row, (text, scores, count) in enumerate(
                zip(texts, probabilities, windows, strict=True)
            )
        ]

    def predict_document(
        self, path_or_text: Path | str, *, threshold: Thresholds = None
    ) -> list[tuple[Sentence, Prediction]]:
        """Segment a document and classify its clauses, each with its context.

        A ``Path`` is read as a text file; a ``str`` is the text itself. Returns every unit of the
        document in order; headings and boilerplate have no labels and no scores.
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
        clauses = [sentence for sentence in sentences if sentence.is_clause]
        predictions = iter(
            self.predict(
                [sentence.text for sentence in clauses],
                [sentence.context for sentence in clauses],
                threshold=threshold,
            )
        )
        results = []
        for row, sentence in enumerate(sentences):
            found = next(predictions) if sentence.is_clause else None
            results.append(
                (
                    sentence,
                    Prediction(
                        id=sentence.id,
                        row=row,
                        labels=found.labels if found else (),
                        scores=found.scores if found else {},
                        windows=found.windows if found else 0,
                        language=found.language if found else None,
                    ),
                )
            )
        return results

    def _cuts(self, threshold: Thresholds) -> NDArray[np.float64]:
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

    def _logits(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None
    ) -> tuple[NDArray[np.float64], list[int]]:
        if isinstance(texts, str):
            raise InputError("texts is one string, expected a sequence of texts")
        if contexts is not None and len(contexts) != len(texts):
            raise InputError(f"{len(texts)} texts but {len(contexts)} contexts")
        for position, text in enumerate(texts):
            problem = text_problem(text)
            if problem:
                raise InputError(f"text {position}: {problem}")
        logits = np.zeros((len(texts), len(self.labels)))
        windows: list[int] = []
        for start in range(0, len(texts), _CHUNK):
            part = slice(start, start + _CHUNK)
            encoded = self._encoder.encode(texts[part], contexts[part] if contexts else None)
            windows += [len(row) for row in encoded]
            flat = [(start + row, window) for row, ws in enumerate(encoded) for window in ws]
            # Batches of like length waste least on padding.
            flat.sort(key=lambda item: len(item[1].ids))
            rows = np.array([row for row, _ in flat])
            outputs = np.concatenate(
                [
                    self._engine.logits([window for _, window in flat[i : i + BATCH]])
                    for i in range(0, len(flat), BATCH)
                ]
            )
            logits[part] = -np.inf
            np.maximum.at(logits, rows, outputs)
        return logits, windows


def text_problem(text: object) -> str | None:
    """Why ``text`` cannot be classified, or None."""
    if text is None:
        return "no text (null)"
    if not isinstance(text, str):
        return f"expected a text, found {type(text).__name__}"
    if not text.strip():
        return "empty text"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "not valid Unicode (a lone surrogate)"
    return None
