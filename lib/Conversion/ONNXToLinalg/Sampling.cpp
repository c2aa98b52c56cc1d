//===- Sampling.cpp - images at places that are known at run time ---------===//
#include "Sampling.h"

#include "Lookup.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

/// The weight of an element at `distance`; the cubic is that of R. Keys (1981).
static Value weightAt(Scalars &s, Value distance, Kernel kernel) {
  Value one = s.constant(distance, 1);
  if (kernel != Kernel::Cubic)
    return s.max(s.sub(one, distance), s.constant(distance, 0));
  constexpr double a = -0.75;
  auto horner = [&](std::initializer_list<double> factors) {
    Value sum;
    for (double factor : factors)
      sum = sum ? s.add(s.mul(sum, distance), s.constant(distance, factor))
                : s.constant(distance, factor);
    return sum;
  };
  return s.select(s.compare(P::sle, distance, one), horner({a + 2, -(a + 3), 0, 1}),
                  horner({a, -5 * a, 8 * a, -4 * a}));
}

Taps dojo::onnx::tapsAround(ImplicitLocOpBuilder &b, Value positions, Kernel kernel, unsigned axis,
                            unsigned axes, llvm::function_ref<Value(Scalars &, Value)> inside) {
  int64_t count = kernel == Kernel::Nearest ? 1 : kernel == Kernel::Linear ? 2 : 4;
  Shape shape(axes, 1);
  shape.append(shapeOf(positions));
  Value x = reshape(b, positions, shape), number = iota(b, count, axis, shape.size());
  shape[axis] = count;
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  auto place = [&](Scalars &s, ValueRange v) {
    Value low = s.make<math::FloorOp>(v[0]), offset = s.cast(v[1], f32);
    return s.add(count == 4 ? s.sub(low, s.constant(low, 1)) : low, offset);
  };
  Value places = elementwise(b, shape, i32, {x, number}, [&](Scalars &s, ValueRange v) {
    return s.cast(inside(s, place(s, v)), i32);
  });
  Value weights = elementwise(b, shape, f32, {x, number}, [&](Scalars &s, ValueRange v) {
    return weightAt(s, s.make<math::AbsFOp>(s.sub(place(s, v), v[0])), kernel);
  });
  return {places, weights};
}

Samples dojo::onnx::sample(ImplicitLocOpBuilder &b, Value image, Value batch, ArrayRef<Taps> axes) {
  Shape from = shapeOf(image), shape = shapeOf(batch), order = {0};
  SmallVector<Value> places = {batch}, weights;
  for (auto [d, taps] : llvm::enumerate(axes)) {
    shape = *broadcast(shape, shapeOf(taps.places));
    places.push_back(taps.places);
    weights.push_back(taps.weights);
    order.push_back(2 + d);
  }
  order.push_back(1);
  Value rows = elementwise(b, shape, b.getI32Type(), places, [&](Scalars &s, ValueRange v) {
    Value row = v[0], none = s.constant(row, -1), outside;
    for (auto [d, place] : llvm::enumerate(v.drop_front())) {
      row = s.add(s.mul(row, s.constant(row, from[2 + d])), place);
      Value beyond = s.compare(P::slt, place, s.constant(place, 0));
      outside = outside ? s.make<arith::OrIOp>(outside, beyond) : beyond;
    }
    return s.select(outside, none, row);
  });
  Value weight = elementwise(b, shape, b.getF32Type(), weights, [](Scalars &s, ValueRange v) {
    Value all = v[0];
    for (Value next : v.drop_front())
      all = s.mul(all, next);
    return all;
  });
  Value table = reshape(b, transpose(b, image, order), {product(from) / from[1], from[1]});
  Value values = lookUp(b, table, reshape(b, rows, product(shape)), 0);
  shape.push_back(from[1]);
  return {reshape(b, values, shape), weight};
}
