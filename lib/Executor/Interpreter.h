//===- Interpreter.h - the interpreter, compiled for one host -------------===//
//
// Included once for each host, by a source that defines DOJO_HOST, the name of
// the namespace, DOJO_HOST_FEATURES, the features it may use, and DOJO_HOST_ROWS, the
// rows of 64 bytes that its registers hold while a matrix is multiplied.
// Every instruction is one function that ends in a tail call of the next, and one that
// returns, for Calls.h.
//
//===----------------------------------------------------------------------===//
#include "Handlers.h"
#include "Memory.h"
#include "Network.h"
#include <type_traits>
#include <utility>

#define DOJO_INLINE [[gnu::always_inline]] inline
#define DOJO_PRAGMA(text) _Pragma(#text)

#ifdef DOJO_HOST_FEATURES
#define DOJO_ATTRIBUTE(features)                                                                   \
  DOJO_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
DOJO_ATTRIBUTE(DOJO_HOST_FEATURES)
#endif

namespace dojo::exec::DOJO_HOST {
using isa::Opcode;
template <Opcode opcode>
struct Is {};
} // namespace dojo::exec::DOJO_HOST

#include "SemanticsScalar.h"
#include "SemanticsTimed.h"
#include "SemanticsVector.h"

#include "SemanticsMatrix.h"

namespace dojo::exec::DOJO_HOST {

template <Opcode opcode, bool strict>
using Result =
    decltype(execute<strict>(Is<opcode>(), std::declval<Node &>(), std::declval<const Op &>()));

/// The instruction that follows `pc`, or null where the node stops at it.
template <Opcode opcode, bool strict>
DOJO_INLINE const Op *advance(Node &node, const Op *pc) {
  if constexpr (std::is_void_v<Result<opcode, strict>>) {
    execute<strict>(Is<opcode>(), node, *pc);
    return pc + 1;
  } else if constexpr (std::is_same_v<Result<opcode, strict>, bool>) {
    return execute<strict>(Is<opcode>(), node, *pc) ? pc + 1 : nullptr;
  } else {
    return execute<strict>(Is<opcode>(), node, *pc);
  }
}

template <Opcode opcode, bool strict, bool timed>
void run(Node &node, const Op *pc, int64_t budget) {
  if constexpr (timed)
    arrive<opcode>(node, pc);
  const Op *next = advance<opcode, strict>(node, pc);
  if (__builtin_expect(!next, false)) {
    node.pc = pc;
    node.budget = budget - (opcode == Opcode::HALT);
    return;
  }
  if constexpr (timed)
    leave<opcode>(node, pc, next);
  if (__builtin_expect(--budget == 0, false)) {
    node.pc = next;
    node.budget = 0;
    return;
  }
  [[clang::musttail]] return next->run(node, next, budget);
}

/// For an instruction where lives of buffers begin or end. A node that waited
/// here has passed it already.
template <Opcode opcode, bool timed>
void runMarked(Node &node, const Op *pc, int64_t budget) {
  if (node.status != Status::waiting && !passLives(node, pc)) {
    node.pc = pc;
    node.budget = budget;
    return;
  }
  [[clang::musttail]] return run<opcode, true, timed>(node, pc, budget);
}

template <Opcode opcode, bool timed>
Handler handlerOf(Checking checking) {
  return checking == Checking::none     ? run<opcode, false, timed>
         : checking == Checking::strict ? run<opcode, true, timed>
                                        : runMarked<opcode, timed>;
}

inline Handler handler(Opcode opcode, Checking checking, bool timed) {
  switch (opcode) {
#define DOJO_INST(record, code, mnemonic, unit, effect, ...)                                       \
  case Opcode::record:                                                                             \
    if constexpr (isa::Effect::effect >= isa::Effect::node)                                        \
      if (timed)                                                                                   \
        return handlerOf<Opcode::record, true>(checking);                                          \
    return handlerOf<Opcode::record, false>(checking);
#include "dojo/ISA/Instructions.inc"
#undef DOJO_INST
  }
  llvm_unreachable("every opcode has a case");
}

//===-- Calls -------------------------------------------------------------===//

template <Opcode opcode, bool strict>
void callPlain(Node &node, const Op *pc) {
  execute<strict>(Is<opcode>(), node, *pc);
}
template <Opcode opcode, bool strict>
bool callStopping(Node &node, const Op *pc) {
  if (__builtin_expect(execute<strict>(Is<opcode>(), node, *pc), true))
    return true;
  node.pc = pc;
  return false;
}
template <Opcode opcode, bool strict>
bool callBranch(Node &node, const Op *pc) {
  return execute<strict>(Is<opcode>(), node, *pc) != pc + 1;
}

template <Opcode opcode, bool strict>
Call callOf() {
  if constexpr (opcode == Opcode::HALT || opcode == Opcode::JALR)
    return {};
  else if constexpr (std::is_void_v<Result<opcode, strict>>)
    return {Call::plain, opcode, reinterpret_cast<const void *>(callPlain<opcode, strict>)};
  else if constexpr (std::is_same_v<Result<opcode, strict>, bool>)
    return {opcode == Opcode::WAIT || opcode == Opcode::BARRIER ? Call::mayWait : Call::mayStop,
            opcode, reinterpret_cast<const void *>(callStopping<opcode, strict>)};
  else
    return {Call::branch, opcode, reinterpret_cast<const void *>(callBranch<opcode, strict>)};
}

inline Call call(Opcode opcode, Checking checking, bool timed) {
  if (checking == Checking::marked)
    return {};
  switch (opcode) {
#define DOJO_INST(record, code, mnemonic, unit, effect, ...)                                       \
  case Opcode::record:                                                                             \
    if (timed && isa::Effect::effect >= isa::Effect::node)                                         \
      return {};                                                                                   \
    return checking == Checking::strict ? callOf<Opcode::record, true>()                           \
                                        : callOf<Opcode::record, false>();
#include "dojo/ISA/Instructions.inc"
#undef DOJO_INST
  }
  llvm_unreachable("every opcode has a case");
}

} // namespace dojo::exec::DOJO_HOST

#include "MatrixEvaluate.h"
#include "MatrixKernel.h"

namespace dojo::exec::DOJO_HOST {
extern const Interpreter interpreter;
const Interpreter interpreter = {handler, matrixLoopHandler, call};
} // namespace dojo::exec::DOJO_HOST

#ifdef DOJO_HOST_FEATURES
#pragma clang attribute pop
#endif
