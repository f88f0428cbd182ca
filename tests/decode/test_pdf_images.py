"""Pages that are one image: decoded without being drawn, and the same as if they were drawn."""
import os

import numpy as np
import pytest
from PIL import Image

from pdf_files import pdf_bytes, pdf_of_pages, stream
from pdf_images import KINDS, coded, page_of, profiled

SANITIZED = os.environ.get("SANITIZED") == "1"

# Drawn, since a rectangle is visible too; it is white and lies at the lower left corner.
DRAWN = b" 1 g 0 0 .001 .001 re f"
FULL = b"612 0 0 792 0 0 cm /I Do"
MAX_DIFFERENCE = 2  # levels, in the mean


def shown(tmp_path, decode_one, image_object, content, entries=b""):
    """The page as it is decoded, and as it is drawn."""
    pages = []
    for more in (b"", DRAWN):
        path = tmp_path / "a.pdf"
        path.write_bytes(page_of(image_object, b"q " + content + b" Q" + more, entries))
        got = decode_one(path)
        assert not got.errors
        pages.append(got.pages[0])
    return pages


def difference(a, b):
    height, width = min(a.height, b.height), min(a.width, b.width)
    assert abs(a.height - b.height) <= 1 and abs(a.width - b.width) <= 1
    return np.abs(a.pixels[:height, :width].astype(int) - b.pixels[:height, :width]).mean()


def quarter(page):
    """Of pages whose sizes differ by more than that."""
    image = Image.fromarray(page.pixels)
    return np.asarray(image.resize((212, 275), Image.Resampling.BOX), int)


def grey(image):
    return np.asarray(image.convert("RGB").convert("L"), int)


@pytest.mark.parametrize("kind", KINDS)
def test_codings(tmp_path, decode_one, kind):
    image, image_object = coded(kind)
    direct, drawn = shown(tmp_path, decode_one, image_object, FULL)
    assert (direct.width, direct.height) == image.size
    assert direct.dpi == pytest.approx(100, abs=.1)
    assert drawn.width != image.width  # drawn finer: 150 dpi at least
    assert np.abs(direct.pixels.astype(int) - grey(image)).mean() < MAX_DIFFERENCE


def test_profile(tmp_path, decode_one):
    image, image_object, profile = profiled()
    path = tmp_path / "a.pdf"
    path.write_bytes(page_of(image_object, more=[profile]))
    page = decode_one(path).pages[0]
    assert (page.width, page.height) == image.size
    assert np.abs(page.pixels.astype(int) - grey(image)).mean() < MAX_DIFFERENCE
    path.write_bytes(page_of(image_object, FULL + DRAWN, more=[profile]))
    drawn = decode_one(path).pages[0]
    assert abs(drawn.pixels.mean() - page.pixels.mean()) < MAX_DIFFERENCE


@pytest.mark.parametrize("rotate", (0, 90, 180, 270))
@pytest.mark.parametrize("content", (
    FULL, b"-612 0 0 792 612 0 cm /I Do", b"612 0 0 -792 0 792 cm /I Do",
    b"-612 0 0 -792 612 792 cm /I Do", b"0 792 612 0 0 0 cm /I Do", b"0 -792 612 0 0 792 cm /I Do",
    b"0 792 -612 0 612 0 cm /I Do", b"0 -792 -612 0 612 792 cm /I Do"))
def test_orientations(tmp_path, decode_one, content, rotate):
    size = (1275, 1650) if content[:2] != b"0 " else (1650, 1275)
    _, image_object = coded("bit-flate", size)
    direct, drawn = shown(tmp_path, decode_one, image_object, content, b"/Rotate %d" % rotate)
    assert sorted((direct.width, direct.height)) == [1275, 1650]
    assert difference(direct, drawn) < MAX_DIFFERENCE


@pytest.mark.parametrize("content, entries", (
    (b"540 0 0 720 36 36 cm /I Do", b""),                            # margins
    (b"612 0 0 816 0 -12 cm /I Do", b""),                            # cut off by the page
    (b"0 720 540 0 36 36 cm /I Do", b"/Rotate 90"),
    (b"612 0 0 792 0 0 cm /I Do", b"/CropBox [72 144 540 720]"),
    (b"0 0 612 792 re W n 612 0 0 792 0 0 cm /I Do", b""),
    (b"612 0 0 792 100 50 cm /I Do", b"/MediaBox [100 50 712 842]"),
))
def test_places(tmp_path, decode_one, content, entries):
    dpi = 150
    wide, high = (round(float(v) * dpi / 72) for v in (content.split(b"re W n ")[-1].split()[0],
                                                        content.split(b"re W n ")[-1].split()[3]))
    if not wide:
        wide, high = 1500, 1125
    _, image_object = coded("bit-flate", (wide, high))
    direct, drawn = shown(tmp_path, decode_one, image_object, content, entries)
    assert difference(direct, drawn) < MAX_DIFFERENCE


