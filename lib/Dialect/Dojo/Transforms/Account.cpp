//===- Account.cpp - what each ONNX node costs, beside its bounds ---------===//
#include "dojo/Dialect/Dojo/IR/Target.h"
#include "dojo/Dialect/Dojo/Transforms/Liveness.h"
#include "dojo/Dialect/Dojo/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/Support/MathExtras.h"

namespace dojo::ir {
#define GEN_PASS_DEF_ACCOUNT
#include "dojo/Dialect/Dojo/Transforms/Passes.h.inc"
} // namespace dojo::ir

using namespace mlir;
using namespace dojo;
using namespace dojo::ir;

namespace {

/// The figures of one ONNX node in one entry, or of the program.
struct Costs {
  int64_t macs = 0, macCycles = 0;
  double macCyclesBound = 0;
  int64_t nocBytes = 0, nocBoundBytes = 0;
  int64_t dramBytes = 0, dramBoundBytes = 0;
  int64_t sramPeakBytes = 0, sramBoundBytes = 0;

  void add(const Costs &other);
  void write(Builder &builder, NamedAttrList &row) const;
};

struct Row {
  Costs costs;
  LaunchOp largest; ///< the launch with most multiply-accumulates, else the first
  /// Runs of the contractions with these facts.
  llvm::MapVector<DictionaryAttr, int64_t> runs;
};

/// Bytes of SRAM at each time of a placed program.
class Occupancy {
public:
  Occupancy(ModuleOp module, const Machine &machine);

  /// What an operation finds.
  int64_t peakAt(Operation *op) const { return peaks[times.lookup(op)]; }
  int64_t liveAt(Operation *op) const { return live[times.lookup(op)]; }

private:
  llvm::DenseMap<Operation *, int64_t> times;
  std::vector<int64_t> peaks, live;
};

class Accountant {
public:
  Accountant(ModuleOp module, const Target &target)
      : module(module), target(target), occupancy(module, target.machine),
        computing(numNodes(target.grid)) {}

  void run();

private:
  Row &rowOf(Operation *op);
  void count(MoveOp move, Costs &costs);
  void countOnce(MoveOp op, int64_t symbol, int64_t times, Costs &costs);
  void countCompulsory(MoveOp move, Costs &costs);
  void count(LaunchOp launch, Row &row);
  void countMacs(Row &row);
  Attribute attributeOf(StringRef entry, StringRef name, const Row &row);

  ModuleOp module;
  const Target &target;
  Occupancy occupancy;
  llvm::BitVector computing; ///< nodes that run a kernel
  llvm::MapVector<std::pair<StringRef, StringRef>, Row> rows;
  llvm::DenseSet<Operation *> read, written; ///< tensors in DRAM
};

} // namespace

void Costs::add(const Costs &other) {
  macs += other.macs;
  macCycles += other.macCycles;
  macCyclesBound += other.macCyclesBound;
  nocBytes += other.nocBytes;
  nocBoundBytes += other.nocBoundBytes;
  dramBytes += other.dramBytes;
  dramBoundBytes += other.dramBoundBytes;
  sramPeakBytes = std::max(sramPeakBytes, other.sramPeakBytes);
  sramBoundBytes = std::max(sramBoundBytes, other.sramBoundBytes);
}

void Costs::write(Builder &builder, NamedAttrList &row) const {
  auto set = [&](StringRef key, int64_t value) { row.set(key, builder.getI64IntegerAttr(value)); };
  set("macs", macs);
  set("mac_cycles", macCycles);
  row.set("mac_cycles_bound", builder.getF64FloatAttr(macCyclesBound));
  set("noc_bytes", nocBytes);
  set("noc_bound_bytes", nocBoundBytes);
  set("dram_bytes", dramBytes);
  set("dram_bound_bytes", dramBoundBytes);
  set("sram_peak_bytes", sramPeakBytes);
  set("sram_bound_bytes", sramBoundBytes);
}

//===-- SRAM --------------------------------------------------------------===//

Occupancy::Occupancy(ModuleOp module, const Machine &machine) {
  Timeline line = timelineOf(module);
  for (auto [time, op] : llvm::enumerate(line.operations))
    times[op] = time;
  auto code = module->getAttrOfType<IntegerAttr>(codeBytesAttrName);
  place::Problem problem = placementProblem(line.lifetimes, machine, code ? code.getInt() : 0);
  peaks.assign(line.operations.size(), 0);
  live.assign(line.operations.size(), 0);
  for (const place::Buffer &buffer : problem.buffers) {
    int64_t last = std::min<int64_t>(buffer.upper, live.size());
    for (int64_t time = buffer.lower; time < last; ++time) {
      peaks[time] = std::max(peaks[time], *buffer.fixed + buffer.size);
      live[time] += buffer.size;
    }
  }
}

//===-- Counting ----------------------------------------------------------===//

/// How often an operation runs: the product of the repeats around it.
static int64_t timesRun(Operation *op) {
  int64_t times = 1;
  while ((op = op->getParentOp()))
    if (auto repeat = dyn_cast<RepeatOp>(op))
      times *= repeat.getCount();
  return times;
}

static int64_t tensorBytes(RankedTensorType type) {
  return type.getNumElements() * elementBytes(type.getElementType());
}

