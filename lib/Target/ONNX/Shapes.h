//===- Shapes.h - sizes bound to graph inputs -------------------*- C++ -*-===//
//
// Applies `--shape` to the inputs of a graph before anything else reads them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_TARGET_ONNX_SHAPES_H
#define DOJO_LIB_TARGET_ONNX_SHAPES_H

#include "dojo/Target/ImportONNX.h"
#include "onnx/onnx-ml.pb.h"

namespace dojo::onnx {

/// Writes the sizes of `shapes` into the input types of `graph`. A shape given
/// for an input also binds the dimension parameters in it, everywhere. Fails on
/// a name, a rank or a size that contradicts the graph, or another binding.
llvm::Error bindShapes(::onnx::GraphProto &graph, ShapeBindings shapes);

} // namespace dojo::onnx

#endif // DOJO_LIB_TARGET_ONNX_SHAPES_H
