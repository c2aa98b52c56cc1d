//===- MeshInterpreter.cpp - routines of moves over simulated nodes -------===//
#include "MeshInterpreter.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstring>

using namespace mlir;
using namespace dojo;
using namespace dojo::testing;

Mesh::Mesh(const Coords &grid, size_t sramBytes) : grid(grid) {
  for (int64_t n = 0; n < numNodes(grid); ++n)
    nodes.push_back({nodeAt(grid, n), std::vector<uint8_t>(sramBytes, 0xee), {}});
}

Node &Mesh::at(const Coords &c) {
  return nodes[((c[0] * grid[1] + c[1]) * grid[2] + c[2]) * grid[3] + c[3]];
}

bool Mesh::semaphoresAreZero() const {
  for (const Node &node : nodes)
    for (auto [number, count] : node.semaphores)
      if (count != 0)
        return false;
  return true;
}

namespace {

/// One routine on one node.
class Runner {
public:
  Runner(Mesh &mesh, Node &node) : mesh(mesh), node(node) {}

  std::string run(func::FuncOp routine, ArrayRef<int64_t> arguments) {
    for (auto [value, number] : llvm::zip_equal(routine.getArguments(), arguments))
      values[value] = number;
    run(routine.getBody().front());
    return error;
  }

private:
  void run(Block &block) {
    for (Operation &op : block.without_terminator())
      if (error.empty())
        run(&op);
  }
  void run(Operation *op);
  std::optional<int64_t> scalar(Operation *op);
  void transfer(bool push, uint64_t descriptor, uint64_t local, uint64_t global);

  int64_t in(Operation *op, unsigned i) { return values.at(op->getOperand(i)); }
  llvm::SmallVector<int64_t> numbers(ValueRange from) {
    return llvm::map_to_vector(from, [&](Value value) { return values.at(value); });
  }
  /// The node of a global address, or null with an error.
  Node *nodeOf(uint64_t address) {
    Coords c = {int64_t(address >> 56 & 0x3f), int64_t(address >> 48 & 0xff),
                int64_t(address >> 40 & 0xff), int64_t(address >> 32 & 0xff)};
    for (unsigned a = 0; a < numAxes; ++a)
      if (c[a] >= mesh.grid[a]) {
        error = "a node outside the grid";
        return nullptr;
      }
    return &mesh.at(c);
  }
  uint8_t *bytes(std::vector<uint8_t> &memory, uint64_t address, uint64_t size) {
    if (address + size <= memory.size())
      return memory.data() + address;
    error = "bytes outside memory at " + std::to_string(address);
    nowhere.resize(std::min<uint64_t>(size, 1 << 20));
    return nowhere.data();
  }
  int32_t word(uint64_t address) {
    int32_t value;
    std::memcpy(&value, bytes(node.sram, address, 4), 4);
    return value;
  }

  Mesh &mesh;
  Node &node;
  llvm::DenseMap<Value, int64_t> values;
  std::vector<uint8_t> nowhere; ///< where accesses outside memory go
  std::string error;
};

} // namespace

static bool compare(arith::CmpIPredicate predicate, int64_t a, int64_t b) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::slt:
    return a < b;
  default:
    llvm_unreachable("a comparison that no routine uses");
  }
}

std::optional<int64_t> Runner::scalar(Operation *op) {
  auto binary = [&](auto f) { return std::optional<int64_t>(f(in(op, 0), in(op, 1))); };
  return TypeSwitch<Operation *, std::optional<int64_t>>(op)
      .Case([&](arith::ConstantOp c) { return cast<IntegerAttr>(c.getValue()).getInt(); })
      .Case([&](arith::AddIOp) { return binary([](auto a, auto b) { return a + b; }); })
      .Case([&](arith::SubIOp) { return binary([](auto a, auto b) { return a - b; }); })
      .Case([&](arith::MulIOp) { return binary([](auto a, auto b) { return a * b; }); })
      .Case([&](arith::DivSIOp) { return binary([](auto a, auto b) { return a / b; }); })
      .Case([&](arith::RemSIOp) { return binary([](auto a, auto b) { return a % b; }); })
      .Case([&](arith::MinSIOp) { return binary([](auto a, auto b) { return std::min(a, b); }); })
      .Case([&](arith::MaxSIOp) { return binary([](auto a, auto b) { return std::max(a, b); }); })
      .Case([&](arith::AndIOp) { return binary([](auto a, auto b) { return a & b; }); })
      .Case([&](arith::ShLIOp) { return binary([](auto a, auto b) { return a << b; }); })
      .Case([&](arith::ShRSIOp) { return binary([](auto a, auto b) { return a >> b; }); })
      .Case([&](arith::ShRUIOp) {
        return binary([](auto a, auto b) { return int64_t(uint64_t(a) >> b); });
      })
      .Case([&](arith::CmpIOp c) {
        return binary([&](auto a, auto b) { return compare(c.getPredicate(), a, b); });
      })
      .Case([&](arith::SelectOp) { return in(op, 0) ? in(op, 1) : in(op, 2); })
      .Case([&](d1::LDW load) { return word(in(op, 0) + load.getImm()); })
      .Case([&](d1::COORD c) { return node.coords[c.getImm()]; })
      .Default([](Operation *) { return std::nullopt; });
}

