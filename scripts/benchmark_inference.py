#!/usr/bin/env python3
"""Prediction speed against what one would write instead, each contender in a fresh process.

Rounds alternate between the contenders; no text recurs, be it between rounds or in a warm-up, so
that nothing is measured twice. Texts are distinct and made offline (`scripts/sentences.py`).
Figures are medians; what counts are ratios, since seconds hang on the machine. Writes
`inference.json`, `inference.md` and `inference.png` into --out.

    scripts/benchmark_inference.py models/minilm --out docs/benchmarks
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from sentences import sentences

BUCKETS = ((0, 16), (16, 32), (32, 64), (64, 256))
"""Tokens a text: from, to (exclusive)."""


# --- contenders: each takes texts and gives scores, in a process of its own


def pipeline(model: str, batch: int):
    """What a user would write: a transformers pipeline over a list."""
    import torch
    from transformers import pipeline as make
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(threads())
    pipe = make("text-classification", model=model, top_k=None, device=-1)

    def run(texts):
        found = list(pipe(texts, batch_size=batch))
        names = sorted(entry["label"] for entry in found[0])
        return [[{e["label"]: e["score"] for e in row}[name] for name in names] for row in found]

    return run


def torch_sorted(model: str, bf16: bool):
    """torch, sorted by length, batches of 32."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(threads())
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForSequenceClassification.from_pretrained(model).eval()

    def run(texts):
        encoded = tokenizer(texts, truncation=True, max_length=256)["input_ids"]
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        found = [None] * len(texts)
        for start in range(0, len(order), 32):
            rows = order[start : start + 32]
            batch = tokenizer.pad({"input_ids": [encoded[i] for i in rows]}, return_tensors="pt")
            with (
                torch.inference_mode(),
                torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16),
            ):
                scores = network(**batch).logits.float().sigmoid()
            for row, score in zip(rows, scores.tolist(), strict=True):
                found[row] = score
        return found

    return run


def ours(model: str, engine: str):
    """`ClauseClassifier.predict_proba`."""
    from clauselens import ClauseClassifier

    return ClauseClassifier.load(model, engine=engine).predict_proba


def files(model: str, kind: str):
    """`clauselens predict` end to end, start of the process not counted."""
    import csv

    import pyarrow as pa
    import pyarrow.parquet as pq

    from clauselens import ClauseClassifier
    from clauselens.inference.batch import BatchOptions, predict_files

    classifier = ClauseClassifier.load(model, engine="openvino")

    def run(texts):
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder) / f"in.{kind}", Path(folder) / f"out.{kind}"
            if kind == "csv":
                with source.open("w", newline="") as file:
                    csv.writer(file).writerows([["text"], *([text] for text in texts)])
            else:
                pq.write_table(pa.table({"text": texts}), source)
            started = time.perf_counter()
            predict_files(classifier, [source], out, BatchOptions())
            return time.perf_counter() - started

    return run


CONTENDERS = {
    "pipeline, batch 1": lambda model: pipeline(model, 1),
    "pipeline, batch 32": lambda model: pipeline(model, 32),
    "torch fp32, length-sorted": lambda model: torch_sorted(model, False),
    "torch bf16 autocast, length-sorted": lambda model: torch_sorted(model, True),
    "clauselens, torch fp32": lambda model: ours(model, "torch"),
    "clauselens, OpenVINO fp32": lambda model: ours(f"{model}-fp32", "openvino"),
    "clauselens, OpenVINO": lambda model: ours(model, "openvino"),
    "clauselens predict, CSV": lambda model: files(model, "csv"),
    "clauselens predict, Parquet": lambda model: files(model, "parquet"),
}


def threads() -> int:
    from clauselens.inference.cpus import available_cpus

    return available_cpus()


def worker(name: str, model: str) -> None:
    """Answer requests on standard input: a file of texts in, seconds out."""
    run = CONTENDERS[name](model)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        texts = json.loads(Path(json.loads(line)).read_text())
        started = time.perf_counter()
        found = run(texts)
        seconds = time.perf_counter() - started
        if isinstance(found, float):
            seconds = found  # Timed without the making of its input file.
        print(json.dumps({"seconds": seconds, "peak_mib": peak_mib()}), flush=True)


def peak_mib() -> float:
    """Peak memory of this process; that of `getrusage` counts what its parent had before exec."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- figures that are no contenders


def cold_start(command: list[str]) -> float:
    """Seconds from the start of a process to its first answer."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def cold_commands(model: str) -> dict[str, list[str]]:
    one = "We keep your data for two years."
    ours_ = (
        "from clauselens import ClauseClassifier;"
        f"ClauseClassifier.load({model!r}, engine='openvino').predict([{one!r}])"
    )
    theirs = (
        "from transformers import pipeline;"
        f"pipeline('text-classification', model={model!r}, top_k=None, device=-1)({one!r})"
    )
    return {
        "pipeline": [sys.executable, "-c", theirs],
        "clauselens": [sys.executable, "-c", ours_],
    }


