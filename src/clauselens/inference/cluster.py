"""Batch prediction on a Ray cluster: Parquet in and out, on any path that Arrow reads.

The work is cut into the row groups of the input. Actors load the model once; each writes what it
computed of a row group to a file of its own, whose name and bytes follow from the row group. So a
row group that is computed again, because its node was lost, replaces itself: nothing is lost and
nothing is there twice. The model folder must be at the same path on every node.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from clauselens import __version__
from clauselens.errors import InputError, MissingExtraError, OutputError
from clauselens.inference.batch import BatchOptions, BatchSummary
from clauselens.inference.classifier import ClauseClassifier
from clauselens.inference.inputs import parquet_rows
from clauselens.inference.outputs import RESERVED, Layout, Parquet
from clauselens.inference.rows import InputRow
from clauselens.inference.stream import predict_stream

COUNTS = ("rows", "errors", "foreign")

RUN = "_run.json"
"""What the files depend on, written first."""

SUCCESS = "_success.json"
"""Counts, written last: the output is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A row group: the file, its number in it, the rows before it in the file and in the run."""

    number: int
    path: str
    row_group: int
    before_in_file: int
    before: int

    @property
    def name(self) -> str:
        return f"part-{self.number:06d}.parquet"


def predict_on_cluster(
    model: str,
    inputs: Sequence[str],
    out: str,
    options: BatchOptions,
    *,
    address: str,
    engine: str = "auto",
    threads: int = 1,
    progress: Callable[[int], None] = lambda rows: None,
) -> BatchSummary:
    """Classify Parquet files into the folder ``out`` on a Ray cluster, with the ids, labels and
    scores of a local run.

    ``address``: of the cluster, or ``local`` for a Ray of this machine. Actors take ``threads``
    processors each. Given again after an interruption, the call computes what is missing.
    Raises InputError as a local run does; MissingExtraError without ray.
    """
    started = time.perf_counter()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtraError("--cluster", "cluster") from None
    classifier = ClauseClassifier.load(model, engine=engine, threads=threads)
    classifier.cuts(options.threshold)  # A wrong option shows here, not on the nodes.
    pieces = list(_pieces(inputs, options))
    system, folder = _filesystem(out)
    run = {
        "clauselens_version": __version__,
        "model_checksum": classifier.checksum,
        "inputs": list(inputs),
        "pieces": len(pieces),
        **asdict(options),
    }
    done = _begin(system, folder, json.loads(json.dumps(run)))
    todo = [asdict(piece) for piece in pieces if piece.name not in done]
    counts = {
        piece.name: _counts(system, f"{folder}/{piece.name}")
        for piece in pieces
        if piece.name in done
    }
    resumed = sum(count["rows"] for count in counts.values())
    if todo:
        _connect(ray, address)
        found = ray.data.from_items(todo, override_num_blocks=len(todo)).map_batches(
            _Worker,
            fn_constructor_args=(str(model), out, options, engine, threads),
            batch_size=1,
            num_cpus=threads,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=_actors(ray, threads)),
        )
        for row in found.iter_rows():
            if options.strict and row["problem"]:
                raise InputError(row["problem"])
            counts[row["name"]] = {key: int(row[key]) for key in COUNTS}
            progress(sum(count["rows"] for count in counts.values()))
    total = {key: sum(count[key] for count in counts.values()) for key in COUNTS}
    _write(system, f"{folder}/{SUCCESS}", json.dumps({**run, **total}, indent=2).encode())
    return BatchSummary(**total, resumed=resumed, seconds=time.perf_counter() - started)


def _connect(ray: Any, address: str) -> None:
    if ray.is_initialized():
        return
    local = address == "local"
    try:
        ray.init(
            address=None if local else address,
            include_dashboard=False if local else None,
            log_to_driver=False,
        )
    except (ConnectionError, ValueError) as error:
        raise InputError(f"--cluster {address}: {' '.join(str(error).split())}") from None


class _Worker:
    """An actor: loads the model once, computes row groups."""

    def __init__(
        self, model: str, out: str, options: BatchOptions, engine: str, threads: int
    ) -> None:
        self._classifier = ClauseClassifier.load(model, engine=engine, threads=threads)
        self._out = out
        self._options = options

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        piece = Piece(
            **{
                key: values[0].item() if hasattr(values[0], "item") else values[0]
                for key, values in batch.items()
            }
        )
        found = _compute(self._classifier, piece, self._out, self._options)
        return {key: [value] for key, value in found.items()}


def _compute(
    classifier: ClauseClassifier, piece: Piece, out: str, options: BatchOptions
) -> dict[str, str | int]:
    """Classify one row group and write its file, whole or not at all; its counts, first error."""
    source, path = _filesystem(piece.path)
    with source.open_input_file(path) as handle, pq.ParquetFile(handle) as file:
        rows: Iterator[InputRow] = parquet_rows(
            file,
            options.columns,
            place=piece.path,
            row_groups=[piece.row_group],
            before=piece.before_in_file,
        )
        first = next(rows, None)
        kept = tuple(first.kept) if first else ()
        rows_done = errors = foreign = 0
        problem = ""
        metadata = {"model_checksum": classifier.checksum, "clauselens_version": __version__}
        form = Parquet(
            Layout(
                labels=classifier.labels,
                kept=tuple(name for name in kept if name not in RESERVED),
                metadata=metadata,
            ),
            zipped=False,
        )
        tables = []
        stream = predict_stream(
            classifier,
            chain([first] if first else [], rows),
            classifier.cuts(options.threshold),
            part_rows=options.part_rows,
            first=piece.before,
        )
        for part in stream:
            bad = [row.told(found.error) for found, row in part if found.error is not None]
            if bad and not problem:
                problem = bad[0]
            rows_done += len(part)
            errors += len(bad)
            foreign += sum(found.language is not None for found, _ in part)
            tables.append(pq.read_table(pa.BufferReader(form.part([(p, r.kept) for p, r in part]))))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(tables), sink)
    system, folder = _filesystem(out)
    _write(system, f"{folder}/{piece.name}", sink.getvalue().to_pybytes())
    return {
        "name": piece.name,
        "rows": rows_done,
        "errors": errors,
        "foreign": foreign,
        "problem": problem,
    }


def _pieces(inputs: Sequence[str], options: BatchOptions) -> Iterator[Piece]:
    number = before = 0
    for given in inputs:
        for path in _files(given):
            system, inside = _filesystem(path)
            try:
                with system.open_input_file(inside) as handle, pq.ParquetFile(handle) as file:
                    next(parquet_rows(file, options.columns, place=path, row_groups=[]), None)
                    sizes = [
                        file.metadata.row_group(group).num_rows
                        for group in range(file.metadata.num_row_groups)
                    ]
            except (pa.ArrowException, OSError) as error:
                what = " ".join(str(error).split())
                raise InputError(f"{path}: cannot read as Parquet: {what}") from None
            in_file = 0
            for group, size in enumerate(sizes):
                yield Piece(
                    number=number,
                    path=path,
                    row_group=group,
                    before_in_file=in_file,
                    before=before,
                )
                number, in_file, before = number + 1, in_file + size, before + size


def _files(path: str) -> list[str]:
    system, inside = _filesystem(path)
    info = system.get_file_info(inside)
    if info.type == fs.FileType.File:
        return [path]
    if info.type != fs.FileType.Directory:
        raise InputError(f"{path}: no such file")
    names = sorted(
        entry.path
        for entry in system.get_file_info(fs.FileSelector(inside, recursive=True))
        if entry.path.endswith(".parquet")
    )
    if not names:
        raise InputError(f"{path}: no .parquet file in this folder")
    return [path.removesuffix("/") + name[len(inside.removesuffix("/")) :] for name in names]


def _filesystem(path: str) -> tuple[fs.FileSystem, str]:
    if "://" not in path:
        return fs.LocalFileSystem(), os.path.abspath(path)
    system, inside = fs.FileSystem.from_uri(path)
    return system, inside


def _begin(system: fs.FileSystem, folder: str, run: dict[str, Any]) -> set[str]:
    """Start a run, or go on with it: the names of the files that are there."""
    try:
        system.create_dir(folder, recursive=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot write: {' '.join(str(error).split())}") from None
    names = {entry.base_name for entry in system.get_file_info(fs.FileSelector(folder))}
    if RUN in names:
        with system.open_input_file(f"{folder}/{RUN}") as file:
            found = json.loads(file.readall())
        for key in {**found, **run}:
            if found.get(key) != run.get(key):
                raise InputError(
                    f"{folder}: a run of other {key} is there (was {found.get(key)}, now "
                    f"{run.get(key)}): give the same command, or another --out"
                )
    elif names:
        raise InputError(f"{folder}: not empty, and no run of ours; choose another --out")
    else:
        _write(system, f"{folder}/{RUN}", json.dumps(run, indent=2).encode())
    return {name for name in names if name.startswith("part-")}


def _write(system: fs.FileSystem, path: str, data: bytes) -> None:
    """Object stores show a file when it is whole; elsewhere it is moved to its place."""
    folder, _, name = path.rpartition("/")
    aside = f"{folder}/.{name}.{os.getpid()}"
    with system.open_output_stream(aside) as file:
        file.write(data)
    system.move(aside, path)


def _counts(system: fs.FileSystem, path: str) -> dict[str, int]:
    with system.open_input_file(path) as file:
        table = pq.read_table(file, columns=["error", "language"])
    present = {name: table.num_rows - table.column(name).null_count for name in table.column_names}
    return {"rows": table.num_rows, "errors": present["error"], "foreign": present["language"]}


def _actors(ray: Any, threads: int) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
