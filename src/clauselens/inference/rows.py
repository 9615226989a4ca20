"""A row to classify, and which columns of a table hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clauselens.records import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of a table hold what; only ``text`` must be there.

    ``keep`` names further columns to copy into the output, ``("*",)`` all of them.
    """

    text: str = "text"
    id: str = "id"
    section: str = "section"
    lead_in: str = "lead_in"
    previous: str = "previous"
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """One text to classify. ``text`` is whatever the input holds; where ``error`` is set it says
    why there is none. ``kept`` holds the columns that go into the output as they are, ``place``
    says where the row stands (``file:line``) if its id does not.
    """

    id: str
    text: object
    context: Context | None = None
    error: str | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""

    def told(self, error: str) -> str:
        """One line of what is wrong with the row, and where it is."""
        where = self.id if self.place in ("", self.id) else f"{self.place} (id {self.id!r})"
        return f"{where}: {error}"
