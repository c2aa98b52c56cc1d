//===- Indexing.cpp - places that are known at run time only --------------===//
//
// A gather compares every place of a dimension with the index and keeps the one
// that agrees; a scatter compares every index with the place. Both are folds, so
// they spread over nodes like any other; an index outside of a dimension agrees
// with nothing.
//
//===----------------------------------------------------------------------===//
#include "Lookup.h"
#include "Types.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace mlir;
using namespace dojo::onnx;

using P = arith::CmpIPredicate;

static SmallVector<unsigned> loopsUpTo(unsigned rank) {
  return llvm::to_vector(llvm::seq<unsigned>(0, rank));
}

/// The value that leaves a sum as it is, and an addition; bools are joined by or.
static Value accumulate(Scalars &s, Value sum, Value x) {
  return x.getType().isInteger(1) ? s.make<arith::OrIOp>(sum, x) : s.add(sum, x);
}

/// out[i] = sum over p of (index[i] == p ? data[i with p at the axis] : 0)
static LogicalResult lowerGatherElements(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  if (failed(axis))
    return failure();
  unsigned rank = c.rank(0);
  if (c.rank(1) != int64_t(rank))
    return c.fail("its indices have " + Twine(c.rank(1)) + " dimensions and its data " +
                  Twine(rank));
  Shape shape(c.shape(1)), cut(c.shape(0)), ones(rank, 1);
  for (unsigned d = 0; d < rank; ++d)
    if (d != *axis)
      cut[d] = std::min(shape[d], cut[d]);
  int64_t extent = c.shape(0)[*axis];
  SmallVector<unsigned> out = loopsUpTo(rank), source = out;
  source[*axis] = rank;
  Value data = slice(c.b, c.value(0), Shape(rank, 0), cut, ones);
  Type element = elementOf(data);
  c.result(
      0,
      fold(c.b, rank + 1,
           {{fromStart(c.b, c.value(1), extent), out}, {iota(c.b, extent), {rank}}, {data, source}},
           {zeros(c.b, shape, element), out}, [&](Scalars &s, ValueRange v) {
             Value found = s.select(s.compare(P::eq, v[0], v[1]), v[2], s.constant(v[2], 0));
             return accumulate(s, v[3], found);
           }));
  return success();
}

/// How an update joins what stands at its place.
static Value joined(Scalars &s, StringRef how, Value old, Value update) {
  if (how == "add")
    return accumulate(s, old, update);
  if (how == "mul")
    return old.getType().isInteger(1) ? s.make<arith::AndIOp>(old, update) : s.mul(old, update);
  if (how == "max")
    return s.max(old, update);
  return how == "min" ? s.min(old, update) : update;
}

static LogicalResult checkReduction(NodeContext &c, StringRef how) {
  if (!llvm::is_contained({"none", "add", "mul", "max", "min"}, how))
    return c.fail("its reduction '" + how + "' is none of none, add, mul, max and min");
  return success();
}

/// Updates in ascending order: out[i] = index[i with p at the axis] == i ? join : out[i]
static LogicalResult lowerScatterElements(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  std::string how = c.stringAttr("reduction", "none");
  if (failed(axis) || failed(checkReduction(c, how)))
    return failure();
  unsigned rank = c.rank(0);
  if (Shape(c.shape(1)) != Shape(c.shape(2)) || c.rank(1) != int64_t(rank))
    return c.fail("its indices " + shapeName(c.shape(1)) + " and updates " + shapeName(c.shape(2)) +
                  " do not fit data of " + shapeName(c.shape(0)));
  Shape low(rank, 0), high(rank, 0);
  for (unsigned d = 0; d < rank; ++d)
    if (d != *axis)
      high[d] = c.shape(0)[d] - c.shape(1)[d];
  int64_t extent = c.shape(0)[*axis];
  Scalars outer(c.b, c.b.getLoc());
  Value indices = fromStart(c.b, c.value(1), extent);
  indices = pad(c.b, indices, low, high, outer.constant(c.b.getI32Type(), -1));
  Value updates = pad(c.b, c.value(2), low, high, outer.constant(elementOf(c.value(2)), 0));
  SmallVector<unsigned> out = loopsUpTo(rank), from = out;
  from[*axis] = rank;
  c.result(0, fold(c.b, rank + 1,
                   {{indices, from}, {iota(c.b, extent), {unsigned(*axis)}}, {updates, from}},
                   {c.value(0), out}, [&](Scalars &s, ValueRange v) {
                     s.isUnsigned = c.isUnsigned(0);
                     return s.select(s.compare(P::eq, v[0], v[1]), joined(s, how, v[3], v[2]),
                                     v[3]);
                   }));
  return success();
}

