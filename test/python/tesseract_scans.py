"""50 lines of two scanned pages, with what stands in them, and what the native program of Tesseract says of them.

    apt-get source --download-only tesseract        Debian 12's; its part tesseract_5.3.0.orig-test.tar.gz has the pages in testing/
    python tesseract_scans.py TESTING FOLDER         FOLDER/0.pgm and so on, FOLDER/lines.json, as `tesseract_lines.py accuracy` writes them
                                                     (test/models/tesseract-accuracy.mjs)

The pages are of two magazines of 1993, black and white, 300 dots an inch, from the University of Nevada's tests of OCR (ISRI); their texts and zones
lie beside them. The pictures are not ours to pass on: nothing of them is kept here.
"""
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tesseract_lines import MODELS, native, pgm

PAGES = ("8071_093.3B", "8087_054.3B")
LINES_OF_A_PAGE = 25
# Zones of fewer lines are captions and headlines, and not in the order of the texts.
FEWEST_LINES = 5
# A row of so many dark pixels has letters; a line is at least so high.
LEAST_INK, LEAST_HEIGHT = 5, 12
# Paper above and below a line, as far as half the way to the next one.
MARGIN = 12


def lines_of(page):
    """[begin, end] of the rows with ink of each line."""
    on = np.concatenate([[0], ((page < 128).sum(1) > LEAST_INK).astype(int), [0]])
    edges = np.flatnonzero(np.diff(on))
    return [(begin, end) for begin, end in zip(edges[::2], edges[1::2]) if end - begin > LEAST_HEIGHT]


def zones_of(folder, name):
    """(left, top, width, height) and lines of text, of each zone."""
    places = [[int(number) for number in line.split()[:4]] for line in (folder / f"{name}.uzn").read_text().split("\n") if line.strip()]
    texts = [part.strip("\n").split("\n") for part in re.split(r"\n\n+", (folder / f"{name}.txt").read_text()) if part.strip()]
    return list(zip(places, texts))


def as_printed(text):
    """Their typist had straight quotation marks alone."""
    return re.sub(r'(?<!\S)"', "“", text.strip()).replace('"', "”").replace("'", "’")


def scanned(folder, name):
    """[picture, text] of the lines of all zones in which as many lines are found as there are in its text."""
    page = np.asarray(Image.open(folder / f"{name}.tif").convert("L"))
    found = []
    for (left, top, width, height), texts in zones_of(folder, name):
        zone = page[top:top + height, left:left + width]
        runs = lines_of(zone)
        if len(runs) != len(texts) or len(runs) < FEWEST_LINES:
            continue
        for n, ((begin, end), text) in enumerate(zip(runs, texts)):
            above = (begin - runs[n - 1][1]) // 2 if n > 0 else begin
            below = (runs[n + 1][0] - end) // 2 if n + 1 < len(runs) else height - end
            row = zone[begin - min(MARGIN, above):end + min(MARGIN, below)]
            # What their typist could not write is a tilde.
            if "~" not in text and len(text.strip()) >= 8:
                found.append((Image.fromarray(row), as_printed(text)))
    return found


def main(testing, folder):
    testing, folder = Path(testing), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    choose = random.Random(2026)
    lines = []
    for name in PAGES:
        for line, text in choose.sample(scanned(testing, name), LINES_OF_A_PAGE):
            path = folder / f"{len(lines)}.pgm"
            path.write_bytes(pgm(line))
            said = {f"{model} psm {psm}": native(path, model, "--psm", psm).strip().replace("\n", " ") for model in MODELS for psm in ("7", "13")}
            lines.append({"text": text, "wear": name, **said})
    (folder / "lines.json").write_text(json.dumps(lines, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
