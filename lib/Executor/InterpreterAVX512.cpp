//===- InterpreterAVX512.cpp ----------------------------------------------===//
#define DOJO_HOST avx512
#define DOJO_HOST_FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#include "Interpreter.h"
