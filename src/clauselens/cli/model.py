"""Commands that train and evaluate a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from clauselens.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from clauselens.evaluation.metrics import Metrics
    from clauselens.evaluation.report import Report
    from clauselens.records import Example

ModelArgument = Annotated[Path, typer.Argument(help="A model folder, as `train` writes it.")]
HtmlOption = Annotated[
    bool,
    typer.Option("--html", help="Write evaluation.html too: one page with every figure and error."),
]
AgainstOption = Annotated[
    Path | None,
    typer.Option(
        "--against",
        help="Show the run in this report folder beside this one (with --html; the same rows).",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command("train")(train)
    app.command("crossval")(crossval)
    app.command("evaluate")(evaluate)


def train(
    config: Annotated[Path, typer.Argument(help="A run, such as configs/minilm.yaml.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Changes to it: `seed=1`, `trainer.num_train_epochs=3` …"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Model folder. Default: models/NAME, for NAME.yaml."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model folder if it is there.")
    ] = False,
) -> None:
    """Fine-tune an encoder and write a model folder, with its graph for OpenVINO.

    An interrupted run goes on from its last checkpoint when the same command is given again
    (with `trainer.save_strategy=epoch`, or `steps`). A run that starts from another run's folder
    (`encoder.name`) makes it first by `encoder.recipe` where it is missing. On several devices:
    `accelerate launch -m clauselens train CONFIG`.
    """
    from clauselens.training.config import read_train_config

    settings = read_train_config(config, overrides or [])

    # A mistake in the configuration shows at once: these take seconds to load.
    from clauselens.inference.export import export
    from clauselens.training.processes import wait_for_all
    from clauselens.training.run import check_run, read_input
    from clauselens.training.run import train as run

    folder = out or Path("models") / config.stem
    check_run(settings, folder, overwrite=overwrite)
    encoder = settings.encoder
    if encoder.recipe and not Path(encoder.name).exists():
        # What is wrong with this run shows before the other one.
        read_input(settings, folder, overwrite=overwrite)
        print(f"{encoder.name}: not there yet, {encoder.recipe} makes it first", flush=True)
        train(Path(encoder.recipe), out=Path(encoder.name))
        wait_for_all()
    if settings.pretraining:
        print(f"two stages: {settings.written} first, then {settings.data}", flush=True)
    if settings.relabelling:
        print(
            f"{settings.data} first, for a model that softens the labels of {settings.written}; "
            "then both",
            flush=True,
        )
    trained = run(settings, folder, scorer=score_examples, overwrite=overwrite)
    if trained is None:  # Not the main process of several.
        return
    print(
        f"{trained.folder}: {trained.train_rows} rows, {trained.fit.steps} steps, "
        f"{trained.fit.seconds:.0f} s"
    )
    print(export(trained.folder, progress=say))
    print(f"on the {trained.tuned_on}, where the thresholds were fitted:")
    _print_metrics(trained.metrics)


def crossval(
    config: Annotated[Path, typer.Argument(help="A run, such as configs/minilm.yaml.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Changes to it, as for `train`.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="Seeds, by commas; figures are their means.")] = "0",
    purge: Annotated[
        str,
        typer.Option(
            help="Remove training rows with this cosine or more to a held-out row; `none`."
        ),
    ] = "0.6",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Report folder. Default: models/NAME-crossval, for NAME.yaml."
        ),
    ] = None,
    final: Annotated[
        bool,
        typer.Option("--final", help="Then train the model to ship on all documents."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the shipped model if it is there.")
    ] = False,
    html: HtmlOption = False,
    against: AgainstOption = None,
) -> None:
    """Leave-one-policy-out: scores with intervals beside baselines on the same folds.

    One fit for each policy and seed. Out-of-fold logits are kept in the report folder, and a
    repeated command computes only what is missing. `--final` writes models/NAME, trained on
    all documents, with calibration and thresholds from the out-of-fold logits.
    """
    from clauselens.training.config import read_train_config

    settings = read_train_config(config, overrides or [])
    numbers = _numbers(seeds)
    share = None if purge == "none" else _share(purge)

    # A mistake in what was asked for shows at once: these take seconds to load.
    from clauselens.cli.crossval import cross_validate
    from clauselens.cli.evaluation import page_options

    folder = out or Path("models") / f"{config.stem}-crossval"
    found = cross_validate(
        settings,
        name=config.stem,
        seeds=numbers,
        purge=share,
        out=folder,
        final=Path("models") / config.stem if final else None,
        overwrite=overwrite,
        progress=say,
        page=page_options(html, against),
    )
    _print_systems(found.report)
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in found.losses.items())
    print(f"calibration: {found.method} (cross-fitted log loss: {losses})")
    page = "evaluation.html, " if html else ""
    print(f"{folder}: {page}report.md, metrics.json, pictures, out-of-fold logits")


def evaluate(
    model: ModelArgument,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Dataset folder or file. Default: the one it was trained on."),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Which rows to score.")] = "test",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Default: MODEL/evaluation.")
    ] = None,
    keep_near_duplicates: Annotated[
        bool,
        typer.Option(
            "--keep-near-duplicates",
            help="Score a benchmark's own split although it leaks; the report says so.",
        ),
    ] = False,
    html: HtmlOption = False,
    against: AgainstOption = None,
) -> None:
    """Score a model on rows that it did not see, beside TF-IDF with logistic regression.

    Both get the same context and thresholds tuned on the validation split. Rows that the model
    saw, or near-duplicates of them, are refused.
    """
    from clauselens.model.folder import check_complete

    check_complete(model)

    from clauselens.cli.evaluation import evaluate_model, page_options

    folder = out or model / "evaluation"
    report = evaluate_model(
        model,
        data=data,
        split=split,
        out=folder,
        near_duplicates=keep_near_duplicates,
        page=page_options(html, against),
    )
    _print_metrics(report.systems[0].runs[0])
    _print_systems(report)
    page = "evaluation.html, errors.jsonl, " if html else ""
    print(f"{folder}: {page}report.md, metrics.json, predictions.jsonl, pictures")


def score_examples(
    folder: Path, examples: Sequence[Example], with_context: bool
) -> NDArray[np.float64]:
    """The logits of a model folder: ``(n, labels)``."""
    from clauselens.inference.classifier import ClauseClassifier

    return ClauseClassifier.load(folder).predict_logits(
        [example.text for example in examples],
        [example.context for example in examples] if with_context else None,
    )


def say(text: str) -> None:
    """Tell on standard error how far a long command is."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)


