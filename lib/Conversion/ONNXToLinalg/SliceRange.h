//===- SliceRange.h - shapes that data movement asks for --------*- C++ -*-===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_SLICERANGE_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_SLICERANGE_H

#include "Build.h"
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

namespace dojo::onnx {

/// Element i of dimension d of a slice is element starts[d] + i * steps[d].
struct SliceRange {
  Shape starts, sizes, steps;
};

/// Reads the range of a Slice node, from operands or (before opset 10) attributes.
mlir::FailureOr<SliceRange> readSlice(NodeContext &c, bool operands);

/// The same of a Slice whose starts and ends move together, linear in the number of a loop's step.
struct SliceByStep {
  SmallVector<mlir::OpFoldResult> starts;
  Shape sizes, steps;
};
mlir::FailureOr<SliceByStep> readSliceByStep(NodeContext &c);

/// Resolves the 0 and -1 in the shape that a Reshape node asks for.
mlir::FailureOr<Shape> reshapedShape(NodeContext &c, ArrayRef<int64_t> wanted, bool allowZero);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_SLICERANGE_H
