"""Finished parts of an output with their checksums: an interrupted run goes on from them.

Beside ``OUT`` stands a folder ``.OUT.parts`` with the journal (one line for the run, one for each
part) and the parts. A part's file is whole before the journal names it; the folder goes when the
output stands.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from clauselens.errors import InputError
from clauselens.storage import sha256_bytes, sha256_file, write_bytes

JOURNAL = "journal.jsonl"
LOCK = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished part: its counts, and the digest of its file's bytes."""

    number: int
    rows: int
    errors: int
    foreign: int
    sha256: str


class Journal:
    """The parts of one output. Use it in a ``with`` block, which holds the output's lock."""

    def __init__(self, out: Path, run: Mapping[str, Any], *, resume: bool = True) -> None:
        """``run``: what the parts' bytes depend on; without ``resume`` old parts are dropped."""
        self.folder = out.with_name(f".{out.name}.parts")
        self.parts: list[Part] = []
        self.out = out
        self._run = json.loads(json.dumps(run))
        self._resume = resume
        self._lock: TextIO | None = None

    def __enter__(self) -> Self:
        """Raises InputError if another run holds the output, or the parts are another run's."""
        self._acquire()
        try:
            self._start()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Bad input has to be mended, and then it is another run's; anything else may go on.
        if not self.parts or kind is None or issubclass(kind, InputError):
            shutil.rmtree(self.folder, ignore_errors=True)
        self._release()

    def path(self, part: Part) -> Path:
        return self.folder / f"part-{part.number:06d}"

    def add(self, data: bytes, *, rows: int, errors: int, foreign: int) -> None:
        """Keep a finished part, durably."""
        part = Part(
            number=len(self.parts),
            rows=rows,
            errors=errors,
            foreign=foreign,
            sha256=sha256_bytes(data),
        )
        write_bytes(self.path(part), data)
        self._append(asdict(part))
        self.parts.append(part)

    def verified(self) -> list[Path]:
        """The parts' files in order. Raises InputError that names a damaged one."""
        for part in self.parts:
            if sha256_file(self.path(part)) != part.sha256:
                raise InputError(f"{self.path(part)}: damaged since it was written; run again")
        return [self.path(part) for part in self.parts]

    def _acquire(self) -> None:
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock = (self.folder / LOCK).open("a")
            except FileNotFoundError:
                continue  # The run that held it has just finished and removed the folder.
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                raise InputError(f"{self.out}: another run is writing it") from None
            try:
                same = os.stat(self.folder / LOCK).st_ino == os.fstat(lock.fileno()).st_ino
            except FileNotFoundError:
                same = False
            if same:
                self._lock = lock
                return
            lock.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start(self) -> None:
        lines = self._lines() if self._resume else []
        if lines:
            self._check(lines[0])
            for line in lines[1:]:
                part = Part(**line)
                path = self.path(part)
                if not path.is_file() or sha256_file(path) != part.sha256:
                    break  # What comes after a damaged part is computed again with it.
                self.parts.append(part)
        kept = [self._run, *(asdict(part) for part in self.parts)]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_bytes(self.folder / JOURNAL, text.encode())

    def _lines(self) -> list[dict[str, Any]]:
        path = self.folder / JOURNAL
        if not path.is_file():
            return []
        lines = []
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                break  # The line that was being written when the run was killed.
        return lines

    def _check(self, found: Mapping[str, Any]) -> None:
        for key in {**found, **self._run}:
            was, now = found.get(key), self._run.get(key)
            if was != now:
                raise InputError(
                    f"{self.out}: an interrupted run of other {key} is there (was {was}, now "
                    f"{now}): give the same command, or remove {self.folder} to start anew"
                )

    def _append(self, line: Mapping[str, Any]) -> None:
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
