"""Runs that are killed, stopped, starved of disk or given twice: nothing lost, nothing twice."""

from __future__ import annotations

import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest

from clauselens.inference.cpus import available_cpus
from clauselens.inference.export import gate_inputs

PARTS = 24
PART_ROWS = 15


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("resume") / "in.jsonl"
    rows = gate_inputs()[: PARTS * PART_ROWS - 4]
    lines = [json.dumps({"id": f"r{i}", "text": row.text}) for i, row in enumerate(rows)]
    lines[7] = "broken"
    path.write_text("\n".join(lines))
    return path


def command(folder, source, out, *options):
    program = [sys.executable, "-m", "clauselens", "predict", str(folder), str(source)]
    return [*program, "-o", str(out), "--part-rows", str(PART_ROWS), "--keep-columns=*", *options]


def run(*arguments, **options):
    return subprocess.run(command(*arguments), capture_output=True, text=True, **options)


@pytest.fixture(scope="module", params=["jsonl", "csv.gz", "parquet"])
def whole(request, fast_folder, source, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / f"out.{request.param}"
    done = run(fast_folder, source, out)
    assert done.returncode == 0, done.stderr
    assert f"{PARTS * PART_ROWS - 4} rows, 1 errors" in done.stderr
    assert sorted(p.name for p in out.parent.iterdir()) == [out.name, f"{out.name}.meta.json"]
    return out


def parts(out):
    return list(out.parent.glob(f".{out.name}.parts/part-*"))


def same(one, other):
    return all(
        (one.parent / f"{one.name}{suffix}").read_bytes()
        == (other.parent / f"{other.name}{suffix}").read_bytes()
        for suffix in ("", ".meta.json")
    )


def test_the_same_command_gives_the_same_bytes(fast_folder, source, whole, tmp_path):
    out = tmp_path / whole.name
    assert run(fast_folder, source, out).returncode == 0
    assert same(out, whole)


def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(
    fast_folder, source, whole, tmp_path
):
    """Seven real kills for each of three formats, each after some part; then one whole run."""
    draw = random.Random(whole.name)
    out = tmp_path / whole.name
    kills = 0
    while kills < 7:
        out.unlink(missing_ok=True)  # One that ended before it was killed starts anew.
        have = len(parts(out))
        with subprocess.Popen(
            command(fast_folder, source, out), stderr=subprocess.PIPE, text=True
        ) as process:
            more = draw.randint(0, 3)
            while process.poll() is None and len(parts(out)) < min(have + more, PARTS):
                time.sleep(0.002)
            time.sleep(draw.random() * 0.05)
            process.kill()
            process.wait()
        kills += process.returncode == -signal.SIGKILL
        # A part that was finished stays finished.
        assert out.exists() or len(parts(out)) >= have
    done = run(fast_folder, source, out)
    assert done.returncode == 0, done.stderr
    assert same(out, whole)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("whole", "number", "code"),
    [("parquet", signal.SIGTERM, 143), ("csv.gz", signal.SIGINT, 130)],
    indirect=["whole"],
)
def test_a_stopped_run_says_how_to_go_on(fast_folder, source, whole, tmp_path, number, code):
    out = tmp_path / whole.name

    def listen():
        # Where the tests run in the background, Ctrl-C is ignored, and children inherit that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(
        command(fast_folder, source, out), stderr=subprocess.PIPE, text=True, preexec_fn=listen
    ) as process:
        while len(parts(out)) < 2:  # The second is begun when the journal names the first.
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
    kept = len(parts(out))
    assert kept >= 1
    done = run(fast_folder, source, out)
    assert done.returncode == 0
    assert "from an interrupted run)" in done.stderr
    assert same(out, whole)


def test_a_full_disk_is_one_error_and_the_run_goes_on_later(fast_folder, tmp_path):
    """A file-size limit stands for the disk: parts fit, the whole does not."""
    source = tmp_path / "in.csv"
    rows = (f"We keep the data that you give to us for {n} years.\n" for n in range(200))
    source.write_text("text\n" + "".join(rows))
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    assert run(fast_folder, source, whole).returncode == 0
    limit = whole.stat().st_size // 2

    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = run(fast_folder, source, out, preexec_fn=small)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"cannot write: File too large; {len(parts(out))} finished parts are safe" in line
    assert parts(out)
    assert not out.exists()
    assert run(fast_folder, source, out).returncode == 0
    assert same(out, whole)


@pytest.fixture
def interrupted(fast_folder, source, tmp_path):
    out = tmp_path / "out.jsonl"
    with subprocess.Popen(command(fast_folder, source, out)) as process:
        while len(parts(out)) < 3:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    return out


def test_another_model_input_or_option_is_refused(
    fast_folder, fp32_folder, source, interrupted, tmp_path
):
    other = tmp_path / "in.jsonl"
    other.write_bytes(source.read_bytes() + b'\n{"text": "more"}')
    other_threads = 1 if available_cpus() > 1 else 2
    before = {path: path.read_bytes() for path in parts(interrupted)}
    for folder, given, options, named in (
        (fast_folder, source, ["--threshold", "0.3"], "other threshold is there"),
        (
            fast_folder,
            source,
            ["--threads", str(other_threads)],
            f"(was {available_cpus()}, now {other_threads})",
        ),
        (fast_folder, other, [], "other inputs is there"),
        (fp32_folder, source, [], "other model_checksum is there"),
    ):
        done = run(folder, given, interrupted, *options)
        assert done.returncode == 2
        assert named in done.stderr
        assert "or remove" in done.stderr
    assert before == {path: path.read_bytes() for path in parts(interrupted)}


def test_a_damaged_part_is_computed_again(fast_folder, source, interrupted, tmp_path):
    folder = interrupted.parent / f".{interrupted.name}.parts"
    (folder / "part-000001").write_bytes(b"junk")
    with (folder / "journal.jsonl").open("a") as journal:
        journal.write('{"number": 3, "ro')
    assert run(fast_folder, source, interrupted).returncode == 0
    assert run(fast_folder, source, tmp_path / "whole.jsonl").returncode == 0
    assert interrupted.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_two_runs_into_one_output_are_refused(fast_folder, source, interrupted):
    with (interrupted.parent / f".{interrupted.name}.parts/lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run(fast_folder, source, interrupted)
    assert done.returncode == 2
    assert "another run is writing it" in done.stderr
    assert len(parts(interrupted)) >= 3


def test_standard_input_starts_anew(fast_folder, source, tmp_path):
    out = tmp_path / "out.jsonl"
    for _ in range(2):
        done = run(fast_folder, "-", out, input=source.read_text())
        assert done.returncode == 0
    assert len(out.read_text().splitlines()) == PARTS * PART_ROWS - 4
    assert sorted(os.listdir(tmp_path)) == ["out.jsonl", "out.jsonl.meta.json"]
