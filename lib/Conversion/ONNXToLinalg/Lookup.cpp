//===- Lookup.cpp - rows by indices, known or not -------------------------===//
#include "Lookup.h"

#include "dojo/Transforms/Contraction.h"

using namespace mlir;
using namespace dojo::onnx;

Value dojo::onnx::fromStart(ImplicitLocOpBuilder &b, Value indices, int64_t extent) {
  using P = arith::CmpIPredicate;
  return elementwise(b, shapeOf(indices), b.getI32Type(), {indices}, [&](Scalars &s, ValueRange v) {
    Value index = s.cast(v[0], b.getI32Type());
    Value negative = s.compare(P::slt, index, s.constant(index, 0));
    return s.select(negative, s.add(index, s.constant(index, extent)), index);
  });
}

Value dojo::onnx::lookUp(ImplicitLocOpBuilder &b, Value data, Value indices, int64_t axis) {
  Shape from = shapeOf(data), to = shapeOf(indices), shape(ArrayRef(from).take_front(axis));
  shape.append(to);
  shape.append(from.begin() + axis + 1, from.end());
  int64_t results = shape.size(), indexRank = to.size();
  SmallVector<AffineExpr> index, table, out;
  for (int64_t d = 0; d < int64_t(from.size()); ++d)
    table.push_back(b.getAffineDimExpr(d < axis ? d : d == axis ? results : d - 1 + indexRank));
  for (int64_t d = 0; d < indexRank; ++d)
    index.push_back(b.getAffineDimExpr(axis + d));
  for (int64_t d = 0; d < results; ++d)
    out.push_back(b.getAffineDimExpr(d));
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(results + 1, 0, exprs, b.getContext());
  };
  AffineMap maps[] = {map(index), map(b.getAffineDimExpr(results)), map(table), map(out)};
  SmallVector<utils::IteratorType> types(results, utils::IteratorType::parallel);
  types.push_back(utils::IteratorType::reduction);
  Value rows = iota(b, from[axis]), init = zeros(b, shape, elementOf(data));
  auto lookup =
      linalg::GenericOp::create(b, init.getType(), {indices, rows, data}, init, maps, types,
                                [&](OpBuilder &builder, Location loc, ValueRange v) {
                                  Scalars s(builder, loc);
                                  Value mine = s.compare(arith::CmpIPredicate::eq, v[0], v[1]);
                                  Value taken = s.select(mine, v[2], s.constant(v[2], 0));
                                  linalg::YieldOp::create(builder, loc, s.add(taken, v[3]));
                                });
  lookup->setAttr(dojo::lookupAttrName, b.getUnitAttr());
  return lookup.getResult(0);
}
