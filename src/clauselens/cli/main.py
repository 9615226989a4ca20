"""The command ``clauselens``: parse, call one function, print.

Heavy imports stand inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console

from clauselens.cli import data, model, predict, report
from clauselens.errors import InputError, MissingExtraError, OutputError

app = typer.Typer(
    name="clauselens",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data.register(app)
model.register(app)
predict.register(app)
report.register(app)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Privacy-policy clause classifier: annotate, train, evaluate, predict in bulk.

    The usual order: `corpus build`, `dataset build`, `train`, `evaluate`, `predict`, `report`.
    """
    if version:
        from clauselens import __version__

        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command; bad input is one line on standard error and exit code 2, an output that
    cannot be written one line and exit code 1.
    """
    try:
        app()
    except (InputError, MissingExtraError, OutputError) as error:
        Console(stderr=True).print(
            f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1 if isinstance(error, OutputError) else 2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
