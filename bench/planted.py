"""Scans with a text layer planted: the first page of a PDF as a picture, and words over or under it."""

import io
import pathlib
import subprocess
import sys

from PIL import Image

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from pdf_files import pdf_bytes, stream  # noqa: E402

WORDS = b"BT /F1 9 Tf %s 40 740 Td 12 TL " + b"(An earlier reading of this page, as it was.) ' " * 40 + b"ET\n"


def _scan(jpeg, size, content):
    width, height = (72 * n / 200 for n in size)
    return pdf_bytes([
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %f %f] /Contents 4 0 R /Resources << /Font "
        b"<< /F1 5 0 R >> /XObject << /I 6 0 R >> >> >>" % (width, height),
        stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace "
        b"/DeviceGray /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream"
        % (*size, len(jpeg), jpeg)])


def make(sources, folder):
    """Three files of each source in folder: invisible words over the picture, invisible ones under
    it, visible ones under it. Their paths."""
    folder.mkdir(parents=True)
    made = []
    for source in sources:
        ppm = subprocess.run(["pdftoppm", "-r", "200", "-gray", "-f", "1", "-l", "1", source],
                             capture_output=True, check=True).stdout
        image, jpeg = Image.open(io.BytesIO(ppm)).convert("L"), io.BytesIO()
        image.save(jpeg, "JPEG", quality=80)
        picture = b"q %f 0 0 %f 0 0 cm /I Do Q\n" % tuple(72 * n / 200 for n in image.size)
        for kind, content in (("over", picture + WORDS % b"3 Tr"),
                              ("under", WORDS % b"3 Tr" + picture),
                              ("visible", WORDS % b"0 Tr" + picture)):
            made.append(folder / f"{source.stem}-{kind}.pdf")
            made[-1].write_bytes(_scan(jpeg.getvalue(), image.size, content))
    return made
