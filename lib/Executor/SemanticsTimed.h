//===- SemanticsTimed.h - what a node's clock notes of an instruction -----===//
//
// Included by Interpreter.h once for each host; see SemanticsScalar.h. Only
// instructions that end a stretch of straight code come by here.
//
//===----------------------------------------------------------------------===//

namespace dojo::exec::DOJO_HOST {

/// The record of an instruction of the network, or `run` for a branch.
template <Opcode opcode>
constexpr Record::Kind recordKind = opcode == Opcode::PUSH      ? Record::push
                                    : opcode == Opcode::PULL    ? Record::pull
                                    : opcode == Opcode::SIGNAL  ? Record::signal
                                    : opcode == Opcode::WAIT    ? Record::wait
                                    : opcode == Opcode::DRAIN   ? Record::drain
                                    : opcode == Opcode::BARRIER ? Record::barrier
                                    : opcode == Opcode::HALT    ? Record::halt
                                                                : Record::run;

template <Opcode opcode>
DOJO_INLINE void arrive(Node &node, const Op *pc) {
  constexpr Record::Kind kind = recordKind<opcode>;
  if constexpr (kind != Record::run)
    if (node.status != Status::waiting)
      node.clock->arrive();
  if constexpr (kind == Record::halt)
    node.clock->passed(uint32_t(pc - node.code), kind, {});
}

template <Opcode opcode>
DOJO_INLINE void leave(Node &node, const Op *pc, const Op *next) {
  constexpr Record::Kind kind = recordKind<opcode>;
  const uint32_t from = uint32_t(pc - node.code), to = uint32_t(next - node.code);
  if constexpr (kind != Record::run)
    return node.clock->passed(from, kind, node.transfer);
  node.clock->branch(to);
  if (opcode == Opcode::JAL && pc->d != sinkRegister)
    node.clock->called(from, to);
  if (opcode == Opcode::JALR && pc->d == sinkRegister)
    node.clock->returned();
}

} // namespace dojo::exec::DOJO_HOST
