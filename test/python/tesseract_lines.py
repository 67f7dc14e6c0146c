"""Rendered lines of text, and what the native program of Tesseract says of them.

    python tesseract_lines.py golden              test/golden/tesseract/printed.pgm.gz, printed.json.gz: pictures 36 pixels high, and every
                                                  probability that is printed for them (test/models/tesseract-printed.test.ts);
                                                  LINES, SEED and OUT: more of them, others, in another folder
    python tesseract_lines.py accuracy FOLDER     200 lines as FOLDER/0.pgm and so on, FOLDER/lines.json: their texts, and the program's with
                                                  --psm 7 and --psm 13 (test/models/tesseract-accuracy.mjs)

Needs Pillow and NumPy, and of Debian tesseract-ocr, fonts-liberation2, fonts-freefont-ttf, fonts-linuxlibertine, fonts-ebgaramond and
fonts-crosextra-carlito. TESSDATA is a folder with fast.traineddata (Debian's tesseract-ocr-eng) and best_int.traineddata (the npm package
@tesseract.js-data/eng, 4.0.0_best_int, unpacked), and Debian's folder configs.
"""
import gzip
import html
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

MODELS = ("fast", "best_int")
GOLDEN = Path(__file__).parent.parent / "golden" / "tesseract"
FOLDERS = ("/usr/share/fonts/truetype/liberation2", "/usr/share/fonts/truetype/freefont", "/usr/share/fonts/truetype/crosextra",
           "/usr/share/fonts/opentype/linux-libertine", "/usr/share/fonts/opentype/ebgaramond")
FONTS = ("LiberationSerif-Regular.ttf", "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf", "LiberationMono-Regular.ttf",
         "LiberationSerif-Italic.ttf", "FreeSerif.ttf", "FreeSans.ttf", "Carlito-Regular.ttf", "Carlito-Italic.ttf",
         "LinLibertine_R.otf", "LinLibertine_RB.otf", "EBGaramond12-Regular.otf")
# Prose with numbers, quotation marks and brackets, on every Debian.
PROSE = ("/usr/share/common-licenses/GPL-3", "/usr/share/common-licenses/Apache-2.0", "/usr/share/common-licenses/GFDL-1.3")


def font(name, size):
    path = next(f"{folder}/{name}" for folder in FOLDERS if os.path.exists(f"{folder}/{name}"))
    return ImageFont.truetype(path, size)


def words():
    text = " ".join(Path(path).read_text() for path in PROSE)
    # What is typed; no rulers of signs.
    return [word for word in text.split() if re.fullmatch(r"[\x21-\x7e]+", word) and not re.search(r"[-=_*/]{3}|[<>`\\|~^{}]", word) and len(word) <= 24]


def drawn(text, face, height=None, paper=245, ink=25, margin=(20, 14)):
    left, top, right, bottom = face.getbbox(text)
    size = (right - left + 2 * margin[0], height or bottom - top + 2 * margin[1])
    picture = Image.new("L", size, paper)
    ImageDraw.Draw(picture).text((margin[0] - left, (size[1] - bottom + top) // 2 - top), text, fill=ink, font=face)
    return picture


def worn(picture, blur, noise, random_state):
    if blur:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    if noise:
        greys = np.asarray(picture).astype(float) + random_state.normal(0, noise, (picture.height, picture.width))
        picture = Image.fromarray(np.clip(np.round(greys), 0, 255).astype("uint8"))
    return picture


def pgm(picture):
    return f"P5\n{picture.width} {picture.height}\n255\n".encode() + picture.tobytes()


def native(picture, model, *options):
    """What the program prints, on one thread."""
    command = ["tesseract", str(picture), "-", "--tessdata-dir", os.environ["TESSDATA"], "-l", model, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"}).stdout


def printed_steps(hocr):
    """[[text, percent], ...] of each step; a step's text is '' where the output means nothing."""
    steps = re.split(r"<span class='ocrx_cinfo' id='timestep", hocr)[1:]
    choice = re.compile(r"<span class='ocrx_cinfo' id='choice_[\d_]+' title='x_confs (\d+)'>(.*?)</span>", re.S)
    return [[[html.unescape(text), int(percent)] for percent, text in choice.findall(step)] for step in steps]


def golden(count=int(os.environ.get("LINES", "24"))):
    choose = random.Random(int(os.environ.get("SEED", "16")))
    pool = words()
    lines, pictures = [], []
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    for n in range(count):
        start = choose.randrange(len(pool) - 4)
        text = " ".join(pool[start:start + choose.randint(2, 3)])
        blur, noise = ((0, 0), (0.7, 8), (0, 20))[n % 3]
        picture = worn(drawn(text, font(FONTS[n % len(FONTS)], choose.choice((20, 23, 26))), height=36, margin=(6, 0)), blur, noise, np.random.default_rng(n))
        path = folder / "tesseract-line.png"
        picture.save(path)
        pictures.append(picture)
        lines.append({"text": text, "width": picture.width, **{model: printed_steps(native(path, model, "--psm", "13", "-c", "lstm_choice_mode=1", "hocr")) for model in MODELS}})
    sheet = Image.new("L", (max(picture.width for picture in pictures), 36 * count), 255)
    for n, picture in enumerate(pictures):
        sheet.paste(picture, (0, 36 * n))
    out = Path(os.environ.get("OUT", GOLDEN))
    out.mkdir(parents=True, exist_ok=True)
    (out / "printed.pgm.gz").write_bytes(gzip.compress(pgm(sheet), 9, mtime=0))
    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    contents = json.dumps({"versions": [version, f"Pillow {Image.__version__}", f"NumPy {np.__version__}"], "lines": lines}, ensure_ascii=False, separators=(",", ":"))
    (out / "printed.json.gz").write_bytes(gzip.compress(contents.encode(), 9, mtime=0))


def accuracy(folder, count=200):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    choose = random.Random(2026)
    pool = words()
    lines = []
    for n in range(count):
        start = choose.randrange(len(pool) - 10)
        text = " ".join(pool[start:start + choose.randint(4, 9)])
        blur, noise = ((0, 0), (0.8, 14), (0, 26), (1.2, 6))[n % 4]
        face = font(FONTS[n % len(FONTS)], choose.choice((18, 22, 28, 34, 44, 56)))
        worn(drawn(text, face, paper=choose.choice((255, 245, 228)), ink=choose.choice((0, 25, 60))), blur, noise, np.random.default_rng(n)).save(folder / f"{n}.pgm")
        said = {f"{model} psm {psm}": native(folder / f"{n}.pgm", model, "--psm", psm).strip().replace("\n", " ") for model in MODELS for psm in ("7", "13")}
        lines.append({"text": text, "wear": n % 4, **said})
    (folder / "lines.json").write_text(json.dumps(lines, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        golden()
    elif len(sys.argv) == 3 and sys.argv[1] == "accuracy":
        accuracy(sys.argv[2])
    else:
        sys.exit(__doc__)
