//===- Convolution.cpp - Conv ---------------------------------------------===//
#include "Window.h"

using namespace mlir;
using namespace dojo::onnx;

static Value plain(ImplicitLocOpBuilder &b, Value image, Value weights, const Window &w) {
  Value init =
      zeros(b, {shapeOf(image)[0], shapeOf(weights)[0], w.out[0], w.out[1]}, elementOf(image));
  return linalg::Conv2DNchwFchwOp::create(b, TypeRange(init.getType()), ValueRange{image, weights},
                                          ValueRange(init), b.getI64VectorAttr(w.strides),
                                          b.getI64VectorAttr(w.dilations))
      .getResult(0);
}

/// out[n, g, f, y] += image[n, g, c, y * s + k * d] * weights[g, f, c, k] over all spatial
/// dimensions, without g where there is one group, without f or c where groups have one.
static Value generic(ImplicitLocOpBuilder &b, Value image, Value weights, int64_t groups,
                     const Window &w) {
  Shape xs = shapeOf(image), ws = shapeOf(weights);
  int64_t inputs = xs[1] / groups, outputs = ws[0] / groups;
  Shape imageShape = {xs[0]}, weightShape, outShape = {xs[0]};
  unsigned rank = 0;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> imageMap, weightMap, outMap;
  auto dim = [&](utils::IteratorType kind) {
    iterators.push_back(kind);
    return b.getAffineDimExpr(rank++);
  };
  auto parallel = utils::IteratorType::parallel, reduction = utils::IteratorType::reduction;
  imageMap.push_back(dim(parallel));
  outMap.push_back(imageMap.front());
  if (groups > 1) {
    AffineExpr g = dim(parallel);
    for (SmallVector<AffineExpr> *map : {&imageMap, &weightMap, &outMap})
      map->push_back(g);
    for (Shape *shape : {&imageShape, &weightShape, &outShape})
      shape->push_back(groups);
  }
  if (outputs > 1 || groups == 1) {
    AffineExpr f = dim(parallel);
    weightMap.push_back(f);
    outMap.push_back(f);
    weightShape.push_back(outputs);
    outShape.push_back(outputs);
  }
  SmallVector<AffineExpr> places;
  for (unsigned d = 0; d < w.rank(); ++d)
    places.push_back(dim(parallel));
  outMap.append(places);
  if (inputs > 1 || groups == 1) {
    AffineExpr c = dim(reduction);
    imageMap.push_back(c);
    weightMap.push_back(c);
    imageShape.push_back(inputs);
    weightShape.push_back(inputs);
  }
  for (unsigned d = 0; d < w.rank(); ++d) {
    weightMap.push_back(dim(reduction));
    imageMap.push_back(places[d] * w.strides[d] + weightMap.back() * w.dilations[d]);
  }
  imageShape.append(xs.begin() + 2, xs.end());
  weightShape.append(w.kernel);
  outShape.append(w.out);
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> exprs : {ArrayRef(imageMap), ArrayRef(weightMap), ArrayRef(outMap)})
    maps.push_back(AffineMap::get(rank, 0, exprs, b.getContext()));
  Value init = zeros(b, outShape, elementOf(image));
  auto sums = linalg::GenericOp::create(
      b, init.getType(),
      ValueRange{reshape(b, image, imageShape), reshape(b, weights, weightShape)}, init, maps,
      iterators, [](OpBuilder &nested, Location loc, ValueRange args) {
        Scalars s(nested, loc);
        Value sum = s.add(args[2], s.mul(args[0], args[1]));
        linalg::YieldOp::create(nested, loc, sum);
      });
  Shape out = {xs[0], ws[0]};
  out.append(w.out);
  return reshape(b, sums.getResult(0), out);
}

Value dojo::onnx::convolve(ImplicitLocOpBuilder &b, Value image, Value weights, int64_t groups,
                           const Window &w) {
  return groups == 1 && w.rank() == 2 ? plain(b, image, weights, w)
                                      : generic(b, image, weights, groups, w);
}

FailureOr<Value> dojo::onnx::convolution(NodeContext &c, Value data, Value weights, unsigned bias) {
  int64_t groups = c.intAttr("group", 1);
  Shape xs = shapeOf(data), ws = shapeOf(weights);
  if (xs.size() < 3 || ws.size() != xs.size())
    return c.fail("it needs data and weights with batch, channels and space and has " +
                  shapeName(xs) + " and " + shapeName(ws));
  if (groups < 1 || ws[0] % groups || xs[1] != ws[1] * groups)
    return c.fail("its " + Twine(groups) + " groups do not fit data " + shapeName(xs) +
                  " and weights " + shapeName(ws));
  if (c.has(bias) && (c.rank(bias) != 1 || c.shape(bias)[0] != ws[0]))
    return c.fail("its bias " + shapeName(c.shape(bias)) + " does not fit " + Twine(ws[0]) +
                  " channels");
  auto w = readWindow(c, ArrayRef(xs).drop_front(2), ArrayRef(ws).drop_front(2));
  if (failed(w))
    return failure();
  Value image = w->padded(c.b, data, Scalars(c.b, c.b.getLoc()).constant(elementOf(data), 0));
  Shape filters = {ws[0], ws[1]}, out = {xs[0], ws[0]};
  filters.append(w->kernel);
  Value result = convolve(c.b, image, reshape(c.b, weights, filters), groups, *w);
  if (c.has(bias))
    result = elementwise(c.b, shapeOf(result), elementOf(result),
                         {result, along(c.b, c.value(bias), 1, 2 + w->rank())},
                         [](Scalars &s, ValueRange v) { return s.add(v[0], v[1]); });
  out.append(w->out.begin(), w->out.begin() + (xs.size() - 2));
  return reshape(c.b, result, out);
}

static LogicalResult lowerConv(NodeContext &c) {
  auto result = convolution(c, c.value(0), c.value(1), 2);
  if (failed(result))
    return failure();
  c.result(0, *result);
  return success();
}

void dojo::onnx::registerConvolutions(HandlerRegistry &registry) {
  registry.onOp("Conv", 1, lowerConv);
}
