//===- Sampling.h - images at places that are known at run time -*- C++ -*-===//
//
// A sample between the elements of an image is a sum of a few of them, its taps.
// Taps are found axis by axis; those of all axes together name rows of the image
// with channels last, which are looked up, so that the work is that of a copy.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_SAMPLING_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_SAMPLING_H

#include "Build.h"

namespace dojo::onnx {

enum class Kernel { Nearest, Linear, Cubic };

/// Places along one axis (i32, -1 for none) and their weights (f32).
struct Taps {
  Value places, weights;
};

/// The taps of f32 `positions`, which lie in [-3, extent + 2]. Of `axes` dimensions that are
/// put in front, dimension `axis` counts the taps. `inside` says which place (a whole f32) is
/// read for one that may lie outside.
Taps tapsAround(mlir::ImplicitLocOpBuilder &b, Value positions, Kernel kernel, unsigned axis,
                unsigned axes, llvm::function_ref<Value(Scalars &, Value)> inside);

/// What stands at the taps of all axes of `image`, N x C x space, in the images of
/// `batch` (i32): values with the channels behind, and the weight of each. Zero where
/// there is no place.
struct Samples {
  Value values, weights;
};
Samples sample(mlir::ImplicitLocOpBuilder &b, Value image, Value batch, ArrayRef<Taps> axes);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_SAMPLING_H
