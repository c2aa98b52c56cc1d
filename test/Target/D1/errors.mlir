// RUN: not dojo-translate --d1-to-assembly --split-input-file %s 2>&1 | FileCheck %s

func.func @r() attributes {d1.routine} {
  // CHECK: conv1: 'd1.li' uses a register without a number; run --d1-allocate-registers first
  %x = d1.li 1 : () -> !d1.x loc("conv1")
  return
}

// -----

func.func @r() attributes {d1.routine} {
  // CHECK: 'd1.li' li: operand imm must be from -262144 to 262143, found 1000000
  %x = d1.li 1000000 : () -> !d1.x<2>
  return
}

// -----

func.func @r() attributes {d1.routine} {
  // CHECK: 'd1.mmul' updates one register and gives another
  %v = d1.viota : () -> !d1.v<0>
  %a = d1.mzero : () -> !d1.a<0>
  %b = d1.mmul %a, %v, %v : (!d1.a<0>, !d1.v<0>, !d1.v<0>) -> !d1.a<1>
  return
}

// -----

// CHECK: 'func.func' sets mark 1, which is already set
func.func @r() attributes {d1.routine} {
  d1.mark 1
  d1.mark 1
  return
}

// -----

func.func private @r() attributes {d1.routine}
func.func @step() attributes {d1.entry} {
  // CHECK: 'd1.call' calls 'r', which has no code
  d1.call @r() : () -> ()
  return
}
