//===- Views.h - tensors that are only another look at one ------*- C++ -*-===//
//
// Slices, transposes, paddings and unit-dimension reshapes compute nothing: they
// are an affine map from their indices to those of another tensor. They are
// never laid out; the move that brings their data to a consumer follows the map.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_CONVERSION_LINALGTODOJO_VIEWS_H
#define DOJO_LIB_CONVERSION_LINALGTODOJO_VIEWS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Value.h"

namespace dojo::ir {

struct View {
  mlir::Value value;       ///< the tensor that is looked at
  mlir::Value root;        ///< the tensor it is a look at
  mlir::AffineMap map;     ///< index of the view -> index of the root
  mlir::Value step;        ///< of a loop, symbol 0 of the map; null if it has none
  mlir::TypedAttr padding; ///< what stands where the map leaves the root; null if it never does
  /// Every index outside the view maps outside the root, so that a further padding
  /// or a concatenation can rely on the root's own bounds.
  bool bounded;

  /// Whether the view is the whole root, element by element.
  bool isIdentity() const;
};

/// The furthest tensor that `value` is a view of; itself when it is none.
View viewOf(mlir::Value value);

} // namespace dojo::ir

#endif // DOJO_LIB_CONVERSION_LINALGTODOJO_VIEWS_H
