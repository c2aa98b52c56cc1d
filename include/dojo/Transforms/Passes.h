//===- Passes.h - passes of the structured level ----------------*- C++ -*-===//
#ifndef DOJO_TRANSFORMS_PASSES_H
#define DOJO_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
namespace affine {
class AffineDialect;
}
namespace arith {
class ArithDialect;
}
namespace linalg {
class LinalgDialect;
}
namespace math {
class MathDialect;
}
namespace ml_program {
class MLProgramDialect;
}
namespace tensor {
class TensorDialect;
}
namespace func {
class FuncOp;
}
} // namespace mlir

namespace dojo {

/// What contractions compute in; accumulation is f32 in either.
enum class Precision { FP32, BF16 };

/// On arguments and results: the element type that they have outside of the program.
constexpr llvm::StringLiteral elementAttrName = "dojo.element";
/// On results: pairs of a dimension and the number of the result that counts its places.
constexpr llvm::StringLiteral extentsAttrName = "dojo.extents";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dojo/Transforms/Passes.h.inc"

} // namespace dojo

#endif // DOJO_TRANSFORMS_PASSES_H