/// Updates at neighbouring places of the second last dimension, or that which is named, from
/// one that each batch has: out[b, ..., p, ...] = p == index[b] + l ? updates[b, ..., l, ...].
static LogicalResult lowerTensorScatter(NodeContext &c) {
  std::string mode = c.stringAttr("mode", "linear");
  auto axis = c.axis(c.intAttr("axis", -2), c.rank(0));
  if (failed(axis))
    return failure();
  unsigned rank = c.rank(0);
  int64_t extent = c.shape(0)[*axis];
  Shape updates(c.shape(0));
  if (c.rank(1) == int64_t(rank))
    updates[*axis] = std::min(extent, c.shape(1)[*axis]);
  if (*axis == 0 || Shape(c.shape(1)) != updates ||
      (c.has(2) && Shape(c.shape(2)) != Shape{c.shape(0)[0]}))
    return c.fail("its updates " + shapeName(c.shape(1)) + " or indices do not fit data of " +
                  shapeName(c.shape(0)));
  if (mode != "linear" && mode != "circular")
    return c.fail("its mode '" + mode + "' is neither linear nor circular");
  SmallVector<unsigned> out = loopsUpTo(rank), from = out;
  from[*axis] = rank;
  SmallVector<Indexed> inputs = {{iota(c.b, extent), {unsigned(*axis)}},
                                 {iota(c.b, updates[*axis]), {rank}},
                                 {c.value(1), from}};
  if (c.has(2)) {
    Type i32 = c.b.getI32Type();
    inputs.push_back({elementwise(c.b, c.shape(2), i32, c.value(2),
                                  [&](Scalars &s, ValueRange v) { return s.cast(v[0], i32); }),
                      {0}});
  }
  c.result(0, fold(c.b, rank + 1, inputs, {c.value(0), out}, [&](Scalars &s, ValueRange v) {
             Value place = v.size() > 4 ? s.add(v[1], v[3]) : v[1], size = s.constant(v[1], extent);
             if (mode == "circular")
               place = s.select(s.compare(P::sge, place, size), s.sub(place, size), place);
             return s.select(s.compare(P::eq, v[0], place), v[2], v.back());
           }));
  return success();
}

/// The columns of index tuples, each as a vector over `count` tuples.
static SmallVector<Value> columnsOf(NodeContext &c, int64_t count, int64_t depth, int64_t first) {
  SmallVector<Value> columns;
  Value table = reshape(c.b, c.value(1), {count, depth});
  for (int64_t d = 0; d < depth; ++d) {
    Value column = slice(c.b, table, {0, d}, {count, 1}, {1, 1});
    columns.push_back(fromStart(c.b, reshape(c.b, column, {count}), c.shape(0)[first + d]));
  }
  return columns;
}

static Value agree(Scalars &s, ValueRange places, ValueRange indices) {
  Value all;
  for (auto [place, index] : llvm::zip(places, indices)) {
    Value equal = s.compare(P::eq, place, index);
    all = all ? s.make<arith::AndIOp>(all, equal) : equal;
  }
  return all;
}

/// Tuples of indices name slices of the data; loops: slices' dimensions, tuples.
static LogicalResult lowerScatterND(NodeContext &c) {
  std::string how = c.stringAttr("reduction", "none");
  if (failed(checkReduction(c, how)))
    return failure();
  unsigned rank = c.rank(0);
  if (c.rank(1) < 1 || c.shape(1).back() > int64_t(rank) || c.shape(1).back() < 1)
    return c.fail("its indices of shape " + shapeName(c.shape(1)) + " do not fit data of " +
                  shapeName(c.shape(0)));
  int64_t depth = c.shape(1).back(), count = product(c.shape(1).drop_back());
  Shape rest(c.shape(0).drop_front(depth)), updates = {count};
  updates.append(rest);
  if (product(updates) != product(c.shape(2)))
    return c.fail("its updates of shape " + shapeName(c.shape(2)) + " do not fit its indices");
  SmallVector<Indexed> inputs;
  for (int64_t d = 0; d < depth; ++d)
    inputs.push_back({iota(c.b, c.shape(0)[d]), {unsigned(d)}});
  for (Value column : columnsOf(c, count, depth, 0))
    inputs.push_back({column, {rank}});
  SmallVector<unsigned> from = {rank};
  for (unsigned d = depth; d < rank; ++d)
    from.push_back(d);
  inputs.push_back({reshape(c.b, c.value(2), updates), from});
  c.result(
      0, fold(c.b, rank + 1, inputs, {c.value(0), loopsUpTo(rank)}, [&](Scalars &s, ValueRange v) {
        s.isUnsigned = c.isUnsigned(0);
        Value here = agree(s, v.take_front(depth), v.slice(depth, depth));
        Value old = v.back(), update = v[2 * depth];
        return s.select(here, joined(s, how, old, update), old);
      }));
  return success();
}