def test_fine_images_are_shrunk(tmp_path, decode_one):
    _, image_object = coded("g4-fax", (5100, 6600))
    direct, drawn = shown(tmp_path, decode_one, image_object, FULL)
    assert (direct.width, direct.height) == (2550, 3300) and direct.dpi == 300
    assert drawn.width == 3400  # 400 dpi


@pytest.mark.parametrize("size", ((816, 1056), (408, 528), (17, 22)))
def test_coarse_images_are_enlarged(tmp_path, decode_one, size):
    """Drawn pages have 150 dpi at least, as this has: an odd multiple of the image's."""
    _, image_object = coded("grey-flate", size)
    direct, drawn = shown(tmp_path, decode_one, image_object, FULL)
    assert (direct.width, direct.height) == (1275, 1650) and direct.dpi == 150
    assert direct.decode_bytes < drawn.decode_bytes
    assert difference(direct, drawn) < MAX_DIFFERENCE


@pytest.mark.parametrize("size, dpi", (
    ((1734, 833), 204),   # fax of the standard resolution, 98 lines an inch
    ((1734, 1666), 204),  # fine, 196
    ((5100, 4400), 400),  # across every other pixel, 300 an inch; 400 down
    ((600, 400), 150),
))
def test_pixels_that_are_not_square_become_so(tmp_path, decode_one, size, dpi):
    _, image_object = coded("g4-fax", size)
    direct, drawn = shown(tmp_path, decode_one, image_object, FULL)
    assert direct.dpi == pytest.approx(dpi, rel=.03)
    assert direct.height / direct.width == pytest.approx(11 / 8.5, rel=.02 if size[1] > 1600 else .001)
    assert np.abs(quarter(direct) - quarter(drawn)).mean() < MAX_DIFFERENCE


def test_small_images_keep_their_margins(tmp_path, decode_one):
    _, image_object = coded("grey-flate", (1275, 1650))
    direct, drawn = shown(tmp_path, decode_one, image_object, b"306 0 0 396 100 300 cm /I Do")
    assert direct.dpi == 300 and (direct.width, direct.height) == (2550, 3300)
    assert direct.decode_bytes < drawn.decode_bytes
    assert difference(direct, drawn) < MAX_DIFFERENCE


def test_images_of_too_many_pixels_are_shrunk(tmp_path, decode_one):
    """Twenty-two inches at 300 dpi; drawn, which takes a surface of all of them, it is coarser."""
    _, image_object = coded("bit-flate", (6600, 6600))
    direct, drawn = shown(tmp_path, decode_one, image_object, b"1584 0 0 1584 0 0 cm /I Do",
                          b"/MediaBox [0 0 1584 1584]")
    assert (direct.width, direct.height) == (3300, 3300) and direct.dpi == 150
    assert np.abs(quarter(direct) - quarter(drawn)).mean() < MAX_DIFFERENCE


@pytest.mark.parametrize("kind, size", (("rgb-jpeg", (6600, 6600)), ("grey-jpx", (5000, 5000)),
                                        ("bit-flate", (7000, 7000))))
def test_large_images_are_drawn_whole(tmp_path, decode_one, kind, size):
    """Poppler leaves out what it has no memory for, so that is measured before."""
    image, image_object = coded(kind, size)
    path = tmp_path / "a.pdf"
    path.write_bytes(page_of(image_object, b"q " + FULL + b" Q" + DRAWN))
    page = decode_one(path).pages[0]
    small = image.convert("RGB").convert("L").resize((212, 275), Image.Resampling.BOX)
    assert np.abs(quarter(page) - np.asarray(small, int)).mean() < MAX_DIFFERENCE


@pytest.mark.skipif(SANITIZED, reason="sanitizers lift the limit of memory")
def test_no_page_is_blank_for_want_of_memory(tmp_path, decode_one):
    """In a pattern the image is not seen before, and what it takes is not asked for."""
    _, image_object = coded("bit-flate", (7000, 7000))
    pattern = stream(b"612 0 0 792 0 0 cm /I Do", b"/PatternType 1 /PaintType 1 /TilingType 1 "
                     b"/BBox [0 0 612 792] /XStep 612 /YStep 792 /Resources << /XObject << /I 4 0 R >> >>")
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_of_pages([b"/Pattern cs /P scn 0 0 612 792 re f"], b"",
                                  b"/Pattern << /P 5 0 R >>", [image_object, pattern]))
    got = decode_one(path)
    assert not got.pages
    (code, text), = got.errors
    assert code == "no-memory" and "draw" in text


