#include "dojo/Conversion/DojoToD1/MoveRoutines.h"
#include "MeshInterpreter.h"
#include "RandomMove.h"
#include "dojo/Dialect/D1/IR/D1.h"
#include "dojo/ISA/Abi.h"
#include "dojo/ISA/Address.h"
#include "dojo/Pipelines/D1Backend.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace dojo;
using namespace dojo::testing;

namespace {

constexpr int64_t readySemaphore = 8, dramBase = 128;

class MoveRoutines : public ::testing::Test {
protected:
  MoveRoutines() {
    context.loadDialect<arith::ArithDialect, d1::D1Dialect, func::FuncDialect, scf::SCFDialect>();
  }

  std::string run(Mesh &mesh, MovePart part, const RandomMoves::Case &c,
                  llvm::SmallVector<int64_t> arguments) {
    OpBuilder builder(&context);
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToEnd(module->getBody());
    func::FuncOp routine =
        buildMoveRoutine(builder, builder.getUnknownLoc(), "part", part, c.move, c.grid);
    if (failed(verify(*module)))
      return "does not verify";
    if (c.move.usesSymbol())
      arguments.push_back(c.symbol);
    return mesh.run(routine, arguments);
  }

  MLIRContext context;
};

/// Where the pieces of a move lie in every node's SRAM, behind the scratch.
struct Frame {
  explicit Frame(const Move &move)
      : eb(move.elementBytes), src(isa::moveScratchBytes),
        dst(llvm::alignTo(src + move.src.localElements() * eb, 64)),
        end(dst + move.dst.localElements() * eb) {}
  int64_t eb, src, dst, end;
};

} // namespace

/// Bytes that differ from element to element, as far as they can.
static void write(std::vector<uint8_t> &memory, int64_t at, int64_t eb, int64_t number) {
  uint32_t value = eb == 1 ? number * 37 % 251 : number;
  std::memcpy(memory.data() + at, &value, eb);
}

static void fillSource(Mesh &mesh, const Move &move, const Frame &frame) {
  int64_t number = 0;
  for (Node &node : mesh.nodes)
    for (int64_t k = 0; k < move.src.localElements(); ++k)
      write(node.sram, frame.src + k * frame.eb, frame.eb, ++number);
}

/// The first byte at or behind the source in which the meshes differ, or "".
static std::string difference(const Mesh &got, const Mesh &wanted) {
  for (auto [a, b] : llvm::zip(got.nodes, wanted.nodes))
    for (size_t i = isa::moveScratchBytes; i < a.sram.size(); ++i)
      if (a.sram[i] != b.sram[i])
        return "byte " + std::to_string(i) + " of node (" + std::to_string(a.coords[2]) + ", " +
               std::to_string(a.coords[3]) + ")";
  return "";
}

TEST_F(MoveRoutines, BetweenNodesEqualTheEnumerator) {
  RandomMoves moves(1);
  int64_t elements = 0, used = 0;
  for (int round = 0; round < 1500; ++round) {
    RandomMoves::Case c = moves.next();
    Frame frame(c.move);
    Mesh mesh(c.grid, frame.end);
    fillSource(mesh, c.move, frame);
    Mesh wanted = mesh;
    int64_t before = elements;
    enumerateMove(c.move, c.grid, c.symbol, [&](const ElementMove &e) {
      ++elements;
      std::memcpy(&wanted.at(e.dstNode).sram[frame.dst + e.dstElement * frame.eb],
                  &mesh.at(e.srcNode).sram[frame.src + e.srcElement * frame.eb], frame.eb);
    });
    used += elements != before;
    ASSERT_EQ(run(mesh, MovePart::send, c, {frame.src, frame.dst, 0, readySemaphore}), "")
        << "round " << round;
    ASSERT_EQ(run(mesh, MovePart::receive, c, {readySemaphore}), "") << "round " << round;
    ASSERT_EQ(difference(mesh, wanted), "") << "round " << round;
    ASSERT_TRUE(mesh.semaphoresAreZero()) << "round " << round;
  }
  std::printf("%lld of 1500 moves write something, %lld elements in all\n", (long long)used,
              (long long)elements);
}

