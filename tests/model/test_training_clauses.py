"""Training clauses: the nearest ones, and their order."""

import numpy as np

from clauselens.model.training_clauses import TrainingClause, TrainingClauses


def test_the_nearest_come_first_by_the_cosine_that_is_told():
    generator = np.random.default_rng(0)
    # Within a millionth of where the fourth place turns.
    around = 0.99935 + generator.uniform(-5e-7, 5e-7, 500)
    stored = np.stack([around, np.sqrt(1 - around**2)], axis=1).astype(np.float32)
    clauses = [
        TrainingClause(
            id=f"a:{i}",
            text=f"clause {i}",
            labels=(),
            document_id="a",
            section="",
            lead_in="",
            written=False,
        )
        for i in range(len(stored))
    ]
    (found,) = TrainingClauses(clauses, stored).nearest(
        np.array([[1.0, 0.0]], np.float32), number=len(clauses)
    )
    cosines = [near.cosine for near in found]
    assert cosines == sorted(cosines, reverse=True)
    assert len(set(cosines)) == 2
    places = [int(near.clause.id.removeprefix("a:")) for near in found]
    for near, place in zip(found, places, strict=True):
        assert abs(near.cosine - stored[place, 0]) < 5.1e-5
    for value in set(cosines):
        of_value = [p for p, c in zip(places, cosines, strict=True) if c == value]
        assert of_value == sorted(of_value)
