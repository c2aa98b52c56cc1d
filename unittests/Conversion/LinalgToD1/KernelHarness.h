//===- KernelHarness.h - a kernel against its plain meaning -----*- C++ -*-===//
#ifndef DOJO_UNITTESTS_KERNELHARNESS_H
#define DOJO_UNITTESTS_KERNELHARNESS_H

#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace dojo::testing {

struct KernelRun {
  std::string error; ///< empty if the routine left what the kernel means in memory
  std::string unit;  ///< d1.unit of the routine
};

/// Converts the kernel of the module `text`, runs the routine on random buffers, by
/// the interpreter of routines and by back end and executor, and compares every byte
/// of memory with the kernel's plain meaning. Numbers are small
/// multiples of 1/8, so that sums are exact in any order and comparison is too; with
/// `special`, NaN, infinities, -0 and large numbers are among them.
KernelRun runKernel(llvm::StringRef text, unsigned seed, bool special = false);

} // namespace dojo::testing

#endif // DOJO_UNITTESTS_KERNELHARNESS_H
