//===- CheckersTest.cpp - the checkers see mutants of real kernels --------===//
#include "Allocation.h"
#include "FunctionProblem.h"
#include "ScheduleProblem.h"
#include "dojo/Conversion/ArithToD1/Passes.h"
#include "dojo/Conversion/LinalgToD1/Passes.h"
#include "dojo/Dialect/D1/Transforms/Passes.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace dojo;

namespace {

const char *kernels = R"(
func.func private @product(%a: memref<32x64xbf16>, %b: memref<64x48xbf16>, %c: memref<32x48xf32>)
    attributes {dojo.kernel} {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<32x48xf32>)
  linalg.matmul ins(%a, %b : memref<32x64xbf16>, memref<64x48xbf16>) outs(%c : memref<32x48xf32>)
  return
}
func.func private @lanes(%a: memref<16x64xf32>, %b: memref<64x96xf32>, %c: memref<16x96xf32>)
    attributes {dojo.kernel} {
  linalg.matmul ins(%a, %b : memref<16x64xf32>, memref<64x96xf32>) outs(%c : memref<16x96xf32>)
  return
}
func.func private @scaled(%a: memref<24x64xf32>, %b: memref<64xf32>, %c: memref<24x64xbf16>)
    attributes {dojo.kernel} {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                                   affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : memref<24x64xf32>, memref<64xf32>) outs(%c : memref<24x64xbf16>) {
  ^bb0(%x: f32, %y: f32, %z: bf16):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %p, %y : f32
    %m = arith.maximumf %s, %x : f32
    %r = arith.truncf %m : f32 to bf16
    linalg.yield %r : bf16
  }
  return
}
func.func private @transposed(%a: memref<64x128xf32>, %c: memref<128x64xf32>)
    attributes {dojo.kernel} {
  linalg.transpose ins(%a : memref<64x128xf32>) outs(%c : memref<128x64xf32>) permutation = [1, 0]
  return
}
)";

class Checkers : public ::testing::Test {
protected:
  Checkers() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<func::FuncDialect, linalg::LinalgDialect, memref::MemRefDialect,
                        arith::ArithDialect, math::MathDialect, scf::SCFDialect, d1::D1Dialect>();
    module = parseSourceString<ModuleOp>(kernels, &context);
    PassManager manager(&context);
    manager.addPass(ir::createSetTarget());
    manager.addPass(createConvertKernelsToD1());
    OpPassManager &functions = manager.nest<func::FuncOp>();
    functions.addPass(createCanonicalizerPass());
    functions.addPass(d1::createD1FoldOffsets());
    functions.addPass(createCSEPass());
    functions.addPass(createLoopInvariantCodeMotionPass());
    functions.addPass(d1::createConvertScfArithToD1());
    converted = module && succeeded(manager.run(*module));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  bool converted;
  Machine machine = llvm::cantFail(loadMachine("d1-node"));
};

/// Every edge is missed by one cycle, once, and every instruction is put once where one of
/// its resources is full.
unsigned expectMutantsAreSeen(const sched::Problem &problem, const sched::Solution &schedule) {
  unsigned mutants = 0;
  for (const sched::Edge &edge : problem.edges) {
    if (edge.from == edge.to)
      continue;
    sched::Solution mutant = schedule;
    mutant.cycles[edge.to] =
        schedule.cycles[edge.from] + edge.latency - 1 - schedule.interval * int64_t(edge.distance);
    EXPECT_TRUE(sched::check(problem, mutant));
    ++mutants;
  }
  for (unsigned i = 0; i < problem.instructions.size(); ++i)
    for (unsigned resource : problem.instructions[i].resources) {
      std::map<int64_t, unsigned> used; // by cycle of the interval, without i
      for (unsigned j = 0; j < problem.instructions.size(); ++j)
        if (j != i && llvm::is_contained(problem.instructions[j].resources, resource))
          ++used[schedule.cycles[j] % schedule.interval];
      for (auto [cycle, count] : used) {
        if (count < problem.resources[resource].perCycle)
          continue;
        sched::Solution mutant = schedule;
        mutant.cycles[i] = cycle;
        EXPECT_TRUE(sched::check(problem, mutant));
        ++mutants;
        break;
      }
    }
  return mutants;
}

TEST_F(Checkers, SchedulesOfLoopsAreProvedAndTheirMutantsSeen) {
  ASSERT_TRUE(converted);
  unsigned loops = 0, mutants = 0;
  module->walk([&](d1::RepeatOp loop) {
    SmallVector<d1::InstructionOpInterface> ops;
    for (Operation &op : loop.getBody().front().without_terminator())
      if (auto inst = dyn_cast<d1::InstructionOpInterface>(op))
        ops.push_back(inst);
      else
        return;
    d1::BlockProblem block(machine, ops, {20, 32, 32});
    d1::MemoryAccesses memory(loop->getParentOfType<func::FuncOp>());
    if (!block.addLoopEdges(memory, loop))
      return;
    auto schedule = sched::scheduleLoop(block.problem, 2 * sched::intervalBound(block.problem) + 8);
    ASSERT_TRUE(schedule);
    EXPECT_EQ(sched::check(block.problem, *schedule), std::nullopt);
    ++loops;
    mutants += expectMutantsAreSeen(block.problem, *schedule);
  });
  EXPECT_GE(loops, 4u);
  EXPECT_GT(mutants, 200u);
}

/// Two values that one instruction reads are put into one register.
TEST_F(Checkers, AllocationsAreProvedAndTheirMutantsSeen) {
  ASSERT_TRUE(converted);
  unsigned mutants = 0;
  for (auto function : module->getOps<func::FuncOp>()) {
    d1::isolateTies(function);
    d1::FunctionProblem code(function);
    auto result = regalloc::solve(code.problem);
    auto *solution = std::get_if<regalloc::Solution>(&result);
    ASSERT_TRUE(solution) << function.getName().str();
    EXPECT_EQ(regalloc::check(code.problem, *solution), std::nullopt);
    for (const regalloc::Step &step : code.problem.steps) {
      if (step.kind != regalloc::StepKind::op && step.kind != regalloc::StepKind::update)
        continue;
      for (regalloc::ValueId a : step.uses)
        for (regalloc::ValueId b : step.uses) {
          if ((*solution)[a] == (*solution)[b] ||
              code.problem.values[a].file != code.problem.values[b].file)
            continue;
          regalloc::Solution mutant = *solution;
          mutant[a] = mutant[b];
          EXPECT_TRUE(regalloc::check(code.problem, mutant));
          ++mutants;
        }
    }
  }
  EXPECT_GT(mutants, 200u);
}

} // namespace
