//===- RoutineInterpreter.cpp - routines run on MLIR itself ---------------===//
#include "RoutineInterpreter.h"
#include "dojo/Dialect/D1/IR/D1.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"
#include <array>
#include <cmath>
#include <cstring>

using namespace mlir;

uint16_t dojo::testing::roundToBF16(float x) {
  uint32_t bits = llvm::bit_cast<uint32_t>(x);
  if (std::isnan(x))
    return 0x7fc0;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

float dojo::testing::widenBF16(uint16_t bits) {
  return llvm::bit_cast<float>(uint32_t(bits) << 16);
}

namespace {

using dojo::testing::roundToBF16;
using dojo::testing::widenBF16;
namespace d1 = dojo::d1;

/// What a register of any kind holds: a scalar, 16 lanes, or 8 x 8 numbers.
union Cell {
  int64_t x;
  std::array<uint32_t, 16> u;
  std::array<int32_t, 16> i;
  std::array<float, 16> f;
  std::array<uint16_t, 32> h;
  std::array<uint8_t, 64> bytes;
  std::array<std::array<float, 8>, 8> a;
  Cell() { std::memset(this, 0, sizeof *this); }
};

float canonical(float x) { return std::isnan(x) ? llvm::bit_cast<float>(0x7fc00000u) : x; }

float least(float a, float b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  return a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
}

float rounded(float x, int64_t mode) {
  switch (mode) {
  case 0:
    return std::nearbyint(x);
  case 1:
    return std::floor(x);
  case 2:
    return std::ceil(x);
  default:
    return std::trunc(x);
  }
}

int32_t toInteger(float x) {
  if (std::isnan(x))
    return 0;
  if (x >= 2147483648.0f)
    return INT32_MAX;
  return x < -2147483648.0f ? INT32_MIN : int32_t(x);
}

class Interpreter {
public:
  explicit Interpreter(MutableArrayRef<uint8_t> memory) : memory(memory) {}

  std::string run(func::FuncOp routine, ArrayRef<int64_t> arguments) {
    for (auto [value, address] : llvm::zip_equal(routine.getArguments(), arguments))
      cells[value].x = address;
    run(routine.getBody().front());
    return error;
  }

private:
  void run(Block &block) {
    for (Operation &op : block.without_terminator()) {
      if (!error.empty())
        return;
      runOperation(&op);
    }
  }

  Cell &in(Operation *op, unsigned i) { return cells[op->getOperand(i)]; }
  int64_t n(Operation *op) { return op->getAttrOfType<IntegerAttr>("n").getInt(); }
  int64_t imm(Operation *op) { return op->getAttrOfType<IntegerAttr>("imm").getInt(); }

  uint8_t *at(int64_t address, size_t size) {
    static std::array<uint8_t, 64> nowhere;
    if (address >= 0 && address + size <= memory.size())
      return memory.data() + address;
    error = "access to " + std::to_string(address);
    return nowhere.data();
  }
  template <typename T>
  T load(int64_t address) {
    T value;
    std::memcpy(&value, at(address, sizeof value), sizeof value);
    return value;
  }
  template <typename T>
  void store(int64_t address, T value) {
    std::memcpy(at(address, sizeof value), &value, sizeof value);
  }
  int64_t vectorAddress(Operation *op, unsigned i) { return in(op, i).x + imm(op); }

  template <typename F>
  Cell floats(Operation *op, F f) {
    Cell d;
    for (unsigned l = 0; l < 16; ++l)
      d.f[l] = canonical(f(in(op, 0).f[l], op->getNumOperands() > 1 ? in(op, 1).f[l] : 0.0f));
    return d;
  }
  template <typename F>
  Cell words(Operation *op, F f) {
    Cell d;
    for (unsigned l = 0; l < 16; ++l)
      d.u[l] = f(in(op, 0).u[l], op->getNumOperands() > 1 ? in(op, 1).u[l] : 0u);
    return d;
  }
  template <typename F>
  Cell compare(Operation *op, F f) {
    Cell d;
    for (unsigned l = 0; l < 16; ++l)
      d.u[l] = f(in(op, 0).f[l], in(op, 1).f[l]) ? ~0u : 0u;
    return d;
  }
  template <typename F>
  Cell lanes(F f) {
    Cell d;
    for (unsigned l = 0; l < 16; ++l)
      d.u[l] = f(l);
    return d;
  }
  template <typename F>
  Cell floatLanes(F f) {
    return lanes([&](unsigned l) { return llvm::bit_cast<uint32_t>(float(f(l))); });
  }

  void runFor(scf::ForOp op);
  void runIf(scf::IfOp op);
  void runOperation(Operation *op);
  std::optional<Cell> scalar(Operation *op);
  std::optional<Cell> vectorMemory(Operation *op);
  std::optional<Cell> arithmetic(Operation *op);
  std::optional<Cell> matrix(Operation *op);
  /// Where piece i of a gather or scatter lies; `first` is the operand of a.
  int64_t piece(Operation *op, unsigned first, unsigned i) {
    unsigned inner = 1u << n(op);
    return in(op, first).x + int64_t(i % inner) * in(op, first + 1).x +
           int64_t(i / inner) * in(op, first + 2).x;
  }
  Cell gather(Operation *op, unsigned size);
  Cell scatter(Operation *op, unsigned size);

  MutableArrayRef<uint8_t> memory;
  DenseMap<Value, Cell> cells;
  std::string error;
};

} // namespace

void Interpreter::runFor(scf::ForOp op) {
  SmallVector<Cell> carried;
  for (Value init : op.getInitArgs())
    carried.push_back(cells[init]);
  int64_t upper = cells[op.getUpperBound()].x, step = cells[op.getStep()].x;
  for (int64_t i = cells[op.getLowerBound()].x; i < upper && error.empty(); i += step) {
    cells[op.getInductionVar()].x = i;
    for (auto [arg, cell] : llvm::zip_equal(op.getRegionIterArgs(), carried))
      cells[arg] = cell;
    run(*op.getBody());
    for (auto [cell, value] : llvm::zip_equal(carried, op.getYieldedValues()))
      cell = cells[value];
  }
  for (auto [result, cell] : llvm::zip_equal(op.getResults(), carried))
    cells[result] = cell;
}

void Interpreter::runIf(scf::IfOp op) {
  if (cells[op.getCondition()].x)
    run(*op.thenBlock());
  else if (op.elseBlock())
    run(*op.elseBlock());
}

std::optional<Cell> Interpreter::scalar(Operation *op) {
  using Result = std::optional<int64_t>;
  Result x =
      TypeSwitch<Operation *, Result>(op)
          .Case([&](arith::ConstantOp c) { return cast<IntegerAttr>(c.getValue()).getInt(); })
          .Case([&](arith::AddIOp) { return in(op, 0).x + in(op, 1).x; })
          .Case([&](arith::SubIOp) { return in(op, 0).x - in(op, 1).x; })
          .Case([&](arith::MulIOp) { return in(op, 0).x * in(op, 1).x; })
          .Case([&](arith::ShRUIOp) { return int64_t(uint64_t(in(op, 0).x) >> in(op, 1).x); })
          .Case([&](arith::CmpIOp c) -> Result {
            if (c.getPredicate() != arith::CmpIPredicate::ne)
              return std::nullopt;
            return in(op, 0).x != in(op, 1).x;
          })
          .Case([&](d1::ADD) { return in(op, 0).x + in(op, 1).x; })
          .Case([&](d1::SUB) { return in(op, 0).x - in(op, 1).x; })
          .Case([&](d1::SLTU) { return uint64_t(in(op, 0).x) < uint64_t(in(op, 1).x); })
          .Case([&](d1::LDW) { return int64_t(int32_t(load<uint32_t>(vectorAddress(op, 0)))); })
          .Default([](Operation *) { return std::nullopt; });
  if (!x)
    return std::nullopt;
  Cell d;
  d.x = *x;
  return d;
}

Cell Interpreter::gather(Operation *op, unsigned size) {
  Cell d;
  for (unsigned i = 0; i < 64 / size; ++i)
    std::memcpy(&d.bytes[i * size], at(piece(op, 0, i), size), size);
  return d;
}

Cell Interpreter::scatter(Operation *op, unsigned size) {
  for (unsigned i = 0; i < 64 / size; ++i)
    std::memcpy(at(piece(op, 1, i), size), &in(op, 0).bytes[i * size], size);
  return {};
}

std::optional<Cell> Interpreter::vectorMemory(Operation *op) {
  using Result = std::optional<Cell>;
  auto from = [&] { return vectorAddress(op, 0); };
  auto to = [&] { return vectorAddress(op, 1); };
  auto each = [&](unsigned count, auto storeLane) -> Result {
    for (unsigned l = 0; l < count; ++l)
      storeLane(l);
    return Cell();
  };
  auto half = [&](unsigned l) { store(to() + 2 * l, roundToBF16(in(op, 0).f[l])); };
  auto byte = [&](unsigned l) { store(to() + l, uint8_t(in(op, 0).u[l])); };
  auto pair = [&](unsigned l) { store(to() + 2 * l, uint16_t(in(op, 0).u[l])); };
  auto word = [&](unsigned l) { store(to() + 4 * l, in(op, 0).u[l]); };
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](d1::VLD) {
        return lanes([&](unsigned l) { return load<uint32_t>(from() + 4 * l); });
      })
      .Case([&](d1::VLDH) {
        return floatLanes([&](unsigned l) { return widenBF16(load<uint16_t>(from() + 2 * l)); });
      })
      .Case([&](d1::VLDS) {
        return lanes([&](unsigned l) { return load<uint16_t>(from() + 2 * l); });
      })
      .Case([&](d1::VLDRS) { return lanes([&](unsigned) { return load<uint16_t>(from()); }); })
      .Case([&](d1::VLDB) { return lanes([&](unsigned l) { return load<uint8_t>(from() + l); }); })
      .Case([&](d1::VLDR) { return lanes([&](unsigned) { return load<uint32_t>(from()); }); })
      .Case([&](d1::VLDRH) {
        return floatLanes([&](unsigned) { return widenBF16(load<uint16_t>(from())); });
      })
      .Case([&](d1::VLDRB) { return lanes([&](unsigned) { return load<uint8_t>(from()); }); })
      .Case([&](d1::VST) { return each(16, word); })
      .Case([&](d1::VSTH) { return each(16, half); })
      .Case([&](d1::VSTS) { return each(16, pair); })
      .Case([&](d1::VST1S) { return each(1, pair); })
      .Case([&](d1::VSTB) { return each(16, byte); })
      .Case([&](d1::VST1) { return each(1, word); })
      .Case([&](d1::VST1H) { return each(1, half); })
      .Case([&](d1::VST1B) { return each(1, byte); })
      .Case([&](d1::VLDG8) { return gather(op, 8); })
      .Case([&](d1::VLDG16) { return gather(op, 16); })
      .Case([&](d1::VSTG8) { return scatter(op, 8); })
      .Case([&](d1::VSTG16) { return scatter(op, 16); })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<Cell> Interpreter::arithmetic(Operation *op) {
  auto asSigned = [](uint32_t a) { return int32_t(a); };
  return TypeSwitch<Operation *, std::optional<Cell>>(op)
      .Case([&](d1::VADD) { return floats(op, [](float a, float b) { return a + b; }); })
      .Case([&](d1::VSUB) { return floats(op, [](float a, float b) { return a - b; }); })
      .Case([&](d1::VMUL) { return floats(op, [](float a, float b) { return a * b; }); })
      .Case([&](d1::VDIV) { return floats(op, [](float a, float b) { return a / b; }); })
      .Case([&](d1::VMIN) { return floats(op, least); })
      .Case([&](d1::VMAX) { return floats(op, [](float a, float b) { return -least(-a, -b); }); })
      .Case([&](d1::VSQRT) { return floats(op, [](float a, float) { return std::sqrt(a); }); })
      .Case([&](d1::VRND) { return floats(op, [&](float a, float) { return rounded(a, n(op)); }); })
      .Case([&](d1::VFMA) {
        return floatLanes([&](unsigned l) {
          return canonical(std::fma(in(op, 0).f[l], in(op, 1).f[l], in(op, 2).f[l]));
        });
      })
      .Case([&](d1::VCVTI) { return lanes([&](unsigned l) { return toInteger(in(op, 0).f[l]); }); })
      .Case([&](d1::VCVTF) { return floatLanes([&](unsigned l) { return in(op, 0).i[l]; }); })
      .Case([&](d1::VCEQ) { return compare(op, [](float a, float b) { return a == b; }); })
      .Case([&](d1::VCLT) { return compare(op, [](float a, float b) { return a < b; }); })
      .Case([&](d1::VCLE) { return compare(op, [](float a, float b) { return a <= b; }); })
      .Case([&](d1::VPACKH) {
        Cell d;
        for (unsigned l = 0; l < 32; ++l)
          d.h[l] = roundToBF16(in(op, l / 16).f[l % 16]);
        return d;
      })
      .Case([&](d1::VUNPKH) {
        return floatLanes([&](unsigned l) { return widenBF16(in(op, 0).h[16 * n(op) + l]); });
      })
      .Case([&](d1::VIADD) { return words(op, [](uint32_t a, uint32_t b) { return a + b; }); })
      .Case([&](d1::VISUB) { return words(op, [](uint32_t a, uint32_t b) { return a - b; }); })
      .Case([&](d1::VIMUL) { return words(op, [](uint32_t a, uint32_t b) { return a * b; }); })
      .Case([&](d1::VAND) { return words(op, [](uint32_t a, uint32_t b) { return a & b; }); })
      .Case([&](d1::VOR) { return words(op, [](uint32_t a, uint32_t b) { return a | b; }); })
      .Case([&](d1::VXOR) { return words(op, [](uint32_t a, uint32_t b) { return a ^ b; }); })
      .Case([&](d1::VISHL) {
        return words(op, [](uint32_t a, uint32_t b) { return a << (b & 31); });
      })
      .Case([&](d1::VISHR) {
        return words(op, [](uint32_t a, uint32_t b) { return a >> (b & 31); });
      })
      .Case([&](d1::VISAR) {
        return words(op, [&](uint32_t a, uint32_t b) { return asSigned(a) >> (b & 31); });
      })
      .Case([&](d1::VIMIN) {
        return words(op, [&](uint32_t a, uint32_t b) { return asSigned(a) < asSigned(b) ? a : b; });
      })
      .Case([&](d1::VIMAX) {
        return words(op, [&](uint32_t a, uint32_t b) { return asSigned(a) > asSigned(b) ? a : b; });
      })
      .Case([&](d1::VICEQ) {
        return words(op, [](uint32_t a, uint32_t b) { return a == b ? ~0u : 0; });
      })
      .Case([&](d1::VICLT) {
        return words(op,
                     [&](uint32_t a, uint32_t b) { return asSigned(a) < asSigned(b) ? ~0u : 0; });
      })
      .Case([&](d1::VSEL) {
        return lanes([&](unsigned l) {
          return (in(op, 0).u[l] & in(op, 1).u[l]) | (~in(op, 0).u[l] & in(op, 2).u[l]);
        });
      })
      .Case([&](d1::VMOV) { return in(op, 0); })
      .Case([&](d1::VROT) {
        return lanes([&](unsigned l) { return in(op, 0).u[(l + n(op)) % 16]; });
      })
      .Case([&](d1::VTRN) {
        unsigned size = 1u << n(op), rows = n(op) < 2 ? 8 : 4, columns = 64 / size / rows;
        Cell d;
        for (unsigned byte = 0; byte < 64; ++byte) {
          unsigned row = byte / size / rows, column = byte / size % rows;
          d.bytes[byte] = in(op, 0).bytes[(column * columns + row) * size + byte % size];
        }
        return d;
      })
      .Case([&](d1::VSPLAT) { return lanes([&](unsigned) { return uint32_t(in(op, 0).x); }); })
      .Case([&](d1::VIOTA) { return lanes([](unsigned l) { return l; }); })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<Cell> Interpreter::matrix(Operation *op) {
  return TypeSwitch<Operation *, std::optional<Cell>>(op)
      .Case([](d1::MZERO) { return Cell(); })
      .Case([&](d1::MMUL) {
        Cell d = in(op, 0);
        for (unsigned i = 0; i < 8; ++i)
          for (unsigned j = 0; j < 8; ++j)
            for (unsigned k = 0; k < 4; ++k)
              d.a[i][j] = std::fma(widenBF16(in(op, 1).h[4 * i + k]),
                                   widenBF16(in(op, 2).h[8 * k + j]), d.a[i][j]);
        return d;
      })
      .Case([&](d1::MREAD) {
        Cell d;
        std::memcpy(&d, &in(op, 0).a[2 * n(op)], 64);
        return d;
      })
      .Case([&](d1::MWRITE) {
        Cell d = in(op, 0);
        std::memcpy(&d.a[2 * n(op)], &in(op, 1), 64);
        return d;
      })
      .Default([](Operation *) { return std::nullopt; });
}

void Interpreter::runOperation(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return runIf(branch);
  for (auto part : {&Interpreter::scalar, &Interpreter::vectorMemory, &Interpreter::arithmetic,
                    &Interpreter::matrix})
    if (std::optional<Cell> result = (this->*part)(op)) {
      if (op->getNumResults())
        cells[op->getResult(0)] = *result;
      return;
    }
  error = "no meaning for " + op->getName().getStringRef().str();
}

std::string dojo::testing::interpret(func::FuncOp routine, ArrayRef<int64_t> arguments,
                                     MutableArrayRef<uint8_t> memory) {
  return Interpreter(memory).run(routine, arguments);
}
