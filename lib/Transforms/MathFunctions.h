//===- MathFunctions.h - transcendental functions of f32 --------*- C++ -*-===//
//
// The error bounds, in ulp, are checked by test/Transforms/expand-math.mlir; docs/Math.md lists
// them.
//
//===----------------------------------------------------------------------===//
#ifndef DOJO_LIB_TRANSFORMS_MATHFUNCTIONS_H
#define DOJO_LIB_TRANSFORMS_MATHFUNCTIONS_H

#include "MathScalar.h"
#include <limits>

namespace dojo::scalar::functions {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

// 1 ulp.
Real exp(Real x);
Real exp2(Real x);
Real log(Real x);

// 2 ulp.
Real expm1(Real x);
Real log2(Real x);
Real log10(Real x);
Real log1p(Real x);

// 2.5 ulp.
Real pow(Real x, Real y);

// 6 ulp.
Real erf(Real x);

// 3 ulp.
Real tanh(Real x);
Real sinh(Real x);
Real cosh(Real x);

// 2 ulp, tan 4, for |x| <= 1e5; beyond, the reduction to a quadrant loses bits.
Real sin(Real x);
Real cos(Real x);
Real tan(Real x);

// 2 ulp.
Real acos(Real x);
Real atan(Real x);

// 3 ulp.
Real asin(Real x);
Real asinh(Real x);
Real acosh(Real x);
Real atanh(Real x);

} // namespace dojo::scalar::functions

#endif // DOJO_LIB_TRANSFORMS_MATHFUNCTIONS_H