def matmul_limit(model: str, tokens: float) -> float:
    """Sentences a second if nothing but the network's matrix products were computed, in bf16.

    ``tokens``: the mean of a sentence. Products of the network's own shapes, by torch.
    """
    import torch
    from transformers import AutoConfig

    torch.set_num_threads(threads())
    config = AutoConfig.from_pretrained(model)
    width, inner = config.hidden_size, config.intermediate_size
    rows = torch.randn(1024, width, dtype=torch.bfloat16)
    wide = torch.randn(1024, inner, dtype=torch.bfloat16)
    square, up, down = (
        torch.randn(*shape, dtype=torch.bfloat16)
        for shape in ((width, width), (width, inner), (inner, width))
    )
    for _ in range(20):
        rows @ square, rows @ up, wide @ down
    best = []
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(10):
            for _ in range(4):
                rows @ square
            rows @ up
            wide @ down
        best.append((time.perf_counter() - started) / 10 / 1024)
    # The last layer needs its keys and values of every token, the rest of the first token alone.
    whole = 4 * width * width + 2 * width * inner
    layers = config.num_hidden_layers - 1 + 2 * width * width / whole
    return 1 / (statistics.median(best) * layers * tokens)


def main() -> None:
    """Run the rounds, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a folder exported in the precision to measure")
    parser.add_argument("--texts", type=int, default=1000, help="texts of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = str(options.model.resolve())
    if options.worker:
        worker(options.worker, model)
        return
    measured = measure(model, options)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "inference.json").write_text(json.dumps(measured, indent=2) + "\n")
    table = markdown(measured)
    (options.out / "inference.md").write_text(table)
    plot(measured, options.out / "inference.png")
    print(table)


def measure(model: str, options: argparse.Namespace) -> dict:
    """All figures as one object."""
    import shutil

    from clauselens.inference.export import export

    if not Path(f"{model}-fp32").exists():
        shutil.copytree(model, f"{model}-fp32", ignore=shutil.ignore_patterns("evaluation"))
        export(Path(f"{model}-fp32"), precision="fp32")
    stream = (row["text"] for row in sentences(seed=1))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "texts.json"

        def ask(process, texts):
            place.write_text(json.dumps(texts))
            process.stdin.write(json.dumps(str(place)) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        runs: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        repeats: dict[str, list[float]] = {}
        peaks: dict[str, float] = {}
        for round_ in range(options.rounds):
            for name in CONTENDERS:
                command = [sys.executable, __file__, model, "--worker", name]
                with subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                ) as process:
                    assert json.loads(process.stdout.readline()) == "ready"
                    ask(process, list(itertools.islice(stream, 100)))
                    texts = list(itertools.islice(stream, options.texts))
                    answer = ask(process, texts)
                    runs[name].append(options.texts / answer["seconds"])
                    peaks[name] = max(peaks.get(name, 0), answer["peak_mib"])
                    if name.startswith("clauselens"):
                        # Natural repeats: half of the rows say what another row says.
                        half = list(itertools.islice(stream, options.texts // 2))
                        answer = ask(process, half + half[::-1])
                        repeats.setdefault(name, []).append(2 * len(half) / answer["seconds"])
                    process.stdin.close()
                print(f"round {round_ + 1}: {name} {runs[name][-1]:.0f}/s", file=sys.stderr)
    cold = cold_commands(model)
    starts: dict[str, list[float]] = {name: [] for name in cold}
    for _ in range(options.rounds):
        for name, command in cold.items():
            starts[name].append(cold_start(command))
    tokens, buckets = by_length(model, options.rounds)
    return {
        "model": Path(model).name,
        "threads": threads(),
        "processor": processor(),
        "texts": options.texts,
        "rounds": options.rounds,
        "mean_tokens": tokens,
        "sentences_per_second": runs,
        "with_repeats": repeats,
        "peak_mib": peaks,
        "cold_start_seconds": starts,
        "bf16_matmul_limit": matmul_limit(model, tokens),
        "by_length": buckets,
        "agreement": agreement(model),
    }


def by_length(model: str, rounds: int) -> tuple[float, dict[str, float]]:
    """Mean tokens of a text, and sentences a second of our default engine by length."""
    from clauselens import ClauseClassifier

    classifier = ClauseClassifier.load(model, engine="openvino")
    stream = (row["text"] for row in sentences(seed=2))
    sample = list(itertools.islice(stream, 20_000))
    sizes = [len(windows[0].ids) for windows in classifier.encode(sample)]
    found = {}
    for low, high in BUCKETS:
        texts = [t for t, size in zip(sample, sizes, strict=True) if low <= size < high]
        speeds = []
        for round_ in range(min(rounds, len(texts) // 200)):
            part = texts[round_ * 200 : (round_ + 1) * 200]
            started = time.perf_counter()
            classifier.predict_proba(part)
            speeds.append(len(part) / (time.perf_counter() - started))
        if speeds:
            found[f"{low}-{high - 1} tokens"] = statistics.median(speeds)
    return statistics.mean(sizes), found


def agreement(model: str) -> dict[str, float]:
    """Share of equal label sets, and score differences, of the default engine and torch."""
    import numpy as np

    from clauselens import ClauseClassifier

    texts = list(itertools.islice((row["text"] for row in sentences(seed=3)), 1000))
    ours_, theirs = (ClauseClassifier.load(model, engine=e) for e in ("openvino", "torch"))
    cuts = np.array(list(ours_.thresholds.values()))
    one, other = ours_.predict_proba(texts), theirs.predict_proba(texts)
    return {
        "precision": ours_.engine.precision,
        "equal_label_sets": float(((one >= cuts) == (other >= cuts)).all(1).mean()),
        "difference_p99": float(np.quantile(np.abs(one - other), 0.99)),
    }


def processor() -> str:
    """The processor's name and the instructions that matter here."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = next((x.split(":")[1].strip() for x in text.splitlines() if "model name" in x), "?")
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {flag}" in text]
    return f"{name} ({', '.join(flags)})"


