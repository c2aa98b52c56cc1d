//===- Names.h - which names a person may have meant ------------*- C++ -*-===//
#ifndef DOJO_SUPPORT_NAMES_H
#define DOJO_SUPPORT_NAMES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace dojo {

/// The end of an error about an unknown name: "; near it: 'a', 'b', 'c'", the three names
/// of `known` at the least edit distance, nearest first, equals by name. Empty when nothing is
/// known.
std::string nearNames(llvm::StringRef name, llvm::ArrayRef<std::string> known);

} // namespace dojo

#endif // DOJO_SUPPORT_NAMES_H
