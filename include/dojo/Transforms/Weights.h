//===- Weights.h - which values follow from constants alone -----*- C++ -*-===//
#ifndef DOJO_TRANSFORMS_WEIGHTS_H
#define DOJO_TRANSFORMS_WEIGHTS_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

namespace dojo {

/// What a value follows from. Fixed: scalars, splats, fills, empty tensors and
/// what is computed from them. Weight: at least one tensor constant besides.
/// Dynamic: anything else.
enum class Origin { Fixed, Weight, Dynamic };

/// A tensor constant that is not one value repeated; its bytes are not looked at
/// when they are a resource.
bool isWeightConstant(mlir::Operation *op);

/// The constant that a tensor constant or a fill repeats; null if it is neither.
mlir::TypedAttr repeatedValue(mlir::Value tensor);

/// A map whose body only forwards one input to a larger result.
bool isBroadcast(mlir::Operation *op);

/// Remembers the origins found; valid until the function changes.
class Origins {
public:
  Origin of(mlir::Value value);

private:
  Origin compute(mlir::Operation *op);
  llvm::DenseMap<mlir::Operation *, Origin> known;
};

} // namespace dojo

#endif // DOJO_TRANSFORMS_WEIGHTS_H