def markdown(measured: dict) -> str:
    """The table."""
    middle = {k: statistics.median(v) for k, v in measured["sentences_per_second"].items()}
    repeats = {k: f"{statistics.median(v):.0f}" for k, v in measured["with_repeats"].items()}
    cold = {k: statistics.median(v) for k, v in measured["cold_start_seconds"].items()}
    base, fp32 = middle["pipeline, batch 32"], middle["torch fp32, length-sorted"]
    limit = measured["bf16_matmul_limit"]
    lines = [
        f"# Prediction speed: {measured['model']}",
        "",
        f"{measured['processor']}, {measured['threads']} threads; {measured['texts']} distinct "
        f"texts a round (mean {measured['mean_tokens']:.1f} tokens), fresh process for each "
        f"contender and round, medians of {measured['rounds']} rounds.",
        "",
        "| contender | sentences/s | x pipeline, batch 32 | x torch fp32 sorted | of the bf16 "
        "limit | half repeated, sentences/s | peak MiB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, speed in middle.items():
        lines.append(
            f"| {name} | {speed:.0f} | {speed / base:.2f} | {speed / fp32:.2f} | "
            f"{speed / limit:.0%} | {repeats.get(name, '')} | {measured['peak_mib'][name]:.0f} |"
        )
    agree = measured["agreement"]
    lines += [
        "",
        f"Matrix products of the network alone, bf16: {limit:.0f} sentences/s.",
        f"Cold start to the first answer: clauselens {cold['clauselens']:.2f} s, pipeline "
        f"{cold['pipeline']:.2f} s (ratio {cold['pipeline'] / cold['clauselens']:.1f}).",
        f"Default engine ({agree['precision']}) against torch fp32 on 1,000 distinct texts: equal "
        f"label sets {agree['equal_label_sets']:.2%}, 99th percentile of the score difference "
        f"{agree['difference_p99']:.4f}.",
        "By length, default engine: "
        + "; ".join(f"{name} {speed:.0f}/s" for name, speed in measured["by_length"].items())
        + ".",
    ]
    return "\n".join(lines) + "\n"


def plot(measured: dict, path: Path) -> None:
    """Bars of the medians with every round as a dot."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = list(measured["sentences_per_second"])
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for place, name in enumerate(names):
        speeds = measured["sentences_per_second"][name]
        colour = "#0b6e99" if name.startswith("clauselens") else "#9a9a9a"
        middle = statistics.median(speeds)
        axes.barh(place, middle, color=colour)
        axes.plot(speeds, [place] * len(speeds), ".", color="black", markersize=4)
        axes.text(max(speeds), place, f"  {middle:.0f}", va="center")
    axes.axvline(measured["bf16_matmul_limit"], color="#b3261e", linestyle="--", linewidth=1)
    axes.text(measured["bf16_matmul_limit"], -0.8, "bf16 limit", color="#b3261e", ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(f"sentences a second ({measured['threads']} threads, distinct texts)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
