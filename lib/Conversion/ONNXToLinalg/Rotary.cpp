//===- Rotary.cpp - pairs of elements turned by their position ------------===//
#include "Attention.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

/// The turned pairs first[i], second[i]: their real parts, or their imaginary ones;
/// of the two products one is not rounded.
static Value turned(ImplicitLocOpBuilder &b, ValueRange pairs, bool imaginary) {
  return elementwise(b, shapeOf(pairs[0]), elementOf(pairs[0]), pairs,
                     [&](Scalars &s, ValueRange v) -> Value {
                       if (imaginary)
                         return s.make<math::FmaOp>(v[3], v[0], s.mul(v[2], v[1]));
                       return s.make<math::FmaOp>(v[2], v[0], s.neg(s.mul(v[3], v[1])));
                     });
}

FailureOr<Value> dojo::onnx::rotate(NodeContext &c, const Rotary &rotary) {
  ImplicitLocOpBuilder &b = c.b;
  Shape given = shapeOf(rotary.x);
  bool flat = given.size() == 3;
  if ((!flat && given.size() != 4) || (flat && (rotary.heads < 1 || given[2] % rotary.heads)))
    return c.fail("it needs 4 dimensions, or 3 and num_heads, and has " + shapeName(given));
  Value x = flat ? splitHeads(b, rotary.x, rotary.heads) : rotary.x;
  Shape shape = shapeOf(x), ones(4, 1);
  int64_t size = shape[3], width = rotary.width ? rotary.width : size, half = width / 2;
  Shape expected = {shape[0], shape[2], half};
  if (shapeOf(rotary.cosines) != expected || shapeOf(rotary.sines) != expected)
    return c.fail("its cosines of shape " + shapeName(shapeOf(rotary.cosines)) + " do not fit " +
                  shapeName(shape));
  Shape perHead = {shape[0], 1, shape[2], half}, part = {shape[0], shape[1], shape[2], half};
  Shape steps = {1, 1, 1, rotary.interleaved ? 2 : 1};
  Value pairs[] = {slice(b, x, {0, 0, 0, 0}, part, steps),
                   slice(b, x, {0, 0, 0, rotary.interleaved ? 1 : half}, part, steps),
                   reshape(b, rotary.cosines, perHead), reshape(b, rotary.sines, perHead)};
  Value real = turned(b, pairs, false), imaginary = turned(b, pairs, true), result;
  if (rotary.interleaved) {
    Shape column = part;
    column.push_back(1);
    Value joined = concat(b, 4, {reshape(b, real, column), reshape(b, imaginary, column)});
    result = reshape(b, joined, {shape[0], shape[1], shape[2], width});
  } else {
    result = concat(b, 3, {real, imaginary});
  }
  if (width < size) {
    Value rest = slice(b, x, {0, 0, 0, width}, {shape[0], shape[1], shape[2], size - width}, ones);
    result = concat(b, 3, {result, rest});
  }
  return flat ? joinHeads(b, result) : result;
}
