//===- Decode.h - code as the interpreter executes it -----------*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_DECODE_H
#define DOJO_LIB_EXECUTOR_DECODE_H

#include "Handlers.h"
#include "dojo/Executor/Executor.h"

namespace dojo::exec {

/// Fills the mesh's code: one Op a word and one past the end. Words that are no
/// instruction, and the end of the code, fault when they are executed. Unless
/// `options` asks for single steps, loops that multiply matrices run as a whole and all
/// else as Calls.h says.
void decodeCode(Mesh &mesh, const Options &options);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_DECODE_H
