//===- Microsoft.cpp - com.microsoft: activations, norms, products --------===//
//
// Operators that ONNX Runtime's optimizer and exporters of transformers write.
//
//===----------------------------------------------------------------------===//
#include "Microsoft.h"
#include "Lookup.h"
#include "Normalization.h"
#include "Types.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

/// body(x), or body(x + bias) where there is a second operand.
static LogicalResult activated(NodeContext &c, llvm::function_ref<Value(Scalars &, Value)> body) {
  SmallVector<Value> operands = {c.value(0)};
  if (!isa<FloatType>(c.type(0).getElementType()))
    return c.fail("it is not defined on " + typeName(c.declared(0)));
  if (c.has(1)) {
    if (broadcast(c.shape(0), c.shape(1)) != Shape(c.shape(0)))
      return c.fail("its bias of shape " + shapeName(c.shape(1)) + " does not broadcast to " +
                    shapeName(c.shape(0)));
    operands.push_back(c.value(1));
  }
  c.result(0, elementwise(c.b, c.shape(0), c.type(0).getElementType(), operands,
                          [&](Scalars &s, ValueRange v) {
                            return body(s, v.size() > 1 ? s.add(v[0], v[1]) : v[0]);
                          }));
  return success();
}

static LogicalResult lowerGelu(NodeContext &c) {
  return activated(c, [](Scalars &s, Value x) { return s.gelu(x); });
}

static LogicalResult lowerFastGelu(NodeContext &c) {
  return activated(c, [](Scalars &s, Value x) { return s.geluTanh(x); });
}

static LogicalResult lowerQuickGelu(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 1.702);
  return activated(
      c, [&](Scalars &s, Value x) { return s.mul(x, s.sigmoid(s.mul(x, s.constant(x, alpha)))); });
}

/// Whether operands lie along the last dimension of the data.
static LogicalResult checkAlongLast(NodeContext &c, ArrayRef<int64_t> data,
                                    std::initializer_list<unsigned> operands) {
  for (unsigned i : operands)
    if (c.has(i) && (data.empty() || Shape(c.shape(i)) != Shape{data.back()}))
      return c.fail("its operand " + Twine(i) + " of shape " + shapeName(c.shape(i)) +
                    " does not lie along the last dimension of " + shapeName(data));
  return success();
}

