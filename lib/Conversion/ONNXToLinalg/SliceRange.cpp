//===- SliceRange.cpp - shapes that data movement asks for ----------------===//
#include "SliceRange.h"

#include "StepLoop.h"

using namespace mlir;
using namespace dojo::onnx;

static FailureOr<Shape> readList(NodeContext &c, bool operands, unsigned index, StringRef name,
                                 Shape otherwise) {
  if (!operands)
    return c.intsAttr(name, otherwise);
  bool optional = index > 2;
  return optional && !c.has(index) ? FailureOr<Shape>(otherwise) : c.needInts(index, name);
}

FailureOr<SliceRange> dojo::onnx::readSlice(NodeContext &c, bool operands) {
  auto starts = readList(c, operands, 1, "starts", {}), ends = readList(c, operands, 2, "ends", {});
  if (failed(starts) || failed(ends))
    return failure();
  auto axes =
      readList(c, operands, 3, "axes", llvm::to_vector(llvm::seq<int64_t>(0, starts->size())));
  auto steps = readList(c, operands, 4, "steps", Shape(starts->size(), 1));
  if (failed(axes) || failed(steps) || failed(axes = c.axes(*axes, c.rank(0))))
    return failure();
  if (ends->size() != starts->size() || axes->size() != starts->size() ||
      steps->size() != starts->size())
    return c.fail("its starts, ends, axes and steps differ in length");
  SliceRange range = {Shape(c.rank(0), 0), Shape(c.shape(0)), Shape(c.rank(0), 1)};
  for (auto [start, end, axis, step] : llvm::zip(*starts, *ends, *axes, *steps)) {
    if (step == 0)
      return c.fail("its step is 0");
    int64_t extent = c.shape(0)[axis], least = step < 0 ? -1 : 0,
            most = step < 0 ? extent - 1 : extent;
    auto resolve = [&](int64_t at, int64_t low) {
      return std::min(std::max(at < 0 ? at + extent : at, low), most);
    };
    int64_t first = resolve(start, 0), last = end < -extent ? least : resolve(end, least);
    int64_t distance = step < 0 ? first - last : last - first, stride = std::abs(step);
    range.starts[axis] = std::max<int64_t>(first, 0);
    range.sizes[axis] = distance <= 0 ? 0 : (distance + stride - 1) / stride;
    range.steps[axis] = step;
  }
  return range;
}

/// Starts or ends; slopes are 0 where they are known.
static FailureOr<ByStep> readByStep(NodeContext &c, unsigned index, StringRef name) {
  if (c.has(index) && c.operand(index).byStep)
    return *c.operand(index).byStep;
  auto known = c.needInts(index, name);
  if (failed(known))
    return failure();
  return ByStep{{}, 1, *known, Shape(known->size(), 0)};
}

FailureOr<SliceByStep> dojo::onnx::readSliceByStep(NodeContext &c) {
  auto starts = readByStep(c, 1, "starts"), ends = readByStep(c, 2, "ends");
  if (failed(starts) || failed(ends))
    return failure();
  unsigned count = starts->base.size();
  auto axes = readList(c, true, 3, "axes", llvm::to_vector(llvm::seq<int64_t>(0, count)));
  auto steps = readList(c, true, 4, "steps", Shape(count, 1));
  if (failed(axes) || failed(steps) || failed(axes = c.axes(*axes, c.rank(0))))
    return failure();
  if (ends->base.size() != count || axes->size() != count || steps->size() != count)
    return c.fail("its starts, ends, axes and steps differ in length");
  if (starts->slope != ends->slope || (starts->step && ends->step && starts->step != ends->step))
    return c.fail("its starts and ends do not move together",
                  "sizes that change from step to step are not supported");
  SliceByStep range = {SmallVector<OpFoldResult>(c.rank(0), c.b.getIndexAttr(0)), Shape(c.shape(0)),
                       Shape(c.rank(0), 1)};
  for (auto [i, axis, step] : llvm::enumerate(*axes, *steps)) {
    if (step < 1)
      return c.fail("it depends on the step of a loop, and its own step is " + Twine(step),
                    "only positive ones are supported there");
    int64_t extent = c.shape(0)[axis], span = ends->base[i] - starts->base[i];
    int64_t size = llvm::divideCeilSigned(span, step);
    auto start = runByStep(c.b, c.b.getLoc(), *starts, i, (size - 1) * step + 1, extent);
    // Counted from the end, nothing says the place behind the last one.
    int64_t way = start ? starts->slope[i] * (starts->count - 1) : 0;
    bool turns = starts->base[i] < 0 && ends->base[i] + std::max<int64_t>(way, 0) >= 0;
    if (!start || turns)
      return c.fail("in some step of the loop it leaves a dimension of " + Twine(extent));
    range.starts[axis] = *start;
    range.sizes[axis] = size;
    range.steps[axis] = step;
  }
  return range;
}

FailureOr<Shape> dojo::onnx::reshapedShape(NodeContext &c, ArrayRef<int64_t> wanted,
                                           bool allowZero) {
  Shape shape(wanted);
  int64_t unknown = -1, known = 1;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (size == 0 && !allowZero && int64_t(i) < c.rank(0))
      size = c.shape(0)[i];
    if (size < -1 || (size == -1 && unknown >= 0))
      return c.fail("its shape " + shapeName(wanted) + " is not valid");
    if (size == -1)
      unknown = i;
    else
      known *= size;
  }
  if (unknown >= 0)
    shape[unknown] = known ? product(c.shape(0)) / known : 0;
  return shape;
}
