"""What handlers refuse, one node each: the message names the operator and the cause."""

import numpy as np
import onnx
import pytest
from onnx import helper

from dojo import backend

F, I = np.float32, np.int64


def zeros(*shape, dtype=F):
    return np.zeros(shape, dtype)


def ints(*values):
    return np.array(values, I)


OPSET = 28
TRAINING = "ai.onnx.preview.training."
PREVIEW = "ai.onnx.preview."
HEADS = {"q_num_heads": 2, "kv_num_heads": 2}
FLAT = helper.make_graph(
    [helper.make_node("Flatten", ["scores"], ["flat"])], "flat",
    [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, None)],
    [helper.make_tensor_value_info("flat", onnx.TensorProto.FLOAT, None)],
)  # fmt: skip
MOMENTUM = {"alpha": 0.9, "beta": 0.1, "norm_coefficient": 0.0}
NGRAMS = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0, "ngram_counts": [0, 2],
          "ngram_indexes": [0, 1, 2], "pool_int64s": [1, 2, 3, 4]}
DOMAINS = [
    ("DFT", {}, [zeros(2, 8, 3)], "it needs real or complex numbers along its last dimension and has 2x8x3"),
    ("DFT", {}, [zeros(2, 8, 1), ints(8)[0], ints(2)[0]], "its axis is the dimension of complex numbers"),
    ("DFT", {}, [zeros(2, 8, 1), ints(0)[0]], "its length 0 is not positive"),
    ("STFT", {}, [zeros(2, 8), ints(1)[0]], "it needs batch, signal and real or complex numbers and has 2x8"),
    ("STFT", {}, [zeros(2, 8, 1), ints(0)[0]], "its frame_step is no positive number"),
    ("STFT", {}, [zeros(2, 8, 1), ints(1)[0], zeros(9)], "its frames of 9 do not fit a signal of 8 and its window"),
    ("HannWindow", {"output_datatype": onnx.TensorProto.INT32}, [ints(4)[0]], "its attribute 'output_datatype' names no type of floats"),
    ("MelWeightMatrix", {}, [ints(8)[0], ints(16)[0], ints(8000)[0], F(0), F(9000)],
     "its edges of 0 and 9000 hertz leave a spectrum of 9 bins"),
    ("RandomUniformLike", {"dtype": onnx.TensorProto.STRING}, [zeros(2)], "its attribute 'dtype' names a type that no node computes"),
    ("RandomUniformLike", {}, [ints(1)], "it draws int64; draw floats"),
    ("Multinomial", {"sample_size": 0}, [zeros(2, 3)], "it needs a batch of classes and a number of samples, and has 2x3 and 0"),
    ("Dropout", {}, [zeros(2), zeros(2), np.array(True)], "its ratio of shape 2 is no scalar"),
    ("Cast", {"to": onnx.TensorProto.FLOAT8E8M0, "round_mode": "odd"}, [zeros(2)], "its round_mode 'odd' is none of up, down and nearest"),
    ("CausalConvWithState", {"activation": "relu"}, [zeros(1, 2, 4), zeros(2, 1, 3)], "its activation 'relu' is none of none, silu and swish"),
    ("CausalConvWithState", {}, [zeros(1, 2, 4), zeros(3, 1, 3)], "its weights 3x1x3 do not fit data of 1x2x4"),
    ("CausalConvWithState", {}, [zeros(1, 2, 4), zeros(2, 1, 3), zeros(3)], "its bias of shape 3 does not fit 2 channels"),
    ("CausalConvWithState", {}, [zeros(1, 2, 4), zeros(2, 1, 3), zeros(2), zeros(1, 2, 3)], "its past of shape 1x2x3 is not 1x2x2"),
    ("LinearAttention", {"q_num_heads": 3, "kv_num_heads": 2, "update_rule": "linear"}, [zeros(1, 2, 12)] * 3,
     "its 2 heads of keys do not divide its 3 heads of queries"),
    ("LinearAttention", {**HEADS, "update_rule": "linear"}, [zeros(1, 2, 4), zeros(1, 3, 4), zeros(1, 3, 4)],
     "its operand 1 of shape 1x3x4 is no batch of sequences of its heads"),
    ("LinearAttention", {**HEADS, "update_rule": "linear"}, [zeros(1, 2, 4), zeros(1, 2, 6), zeros(1, 2, 4)],
     "its keys of shape 1x2x6 do not fit queries of 1x2x4"),
    ("LinearAttention", {**HEADS, "update_rule": "linear"}, [zeros(1, 2, 4)] * 3 + [zeros(1, 2, 2, 3)], "its past of shape 1x2x2x3 is not 1x2x2x2"),
    ("LinearAttention", {**HEADS, "update_rule": "forgetful"}, [zeros(1, 2, 4)] * 3,
     "its update_rule 'forgetful' is none of linear, gated, delta and gated_delta"),
    ("LinearAttention", {**HEADS, "update_rule": "gated"}, [zeros(1, 2, 4)] * 3, "its update_rule 'gated' takes a decay and no beta"),
    ("LinearAttention", {**HEADS, "update_rule": "gated"}, [zeros(1, 2, 4)] * 3 + [zeros(1, 2, 2, 2), zeros(1, 2, 3)],
     "its decay or beta does not fit 2 heads of 2"),
    (PREVIEW + "FlexAttention", {}, [zeros(1, 2, 4)] * 3, "its operand 0 of shape 1x2x4 has no batch, heads, sequence and size"),
    (PREVIEW + "FlexAttention", {}, [zeros(1, 3, 4, 2), zeros(1, 2, 4, 2), zeros(1, 2, 4, 2)],
     "its queries 1x3x4x2, keys 1x2x4x2 and values 1x2x4x2 do not fit"),
    (PREVIEW + "FlexAttention", {"softmax_precision": onnx.TensorProto.INT32}, [zeros(1, 2, 4, 2)] * 3,
     "its softmax_precision names no type that is computed in float32"),
    (PREVIEW + "FlexAttention", {"score_mod": FLAT}, [zeros(1, 2, 4, 2)] * 3,
     "its graph 'score_mod' does not give one tensor of the type 1x2x4x4 that it takes"),
    ("BatchNormalization", {"training_mode": 1}, [zeros(3)] * 5, "it needs data with batch and channels and has 3"),
    ("BatchNormalization", {"training_mode": 1}, [zeros(2, 3), *[zeros(3)] * 3, zeros(2)],
     "its operand 4 must have one value for each of 3 channels"),
    ("BatchNormalization", {"training_mode": 1}, [zeros(0, 3), *[zeros(3)] * 4],
     "its batch of 0x3 is empty and has no statistics"),
    ("Det", {}, [zeros(3)], "it needs square matrices and has 3"),
    ("Det", {}, [zeros(2, 3, 4)], "it needs square matrices and has 2x3x4"),
    ("Det", {}, [zeros(9, 9)], "its matrices have 9 rows; 1 to 8 are supported"),
    ("TfIdfVectorizer", {**NGRAMS, "mode": "BM25"}, [ints(1)], "its mode 'BM25' is none of TF, IDF and TFIDF"),
    ("TfIdfVectorizer", NGRAMS, [ints(1)[0]], "it needs integers along one dimension, or two with a batch, and has a scalar"),
    ("TfIdfVectorizer", {**NGRAMS, "ngram_counts": [0, 1]}, [ints(1)], "its ngram_counts do not fit a pool of 4"),
    ("TfIdfVectorizer", {**NGRAMS, "ngram_indexes": [0]}, [ints(1)], "its ngram_indexes do not name a place for each run of its pool"),
    ("TfIdfVectorizer", {**NGRAMS, "weights": [1.0]}, [ints(1)], "it has 1 weights for 3 places"),
    ("TfIdfVectorizer", {k: v for k, v in NGRAMS.items() if k != "pool_int64s"} | {"pool_strings": ["a", "b"]}, [ints(1)],
     "it counts strings; give it numbers of tokens and pool_int64s"),
    (TRAINING + "Adam", {}, [zeros(), ints(0)[0], zeros(2)], "it has 3 operands, which are no rate, step and 4 tensors for each parameter"),
    (TRAINING + "Adagrad", {}, [zeros(2), ints(0)[0], zeros(2), zeros(2), zeros(2)], "its rate or its step is no scalar"),
    (TRAINING + "Adagrad", {}, [zeros(), ints(0)[0], zeros(2), zeros(3), zeros(2)],
     "its operand 3 is no tensor of floats of the shape 2 of its parameter"),
    (TRAINING + "Momentum", {**MOMENTUM, "mode": "heavy"}, [zeros(), ints(0)[0], zeros(2), zeros(2), zeros(2)],
     "its mode 'heavy' is neither standard nor nesterov"),
    (TRAINING + "Gradient", {"xs": ["x0"], "y": "x0"}, [zeros(2)], "it asks for the derivative of a part of the graph, which is not derived yet"),
    ("DeformConv", {}, [zeros(1, 3, 4, 4), zeros(2, 2, 2, 2), zeros(1, 8, 3, 3)],
     "its 1 groups and 1 groups of offsets do not fit data 1x3x4x4 and weights 2x2x2x2"),
    ("DeformConv", {}, [zeros(1, 2, 4, 4), zeros(2, 2, 2, 2), zeros(1, 8, 4, 4)],
     "its offsets of shape 1x8x4x4, its mask or its bias do not fit, expected offsets of 1x8x3x3"),
    ("ImageDecoder", {}, [zeros(9, dtype=np.uint8)], "it decodes a compressed image, whose size is not known when compiling"),
]
CASES = [
    ("Tile", {}, [zeros(2, 3), ints(2)], "its repeats do not give each dimension of 2x3 a count"),
    ("DepthToSpace", {"blocksize": 2}, [zeros(1, 3, 2, 2)], "its blocks of 2 do not divide 3 channels"),
    ("DepthToSpace", {"blocksize": 2**62}, [zeros(1, 4, 2, 2)], f"its blocks of {2**62} do not divide 4 channels"),
    ("DepthToSpace", {"blocksize": 2, "mode": "XYZ"}, [zeros(1, 4, 2, 2)], "its mode 'XYZ' is neither DCR nor CRD"),
    ("SpaceToDepth", {"blocksize": 2}, [zeros(1, 3, 3, 2)], "its blocks of 2 do not divide 1x3x3x2"),
    ("SpaceToDepth", {"blocksize": 2}, [zeros(3, 2)], "it needs images in blocks and has 3x2 in blocks of 2"),
    ("Split", {}, [zeros(4)], "it has neither the operand 'split' nor the attribute 'num_outputs'"),
    ("ArgMax", {"keepdims": 2}, [zeros(2)], "its attribute 'keepdims' is 2, neither 0 nor 1"),
    ("OneHot", {}, [ints(0), ints(3), zeros(3)], "it needs a positive depth and 2 values, and has depth 3 and values of shape 3"),
    ("OneHot", {}, [ints(0), ints(-1), zeros(2)], "it needs a positive depth and 2 values, and has depth -1"),
    ("Trilu", {}, [zeros(2, 2), zeros(0, dtype=I)], "its diagonal has 0 values, one is expected"),
    ("Trilu", {}, [zeros(3)], "it needs matrices and has 3"),
    ("ReverseSequence", {}, [zeros(4, 3), ints(1, 2)], "it has 2 lengths for a batch of 3"),
    ("CenterCropPad", {}, [zeros(4, 3), ints(1)], "it has 1 sizes for 2 axes"),
    ("Pad", {"mode": "reflect"}, [zeros(0, 2), ints(1, 0, 1, 0)], "it leaves nothing of dimension 0 of 0x2"),
    ("GatherElements", {}, [zeros(4, 3), ints(1, 2)], "its indices have 1 dimensions and its data 2"),
    ("GatherND", {"batch_dims": 1}, [zeros(4, 3), ints(1, 2)], "its indices of shape 2 do not fit data of 4x3"),
    ("ScatterElements", {"reduction": "xor"}, [zeros(2), ints(0), zeros(1)],
     "its reduction 'xor' is none of none, add, mul, max and min"),
    ("ScatterElements", {}, [zeros(2), ints(0), zeros(2)], "its indices 1 and updates 2 do not fit data of 2"),
    ("ScatterND", {}, [zeros(2), ints(0, 0), zeros(2)], "its indices of shape 2 do not fit data of 2"),
    ("ScatterND", {}, [zeros(2), ints(0), zeros(2)], "its updates of shape 2 do not fit its indices"),
    ("CumSum", {}, [zeros(2), ints(0, 0)], "its axis has 2 values, one is expected"),
    ("MaxPool", {"kernel_shape": [2**62, 2**62]}, [zeros(1, 1, 4, 4)],
     "its window has a size, stride, dilation or padding out of range"),
    ("MaxPool", {"kernel_shape": [2, 2], "auto_pad": "SAME"}, [zeros(1, 1, 4, 4)],
     "its auto_pad 'SAME' is none of NOTSET, SAME_UPPER, SAME_LOWER and VALID"),
    ("EyeLike", {}, [zeros(2)], "it needs a matrix of numbers"),
    ("NegativeLogLikelihoodLoss", {}, [zeros(2, 3), ints(0)], "its targets of shape 1 do not fit scores of 2x3"),
    ("NegativeLogLikelihoodLoss", {"reduction": "max"}, [zeros(2, 3), ints(0, 0)],
     "its reduction 'max' is none of none, sum and mean"),
    ("SoftmaxCrossEntropyLoss", {}, [zeros(2), ints(0)], "it needs scores with batch and classes and has 2"),
    ("RMSNormalization", {}, [zeros(2, 3), zeros(2)], "its scale of shape 2 does not broadcast to 2x3"),
    ("LpNormalization", {"p": 3}, [zeros(2)], "its attribute 'p' is 3, neither 1 nor 2"),
    ("GroupNormalization", {"num_groups": 2}, [zeros(1, 3, 2), zeros(3), zeros(3)],
     "its 2 groups do not divide the channels of 1x3x2"),
    ("GroupNormalization", {"num_groups": 2}, [zeros(1, 4, 2), zeros(3), zeros(3)],
     "its scale has 3 values for 4 channels"),
    ("LRN", {"size": 0}, [zeros(1, 3, 2, 2)], "it needs channels and a size, and has 1x3x2x2 and 0"),
    ("Attention", {}, [zeros(1, 2), zeros(1, 2), zeros(1, 2)],
     "its queries, keys and values must be floats of 3 or 4 dimensions and are 1x2"),
    ("Attention", {"q_num_heads": 3, "kv_num_heads": 2}, [zeros(1, 2, 6)] * 3,
     "its 2 heads of keys do not divide its 3 heads of queries"),
    ("Attention", {}, [zeros(1, 2, 3, 4)] * 3 + [zeros(2, 7)], "does not fit 3 queries and 3 keys"),
    ("Attention", {}, [zeros(1, 2, 3, 4), zeros(1, 2, 3, 5), zeros(1, 2, 3, 4)],
     "its queries, keys and values 1x2x3x4, 1x2x3x5 and 1x2x3x4 do not fit each other"),
    ("Attention", {}, [zeros(1, 2, 3, 4)] * 3 + [zeros(1, 3), zeros(1, 2, 3), zeros(1, 2, 3)],
     "its past of shape 1x2x3 does not fit keys or values of 1x2x3x4"),
    ("Attention", {}, [zeros(1, 2, 3, 4)] * 3 + [zeros(1, 1, 1, 3, 3)],
     "its mask of shape 1x1x1x3x3 has not 1 to 4 dimensions"),
    ("Attention", {}, [zeros(1, 2, 3, 4)] * 3 + [zeros(3, 3, dtype=I)], "its mask is int64; it must be bool or floats"),
    ("Attention", {"left_window_size": -2}, [zeros(1, 2, 3, 4)] * 3, "its window of -2 is neither -1 nor a number of positions"),
    ("Attention", {"qk_matmul_output_mode": 4}, [zeros(1, 2, 3, 4)] * 3, "its qk_matmul_output_mode 4 is none of 0 to 3"),
    ("ReduceSum", {}, [zeros(2, 3), ints(1)[0]], "its axes of shape a scalar are no list"),
    ("SoftmaxCrossEntropyLoss", {}, [zeros(2, 3), ints(0, 1), zeros(2)], "its weights of shape 2 do not fit 3 classes"),
    ("TfIdfVectorizer", {**NGRAMS, "max_gram_length": 3}, [ints(1)],
     "it counts runs of 1 to 3 tokens with 0 skipped, and has runs of 1 to 2"),
    ("MaxUnpool", {"kernel_shape": [-2]}, [zeros(1, 1, 2), zeros(1, 1, 2, dtype=I)],
     "its kernel_shape, strides, pads or indices do not fit data of 1x1x2"),
    ("ConvInteger", {}, [zeros(1, 1, 3, 3, dtype=np.int8), zeros(1, 1, 2, 2, dtype=np.int8), zeros(3, dtype=np.int8)],
     "its zero point of shape 3 does not fit 1x1x3x3"),
    ("RotaryEmbedding", {}, [zeros(1, 2, 6), zeros(2, 3), zeros(2, 3)],
     "it needs 4 dimensions, or 3 and num_heads, and has 1x2x6"),
    ("RotaryEmbedding", {}, [zeros(1, 2, 3, 4), zeros(1, 3, 3), zeros(1, 3, 3)],
     "its cosines of shape 1x3x3 do not fit 1x2x3x4"),
    ("QuantizeLinear", {"output_dtype": onnx.TensorProto.INT32}, [zeros(2), zeros()],
     "it quantizes to a type that is none of those of 16 bits and less"),
    ("QuantizeLinear", {"axis": 0}, [zeros(2, 3), zeros(4)], "its operand 1 of shape 4 does not fit data of 2x3"),
    ("MatMulInteger", {}, [zeros(2, 3, dtype=np.int8), zeros(2, 3, dtype=np.int8)], "it cannot multiply 2x3 by 2x3"),
    ("MatMulInteger", {}, [zeros(2, 3, dtype=np.int8), zeros(3, 2, dtype=np.int8), zeros(3, dtype=np.int8)],
     "its zero point of shape 3 does not fit 2x3"),
    ("BitShift", {"direction": "UP"}, [zeros(1, dtype=np.uint8)] * 2, "its direction 'UP' is neither LEFT nor RIGHT"),
    ("PRelu", {}, [zeros(2, 3), zeros(2)], "its slope of shape 2 does not broadcast to 2x3"),
    ("BitCast", {"to": onnx.TensorProto.INT32}, [ints(1)],
     "it reads the bits of int64 as a type of another width, or as float64"),
    ("Resize", {"mode": "area"}, [zeros(1, 4), zeros(0), np.ones(2, F)], "its mode 'area' is none of nearest, linear and cubic"),
    ("Resize", {"coordinate_transformation_mode": "middle"}, [zeros(1, 4), zeros(0), np.ones(2, F)],
     "its coordinate transformation 'middle' is not supported"),
    ("Resize", {}, [zeros(1, 4), zeros(0), np.ones(3, F)], "it has 3 scales, expected 2"),
    ("Resize", {}, [zeros(1, 4), zeros(0), zeros(0), ints(3)], "it has 1 sizes, expected 2"),
    ("Resize", {"keep_aspect_ratio_policy": "fill"}, [zeros(1, 4), zeros(0), zeros(0), ints(1, 2)],
     "its keep_aspect_ratio_policy 'fill' is none of stretch, not_larger and not_smaller"),
    ("Resize", {}, [zeros(1, 4), zeros(0), zeros(0), ints(1, 0)], "it cannot resize a dimension of 4 to 0"),
    ("Resize", {"coordinate_transformation_mode": "tf_crop_and_resize"}, [zeros(1, 4), zeros(3), np.ones(2, F)],
     "it has 3 bounds of its region, expected 4"),
    ("Resize", {}, [ints(1, 2), zeros(0), np.ones(1, F)], "it is not defined on int64"),
    ("Conv", {}, [zeros(1, 1, 2, 2, 2, 2), zeros(1, 1, 1, 1, 1, 1)], "it has 4 spatial dimensions; one to three are supported"),
    ("ConvTranspose", {"group": 2}, [zeros(1, 3, 4), zeros(3, 1, 2)], "whose channels its 2 groups divide, and has 1x3x4 and 3x1x2"),
    ("ConvTranspose", {"group": 2}, [zeros(1, 2, 4), zeros(2, 3, 2), zeros(3)], "its bias 3 does not fit 6 channels"),
    ("ConvTranspose", {"strides": [2, 2]}, [zeros(1, 1, 4), zeros(1, 1, 2)],
     "its strides, dilations, pads, output_padding or kernel_shape do not fit its weights 1x1x2"),
    ("ConvTranspose", {"output_shape": [8]}, [zeros(1, 1, 4, 4), zeros(1, 1, 2, 2)],
     "its output_shape 8 does not fit 2 dimensions in space"),
    ("ConvTranspose", {"pads": [3, 3]}, [zeros(1, 1, 4), zeros(1, 1, 2)], "its window does not fit data 1x1x4"),
    ("Col2Im", {"strides": [1]}, [zeros(1, 4, 4), ints(3, 3), ints(2, 2)],
     "its blocks, strides, dilations or pads do not fit columns 1x4x4 of an image 3x3"),
    ("Col2Im", {}, [zeros(1, 4, 4), ints(3, 3), ints(0, 2)], "its blocks 0x2 have a size or step out of range"),
    ("Col2Im", {}, [zeros(1, 4, 5), ints(3, 3), ints(2, 2)], "its columns 1x4x5 are not those of blocks 2x2 in an image 3x3"),
    ("GridSample", {"mode": "sharp"}, [zeros(1, 1, 2, 2), zeros(1, 2, 2, 2)], "its mode 'sharp' is none of nearest, linear and cubic"),
    ("GridSample", {"padding_mode": "ones"}, [zeros(1, 1, 2, 2), zeros(1, 2, 2, 2)],
     "its padding_mode 'ones' is none of zeros, border and reflection"),
    ("GridSample", {}, [zeros(1, 1, 2, 2), zeros(1, 2, 2, 3)], "its grid 1x2x2x3 does not fit an image of floats 1x1x2x2"),
    ("AffineGrid", {}, [zeros(1, 2, 2), ints(1, 1, 2, 2)], "its theta 1x2x2 does not fit a size of 1x1x2x2"),
    ("RoiAlign", {}, [zeros(1, 1, 2, 2), zeros(1, 4), ints(0)], "its number of samples depends on the regions; set sampling_ratio"),
    ("RoiAlign", {"mode": "min", "sampling_ratio": 1}, [zeros(1, 1, 2, 2), zeros(1, 4), ints(0)], "its mode is 'min' with 'half_pixel'"),
    ("RoiAlign", {"sampling_ratio": 1}, [zeros(1, 1, 2, 2), zeros(1, 4), ints(0, 0)],
     "its regions 1x4 of images 2 do not fit images of floats 1x1x2x2"),
    ("TensorScatter", {}, [zeros(1, 4, 2), zeros(1, 5, 2)], "its updates 1x5x2 or indices do not fit data of 1x4x2"),
    ("TensorScatter", {"mode": "ring"}, [zeros(1, 4, 2), zeros(1, 1, 2)], "its mode 'ring' is neither linear nor circular"),
    ("SwiGLU", {}, [zeros(2, 3), zeros(3)], "its operands of shapes 2x3 and 3 differ"),
    ("Pad", {}, [zeros(2), ints(1, 1), zeros(2)], "its padding value is no scalar of the type of its data"),
    ("ConvInteger", {}, [zeros(1, 1, 3, 3, dtype=np.int8), zeros(1, 1, 2, 2, dtype=np.int8), zeros(2, dtype=np.int8)],
     "its zero point of shape 2 does not fit 1x1x3x3"),
    ("QLinearConv", {}, [zeros(1, 1, 3, dtype=np.int8), np.ones(2, F), np.int8(0), zeros(1, 1, 2, dtype=np.int8), np.ones(1, F),
                         np.int8(0), np.ones(1, F), np.int8(0)], "its operand 1 is no scalar; quantize whole tensors"),
    ("NonZero", {}, [zeros(0)], "its data are 0, which has no coordinates"),
    ("Unique", {}, [zeros(0)], "its data have no elements"),
    ("NonMaxSuppression", {}, [zeros(1, 6, 4), zeros(1, 1, 5)], "its boxes 1x6x4 do not fit scores 1x1x5"),
    ("NonMaxSuppression", {}, [zeros(1, 6, 4), zeros(1, 1, 6), ints(3), zeros(2)], "its operand 3 of shape 2 is no scalar"),
    ("NonMaxSuppression", {"center_point_box": 2}, [zeros(1, 6, 4), zeros(1, 1, 6), ints(3)], "its attribute 'center_point_box' is 2"),
    ("NonMaxSuppression", {}, [zeros(1, 6, 4), zeros(1, 1, 6), ints(3, 3)], "max_output_boxes_per_class"),
    ("TfIdfVectorizer", {**NGRAMS, "pool_int64s": [1 << 40, 0, 1, 2]}, [zeros(2, dtype=np.int32)], "its pool holds numbers beyond int32"),
    ("MaxUnpool", {"kernel_shape": [2]}, [zeros(1, 1, 2), zeros(1, 1, 3, dtype=I)],
     "its kernel_shape, strides, pads or indices do not fit data of 1x1x2"),
    ("MaxUnpool", {"kernel_shape": [2], "strides": [2]}, [zeros(1, 1, 2), zeros(1, 1, 2, dtype=I), ints(1, 1, 3)],
     "its output_shape 1x1x3 does not hold the 1x1x4 that its window gives back"),
    ("TopK", {}, [zeros(2, 3), ints(4)], "its k is no number of elements of a dimension of 3"),
    ("Compress", {"axis": 0}, [zeros(2, 3), np.ones(3, bool)], "its condition has 3 values for a dimension of 2"),
    ("Range", {}, [zeros(), F(1), zeros()], "it counts from 0.00 by 0.00, which is no range of at most 1048576 values"),
    ("LpPool", {"kernel_shape": [2], "p": 0}, [zeros(1, 1, 4)], "its attribute 'p' is 0, or its data are no floats"),
    ("Einsum", {"equation": "ij,jk->ik"}, [zeros(2, 3)], "its equation 'ij,jk->ik' has 2 terms for 1 operands"),
    ("Einsum", {"equation": "i...j->ij"}, [zeros(2)], "its term 'i...j' does not fit 2"),
    ("Einsum", {"equation": "ij->i"}, [zeros(2, 3, 4)], "its term 'ij' does not fit 2x3x4"),
    ("Einsum", {"equation": "ij,jk->ik"}, [zeros(2, 3), zeros(4, 5)], "its dimensions of one letter are 3 and 4"),
    ("Einsum", {"equation": "ij->ijk"}, [zeros(2, 3)], "its result has a letter that no term has, or one twice"),
]