@pytest.mark.parametrize("content, entries", (
    (b"q 612 0 0 792 0 0 cm /I Do Q BT /F1 12 Tf 9 9 Td (a) Tj ET", b""),
    (b"612 0 0 792 0 0 cm /I Do /I Do", b""),
    (b"612 0 50 792 0 0 cm /I Do", b""),                # aslant
    (b"50 50 300 300 re W n 612 0 0 792 0 0 cm /I Do", b""),
    (FULL, b"/Annots [<< /Subtype /Square /Rect [9 9 99 99] /C [1 0 0] >>]"),
))
def test_pages_that_show_more_are_drawn(tmp_path, decode_one, content, entries):
    _, image_object = coded("grey-flate", (1275, 1650))
    direct, drawn = shown(tmp_path, decode_one, image_object, content, entries)
    assert (direct.pixels == drawn.pixels).all()


@pytest.mark.parametrize("entry", (
    b"/SMask 4 0 R", b"/Mask [0 9]", b"/Decode [0 .5]", b"/ImageMask true",
    b"/ColorSpace [/Separation /Black /DeviceGray << /FunctionType 2 /Domain [0 1] /N 1 >>]"))
def test_odd_images_are_drawn(tmp_path, decode_one, entry):
    image, image_object = coded("grey-flate", (1275, 1650))
    if entry.startswith(b"/ColorSpace"):
        image_object = image_object.replace(b"/ColorSpace /DeviceGray", entry)
    else:
        image_object = image_object.replace(b"/Width", entry + b" /Width")
    direct, drawn = shown(tmp_path, decode_one, image_object, FULL)
    assert (direct.pixels == drawn.pixels).all()


def test_damaged_image_is_drawn_as_far_as_it_goes(tmp_path, decode_one):
    _, image_object = coded("grey-flate", (850, 1100))
    cut = image_object.replace(b"/Height 1100", b"/Height 2200").replace(b"/Width 850",
                                                                         b"/Width 1700")
    path = tmp_path / "a.pdf"
    path.write_bytes(page_of(cut))
    got = decode_one(path)
    assert not got.errors and got.pages[0].width == 1700 and got.pages[0].pixels.min() < 128


def test_invisible_text_and_form(tmp_path, decode_one):
    _, image_object = coded("grey-jpeg")
    path = tmp_path / "a.pdf"
    path.write_bytes(page_of(image_object, b"q 612 0 0 792 0 0 cm /I Do Q BT 3 Tr /F1 9 Tf "
                                           b"(hidden words) Tj ET"))
    assert decode_one(path).pages[0].width == 850


def test_many_pages_in_a_deep_tree(tmp_path, decode_one):
    """More pages than qpdf is opened for at a time, each an image of a shade of its own."""
    n_nodes, n_leaves = 50, 45
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    shades, nodes = [], []
    for _ in range(n_nodes):
        node, kids = len(objects) + 1, []
        nodes.append(node)
        objects.append(b"")
        for _ in range(n_leaves):
            shade = len(shades) * 7 % 251
            shades.append(shade)
            at = len(objects) + 1
            kids.append(at)
            objects += [b"<< /Type /Page /Parent %d 0 R /Contents %d 0 R /Resources << /XObject << "
                        b"/I %d 0 R >> >> >>" % (node, at + 1, at + 2),
                        stream(b"36 0 0 36 0 0 cm /I Do"),
                        stream(bytes([shade]) * 2500, b"/Subtype /Image /Width 50 /Height 50 "
                               b"/ColorSpace /DeviceGray /BitsPerComponent 8")]
        objects[node - 1] = b"<< /Type /Pages /Parent 2 0 R /Count %d /Kids [%s] >>" % (
            n_leaves, b" ".join(b"%d 0 R" % kid for kid in kids))
    objects[1] = b"<< /Type /Pages /MediaBox [0 0 36 36] /Count %d /Kids [%s] >>" % (
        len(shades), b" ".join(b"%d 0 R" % node for node in nodes))
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes(objects))
    got = decode_one(path)
    assert not got.errors and [(p.width, p.height) for p in got.pages] == [(50, 50)] * len(shades)
    assert [p.pixels[25, 25] for p in got.pages] == shades
