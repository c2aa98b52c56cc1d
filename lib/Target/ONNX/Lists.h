//===- Lists.h - sequences and optionals among graph inputs -----*- C++ -*-===//
//
// A program takes tensors. A graph input that is a list becomes a tensor input
// for each element, NAME[0], NAME[1], ..., and a node that makes the list of
// them; the shapes that are given say how many there are.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_TARGET_ONNX_LISTS_H
#define DOJO_LIB_TARGET_ONNX_LISTS_H

#include "dojo/Target/ImportONNX.h"
#include "onnx/onnx-ml.pb.h"

namespace dojo::onnx {

/// Takes those lists apart that `shapes` gives elements, or none by an empty shape for the
/// list itself, which is removed from `shapes`; others stay as they are.
llvm::Error bindLists(::onnx::GraphProto &graph, ShapeBindings &shapes);

} // namespace dojo::onnx

#endif // DOJO_LIB_TARGET_ONNX_LISTS_H