/// Loops: batch, tuples, the rest of the data, places that a tuple may name.
static LogicalResult lowerGatherND(NodeContext &c) {
  int64_t batch = c.intAttr("batch_dims", 0), rank = c.rank(0), depth = c.shape(1).back();
  if (batch < 0 || c.rank(1) <= batch || depth < 1 || batch + depth > rank)
    return c.fail("its indices of shape " + shapeName(c.shape(1)) + " do not fit data of " +
                  shapeName(c.shape(0)));
  int64_t batches = product(c.shape(0).take_front(batch));
  int64_t count = product(c.shape(1).drop_back());
  Shape rest(c.shape(0).drop_front(batch + depth));
  int64_t width = product(rest), each = count / std::max<int64_t>(1, batches);
  Shape data = {batches};
  data.append(c.shape(0).begin() + batch, c.shape(0).begin() + batch + depth);
  data.push_back(width);
  SmallVector<Indexed> inputs;
  SmallVector<unsigned> source = {0};
  for (int64_t d = 0; d < depth; ++d) {
    inputs.push_back({iota(c.b, c.shape(0)[batch + d]), {unsigned(3 + d)}});
    source.push_back(3 + d);
  }
  source.push_back(2);
  for (Value column : columnsOf(c, count, depth, batch))
    inputs.push_back({reshape(c.b, column, {batches, each}), {0, 1}});
  inputs.push_back({reshape(c.b, c.value(0), data), source});
  Value picked = fold(c.b, 3 + depth, inputs,
                      {zeros(c.b, {batches, each, width}, c.type(0).getElementType()), {0, 1, 2}},
                      [&](Scalars &s, ValueRange v) {
                        Value here = agree(s, v.take_front(depth), v.slice(depth, depth));
                        Value x = v[2 * depth];
                        return accumulate(s, v.back(), s.select(here, x, s.constant(x, 0)));
                      });
  Shape out(c.shape(1).drop_back());
  out.append(rest);
  c.result(0, reshape(c.b, picked, out));
  return success();
}

/// The place of the extreme value: the least (or greatest) index where it stands.
static Value extremeIndex(NodeContext &c, int64_t axis, Combine how, bool last, bool keep) {
  bool isUnsigned = c.isUnsigned(0);
  Value x = c.value(0), best = reduce(c.b, x, axis, true, how, nullptr, isUnsigned);
  int64_t extent = c.shape(0)[axis];
  Value places = elementwise(
      c.b, c.shape(0), c.b.getI32Type(), {x, best, iota(c.b, extent, axis, c.rank(0))},
      [&](Scalars &s, ValueRange v) {
        return s.select(s.compare(P::eq, v[0], v[1]), v[2], s.constant(v[2], last ? -1 : extent));
      });
  return reduce(c.b, places, axis, keep, last ? Combine::Max : Combine::Min);
}

template <Combine how>
static LogicalResult lowerArgExtreme(NodeContext &c) {
  auto axis = c.axis(c.intAttr("axis", 0), c.rank(0));
  bool keep = c.flagAttr("keepdims", true), last = c.flagAttr("select_last_index", false);
  if (failed(axis))
    return failure();
  Value index = extremeIndex(c, *axis, how, last, keep);
  Type i64 = c.b.getI64Type();
  c.result(0,
           elementwise(c.b, shapeOf(index), i64, index,
                       [&](Scalars &s, ValueRange v) { return s.cast(v[0], i64); }),
           i64);
  return success();
}

/// One where the first largest value along the axis stands, else zero. Before opset
/// 13 all dimensions from the axis on were one.
static Handler hardmax(bool together) {
  return [together](NodeContext &c) -> LogicalResult {
    auto axis = c.axis(c.intAttr("axis", together ? 1 : -1), c.rank(0));
    if (failed(axis))
      return failure();
    if (together && *axis + 1 != c.rank(0))
      return c.fail("it takes several dimensions together", "convert the model to opset 13");
    Value index = extremeIndex(c, *axis, Combine::Max, false, true);
    Value places = iota(c.b, c.shape(0)[*axis], *axis, c.rank(0));
    Type element = c.type(0).getElementType();
    c.result(0,
             elementwise(c.b, c.shape(0), element, {index, places}, [&](Scalars &s, ValueRange v) {
               return s.select(s.compare(P::eq, v[0], v[1]), s.constant(element, 1),
                               s.constant(element, 0));
             }));
    return success();
  };
}

