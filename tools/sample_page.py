"""Draws sample pages: sets text with Debian's fonts, then does to the picture what scanners and
thermal printers do. Grey pages are PIL images of mode L; the same seed gives the same pixels."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT_FOLDER = "/usr/share/fonts/truetype/"
URW_FOLDER = "/usr/share/fonts/opentype/urw-base35/"
FONTS = {
    "serif": FONT_FOLDER + "liberation/LiberationSerif-Regular.ttf",
    "serif-bold": FONT_FOLDER + "liberation/LiberationSerif-Bold.ttf",
    "serif-italic": FONT_FOLDER + "liberation/LiberationSerif-Italic.ttf",
    "sans": FONT_FOLDER + "liberation/LiberationSans-Regular.ttf",
    "book": FONT_FOLDER + "dejavu/DejaVuSerif.ttf",
    "screen": FONT_FOLDER + "dejavu/DejaVuSans.ttf",
    "century": URW_FOLDER + "C059-Roman.otf",
    "palatino": URW_FOLDER + "P052-Roman.otf",
    "bookman": URW_FOLDER + "URWBookman-Light.otf",
    "geometric": URW_FOLDER + "URWGothic-Book.otf",
    "mono": FONT_FOLDER + "dejavu/DejaVuSansMono.ttf",
}
A4_300_DPI = (2480, 3508)


def font(name, size_px):
    """A font of FONTS at an em of size_px pixels."""
    return ImageFont.truetype(FONTS[name], size_px, layout_engine=ImageFont.Layout.BASIC)


def blank(size):
    """A white page."""
    return Image.new("L", size, 255)


def wrap(text, face, width_px):
    """Breaks text at spaces into lines that are at most width_px wide."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and face.getlength(longer) > width_px:
            lines.append(line)
            line = word
        else:
            line = longer
    return lines + [line] if line else lines


def draw_line(draw, x, y, line, face, width_px=None):
    """Draws one line; justified to width_px where given."""
    words = line.split()
    if width_px is None or len(words) < 2:
        draw.text((x, y), line, font=face, fill=0)
        return
    gap = (width_px - sum(face.getlength(word) for word in words)) / (len(words) - 1)
    for word in words:
        draw.text((x, y), word, font=face, fill=0)
        x += face.getlength(word) + gap


def draw_paragraphs(page, box, paragraphs, face, pitch_px, indent_px=0):
    """Sets paragraphs, justified, into box (x0, y0, x1, y1); returns the lines that fitted."""
    draw = ImageDraw.Draw(page)
    x0, y, x1, y1 = box
    done = []
    for text in paragraphs:
        lines = wrap(text, face, x1 - x0)
        for i, line in enumerate(lines):
            if y + pitch_px > y1:
                return done
            draw_line(draw, x0, y, line, face, x1 - x0 if i + 1 < len(lines) else None)
            done.append(line)
            y += pitch_px
        y += indent_px
    return done


def scan(rng, page, blur=0.6, noise=2.5, paper=244, ink=30):
    """What a good scanner makes of a page: soft edges, grey ink, off-white paper, noise."""
    soft = np.asarray(page.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)
    grey = ink + soft * ((paper - ink) / 255) + rng.normal(0, noise, soft.shape).astype(np.float32)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8), "L")


def shadow(page, strength=0.5):
    """Darkens towards the left edge and a lower corner, as a book's fold and a lamp do."""
    grey = np.asarray(page, dtype=np.float32)
    height, width = grey.shape
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    light = 1 - strength * np.exp(-8 * x) - 0.4 * strength * (x * y) ** 2
    return Image.fromarray(np.clip(grey * light, 0, 255).astype(np.uint8), "L")


def skew(page, degrees):
    """Turns the page about its centre, anticlockwise, on white."""
    return page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def thermal(rng, page):
    """A thermal print: pale, uneven by row, with some dots not burnt."""
    soft = np.asarray(page.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    ink = 70 + 25 * np.sin(np.arange(soft.shape[0]) / 37.0)[:, None] + rng.normal(0, 6, soft.shape)
    dropped = rng.random(soft.shape) < 0.01
    grey = np.where(dropped, 235, ink + soft * (235 - ink) / 255) + rng.normal(0, 4, soft.shape)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8), "L")


def bilevel(page):
    """Black and white at a fixed threshold, as a fax or an office scanner stores it."""
    return page.point(lambda v: 255 if v > 140 else 0).convert("1", dither=Image.Dither.NONE)
