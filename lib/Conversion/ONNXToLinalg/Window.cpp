//===- Window.cpp - the windows of convolutions and pools -----------------===//
#include "Window.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dojo::onnx;

/// Chooses the padding of dimension `i` so that the output covers the input.
static void padSame(Window &w, size_t i, int64_t extent, bool upper) {
  int64_t out = llvm::divideCeil(w.input[i], w.strides[i]);
  int64_t total = std::max<int64_t>(0, (out - 1) * w.strides[i] + extent - w.input[i]);
  w.low[i] = upper ? total / 2 : total - total / 2;
  w.high[i] = total - w.low[i];
}

bool dojo::onnx::inRange(int64_t size, int64_t least) {
  return size >= least && size <= int64_t(1) << 24;
}

static LogicalResult finish(NodeContext &c, Window &w, StringRef autoPad, bool ceil) {
  for (size_t i = 0; i < w.kernel.size(); ++i) {
    if (!inRange(w.kernel[i], 1) || !inRange(w.strides[i], 1) || !inRange(w.dilations[i], 1) ||
        !inRange(w.low[i], 0) || !inRange(w.high[i], 0))
      return c.fail("its window has a size, stride, dilation or padding out of range");
    int64_t extent = (w.kernel[i] - 1) * w.dilations[i] + 1;
    if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER")
      padSame(w, i, extent, autoPad == "SAME_UPPER");
    int64_t room = w.input[i] + w.low[i] + w.high[i] - extent;
    if (room < 0)
      return c.fail("its window of " + Twine(extent) + " is larger than its padded input of " +
                    Twine(room + extent));
    int64_t out = room / w.strides[i] + 1;
    if (ceil && room % w.strides[i] && out * w.strides[i] < w.input[i] + w.low[i])
      ++out;
    w.statedHigh.push_back(w.high[i]);
    w.high[i] = std::max(w.high[i], (out - 1) * w.strides[i] + extent - w.input[i] - w.low[i]);
    w.out.push_back(out);
  }
  return success();
}

FailureOr<Window> dojo::onnx::readWindow(NodeContext &c, ArrayRef<int64_t> spatial,
                                         ArrayRef<int64_t> kernel) {
  size_t rank = spatial.size();
  if (rank < 1 || rank > 3)
    return c.fail("it has " + Twine(rank) + " spatial dimensions; one to three are supported");
  Window w;
  Shape ones(rank, 1), zeros(2 * rank, 0);
  w.input.assign(spatial.begin(), spatial.end());
  w.kernel = c.intsAttr("kernel_shape", kernel);
  w.strides = c.intsAttr("strides", ones);
  w.dilations = c.intsAttr("dilations", ones);
  Shape pads = c.intsAttr("pads", zeros);
  std::string autoPad = c.stringAttr("auto_pad", "NOTSET");
  bool ceil = c.flagAttr("ceil_mode", false);
  if (!llvm::is_contained({"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}, StringRef(autoPad)))
    return c.fail("its auto_pad '" + autoPad +
                  "' is none of NOTSET, SAME_UPPER, SAME_LOWER and VALID");
  if (w.kernel.size() != rank || w.strides.size() != rank || w.dilations.size() != rank ||
      pads.size() != 2 * rank || (!kernel.empty() && ArrayRef(w.kernel) != kernel))
    return c.fail("its kernel_shape, strides, dilations or pads do not fit " + Twine(rank) +
                  " spatial dimensions");
  if (autoPad != "NOTSET")
    pads = zeros;
  w.low.assign(pads.begin(), pads.begin() + rank);
  w.high.assign(pads.begin() + rank, pads.end());
  if (rank == 1) {
    for (Shape *sizes : {&w.input, &w.kernel, &w.strides, &w.dilations})
      sizes->push_back(1);
    w.low.push_back(0);
    w.high.push_back(0);
  }
  if (failed(finish(c, w, autoPad, ceil)))
    return failure();
  return w;
}

Value Window::padded(ImplicitLocOpBuilder &b, Value tensor, Value scalar) const {
  Shape whole = shapeOf(tensor), shape, before, after;
  if (whole.size() != rank()) {
    shape = {whole[0], whole[1]};
    before = after = {0, 0};
  }
  shape.append(input);
  before.append(low);
  after.append(high);
  return pad(b, reshape(b, tensor, shape), before, after, scalar);
}

Value dojo::onnx::foldWindows(ImplicitLocOpBuilder &b, const Window &w, ArrayRef<Value> images,
                              ArrayRef<Value> results, Value start, Body body) {
  unsigned rank = w.rank(), loops = 2 + 2 * rank;
  SmallVector<AffineExpr> outer, places, window;
  for (unsigned d = 0; d < 2 + rank; ++d)
    outer.push_back(b.getAffineDimExpr(d));
  for (unsigned d = 0; d < rank; ++d) {
    window.push_back(b.getAffineDimExpr(2 + rank + d));
    places.push_back(outer[2 + d] * w.strides[d] + window[d] * w.dilations[d]);
  }
  SmallVector<AffineExpr> whole = {outer[0], outer[1]};
  whole.append(places);
  auto map = [&](ArrayRef<AffineExpr> exprs) {
    return AffineMap::get(loops, 0, exprs, b.getContext());
  };
  Shape out(ArrayRef(shapeOf(images.front())).take_front(2));
  out.append(w.out);
  SmallVector<Value> inputs(images);
  SmallVector<AffineMap> maps;
  for (Value image : images)
    maps.push_back(map(shapeOf(image).size() == rank ? places : whole));
  for (Value result : results) {
    inputs.push_back(result);
    maps.push_back(map(outer));
  }
  // Its shape gives the loops over the window their ends.
  inputs.push_back(empty(b, w.kernel, elementOf(images.front())));
  maps.append({map(window), map(outer)});
  SmallVector<utils::IteratorType> iterators(2 + rank, utils::IteratorType::parallel);
  iterators.append(rank, utils::IteratorType::reduction);
  Value init = filled(b, out, start);
  return linalg::GenericOp::create(b, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &nested, Location loc, ValueRange v) {
                                     Scalars s(nested, loc);
                                     SmallVector<Value> read(v.drop_back(2));
                                     read.push_back(v.back());
                                     linalg::YieldOp::create(nested, loc, body(s, read));
                                   })
      .getResult(0);
}
