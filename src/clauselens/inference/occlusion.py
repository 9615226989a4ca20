"""What each word did to a label's score, by leaving it out.

Occlusion (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks"), on
words as in Li, Monroe and Jurafsky 2016, "Understanding neural networks through representation
erasure": the effect of a word is the label's logit on the whole text less the logit without the
word. It needs forward passes only and speaks of the model as it ships. It is no cause: a text with
a word missing is one the model was not trained on, and of two words that say the same, neither
shows an effect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clauselens.evaluation.highlight import WordEffects
from clauselens.inference.checks import text_problem
from clauselens.inference.classifier import ClauseClassifier
from clauselens.records import Context

MAX_PARTS = 48
"""A text of more words is taken apart in runs of several words, to bound the forward passes."""

_WORD = re.compile(r"\S+\s*")


def word_effects(
    classifier: ClauseClassifier, texts: Sequence[str], contexts: Sequence[Context]
) -> list[WordEffects]:
    """The effect of every word of ``texts`` on every label, and that of the whole context.

    All shortened texts are scored together, at most ``MAX_PARTS`` + 2 for each text. A word
    without which nothing is left has no effect that could be measured, and no span. Raises
    InputError as ``predict_logits`` does.
    """
    spans = [_parts(text) for text in texts]
    # For each text: whole, without context, and without each part.
    variants = [
        (variant, given)
        for text, context, parts in zip(texts, contexts, spans, strict=True)
        for variant, given in (
            (text, context),
            (text, None),
            *((text[:start] + text[end:], context) for start, end in parts),
        )
    ]
    logits = classifier.predict_logits(
        [variant for variant, _ in variants], [given for _, given in variants]
    )
    found: list[WordEffects] = []
    first = 0
    for text, context, parts in zip(texts, contexts, spans, strict=True):
        own = logits[first : first + 2 + len(parts)]
        first += len(own)
        reads_context = classifier.uses_context and bool(context.text)
        found.append(
            WordEffects(
                spans=tuple((start, start + len(text[start:end].rstrip())) for start, end in parts),
                effects=own[0] - own[2:],
                context=own[0] - own[1] if reads_context else None,
            )
        )
    return found


def _parts(text: str) -> list[tuple[int, int]]:
    """What is left out at a time: words, each with the space behind it."""
    words = [match.span() for match in _WORD.finditer(text)]
    size = -(-len(words) // MAX_PARTS) or 1
    runs = [words[at : at + size] for at in range(0, len(words), size)]
    parts = [(run[0][0], run[-1][1]) for run in runs]
    return [(start, end) for start, end in parts if text_problem(text[:start] + text[end:]) is None]
