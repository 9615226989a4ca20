"""Commands that use a model: batch prediction, export for an engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clauselens.cli.model import ModelArgument, say
from clauselens.errors import InputError

if TYPE_CHECKING:
    from clauselens.inference.classifier import Thresholds

ThresholdOption = Annotated[
    list[str] | None,
    typer.Option("--threshold", help="`0.4` for all labels, `retention=0.4` for one; repeatable."),
]
EngineOption = Annotated[
    str, typer.Option(help="`openvino`, `torch`, or `auto`: OpenVINO, but torch on a GPU.")
]


class _TerminatedError(BaseException):
    """SIGTERM came."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command("predict")(predict)
    app.command("export")(export)


def predict(
    model: ModelArgument,
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Documents (.txt, .md, .html, .htm, .pdf, .docx), CSV, JSON Lines (also .gz, "
            ".bz2, .zst), Parquet, folders, or - for JSON Lines."
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", help="OUT.jsonl, OUT.csv (or .gz), OUT.parquet; - for JSON Lines."
        ),
    ],
    threshold: ThresholdOption = None,
    text_column: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    id_column: Annotated[str, typer.Option(help="Column of the id, if there is one.")] = "id",
    section_column: Annotated[str, typer.Option(help="Column of the heading path.")] = "section",
    lead_in_column: Annotated[str, typer.Option(help="Column of the list's lead-in.")] = "lead_in",
    previous_column: Annotated[str, typer.Option(help="Column of the clause before.")] = "previous",
    keep_columns: Annotated[
        str, typer.Option(help="Columns to copy into the output, by commas; * for all.")
    ] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first bad row.")] = False,
    raw_cells: Annotated[
        bool,
        typer.Option(
            "--raw-cells", help="CSV: no quote before cells that a spreadsheet would run."
        ),
    ] = False,
    engine: EngineOption = "auto",
    threads: Annotated[
        int | None, typer.Option(help="Processors to use. Default: all that are allowed.")
    ] = None,
    part_rows: Annotated[
        int, typer.Option(help="Rows of a part: what an interruption can cost.")
    ] = 2048,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Run on Ray: its address, or `local`. Parquet in, a folder of Parquet out, on "
            "any path or URI that Arrow reads."
        ),
    ] = None,
) -> None:
    """Classify texts in bulk: scores of all labels, labels by each label's threshold.

    A document is segmented first, and each clause is read with its section, its lead-in and the
    clause before. The text that was extracted from HTML, Markdown, PDF or Word, which the ids'
    offsets refer to, is kept in OUT.texts/. A bad row, or a document that cannot be read among
    others, gets its error in the output, and the run goes on. After an interruption (even
    `kill -9`) the same command goes on from the last finished part, and ends with the same
    bytes.
    """
    from clauselens.inference.batch import BatchOptions, predict_files
    from clauselens.inference.classifier import ClauseClassifier
    from clauselens.inference.inputs import expand
    from clauselens.inference.rows import Columns

    options = BatchOptions(
        columns=Columns(
            text=text_column,
            id=id_column,
            section=section_column,
            lead_in=lead_in_column,
            previous=previous_column,
            keep=tuple(name.strip() for name in keep_columns.split(",") if name.strip()),
        ),
        threshold=parse_threshold(threshold or []),
        strict=strict,
        raw=raw_cells,
        part_rows=part_rows,
    )
    with _stoppable(out), _progress() as show:
        if cluster:
            from clauselens.inference.cluster import predict_on_cluster

            used = f"Ray at {cluster}"
            summary = predict_on_cluster(
                str(model),
                inputs,
                out,
                options,
                address=cluster,
                engine=engine,
                threads=threads or 1,
                progress=show,
            )
        else:
            files = expand([Path(name) for name in inputs])
            classifier = ClauseClassifier.load(model, engine=engine, threads=threads)
            chosen = classifier.engine
            used = f"{chosen.name} {chosen.precision}, {chosen.threads} threads"
            summary = predict_files(classifier, files, Path(out), options, progress=show)
    resumed = f" ({summary.resumed:,} from an interrupted run)" if summary.resumed else ""
    Console(stderr=True).print(
        f"{out}: {summary.rows:,} rows{resumed}, {summary.errors:,} errors, "
        f"{summary.foreign:,} not English, {summary.seconds:.1f} s, "
        f"{summary.rows_per_second:,.0f} rows/s ({used})",
        highlight=False,
        soft_wrap=True,
    )


def export(
    model: ModelArgument,
    precision: Annotated[
        str,
        typer.Option(help="`fp32`, `bf16`, `int8`, or `auto`: bf16 where the processor has it."),
    ] = "auto",
) -> None:
    """Write the graph for OpenVINO, which predicts without torch, into a model folder.

    Where the model's training data are at hand, its clauses are stored too, with their vectors:
    `report` shows which of them lie nearest to a sentence.

    The export must pass a gate: on 1,000 stored inputs, the same labels as torch in float32 on
    99.5 % and scores within 0.02 at the 99th percentile; otherwise it is refused, with figures.
    """
    from clauselens.model.folder import TRAINING_CLAUSES, check_complete

    check_complete(model)

    from clauselens.inference.export import export as run

    print(f"{model}: {run(model, precision=precision, progress=say)}")
    if not (model / TRAINING_CLAUSES).is_file():
        print(f"{model}: training data not found, so `report` has no nearest sentences")


@contextmanager
def _stoppable(out: str) -> Iterator[None]:
    """End with 130 or 143 and a hint when Ctrl-C or SIGTERM comes."""

    def terminate(*_: Any) -> None:
        raise _TerminatedError

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, _TerminatedError) as stop:
        goes_on = "; the same command goes on from the last finished part"
        Console(stderr=True).print(f"interrupted{'' if out == '-' else goes_on}")
        # At once: the part that other threads still compute is not needed any more.
        os._exit(130 if isinstance(stop, KeyboardInterrupt) else 143)


@contextmanager
def _progress() -> Iterator[Any]:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} rows"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("predict", total=None, rate="")

        def show(rows: int) -> None:
            speed = bar.tasks[task].finished_speed or bar.tasks[task].speed
            bar.update(task, completed=rows, rate=f"{speed:,.0f} rows/s" if speed else "")

        yield show


def parse_threshold(given: Sequence[str]) -> Thresholds:
    """The value of ``--threshold``, repeated. Raises InputError."""
    values: dict[str, float] = {}
    for text in given:
        label, separator, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise InputError(f"--threshold {text!r}: expected a number or label=number") from None
        if not separator:
            if len(given) > 1:
                raise InputError("--threshold: one number for all labels, or label=number for each")
            return value
        values[label] = value
    return values or None
