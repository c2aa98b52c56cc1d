//===- InterpreterAVX2.cpp ------------------------------------------------===//
#define DOJO_HOST avx2
#define DOJO_HOST_FEATURES "avx2,fma"
#define DOJO_HOST_ROWS 4
#include "Interpreter.h"
