//===- File.h - reading whole files -----------------------------*- C++ -*-===//
#ifndef DOJO_SUPPORT_FILE_H
#define DOJO_SUPPORT_FILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace dojo {

/// The bytes of a file; the error names the file and the system's reason.
llvm::Expected<std::string> readFile(llvm::StringRef path);

} // namespace dojo

#endif // DOJO_SUPPORT_FILE_H
