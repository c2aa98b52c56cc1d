//===- Run.cpp - scheduling of nodes on host threads ----------------------===//
#include "Run.h"
#include "Network.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <thread>

using llvm::Error;
using llvm::formatv;

namespace dojo::exec {
namespace {

constexpr unsigned nodesNamed = 10;
/// Fruitless looks at all nodes before a thread goes to sleep.
constexpr unsigned patience = 100;

void start(Mesh &mesh, const binary::Label &entry, int64_t limit) {
  for (Node &node : mesh.nodes) {
    std::fill(std::begin(node.v), std::end(node.v), U32{});
    std::fill(std::begin(node.acc), std::end(node.acc), Accumulator{});
    std::fill(std::begin(node.x), std::end(node.x), 0);
    node.status = Status::ready;
    node.pc = node.code + entry.address / sizeof(uint32_t);
    node.budget = limit;
    node.atBarrier = false;
    mesh.claims[node.number] = Claim::free;
  }
  std::fill_n(mesh.semaphores.get(), mesh.nodes.size() * mesh.semaphoresOfNode(), 0);
  mesh.atBarrier = 0;
}

/// A thread and the nodes that it looks after, neighbours on the mesh; it takes over
/// another thread's nodes while its own all wait. A node belongs to whoever has claimed it.
class Worker {
public:
  Worker(Mesh &mesh, unsigned thread, unsigned threads, int64_t limit, const IssueModel *model)
      : mesh(mesh), thread(thread), limit(limit), tables(*mesh.tables[thread]) {
    if (model)
      times.emplace(*model);
    for (Node &node : mesh.nodes)
      (uint64_t(node.number) * threads / mesh.nodes.size() == thread ? own : others)
          .push_back(&node);
  }

  void work() {
    unsigned fruitless = 0;
    while (!(own.empty() && others.empty()) && !mesh.bell.hasEnded()) {
      if (look())
        fruitless = 0;
      else if (++fruitless < patience)
        std::this_thread::yield();
      else if (!rest())
        break;
    }
    mesh.bell.leave();
  }

private:
  bool look() { return runAll(own) || runAll(others); }

  /// False when the run has ended.
  bool rest() {
    const uint64_t heard = mesh.bell.announce();
    if (!look())
      return mesh.bell.sleep(thread, heard);
    mesh.bell.retract();
    return true;
  }

  /// Runs every node that can, and forgets those that have ended; true if any
  /// could. What nodes pass on from neighbour to neighbour goes far in one round if the round
  /// goes the same way, so rounds go to and fro.
  bool runAll(std::vector<Node *> &nodes) {
    bool progress = false;
    llvm::erase_if(nodes, [&](Node *node) {
      Claim expected = Claim::free;
      std::atomic<Claim> &claim = mesh.claims[node->number];
      if (!claim.compare_exchange_strong(expected, Claim::taken, std::memory_order_acquire))
        return expected == Claim::ended;
      if (node->status != Status::waiting || canResume(*node)) {
        progress = true;
        run(*node);
      }
      bool ended = node->status == Status::halted || node->status == Status::faulted;
      claim.store(ended ? Claim::ended : Claim::free, std::memory_order_release);
      return ended;
    });
    std::reverse(nodes.begin(), nodes.end());
    return progress;
  }

  void run(Node &node) {
    if (node.clock)
      node.clock->runBy(*times);
    node.tables = &tables;
    tables.panels.forget();
    int64_t before = node.budget;
    node.pc->run(node, node.pc, node.budget);
    node.counters.instructions += before - node.budget;
    if (node.budget > 0 || node.status == Status::halted)
      return;
    faultLimit(node, limit);
    mesh.bell.end();
  }

  Mesh &mesh;
  unsigned thread;
  int64_t limit;
  std::optional<BlockTimes> times;
  MatrixTables &tables;
  std::vector<Node *> own, others;
};

Error faultReport(const Mesh &mesh) {
  auto faulted = [](const Node &node) { return node.status == Status::faulted; };
  auto first = llvm::find_if(mesh.nodes, faulted);
  std::string text = formatv("{0} {1}", describe(*first), first->fault);
  if (unsigned others = llvm::count_if(mesh.nodes, faulted) - 1)
    text += formatv("; {0} more nodes have failed", others);
  return llvm::createStringError(text);
}

Error deadlockReport(Mesh &mesh, const binary::Label &entry) {
  auto waits = [](const Node &node) { return node.status == Status::waiting; };
  unsigned count = llvm::count_if(mesh.nodes, waits);
  std::string text = formatv("deadlock in entry '{0}': {1} nodes wait and no signal is on its way",
                             entry.name, count);
  unsigned named = 0;
  for (const Node &node : llvm::make_filter_range(mesh.nodes, waits)) {
    if (named++ == nodesNamed)
      break;
    if (node.atBarrier)
      text += formatv("\n  {0}: {1} of {2} nodes have come", describe(node), mesh.atBarrier.load(),
                      mesh.nodes.size());
    else
      text +=
          formatv("\n  {0}: semaphore {1} needs {2}, has {3}", describe(node), node.waitSemaphore,
                  node.waitCount, mesh.semaphore(node.number, node.waitSemaphore).load());
  }
  if (count > nodesNamed)
    text += formatv("\n  and {0} more", count - nodesNamed);
  return llvm::createStringError(text);
}

/// All nodes have stopped.
Error outcome(Mesh &mesh, const binary::Label &entry) {
  auto is = [](Status status) { return [=](const Node &node) { return node.status == status; }; };
  if (llvm::any_of(mesh.nodes, is(Status::faulted)))
    return faultReport(mesh);
  if (llvm::any_of(mesh.nodes, is(Status::waiting)))
    return deadlockReport(mesh, entry);
  return mesh.races ? mesh.races->finish(entry.name) : Error::success();
}

} // namespace

Error runEntry(Mesh &mesh, const binary::Label &entry, unsigned threads, uint64_t limit,
               const IssueModel *model) {
  int64_t budget = std::clamp<uint64_t>(limit, 1, INT64_MAX);
  start(mesh, entry, budget);
  mesh.provideTables(threads);
  mesh.alone = threads == 1;
  if (mesh.races)
    mesh.races->begin(entry.address);
  if (mesh.anyOrder) {
    mesh.anyOrder->run(mesh, budget);
    return outcome(mesh, entry);
  }
  mesh.bell.reset(threads);
  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < threads; ++thread)
    others.emplace_back([&, thread] { Worker(mesh, thread, threads, budget, model).work(); });
  Worker(mesh, 0, threads, budget, model).work();
  for (std::thread &other : others)
    other.join();

  return outcome(mesh, entry);
}

} // namespace dojo::exec
