//===- InterpreterPortable.cpp - the reference ----------------------------===//
#define DOJO_HOST portable
#define DOJO_HOST_ROWS 4
#include "Interpreter.h"
