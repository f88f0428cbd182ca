"""PDF files made on the spot: objects are written as given, the table of them is added."""


def pdf_bytes(objects, trailer=b""):
    """A file of these objects (bytes each, numbered from 1; the first is the catalog)."""
    out, offsets = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % at for at in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, trailer, start)
    return bytes(out)


def stream(data, entries=b""):
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def pdf_of_pages(contents, entries=b"", resources=b"", extra=()):
    """A file with a page for each content stream. entries: of every page beside the usual; extra:
    more objects, numbered from 4 on; object 3 is the font Helvetica, /F1."""
    first = 4 + len(extra)
    kids = b" ".join(b"%d 0 R" % (first + 2 * i) for i in range(len(contents)))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(contents), kids),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", *extra]
    for i, content in enumerate(contents):
        box = b"" if b"/MediaBox" in entries else b"/MediaBox [0 0 612 792]"
        objects.append(b"<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R "
                       b"/Resources << /Font << /F1 3 0 R >> %s >> %s >>"
                       % (box, first + 2 * i + 1, resources, entries))
        objects.append(stream(content))
    return pdf_bytes(objects)


def text_content(*lines, size=14, x=72, y=700):
    """A content stream that shows lines of plain text."""
    shown = b"".join(b"(%s) Tj 0 -%d Td\n" % (line.encode("latin-1"), 2 * size) for line in lines)
    return b"BT /F1 %d Tf %d %d Td\n%sET\n" % (size, x, y, shown)
