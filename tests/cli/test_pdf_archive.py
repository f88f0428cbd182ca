"""PDF/A-2b (--pdfa) as a user meets it: PDFs whose content allows it become PDF/A and look as before,
others are refused with what is in the way and a remedy. The results are checked by what qpdf says of
their objects."""

import io
import json
import re
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFont
from pdf_files import pdf_bytes, pdf_of_pages, stream, text_content

LINES = ("The quick brown fox jumps", "over the lazy dog and reads", "quietly beside a warm fire.")
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
FORBIDDEN = {"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide",
             "/SetOCGState", "/Rendition", "/Trans", "/GoTo3DView"}


def tool(*args):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True,
                          timeout=120).stdout


# ---- what PDF/A-2b asks for, as far as objects show it

def below(value):
    """All dictionaries within a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) \
            else ():
        yield from below(inner)


def check_dictionary(d):
    assert "/AA" not in d and "/EF" not in d and "/XFA" not in d
    if "/S" in d and isinstance(d["/S"], str):
        assert d["/S"] not in FORBIDDEN
    assert d.get("/Interpolate", False) is False and "/Alternates" not in d
    for key in ("/TR", "/HTP", "/OPI", "/FFilter"):
        assert key not in d
    kind = d.get("/Subtype")
    if d.get("/Type") == "/Annot" and kind != "/Popup":
        assert d["/F"] & 4 and not d["/F"] & (1 | 2 | 32 | 256)
        assert kind == "/Link" or set(d["/AP"]) == {"/N"}
    if d.get("/Type") == "/FontDescriptor":
        assert any(key in d for key in ("/FontFile", "/FontFile2", "/FontFile3"))
    if kind == "/CIDFontType2":
        assert "/CIDToGIDMap" in d


def check_archive(path):
    """Asserts that a file has the marks of PDF/A-2b; its objects."""
    tool("qpdf", "--check", path)
    data = path.read_bytes()
    assert re.match(rb"%PDF-1\.[4-7]\n%[\x80-\xff]{4}", data)
    assert not re.search(rb"[^\r\n]endstream", data)
    objects = json.loads(tool("qpdf", "--json=2", "--json-key=qpdf", path))["qpdf"][1]
    trailer = objects["trailer"]["value"]
    assert "/Encrypt" not in trailer and len(trailer["/ID"]) == 2
    for name, value in objects.items():
        is_stream = "stream" in value
        held = value["stream"]["dict"] if is_stream else value["value"]
        for d in below(held):
            check_dictionary(d)
        if is_stream:
            assert "LZW" not in str(held.get("/Filter")) and "/F" not in held, name
    catalog = objects["obj:" + trailer["/Root"]]["value"]
    xmp = tool("qpdf", "--show-object=" + catalog["/Metadata"].split()[0], "--raw-stream-data", path)
    assert b"<pdfaid:part>2</" in xmp and b"<pdfaid:conformance>B</" in xmp
    intents = [i for i in catalog["/OutputIntents"] if i["/S"] == "/GTS_PDFA1"]
    profile = tool("qpdf", "--show-object=" + intents[0]["/DestOutputProfile"].split()[0],
                   "--filtered-stream-data", path)
    assert len(intents) == 1 and int.from_bytes(profile[:4], "big") == len(profile)
    assert profile[36:40] == b"acsp"
    return objects, xmp.decode()


def rendered(path, size=(600, 350)):
    png = tool("pdftocairo", "-png", "-singlefile", "-scale-to-x", size[0], "-scale-to-y", size[1],
               path, "-")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


# ---- documents

def font_objects(number, descriptor=b"/Flags 32", entries=b"/Encoding /WinAnsiEncoding"):
    """A TrueType font that is embedded: font, descriptor, program, numbered from number on."""
    face = ImageFont.truetype(FONT, 1000)
    widths = b" ".join(b"%d" % face.getlength(chr(c)) for c in range(32, 127))
    with open(FONT, "rb") as file:
        program = file.read()
    return [b"<< /Type /Font /Subtype /TrueType /BaseFont /DejaVuSans /FirstChar 32 /LastChar 126 "
            b"/Widths [%s] /FontDescriptor %d 0 R %s >>" % (widths, number + 1, entries),
            b"<< /Type /FontDescriptor /FontName /DejaVuSans /FontBBox [-1021 -463 1793 1232] "
            b"/ItalicAngle 0 /Ascent 928 /Descent -236 /CapHeight 730 /StemV 80 /CharSet (/a) "
            b"/FontFile2 %d 0 R %s >>" % (number + 2, descriptor),
            stream(zlib.compress(program), b"/Filter /FlateDecode /Length1 %d" % len(program))]


def document(draw_page, catalog=b"", page=b"", resources=b"", image=b"/ColorSpace /DeviceGray",
             content=b"", font=None, extra=(), trailer=b"", shown=b"(Stamped here) Tj"):
    """A scan with a stamp of text below it, and what is added; extra: objects from 9 on."""
    picture = draw_page(*LINES)
    pixels = stream(zlib.compress(picture.tobytes()),
                    b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 "
                    b"/Filter /FlateDecode %s" % (*picture.size, image))
    return pdf_bytes([
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] /MediaBox [0 0 432 252] >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /XObject << /I 4 0 R >> "
        b"/Font << /F 6 0 R >> %s >> %s >>" % (resources, page),
        pixels,
        stream(b"q 432 0 0 172.8 0 70 cm /I Do Q %s BT /F 12 Tf 43 30 Td %s ET" % (content, shown)),
        *(font or font_objects(6)), *extra], trailer)


def lzw(data):
    """LZW of codes of nine bits, the table cleared before they grow."""
    codes = []
    for at in range(0, len(data), 250):
        codes += [256, *data[at:at + 250]]
    bits = "".join(f"{c:09b}" for c in codes + [257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


FORM = stream(b"0 1 0 rg 0 0 20 10 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 20 10] "
              b"/Resources << >>")


@pytest.fixture
def archive(run, tmp_path):
    """Writes a PDF and makes it PDF/A; the result's path, or the message where it is refused."""

    def call(data, name="in.pdf", *args):
        (tmp_path / name).write_bytes(data)
        done = run("run", "-o", "out", "-f", "pdf,txt", "--overwrite", "--pdfa", *args, name)
        if done.returncode == 0:
            return tmp_path / "out" / f"{name}.pdf"
        assert done.returncode == 4, done.stderr
        assert not list((tmp_path / "out").glob(f"{name}*"))
        return done.stderr.decode()

    return call


