//===- SemanticsScalar.h - scalar arithmetic, memory and control ----------===//
//
// Included by Interpreter.h once for each host. What an instruction means, as
// Instructions.td says it: `execute` returns nothing where it cannot fail, false
// where the node stops at it, and the next instruction where it may branch.
//
//===----------------------------------------------------------------------===//

namespace dojo::exec::DOJO_HOST {

inline int64_t sign(uint64_t value) { return int64_t(value); }
inline bool overflows(int64_t a, int64_t b) { return a == INT64_MIN && b == -1; }
inline uint64_t quotient(int64_t a, int64_t b) { return b == 0 ? -1 : overflows(a, b) ? a : a / b; }
inline uint64_t remainder(int64_t a, int64_t b) { return b == 0 ? a : overflows(a, b) ? 0 : a % b; }

#define DOJO_SCALAR(OP, RESULT)                                                                    \
  template <bool strict>                                                                           \
  inline void execute(Is<Opcode::OP>, Node &n, const Op &i) {                                      \
    [[maybe_unused]] const uint64_t a = n.x[i.a], b = n.x[i.b], imm = int64_t(i.imm);              \
    n.x[i.d] = RESULT;                                                                             \
  }
DOJO_SCALAR(ADD, a + b)
DOJO_SCALAR(SUB, a - b)
DOJO_SCALAR(MUL, a *b)
DOJO_SCALAR(DIV, quotient(a, b))
DOJO_SCALAR(REM, remainder(a, b))
DOJO_SCALAR(AND, a &b)
DOJO_SCALAR(OR, a | b)
DOJO_SCALAR(XOR, a ^ b)
DOJO_SCALAR(SHL, a << (b & 63))
DOJO_SCALAR(SHR, a >> (b & 63))
DOJO_SCALAR(SAR, sign(a) >> (b & 63))
DOJO_SCALAR(SLT, sign(a) < sign(b))
DOJO_SCALAR(SLTU, a < b)
DOJO_SCALAR(MIN, sign(a) < sign(b) ? a : b)
DOJO_SCALAR(MAX, sign(a) < sign(b) ? b : a)
DOJO_SCALAR(ADDI, a + imm)
DOJO_SCALAR(MULI, a *imm)
DOJO_SCALAR(ANDI, a &imm)
DOJO_SCALAR(SLTI, sign(a) < sign(imm))
DOJO_SCALAR(SHLI, a << (imm & 63))
DOJO_SCALAR(SHRI, a >> (imm & 63))
DOJO_SCALAR(SARI, sign(a) >> (imm & 63))
DOJO_SCALAR(LI, imm)
DOJO_SCALAR(LIS, a << 14 | imm)
#undef DOJO_SCALAR

template <bool strict>
inline bool execute(Is<Opcode::COORD>, Node &n, const Op &i) {
  if (uint32_t(i.imm) >= n.coordinate.size())
    return faultCoord(n, i.imm), false;
  n.x[i.d] = n.coordinate[i.imm];
  return true;
}

template <class T, bool strict>
inline bool load(Node &n, const Op &i) {
  const char *from = readable<strict>(n, n.x[i.a] + i.imm, sizeof(T));
  if (!from)
    return false;
  T value;
  memcpy(&value, from, sizeof(T));
  n.x[i.d] = int64_t(value);
  return true;
}
template <class T, bool strict>
inline bool store(Node &n, const Op &i) {
  char *to = writable<strict>(n, n.x[i.a] + i.imm, sizeof(T));
  if (!to)
    return false;
  T value = T(n.x[i.d]);
  memcpy(to, &value, sizeof(T));
  return true;
}

#define DOJO_MEMORY(OP, ACTION)                                                                    \
  template <bool strict>                                                                           \
  inline bool execute(Is<Opcode::OP>, Node &n, const Op &i) {                                      \
    return ACTION(n, i);                                                                           \
  }
DOJO_MEMORY(LDB, (load<int8_t, strict>))
DOJO_MEMORY(LDH, (load<int16_t, strict>))
DOJO_MEMORY(LDW, (load<int32_t, strict>))
DOJO_MEMORY(LDD, (load<int64_t, strict>))
DOJO_MEMORY(STB, (store<int8_t, strict>))
DOJO_MEMORY(STH, (store<int16_t, strict>))
DOJO_MEMORY(STW, (store<int32_t, strict>))
DOJO_MEMORY(STD, (store<int64_t, strict>))
#undef DOJO_MEMORY

/// Where a host branches, it goes on with the address that it predicts; a chosen address would
/// wait for the operands. What is said to be expected makes the compiler branch.
DOJO_INLINE const Op *target(const Op &i, bool taken) {
  return __builtin_expect(taken, true) ? &i + i.imm : &i + 1;
}

#define DOJO_BRANCH(OP, CONDITION)                                                                 \
  template <bool strict>                                                                           \
  inline const Op *execute(Is<Opcode::OP>, Node &n, const Op &i) {                                 \
    const int64_t s = n.x[i.d], a = n.x[i.a];                                                      \
    return target(i, CONDITION);                                                                   \
  }
DOJO_BRANCH(BEQ, s == a)
DOJO_BRANCH(BNE, s != a)
DOJO_BRANCH(BLT, s < a)
DOJO_BRANCH(BGE, s >= a)
#undef DOJO_BRANCH

template <bool strict>
inline const Op *execute(Is<Opcode::BDNZ>, Node &n, const Op &i) {
  const uint64_t left = n.x[i.d] - 1;
  n.x[i.d] = left;
  n.x[0] = 0;
  return target(i, left);
}
template <bool strict>
inline const Op *execute(Is<Opcode::JAL>, Node &n, const Op &i) {
  n.x[i.d] = n.codeAddress(&i + 1);
  if constexpr (strict)
    if (n.history && i.d != sinkRegister)
      n.mesh->races->call(n.number, n.codeAddress(&i));
  return &i + i.imm;
}
template <bool strict>
inline const Op *execute(Is<Opcode::JALR>, Node &n, const Op &i) {
  const uint64_t target = n.x[i.a] + i.imm;
  if (__builtin_expect(target % sizeof(uint32_t) || target >= n.codeBytes, false))
    return faultTarget(n, target), nullptr;
  n.x[i.d] = n.codeAddress(&i + 1);
  const Op *to = n.code + target / sizeof(uint32_t);
  if constexpr (strict)
    if (n.history)
      n.mesh->races->proceed(n.number, target);
  return to;
}
template <bool strict>
inline bool execute(Is<Opcode::HALT>, Node &n, const Op &i) {
  n.status = Status::halted;
  return false;
}
template <bool strict>
inline bool execute(Is<Opcode::TRAP>, Node &n, const Op &i) {
  return faultTrap(n, i.imm), false;
}

template <bool strict>
inline bool execute(Is<Opcode::PUSH>, Node &n, const Op &i) {
  return push(n, n.x[i.a], n.x[i.b], n.x[i.c]);
}
template <bool strict>
inline bool execute(Is<Opcode::PULL>, Node &n, const Op &i) {
  return pull(n, n.x[i.a], n.x[i.b], n.x[i.c]);
}
template <bool strict>
inline bool execute(Is<Opcode::SIGNAL>, Node &n, const Op &i) {
  return signal(n, n.x[i.a]);
}
template <bool strict>
inline bool execute(Is<Opcode::WAIT>, Node &n, const Op &i) {
  return wait(n, n.x[i.a], n.x[i.b]);
}
template <bool strict>
inline bool execute(Is<Opcode::BARRIER>, Node &n, const Op &i) {
  return barrier(n);
}
template <bool strict>
inline void execute(Is<Opcode::DRAIN>, Node &n, const Op &i) {
  drain(n);
}

} // namespace dojo::exec::DOJO_HOST
