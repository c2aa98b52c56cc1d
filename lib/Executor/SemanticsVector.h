//===- SemanticsVector.h - vector memory and arithmetic -------------------===//
//
// Included by Interpreter.h once for each host; see SemanticsScalar.h. Vectors
// are the compiler's, so one source is the reference and the fast path.
//
//===----------------------------------------------------------------------===//

namespace dojo::exec::DOJO_HOST {

using U8x16 = uint8_t __attribute__((vector_size(16)));
using U16x8 = uint16_t __attribute__((vector_size(16)));
using U16x16 = uint16_t __attribute__((vector_size(32)));
using U32x8 = uint32_t __attribute__((vector_size(32)));
using F32x8 = float __attribute__((vector_size(32)));

constexpr uint32_t quietNaN = 0x7fc00000;

DOJO_INLINE U32 canonical(F32 value) { return value == value ? U32(value) : U32{} + quietNaN; }

/// BF16 is the upper half of FP32.
DOJO_INLINE U32 widen(U16x16 halves) { return __builtin_convertvector(halves, U32) << 16; }
DOJO_INLINE U16x16 narrow(U32 value) {
  const U32 rounded = value + 0x7fff + (value >> 16 & 1);
  return __builtin_convertvector((F32(value) == F32(value) ? rounded : U32{} + quietNaN) >> 16,
                                 U16x16);
}

//===-- Memory ------------------------------------------------------------===//

#define DOJO_LOAD(OP, T, RESULT)                                                                   \
  template <bool strict>                                                                           \
  inline bool execute(Is<Opcode::OP>, Node &n, const Op &i) {                                      \
    const char *from = readable<strict>(n, n.x[i.a] + i.imm, sizeof(T));                           \
    if (!from)                                                                                     \
      return false;                                                                                \
    T value;                                                                                       \
    memcpy(&value, from, sizeof(T));                                                               \
    n.v[i.d] = RESULT;                                                                             \
    return true;                                                                                   \
  }
DOJO_LOAD(VLD, U32, value)
DOJO_LOAD(VLDH, U16x16, widen(value))
DOJO_LOAD(VLDB, U8x16, __builtin_convertvector(value, U32))
DOJO_LOAD(VLDS, U16x16, __builtin_convertvector(value, U32))
DOJO_LOAD(VLDR, uint32_t, U32{} + value)
DOJO_LOAD(VLDRH, uint16_t, U32{} + (uint32_t(value) << 16))
DOJO_LOAD(VLDRS, uint16_t, U32{} + value)
DOJO_LOAD(VLDRB, uint8_t, U32{} + value)
#undef DOJO_LOAD

#define DOJO_STORE(OP, T, RESULT)                                                                  \
  template <bool strict>                                                                           \
  inline bool execute(Is<Opcode::OP>, Node &n, const Op &i) {                                      \
    char *to = writable<strict>(n, n.x[i.a] + i.imm, sizeof(T));                                   \
    if (!to)                                                                                       \
      return false;                                                                                \
    const U32 s = n.v[i.d];                                                                        \
    const T value = RESULT;                                                                        \
    memcpy(to, &value, sizeof(T));                                                                 \
    return true;                                                                                   \
  }
DOJO_STORE(VST, U32, s)
DOJO_STORE(VSTH, U16x16, narrow(s))
DOJO_STORE(VSTS, U16x16, __builtin_convertvector(s, U16x16))
DOJO_STORE(VSTB, U8x16, __builtin_convertvector(s, U8x16))
DOJO_STORE(VST1, uint32_t, s[0])
DOJO_STORE(VST1H, uint16_t, narrow(s)[0])
DOJO_STORE(VST1S, uint16_t, s[0])
DOJO_STORE(VST1B, uint8_t, s[0])
#undef DOJO_STORE

/// Where the pieces of a gather or scatter stand. `inside` if all of them are known to lie
/// in [least, SRAM's end).
template <unsigned piece>
struct Pieces {
  uint64_t base, b, c;
  unsigned shift;
  bool inside;

  DOJO_INLINE Pieces(const Node &n, const Op &op, uint64_t least)
      : base(n.x[op.a]), b(n.x[op.b]), c(n.x[op.c]), shift(op.imm) {
    constexpr unsigned last = sizeof(U32) / piece - 1;
    constexpr uint64_t far = uint64_t(1) << 40;
    const unsigned minor = std::min((1u << shift) - 1, last), major = last >> shift;
    const uint64_t low = base - least, high = low + minor * b + major * c;
    const uint64_t room = n.sramBytes - least - piece;
    // Strides that go up reach their least address first and their greatest last.
    inside = least + piece <= n.sramBytes && b < far && c < far && low <= room && high <= room;
  }
  DOJO_INLINE uint64_t address(unsigned i) const { return address(i, shift); }
  DOJO_INLINE uint64_t address(unsigned i, unsigned shift) const {
    return base + (i & ((1u << shift) - 1)) * b + (i >> shift) * c;
  }

