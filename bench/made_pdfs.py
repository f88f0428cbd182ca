"""PDFs made on the spot for the benchmarks: scans of pages that are files too, and typeset pages."""

import io
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests"), str(ROOT / "tools")]
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

import sample_page  # noqa: E402
import sample_text  # noqa: E402
from pdf_files import pdf_bytes, pdf_of_pages, stream, text_content  # noqa: E402
from pdf_images import image_object, tiff_strip  # noqa: E402

A4 = b"[0 0 595.2 841.92]"  # 2,480 x 3,508 pixels at 300 dpi
TYPESET_FONTS = ("serif", "sans", "book")
POINTS, LEADING, WIDTH_POINTS = 10, 13, 440
ESCAPED = {ord(c): "\\" + c for c in "()\\"}


def _pdf(pages, shared):
    """A file of A4 pages, (content, resources) each, and of objects they use, numbered from 3 on."""
    first = 3 + len(shared)
    kids = b" ".join(b"%d 0 R" % (first + 2 * i) for i in range(len(pages)))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids), *shared]
    for content, resources in pages:
        objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents %d 0 R /Resources << %s >> >>"
                    % (A4, len(objects) + 2, resources), stream(content)]
    return pdf_bytes(objects)


def _jpeg(source):
    """(file's bytes, image object) of a JPEG, as it is."""
    data = source.read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        return data, image_object(data, image, b"/ColorSpace /DeviceGray /BitsPerComponent 8 "
                                  b"/Filter /DCTDecode")


def _g4(source):
    """(TIFF file's bytes, image object) of its black and white copy."""
    with Image.open(source) as image:
        bitonal = image.convert("1", dither=Image.Dither.NONE)
    strip, photometric = tiff_strip(bitonal, "group4")
    file = io.BytesIO()
    bitonal.save(file, "TIFF", compression="group4", dpi=(300, 300))
    return file.getvalue(), image_object(
        strip, bitonal, b"/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /CCITTFaxDecode "
        b"/DecodeParms << /K -1 /Columns %d /Rows %d /BlackIs1 %s >>"
        % (*bitonal.size, b"true" if photometric == 1 else b"false"))


def scans(sources, kind, count, folder):
    """(PDF of count pages, the same pages as files) of grey JPEGs, whose truths lie beside them; kind:
    jpeg, g4. Each page that is made stands in the PDF as often as count asks for."""
    pages = folder / kind
    pages.mkdir()
    coded = [{"jpeg": _jpeg, "g4": _g4}[kind](source) for source in sources[:count]]
    files = []
    for i in range(count):
        source = sources[i % len(coded)]
        files.append(pages / f"page-{i:05d}{'.jpg' if kind == 'jpeg' else '.tif'}")
        files[-1].write_bytes(coded[i % len(coded)][0])
        os.link(source.with_suffix(".gt.txt"), files[-1].with_suffix(".gt.txt"))
    pdf = folder / f"{kind}.pdf"
    pdf.write_bytes(_pdf([(b"q 595.2 0 0 841.92 0 0 cm /I Do Q", b"/XObject << /I %d 0 R >>" % (3 + i))
                          for i in range(count)], [coded[i % len(coded)][1] for i in range(count)]))
    return pdf, files


def _embedded_font(name, at):
    """Objects of a font of sample_page, numbered from at: the font, what describes it, its file."""
    face = sample_page.font(name, 1000)
    data = pathlib.Path(sample_page.FONTS[name]).read_bytes()
    widths = b" ".join(b"%d" % round(face.getlength(chr(c))) for c in range(32, 127))
    ascent, descent = face.getmetrics()
    return [b"<< /Type /Font /Subtype /TrueType /BaseFont /%s /Encoding /WinAnsiEncoding /FirstChar 32 "
            b"/LastChar 126 /Widths [%s] /FontDescriptor %d 0 R >>" % (name.encode(), widths, at + 1),
            b"<< /Type /FontDescriptor /FontName /%s /Flags 32 /FontBBox [-200 -300 1200 1000] /ItalicAngle "
            b"0 /Ascent %d /Descent -%d /CapHeight 700 /StemV 80 /FontFile2 %d 0 R >>"
            % (name.encode(), ascent, descent, at + 2),
            stream(data, b"/Length1 %d" % len(data))]


def _typeset_page(lines, font):
    shown = b"".join(b"(%s) ' " % line.encode("ascii") for line in
                     (line.translate(ESCAPED) for line in lines))
    return b"BT /T%d %d Tf %d TL 57 795 Td %sET" % (font, POINTS, LEADING, shown)


def typeset(count, folder):
    """(PDF, truth of each page) of A4 pages of 56 lines, in three embedded fonts by turns."""
    fonts = [_embedded_font(name, 3 + 3 * i) for i, name in enumerate(TYPESET_FONTS)]
    resources = b"/Font << %s >>" % b" ".join(b"/T%d %d 0 R" % (i, 3 + 3 * i)
                                               for i in range(len(fonts)))
    pages, truths = [], []
    for i in range(count):
        rng, font = np.random.default_rng([9, i]), i % len(fonts)
        text = " ".join(sample_text.paragraph(rng, 10) for _ in range(12))
        face = sample_page.font(TYPESET_FONTS[font], 100)
        lines = sample_page.wrap(text, face, 100 / POINTS * WIDTH_POINTS)[:56]
        pages.append((_typeset_page(lines, font), resources))
        truths.append("\n".join(lines) + "\n")
    pdf = folder / "typeset.pdf"
    pdf.write_bytes(_pdf(pages, [o for font in fonts for o in font]))
    return pdf, truths


def many_small(count, folder):
    """A PDF of very many small pages, a few words each, in a font that is not embedded."""
    pdf = folder / "many.pdf"
    pdf.write_bytes(pdf_of_pages([text_content(f"Page {i}", size=10, x=5, y=20) for i in range(count)],
                                 b"/MediaBox [0 0 100 40]"))
    return pdf
