"""Typesets single lines in ten languages for bench/line_parity: words of the models' own
dictionaries, every k-th, with figures and punctuation, in Debian's fonts at several sizes, some
crisp, some blurred and noisy. A function of the language and the number of the line alone."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import reference

FOLDER = "/usr/share/fonts/"
LATIN = ["truetype/liberation/LiberationSerif-Regular.ttf", "truetype/liberation/LiberationSans-Regular.ttf",
         "truetype/dejavu/DejaVuSerif.ttf", "truetype/liberation/LiberationSerif-Italic.ttf",
         "truetype/dejavu/DejaVuSansMono.ttf", "truetype/liberation/LiberationSans-Bold.ttf"]
FONTS = {"eng": LATIN, "deu": LATIN, "fra": LATIN, "spa": LATIN, "ell": LATIN, "rus": LATIN,
         "ara": ["truetype/dejavu/DejaVuSans.ttf"],
         "hin": ["truetype/lohit-devanagari/Lohit-Devanagari.ttf"],
         "chi_sim": ["truetype/wqy/wqy-microhei.ttc"],
         "jpn": ["opentype/ipafont-gothic/ipag.ttf"]}
LANGUAGES = list(FONTS)
UNSPACED = ("chi_sim", "jpn")
SIZES_PX = (20, 26, 32, 38, 44, 52, 64)


def _texts(language, n, folder):
    """The texts of n lines."""
    rng = np.random.default_rng([71, LANGUAGES.index(language)])
    words = reference.words_of(language, folder, 12 * n)
    if FONTS[language] is not LATIN or language in ("ell", "rus"):
        words = [w for w in words if not any(c.isascii() for c in w)]
    for i in range(n):
        if language in UNSPACED:
            text = "".join(rng.choice(words, int(rng.integers(5, 11))))
            yield text[:30] + ("。" if i % 3 == 0 else "")
            continue
        parts = list(rng.choice(words, int(rng.integers(4, 9))))
        if i % 3 == 0:
            parts[1] += ","
        if i % 4 == 0 and language not in ("ara", "hin"):
            parts.insert(2, str(int(rng.integers(3, 2030))))
        if i % 5 == 0:
            parts[-1] += "." if language != "hin" else "।"
        yield " ".join(parts)


def draw(text, face, rng, scanned):
    """One line as a grey picture; scanned: soft and with noise from rng."""
    left, top, right, bottom = face.getbbox(text)
    page = Image.new("L", (right - left + 12, bottom - top + 12), 255)
    ImageDraw.Draw(page).text((6 - left, 6 - top), text, font=face, fill=0)
    if not scanned:
        return page
    soft = np.asarray(page.filter(ImageFilter.GaussianBlur(0.5 + 0.01 * face.size)), dtype=np.float32)
    grey = 40 + soft * 0.8 + rng.normal(0, 5, soft.shape)
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8), "L")


def _draw(text, language, i):
    fonts = FONTS[language]
    face = ImageFont.truetype(FOLDER + fonts[i // 2 % len(fonts)], SIZES_PX[i % len(SIZES_PX)])
    return draw(text, face, np.random.default_rng([72, LANGUAGES.index(language), i]), i % 2 == 1)


def lines(language, n, folder):
    """Pictures of n lines; folder keeps the unpacked word lists."""
    for i, text in enumerate(_texts(language, n, folder)):
        yield _draw(text, language, i)
