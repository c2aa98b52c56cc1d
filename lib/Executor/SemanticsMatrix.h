//===- SemanticsMatrix.h - the matrix unit --------------------------------===//
//
// Included by Interpreter.h once for each host; see SemanticsScalar.h.
//
//===----------------------------------------------------------------------===//

namespace dojo::exec::DOJO_HOST {

template <bool strict>
inline void execute(Is<Opcode::MZERO>, Node &n, const Op &i) {
  n.acc[i.d] = {};
}
template <bool strict>
inline void execute(Is<Opcode::MREAD>, Node &n, const Op &i) {
  n.v[i.d] = n.acc[i.a].rows[i.imm];
}
template <bool strict>
inline void execute(Is<Opcode::MWRITE>, Node &n, const Op &i) {
  n.acc[i.d].rows[i.imm] = n.v[i.a];
}

//===-- Products ----------------------------------------------------------===//

template <class Row>
DOJO_INLINE Row repeated(float value) {
  using Bits = std::conditional_t<sizeof(Row) == sizeof(U32), U32, U32x8>;
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return Row(Bits{} + bits);
}

/// Adds the products of one operand of `left`, row-major 8x4, and one of `right`,
/// row-major with the width of Row.
template <class Row, unsigned rows>
DOJO_INLINE void accumulate(Row (&sum)[rows], const float *left, const float *right) {
  for (unsigned k = 0; k < isa::matrixDepth; ++k) {
    Row factor;
    memcpy(&factor, right + k * (sizeof(Row) / sizeof(float)), sizeof(Row));
    for (unsigned r = 0; r < rows; ++r)
      sum[r] =
          __builtin_elementwise_fma(repeated<Row>(left[r * isa::matrixDepth + k]), factor, sum[r]);
  }
}

DOJO_INLINE char *rowOf(Node &node, uint8_t acc, unsigned row) {
  return reinterpret_cast<char *>(&node.acc[acc]) + row * sizeof(F32x8);
}
DOJO_INLINE void readRow(Node &node, const uint8_t *accs, unsigned row, F32x8 &sum) {
  memcpy(&sum, rowOf(node, accs[0], row), sizeof(sum));
}
DOJO_INLINE void writeRow(Node &node, const uint8_t *accs, unsigned row, F32x8 sum) {
  const U32x8 bits = sum == sum ? U32x8(sum) : U32x8{} + quietNaN;
  memcpy(rowOf(node, accs[0], row), &bits, sizeof(bits));
}

/// BF16 operands are widened to FP32 eight numbers at a time, `stride` floats apart.
DOJO_INLINE void widenEight(U16x8 halves, float *to) {
  const U32x8 wide = __builtin_convertvector(halves, U32x8) << 16;
  memcpy(to, &wide, sizeof(wide));
}
DOJO_INLINE void widenRegister(const U32 &v, float *to, unsigned stride) {
  U16x8 halves[4];
  memcpy(halves, &v, sizeof(v));
  for (unsigned i = 0; i < 4; ++i)
    widenEight(halves[i], to + i * stride);
}

/// Adds the products of two registers. A left operand holds its BF16 in pairs of equal
/// row and neighbouring k, so one repeated word gives the factors of two steps.
DOJO_INLINE void accumulate(F32x8 (&sum)[isa::matrixRows], const U32 &left, const U32 &right) {
  uint32_t pairs[numLanes];
  memcpy(pairs, &left, sizeof(left));
  U16x8 halves[isa::matrixDepth];
  memcpy(halves, &right, sizeof(right));
  for (unsigned k = 0; k < isa::matrixDepth; k += 2) {
    const F32x8 even = F32x8(__builtin_convertvector(halves[k], U32x8) << 16);
    const F32x8 odd = F32x8(__builtin_convertvector(halves[k + 1], U32x8) << 16);
    for (unsigned r = 0; r < isa::matrixRows; ++r) {
      const U32x8 pair = U32x8{} + pairs[(r * isa::matrixDepth + k) / 2];
      sum[r] = __builtin_elementwise_fma(F32x8(pair << 16), even, sum[r]);
      sum[r] = __builtin_elementwise_fma(F32x8(pair & 0xffff0000), odd, sum[r]);
    }
  }
}

template <bool strict>
inline void execute(Is<Opcode::MMUL>, Node &n, const Op &i) {
  Accumulator &acc = n.acc[i.d];
  F32x8 sum[isa::matrixRows];
  memcpy(sum, &acc, sizeof(sum));
  accumulate(sum, n.v[i.a], n.v[i.b]);
  for (F32x8 &row : sum)
    row = F32x8(row == row ? U32x8(row) : U32x8{} + quietNaN);
  memcpy(&acc, sum, sizeof(sum));
  ++n.counters.mmul;
}

} // namespace dojo::exec::DOJO_HOST
