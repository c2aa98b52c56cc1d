//===- Random.cpp - random numbers and what is drawn by them --------------===//
//
// The numbers of an element are Philox4x32-10 (see Formats/Philox.h) of its place
// in the tensor, under the seed of the node: they do not depend on the mapping,
// and equal seeds give equal numbers. A node without a seed takes one from its
// name, so a program draws the same numbers at every run.
//
//===----------------------------------------------------------------------===//
#include "Softmax.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"
#include "dojo/Dialect/ONNX/IR/ONNX.h"
#include "dojo/Formats/Philox.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

namespace {

/// Two random words of 32 bits for a place; integers are i32 in the bodies.
class Philox {
public:
  Philox(Scalars &s, uint64_t key) : s(s), key{uint32_t(key), uint32_t(key >> 32)} {}

  std::pair<Value, Value> words(Value place);
  /// A word as a number of 24 bits from 0 up to but not 1.
  Value fraction(Value word) {
    return s.mul(s.cast(shiftRight(word, 8), s.floatType()), s.constant(s.floatType(), 0x1p-24));
  }
  Value uniform(Value place) { return fraction(words(place).first); }
  /// Box and Muller: sqrt(-2 log u) * cos(2 pi v), u from above 0 to 1.
  Value normal(Value place);

private:
  Value word(uint32_t value) { return s.constant(s.integerType(32), int32_t(value)); }
  Value shiftRight(Value x, uint32_t by) { return s.make<arith::ShRUIOp>(x, word(by)); }
  Value low16(Value x) { return s.make<arith::AndIOp>(x, word(0xffff)); }
  Value exclusive(Value x, Value y) { return s.make<arith::XOrIOp>(x, y); }
  Value highProduct(Value x, uint32_t factor);

  Scalars &s;
  std::array<uint32_t, 2> key;
};

} // namespace

/// The upper 32 bits of the product of words, by halves of 16 bits.
Value Philox::highProduct(Value x, uint32_t factor) {
  Value low = low16(x), high = shiftRight(x, 16);
  Value lower = word(factor & 0xffff), upper = word(factor >> 16);
  Value cross = s.mul(low, upper), other = s.mul(high, lower);
  Value middle = s.add(shiftRight(s.mul(low, lower), 16), s.add(low16(cross), low16(other)));
  Value carried =
      s.add(s.add(shiftRight(cross, 16), shiftRight(other, 16)), shiftRight(middle, 16));
  return s.add(s.mul(high, upper), carried);
}

std::pair<Value, Value> Philox::words(Value place) {
  using namespace dojo::formats;
  std::array<Value, 4> c = {place, word(0), word(0), word(0)};
  std::array<uint32_t, 2> k = key;
  for (unsigned round = 0; round < philoxRounds; ++round) {
    Value p = highProduct(c[0], philoxMultipliers[0]), q = highProduct(c[2], philoxMultipliers[1]);
    Value lowP = s.mul(c[0], word(philoxMultipliers[0])),
          lowQ = s.mul(c[2], word(philoxMultipliers[1]));
    c = {exclusive(exclusive(q, c[1]), word(k[0])), lowQ, exclusive(exclusive(p, c[3]), word(k[1])),
         lowP};
    k = {k[0] + philoxKeySteps[0], k[1] + philoxKeySteps[1]};
  }
  return {c[0], c[1]};
}

Value Philox::normal(Value place) {
  auto [first, second] = words(place);
  Value one = s.constant(s.floatType(), 1);
  Value log = s.make<math::LogOp>(s.sub(one, fraction(first)));
  Value radius = s.make<math::SqrtOp>(s.mul(log, s.constant(log, -2)));
  Value angle = s.mul(fraction(second), s.constant(one, 2 * M_PI));
  return s.mul(radius, s.make<math::CosOp>(angle));
}

/// The key of a node: its seed, or a hash of its name.
static uint64_t keyOf(NodeContext &c) {
  if (c.hasAttr("seed"))
    return llvm::bit_cast<uint64_t>(c.numberAttr("seed", 0));
  return llvm::xxh3_64bits(nodeName(c.b.getLoc()));
}

