"""`quire eval`: pairing of files, the table, JSON, and agreement with known figures."""

import json

import pytest


@pytest.fixture
def sets(tmp_path):
    """A folder of truth and one of results; a function fills them."""

    def fill(truth, results):
        for folder, files in (("truth", truth), ("results", results)):
            for name, text in files.items():
                path = tmp_path / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text if isinstance(text, str) else json.dumps(text))
        return tmp_path / "truth", tmp_path / "results"

    return fill


def test_figures_of_a_set(run, sets):
    folders = sets({"a.gt.txt": "one two three\n", "b.gt.txt": "four"},
                   {"a.png.txt": "one too three\n", "b.txt": "four"})
    done = run("eval", *folders)
    assert (done.returncode, done.stderr) == (0, b"")
    rows = {row.split()[0]: row.split()[1:] for row in done.stdout.decode().splitlines()}
    assert rows["a"] == ["13", "0.0769", "0.3333", "0.6667", "0.6667", "0.6667", "-", "-"]
    assert rows["overall"] == ["17", "0.0588", "0.2500", "0.7500", "0.7500", "0.7500", "-", "-"]
    score = json.loads(run("eval", "--json", *folders).stdout)
    assert score["schema"] == "quire-eval/1"
    assert score["overall"]["cer"] == pytest.approx(1 / 17, abs=1e-6)
    assert [d["name"] for d in score["documents"]] == ["a", "b"]


def test_pairs_by_stem(run, sets):
    names = {"8071_093.3B": "8071_093.3B.tif.txt", "x": "x.json", "d/y": "d/y.png.txt"}
    folders = sets({f"{stem}.gt.txt": "text" for stem in names} | {"lost.gt.txt": "t", "x.png": ""},
                   {name: "text" if name.endswith("txt") else
                    {"schema": "quire/1", "pages": [{"index": 0, "blocks": [
                        {"lines": [{"text": "text", "words": []}]}]}]} for name in names.values()}
                   | {"extra.txt": "t", "x.tsv": "t"})
    done = run("eval", "--json", *folders)
    score = json.loads(done.stdout)
    assert sorted(d["name"] for d in score["documents"]) == sorted(names)
    assert score["overall"]["cer"] == 0
    assert (score["truth_without_result"], score["result_without_truth"]) == (["lost"], ["extra"])
    assert b"lost.gt.txt: a truth without result; not counted" in done.stderr
    assert b"extra.txt: a result without truth; not counted" in done.stderr


def test_words_by_box(run, sets):
    def word(text, x):
        return {"text": text, "box": [x, 0, x + 40, 20]}

    folders = sets(
        {"a.txt": "left right", "a.lines.json": [{"bbox": [0, 0, 100, 20], "text": "left"},
                                                 {"bbox": [100, 0, 200, 20], "text": "right"}]},
        {"a.png.json": {"pages": [{"index": 0, "blocks": [{"lines": [
            {"text": "right left", "words": [word("right", 10), word("left", 50)]}]}]}]}})
    score = json.loads(run("eval", "--json", *folders).stdout)["overall"]
    assert score["words"]["f1"] == 1
    assert (score["words_by_box"]["matched"], score["words_by_box"]["truth"]) == (1, 2)


def test_options(run, sets):
    folders = sets({"a.gt.txt": "A \"quote\" ~"}, {"a.txt": "a \u201cquote\u201d 5"})
    rows = {option: json.loads(run("eval", "--json", *option.split(), *folders).stdout)["overall"]
            ["character_errors"] for option in
            ("", "--case-fold", "--exact-marks", "--no-wildcards")}
    assert rows == {"": 1, "--case-fold": 0, "--exact-marks": 3, "--no-wildcards": 2}


def test_wrong_folders(run, sets, tmp_path):
    truth, results = sets({"a.gt.txt": "text"}, {"b.txt": "text"})
    done = run("eval", tmp_path / "none", results)
    assert done.returncode == 5 and b"none: the folder cannot be read" in done.stderr
    done = run("eval", truth, results)
    assert done.returncode == 5 and done.stdout == b""
    (results / "a.json").write_text("{")
    done = run("eval", truth, results)
    assert done.returncode == 2 and b"a.json: not JSON" in done.stderr
