"""Makes the picture of the documents, docs/images/view.png: what `quire view` draws over two of the
sample documents, side by side.

usage: draw_view.py QUIRE FILE

The page's grain is evened out, which makes the file small. The same picture for the same samples (see
make_samples.py) and the same reading."""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

import make_samples

HEIGHT = 400
# What makes each sample, the width it is drawn in, and the left and right edge and the top of what is
# shown.
VIEWS = [(make_samples.two_columns, 900, 60, 840, 60), (make_samples.receipt, 360, 0, 360, 0)]


def draw(quire, page, width):
    """The view of a page."""
    with tempfile.TemporaryDirectory() as folder:
        sample, picture = pathlib.Path(folder, "sample.png"), pathlib.Path(folder, "view.png")
        page.save(sample)
        result = subprocess.run([quire, "run", "-q", "-f", "json", sample], check=True,
                                capture_output=True)
        subprocess.run([quire, "view", "-o", picture, "--width", str(width), "--layers",
                        "blocks,lines,words", "-"], input=result.stdout, check=True)
        return Image.open(picture).convert("RGB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("quire", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    args = parser.parse_args()
    joined = Image.new("RGB", (sum(right - left for _, _, left, right, _ in VIEWS), HEIGHT))
    at = 0
    for i, (make, width, left, right, top) in enumerate(VIEWS):
        page, _ = make(np.random.default_rng([1, i + 1]))
        view = draw(args.quire.resolve(), page, width)
        joined.paste(view.crop((left, top, right, top + HEIGHT)), (at, 0))
        at += right - left
    even = joined.point(lambda value: 255 if value > 232 else value // 24 * 24)
    colours = even.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    args.file.parent.mkdir(parents=True, exist_ok=True)
    colours.save(args.file, optimize=True)


if __name__ == "__main__":
    main()
