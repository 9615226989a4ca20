from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import average_precision_score
from transformers import AutoModelForSequenceClassification, BertConfig, MPNetConfig

from clauselens import ClauseClassifier
from clauselens.cli.model import score_examples
from clauselens.dataset.rows import clauses, read_examples, to_row
from clauselens.errors import InputError
from clauselens.evaluation.metrics import label_matrix
from clauselens.model.encoding import InputEncoder, InputFormat
from clauselens.storage import read_jsonl, sha256_file, write_jsonl
from clauselens.taxonomy import read_taxonomy
from clauselens.training import finetune
from clauselens.training.baselines import prior_scores, tfidf_scores
from clauselens.training.batches import Collator, EncodedRows, LengthGroups
from clauselens.training.config import LossConfig
from clauselens.training.encoders import resolve_encoder
from clauselens.training.head import (
    check_family,
    start_at_definitions,
    start_at_mean_pooling,
)
from clauselens.training.losses import build_loss, positive_weights
from clauselens.training.run import train
from clauselens.training.written import read_written


def test_the_same_seed_gives_the_same_weights(train_config, model_folder, tmp_path):
    again = train(train_config, tmp_path / "again", scorer=score_examples).folder
    other = train(replace(train_config, seed=1), tmp_path / "other", scorer=score_examples).folder
    first, second, third = (
        sha256_file(folder / "model.safetensors") for folder in (model_folder, again, other)
    )
    assert first == second != third


def test_an_attention_that_is_not_to_be_had_is_told(train_config, tmp_path):
    encoder = replace(train_config.encoder, attention="flash_attention_2")
    with pytest.raises(InputError, match=r"all-MiniLM-L6-v2: .*FlashAttention2"):
        train(replace(train_config, encoder=encoder), tmp_path / "model", scorer=score_examples)
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_training_learns_its_own_rows(train_config, tmp_path, small_data, taxonomy):
    trainer = {**train_config.trainer, "num_train_epochs": 20}
    run = train(replace(train_config, trainer=trainer), tmp_path / "fit", scorer=score_examples)
    rows = clauses(read_examples(small_data, taxonomy=taxonomy), "train")
    gold = label_matrix([row.labels for row in rows], taxonomy.labels)
    logits = score_examples(run.folder, rows, True)
    top = logits.argmax(1)
    labelled = gold.any(1)
    assert gold[np.arange(len(rows)), top][labelled].mean() > 0.9


def test_a_folder_that_is_there_is_kept(train_config, model_folder, tmp_path):
    with pytest.raises(InputError, match="already there"):
        train(train_config, model_folder, scorer=score_examples)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.doc").write_text("x")
    with pytest.raises(InputError, match="no model folder; not overwriting"):
        train(train_config, tmp_path / "mine", scorer=score_examples, overwrite=True)
    assert (tmp_path / "mine/thesis.doc").exists()


def test_context_dropout_shows_bare_sentences_by_seed_and_epoch(model_folder, examples, taxonomy):
    rows = [e for e in clauses(examples, "train") if e.section][:100]
    encoder = InputEncoder.load(model_folder, InputFormat(previous=True))

    def shown(seed, epoch):
        data = EncodedRows(
            rows,
            encoder=encoder,
            targets=label_matrix([e.labels for e in rows], taxonomy.labels).astype(np.float32),
            context_dropout=0.3,
            previous_dropout=0.5,
            seed=seed,
        )
        data.epoch = epoch
        return [tuple(data[i]["input_ids"]) for i in range(len(data))]

    bare = [w[0].ids for w in encoder.encode([e.text for e in rows])]
    share = np.mean([a == b for a, b in zip(shown(0, 0), bare, strict=True)])
    assert 0.15 < share < 0.45
    alone = encoder.encode([e.text for e in rows], [replace(e.context, previous="") for e in rows])
    told = [i for i, row in enumerate(rows) if row.previous not in ("", row.lead_in)]
    share = np.mean([shown(0, 0)[i] == alone[i][0].ids for i in told])
    assert 0.15 < share < 0.55
    assert shown(0, 0) == shown(0, 0)
    assert shown(0, 0) != shown(0, 1)
    assert shown(0, 0) != shown(1, 0)


