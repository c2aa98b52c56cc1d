//===- Microsoft.h - the domain com.microsoft -------------------*- C++ -*-===//
#ifndef DOJO_LIB_CONVERSION_ONNXTOLINALG_MICROSOFT_H
#define DOJO_LIB_CONVERSION_ONNXTOLINALG_MICROSOFT_H

#include "dojo/Conversion/ONNXToLinalg/Handlers.h"

namespace dojo::onnx {

inline constexpr llvm::StringLiteral microsoft = "com.microsoft";

void registerGroupQueryAttention(HandlerRegistry &registry);
void registerMicrosoftAttention(HandlerRegistry &registry);
void registerMicrosoftQuantization(HandlerRegistry &registry);

} // namespace dojo::onnx

#endif // DOJO_LIB_CONVERSION_ONNXTOLINALG_MICROSOFT_H