  /// Calls access(i, address) for every piece. With a constant for `shift` addresses are
  /// sums.
  template <class F>
  DOJO_INLINE void forEach(F access) const {
    switch (shift) {
    case 0:
      return forEachOf<0>(access);
    case 1:
      return forEachOf<1>(access);
    case 2:
      return forEachOf<2>(access);
    default:
      return forEachOf<3>(access);
    }
  }

private:
  template <unsigned shift, class F>
  DOJO_INLINE void forEachOf(F access) const {
    for (unsigned i = 0; i < sizeof(U32) / piece; ++i)
      access(i, address(i, shift));
  }
};
template <unsigned piece, bool strict>
DOJO_INLINE bool gather(Node &n, const Op &op) {
  constexpr unsigned pieces = sizeof(U32) / piece;
  const Pieces<piece> at(n, op, 0);
  U32 value;
  if (!strict && __builtin_expect(at.inside, true)) {
    at.forEach([&](unsigned i, uint64_t address) {
      memcpy(reinterpret_cast<char *>(&value) + i * piece, n.sram + address, piece);
    });
    n.v[op.d] = value;
    n.touch(at.address(pieces - 1) + piece);
    return true;
  }
  for (unsigned i = 0; i < pieces; ++i) {
    const char *from = readable<strict>(n, at.address(i), piece);
    if (!from)
      return false;
    memcpy(reinterpret_cast<char *>(&value) + i * piece, from, piece);
  }
  n.v[op.d] = value;
  return true;
}
template <unsigned piece, bool strict>
DOJO_INLINE bool scatter(Node &n, const Op &op) {
  constexpr unsigned pieces = sizeof(U32) / piece;
  const Pieces<piece> at(n, op, n.codeBytes);
  const U32 value = n.v[op.d];
  if (!strict && __builtin_expect(at.inside, true)) {
    at.forEach([&](unsigned i, uint64_t address) {
      memcpy(n.sram + address, reinterpret_cast<const char *>(&value) + i * piece, piece);
      n.tables->panels.stores.mark(address, piece);
    });
    n.touch(at.address(pieces - 1) + piece);
    return true;
  }
  for (unsigned i = 0; i < pieces; ++i) {
    char *to = writable<strict>(n, at.address(i), piece);
    if (!to)
      return false;
    memcpy(to, reinterpret_cast<const char *>(&value) + i * piece, piece);
  }
  return true;
}
template <bool strict>
inline bool execute(Is<Opcode::VLDG8>, Node &n, const Op &i) {
  return gather<8, strict>(n, i);
}
template <bool strict>
inline bool execute(Is<Opcode::VLDG16>, Node &n, const Op &i) {
  return gather<16, strict>(n, i);
}
template <bool strict>
inline bool execute(Is<Opcode::VSTG8>, Node &n, const Op &i) {
  return scatter<8, strict>(n, i);
}
template <bool strict>
inline bool execute(Is<Opcode::VSTG16>, Node &n, const Op &i) {
  return scatter<16, strict>(n, i);
}

//===-- FP32 --------------------------------------------------------------===//

DOJO_INLINE F32 roundedTo(F32 a, int mode) {
  switch (mode) {
  case 0:
    return __builtin_elementwise_roundeven(a);
  case 1:
    return __builtin_elementwise_floor(a);
  case 2:
    return __builtin_elementwise_ceil(a);
  default:
    return __builtin_elementwise_trunc(a);
  }
}
DOJO_INLINE U32 saturated(F32 a) {
  constexpr float limit = 2147483648.0f;
  const I32 inside = (a >= -limit) & (a < limit);
  const I32 converted = __builtin_convertvector(inside ? a : F32{}, I32);
  const I32 outside = a >= limit ? I32{} + INT32_MAX : a < -limit ? I32{} + INT32_MIN : I32{};
  return U32(inside ? converted : outside);
}

#define DOJO_FLOAT(OP, RESULT)                                                                     \
  template <bool strict>                                                                           \
  inline void execute(Is<Opcode::OP>, Node &n, const Op &i) {                                      \
    [[maybe_unused]] const F32 a = F32(n.v[i.a]), b = F32(n.v[i.b]);                               \
    n.v[i.d] = RESULT;                                                                             \
  }
DOJO_FLOAT(VADD, canonical(a + b))
DOJO_FLOAT(VSUB, canonical(a - b))
DOJO_FLOAT(VMUL, canonical(a *b))
DOJO_FLOAT(VDIV, canonical(a / b))
DOJO_FLOAT(VMIN, canonical(__builtin_elementwise_minimum(a, b)))
DOJO_FLOAT(VMAX, canonical(__builtin_elementwise_maximum(a, b)))
DOJO_FLOAT(VSQRT, canonical(__builtin_elementwise_sqrt(a)))
DOJO_FLOAT(VRND, canonical(roundedTo(a, i.imm)))
DOJO_FLOAT(VCVTI, saturated(a))
DOJO_FLOAT(VCVTF, U32(__builtin_convertvector(I32(n.v[i.a]), F32)))
DOJO_FLOAT(VCEQ, U32(a == b))
DOJO_FLOAT(VCLT, U32(a < b))
DOJO_FLOAT(VCLE, U32(a <= b))
#undef DOJO_FLOAT

template <bool strict>
inline void execute(Is<Opcode::VFMA>, Node &n, const Op &i) {
  n.v[i.d] = canonical(__builtin_elementwise_fma(F32(n.v[i.a]), F32(n.v[i.b]), F32(n.v[i.c])));
  ++n.counters.vfma;
}
template <bool strict>
inline void execute(Is<Opcode::VPACKH>, Node &n, const Op &i) {
  const U16x16 halves[] = {narrow(n.v[i.a]), narrow(n.v[i.b])};
  memcpy(&n.v[i.d], halves, sizeof(U32));
}
template <bool strict>
inline void execute(Is<Opcode::VUNPKH>, Node &n, const Op &i) {
  U16x16 halves[2];
  memcpy(halves, &n.v[i.a], sizeof(U32));
  n.v[i.d] = widen(halves[i.imm]);
}

//===-- int32 and lane movement -------------------------------------------===//

#define DOJO_INTEGER(OP, RESULT)                                                                   \
  template <bool strict>                                                                           \
  inline void execute(Is<Opcode::OP>, Node &n, const Op &i) {                                      \
    [[maybe_unused]] const U32 a = n.v[i.a], b = n.v[i.b], c = n.v[i.c];                           \
    n.v[i.d] = RESULT;                                                                             \
  }
DOJO_INTEGER(VIADD, a + b)
DOJO_INTEGER(VISUB, a - b)
DOJO_INTEGER(VIMUL, a *b)
DOJO_INTEGER(VAND, a &b)
DOJO_INTEGER(VOR, a | b)
DOJO_INTEGER(VXOR, a ^ b)
DOJO_INTEGER(VISHL, a << (b & 31))
DOJO_INTEGER(VISHR, a >> (b & 31))
DOJO_INTEGER(VISAR, U32(I32(a) >> I32(b & 31)))
DOJO_INTEGER(VIMIN, U32(I32(a) < I32(b) ? I32(a) : I32(b)))
DOJO_INTEGER(VIMAX, U32(I32(a) < I32(b) ? I32(b) : I32(a)))
DOJO_INTEGER(VICEQ, U32(a == b))
DOJO_INTEGER(VICLT, U32(I32(a) < I32(b)))
DOJO_INTEGER(VSEL, (a & b) | (~a & c))
DOJO_INTEGER(VMOV, a)
DOJO_INTEGER(VSPLAT, U32{} + uint32_t(n.x[i.a]))
DOJO_INTEGER(VIOTA, (U32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}))
#undef DOJO_INTEGER