def test_batches_hold_rows_of_about_one_length_in_every_epoch(model_folder, examples, taxonomy):
    rows = clauses(examples, "train")
    data = EncodedRows(
        rows,
        encoder=InputEncoder.load(model_folder, InputFormat(previous=True)),
        targets=label_matrix([e.labels for e in rows], taxonomy.labels).astype(np.float32),
        context_dropout=0.3,
        previous_dropout=0.5,
        seed=0,
    )
    groups = LengthGroups(data, 8)
    orders = []
    for epoch in range(3):
        data.epoch = epoch
        order = list(groups)
        assert sorted(order) == list(range(len(data)))
        lengths = np.array([len(data[row]["input_ids"]) for row in order])
        assert lengths.tolist() == [data.lengths[row] for row in order]
        batches = np.split(lengths, range(8, len(lengths), 8))
        assert sum(len(batch) * batch.max() for batch in batches) < 1.25 * lengths.sum()
        orders.append(order)
    assert orders[0] != orders[1]


def test_training_batches_by_what_an_epoch_shows(
    train_config, model_folder, examples, taxonomy, tmp_path, monkeypatch
):
    """In a later epoch too, where other rows have lost their context than in the first."""
    places, tokens = [], []

    class Counting(Collator):
        def __call__(self, rows):
            batch = super().__call__(rows)
            places.append(batch["attention_mask"].numel())
            tokens.append(int(batch["attention_mask"].sum()))
            return batch

    monkeypatch.setattr(finetune, "Collator", Counting)
    config = replace(
        train_config,
        input=replace(train_config.input, context_dropout=0.5),
        trainer={**train_config.trainer, "num_train_epochs": 2},
    )
    finetune.fit(
        config,
        examples=clauses(examples, "train")[:160],
        taxonomy=taxonomy,
        encoder=resolve_encoder(config.encoder),
        folder=tmp_path,
        work=tmp_path / "work",
    )
    assert len(places) == 40
    assert sum(places[20:]) < 1.25 * sum(tokens[20:])


def test_collator_pads_to_the_longest():
    rows = [
        {
            "input_ids": [5, 6, 7],
            "token_type_ids": [0, 0, 1],
            "attention_mask": [1, 1, 1],
            "labels": np.ones(2, np.float32),
        },
        {
            "input_ids": [8],
            "token_type_ids": [0],
            "attention_mask": [1],
            "labels": np.zeros(2, np.float32),
        },
    ]
    batch = Collator(pad=9, segments=True)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[1, 1], [0, 0]]
    assert "token_type_ids" not in Collator(pad=9, segments=False)(rows)


def test_positive_weights_are_capped_and_at_least_one():
    gold = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1], [0, 1, 0, 0]], dtype=bool)
    assert positive_weights(gold, cap=2.5).tolist() == [2.5, 1.0, 2.5, 2.5]


def test_asymmetric_loss_without_focus_and_margin_is_cross_entropy():
    gold = np.eye(4, dtype=bool)
    logits, targets = torch.linspace(-3, 3, 16).reshape(4, 4), torch.eye(4)
    plain = build_loss(LossConfig(name="bce"), gold)(logits, targets)
    flat = LossConfig(name="asymmetric", gamma_negative=0, gamma_positive=0, margin=0)
    assert torch.allclose(build_loss(flat, gold)(logits, targets), plain, atol=1e-5)
    focused = build_loss(LossConfig(name="asymmetric"), gold)(logits, targets)
    assert focused < plain