/// on where the index stands along a new axis, else off.
static LogicalResult lowerOneHot(NodeContext &c) {
  auto depth = c.needScalar(1, "depth");
  if (failed(depth))
    return failure();
  auto axis = c.axis(c.intAttr("axis", -1), c.rank(0) + 1);
  if (failed(axis))
    return failure();
  int64_t extent = int64_t(*depth);
  if (extent < 1 || Shape(c.shape(2)) != Shape{2})
    return c.fail("it needs a positive depth and 2 values, and has depth " + Twine(extent) +
                  " and values of shape " + shapeName(c.shape(2)));
  Shape shape(c.shape(0)), unit(shape);
  shape.insert(shape.begin() + *axis, extent);
  unit.insert(unit.begin() + *axis, 1);
  Value indices =
      reshape(c.b,
              fromStart(c.b,
                        elementwise(c.b, c.shape(0), c.b.getI32Type(), c.value(0),
                                    [&](Scalars &s, ValueRange v) {
                                      return converted(s, v[0], c.declared(0), c.b.getI32Type());
                                    }),
                        extent),
              unit);
  auto value = [&](int64_t i) { return reshape(c.b, slice(c.b, c.value(2), i, 1, 1), {}); };
  c.result(0,
           elementwise(c.b, shape, c.type(2).getElementType(),
                       {indices, iota(c.b, extent, *axis, shape.size()), value(0), value(1)},
                       [](Scalars &s, ValueRange v) {
                         return s.select(s.compare(P::eq, v[0], v[1]), v[3], v[2]);
                       }),
           c.declared(2));
  return success();
}

static LogicalResult lowerEyeLike(NodeContext &c) {
  int64_t diagonal = c.intAttr("k", 0);
  Type declared =
      c.hasAttr("dtype") ? declaredType(c.b.getContext(), c.intAttr("dtype", 0)) : c.declared(0);
  Type element = declared ? computedType(declared) : Type();
  if (!element || c.rank(0) != 2)
    return c.fail("it needs a matrix of numbers");
  c.result(0,
           elementwise(c.b, c.shape(0), element,
                       {iota(c.b, c.shape(0)[0], 0, 2), iota(c.b, c.shape(0)[1], 1, 2)},
                       [&](Scalars &s, ValueRange v) {
                         Value offset = s.sub(v[1], v[0]);
                         return s.select(s.compare(P::eq, offset, s.constant(offset, diagonal)),
                                         s.constant(element, 1), s.constant(element, 0));
                       }),
           declared);
  return success();
}

/// out[i] folds x[p] over p up to i, along one dimension.
static LogicalResult lowerCumulative(NodeContext &c) {
  bool exclusive = c.flagAttr("exclusive", false), reverse = c.flagAttr("reverse", false);
  bool sums = c.op() == "CumSum";
  auto given = c.needInt(1, "axis");
  if (failed(given))
    return failure();
  auto axis = c.axis(*given, c.rank(0));
  if (failed(axis))
    return failure();
  unsigned rank = c.rank(0);
  int64_t extent = c.shape(0)[*axis];
  SmallVector<unsigned> out = loopsUpTo(rank), from = out;
  from[*axis] = rank;
  Scalars outer(c.b, c.b.getLoc());
  Value start = outer.constant(c.type(0).getElementType(), sums ? 0 : 1);
  P inside = reverse ? (exclusive ? P::sgt : P::sge) : (exclusive ? P::slt : P::sle);
  c.result(0, fold(c.b, rank + 1,
                   {{iota(c.b, extent), {unsigned(*axis)}},
                    {iota(c.b, extent), {rank}},
                    {c.value(0), from}},
                   {filled(c.b, c.shape(0), start), out}, [&](Scalars &s, ValueRange v) {
                     Value next = sums ? s.add(v[3], v[2]) : s.mul(v[3], v[2]);
                     return s.select(s.compare(inside, v[1], v[0]), next, v[3]);
                   }));
  return success();
}

void dojo::onnx::registerIndexing(HandlerRegistry &registry) {
  registry.onOp("GatherElements", 11, lowerGatherElements);
  registry.onOp("GatherND", 11, lowerGatherND);
  registry.onOp("ScatterElements", 11, lowerScatterElements);
  registry.onOp("Scatter", 9, lowerScatterElements);
  registry.onOp("ScatterND", 11, lowerScatterND);
  registry.onOp("TensorScatter", 24, lowerTensorScatter);
  registry.onOp("ArgMax", 1, lowerArgExtreme<Combine::Max>);
  registry.onOp("ArgMin", 1, lowerArgExtreme<Combine::Min>);
  registry.onOp("Hardmax", 1, hardmax(true));
  registry.onOp("Hardmax", 13, hardmax(false));
  registry.onOp("OneHot", 9, lowerOneHot);
  registry.onOp("EyeLike", 9, lowerEyeLike);
  registry.onOp("CumSum", 11, lowerCumulative);
  registry.onOp("CumProd", 26, lowerCumulative);
}