def check_same(tmp_path, result):
    assert (rendered(result) == rendered(tmp_path / "in.pdf")).all()


# ---- what becomes PDF/A

def test_a_plain_pdf(archive, draw_page, tmp_path):
    result = archive(document(draw_page))
    check_archive(result)
    check_same(tmp_path, result)
    text = tool("pdftotext", result, "-").decode().split()
    assert sorted(text) == sorted(" ".join(LINES).split() + ["Stamped", "here"])
    again = archive(result.read_bytes(), "again.pdf")
    assert again.read_bytes() == result.read_bytes()


def test_a_pdf_whose_text_is_all_there(archive):
    result = archive(pdf_bytes([
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        stream(text_content("These words are text already.")), *font_objects(5)]))
    check_archive(result)
    assert tool("pdftotext", result, "-").decode().split() == "These words are text already.".split()


def test_what_is_not_seen_is_changed(archive, draw_page, tmp_path):
    objects, _ = check_archive(archive(document(
        draw_page,
        catalog=b"/OpenAction << /S /JavaScript /JS (x) >> /AA << /WC << /S /JavaScript /JS (x) >> >> "
        b"/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >> "
        b"/Requirements [] /OCProperties << /OCGs [9 0 R] /D << /AS [] /Order [] >> >> "
        b"/AcroForm << /Fields [11 0 R] >>",
        page=b"/AA << /O << /S /Launch /F (a) >> >> /Annots [10 0 R 11 0 R 12 0 R 13 0 R 14 0 R] "
        b"/Metadata 16 0 R",
        resources=b"/ExtGState << /G << /TR /Identity /HTP [0 0] /BM /Multiply >> >>",
        content=b"/G gs",
        image=b"/ColorSpace /DeviceGray /Interpolate true",
        extra=[
            b"<< /Type /OCG /Name (Layer) >>",
            b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F (a) >> >>",
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [99 5 199 20] "
            b"/A << /S /URI /URI (b:) >> >>",
            b"<< /Type /Annot /Subtype /Link /Rect [0 9 9 19] /A << /S /URI /URI (a:) "
            b"/Next [<< /S /Hide /T (a) >> << /S /GoTo /D [3 0 R /Fit] >>] >> >>",
            b"<< /Type /Annot /Subtype /Stamp /F 256 /Rect [250 5 270 15] "
            b"/AP << /N 15 0 R /D 15 0 R >> >>",
            b"<< /Type /Annot /Subtype /Square /Rect [280 5 300 15] /AS /A "
            b"/AP << /N << /A 15 0 R /B 15 0 R >> >> >>",
            FORM, stream(b"<x/>", b"/Type /Metadata /Subtype /XML")])))
    check_same(tmp_path, tmp_path / "out" / "in.pdf.pdf")
    dictionaries = [d for value in objects.values() for d in below(value)]
    assert any(d.get("/URI") == "u:a:" for d in dictionaries)
    assert any(d.get("/S") == "/GoTo" for d in dictionaries)
    assert not any(d.get("/URI") == "u:b:" for d in dictionaries)  # of a field
    layers = next(d["/OCProperties"] for d in dictionaries if "/OCProperties" in d)
    assert layers["/D"] == {"/Name": "u:Layers 1"}