/// body(generator, place, operands...) for each element; operands broadcast to `shape`.
static Value drawn(NodeContext &c, ArrayRef<int64_t> shape, Type element, ValueRange operands,
                   llvm::function_ref<Value(Scalars &, Philox &, Value, ValueRange)> body) {
  uint64_t key = keyOf(c);
  int64_t rank = shape.size();
  SmallVector<Value> all;
  for (int64_t d = 0; d < rank; ++d)
    all.push_back(iota(c.b, shape[d], d, rank));
  all.append(operands.begin(), operands.end());
  return elementwise(c.b, shape, element, all, [&](Scalars &s, ValueRange v) {
    Value place = s.constant(s.integerType(32), 0);
    for (int64_t d = 0; d < rank; ++d)
      place = s.add(s.mul(place, s.constant(place, shape[d])), v[d]);
    Philox philox(s, key);
    return body(s, philox, place, v.drop_front(rank));
  });
}

/// The element type that the attribute dtype names, or `otherwise`.
static FailureOr<Type> drawnType(NodeContext &c, Type otherwise) {
  Type declared =
      c.hasAttr("dtype") ? declaredType(c.b.getContext(), c.intAttr("dtype", 0)) : otherwise;
  if (!declared || !computedType(declared))
    return c.fail("its attribute 'dtype' names a type that no node computes");
  return declared;
}

/// Of the shape of the operand, or of that which the attribute names.
template <bool like, bool normal>
static LogicalResult lowerRandom(NodeContext &c) {
  Shape shape = like ? Shape(c.shape(0)) : c.intsAttr("shape");
  if (llvm::any_of(shape, [](int64_t size) { return size < 0; }))
    return c.fail("its shape " + shapeName(shape) + " is not valid");
  auto declared = drawnType(c, like ? c.declared(0) : c.b.getF32Type());
  if (failed(declared))
    return failure();
  if (!isa<FloatType>(*declared))
    return c.fail("it draws " + typeName(*declared), "draw floats");
  double start = c.floatAttr(normal ? "mean" : "low", 0);
  double width = c.floatAttr(normal ? "scale" : "high", 1) - (normal ? 0 : start);
  c.result(0,
           drawn(c, shape, computedType(*declared), {},
                 [&](Scalars &s, Philox &philox, Value place, ValueRange) {
                   Value x = normal ? philox.normal(place) : philox.uniform(place);
                   x = s.add(s.mul(x, s.constant(x, width)), s.constant(x, start));
                   return converted(s, x, s.floatType(), *declared);
                 }),
           *declared);
  return success();
}

/// 1 with the probability that the element gives.
static LogicalResult lowerBernoulli(NodeContext &c) {
  auto declared = drawnType(c, c.declared(0));
  if (failed(declared))
    return failure();
  Type from = c.declared(0);
  c.result(0,
           drawn(c, c.shape(0), computedType(*declared), c.value(0),
                 [&](Scalars &s, Philox &philox, Value place, ValueRange v) {
                   Value chance = converted(s, v[0], from, s.floatType());
                   Value is = s.compare(P::slt, philox.uniform(place), chance);
                   return converted(s, is, s.integerType(1), *declared);
                 }),
           *declared);
  return success();
}