@pytest.mark.parametrize("op, attributes, arrays, message", CASES + DOMAINS, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES + DOMAINS)])
def test_the_cause_is_named(op, attributes, arrays, message):
    names = [f"x{i}" for i in range(len(arrays))]
    kind = onnx.helper.np_dtype_to_tensor_dtype
    inputs = [helper.make_tensor_value_info(n, kind(a.dtype), a.shape) for n, a in zip(names, arrays)]
    domain, _, op = op.rpartition(".")
    schema = onnx.defs.get_schema(op, OPSET, domain) if onnx.defs.has(op, domain) else None
    results = [f"y{i}" for i in range(max(1, schema.min_output) if schema else 1)]
    node = helper.make_node(op, names, results, name="the node", domain=domain, **attributes)
    outputs = [helper.make_tensor_value_info(y, 0, None) for y in results]
    opsets = [helper.make_opsetid("", OPSET)] + [helper.make_opsetid(domain, 1)] * bool(domain)
    model = helper.make_model(helper.make_graph([node], "g", inputs, outputs), opset_imports=opsets, ir_version=10)
    with pytest.raises(backend.Refused) as refusal:
        backend.run_model(model, arrays)
    assert f"node 'the node' ({op}): " in str(refusal.value)
    assert message in str(refusal.value)


