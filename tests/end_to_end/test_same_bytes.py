"""The same documents give the same bytes: for any number of jobs, in any order, however they are
batched, at every CPU level."""

import os
import random
import subprocess

import pytest


@pytest.fixture(scope="module")
def expected(quire, documents, tmp_path_factory):
    """Results of one job, in order, at the processor's own level."""
    return read(quire, documents, tmp_path_factory.mktemp("expected"), jobs=1)


def read(quire, documents, out, jobs, level=None):
    """{name of a result: its bytes}."""
    env = {k: v for k, v in os.environ.items() if k != "QUIRE_CPU"}
    if level:
        env["QUIRE_CPU"] = level
    subprocess.run([quire, "run", "-o", out, "-f", "txt,json,tsv,hocr,alto,md", "--no-timings",
                    "--progress", "none", "--jobs", str(jobs), *documents],
                   check=True, env=env, timeout=600)
    results = {p.name: p.read_bytes() for p in out.glob("[!.]*")}
    assert len(results) == 6 * len(documents)
    assert all(results.values())
    return results


@pytest.mark.parametrize("jobs", [2, 4, 8])
def test_any_number_of_jobs(quire, documents, expected, tmp_path, jobs):
    assert read(quire, documents, tmp_path, jobs) == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order(quire, documents, expected, tmp_path, seed):
    shuffled = random.Random(seed).sample(documents, len(documents))
    assert read(quire, shuffled, tmp_path, jobs=2) == expected


def test_alone(quire, documents, expected, tmp_path):
    """A document read alone, so that its lines have no others beside them in a batch."""
    for i, document in enumerate(documents[:3]):
        for name, text in read(quire, [document], tmp_path / str(i), jobs=1).items():
            assert text == expected[name]


@pytest.mark.parametrize("level", ["scalar", "avx2", "avx512vnni", "amx"])
def test_every_cpu_level(quire, documents, expected, tmp_path, level):
    """A level the processor has not is capped to the highest it has. A few documents only: the
    scalar level is slow."""
    few = documents[:3]
    results = read(quire, few, tmp_path, jobs=2, level=level)
    assert results == {name: expected[name] for name in results}
