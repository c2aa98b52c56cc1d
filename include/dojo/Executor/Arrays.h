//===- Arrays.h - numpy arrays to and from a program's tensors --*- C++ -*-===//
#ifndef DOJO_EXECUTOR_ARRAYS_H
#define DOJO_EXECUTOR_ARRAYS_H

#include "dojo/Executor/Executor.h"
#include "dojo/Support/Npy.h"

namespace dojo::exec {

/// The array as the tensor that a program takes: FP32 becomes BF16 where that
/// is wanted.
llvm::Expected<Tensor> toTensor(const NpyArray &array, const binary::Tensor &wanted);

/// BF16 becomes FP32.
NpyArray toArray(const Tensor &tensor);

/// The inputs of `program` from options NAME=FILE.npy. Unknown names become
/// tensors without data, which Executor::checkInputs refuses.
llvm::Expected<std::vector<Tensor>> readInputs(const binary::Program &program,
                                               llvm::ArrayRef<std::string> options);

/// Writes every tensor as `directory`/NAME.npy. Characters of a name that are
/// no letter, digit, '-', '_' or '.' become '_'; a name that is taken then gets
/// a number.
llvm::Error writeOutputs(llvm::ArrayRef<Tensor> outputs, llvm::StringRef directory);

/// "2x3xf32".
std::string typeText(binary::ElementType type, llvm::ArrayRef<int64_t> shape);

} // namespace dojo::exec

#endif // DOJO_EXECUTOR_ARRAYS_H
