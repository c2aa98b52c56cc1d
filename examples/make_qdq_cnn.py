#!/usr/bin/env python3
"""Writes the CNN of the digits in 8 bits: make_qdq_cnn.py [qdq_cnn.onnx] [--seed=0] [--batch=20]

The network of make_digits.py, quantized after training as ONNX Runtime does it: a QuantizeLinear and a
DequantizeLinear around each operator, activations of 8 bits without sign for whole tensors, weights of
8 bits with sign (7 of them used, since ONNX Runtime's products overflow on some hosts with 8) for each
channel, ranges measured on images of the training set.
"""

import argparse
import logging
import pathlib
import tempfile

import onnx
from make_digits import cnn_model, split, train_cnn
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

CALIBRATION_BATCHES = 10


class Images(CalibrationDataReader):
    """Batches of the training set."""

    def __init__(self, images, batch):
        self.batches = iter([images[i * batch : (i + 1) * batch] for i in range(CALIBRATION_BATCHES)])

    def get_next(self):
        images = next(self.batches, None)
        return None if images is None else {"image": images}


def make(seed=0, batch=20):
    (images, labels), _ = split(seed)
    logging.getLogger().setLevel(logging.ERROR)  # it advises passes that change nothing here
    with tempfile.TemporaryDirectory() as folder:
        plain, quantized = pathlib.Path(folder, "plain.onnx"), pathlib.Path(folder, "quantized.onnx")
        onnx.save(cnn_model(train_cnn(images, labels, seed), batch), plain)
        quantize_static(
            plain, quantized, Images(images, batch), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return onnx.load(quantized)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", default="qdq_cnn.onnx")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=20)
    arguments = parser.parse_args()
    model = make(arguments.seed, arguments.batch)
    onnx.save(model, arguments.path)
    print(f"{arguments.path}: {len(model.graph.node)} nodes")


if __name__ == "__main__":
    main()
