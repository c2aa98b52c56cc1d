// RUN: dojo-opt %s --dojo-set-target=machine=d1-mini | FileCheck %s
// RUN: not dojo-opt %s --dojo-set-target=machine=d9 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// CHECK: module attributes {dojo.machine = #dojo.machine<"d1-mini">}
// UNKNOWN: unknown target 'd9': expected one of d1-node, d1-mini
module {}