/// For each row of logarithms of weights some classes: how many of the running sums of
/// the weights a number below their whole passes.
static LogicalResult lowerMultinomial(NodeContext &c) {
  ImplicitLocOpBuilder &b = c.b;
  int64_t samples = c.intAttr("sample_size", 1);
  if (c.rank(0) != 2 || samples < 1 || c.shape(0)[1] < 1)
    return c.fail("it needs a batch of classes and a number of samples, and has " +
                  shapeName(c.shape(0)) + " and " + Twine(samples));
  auto declared = drawnType(c, b.getI32Type());
  if (failed(declared))
    return failure();
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  int64_t batch = c.shape(0)[0], classes = c.shape(0)[1];
  Value shares = softmax(b, castTo(b, c.value(0), f32), {1});
  Value sums = fold(b, 3, {{iota(b, classes), {1}}, {iota(b, classes), {2}}, {shares, {0, 2}}},
                    {zeros(b, {batch, classes}, f32), {0, 1}}, [](Scalars &s, ValueRange v) {
                      return s.select(s.compare(P::sle, v[1], v[0]), s.add(v[3], v[2]), v[3]);
                    });
  Value whole = slice(b, sums, {0, classes - 1}, {batch, 1}, {1, 1});
  Value place = drawn(c, {batch, samples}, f32, whole,
                      [](Scalars &s, Philox &philox, Value at, ValueRange v) {
                        return s.mul(philox.uniform(at), v[0]);
                      });
  Value passed = fold(b, 3, {{place, {0, 1}}, {sums, {0, 2}}},
                      {zeros(b, {batch, samples}, i32), {0, 1}}, [](Scalars &s, ValueRange v) {
                        Value beyond = s.compare(P::sle, v[1], v[0]);
                        return s.add(v[2], s.cast(beyond, v[2].getType()));
                      });
  // A number that rounds up to the whole belongs to the last class.
  c.result(0,
           elementwise(b, {batch, samples}, computedType(*declared), passed,
                       [&](Scalars &s, ValueRange v) {
                         Value last = s.min(v[0], s.constant(v[0], classes - 1));
                         return converted(s, last, s.integerType(32), *declared);
                       }),
           *declared);
  return success();
}

/// In training what is kept grows by the share of what is dropped.
static LogicalResult lowerDropout(NodeContext &c) {
  c.ignore({"ratio", "seed", "is_test"});
  bool training = false;
  if (c.has(2)) {
    auto flag = c.needScalar(2, "training_mode");
    if (failed(flag))
      return failure();
    training = *flag != 0;
  }
  Type bit = c.b.getI1Type();
  if (!training) {
    c.forward(0, 0);
    if (c.uses(1))
      c.result(1,
               ElementsAttr(DenseElementsAttr::get(RankedTensorType::get(c.shape(0), bit), true)));
    return success();
  }
  if (c.has(1) && product(c.shape(1)) != 1)
    return c.fail("its ratio of shape " + shapeName(c.shape(1)) + " is no scalar");
  Value ratio = c.has(1) ? castTo(c.b, reshape(c.b, c.value(1), {}), c.b.getF32Type())
                         : floats(c.b, {}, {0.5f});
  Value kept =
      drawn(c, c.shape(0), bit, ratio, [](Scalars &s, Philox &philox, Value place, ValueRange v) {
        return s.compare(P::sge, philox.uniform(place), v[0]);
      });
  Type from = c.declared(0);
  c.result(0,
           elementwise(c.b, c.shape(0), c.type(0).getElementType(), {c.value(0), kept, ratio},
                       [&](Scalars &s, ValueRange v) {
                         Value share = s.sub(s.constant(v[2], 1), v[2]);
                         Value grown = s.div(converted(s, v[0], from, s.floatType()), share);
                         Value x = s.select(v[1], grown, s.constant(grown, 0));
                         return converted(s, x, s.floatType(), from);
                       }),
           from);
  if (c.uses(1))
    c.result(1, kept, bit);
  return success();
}

void dojo::onnx::registerRandom(HandlerRegistry &registry) {
  registry.onOp("RandomUniform", 1, lowerRandom<false, false>);
  registry.onOp("RandomNormal", 1, lowerRandom<false, true>);
  registry.onOp("RandomUniformLike", 1, lowerRandom<true, false>);
  registry.onOp("RandomNormalLike", 1, lowerRandom<true, true>);
  registry.onOp("Bernoulli", 15, lowerBernoulli);
  registry.onOp("Multinomial", 7, lowerMultinomial);
  registry.onOp("Dropout", 1, lowerDropout);
}
