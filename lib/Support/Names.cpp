//===- Names.cpp - which names a person may have meant --------------------===//
#include "dojo/Support/Names.h"
#include "llvm/ADT/STLExtras.h"

std::string dojo::nearNames(llvm::StringRef name, llvm::ArrayRef<std::string> known) {
  constexpr size_t most = 3;
  llvm::SmallVector<std::pair<unsigned, llvm::StringRef>> byDistance;
  for (llvm::StringRef other : known)
    byDistance.push_back({name.edit_distance(other), other});
  llvm::sort(byDistance);
  std::string text;
  for (auto &[distance, other] : llvm::ArrayRef(byDistance).take_front(most))
    text += (text.empty() ? "; near it: '" : ", '") + other.str() + "'";
  return text;
}
