//===- Reference.cpp ------------------------------------------------------===//
#include "Reference.h"
#include "dojo/Formats/BF16.h"
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>

using dojo::formats::toBF16;
using dojo::formats::widenBF16;
using dojo::isa::Opcode;

namespace dojo::exec {
namespace {

float asFloat(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}
uint32_t asBits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}
uint32_t result(float value) { return std::isnan(value) ? 0x7fc00000 : asBits(value); }
uint32_t mask(bool condition) { return condition ? 0xffffffff : 0; }

float least(float a, float b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
float greatest(float a, float b) { return -least(-a, -b); }

float rounded(float a, int64_t mode) {
  const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  std::fesetround(modes[mode]);
  volatile float r = std::nearbyint(a);
  std::fesetround(FE_TONEAREST);
  return r;
}

int32_t toInteger(float a) {
  if (std::isnan(a))
    return 0;
  double t = std::trunc(double(a));
  if (t >= 2147483647.0)
    return INT32_MAX;
  return t <= -2147483648.0 ? INT32_MIN : int32_t(t);
}

// One line an instruction.
// clang-format off

/// One lane of a vector instruction whose lanes do not mix.
bool lane(Opcode opcode, int64_t imm, uint32_t a, uint32_t b, uint32_t c, uint32_t &d) {
  float fa = asFloat(a), fb = asFloat(b), fc = asFloat(c);
  int32_t ia = a, ib = b;
  switch (opcode) {
  case Opcode::VADD: d = result(fa + fb); return true;
  case Opcode::VSUB: d = result(fa - fb); return true;
  case Opcode::VMUL: d = result(fa * fb); return true;
  case Opcode::VDIV: d = result(fa / fb); return true;
  case Opcode::VMIN: d = result(least(fa, fb)); return true;
  case Opcode::VMAX: d = result(greatest(fa, fb)); return true;
  case Opcode::VFMA: d = result(std::fma(fa, fb, fc)); return true;
  case Opcode::VSQRT: d = result(std::sqrt(fa)); return true;
  case Opcode::VRND: d = result(rounded(fa, imm)); return true;
  case Opcode::VCVTI: d = toInteger(fa); return true;
  case Opcode::VCVTF: d = asBits(float(ia)); return true;
  case Opcode::VCEQ: d = mask(fa == fb); return true;
  case Opcode::VCLT: d = mask(fa < fb); return true;
  case Opcode::VCLE: d = mask(fa <= fb); return true;
  case Opcode::VIADD: d = a + b; return true;
  case Opcode::VISUB: d = a - b; return true;
  case Opcode::VIMUL: d = uint64_t(a) * b; return true;
  case Opcode::VAND: d = a & b; return true;
  case Opcode::VOR: d = a | b; return true;
  case Opcode::VXOR: d = a ^ b; return true;
  case Opcode::VISHL: d = a << (b % 32); return true;
  case Opcode::VISHR: d = a >> (b % 32); return true;
  case Opcode::VISAR: d = ia >> (b % 32); return true;
  case Opcode::VIMIN: d = ia < ib ? ia : ib; return true;
  case Opcode::VIMAX: d = ia > ib ? ia : ib; return true;
  case Opcode::VICEQ: d = mask(ia == ib); return true;
  case Opcode::VICLT: d = mask(ia < ib); return true;
  case Opcode::VSEL: d = (a & b) | (~a & c); return true;
  case Opcode::VMOV: d = a; return true;
  default: return false;
  }
}

bool scalar(Opcode opcode, int64_t imm, uint64_t a, uint64_t b, uint64_t &d) {
  int64_t sa = a, sb = b;
  bool overflow = sa == INT64_MIN && sb == -1;
  switch (opcode) {
  case Opcode::ADD: d = a + b; return true;
  case Opcode::SUB: d = a - b; return true;
  case Opcode::MUL: d = a * b; return true;
  case Opcode::DIV: d = b == 0 ? ~uint64_t(0) : overflow ? a : uint64_t(sa / sb); return true;
  case Opcode::REM: d = b == 0 ? a : overflow ? 0 : uint64_t(sa % sb); return true;
  case Opcode::AND: d = a & b; return true;
  case Opcode::OR: d = a | b; return true;
  case Opcode::XOR: d = a ^ b; return true;
  case Opcode::SHL: d = a << (b % 64); return true;
  case Opcode::SHR: d = a >> (b % 64); return true;
  case Opcode::SAR: d = sa >> (b % 64); return true;
  case Opcode::SLT: d = sa < sb ? 1 : 0; return true;
  case Opcode::SLTU: d = a < b ? 1 : 0; return true;
  case Opcode::MIN: d = sa < sb ? sa : sb; return true;
  case Opcode::MAX: d = sa > sb ? sa : sb; return true;
  case Opcode::ADDI: d = a + uint64_t(imm); return true;
  case Opcode::MULI: d = a * uint64_t(imm); return true;
  case Opcode::ANDI: d = a & uint64_t(imm); return true;
  case Opcode::SLTI: d = sa < imm ? 1 : 0; return true;
  case Opcode::SHLI: d = a << (uint64_t(imm) % 64); return true;
  case Opcode::SHRI: d = a >> (uint64_t(imm) % 64); return true;
  case Opcode::SARI: d = sa >> (uint64_t(imm) % 64); return true;
  case Opcode::LI: d = uint64_t(imm); return true;
  case Opcode::LIS: d = a * 16384 + uint64_t(imm); return true;
  default: return false;
  }
}

/// Bytes as a little-endian number.
uint64_t number(const uint8_t *bytes, unsigned size) {
  uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i)
    value |= uint64_t(bytes[i]) << (8 * i);
  return value;
}
void setNumber(uint8_t *bytes, unsigned size, uint64_t value) {
  for (unsigned i = 0; i < size; ++i)
    bytes[i] = uint8_t(value >> (8 * i));
}

bool loadStore(Opcode opcode, uint8_t *at, State &state) {
  uint32_t(&v)[16] = state.v[3];
  uint64_t &x = state.x[3];
  auto lanes = [&](auto value) {
    for (unsigned i = 0; i < 16; ++i)
      v[i] = value(i);
    return true;
  };
  auto each = [&](unsigned size, auto value) {
    for (unsigned i = 0; i < 16; ++i)
      setNumber(at + i * size, size, value(v[i]));
    return true;
  };
  auto half = [](uint64_t bits) { return uint32_t(bits << 16); };
  auto toHalf = [](uint32_t bits) { return toBF16(asFloat(bits)); };
  switch (opcode) {
  case Opcode::LDB: x = int64_t(int8_t(number(at, 1))); return true;
  case Opcode::LDH: x = int64_t(int16_t(number(at, 2))); return true;
  case Opcode::LDW: x = int64_t(int32_t(number(at, 4))); return true;
  case Opcode::LDD: x = number(at, 8); return true;
  case Opcode::STB: setNumber(at, 1, x); return true;
  case Opcode::STH: setNumber(at, 2, x); return true;
  case Opcode::STW: setNumber(at, 4, x); return true;
  case Opcode::STD: setNumber(at, 8, x); return true;
  case Opcode::VLD: return lanes([&](unsigned i) { return number(at + 4 * i, 4); });
  case Opcode::VLDH: return lanes([&](unsigned i) { return half(number(at + 2 * i, 2)); });
  case Opcode::VLDS: return lanes([&](unsigned i) { return number(at + 2 * i, 2); });
  case Opcode::VLDRS: return lanes([&](unsigned) { return number(at, 2); });
  case Opcode::VLDB: return lanes([&](unsigned i) { return number(at + i, 1); });
  case Opcode::VLDR: return lanes([&](unsigned) { return number(at, 4); });
  case Opcode::VLDRH: return lanes([&](unsigned) { return half(number(at, 2)); });
  case Opcode::VLDRB: return lanes([&](unsigned) { return number(at, 1); });
  case Opcode::VST: return each(4, [](uint32_t bits) { return bits; });
  case Opcode::VSTH: return each(2, toHalf);
  case Opcode::VSTS: return each(2, [](uint32_t bits) { return bits; });
  case Opcode::VST1S: setNumber(at, 2, v[0]); return true;
  case Opcode::VSTB: return each(1, [](uint32_t bits) { return bits; });
  case Opcode::VST1: setNumber(at, 4, v[0]); return true;
  case Opcode::VST1H: setNumber(at, 2, toHalf(v[0])); return true;
  case Opcode::VST1B: setNumber(at, 1, v[0]); return true;
  default: return false;
  }
}

// clang-format on

bool gatherScatter(Opcode opcode, int64_t n, uint64_t windowAddress, State &state) {
  bool gathers = opcode == Opcode::VLDG8 || opcode == Opcode::VLDG16;
  bool scatters = opcode == Opcode::VSTG8 || opcode == Opcode::VSTG16;
  if (!gathers && !scatters)
    return false;
  unsigned piece = opcode == Opcode::VLDG8 || opcode == Opcode::VSTG8 ? 8 : 16;
  uint8_t *v = reinterpret_cast<uint8_t *>(state.v[3]);
  for (unsigned i = 0; i < 64 / piece; ++i) {
    unsigned across = 1u << n;
    uint64_t at = state.x[0] + (i % across) * state.x[1] + (i / across) * state.x[2];
    uint8_t *memory = state.window + (at - windowAddress);
    for (unsigned byte = 0; byte < piece; ++byte)
      (gathers ? v[i * piece + byte] : memory[byte]) = gathers ? memory[byte] : v[i * piece + byte];
  }
  return true;
}

float half(const uint32_t (&v)[16], unsigned i) {
  return widenBF16(uint16_t(v[i / 2] >> (i % 2 * 16)));
}

bool mixed(Opcode opcode, int64_t n, State &state) {
  auto &[a, b, c, d] = state.v;
  switch (opcode) {
  case Opcode::VPACKH:
    for (unsigned i = 0; i < 16; ++i) {
      auto packed = [&](unsigned k) {
        return uint32_t(toBF16(asFloat(k < 16 ? a[k] : b[k - 16])));
      };
      d[i] = packed(2 * i) | packed(2 * i + 1) << 16;
    }
    return true;
  case Opcode::VUNPKH:
    for (unsigned i = 0; i < 16; ++i)
      d[i] = asBits(half(a, 16 * n + i));
    return true;
  case Opcode::VROT:
    for (unsigned i = 0; i < 16; ++i)
      d[i] = a[(i + n) % 16];
    return true;
  case Opcode::VTRN: {
    // Byte k of the element in row r and column c goes to row c and column r.
    const unsigned bytes = 1u << n, rows = n < 2 ? 8 : 4, columns = 64 / bytes / rows;
    auto *from = reinterpret_cast<const uint8_t *>(a);
    auto *to = reinterpret_cast<uint8_t *>(d);
    for (unsigned r = 0; r < rows; ++r)
      for (unsigned c = 0; c < columns; ++c)
        for (unsigned k = 0; k < bytes; ++k)
          to[(c * rows + r) * bytes + k] = from[(r * columns + c) * bytes + k];
    return true;
  }
  case Opcode::VSPLAT:
    for (uint32_t &value : d)
      value = uint32_t(state.x[0]);
    return true;
  case Opcode::VIOTA:
    for (unsigned i = 0; i < 16; ++i)
      d[i] = i;
    return true;
  case Opcode::VLANE:
    state.x[3] = int64_t(int32_t(a[n]));
    return true;
  case Opcode::MZERO:
    memset(state.acc, 0, sizeof(state.acc));
    return true;
  case Opcode::MREAD:
    memcpy(d, state.acc[2 * n], sizeof(d));
    return true;
  case Opcode::MWRITE:
    memcpy(state.acc[2 * n], a, sizeof(a));
    return true;
  case Opcode::MMUL:
    for (unsigned i = 0; i < 8; ++i)
      for (unsigned j = 0; j < 8; ++j) {
        float sum = asFloat(state.acc[i][j]);
        for (unsigned k = 0; k < 4; ++k)
          sum = std::fma(half(a, 4 * i + k), half(b, 8 * k + j), sum);
        state.acc[i][j] = result(sum);
      }
    return true;
  default:
    return false;
  }
}

} // namespace

bool applyReference(Opcode opcode, int64_t imm, uint64_t windowAddress, State &state) {
  if (scalar(opcode, imm, state.x[0], state.x[1], state.x[3]) || mixed(opcode, imm, state))
    return true;
  if (uint32_t ignored; lane(opcode, imm, 0, 0, 0, ignored)) {
    for (unsigned i = 0; i < 16; ++i)
      lane(opcode, imm, state.v[0][i], state.v[1][i], state.v[2][i], state.v[3][i]);
    return true;
  }
  return gatherScatter(opcode, imm, windowAddress, state) ||
         (isa::get(opcode).unit == isa::Unit::address &&
          loadStore(opcode, state.window + (state.x[0] + imm - windowAddress), state));
}

} // namespace dojo::exec
