//===- AnyOrder.cpp - nodes and transfers in an order that is drawn -------===//
#include "AnyOrder.h"
#include "Mesh.h"
#include "Network.h"
#include "llvm/ADT/STLExtras.h"

namespace dojo::exec {

void AnyOrder::putOff(unsigned node, std::optional<unsigned> target,
                      std::function<void()> transfer) {
  transfers[node].push_back({target, std::move(transfer)});
}

void AnyOrder::arrive(unsigned node, unsigned target) {
  llvm::erase_if(transfers[node], [&](const Transfer &transfer) {
    if (transfer.target != target)
      return false;
    transfer.run();
    return true;
  });
}

void AnyOrder::drain(unsigned node) {
  for (const Transfer &transfer : transfers[node])
    transfer.run();
  transfers[node].clear();
}

void AnyOrder::run(Mesh &mesh, int64_t limit) {
  constexpr unsigned mostBits = 12, oneTransferIn = 4;
  std::vector<int64_t> executed(mesh.nodes.size());
  MatrixTables &tables = *mesh.tables.front();
  for (Node &node : mesh.nodes)
    node.tables = &tables;
  for (;;) {
    std::vector<Node *> able;
    for (Node &node : mesh.nodes)
      if (node.status == Status::ready || (node.status == Status::waiting && canResume(node)))
        able.push_back(&node);
    if (able.empty())
      break;
    Node &node = *able[below(able.size())];
    const int64_t left = limit - executed[node.number];
    const int64_t stretch = std::min<int64_t>(left, 1 + below(uint64_t(1) << below(mostBits)));
    tables.panels.forget();
    node.pc->run(node, node.pc, stretch);
    executed[node.number] += stretch - node.budget;
    node.counters.instructions += stretch - node.budget;
    if (node.status == Status::ready && executed[node.number] == limit)
      faultLimit(node, limit);
    if (auto &some = transfers[below(transfers.size())]; !some.empty() && !below(oneTransferIn)) {
      std::swap(some[below(some.size())], some.back());
      some.back().run();
      some.pop_back();
    }
  }
  for (unsigned node = 0; node < transfers.size(); ++node)
    drain(node);
}

} // namespace dojo::exec
