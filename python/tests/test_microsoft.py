"""Operators of com.microsoft against ONNX Runtime, which defines them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from dojo import backend

F = np.float32
RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape).astype(F)


def codes(*shape, dtype=np.uint8, low=0, high=255):
    return RNG.integers(low, high + 1, shape).astype(dtype)


def scalar(value, dtype=F):
    return np.array(value, dtype)


def model(op, arrays, outputs, domain="com.microsoft", **attributes):
    """A node whose absent operands are None; `outputs` are the dtypes of its results, None for one left out."""
    kind = onnx.helper.np_dtype_to_tensor_dtype
    names = [f"x{i}" if a is not None else "" for i, a in enumerate(arrays)]
    inputs = [helper.make_tensor_value_info(n, kind(a.dtype), a.shape) for n, a in zip(names, arrays) if n]
    results = [f"y{i}" if t else "" for i, t in enumerate(outputs)]
    values = [helper.make_tensor_value_info(n, kind(np.dtype(t)), None) for n, t in zip(results, outputs) if n]
    node = helper.make_node(op, names, results, "the node", domain=domain, **attributes)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(helper.make_graph([node], "g", inputs, values), opset_imports=opsets, ir_version=10)


def reference(built, feeds):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(built.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def check(op, arrays, outputs=(F,), domain="com.microsoft", **attributes):
    built = model(op, arrays, outputs, domain, **attributes)
    feeds = {f"x{i}": a for i, a in enumerate(arrays) if a is not None}
    found = backend.run_model(built, list(feeds.values()))
    for ours, theirs in zip(found, reference(built, feeds), strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        if ours.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5 * max(1, np.abs(theirs).max()))
        else:
            # Where a number lies between two codes, the last bit of a product decides.
            steps = np.abs(ours.astype(int) - theirs.astype(int))
            assert steps.max() <= (1 if ours.dtype.itemsize == 1 else 0) and (steps != 0).mean() < 0.02


@pytest.mark.parametrize("op, arrays, attributes", [
    ("Gelu", [normal(3, 16)], {}),
    ("BiasGelu", [normal(2, 3, 16), normal(16)], {}),
    ("FastGelu", [normal(3, 16)], {}),
    ("FastGelu", [normal(2, 3, 16), normal(16)], {}),
    ("QuickGelu", [normal(3, 16)], {}),
    ("QuickGelu", [normal(3, 16)], {"alpha": 0.7}),
    ("FusedMatMul", [normal(2, 5, 3), normal(2, 5, 4)], {"transA": 1, "alpha": 0.5}),
    ("FusedMatMul", [normal(2, 3, 5), normal(4, 5)], {"transB": 1}),
])  # fmt: skip
def test_activations_and_products(op, arrays, attributes):
    check(op, arrays, **attributes)


@pytest.mark.parametrize("skip, beta, bias", [((2, 3, 16), True, True), ((1, 3, 16), True, False), ((3, 16), False, True)])
def test_skip_norms(skip, beta, bias):
    x, gamma = normal(2, 3, 16), normal(16)
    optional = [normal(16) if beta else None, normal(16) if bias else None]
    check("SkipLayerNormalization", [x, normal(*skip), gamma, *optional], (F, None, None, F), epsilon=1e-5)
    check("SkipSimplifiedLayerNormalization", [x, normal(*skip), gamma, optional[1]], (F, None, None, F), epsilon=1e-6)


def test_norms_in_the_domain_of_onnx():
    check("SimplifiedLayerNormalization", [normal(2, 3, 16), normal(16)], domain="", axis=-1, epsilon=1e-6)


@pytest.mark.parametrize("segments, mask, places", [(True, True, False), (False, False, False), (True, True, True)])
def test_embeddings(segments, mask, places):
    ids = lambda high: codes(2, 5, dtype=np.int32, high=high - 1)
    ones = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    arrays = [ids(40), ids(2) if segments else None, normal(40, 16), normal(8, 16), normal(2, 16) if segments else None,
              normal(16), normal(16), ones if mask else None, ids(8) if places else None]
    check("EmbedLayerNormalization", arrays, (F, np.int32, F), epsilon=1e-12)


def lengths(kind, batch, queries, keys):
    if kind == "ends":
        return np.arange(keys, keys - batch, -1).astype(np.int32)
    if kind == "bounds":
        return np.concatenate([np.full(batch, keys), np.arange(batch)]).astype(np.int32)
    shape = (batch, keys) if kind == "keys" else (batch, queries, keys)
    mask = codes(*shape, dtype=np.int32, high=1)
    mask[..., 0] = 1
    return mask


@pytest.mark.parametrize("mask", [None, "ends", "bounds", "keys", "pairs"])
@pytest.mark.parametrize("causal, past", [(0, 0), (1, 0), (1, 3)])
def test_merged_attention(mask, causal, past):
    batch, length, heads, size = 2, 4, 2, 8
    width, keys = heads * size, past + length
    arrays = [normal(batch, length, 12), normal(12, 3 * width), normal(3 * width),
              lengths(mask, batch, length, keys) if mask else None,
              normal(2, batch, heads, past, size) if past else None]
    check("Attention", arrays, (F, F) if past else (F,), num_heads=heads, unidirectional=causal)


def test_merged_attention_with_bias_and_other_values():
    check("Attention", [normal(2, 4, 12), normal(12, 16 + 16 + 24), normal(56), None, None, normal(1, 2, 4, 4)],
          num_heads=2, qkv_hidden_sizes=[16, 16, 24], scale=0.3)


@pytest.mark.parametrize("mask", [None, "ends", "keys", "pairs"])
@pytest.mark.parametrize("bias, added, past", [(True, False, 0), (False, True, 0), (False, False, 3)])
def test_multi_head_attention(mask, bias, added, past):
    batch, queries, fresh, heads, size = 2, 3, 5, 2, 8
    width, keys = heads * size, past + fresh
    arrays = [normal(batch, queries, width), normal(batch, fresh, width), normal(batch, fresh, width),
              normal(3 * width) if bias else None, lengths(mask, batch, queries, keys) if mask else None,
              normal(1, heads, queries, keys) if added else None,
              *([normal(batch, heads, past, size) for _ in range(2)] if past else [])]
    check("MultiHeadAttention", arrays, (F, F, F) if past else (F,), num_heads=heads)


def test_multi_head_attention_takes_heads_apart():
    check("MultiHeadAttention", [normal(2, 3, 16), normal(2, 2, 4, 8), normal(2, 2, 4, 8)], num_heads=2)


@pytest.mark.parametrize("parts", [3, 2])
def test_multi_head_attention_takes_packed_heads(parts):
    """ONNX Runtime takes them on other devices only, so its results for the same tensors apart are held against them."""
    packed = normal(2, 4, 2, parts, 8)
    apart = [packed[:, :, :, i].reshape(2, 4, 16) for i in range(parts)]
    query = [] if parts == 3 else [normal(2, 4, 16)]
    op, options = "MultiHeadAttention", {"num_heads": 2}
    found = backend.run_model(model(op, [*query, packed], (F,), **options), [*query, packed])[0]
    expected = reference(model(op, query + apart, (F,), **options), {f"x{i}": a for i, a in enumerate(query + apart)})[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("shape, rows, attributes", [
    ((2, 3, 16), 4, {}),
    ((2, 3, 16), 4, {"interleaved": 1}),
    ((2, 2, 3, 8), 4, {}),
    ((2, 3, 16), 2, {"num_heads": 2, "rotary_embedding_dim": 4}),
])  # fmt: skip
def test_rotary_embeddings(shape, rows, attributes):
    angles = normal(10, rows)
    positions = codes(2, 3, dtype=np.int64, high=9)
    for places in (positions, np.array([4])):
        check("RotaryEmbedding", [normal(*shape), places, np.cos(angles), np.sin(angles)], **attributes)


def grouped(length, past, lengths, total, packed=False, rotary=0, heads=4, shared=2, batch=0, bias=False, **attributes):
    batch, size = batch or len(lengths), 16
    query = normal(batch, length, (heads + (2 * shared if packed else 0)) * size)
    fresh = [None, None] if packed else [normal(batch, length, shared * size) for _ in range(2)]
    states = [normal(batch, shared, past, size) for _ in range(2)]
    angles = normal(16, size // 2)
    caches = [np.cos(angles), np.sin(angles)] if rotary else [None, None]
    arrays = [query, *fresh, *states, np.array(lengths, np.int32), scalar(total, np.int32), *caches]
    if bias:
        arrays += [None, normal(1, heads, length, total)]
    while arrays[-1] is None:
        arrays.pop()
    return arrays, {"num_heads": heads, "kv_num_heads": shared, "do_rotary": rotary, **attributes}


@pytest.mark.parametrize("length, past, lengths, total", [(5, 0, [4, 4], 5), (1, 6, [6, 6], 7), (1, 6, [6, 3], 7), (3, 4, [6], 7)])
@pytest.mark.parametrize("options", [
    {}, {"packed": True, "rotary": 1}, {"rotary": 1, "rotary_interleaved": 1, "scale": 0.3}, {"local_window_size": 2}, {"softcap": 0.7},
    {"shared": 4, "bias": True}, {"shared": 1},
])  # fmt: skip
def test_grouped_attention(length, past, lengths, total, options):
    """A prompt, one token behind pasts of one length and of two, and a few tokens."""
    arrays, attributes = grouped(length, past, lengths, total, **options)
    built = model("GroupQueryAttention", arrays, (F, F, F), **attributes)
    feeds = {f"x{i}": a for i, a in enumerate(arrays) if a is not None}
    found = backend.run_model(built, list(feeds.values()))
    expected = reference(built, feeds)
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=2e-5)
    for ours, theirs in zip(found[1:], expected[1:]):
        assert ours.shape == theirs.shape
        for sequence, last in enumerate(lengths):  # behind a sequence's last key stands what no query sees
            np.testing.assert_allclose(ours[sequence, :, : last + 1], theirs[sequence, :, : last + 1], rtol=0, atol=2e-6)


@pytest.mark.parametrize("bits, k, zeros, bias", [(4, 32, None, False), (4, 40, "packed", True), (8, 32, "packed", False), (2, 64, None, False), (4, 32, "floats", False)])
def test_products_with_few_bits(bits, k, zeros, bias):
    n, block = 6, 16
    blocks = -(-k // block)
    zero = {None: None, "packed": codes(n, -(-blocks * bits // 8)), "floats": normal(n, blocks)}[zeros]
    arrays = [normal(2, 3, k), codes(n, blocks, block * bits // 8), normal(n, blocks), zero, None, normal(n) if bias else None]
    while arrays[-1] is None:
        arrays.pop()
    check("MatMulNBits", arrays, bits=bits, block_size=block, K=k, N=n)


@pytest.mark.parametrize("dtype, low, high", [(np.uint8, 0, 255), (np.int8, -128, 127)])
def test_operators_between_codes(dtype, low, high):
    x = lambda *shape: codes(*shape, dtype=dtype, low=low, high=high)
    quantized = lambda scale, zero: [scalar(scale), scalar(zero, dtype)]
    for op in ("QLinearAdd", "QLinearMul"):
        check(op, [x(3, 40), *quantized(0.0213, 3), x(40), *quantized(0.0537, 7), *quantized(0.0991, 5)], (dtype,))
    check("QLinearSigmoid", [x(3, 40), *quantized(0.05, 3), *quantized(1 / 256, low)], (dtype,))
    for opset, axis in ((12, {}), (12, {"axis": 1}), (13, {}), (13, {"axis": 1})):
        check("QLinearSoftmax", [x(3, 5, 16), *quantized(0.05, 3), *quantized(1 / 256, low)], (dtype,), opset=opset, **axis)
    check("QLinearLeakyRelu", [x(3, 40), *quantized(0.05, 3), *quantized(0.04, 9)], (dtype,), alpha=0.2)
    check("QLinearGlobalAveragePool", [x(2, 3, 5, 6), *quantized(0.05, 3), *quantized(0.02, 9)], (dtype,))
    check("QLinearAveragePool", [x(2, 3, 5, 6), *quantized(0.0531, 3), *quantized(0.0397, 9)], (dtype,),
          kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0])
    check("QLinearConcat", [*quantized(0.05, 4), x(2, 3), *quantized(0.04, 3), x(2, 5), *quantized(0.06, 9)], (dtype,), axis=1)


@pytest.mark.parametrize("columns, zero, bias", [(False, True, True), (True, True, False), (True, False, True)])
def test_products_of_codes(columns, zero, bias):
    each = (6,) if columns else ()
    right, scale = codes(16, 6, high=100), np.asarray(np.abs(normal(*each)) * F(0.1))
    zeros, shift = codes(*each, high=60) if zero else None, normal(6) if bias else None
    check("DynamicQuantizeMatMul", [normal(3, 16), right, scale, zeros, shift])
    check("MatMulIntegerToFloat", [codes(3, 16), right, scalar(0.02), scale, scalar(7, np.uint8), zeros, shift])


@pytest.mark.parametrize("columns, bias, turned, real", [(False, True, 0, False), (True, True, 1, False), (True, False, 1, True)])
def test_gemm_of_codes(columns, bias, turned, real):
    each = (6,) if columns else ()
    left, right = codes(*((16, 3) if turned else (3, 16))), codes(*((6, 16) if turned else (16, 6)), high=100)
    scale, zeros = np.asarray(np.abs(normal(*each)) * F(0.1)), codes(*each, high=60)
    shift = codes(6, dtype=np.int32, low=-3000, high=3000) if bias else None
    result = [] if real else [scalar(3.7), scalar(90, np.uint8)]
    arrays = [left, scalar(0.02), scalar(7, np.uint8), right, scale, zeros, shift, *result]
    while arrays[-1] is None:
        arrays.pop()
    check("QGemm", arrays, (F if real else np.uint8,), transA=turned, transB=turned, alpha=0.5)


@pytest.mark.parametrize("op, arrays, attributes, message", [
    ("BiasGelu", [normal(2, 3), normal(4)], {}, "its bias of shape 4 does not broadcast to 2x3"),
    ("Gelu", [np.array([1])], {}, "it is not defined on int64"),
    ("SkipLayerNormalization", [normal(1, 2, 4), normal(1, 2, 4), normal(3)], {},
     "its operand 2 of shape 3 does not lie along the last dimension of 1x2x4"),
    ("SkipLayerNormalization", [normal(1, 2, 4), normal(1, 3, 4), normal(4)], {}, "its skip of shape 1x3x4 does not broadcast to 1x2x4"),
    ("EmbedLayerNormalization", [codes(4, dtype=np.int32), None, normal(4, 4), normal(4, 4), None, normal(4), normal(4)], {},
     "it needs a batch of sequences and tables, and has 4 and 4x4"),
    ("EmbedLayerNormalization", [codes(1, 5, dtype=np.int32, high=3), None, normal(4, 4), normal(4, 4), None, normal(4), normal(4)], {},
     "it has 4 positions for a sequence of 5"),
    ("FusedMatMul", [normal(2, 3), normal(2, 3)], {}, "it cannot multiply 2x3 by 2x3"),
    ("FusedMatMul", [normal(2, 3), normal(3, 2)], {"transBatchA": 1}, "it transposes batches"),
    ("MatMulNBits", [normal(2, 16), codes(4, 1, 8), normal(4)], {"bits": 3, "block_size": 16, "K": 16, "N": 4},
     "its bits, block_size, N and K are 3, 16, 4 and 16"),
    ("MatMulNBits", [normal(2, 16), codes(4, 1, 7), normal(4)], {"bits": 4, "block_size": 16, "K": 16, "N": 4}, "do not fit 4 rows of 1 blocks"),
    ("MatMulNBits", [normal(2, 16), codes(4, 1, 8), normal(4), codes(3)], {"bits": 4, "block_size": 16, "K": 16, "N": 4},
     "its zero points of shape 3 do not fit 4 rows of 1 blocks"),
    ("MatMulNBits", [normal(2, 16), codes(4, 1, 8), normal(4)], {"bits": 4, "block_size": 16, "K": 16, "N": 4, "weight_prepacked": 1},
     "its weights are packed for one device"),
    ("Attention", [normal(1, 2, 4), normal(4, 12)], {"num_heads": 3}, "its hidden sizes 4x4x4 do not divide weights 4x12 for 3 heads"),
    ("Attention", [normal(1, 2, 4), normal(3, 12)], {"num_heads": 2}, "its weights 3x12 do not fit data of 1x2x4 and 2 heads"),
    ("Attention", [normal(1, 2, 4), normal(4, 12)], {"num_heads": 2, "do_rotary": 1}, "its attribute 'do_rotary' is not supported"),
    ("Attention", [normal(1, 2, 4), normal(4, 12), None, codes(7, dtype=np.int32)], {"num_heads": 2}, "its mask of shape 7 is none of 1, 2, 1x2 and 1x2x2"),
    ("Attention", [normal(1, 2, 4), normal(4, 12), None, None, normal(2, 1, 2, 3, 5)], {"num_heads": 2},
     "its past of shape 2x1x2x3x5 does not fit keys of 1x2x2x2"),
    ("Attention", [normal(1, 2, 4), normal(4, 12), None, None, None, normal(1, 1, 2, 3)], {"num_heads": 2},
     "its bias of shape 1x1x2x3 does not broadcast to scores of 1x2x2x2"),
    ("MultiHeadAttention", [normal(1, 2, 4)], {"num_heads": 2}, "its queries, keys and values are neither three tensors nor packed"),
    ("MultiHeadAttention", [normal(1, 2, 4)] * 3, {"num_heads": 3}, "its operand 0 of shape 1x2x4 has no 3 heads"),
    ("MultiHeadAttention", [normal(1, 2, 4)] * 3 + [normal(7)], {"num_heads": 2}, "its bias of shape 7 is too short"),
    ("MultiHeadAttention", [normal(1, 2, 4), normal(1, 2, 4), normal(1, 3, 4)], {"num_heads": 2},
     "its queries 1x2x2x2, keys 1x2x2x2 and values 1x2x3x2 do not fit"),
    ("MultiHeadAttention", [normal(1, 2, 4)] * 3 + [None] * 3 + [normal(1, 2, 3, 2)], {"num_heads": 2}, "or past keys without past values"),
    ("MultiHeadAttention", [normal(1, 2, 4)] * 3 + [None] * 3 + [normal(1, 1, 3, 2)] * 2, {"num_heads": 2},
     "its past of shape 1x1x3x2 does not fit keys of 1x2x2x2"),
    ("MultiHeadAttention", [normal(1, 2, 4)] * 3 + [None] * 5 + [np.array([1], np.int32)], {"num_heads": 2}, "its past shares a buffer"),
    ("RotaryEmbedding", [normal(1, 2, 4), np.array([[1, 2, 3]]), normal(4, 2), normal(4, 2)], {},
     "its positions of shape 1x3 do not fit 1 sequences of 2"),
    ("RotaryEmbedding", [normal(1, 2, 4), np.array([1]), normal(4, 2), normal(4, 3)], {}, "its caches 4x2 do not fit data of 1x2x4"),
    ("RotaryEmbedding", [normal(1, 2, 4), np.array([1]), normal(4, 2), normal(4, 2)], {"is_packed_batching": 1}, "its batches are packed"),
    ("GroupQueryAttention", *grouped(3, 4, [6, 6], 7, heads=3), "its 2 heads of keys do not divide its 3 heads of queries"),
    ("GroupQueryAttention", *grouped(3, 4, [6, 6], 7, smooth_softmax=1), "its softmax has sinks"),
    ("GroupQueryAttention", *grouped(3, 4, [6, 6], 9), "its total sequence length 9 does not fit a past of 4 and 3 new keys"),
    ("GroupQueryAttention", *grouped(3, 4, [6], 7, batch=2), "its lengths of shape 1 do not fit a batch of 2"),
    ("GroupQueryAttention", [normal(1, 2, 9), None, None, None, None, np.array([1], np.int32), scalar(2, np.int32)],
     {"num_heads": 2, "kv_num_heads": 1}, "its queries of shape 1x2x9 have no 4 heads"),
    ("GroupQueryAttention", [normal(1, 2, 8), normal(1, 2, 3), normal(1, 2, 4), None, None, np.array([1], np.int32), scalar(2, np.int32)],
     {"num_heads": 2, "kv_num_heads": 1}, "its keys or values of shape 1x2x3 are not 1x2x4"),
    ("GroupQueryAttention", [normal(1, 2, 8), normal(1, 2, 4), normal(1, 2, 4), normal(1, 1, 3, 5), None, np.array([1], np.int32), scalar(2, np.int32)],
     {"num_heads": 2, "kv_num_heads": 1}, "its past of shape 1x1x3x5 does not fit keys of 1x1x2x4"),
    ("GroupQueryAttention", [normal(1, 2, 8), normal(1, 2, 4), normal(1, 2, 4), None, None, np.array([1], np.int32), scalar(2, np.int32)],
     {"num_heads": 2, "kv_num_heads": 1, "do_rotary": 1}, "it turns its heads, and its caches do not fit heads of 4"),
    ("GroupQueryAttention", [normal(1, 2, 8), normal(1, 2, 4), normal(1, 2, 4), None, None, np.array([1], np.int32), scalar(2, np.int32), None, None, None, normal(1, 1, 2, 3)],
     {"num_heads": 2, "kv_num_heads": 1}, "its bias of shape 1x1x2x3 does not broadcast to scores of 1x2x2x2"),
    ("QGemm", [codes(2, 3), scalar(1), scalar(0, np.uint8), codes(2, 3), scalar(1), scalar(0, np.uint8)], {}, "it cannot multiply 2x3 by 2x3"),
    ("QGemm", [codes(2, 3), scalar(1), scalar(0, np.uint8), codes(3, 2), scalar(1), scalar(0, np.uint8), codes(3, dtype=np.int32)], {},
     "its operand 6 of shape 3 does not broadcast to 2x2"),
    ("QLinearSigmoid", [codes(3), normal(3), None, scalar(1)], {}, "its operand 1 is no scalar; quantize whole tensors"),
    ("QLinearSigmoid", [codes(3), scalar(1), None, normal(3)], {}, "its operand 3 is no scalar; quantize whole tensors"),
    ("QLinearConcat", [scalar(1), scalar(0, np.uint8), codes(3), scalar(1)], {"axis": 0}, "it has 4 operands, expected two and three for each part"),
    ("QLinearGlobalAveragePool", [codes(1, 2, 2, 3), scalar(1), scalar(0, np.uint8), scalar(1), scalar(0, np.uint8)], {"channels_last": 1},
     "its channels are its last dimension; transpose its operand"),
    ("DynamicQuantizeMatMul", [normal(2, 3), codes(2, 3), scalar(1)], {}, "it cannot multiply 2x3 by 2x3"),
    ("MatMulIntegerToFloat", [codes(2, 3), codes(3, 4), scalar(1), normal(5)], {}, "its scale or bias of shape 5 does not lie along the columns of 2x4"),
    ("MatMulIntegerToFloat", [codes(2, 3), codes(3, 4), normal(2), scalar(1)], {}, "its operand 2 is no scalar; quantize whole tensors"),
])  # fmt: skip
def test_the_cause_is_named(op, arrays, attributes, message):
    result = np.uint8 if op.startswith("QLinear") else F
    with pytest.raises(backend.Refused) as refusal:
        backend.run_model(model(op, arrays, (result,), **attributes), [a for a in arrays if a is not None])
    assert f"node 'the node' ({op}): " in str(refusal.value) and message in str(refusal.value)
