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


HOCR = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://nowhere.invalid/x.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>not read</title></head><body>
<div class="ocr_page" title='image "a; bbox 9 9 9 9"; ppageno 0; bbox 0 0 300 100'>
 <p class="ocr_par"><span class="ocr_line" title="bbox 0 0 200 20">
  <span class="ocrx_word" title="bbox 0 0 90 20; x_wconf 9">left</span>
  <span class="ocrx_word" title="x_wconf 9; bbox 110 0 190 20"><strong>rig</strong>ht</span></span>
  <span class="ocr_header" title="bbox 0 30 200 50">more &amp; more&nbsp;text</span>
  <span class="ocrx_word" title="bbox 0 60 90 80">alone</span></p></div></body></html>"""

ALTO = """<?xml version="1.0"?><a:alto xmlns:a="http://www.loc.gov/standards/alto/ns-v4#">
<a:Description><a:MeasurementUnit>pixel</a:MeasurementUnit></a:Description><a:Layout>
<a:Page ID="p" PHYSICAL_IMG_NR="1"><a:PrintSpace><a:TextBlock ID="b">
<a:TextLine><a:String CONTENT="left" HPOS="0" VPOS="0" WIDTH="90" HEIGHT="20"/><a:SP/>
<a:String CONTENT="right" HPOS="110.5" VPOS="0" WIDTH="80" HEIGHT="20"/></a:TextLine>
<a:TextLine HPOS="0" VPOS="30" WIDTH="200" HEIGHT="20"><a:String CONTENT="more &amp; more text"/>
</a:TextLine><a:TextLine><a:String CONTENT="a" HPOS="0" VPOS="60" WIDTH="9" HEIGHT="20"/>
<a:String CONTENT="lo" HPOS="9" VPOS="60" WIDTH="9" HEIGHT="20" SUBS_TYPE="HypPart1"
SUBS_CONTENT="lone"/><a:HYP CONTENT="-"/></a:TextLine></a:TextBlock></a:PrintSpace></a:Page>
</a:Layout></a:alto>"""

PLACES = [{"bbox": [0, 0, 100, 20], "text": "left"}, {"bbox": [100, 0, 200, 20], "text": "right"},
          {"bbox": [0, 30, 200, 50], "text": "more & more text"},
          {"bbox": [0, 60, 90, 80], "text": "alone"}]


def test_reads_hocr_and_alto(run, sets):
    text = "left right\nmore & more text\nalone\n"
    folders = sets({"a.gt.txt": text, "a.words.json": PLACES, "b.gt.txt": text.replace("ne", "-"),
                    "b.words.json": PLACES, "c.txt": text, "d.hocr": HOCR, "e.alto.xml": ALTO},
                   {"a.png.hocr": HOCR, "b.alto.xml": ALTO, "c.hocr": HOCR, "d.png.hocr": HOCR,
                    "e.xml": ALTO})
    score = json.loads(run("eval", "--json", *folders).stdout)
    documents = {d["name"]: d for d in score["documents"]}
    assert sorted(documents) == ["a", "b", "c", "d", "e"]
    assert {name: d["cer"] for name, d in documents.items()} == dict.fromkeys("abcde", 0)
    places = {name: d["words_by_box"] and d["words_by_box"]["f1"] for name, d in documents.items()}
    assert places == {"a": 1, "b": pytest.approx(12 / 15, abs=1e-6), "c": None, "d": 1, "e": 1}


def test_units_other_than_pixels_have_no_places(run, sets):
    folders = sets({"a.gt.txt": "left right", "a.words.json": PLACES},
                   {"a.xml": ALTO.replace(">pixel<", ">mm10<")})
    assert json.loads(run("eval", "--json", *folders).stdout)["overall"]["words_by_box"] is None


@pytest.mark.parametrize("text, reason", [
    ("<html><body><p>open</body></html>", b"line 1: mismatched tag"),
    (HOCR.replace("&amp;", "&"), b"not well-formed"),
    (HOCR.replace(" PUBLIC", " [<!ENTITY a 'b'>] PUBLIC"), b"line"),
    ("<!DOCTYPE html [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><html>&b;</html>",
     b"it declares entities"),
    ("<html>" + "<div>" * 300 + "</div>" * 300 + "</html>", b"nested deeper than 256"),
    ("<html><p class='ocr_line'>" + "x" * (1 << 21) + "</p></html>", b"a line is longer than 1 MiB"),
    ("<PcGts/>", b"neither ALTO nor hOCR"),
    ("", b"no element found"),
], ids=["not-xml", "entity", "doctype", "declared", "deep", "long", "other", "empty"])
def test_markup_that_is_refused(run, sets, text, reason):
    folders = sets({"a.gt.txt": "text"}, {"a.hocr": text})
    done = run("eval", *folders)
    assert done.returncode in (2, 9) and done.stdout == b""
    assert b"a.hocr: line" in done.stderr and reason in done.stderr


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