TEST_F(MoveRoutines, MovesThatStayOnNodesCrossNone) {
  RandomMoves moves(4);
  int stay = 0;
  for (int round = 0; round < 3000; ++round) {
    RandomMoves::Case c = moves.next();
    bool crosses = false;
    enumerateMove(c.move, c.grid, c.symbol,
                  [&](const ElementMove &e) { crosses |= e.srcNode != e.dstNode; });
    ASSERT_FALSE(crosses && c.move.staysOnNodes()) << "round " << round;
    stay += c.move.staysOnNodes();
  }
  EXPECT_GT(stay, 100);
}

TEST_F(MoveRoutines, PullsEqualTheEnumerator) {
  RandomMoves moves(2);
  for (int round = 0; round < 500; ++round) {
    RandomMoves::Case c = moves.next();
    llvm::SmallVector<int64_t> shape;
    for (const Layout::Dim &dim : c.move.src.dims)
      shape.push_back(dim.size);
    c.move.src = Layout::replicated(shape);
    Frame frame(c.move);
    Mesh mesh(c.grid, frame.end);
    mesh.dram.resize(dramBase + c.move.src.localElements() * frame.eb);
    for (int64_t k = 0; k < c.move.src.localElements(); ++k)
      write(mesh.dram, dramBase + k * frame.eb, frame.eb, k + 1);
    Mesh wanted = mesh;
    enumerateMove(c.move, c.grid, c.symbol, [&](const ElementMove &e) {
      std::memcpy(&wanted.at(e.dstNode).sram[frame.dst + e.dstElement * frame.eb],
                  &mesh.dram[dramBase + e.srcElement * frame.eb], frame.eb);
    });
    ASSERT_EQ(run(mesh, MovePart::pull, c, {int64_t(isa::dramSpace + dramBase), frame.dst, 0}), "")
        << "round " << round;
    ASSERT_EQ(difference(mesh, wanted), "") << "round " << round;
  }
}

TEST_F(MoveRoutines, StoresEqualTheEnumeratorAndWriteOnce) {
  RandomMoves moves(3);
  for (int round = 0; round < 500; ++round) {
    RandomMoves::Case c = moves.next();
    llvm::SmallVector<int64_t> shape;
    for (const Layout::Dim &dim : c.move.dst.dims)
      shape.push_back(dim.size);
    c.move.dst = Layout::replicated(shape);
    Frame frame(c.move);
    Mesh mesh(c.grid, frame.end);
    fillSource(mesh, c.move, frame);
    mesh.dram.assign(dramBase + c.move.dst.localElements() * frame.eb, 0xee);
    mesh.dramWrites.assign(mesh.dram.size(), 0);
    std::vector<uint8_t> wanted = mesh.dram;
    std::vector<unsigned> writes = mesh.dramWrites;
    enumerateMove(c.move, c.grid, c.symbol, [&](const ElementMove &e) {
      if (e.dstNode != Coords{})
        return;
      int64_t at = dramBase + e.dstElement * frame.eb;
      std::memcpy(&wanted[at], &mesh.at(e.srcNode).sram[frame.src + e.srcElement * frame.eb],
                  frame.eb);
      for (int64_t i = 0; i < frame.eb; ++i)
        ++writes[at + i];
    });
    ASSERT_EQ(run(mesh, MovePart::store, c, {frame.src, int64_t(isa::dramSpace + dramBase), 0}), "")
        << "round " << round;
    ASSERT_EQ(mesh.dram, wanted) << "round " << round;
    ASSERT_EQ(mesh.dramWrites, writes) << "round " << round;
  }
}

/// Nothing is spilled, so a nest that is too deep would not compile.
TEST_F(MoveRoutines, FitTheRegisters) {
  RandomMoves moves(4);
  for (int round = 0; round < 500; ++round) {
    RandomMoves::Case c = moves.next();
    OpBuilder builder(&context);
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToEnd(module->getBody());
    for (auto [name, part] : {std::pair("send", MovePart::send), {"receive", MovePart::receive}})
      buildMoveRoutine(builder, builder.getUnknownLoc(), name, part, c.move, c.grid);
    PassManager manager(&context);
    buildD1BackendPipeline(manager.nest<func::FuncOp>());
    ASSERT_TRUE(succeeded(manager.run(*module))) << "round " << round;
  }
}
