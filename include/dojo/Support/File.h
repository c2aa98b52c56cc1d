//===- File.h - reading files, and whether one can be written ---*- C++ -*-===//
#ifndef DOJO_SUPPORT_FILE_H
#define DOJO_SUPPORT_FILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace dojo {

/// The bytes of a file; the error names the file and the system's reason.
llvm::Expected<std::string> readFile(llvm::StringRef path);

/// Whether a file of this path can be made or replaced, without touching it: long work is
/// better refused before it begins.
llvm::Error checkWritable(llvm::StringRef path);

} // namespace dojo

#endif // DOJO_SUPPORT_FILE_H
