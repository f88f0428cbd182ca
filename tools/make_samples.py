"""Makes sample documents with their true text, for the demonstration, the tests and the benchmarks.

usage: make_samples.py FOLDER [--set SET] [--count N] [--seed S]; SET: demo, dense, varied (dense
pages in many fonts), columns, german (dense pages), mixed (English and German), receipts, upright, notes

Beside each document X.EXT it writes X.gt.txt: its lines in reading order, pages of one document
separated by form feeds. Deterministic: the same seed gives the same files with the same versions
of the fonts, Pillow and libtiff."""

import argparse
import pathlib

import numpy as np

import sample_page
import sample_text


def save(folder, name, pages, truths, **options):
    """Writes a document of one or more pages and its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(pages) > 1:
        options.update(save_all=True, append_images=pages[1:])
    pages[0].save(folder / name, **options)
    text = "\f".join("\n".join(lines) + "\n" for lines in truths)
    (folder / name).with_suffix(".gt.txt").write_text(text, encoding="utf-8")


def dense_page(rng, language=sample_text.ENGLISH):
    """A full A4 page at 300 dpi: 52 justified lines, about 5,000 characters."""
    paragraphs = [sample_text.paragraph(rng, int(rng.integers(5, 12)), language)
                  for _ in range(14)]
    return set_densely(rng, paragraphs)


def german_page(rng):
    """The same in German."""
    return dense_page(rng, sample_text.GERMAN)


def mixed_page(rng):
    """A dense page of English and German paragraphs: in turns, or one in six of the other language,
    with a last line of few words in each."""
    languages = [sample_text.ENGLISH, sample_text.GERMAN]
    rng.shuffle(languages)
    in_turns = bool(rng.integers(2))
    paragraphs = []
    for i in range(30):
        other = i % 2 if in_turns else i % 6 == 3
        paragraphs.append(sample_text.paragraph(rng, int(rng.integers(1, 4)), languages[other]))
    return set_densely(rng, paragraphs)


# Fonts of the varied pages, with the size in pixels at which a page is as dense as the dense pages.
VARIED_FONTS = [("serif", 46), ("sans", 42), ("book", 37), ("screen", 37), ("serif-italic", 46),
                ("serif-bold", 44), ("century", 41), ("palatino", 43), ("bookman", 38),
                ("geometric", 39)]


def varied_page(rng):
    """A dense page in one of many fonts."""
    font = VARIED_FONTS[int(rng.integers(len(VARIED_FONTS)))]
    return set_densely(rng, [sample_text.paragraph(rng, int(rng.integers(5, 12)))
                             for _ in range(14)], font)


def set_densely(rng, paragraphs, font=("serif", 46)):
    """A full A4 page at 300 dpi of these paragraphs, as far as they fit; font: name, size in pixels."""
    page = sample_page.blank(sample_page.A4_300_DPI)
    face = sample_page.font(*font)
    lines = sample_page.draw_paragraphs(page, (240, 240, 2240, 240 + 54 * 58), paragraphs, face, 58)
    return sample_page.scan(rng, page), [lines]


def two_columns(rng):
    """A heading over two columns."""
    page = sample_page.blank(sample_page.A4_300_DPI)
    heading = "Notes on the Keeping of Records"
    sample_page.draw_paragraphs(page, (240, 220, 2240, 340), [heading],
                                sample_page.font("serif-bold", 84), 110)
    face = sample_page.font("book", 38)
    lines = [heading]
    for x0 in (240, 1300):
        paragraphs = [sample_text.paragraph(rng, 6) for _ in range(9)]
        lines += sample_page.draw_paragraphs(page, (x0, 420, x0 + 940, 3250), paragraphs, face, 54,
                                             indent_px=30)
    return sample_page.scan(rng, page), [lines]


def receipt(rng):
    """A till receipt, 80 mm wide at 203 dpi, the resolution of thermal printers."""
    lines = sample_text.receipt(rng)
    page = sample_page.blank((640, 60 + 34 * len(lines)))
    draw = sample_page.ImageDraw.Draw(page)
    face = sample_page.font("mono", 26)
    for i, line in enumerate(lines):
        draw.text((22, 30 + 34 * i), line, font=face, fill=0)
    truth = [" ".join(line.split()) for line in lines if line]
    return sample_page.thermal(rng, page), [truth]


def letter(rng, degrees=0.0, language=sample_text.ENGLISH):
    """An A4 page at 200 dpi, loosely set, turned by degrees."""
    page = sample_page.blank((1654, 2339))
    face = sample_page.font("sans", 33)
    paragraphs = [sample_text.paragraph(rng, 4, language) for _ in range(6)]
    lines = sample_page.draw_paragraphs(page, (190, 220, 1470, 2100), paragraphs, face, 48,
                                        indent_px=28)
    if degrees:
        page = sample_page.skew(page, degrees)
    return page, [lines]


def note(rng):
    """A small picture of four lines, at 200 dpi."""
    page = sample_page.blank((800, 240))
    face = sample_page.font("sans", 33)
    lines = sample_page.draw_paragraphs(page, (30, 20, 770, 220), [sample_text.paragraph(rng, 6)], face, 48)
    return sample_page.scan(rng, page), [lines]


def make_demo(folder, seed):
    """The five documents of `make demo`."""
    def rng(i):
        return np.random.default_rng([seed, i])

    page, truth = two_columns(rng(1))
    save(folder, "two-columns.jpg", [page], truth, quality=85, dpi=(300, 300))
    page, truth = receipt(rng(2))
    save(folder, "receipt.jpg", [page], truth, quality=80)
    page, truth = letter(rng(3), degrees=4.3)
    page = sample_page.shadow(sample_page.scan(rng(4), page, noise=9.0))
    save(folder, "skewed-scan.jpg", [page], truth, quality=75, dpi=(200, 200))
    pages, truths = [], []
    for i in range(3):
        page, truth = letter(rng(10 + i))
        pages.append(sample_page.bilevel(sample_page.scan(rng(20 + i), page)))
        truths += truth
    save(folder, "several-pages.tif", pages, truths, compression="group4", dpi=(200, 200))
    page, truth = letter(rng(5), language=sample_text.GERMAN)
    save(folder, "german.png", [sample_page.scan(rng(6), page)], truth, dpi=(200, 200))


# The sets of grey JPEGs: what makes a page, and its resolution.
MAKERS = {"dense": (dense_page, (300, 300)), "varied": (varied_page, (300, 300)),
          "columns": (two_columns, (300, 300)), "german": (german_page, (300, 300)),
          "mixed": (mixed_page, (300, 300)), "receipts": (receipt, (203, 203)),
          "upright": (letter, (200, 200)), "notes": (note, (200, 200))}


def make_set(folder, kind, count, seed):
    """count documents of a set."""
    maker, dpi = MAKERS[kind]
    for i in range(count):
        page, truth = maker(np.random.default_rng([seed, i]))
        save(folder, f"{kind}-{i:04d}.jpg", [page], truth, quality=85, dpi=dpi)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--set", choices=("demo", *MAKERS), default="demo")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.set == "demo":
        make_demo(args.folder, args.seed)
    else:
        make_set(args.folder, args.set, args.count, args.seed)


if __name__ == "__main__":
    main()
