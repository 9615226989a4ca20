"""A real Ray of two nodes on this machine, one of which is taken away during the run."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clauselens import ClauseClassifier
from clauselens.errors import InputError, OutputError
from clauselens.inference.batch import BatchOptions, predict_files
from clauselens.inference.export import gate_inputs
from clauselens.inference.rows import Columns

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
OPTIONS = BatchOptions(columns=Columns(keep=("*",)))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two files of many row groups, with a bad row."""
    folder = tmp_path_factory.mktemp("cluster")
    rows = [{"text": row.text, "section": row.section} for row in gate_inputs()]
    rows[123]["text"] = None
    for name, part in (("a", rows[:600]), ("b", rows[600:])):
        pq.write_table(pa.Table.from_pylist(part), folder / f"{name}.parquet", row_group_size=40)
    return folder


@pytest.fixture(scope="module")
def local(fp32_folder, source, tmp_path_factory):
    out = tmp_path_factory.mktemp("local") / "out.parquet"
    predict_files(ClauseClassifier.load(fp32_folder), [source], out, OPTIONS)
    return pq.read_table(out).to_pylist()


def rows_of(out: Path):
    files = sorted(out.glob("part-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def equal(found, expected):
    assert len(found) == len(expected) == 1000
    for one, other in zip(found, expected, strict=True):
        for key in one:
            if key.startswith("score_"):
                assert one[key] == pytest.approx(other[key], abs=1e-4)
            else:
                assert one[key] == other[key]


def test_a_lost_node_costs_nothing(fp32_folder, source, local, tmp_path):
    import ray
    from ray.cluster_utils import Cluster

    from clauselens.inference.cluster import SUCCESS, predict_on_cluster

    out = tmp_path / "out"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    done: list[object] = []

    def work():
        done.append(
            predict_on_cluster(
                str(fp32_folder), [str(source)], str(out), OPTIONS, address=cluster.address
            )
        )

    try:
        thread = threading.Thread(target=work)
        thread.start()
        while len(list(out.glob("part-*.parquet"))) < 6:
            assert thread.is_alive()
            time.sleep(0.05)
        assert len(list(out.glob("part-*.parquet"))) < 25
        cluster.remove_node(second, allow_graceful=False)
        thread.join(timeout=300)
        assert not thread.is_alive()
    finally:
        ray.shutdown()
        cluster.shutdown()
    (summary,) = done
    assert (summary.rows, summary.errors) == (1000, 1)
    assert (out / SUCCESS).is_file()
    assert len(list(out.glob("part-*.parquet"))) == 25
    equal(rows_of(out), local)


def test_an_interrupted_run_computes_what_is_missing(fp32_folder, source, local, tmp_path):
    import ray

    from clauselens.inference.cluster import SUCCESS, predict_on_cluster

    out = tmp_path / "out"
    arguments = (str(fp32_folder), [str(source)], str(out))
    try:
        predict_on_cluster(*arguments, OPTIONS, address="local")
        (out / SUCCESS).unlink()
        (out / "part-000003.parquet").unlink()
        again = predict_on_cluster(*arguments, OPTIONS, address="local")
    finally:
        ray.shutdown()
    assert again.rows - again.resumed == 40
    equal(rows_of(out), local)
    with pytest.raises(InputError, match="a run of other threshold is there"):
        predict_on_cluster(*arguments, replace(OPTIONS, threshold=0.3), address="local")


def test_bad_options_are_named(fp32_folder, source, tmp_path):
    import ray

    from clauselens.inference.cluster import predict_on_cluster

    strict = replace(OPTIONS, strict=True)
    (tmp_path / "file").write_text("x")
    try:
        for inputs, out, options, message in (
            (str(source / "none.parquet"), "a", OPTIONS, "none.parquet: no such file"),
            (str(tmp_path), "b", OPTIONS, "no .parquet file in this folder"),
            (str(source), "c", replace(OPTIONS, threshold=2.0), "threshold of 'scope' is 2"),
            (str(source), "strict", strict, r"a\.parquet:124: no text"),
        ):
            with pytest.raises(InputError, match=message):
                predict_on_cluster(
                    str(fp32_folder), [inputs], str(tmp_path / out), options, address="local"
                )
        with pytest.raises(OutputError, match="file: cannot write"):
            predict_on_cluster(
                str(fp32_folder), [str(source)], str(tmp_path / "file"), OPTIONS, address="local"
            )
    finally:
        ray.shutdown()
