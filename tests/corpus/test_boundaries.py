from __future__ import annotations

import pytest

from clauselens.corpus.boundaries import (
    bare_line_starts,
    bare_starts,
    read_stretches,
    score_boundaries,
    unit_starts,
)
from clauselens.errors import InputError


def test_boundaries_beat_the_bare_segmenter_on_hand_marked_text(root, documents):
    stretches = read_stretches(root / "tests/fixtures/boundaries.jsonl")
    assert {s.document_id for s in stretches} == {d.id for d in documents}
    ours, text, lines = (
        score_boundaries(stretches, {d.id: starts(d) for d in documents})
        for starts in (unit_starts, bare_starts, bare_line_starts)
    )
    assert ours.marked >= 300
    assert ours.f1 >= 0.98
    assert ours.f1 > max(text.f1, lines.f1)


def test_a_mark_outside_its_stretch_is_refused(tmp_path):
    file = tmp_path / "marks.jsonl"
    file.write_text('{"document_id": "a", "start": 5, "end": 9, "boundaries": [9]}\n')
    with pytest.raises(InputError, match="boundary lies outside 5-9"):
        read_stretches(file)