def test_keys_come_out_with_values():
    inputs = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 2, 3, 4]) for n in "qkv"]
    node = helper.make_node("Attention", ["q", "k", "v"], ["y", "keys"], name="the node")
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", 0, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    with pytest.raises(backend.Refused, match="it gives present keys without present values"):
        backend.run_model(model, [zeros(1, 2, 3, 4)] * 3)


@pytest.mark.parametrize("op, opset, attributes, message", [
    ("Flatten", 10, {"axis": -1}, "node 'the node' (Flatten): its axis -1 is outside a tensor of 2 dimensions"),
    ("Relu", 99, {}, f"node 'the node' (Relu): opset 99 is newer than {OPSET}, the newest one that is known"),
])  # fmt: skip
def test_the_opset_decides(op, opset, attributes, message):
    node = helper.make_node(op, ["x"], ["y"], name="the node", **attributes)
    relu = helper.make_node("Relu", ["y"], ["z"])
    infos = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, 3]), helper.make_tensor_value_info("z", 0, None)]
    graph = helper.make_graph([node, relu], "g", infos[:1], infos[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    with pytest.raises(backend.Refused) as refusal:
        backend.run_model(model, [zeros(2, 3)])
    assert message in str(refusal.value) and "1 problem" in str(refusal.value)


def test_statistics_are_results_of_training_alone():
    names = ["x", "scale", "bias", "mean", "variance"]
    arrays = [zeros(2, 3), *[zeros(3)] * 4]
    inputs = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, a.shape) for n, a in zip(names, arrays)]
    node = helper.make_node("BatchNormalization", names, ["y", "m"], name="the node")
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", 0, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    with pytest.raises(backend.Refused, match="it gives running statistics and is not in training mode"):
        backend.run_model(model, arrays)