def test_baselines_score_every_row_and_beat_the_prior(examples, taxonomy):
    train_rows, rows = clauses(examples, "train"), clauses(examples, "validation")
    gold = label_matrix([e.labels for e in train_rows], taxonomy.labels)
    held = label_matrix([e.labels for e in rows], taxonomy.labels)
    scores = tfidf_scores(train_rows, gold, rows)
    prior = prior_scores(gold, len(rows))
    assert scores.shape == prior.shape == held.shape
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.allclose(prior, gold.mean(0))
    top = held[np.arange(len(rows)), scores.argmax(1)].mean()
    assert top > held[np.arange(len(rows)), prior.argmax(1)].mean() + 0.2


@pytest.mark.slow
def test_two_processes_and_accumulation_train_like_one_with_the_whole_batch(train_config, tmp_path):
    """Two real processes on the processor; the loss is a mean over rows however they are dealt."""
    config = Path(__file__).parents[2] / "configs/smoke.yaml"
    one = [sys.executable, "-m"]
    two = [*one, "accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "-m"]

    def losses(name, *, launcher=one, batch=16, accumulation=1, folds=0):
        command = [*launcher, "clauselens", "train", str(config), f"data={train_config.data}"]
        command += [f"taxonomy={train_config.taxonomy}", f"threshold_folds={folds}"]
        command += ["trainer.max_steps=4"]
        command += ["trainer.logging_steps=1", "input.context_dropout=0", "encoder.head_dropout=0"]
        command += ["trainer.train_sampling_strategy=sequential", "trainer.disable_tqdm=true"]
        command += [f"trainer.per_device_train_batch_size={batch}"]
        command += [f"trainer.gradient_accumulation_steps={accumulation}"]
        out = tmp_path / name
        done = subprocess.run([*command, "-o", str(out)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert ClauseClassifier.load(out).predict_proba(["We sell nothing."]).shape == (1, 21)
        return [float(text) for text in re.findall(r"'loss': '([0-9.]+)'", done.stdout)]

    whole = losses("whole")
    assert len(whole) == 4
    assert losses("parts", batch=8, accumulation=2) == pytest.approx(whole, rel=0.05)
    assert losses("two", batch=8, launcher=two) == pytest.approx(whole, rel=0.05)
    losses("folds", batch=8, launcher=two, folds=2)
    facts = json.loads((tmp_path / "two/training_config.json").read_text())
    assert facts["processes"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folds", "parts", "two", "whole"]


@pytest.mark.slow
def test_early_stopping_keeps_the_best_weights(train_config, tmp_path):
    trainer = {**train_config.trainer, "num_train_epochs": 30, "learning_rate": 1e-2}
    config = replace(train_config, trainer=trainer, early_stopping_patience=1)
    run = train(config, tmp_path / "stopped", scorer=score_examples)
    full = 30 * -(-run.train_rows // 8)
    assert run.fit.steps < full


def test_thresholds_from_folds_leave_validation_unseen(train_config, tmp_path):
    config = replace(train_config, threshold_folds=2)
    run = train(config, tmp_path / "folds", scorer=score_examples)
    manifest = json.loads((run.folder / "data_manifest.json").read_text())
    assert {row["use"] for row in manifest["rows"]} == {"train"}
    assert run.metrics.rows == run.train_rows
    calibration = json.loads((run.folder / "calibration.json").read_text())
    assert calibration["method"] == "platt"


def test_a_head_at_the_definitions_ranks_labels_before_any_training(
    train_config, tmp_path, taxonomy, examples
):
    """Zero-shot: well above chance, and untouched by where the first token points."""
    encoder = replace(train_config.encoder, pooling="mean", definitions=True)
    trainer = {**train_config.trainer, "learning_rate": 0.0}
    config = replace(train_config, encoder=encoder, trainer=trainer)
    run = train(config, tmp_path / "zero", scorer=score_examples)
    rows = clauses(examples, "test")
    gold = label_matrix([row.labels for row in rows], taxonomy.labels)
    logits = score_examples(run.folder, rows, True)
    frequent = gold.sum(0) >= 5
    found = average_precision_score(gold[:, frequent], logits[:, frequent], average="macro")
    assert found > 3 * gold[:, frequent].mean()


@pytest.mark.parametrize("family", [BertConfig, MPNetConfig])
def test_definitions_score_highest_for_their_own_category(family, model_folder, examples, taxonomy):
    """In a small network of random weights, where only the start can say so: chance is 1 of 21."""
    torch.manual_seed(0)
    labels = len(taxonomy.labels)
    network = AutoModelForSequenceClassification.from_config(
        family(
            vocab_size=30527,
            hidden_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=64,
            num_labels=labels,
        )
    )
    encoder = InputEncoder.load(model_folder, InputFormat(max_length=64, stride=16))
    start_at_mean_pooling(network)
    rows = [first for first, *_ in encoder.encode([e.text for e in examples[:20]])]
    start_at_definitions(network, encoder, taxonomy, rows=rows, prior=np.full(labels, 0.1))
    texts = [f"{c.id.replace('_', ' ')}: {c.definition}" for c in taxonomy.categories]
    network.eval()
    with torch.no_grad():
        logits = torch.cat(
            [
                network(input_ids=torch.tensor([first.ids])).logits
                for first, *_ in encoder.encode(texts)
            ]
        )
    assert (logits.argmax(1).numpy() == np.arange(labels)).mean() > 0.8


@pytest.mark.parametrize("count", [2, 21])
def test_a_fine_tuned_folder_starts_a_run_with_other_labels(
    train_config, model_folder, examples, tmp_path, count
):
    """Its layers are the start, its classifier is not, be the labels fewer or as many."""
    names = ["security", *(f"mine_{index}" for index in range(1, count))]
    labels = tmp_path / "labels.yaml"
    labels.write_text(f"{{name: mine, version: '1', categories: [{', '.join(names)}]}}")
    write_jsonl(
        tmp_path / "mine.jsonl",
        (
            {"text": row.text, "labels": sorted({"security"} & set(row.labels))}
            for row in clauses(examples, "train")[:40]
        ),
    )
    trainer = {**train_config.trainer, "learning_rate": 0.0, "num_train_epochs": 1}
    config = replace(
        train_config,
        data=str(tmp_path / "mine.jsonl"),
        taxonomy=str(labels),
        encoder=replace(train_config.encoder, name=str(model_folder), sha256=""),
        trainer=trainer,
        # The folder's own seed would draw the classifier that it started with.
        seed=1,
    )
    run = train(config, tmp_path / "mine", scorer=score_examples)
    start, end = (load_file(f / "model.safetensors") for f in (model_folder, run.folder))
    assert end["classifier.weight"].shape[0] == count
    ours, theirs = (part["classifier.weight"] for part in (end, start))
    assert count == 2 or not torch.allclose(ours, theirs, atol=0.01)
    assert all(torch.equal(start[key], end[key]) for key in start if key.startswith("bert."))


def test_such_a_start_is_refused_for_other_architectures():
    with pytest.raises(InputError, match=r"families bert and mpnet, this one is 'roberta'"):
        check_family(SimpleNamespace(model_type="roberta"))


def test_written_rows_are_no_rows_of_the_dataset(root, examples):
    written = {row["text"] for _, row in read_jsonl(root / "data/synthetic/written.jsonl")}
    assert len(written) > 12_000
    assert not written & {e.text for e in examples}


def test_written_paragraphs_are_rows_of_the_benchmarks_labels(root):
    labels = read_taxonomy(root / "configs/opp115_taxonomy.yaml")
    rows = read_written(str(root / "data/synthetic/opp115.jsonl"), taxonomy=labels)
    assert {label for row in rows for label in row.labels} == set(labels.labels)
    assert all(row.labels and not row.context.text for row in rows)
    assert len({row.id for row in rows}) == len({row.text for row in rows}) == len(rows)


def test_written_rows_too_like_a_held_out_one_do_not_teach(root, tmp_path, taxonomy, examples):
    written_file = tmp_path / "written.jsonl"
    some = (root / "data/synthetic/written.jsonl").read_text().splitlines(keepends=True)[::80]
    written_file.write_text("".join(some))
    written = read_written(str(written_file), taxonomy=taxonomy)
    # Their groups must not be taken for groups of the dataset.
    assert {row.duplicate_group for row in written} == {-1}
    scored = [
        *(replace(row, text=f"{row.text} also") for row in written[:3]),
        *clauses(examples, "test")[:3],
    ]
    apart = read_written(str(written_file), taxonomy=taxonomy, apart_from=scored)
    assert not {row.id for row in apart} & {row.id for row in written[:3]}
    assert 0.9 * len(written) < len(apart) < len(written)
    assert read_written("", taxonomy=taxonomy) == []


@pytest.mark.parametrize(
    ("written", "scored", "teaches"),
    [
        # Near in meaning alone (0.87 and 0.22), by letters alone (0.42 and 0.70), in neither.
        (
            "Cookies are small text files on your computer.",
            "A cookie is a little text file kept on a PC.",
            False,
        ),
        (
            "contact the police department of Berlin",
            "contact the police department of Boston",
            False,
        ),
        ("Nobody can buy your private data from us.", "We keep invoices for ten years.", True),
    ],
)
def test_either_likeness_keeps_a_written_row_from_teaching(
    tmp_path, taxonomy, examples, written, scored, teaches
):
    path = tmp_path / "written.jsonl"
    write_jsonl(path, [{"text": written, "labels": []}])
    apart = read_written(
        str(path), taxonomy=taxonomy, apart_from=[replace(examples[0], text=scored)]
    )
    assert [row.text for row in apart] == [written] * teaches


@pytest.mark.slow
def test_cross_validation_keeps_logits_and_ships_a_model(train_config, root, tmp_path, examples):
    """The whole command on every sixth clause: folds, report, kept logits, the final model."""
    rows = [e for e in examples if e.kind in ("sentence", "list_item")][::6]
    write_jsonl(tmp_path / "train.jsonl", (to_row(replace(e, split="train")) for e in rows))
    config = root / "configs/smoke.yaml"
    overrides = [f"data={tmp_path / 'train.jsonl'}", f"taxonomy={train_config.taxonomy}"]
    command = [sys.executable, "-m", "clauselens", "crossval", str(config), *overrides]
    command += ["trainer.num_train_epochs=1", "--final"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "models/smoke-crossval"
    report = json.loads((folder / "metrics.json").read_text())
    assert report["rows"] == len(rows)
    names = [system["name"] for system in report["systems"]]
    assert names[0] == "smoke"
    assert "frozen encoder + logistic regression" in names
    kept = sorted(folder.glob("out-of-fold/*.jsonl"))
    assert len(kept) == 5
    ids = [json.loads(line)["id"] for path in kept for line in path.read_text().splitlines()]
    assert sorted(ids) == sorted(e.id for e in rows)
    for name in ("report.md", "label-f1.png", "calibration.png", "confusion.png"):
        assert (folder / name).stat().st_size > 1000
    shipped = ClauseClassifier.load(tmp_path / "models/smoke")
    assert shipped.predict(["We keep your data for a year."])[0].windows == 1
    calibration = json.loads((tmp_path / "models/smoke/calibration.json").read_text())
    summary = json.loads((folder / "crossval.json").read_text())
    assert calibration["method"] == summary["calibration"]
    # Again as a page, beside itself: the kept logits give the same rows.
    paged = [*command[:-1], "--html", "--against", str(folder)]
    second = subprocess.run(paged, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert (folder / "changes.jsonl").read_bytes() == b""
    assert (
        "the models that scored these rows are not kept" in (folder / "evaluation.html").read_text()
    )
    thresholds = json.loads((folder / "metrics.json").read_text())["thresholds"]
    assert sorted(thresholds) == sorted({e.document_id for e in rows})
    # What it was trained on is refused, in whatever file it comes.
    refused = [sys.executable, "-m", "clauselens", "evaluate", "models/smoke", "--split", "train"]
    done = subprocess.run(refused, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "in training" in done.stderr
