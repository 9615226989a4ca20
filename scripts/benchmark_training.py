#!/usr/bin/env python3
"""Training speed against plain Trainer defaults, interleaved in one run, medians.

Both contenders fine-tune the same encoder on the same encoded rows with batches of the same size.
`defaults`: AutoModelForSequenceClassification and TrainingArguments as they come, padded to the
longest of each batch. `recipe`: what the configuration sets (its further layer included). Prints
a table; --out writes JSON. Figures are ratios: seconds hang on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
)
from transformers.utils import logging

from clauselens.dataset.rows import clauses, read_examples
from clauselens.evaluation.metrics import label_matrix
from clauselens.model.encoding import InputEncoder
from clauselens.taxonomy import read_taxonomy
from clauselens.training import finetune
from clauselens.training.batches import Collator, EncodedRows
from clauselens.training.config import read_train_config
from clauselens.training.encoders import resolve_encoder


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", type=Path, default=Path("configs/minilm.yaml"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    config = read_train_config(
        options.config,
        ["trainer.num_train_epochs=1", "trainer.disable_tqdm=true", "trainer.logging_steps=100000"],
    )
    taxonomy = read_taxonomy(Path(config.taxonomy))
    rows = clauses(read_examples(Path(config.data), taxonomy=taxonomy), "train")
    encoder = resolve_encoder(config.encoder)
    seconds: dict[str, list[float]] = {"defaults": [], "recipe": []}
    for round_ in range(options.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            for name, run in (("defaults", by_defaults), ("recipe", by_recipe)):
                spent = run(config, rows, taxonomy, encoder, work / name)
                if round_:  # The first round warms up.
                    seconds[name].append(spent)
                    print(f"round {round_}: {name} {spent:.1f} s an epoch", flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["defaults"] / medians["recipe"]
    print(f"median of {options.rounds}: {medians}; the recipe is {ratio:.2f} times as fast")
    if options.out:
        options.out.write_text(json.dumps({"seconds": seconds, "ratio": ratio}, indent=2) + "\n")


def by_recipe(config, rows, taxonomy, encoder, work: Path) -> float:
    """Seconds of one epoch as `clauselens train` runs it."""
    (work / "model").mkdir(parents=True)
    return finetune.fit(
        config,
        examples=rows,
        taxonomy=taxonomy,
        encoder=encoder,
        folder=work / "model",
        work=work / "checkpoints",
    ).seconds


def by_defaults(config, rows, taxonomy, encoder, work: Path) -> float:
    """Seconds of one epoch of the Trainer as it comes, with dynamic padding."""
    work.mkdir(parents=True)
    tokenizer = AutoTokenizer.from_pretrained(encoder.folder)
    tokenizer.save_pretrained(work)
    model = AutoModelForSequenceClassification.from_pretrained(
        encoder.folder,
        num_labels=len(taxonomy.labels),
        problem_type="multi_label_classification",
    )
    encoded = EncodedRows(
        rows,
        encoder=InputEncoder.load(work, config.input.format),
        targets=label_matrix([row.labels for row in rows], taxonomy.labels).astype(np.float32),
        context_dropout=config.input.context_dropout,
        previous_dropout=config.input.previous_dropout,
        seed=config.seed,
    )
    arguments = TrainingArguments(
        output_dir=str(work / "checkpoints"),
        num_train_epochs=1,
        per_device_train_batch_size=config.trainer["per_device_train_batch_size"],
        save_strategy="no",
        disable_tqdm=True,
        logging_steps=100000,
        use_cpu=True,
        remove_unused_columns=False,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=encoded,
        data_collator=Collator(tokenizer.pad_token_id, segments=True),
    )
    started = time.perf_counter()
    trainer.train()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
