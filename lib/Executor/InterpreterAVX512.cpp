//===- InterpreterAVX512.cpp ----------------------------------------------===//
#define DOJO_HOST avx512
#define DOJO_HOST_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#define DOJO_HOST_ROWS 8
#include "Interpreter.h"
