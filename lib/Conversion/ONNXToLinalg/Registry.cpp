//===- Registry.cpp - handlers by operator and version --------------------===//
#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

using namespace dojo::onnx;
using llvm::StringRef;

std::string HandlerRegistry::key(StringRef domain, StringRef op) {
  return (domain + "." + op).str();
}

void HandlerRegistry::onOp(StringRef op, int64_t since, Handler handler, StringRef domain) {
  auto &versions = handlers[key(domain, op)];
  versions.emplace_back(since, std::move(handler));
  llvm::sort(versions, [](const auto &x, const auto &y) { return x.first > y.first; });
}

const Handler *HandlerRegistry::find(StringRef domain, StringRef op, int64_t opset) const {
  auto found = handlers.find(key(domain, op));
  if (found == handlers.end())
    return nullptr;
  for (const auto &[since, handler] : found->second)
    if (since <= opset)
      return &handler;
  return nullptr;
}

bool HandlerRegistry::knows(StringRef domain, StringRef op) const {
  return handlers.count(key(domain, op));
}
