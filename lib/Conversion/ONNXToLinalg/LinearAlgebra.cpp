//===- LinearAlgebra.cpp - products of matrices, determinants -------------===//
#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

/// m x k times k x n, on tensors of any broadcast batch.
static Value contract(ImplicitLocOpBuilder &b, Value x, Value y, ArrayRef<int64_t> batch) {
  Shape xs = shapeOf(x), ys = shapeOf(y), out(batch);
  unsigned rank = batch.size() + 3;
  auto dims = [&](ArrayRef<int64_t> shape, unsigned row, unsigned column, Shape &kept) {
    SmallVector<AffineExpr> exprs;
    for (auto [i, size] : llvm::enumerate(shape.drop_back(2))) {
      unsigned dim = batch.size() - (shape.size() - 2) + i;
      if (size == 1 && batch[dim] != 1)
        continue;
      kept.push_back(size);
      exprs.push_back(b.getAffineDimExpr(dim));
    }
    kept.append(shape.take_back(2).begin(), shape.take_back(2).end());
    exprs.append({b.getAffineDimExpr(row), b.getAffineDimExpr(column)});
    return AffineMap::get(rank, 0, exprs, b.getContext());
  };
  unsigned m = rank - 3, n = rank - 2, k = rank - 1;
  Shape keptX, keptY, keptOut;
  out.append({xs[xs.size() - 2], ys.back()});
  SmallVector<AffineMap> maps = {dims(xs, m, k, keptX), dims(ys, k, n, keptY),
                                 dims(out, m, n, keptOut)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators[k] = utils::IteratorType::reduction;
  Value init = zeros(b, out, elementOf(x));
  return linalg::GenericOp::create(b, init.getType(),
                                   ValueRange{reshape(b, x, keptX), reshape(b, y, keptY)}, init,
                                   maps, iterators,
                                   [](OpBuilder &nested, Location loc, ValueRange args) {
                                     Scalars s(nested, loc);
                                     Value sum = s.add(args[2], s.mul(args[0], args[1]));
                                     linalg::YieldOp::create(nested, loc, sum);
                                   })
      .getResult(0);
}

static Value matmul(ImplicitLocOpBuilder &b, Value x, Value y) {
  Value init = zeros(b, {shapeOf(x)[0], shapeOf(y)[1]}, elementOf(x));
  return linalg::MatmulOp::create(b, ValueRange{x, y}, init).getResult(0);
}

static Value batchMatmul(ImplicitLocOpBuilder &b, Value x, Value y) {
  Value init = zeros(b, {shapeOf(x)[0], shapeOf(x)[1], shapeOf(y)[2]}, elementOf(x));
  return linalg::BatchMatmulOp::create(b, ValueRange{x, y}, init).getResult(0);
}

Value dojo::onnx::matrixProduct(ImplicitLocOpBuilder &b, Value x, Value y,
                                ArrayRef<int64_t> batch) {
  Shape xs = shapeOf(x), ys = shapeOf(y), out(batch);
  ArrayRef<int64_t> xBatch = ArrayRef(xs).drop_back(2), yBatch = ArrayRef(ys).drop_back(2);
  int64_t m = xs[xs.size() - 2], k = xs.back(), n = ys.back();
  out.append({m, n});
  if (product(yBatch) == 1) {
    Value rows = reshape(b, x, {product(xBatch) * m, k});
    return reshape(b, matmul(b, rows, reshape(b, y, {k, n})), out);
  }
  if (xBatch != yBatch)
    return contract(b, x, y, batch);
  int64_t count = product(batch);
  return reshape(b, batchMatmul(b, reshape(b, x, {count, m, k}), reshape(b, y, {count, k, n})),
                 out);
}

std::optional<Value> dojo::onnx::matmulResult(ImplicitLocOpBuilder &b, Value x, Value y) {
  Shape xs = shapeOf(x), ys = shapeOf(y);
  if (xs.empty() || ys.empty() || xs.back() != ys[ys.size() < 2 ? 0 : ys.size() - 2])
    return std::nullopt;
  bool row = xs.size() == 1, column = ys.size() == 1;
  if (row)
    xs.insert(xs.begin(), 1);
  if (column)
    ys.push_back(1);
  auto batch = broadcast(ArrayRef(xs).drop_back(2), ArrayRef(ys).drop_back(2));
  if (!batch)
    return std::nullopt;
  Value result = matrixProduct(b, reshape(b, x, xs), reshape(b, y, ys), *batch);
  Shape out = shapeOf(result);
  if (column)
    out.pop_back();
  if (row)
    out.erase(out.end() - (column ? 1 : 2));
  return reshape(b, result, out);
}

static LogicalResult lowerMatMul(NodeContext &c) {
  auto result = matmulResult(c.b, c.value(0), c.value(1));
  if (!result)
    return c.fail("it cannot multiply " + shapeName(c.shape(0)) + " by " + shapeName(c.shape(1)));
  c.result(0, *result);
  return success();
}

/// alpha * A' * B' + beta * C
static LogicalResult lowerGemm(NodeContext &c) {
  double alpha = c.floatAttr("alpha", 1), beta = c.floatAttr("beta", 1);
  bool transA = c.flagAttr("transA", false), transB = c.flagAttr("transB", false);
  c.ignore({"broadcast"});
  if (c.rank(0) != 2 || c.rank(1) != 2)
    return c.fail("it needs matrices and has " + shapeName(c.shape(0)) + " and " +
                  shapeName(c.shape(1)));
  if (c.shape(0)[!transA] != c.shape(1)[transB])
    return c.fail("it cannot multiply " + shapeName(c.shape(0)) + " by " + shapeName(c.shape(1)));
  Value x = transA ? transpose(c.b, c.value(0), {1, 0}) : c.value(0);
  Value y = transB ? transpose(c.b, c.value(1), {1, 0}) : c.value(1);
  Value result = matmul(c.b, x, y);
  Shape shape = shapeOf(result);
  auto scale = [&](Scalars &s, Value value, double by) {
    return by == 1 ? value : s.mul(value, s.constant(value, by));
  };
  if (!c.has(2) || beta == 0) {
    if (alpha != 1)
      result = elementwise(c.b, shape, elementOf(result), result,
                           [&](Scalars &s, ValueRange v) { return scale(s, v[0], alpha); });
    c.result(0, result);
    return success();
  }
  if (broadcast(shape, c.shape(2)) != shape)
    return c.fail("its operand C of shape " + shapeName(c.shape(2)) + " does not broadcast to " +
                  shapeName(shape));
  c.result(0, elementwise(c.b, shape, elementOf(result), {result, c.value(2)},
                          [&](Scalars &s, ValueRange v) {
                            return s.add(scale(s, v[0], alpha), scale(s, v[1], beta));
                          }));
  return success();
}

/// The larger entry of column `at` comes to stand in `upper` and takes that of `lower` to zero. A
/// row that moves down changes its sign, so that the determinant stays.
static void eliminate(ImplicitLocOpBuilder &b, Value &upper, Value &lower, int64_t at) {
  Shape shape = shapeOf(upper);
  auto entry = [&](Value row) { return slice(b, row, {0, at}, {shape[0], 1}, {1, 1}); };
  SmallVector<Value> operands = {upper, lower, entry(upper), entry(lower)};
  auto swaps = [](Scalars &s, ValueRange v) {
    return s.compare(arith::CmpIPredicate::sgt, s.max(v[3], s.neg(v[3])), s.max(v[2], s.neg(v[2])));
  };
  upper = elementwise(b, shape, elementOf(upper), operands,
                      [&](Scalars &s, ValueRange v) { return s.select(swaps(s, v), v[1], v[0]); });
  lower = elementwise(b, shape, elementOf(lower), operands, [&](Scalars &s, ValueRange v) {
    Value swap = swaps(s, v), zero = s.constant(v[0], 0);
    Value pivotRow = s.select(swap, v[1], v[0]), row = s.select(swap, s.neg(v[0]), v[1]);
    Value pivot = s.select(swap, v[3], v[2]), first = s.select(swap, s.neg(v[2]), v[3]);
    Value none = s.compare(arith::CmpIPredicate::eq, pivot, zero);
    Value factor = s.select(none, zero, s.div(first, s.select(none, s.constant(zero, 1), pivot)));
    return s.sub(row, s.mul(factor, pivotRow));
  });
}

/// The product of the diagonal that elimination of pairs of rows leaves.
static LogicalResult lowerDet(NodeContext &c) {
  constexpr int64_t mostRows = 8;
  Shape shape(c.shape(0));
  if (shape.size() < 2 || shape.back() != shape[shape.size() - 2])
    return c.fail("it needs square matrices and has " + shapeName(shape));
  int64_t size = shape.back();
  if (size < 1 || size > mostRows)
    return c.fail("its matrices have " + Twine(size) + " rows; 1 to " + Twine(mostRows) +
                  " are supported");
  shape.pop_back_n(2);
  int64_t batch = product(shape);
  Value matrices = reshape(c.b, c.value(0), {batch, size, size});
  SmallVector<Value> rows, diagonal;
  for (int64_t i = 0; i < size; ++i)
    rows.push_back(
        reshape(c.b, slice(c.b, matrices, {0, i, 0}, {batch, 1, size}, {1, 1, 1}), {batch, size}));
  for (int64_t at = 0; at < size; ++at) {
    for (int64_t below = at + 1; below < size; ++below)
      eliminate(c.b, rows[at], rows[below], at);
    diagonal.push_back(slice(c.b, rows[at], {0, at}, {batch, 1}, {1, 1}));
  }
  Value determinants =
      elementwise(c.b, {batch, 1}, elementOf(matrices), diagonal, [](Scalars &s, ValueRange v) {
        Value all = v[0];
        for (Value one : v.drop_front())
          all = s.mul(all, one);
        return all;
      });
  c.result(0, reshape(c.b, determinants, shape));
  return success();
}

void dojo::onnx::registerLinearAlgebra(HandlerRegistry &registry) {
  registry.onOp("MatMul", 1, lowerMatMul);
  registry.onOp("Gemm", 1, lowerGemm);
  registry.onOp("Det", 11, lowerDet);
}