def _numbers(text: str) -> list[int]:
    from clauselens.training.config import SEEDS

    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--seeds {text!r}: expected whole numbers by commas, as 0,1,2") from None
    for seed in found:
        if not 0 <= seed < SEEDS:
            raise InputError(f"--seeds {text!r}: {seed} is not from 0 to {SEEDS - 1}")
        if found.count(seed) > 1:
            raise InputError(f"--seeds {text!r}: {seed} stands there twice")
    return found


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise InputError(f"--purge {text!r}: expected a cosine above 0 and at most 1, or none")
    return value


def _print_systems(report: Report) -> None:
    table = Table("system", "micro-F1", "95 %", "macro-F1", "95 %", "exact match")
    for system in report.systems:
        cells = [
            text
            for figure in (system.overall["micro_f1"], system.overall["macro_f1"])
            for text in (f"{figure.value:.3f}", f"{figure.low:.3f}-{figure.high:.3f}")
        ]
        table.add_row(system.name, *cells, f"{system.overall['exact_match'].value:.3f}")
    Console().print(table)


def _print_metrics(metrics: Metrics) -> None:
    table = Table("label", "support", "precision", "recall", "F1")
    for label in metrics.labels:
        table.add_row(
            label.label,
            str(label.support),
            *(
                "–" if value != value else f"{value:.3f}"
                for value in (label.precision, label.recall, label.f1)
            ),
        )
    Console().print(table)
    print(
        f"micro-F1 {metrics.micro_f1:.3f}   macro-F1 {metrics.macro_f1:.3f} "
        f"({metrics.macro_labels} labels with 10 or more positives)   "
        f"exact match {metrics.exact_match:.3f}   rows {metrics.rows}"
    )
