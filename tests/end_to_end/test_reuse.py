"""Pages and lines that come again give the bytes that they give alone, and the report says how many
were not read again."""

import json
import subprocess

import pytest
from PIL import Image


@pytest.fixture(scope="module")
def pages(samples):
    """Three small pages: parts of two documents, the second of which shares lines with the first."""
    page = Image.open(next(samples.glob("two-columns.[!g]*"))).convert("L")
    width, height = page.size
    first = page.crop((0, 0, width, height // 6))
    second = page.crop((0, 0, width, height // 7))
    third = Image.open(next(samples.glob("receipt.[!g]*"))).convert("L")
    return [first, second, third]


def read(quire, folder, jobs, paths, *options):
    """({name of a JSON result: its pages without their numbers}, {name of a text: its bytes}, the
    report's summary)."""
    subprocess.run([quire, "run", "-o", folder, "-f", "json,txt", "--no-timings", "--progress", "none",
                    "--jobs", str(jobs), "--report", folder / "report", *options, *paths], check=True,
                   timeout=600)
    results = {p.name: [{k: v for k, v in page.items() if k != "index"}
                        for page in json.loads(p.read_text())["pages"]]
               for p in folder.glob("[!.]*.json")}
    texts = {p.name: p.read_bytes() for p in folder.glob("*.txt")}
    return results, texts, json.loads((folder / "report").read_text())["summary"]


@pytest.fixture(scope="module")
def alone(quire, pages, tmp_path_factory):
    """What each page reads as by itself: as JSON, and as text."""
    folder = tmp_path_factory.mktemp("alone")
    as_json, as_text = [], []
    for i, page in enumerate(pages):
        page.save(folder / f"{i}.png", dpi=(300, 300))
        results, texts, summary = read(quire, folder / f"out-{i}", 1, [folder / f"{i}.png"], "--anew")
        assert summary["pages"]["reused"] == 0 and summary["lines"]["reused"] == 0
        as_json.append(results[f"{i}.png.json"][0])
        as_text.append(texts[f"{i}.png.txt"])
    assert all(len(text) > 100 for text in as_text)
    return as_json, as_text


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_document_of_repeated_pages(quire, pages, alone, tmp_path, jobs):
    """More pages than are in flight at once, so that some come when those like them are finished."""
    order = [0, 1, 2] + [0, 2, 0, 1] * 8
    many = tmp_path / "many.tif"
    pages[0].save(many, save_all=True, append_images=[pages[i] for i in order[1:]], dpi=(300, 300))
    results, texts, summary = read(quire, tmp_path / "out", jobs, [many])
    assert results["many.tif.json"] == [alone[0][i] for i in order]
    assert texts["many.tif.txt"] == b"\f".join(alone[1][i] for i in order)
    assert summary["pages"]["read"] == len(order)
    assert 0 < summary["pages"]["reused"] <= len(order) - 3
    assert 0 < summary["lines"]["reused"] < summary["lines"]["read"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_documents_of_one_page(quire, pages, alone, tmp_path, jobs):
    paths = []
    for i in range(12):
        paths.append(tmp_path / f"{i:02d}.png")
        pages[i % 3].save(paths[-1], dpi=(300, 300))
    results, texts, summary = read(quire, tmp_path / "out", jobs, paths)
    for i, path in enumerate(paths):
        assert results[f"{path.name}.json"] == [alone[0][i % 3]]
        assert texts[f"{path.name}.txt"] == alone[1][i % 3]
    assert summary["pages"]["read"] == 12
    assert 0 < summary["lines"]["reused"] < summary["lines"]["read"]


def test_the_summary_says_it(quire, pages, tmp_path):
    for name in ("a.png", "b.png"):
        pages[0].save(tmp_path / name, dpi=(300, 300))
    run = [quire, "run", "-o", tmp_path, "--jobs", "1", "--overwrite", tmp_path / "a.png",
           tmp_path / "b.png"]
    done = subprocess.run(run, check=True, capture_output=True, timeout=300)
    assert b"quire:   reused         " in done.stderr
    done = subprocess.run([*run, "--anew"], check=True, capture_output=True, timeout=300)
    assert b"reused" not in done.stderr
