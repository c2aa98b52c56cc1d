#!/usr/bin/env python3
"""PP-OCR's models on rendered text: renders TEXT, reads it on D1, prints what was read.

    ocr.py TEXT [--target=d1-die] [--precision=bf16]

The models are those of the PyPI package rapidocr-onnxruntime; what it does to images before they enter
the models is done here in numpy.
"""

import argparse
import importlib.util
import pathlib
import sys

import dojo
import numpy as np
import onnx

# Our name -> the package's file and the shape of the one input, x.
MODELS = {
    "ocr_direction": ("ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192)),
    "ocr_detector": ("ch_PP-OCRv4_det_infer.onnx", (1, 3, 640, 640)),
    "ocr_recogniser": ("ch_PP-OCRv4_rec_infer.onnx", (1, 3, 48, 320)),
}
WORDS = "mesh node tile die panel digit halo route signal layout kernel bound 42 1024 640x640".split()


def model_path(name):
    package = importlib.util.find_spec("rapidocr_onnxruntime").origin
    return str(pathlib.Path(package).parent / "models" / MODELS[name][0])


def draw_line(text, height=40):
    """Dark text on light ground, uint8, height x width x 3."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(height * 0.7)
    width = int(font.getlength(text)) + height // 2
    image = Image.new("RGB", (width, height), (235, 240, 230))
    ImageDraw.Draw(image).text((height // 4, height * 0.08), text, (20, 30, 60), font)
    return np.asarray(image)


def draw_page(seed, size=640):
    """A page with lines of random words of several sizes, and where its text stands: (page, mask)."""
    random = np.random.default_rng(seed)
    page = np.full((size, size, 3), (235, 240, 230), np.uint8)
    mask = np.zeros((size, size), bool)
    top = 20
    while top < size - 70:
        line = draw_line(" ".join(random.choice(WORDS, 3)), int(random.integers(28, 60)))
        height, width = line.shape[0], min(line.shape[1], size - 20)
        left = int(random.integers(10, size - width - 9))
        page[top : top + height, left : left + width] = line[:, :width]
        mask[top : top + height, left : left + width] = True
        top += height + int(random.integers(15, 50))
    return page, mask


def resized(image, height, width):
    """Bilinear, centres of pixels half a pixel inside, as OpenCV's default."""

    def taps(old, new):
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.minimum(at.astype(int), max(old - 2, 0))
        return low, np.minimum(low + 1, old - 1), at - low

    image = image.astype(np.float64)
    low, high, part = taps(image.shape[0], height)
    image = image[low] + (image[high] - image[low]) * part[:, None, None]
    low, high, part = taps(image.shape[1], width)
    return np.rint(image[:, low] + (image[:, high] - image[:, low]) * part[:, None])


def normalised(image):
    """Channels first, in [-1, 1]."""
    return ((image / 255 - 0.5) / 0.5).transpose(2, 0, 1).astype(np.float32)


def line_input(image, width):
    """What the direction classifier and the recogniser take: 48 rows, zeros right of the text."""
    scaled = min(width, int(np.ceil(48 * image.shape[1] / image.shape[0])))
    x = np.zeros((1, 3, 48, width), np.float32)
    x[0, :, :, :scaled] = normalised(resized(image, 48, scaled))
    return x


def page_input(image):
    """What the detector takes of a page whose sides are multiples of 32."""
    return normalised(image)[None]


def read(scores):
    """The text of the recogniser's scores: the best class of each column, repetitions and blanks left out."""
    model = onnx.load(model_path("ocr_recogniser"))
    characters = next(p.value for p in model.metadata_props if p.key == "character").splitlines()
    characters = ["", *characters, " "]
    best = scores[0].argmax(axis=1)
    return "".join(characters[c] for c, before in zip(best, [0, *best]) if c != before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("--target", default="d1-die")
    parser.add_argument("--precision", default="bf16", choices=["fp32", "bf16"])
    arguments = parser.parse_args()
    shape = MODELS["ocr_recogniser"][1]
    program = dojo.compile(model_path("ocr_recogniser"), arguments.target, arguments.precision, {"x": shape})
    (scores,) = program.run({"x": line_input(draw_line(arguments.text), shape[3])}).values()
    print(read(scores))
    return 0


if __name__ == "__main__":
    sys.exit(main())