/// A tensor must be read once and written once, whatever moves do so; scratch, not at all.
void Accountant::countCompulsory(MoveOp move, Costs &costs) {
  auto once = [&](Value buffer, llvm::DenseSet<Operation *> &done) {
    auto dram = cast<DramOp>(SymbolTable::lookupNearestSymbolFrom(move, dramNameOf(buffer)));
    if (dram.getRole() != "scratch" && done.insert(dram).second)
      costs.dramBoundBytes += tensorBytes(cast<RankedTensorType>(dram.getType()));
  };
  if (move.readsDram())
    once(move.getSource(), read);
  if (move.writesDram())
    once(move.getDest(), written);
}

void Accountant::count(MoveOp op, Costs &costs) {
  int64_t times = timesRun(op);
  countCompulsory(op, costs);
  if (!op.getSymbol())
    return countOnce(op, 0, times, costs);
  StepNumber number = stepNumberOf(op.getSymbol());
  int64_t steps = number.repeat ? number.repeat.getCount() : 1;
  for (int64_t s = 0; s < steps; ++s)
    countOnce(op, number.at(s), times / steps, costs);
}

void Accountant::countOnce(MoveOp op, int64_t symbol, int64_t times, Costs &costs) {
  Move move = op.getMove();
  if (op.readsDram()) {
    costs.dramBytes += times * countReceivedBytes(move, target.grid, symbol);
  } else if (op.writesDram()) { // each element is stored once
    costs.dramBytes += times * countReceivedBytes(move, Coords{1, 1, 1, 1}, symbol);
  } else {
    costs.nocBytes += times * countRemoteBytes(move, target.grid, symbol);
    costs.nocBoundBytes += times * boundRemoteBytes(move, target.grid, symbol);
  }
}

/// A number among the facts of a launch, or else 0.
static int64_t numberIn(DictionaryAttr facts, StringRef name) {
  auto value = facts ? facts.getAs<IntegerAttr>(name) : IntegerAttr{};
  return value ? value.getInt() : 0;
}

void Accountant::count(LaunchOp op, Row &row) {
  Layout layout = layoutOf(op.getOuts().front().getType());
  for (int64_t n = 0; n < numNodes(target.grid); ++n)
    if (layout.blocksAt(nodeAt(target.grid, n)))
      computing.set(n);
  int64_t macs = numberIn(op.getFactsAttr(), "macs");
  if (macs)
    row.runs[op.getFactsAttr()] += timesRun(op);
  if (!row.largest || macs > numberIn(row.largest.getFactsAttr(), "macs"))
    row.largest = op;
}

/// The launches of an op may stand in several places; only all its runs together do
/// what the facts say.
void Accountant::countMacs(Row &row) {
  for (auto &[facts, times] : row.runs) {
    auto shareOf = [&, &facts = facts, &times = times](StringRef name) {
      return numberIn(facts, name) * times / numberIn(facts, "runs");
    };
    int64_t macs = shareOf("macs");
    int64_t rate =
        facts.contains("matrix") ? target.machine.matrixMacs() : target.machine.fp32Lanes();
    row.costs.macs += macs;
    row.costs.macCycles += llvm::divideCeil(shareOf("node_macs"), rate);
    row.costs.macCyclesBound += double(macs) / double(numNodes(target.grid) * rate);
  }
}

//===-- Rows --------------------------------------------------------------===//

Row &Accountant::rowOf(Operation *op) {
  auto name = op->getLoc()->findInstanceOf<NameLoc>();
  StringRef entry = op->getParentOfType<func::FuncOp>().getName();
  return rows[{entry, name ? name.getName().getValue() : StringRef()}];
}

Attribute Accountant::attributeOf(StringRef entry, StringRef name, const Row &row) {
  Builder builder(module.getContext());
  NamedAttrList list;
  list.set("entry", builder.getStringAttr(entry));
  list.set("name", builder.getStringAttr(name));
  row.costs.write(builder, list);
  if (LaunchOp launch = row.largest) {
    list.set("result", tensorOf(launch.getOuts().front().getType()).getEncoding());
    list.set("partials", builder.getI64IntegerAttr(numberIn(launch.getFactsAttr(), "partials")));
    if (launch.getFactsAttr())
      list.set("mapping", launch.getFactsAttr().get("mapping"));
  }
  return list.getDictionary(module.getContext());
}

void Accountant::run() {
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<MoveOp, LaunchOp>(op))
      return;
    Row &row = rowOf(op);
    if (auto move = dyn_cast<MoveOp>(op))
      count(move, row.costs);
    else
      count(cast<LaunchOp>(op), row);
    row.costs.sramPeakBytes = std::max(row.costs.sramPeakBytes, occupancy.peakAt(op));
    row.costs.sramBoundBytes = std::max(row.costs.sramBoundBytes, occupancy.liveAt(op));
  });
  Builder builder(module.getContext());
  Costs all;
  SmallVector<Attribute> table;
  for (auto &[key, row] : rows) {
    countMacs(row);
    all.add(row.costs);
    table.push_back(attributeOf(key.first, key.second, row));
  }
  NamedAttrList figures;
  all.write(builder, figures);
  figures.set("nodes_used", builder.getI64IntegerAttr(computing.count()));
  module->setAttr(figuresAttrName, figures.getDictionary(module.getContext()));
  module->setAttr(opsAttrName, builder.getArrayAttr(table));
}

namespace {

struct AccountPass : ir::impl::AccountBase<AccountPass> {
  void runOnOperation() override {
    auto target = Target::of(getOperation());
    if (failed(target))
      return signalPassFailure();
    Accountant(getOperation(), *target).run();
  }
};

} // namespace
