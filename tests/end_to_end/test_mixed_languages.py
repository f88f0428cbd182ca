"""Pages of English and German paragraphs, read with both models: each line comes out as if it had
been read with the right model (German lines by the German one; that one reads English as well), and
the same for any number of jobs."""

import json
import subprocess

import pytest

from conftest import make_samples

LANGUAGES = ("eng+deu", "deu+eng")
UMLAUTS = "äöüßÄÖÜ€"


@pytest.fixture(scope="module")
def pages(quire, tmp_path_factory):
    """Five mixed pages with truth: in turns of both languages, and single paragraphs of one."""
    if "deu" not in subprocess.run([quire, "models", "list"], capture_output=True, text=True,
                                   check=True).stdout:
        pytest.skip("the package tesseract-ocr-deu is not installed")
    folder = tmp_path_factory.mktemp("mixed")
    make_samples(folder, "--set", "mixed", "--count", "5")
    return folder


def read(quire, pages, out, languages, *options):
    subprocess.run([quire, "run", "-l", languages, "-o", out, "-f", "txt,json", "--no-timings",
                    "--progress", "none", *options, *sorted(pages.glob("*.jpg"))], check=True,
                   timeout=300)
    return {p.name: p.read_bytes() for p in out.glob("[!.]*")}


@pytest.mark.parametrize("languages", LANGUAGES)
def test_no_line_is_read_with_the_wrong_model(quire, pages, tmp_path, languages):
    read(quire, pages, tmp_path, languages)
    done = subprocess.run([quire, "eval", "--json", pages, tmp_path], check=True, capture_output=True,
                          text=True)
    for document in json.loads(done.stdout)["documents"]:
        assert document["cer"] <= 0.0015  # one line of a page in the wrong language is 0.002
    for result in tmp_path.glob("*.json"):
        for page in json.loads(result.read_text(encoding="utf-8"))["pages"]:
            lines = [line for block in page["blocks"] for line in block["lines"]]
            assert all(line["language"] == "deu" for line in lines
                       if sum(c in UMLAUTS for c in line["text"]) > 1)


def test_any_number_of_jobs_and_batch(quire, pages, tmp_path):
    expected = read(quire, pages, tmp_path / "1", LANGUAGES[0], "--jobs", "1")
    assert read(quire, pages, tmp_path / "4", LANGUAGES[0], "--jobs", "4") == expected
    for image in pages.glob("*.jpg"):
        alone = tmp_path / image.stem
        subprocess.run([quire, "run", "-l", LANGUAGES[0], "-o", alone, "-f", "txt,json", "--no-timings",
                        "--progress", "none", image], check=True, timeout=300)
        assert all(p.read_bytes() == expected[p.name] for p in alone.glob("[!.]*"))
