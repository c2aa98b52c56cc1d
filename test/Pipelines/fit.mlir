// RUN: split-file %s %t
// RUN: dojo-opt %t/weight.mlir --dojo-select-mapping --dojo-fit | FileCheck %s --check-prefix=WEIGHT
// RUN: dojo-opt %t/result.mlir --dojo-select-mapping --dojo-fit | FileCheck %s --check-prefix=RESULT
// RUN: dojo-opt %t/small.mlir --dojo-select-mapping --dojo-fit | FileCheck %s --check-prefix=SMALL
// RUN: dojo-opt %t/repeated.mlir --dojo-select-mapping --dojo-fit | FileCheck %s --check-prefix=REPEATED
// RUN: dojo-opt %t/never.mlir --dojo-select-mapping --dojo-fit --verify-diagnostics

// A weight larger than all SRAM stays in DRAM and is used in steps; the small one of the other op
// stays in SRAM. So does what init makes of them.
// WEIGHT:      @large {{.*}} {dojo.storage = "dram"}
// WEIGHT:      @little : tensor<64x64xf32>{{$}}
// WEIGHT:      linalg.negf {dojo.mapping = #dojo.mapping<{{.*}}steps = [{{.*}}]{{.*}}>}
// WEIGHT:      linalg.matmul {dojo.mapping = #dojo.mapping<{{.*}}steps = [{{.*}}]{{.*}}>}
// WEIGHT-NOT:  steps =
//--- weight.mlir
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
ml_program.global private mutable @large : tensor<1600x6400xf32>
ml_program.global private mutable @little : tensor<64x64xf32>
func.func @init() {
  %w = arith.constant dense_resource<w> : tensor<1600x6400xf32>
  %v = arith.constant dense_resource<v> : tensor<64x64xf32>
  %e = tensor.empty() : tensor<1600x6400xf32>
  %x = linalg.negf ins(%w : tensor<1600x6400xf32>) outs(%e : tensor<1600x6400xf32>) -> tensor<1600x6400xf32>
  ml_program.global_store @large = %x : tensor<1600x6400xf32>
  ml_program.global_store @little = %v : tensor<64x64xf32>
  return
}
func.func @step(%a: tensor<16x1600xf32>, %b: tensor<16x64xf32>) -> (tensor<16x6400xf32>, tensor<16x64xf32>) {
  %z = arith.constant 0.0 : f32
  %w = ml_program.global_load @large : tensor<1600x6400xf32>
  %v = ml_program.global_load @little : tensor<64x64xf32>
  %e = tensor.empty() : tensor<16x6400xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<16x6400xf32>) -> tensor<16x6400xf32>
  %r = linalg.matmul ins(%a, %w : tensor<16x1600xf32>, tensor<1600x6400xf32>) outs(%f : tensor<16x6400xf32>) -> tensor<16x6400xf32>
  %g = tensor.empty() : tensor<16x64xf32>
  %h = linalg.fill ins(%z : f32) outs(%g : tensor<16x64xf32>) -> tensor<16x64xf32>
  %s = linalg.matmul ins(%b, %v : tensor<16x64xf32>, tensor<64x64xf32>) outs(%h : tensor<16x64xf32>) -> tensor<16x64xf32>
  return %r, %s : tensor<16x6400xf32>, tensor<16x64xf32>
}
}
{-# dialect_resources: { builtin: { w: "0x04000000", v: "0x04000000" } } #-}

// A result that only lies there while other ops need the room is stored.
// RESULT:      linalg.negf {dojo.mapping = {{.*}}, dojo.storage = "dram"} ins(%arg0
//--- result.mlir
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<2048x1024xf32>, %b: tensor<2048x1024xf32>) -> tensor<2048x1024xf32> {
  %e = tensor.empty() : tensor<2048x1024xf32>
  %x = linalg.negf ins(%a : tensor<2048x1024xf32>) outs(%e : tensor<2048x1024xf32>) -> tensor<2048x1024xf32>
  %y = linalg.negf ins(%b : tensor<2048x1024xf32>) outs(%e : tensor<2048x1024xf32>) -> tensor<2048x1024xf32>
  %z = linalg.abs ins(%y : tensor<2048x1024xf32>) outs(%e : tensor<2048x1024xf32>) -> tensor<2048x1024xf32>
  %r = linalg.add ins(%x, %z : tensor<2048x1024xf32>, tensor<2048x1024xf32>) outs(%e : tensor<2048x1024xf32>) -> tensor<2048x1024xf32>
  return %r : tensor<2048x1024xf32>
}
}

// What fits is left alone.
// SMALL-NOT: steps
// SMALL-NOT: dojo.storage
//--- small.mlir
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %e = tensor.empty() : tensor<64x64xf32>
  %x = linalg.negf ins(%a : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %x : tensor<64x64xf32>
}
}

// A constant of one value lies nowhere; steps alone make the op fit.
// REPEATED-NOT: dojo.storage
// REPEATED:     linalg.matmul {dojo.mapping = #dojo.mapping<{{.*}}steps = [{{.*}}]{{.*}}>}
//--- repeated.mlir
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step(%a: tensor<16x1600xf32>) -> tensor<16x6400xf32> {
  %z = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<1600x6400xf32>
  %e = tensor.empty() : tensor<16x6400xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<16x6400xf32>) -> tensor<16x6400xf32>
  %r = linalg.matmul ins(%a, %w : tensor<16x1600xf32>, tensor<1600x6400xf32>) outs(%f : tensor<16x6400xf32>) -> tensor<16x6400xf32>
  return %r : tensor<16x6400xf32>
}
}

// The position of every iterator is read, so that nothing can be cut.
//--- never.mlir
#map = affine_map<(d0) -> (d0)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
func.func @step() -> tensor<1000000xi32> {
  %e = tensor.empty() : tensor<1000000xi32>
  // expected-error @+1 {{no room in SRAM: buffer 'buffer' of 4000000 bytes finds no room}}
  %r = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]} outs(%e : tensor<1000000xi32>) {
  ^bb0(%o: i32):
    %i = linalg.index 0 : index
    %c = arith.index_cast %i : index to i32
    linalg.yield %c : i32
  } -> tensor<1000000xi32>
  return %r : tensor<1000000xi32>
}
}