void Runner::transfer(bool push, uint64_t descriptor, uint64_t local, uint64_t global) {
  if (descriptor % 64 || word(descriptor + 8) || word(descriptor + 12))
    error = "a malformed descriptor";
  bool dram = global >> 62 == 2;
  if ((global >> 62) % 2 || (!push && !dram))
    error = "a transfer with the wrong space";
  std::vector<uint8_t> *far = &mesh.dram;
  if (Node *other = dram ? nullptr : nodeOf(global))
    far = &other->sram;
  int64_t run = word(descriptor), levels = word(descriptor + 4), counts[4] = {1, 1, 1, 1};
  for (int64_t k = 0; k < levels; ++k)
    counts[k] = word(descriptor + 16 + 4 * k);
  int64_t pieces = counts[0] * counts[1] * counts[2] * counts[3];
  if (run < 1 || levels > 4 || pieces < 1)
    error = "an empty transfer";
  for (int64_t n = 0; n < pieces && error.empty(); ++n) {
    uint64_t src = push ? local : global, dst = push ? global : local;
    for (int64_t k = 0, rest = n; k < levels; rest /= counts[k++]) {
      src += rest % counts[k] * word(descriptor + 32 + 4 * k);
      dst += rest % counts[k] * word(descriptor + 48 + 4 * k);
    }
    uint64_t from = (push || !dram ? src : src & 0xffffffffff);
    uint64_t to = !push ? dst : dram ? dst & 0xffffffffff : dst & 0xffffffff;
    std::memcpy(bytes(push ? *far : node.sram, to, run), bytes(push ? node.sram : *far, from, run),
                run);
    if (push && dram && error.empty())
      for (int64_t i = 0; i < run; ++i)
        ++mesh.dramWrites[to + i];
  }
}

void Runner::run(Operation *op) {
  if (auto value = scalar(op)) {
    values[op->getResult(0)] = *value;
    return;
  }
  TypeSwitch<Operation *>(op)
      .Case([&](scf::ForOp loop) {
        int64_t hi = values.at(loop.getUpperBound());
        llvm::SmallVector<int64_t> carried = numbers(loop.getInitArgs());
        for (int64_t i = values.at(loop.getLowerBound()); i < hi && error.empty(); ++i) {
          values[loop.getInductionVar()] = i;
          for (auto [argument, number] : llvm::zip_equal(loop.getRegionIterArgs(), carried))
            values[argument] = number;
          run(*loop.getBody());
          carried = numbers(loop.getYieldedValues());
        }
      })
      .Case([&](scf::IfOp branch) {
        if (values.at(branch.getCondition()))
          run(*branch.thenBlock());
        else if (branch.elseBlock())
          run(*branch.elseBlock());
      })
      .Case([&](d1::STW store) {
        int32_t value = in(op, 0);
        std::memcpy(bytes(node.sram, in(op, 1) + store.getImm(), 4), &value, 4);
      })
      .Case([&](d1::PUSH) { transfer(true, in(op, 0), in(op, 1), in(op, 2)); })
      .Case([&](d1::PULL) { transfer(false, in(op, 0), in(op, 1), in(op, 2)); })
      .Case([&](d1::SIGNAL) {
        if (uint64_t(in(op, 0)) >> 62 != 1)
          error = "a signal to no semaphore";
        else if (Node *to = nodeOf(in(op, 0)))
          ++to->semaphores[in(op, 0) & 0xffffffff];
      })
      .Case([&](d1::WAIT) {
        int64_t &count = node.semaphores[in(op, 0)];
        if (count < in(op, 1))
          error = "a wait that nobody ends";
        count -= in(op, 1);
      })
      .Default(
          [&](Operation *) { error = "unknown operation " + op->getName().getStringRef().str(); });
}

std::string Mesh::run(func::FuncOp routine, ArrayRef<int64_t> arguments) {
  for (Node &node : nodes) {
    std::string error = Runner(*this, node).run(routine, arguments);
    if (!error.empty())
      return routine.getName().str() + " on (" + std::to_string(node.coords[2]) + ", " +
             std::to_string(node.coords[3]) + "): " + error;
  }
  return "";
}
