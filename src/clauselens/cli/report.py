"""The command that makes a reading report of policies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clauselens.cli.model import ModelArgument
from clauselens.cli.predict import EngineOption, ThresholdOption, parse_threshold
from clauselens.errors import InputError, OutputError


def register(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("report")(report)


def report(
    model: ModelArgument,
    policies: Annotated[
        list[Path],
        typer.Argument(
            help="Documents (.txt, .md, .html, .pdf, .docx) or folders of them. With --changes: "
            "the old version, then the new."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The page; its facts go beside it as .json.")
    ] = Path("report.html"),
    changes: Annotated[
        bool, typer.Option("--changes", help="Show what changed between two versions.")
    ] = False,
    title: Annotated[str, typer.Option(help="Title of the page. Default: the policy's own.")] = "",
    threshold: ThresholdOption = None,
    engine: EngineOption = "auto",
) -> None:
    """Make one HTML page to read policies by: each sentence with its categories.

    The page works offline and without a server. It has the text with its categories, the scores
    and nearest training sentences of each sentence, what was found for the items of GDPR
    Articles 13 and 14 and PIPL Article 17, several policies side by side, and with `--changes`
    what changed from one version to the next. `report.json` beside it holds the same facts.

    `clauselens report models/minilm policy.txt -o report.html`

    `clauselens report models/minilm old.txt new.txt --changes -o changes.html`
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--out {out}: expected a name that ends in .html")
    from clauselens.inference.classifier import ClauseClassifier
    from clauselens.inference.documents import expand_documents
    from clauselens.inference.reading.page import render_report
    from clauselens.inference.reading.report import read_report, to_json
    from clauselens.storage import write_json, write_text

    console = Console(stderr=True)
    with console.status("loading the model") as status:
        found = read_report(
            ClauseClassifier.load(model, engine=engine),
            expand_documents(policies),
            title=title,
            threshold=parse_threshold(threshold or []),
            changes=changes,
            progress=status.update,
        )
        page = render_report(found)
    facts = out.with_suffix(".json")
    try:
        write_json(facts, to_json(found))
        write_text(out, page)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from None
    sentences = sum(len(policy.clauses) for policy in found.policies)
    console.print(
        f"{out}: {len(found.policies)} documents, {sentences:,} sentences, "
        f"{len(page) / 1e6:.1f} MB; {facts.name} beside it",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