template <bool strict>
inline void execute(Is<Opcode::VROT>, Node &n, const Op &i) {
  const U32 twice[] = {n.v[i.a], n.v[i.a]};
  memcpy(&n.v[i.d], reinterpret_cast<const uint32_t *>(twice) + i.imm, sizeof(U32));
}
/// a as `rows` rows of T.
template <typename T, unsigned rows>
DOJO_INLINE U32 transposed(U32 a) {
  constexpr unsigned count = sizeof(U32) / sizeof(T), columns = count / rows;
  T from[count], to[count];
  memcpy(from, &a, sizeof(U32));
  for (unsigned k = 0; k < count; ++k)
    to[k] = from[k % rows * columns + k / rows];
  memcpy(&a, to, sizeof(U32));
  return a;
}
template <bool strict>
inline void execute(Is<Opcode::VTRN>, Node &n, const Op &i) {
  const U32 a = n.v[i.a];
  switch (i.imm) {
  case 0:
    n.v[i.d] = transposed<uint8_t, 8>(a);
    break;
  case 1:
    n.v[i.d] = transposed<uint16_t, 8>(a);
    break;
  case 2:
    n.v[i.d] = transposed<uint32_t, 4>(a);
    break;
  default:
    n.v[i.d] = transposed<uint64_t, 4>(a);
  }
}
template <bool strict>
inline void execute(Is<Opcode::VLANE>, Node &n, const Op &i) {
  n.x[i.d] = int64_t(int32_t(n.v[i.a][i.imm]));
}

} // namespace dojo::exec::DOJO_HOST
