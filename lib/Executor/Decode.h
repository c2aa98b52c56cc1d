//===- Decode.h - code as the interpreter executes it -----------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_DECODE_H
#define DOJO_LIB_EXECUTOR_DECODE_H

#include "Handlers.h"
#include "dojo/Executor/Executor.h"

namespace dojo::exec {

/// One Op a word and one past the end. Words that are no instruction, and the
/// end of the code, fault when they are executed. `shadow` is null when memory
/// is not checked, `timed` says whether nodes have clocks.
std::vector<Op> decodeCode(const binary::Program &program, Host host, const Shadow *shadow,
                           bool timed);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_DECODE_H