def test_a_button_that_is_listed_many_times(archive, draw_page):
    looks = b" ".join(b"/%d 10 0 R" % i for i in range(1000))
    button = (b"<< /Type /Annot /Subtype /Widget /FT /Btn /F 4 /Rect [10 10 30 20] /AS /0 "
              b"/AP << /N << %s >> >> >>" % looks)
    check_archive(archive(document(draw_page, page=b"/Annots [%s]" % (b"9 0 R " * 2000),
                                   extra=[button, FORM])))


def test_lzw_is_coded_anew(archive, draw_page, tmp_path):
    content = lzw(b"1 0 0 rg 10 10 20 20 re f")
    data = document(draw_page, page=b"/Annots [9 0 R]", extra=[
        b"<< /Type /Annot /Subtype /Stamp /F 4 /Rect [250 5 290 45] /AP << /N 10 0 R >> >>",
        stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 40 40] /Filter /LZWDecode")])
    result = archive(data)
    check_archive(result)
    check_same(tmp_path, result)
    assert (rendered(result)[:, :, 0] - rendered(result)[:, :, 1] > 200).any()


def test_the_description_is_in_the_metadata(archive, draw_page):
    _, xmp = check_archive(archive(document(
        draw_page, extra=[b"<< /Title <FEFF00DC0062006500720020003C0026> /Author (A. U. Thor) "
                          b"/Producer () /CreationDate (D:20240229123059+01'30') /ModDate (June) >>"],
        trailer=b"/Info 9 0 R")))
    assert '<rdf:li xml:lang="x-default">Über &lt;&amp;</rdf:li>' in xmp
    assert "<dc:creator><rdf:Seq><rdf:li>A. U. Thor</rdf:li>" in xmp
    assert "<xmp:CreateDate>2024-02-29T12:30:59+01:30</" in xmp
    assert "ModifyDate" not in xmp and "Producer" not in xmp


def test_invisible_text_needs_no_font(archive, draw_page, tmp_path):
    font = [b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>", b"null", b"null"]
    for around in (b"3 Tr %s", b"3 Tr q 0 Tr Q %s"):
        result = archive(document(draw_page, font=font, shown=around % b"(Stamped here) Tj"))
        assert isinstance(result, type(tmp_path)), result
    assert "a font is not embedded (Courier)" in archive(
        document(draw_page, font=font, shown=b"3 Tr (Stamped) Tj 0 Tr (here) Tj"), "other.pdf")


def test_an_encrypted_and_a_damaged_pdf(archive, draw_page, tmp_path):
    (tmp_path / "plain.pdf").write_bytes(document(draw_page))
    tool("qpdf", "--encrypt", "geheim", "owner", "256", "--", tmp_path / "plain.pdf",
         tmp_path / "locked.pdf")
    check_archive(archive((tmp_path / "locked.pdf").read_bytes(), "in.pdf", "--password", "geheim"))
    data = document(draw_page)
    check_archive(archive(data[:data.rindex(b"xref\n0")] + b"trailer\n<< /Root 1 0 R >>\n"))


def cmyk_profile():
    head = bytearray(132)
    head[0:4] = len(head).to_bytes(4, "big")
    head[8], head[12:24], head[36:40] = 2, b"prtrCMYKLab ", b"acsp"
    return stream(bytes(head), b"/N 4")


@pytest.mark.parametrize("standard", [b"GTS_PDFA1", b"GTS_PDFX"])
def test_inks_with_a_profile_of_the_document(archive, draw_page, standard):
    intent = b"/OutputIntents [<< /S /%s /OutputConditionIdentifier (x) /DestOutputProfile 9 0 R >>]"
    check_archive(archive(document(draw_page, catalog=intent % standard, content=b"0 0 0 1 k",
                                   extra=[cmyk_profile()])))
    message = archive(document(draw_page, catalog=intent % standard, content=b"1 0 0 rg",
                               extra=[cmyk_profile()]), "other.pdf")
    assert "page 1: RGB colours" in message


# ---- what is refused

BROKEN_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
DEEP = b"q " * 29 + b"Q " * 29
STAMP = b"<< /Type /Annot /Subtype /Stamp /Rect [0 0 9 9] %s >>"
OBSTACLES = {
    "font": ({"font": [BROKEN_FONT, b"null", b"null"]},
             "page 1: a font is not embedded (Helvetica); make it anew with its fonts embedded"),
    "symbols": ({"font": font_objects(6, b"/Flags 4")},
                "page 1: a font is not made as PDF/A asks (DejaVuSans)"),
    "inks": ({"content": b"0 0 0 1 k"}, "page 1: colours of inks (CMYK) without a profile; convert"),
    "separation": ({"image": b"/ColorSpace [/Separation /Gold /DeviceCMYK << /FunctionType 2 /N 1 "
                             b"/Domain [0 1] /C0 [0 0 0 0] /C1 [0 0 0 1] >>]"}, "colours of inks"),
    "group": ({"page": b"/Group << /S /Transparency /CS /DeviceCMYK >>"}, "colours of inks"),
    "profile": ({"image": b"/ColorSpace [/ICCBased 9 0 R]", "extra": [stream(b"none", b"/N 1")]},
                "a colour profile is damaged"),
    "transfer": ({"content": b"/G gs", "resources": b"/ExtGState << /G << /TR << /FunctionType 2 /N 1 "
                                                    b"/Domain [0 1] /C0 [1] /C1 [0] >> >> >>"},
                 "a transfer function"),
    "operator": ({"content": b"1 0 0 rgb"}, "an operator that PDF does not have (rgb)"),
    "resource": ({"content": b"/None gs"}, "something is named that is not there (/None)"),
    "nesting": ({"content": DEEP}, "nested deeper than 28"),
    "long": ({"catalog": b"/A (%s)" % (b"x" * 32768)}, "a value larger than PDF/A allows"),
    "page size": ({"page": b"/MediaBox [0 0 432 14401]"}, "larger than 14400 points"),
    "bits": ({"image": b"/ColorSpace /DeviceGray /BitsPerComponent 3"}, "an image is not coded"),
    "external": ({"extra": [stream(b"", b"/F (other)")], "catalog": b"/Other 9 0 R"},
                 "something lies in another file"),
    "postscript": ({"content": b"/P Do", "resources": b"/XObject << /P 9 0 R /I 4 0 R >>",
                    "extra": [stream(b"", b"/Type /XObject /Subtype /PS")]}, "PostScript"),
    "annotation": ({"page": b"/Annots [<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] >>]"},
                   "an annotation of a kind that PDF/A does not have (Movie); delete it"),
    "appearance": ({"page": b"/Annots [%s]" % (STAMP % b"")}, "left to the viewer (Stamp)"),
    "value": ({"page": b"/Annots [<< /Subtype /Widget /FT /Tx /V (a) /Rect [0 0 9 9] >>]"},
              "left to the viewer (Widget)"),
    "hidden": ({"page": b"/Annots [%s]" % (STAMP % b"/F 2 /AP << /N 9 0 R >>"), "extra": [FORM]},
               "page 1: a hidden annotation or field (Stamp)"),
    "xfa": ({"catalog": b"/AcroForm << /XFA (x) /Fields [] >>"}, "an XFA form"),
    "attachment": ({"catalog": b"/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (a) "
                               b"/EF << /F 9 0 R >> >>] >> >>", "extra": [stream(b"a")]},
                   "attached files; take them out first"),
    "signature": ({"catalog": b"/AcroForm << /Fields [<< /FT /Sig /V << /ByteRange [0 1 2 3] "
                              b"/Contents (x) >> >>] >>"}, "a digital signature"),
    "drawn font": ({"font": [b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix "
                             b"[1 0 0 1 0 0] /CharProcs << /a 9 0 R >> /Encoding << /Differences "
                             b"[97 /a] >> /FirstChar 97 /LastChar 97 /Widths [1] >>", b"null",
                             b"null"],
                    "extra": [stream(b"1 0 d0 0 0 0 1 k 0 0 1 1 re f")], "shown": b"(a) Tj"},
                   "colours of inks"),
    "pattern": ({"content": b"/Pattern cs /P scn 0 0 9 9 re f",
                 "resources": b"/Pattern << /P << /PatternType 2 /Shading << /ShadingType 2 "
                              b"/ColorSpace /DeviceCMYK /Coords [0 0 1 1] /Function << /FunctionType 2 "
                              b"/N 1 /Domain [0 1] /C0 [0 0 0 0] /C1 [0 0 0 1] >> >> >> >>"},
                "colours of inks"),
    "inline": ({"content": b"q 9 0 0 9 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /CMYK ID abcd EI Q"},
               "colours of inks"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_obstacles_are_named(archive, draw_page, name):
    changes, expected = OBSTACLES[name]
    message = archive(document(draw_page, **changes))
    assert expected in message and "or leave out --pdfa" in message
    assert message.startswith("quire: in.pdf: cannot be PDF/A: ")


def test_several_obstacles(archive):
    data = pdf_of_pages([text_content("Some words."), b"0 0 0 1 k", b"foo", DEEP])
    assert ("page 1: a font is not embedded (Helvetica); page 2: colours of inks (CMYK) without a "
            "profile; page 3: an operator that PDF does not have (foo); and 1 more; make it anew with "
            "its fonts embedded, or leave out --pdfa") in archive(data)


def test_forms_that_show_each_other_end(archive, draw_page):
    forms = [stream(b"/A Do /B Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
                    b"/Resources << /XObject << /A 9 0 R /B 10 0 R >> >>")] * 2
    archive(document(draw_page, content=b"/A Do", extra=forms,
                     resources=b"/XObject << /I 4 0 R /A 9 0 R >>"))
