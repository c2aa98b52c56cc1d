//===- InterpreterPortable.cpp - the reference ----------------------------===//
#define DOJO_HOST portable
#include "Interpreter.h"