static Value sum(ImplicitLocOpBuilder &b, Value x, Value y) {
  return elementwise(b, shapeOf(x), elementOf(x), {x, y},
                     [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
}

/// The norm of input + skip + bias over the last dimension; output 3 is the sum.
template <bool simplified>
static LogicalResult lowerSkipNorm(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  double epsilon = c.floatAttr("epsilon", 1e-12);
  unsigned bias = simplified ? 3 : 4;
  Shape shape(c.shape(0));
  if (broadcast(shape, c.shape(1)) != shape)
    return c.fail("its skip of shape " + shapeName(c.shape(1)) + " does not broadcast to " +
                  shapeName(shape));
  if (failed(checkAlongLast(c, shape, {2, 3, bias})))
    return failure();
  Type f32 = b.getF32Type(), element = c.type(0).getElementType();
  auto single = [&](unsigned i) { return castTo(b, c.value(i), f32); };
  Value x = sum(b, single(0), single(1));
  if (c.has(bias))
    x = sum(b, x, single(bias));
  int64_t last = c.rank(0) - 1;
  Value values;
  if (simplified) {
    values = rootMeanSquare(b, x, {last}, epsilon).values;
  } else {
    Standard standard = standardise(b, x, {last}, epsilon);
    values = standard.values;
    c.result(1, standard.mean);
    c.result(2, standard.inverse);
  }
  Value shift = !simplified && c.has(3) ? single(3) : Value();
  c.result(0, castTo(b, scaleAndShift(b, values, single(2), shift), element), c.declared(0));
  c.result(3, castTo(b, x, element), c.declared(0));
  return success();
}

/// The sum of the rows of words, positions and segments, and its norm.
static LogicalResult lowerEmbedNorm(NodeContext &c) {
  enum : unsigned { Ids, Segments, Words, Positions, SegmentRows, Gamma, Beta, Mask, Places };
  ImplicitLocOpBuilder &b = c.b;
  double epsilon = c.floatAttr("epsilon", 1e-12);
  c.ignore({"mask_index_type"});
  if (c.rank(Ids) != 2 || c.rank(Words) != 2 || c.rank(Positions) != 2)
    return c.fail("it needs a batch of sequences and tables, and has " + shapeName(c.shape(Ids)) +
                  " and " + shapeName(c.shape(Words)));
  int64_t batch = c.shape(Ids)[0], length = c.shape(Ids)[1], width = c.shape(Words)[1];
  auto rows = [&](unsigned table, unsigned indices) {
    return lookUp(b, c.value(table), fromStart(b, c.value(indices), c.shape(table)[0]), 0);
  };
  Value x = rows(Words, Ids);
  if (c.has(Places)) {
    x = sum(b, x, rows(Positions, Places));
  } else {
    if (c.shape(Positions)[0] < length)
      return c.fail("it has " + Twine(c.shape(Positions)[0]) + " positions for a sequence of " +
                    Twine(length));
    x = sum(b, x, slice(b, c.value(Positions), {0, 0}, {length, width}, {1, 1}));
  }
  if (c.has(Segments))
    x = sum(b, x, rows(SegmentRows, Segments));
  if (failed(checkAlongLast(c, {width}, {Gamma, Beta})))
    return failure();
  c.result(0,
           scaleAndShift(b, standardise(b, x, {2}, epsilon).values, c.value(Gamma), c.value(Beta)));
  Type i32 = b.getI32Type();
  if (c.has(Mask))
    c.result(1,
             reduce(b, castTo(b, c.value(Mask), i32), {1}, false, Combine::Add,
                    [](Scalars &s, ValueRange v) {
                      return s.cast(s.compare(P::eq, v[0], s.constant(v[0], 1)), v[0].getType());
                    }),
             i32);
  else
    c.result(1, ElementsAttr(DenseElementsAttr::get(RankedTensorType::get({batch}, i32), 0)));
  c.result(2, x);
  return success();
}

static LogicalResult lowerFusedMatMul(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 1);
  for (StringRef batch : {"transBatchA", "transBatchB"})
    if (c.intAttr(batch, 0))
      return c.fail("it transposes batches", "transpose its operand before");
  auto operand = [&](unsigned i, StringRef transposed) {
    Value x = c.value(i);
    int64_t rank = c.rank(i);
    if (!c.intAttr(transposed, 0) || rank < 2)
      return x;
    Shape order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(order[rank - 1], order[rank - 2]);
    return transpose(c.b, x, order);
  };
  auto product = matmulResult(c.b, operand(0, "transA"), operand(1, "transB"));
  if (!product)
    return c.fail("it cannot multiply " + shapeName(c.shape(0)) + " by " + shapeName(c.shape(1)));
  Value result = *product;
  if (alpha != 1)
    result =
        elementwise(c.b, shapeOf(result), elementOf(result), result,
                    [&](Scalars &s, ValueRange v) { return s.mul(v[0], s.constant(v[0], alpha)); });
  c.result(0, result);
  return success();
}

/// rows x bytes as rows x (bytes * 8 / bits) numbers without sign, the low bits first.
static Value unpacked(ImplicitLocOpBuilder &b, Value bytes, int64_t bits) {
  Shape shape = shapeOf(bytes);
  int64_t each = 8 / bits;
  Type i32 = b.getI32Type();
  Value apart = reshape(b, bytes, {shape[0], shape[1], 1});
  Value fields = elementwise(b, {shape[0], shape[1], each}, b.getF32Type(),
                             {apart, iota(b, each, 2, 3)}, [&](Scalars &s, ValueRange v) {
                               Value byte = s.make<arith::ExtUIOp>(i32, v[0]);
                               Value by = s.mul(v[1], s.constant(v[1], bits));
                               Value field =
                                   s.make<arith::AndIOp>(s.make<arith::ShRUIOp>(byte, by),
                                                         s.constant(byte, (1 << bits) - 1));
                               return s.cast(field, s.floatType());
                             });
  return reshape(b, fields, {shape[0], shape[1] * each});
}

/// The zero points of blocks, packed like the weights or floats; half the range if absent.
static FailureOr<Value> blockZeros(NodeContext &c, int64_t rows, int64_t blocks, int64_t bits) {
  ImplicitLocOpBuilder &b = c.b;
  if (!c.has(3))
    return filled(b, {rows, blocks},
                  Scalars(b, b.getLoc()).constant(b.getF32Type(), 1 << (bits - 1)));
  bool packed = c.type(3).getElementType().isInteger(8);
  int64_t bytes = (blocks * bits + 7) / 8;
  if (product(c.shape(3)) != rows * (packed ? bytes : blocks))
    return c.fail("its zero points of shape " + shapeName(c.shape(3)) + " do not fit " +
                  Twine(rows) + " rows of " + Twine(blocks) + " blocks");
  if (!packed)
    return castTo(b, reshape(b, c.value(3), {rows, blocks}), b.getF32Type());
  Value all = unpacked(b, reshape(b, c.value(3), {rows, bytes}), bits);
  return slice(b, all, {0, 0}, {rows, blocks}, {1, 1});
}

/// A times the transposed (codes - zero) * scale, whose rows are cut into blocks.
static LogicalResult lowerMatMulNBits(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  int64_t bits = c.intAttr("bits", 4), block = c.intAttr("block_size", 0), n = c.intAttr("N", 0),
          k = c.intAttr("K", 0);
  c.ignore({"accuracy_level"});
  if (c.intAttr("weight_prepacked", 0) || c.has(4))
    return c.fail("its weights are packed for one device, or its groups are permuted",
                  "export it with neither weight_prepacked nor g_idx");
  if ((bits != 2 && bits != 4 && bits != 8) || block < 1 || n < 1 || k < 1)
    return c.fail("its bits, block_size, N and K are " + Twine(bits) + ", " + Twine(block) + ", " +
                  Twine(n) + " and " + Twine(k));
  int64_t blocks = (k + block - 1) / block, bytes = block * bits / 8;
  if (product(c.shape(1)) != n * blocks * bytes || product(c.shape(2)) != n * blocks ||
      c.rank(0) < 1 || c.shape(0).back() != k || (c.has(5) && Shape(c.shape(5)) != Shape{n}))
    return c.fail("its operands of shapes " + shapeName(c.shape(0)) + ", " + shapeName(c.shape(1)) +
                  " and " + shapeName(c.shape(2)) + " do not fit " + Twine(n) + " rows of " +
                  Twine(blocks) + " blocks");
  auto zero = blockZeros(c, n, blocks, bits);
  if (failed(zero))
    return failure();
  Type f32 = b.getF32Type();
  Value codes = reshape(b, unpacked(b, reshape(b, c.value(1), {n, blocks * bytes}), bits),
                        {n, blocks, block});
  Value scales = reshape(b, castTo(b, c.value(2), f32), {n, blocks, 1});
  Value weights =
      elementwise(b, {n, blocks, block}, f32, {codes, reshape(b, *zero, {n, blocks, 1}), scales},
                  [](Scalars &s, ValueRange v) { return s.mul(s.sub(v[0], v[1]), v[2]); });
  weights = slice(b, reshape(b, weights, {n, blocks * block}), {0, 0}, {n, k}, {1, 1});
  Value x = castTo(b, c.value(0), f32);
  Value result = matrixProduct(b, reshape(b, x, {product(c.shape(0)) / k, k}),
                               transpose(b, weights, {1, 0}), {});
  Shape shape(c.shape(0));
  shape.back() = n;
  result = reshape(b, result, shape);
  if (c.has(5))
    result = sum(b, result, castTo(b, c.value(5), f32));
  c.result(0, castTo(b, result, c.type(0).getElementType()), c.declared(0));
  return success();
}

void dojo::onnx::registerMicrosoft(HandlerRegistry &registry) {
  registry.onOp("Gelu", 1, lowerGelu, microsoft);
  registry.onOp("BiasGelu", 1, lowerGelu, microsoft);
  registry.onOp("FastGelu", 1, lowerFastGelu, microsoft);
  registry.onOp("QuickGelu", 1, lowerQuickGelu, microsoft);
  registry.onOp("SkipLayerNormalization", 1, lowerSkipNorm<false>, microsoft);
  registry.onOp("SkipSimplifiedLayerNormalization", 1, lowerSkipNorm<true>, microsoft);
  registry.onOp("EmbedLayerNormalization", 1, lowerEmbedNorm, microsoft);
  registry.onOp("FusedMatMul", 1, lowerFusedMatMul, microsoft);
  registry.onOp("MatMulNBits", 1, lowerMatMulNBits, microsoft);
  registerMicrosoftAttention(registry);
  registerGroupQueryAttention(registry);
  registerMicrosoftQuantization(registry);
}
