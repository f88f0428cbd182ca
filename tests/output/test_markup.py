"""hOCR and ALTO as their readers see them: valid whatever the text, and with what was read."""

import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_hocr  # noqa: E402 (a file of this folder)

ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
XHTML = check_hocr.XHTML
HEBREW = "\u05e9\u05dc\u05d5\u05dd"


@pytest.fixture(scope="module")
def hostile():
    """A document of hostile text in a format, as bytes."""

    def write(form):
        return subprocess.run([os.environ["WRITE_PAGE"], form], check=True, capture_output=True).stdout

    return write


def test_hostile_hocr_is_valid(hostile):
    assert list(check_hocr.check(hostile("hocr"))) == []


def test_hocr_has_text_lines_and_places(hostile):
    root = ET.fromstring(hostile("hocr"))
    pages = [e for e in root.iter(XHTML + "div") if e.get("class") == "ocr_page"]
    assert [p.get("id") for p in pages] == ["page_1", "page_2", "page_3", "page_4"]
    titles = [dict(check_hocr.properties(p.get("title"))) for p in pages]
    assert titles[0] == {"image": '"a %22b%22 <c> & \ufffd\\xFF; bbox 1 2 3 4.tif"',
                         "bbox": "0 0 1000 1400", "ppageno": "0", "scan_res": "300 300"}
    assert titles[1] == {"image": titles[0]["image"], "bbox": "0 0 0 0", "ppageno": "1"}
    assert "scan_res" not in titles[2]
    lines = [e for e in pages[0].iter(XHTML + "span") if e.get("class") == "ocr_line"]
    text = [" ".join("".join(line.itertext()).split()) for line in lines]
    assert text[0] == "Markup & entities: <b>&amp;</b> \"quoted\" 'single' ]]> <!-- -->"
    assert text[1] == "Control \ufffd\ufffd\ufffd characters and breaks \ufffd \ufffd \ufffd"
    assert text[2].startswith("Bytes \\xFF\\xC0\\xAF \\xED\\xA0\\x80 \\xF0\\x9F that")
    assert lines[0].get("title") == "bbox 100 70 720 112; baseline 0.0000 -12"
    turned = [e for e in pages[2].iter(XHTML + "span") if e.get("class") == "ocr_line"]
    assert turned[0].get("title") == "bbox 100 70 720 112; textangle 90"
    words = [e.get("title") for e in lines[0]]
    assert words[:3] == ["bbox 100 70 160 112; x_wconf 0", "bbox 170 70 180 112; x_wconf 100",
                         "bbox 190 70 280 112; x_wconf 0"]


def test_hocr_tells_language_and_direction(hostile):
    root = ET.fromstring(hostile("hocr"))
    paragraphs = [e for e in root.iter(XHTML + "p")]
    assert paragraphs[0].get("lang") == "en"
    lines = [e for e in root.iter(XHTML + "span") if e.get("class") == "ocr_line"]
    assert lines[1].get("lang") == "de"
    hebrew = next(line for line in lines if HEBREW in "".join(line.itertext()))
    around = next(p for p in paragraphs if hebrew in list(p))
    assert "rtl" in (hebrew.get("dir"), around.get("dir"))


def test_hostile_alto_is_valid(hostile, shared, tmp_path):
    schema = shared / "schemas" / "alto-4-4.xsd"
    if not schema.exists():
        pytest.skip(f"no schema at {schema}")
    (tmp_path / "x.xml").write_bytes(hostile("alto"))
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, tmp_path / "x.xml"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_alto_has_text_and_places(hostile):
    root = ET.fromstring(hostile("alto"))
    pages = list(root.iter(ALTO + "Page"))
    assert [p.get("PHYSICAL_IMG_NR") for p in pages] == ["1", "2", "3", "4"]
    assert (pages[1].get("QUALITY"), pages[1].get("QUALITY_DETAIL")) == ("Damaged",
                                                                        '<"bad\ufffd\\xFF">')
    assert (pages[0].get("ROTATION"), pages[2].get("ROTATION")) == (None, "90")
    ids = [e.get("ID") for e in root.iter() if e.get("ID")]
    assert len(set(ids)) == len(ids)
    line = next(root.iter(ALTO + "TextLine"))
    assert line.get("BASELINE") == "100.0,100.0 720.0,100.0"
    assert [e.tag for e in line][:3] == [ALTO + "String", ALTO + "SP", ALTO + "String"]
    word, space = line[2], line[1]
    assert [word.get(k) for k in ("HPOS", "VPOS", "WIDTH", "HEIGHT", "CONTENT", "WC")] == [
        "170", "70", "10", "42", "&", "1.0000"]
    assert [space.get(k) for k in ("HPOS", "WIDTH")] == ["160", "10"]
    assert any(e.get("BASEDIRECTION") == "rtl" for e in root.iter(ALTO + "TextLine"))


def test_alto_marks_split_words(hostile):
    page = next(ET.fromstring(hostile("alto")).iter(ALTO + "Page"))
    parts = [(e.get("SUBS_TYPE"), e.get("CONTENT"), e.get("SUBS_CONTENT"))
             for e in page.iter(ALTO + "String") if e.get("SUBS_TYPE")]
    assert parts == [("HypPart1", "hyphen", "hyphenated"), ("HypPart2", "ated", "hyphenated")]
    assert [e.get("CONTENT") for e in page.iter(ALTO + "HYP")] == ["-"]


def test_checker_finds_offences(hostile):
    """The checker itself: damage of each kind is found."""
    good = hostile("hocr").decode()
    damages = [("x_wconf 100", "x_wconf 101"), ('id="word_1_2"', 'id="word_1_1"'),
               ('class="ocr_par"', 'class="ocr_line"'), ("bbox 170 70 180 112", "bbox 170 70 1800 112"),
               ("; x_wconf 100", ""), ("baseline 0.0000 -12", "baseline 0.0000"),
               (" ocrx_word ocrp_lang", " ocrp_lang"), ("</body>", ""), ('content="quire', 'content="')]
    for old, new in damages:
        assert old in good
        assert list(check_hocr.check(good.replace(old, new, 1).encode())), (old, new)
