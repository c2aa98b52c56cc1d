//===- Handlers.h - what the interpreter of each host offers ----*- C++ -*-===//
#ifndef DOJO_LIB_EXECUTOR_HANDLERS_H
#define DOJO_LIB_EXECUTOR_HANDLERS_H

#include "Mesh.h"

namespace dojo::exec {

/// `timed` tells the node's clock of every branch and transfer. `marked` is `strict` for an
/// instruction where lives begin or end.
enum class Checking : uint8_t { none, strict, marked };

/// The interpreter of one host.
struct Interpreter {
  Handler (*handler)(isa::Opcode opcode, Checking checking, bool timed);
  Handler (*matrixLoopHandler)(bool strict, bool timed);
  Call (*call)(isa::Opcode opcode, Checking checking, bool timed);
};
namespace portable {
extern const Interpreter interpreter;
} // namespace portable
namespace avx2 {
extern const Interpreter interpreter;
} // namespace avx2
namespace avx512 {
extern const Interpreter interpreter;
} // namespace avx512

[[gnu::cold]] void faultCoord(Node &node, int64_t axis);
[[gnu::cold]] void faultTarget(Node &node, uint64_t target);
[[gnu::cold]] void faultTrap(Node &node, int64_t number);

} // namespace dojo::exec

#endif // DOJO_LIB_EXECUTOR_HANDLERS_H
