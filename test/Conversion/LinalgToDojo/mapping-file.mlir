// Mappings leave as text, come back as text, and what is wrong in it has a line.
// RUN: split-file %s %t
// RUN: dojo-opt %t/model.mlir --dojo-select-mapping --dojo-export-mapping=file=%t/all.txt -o /dev/null
// RUN: FileCheck %s --check-prefix=FILE --input-file=%t/all.txt
// RUN: dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/all.txt --dojo-export-mapping=file=%t/again.txt -o /dev/null
// RUN: cmp %t/all.txt %t/again.txt
// RUN: dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/edited.txt | FileCheck %s --check-prefix=EDITED
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/absent.txt 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/wrong.txt 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/loose.txt 2>&1 | FileCheck %s --check-prefix=LOOSE
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/illegal.txt 2>&1 | FileCheck %s --check-prefix=ILLEGAL
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/second.txt 2>&1 | FileCheck %s --check-prefix=SECOND
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/twice.txt 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not dojo-opt %t/model.mlir --dojo-select-mapping=mapping=%t/none.txt 2>&1 | FileCheck %s --check-prefix=NONE

// FILE: step "dense = 1" = #dojo.mapping<{{.*}}inner = d1
// FILE: step "dense = 1"#1 = #dojo.mapping<
// EDITED: linalg.matmul {dojo.mapping = #dojo.mapping<y = [d0 : 3], inner = d1, tile = [d1 : 16]>}
// ABSENT: absent.txt:2: the model has no op step "dense"; near it: 'step "dense = 1"', 'step "dense = 1"#1'
// WRONG: wrong.txt:1: expected an axis (dy, dx, y, x), steps, inner or tile, found 'z'
// WRONG-NOT: error:
// LOOSE: loose.txt:1: expected FUNCTION "NODE" = #dojo.mapping<...>
// ILLEGAL: illegal.txt:1: {{.*}}mapping cuts axis y into 5, the grid has 4
// ILLEGAL-NOT: error:
// SECOND: second.txt:2: {{.*}}mapping names iterator d7, the op has 2
// TWICE: twice.txt:3: step "dense = 1" has a mapping already, in line 1
// NONE: none.txt

//--- edited.txt
// a comment, then an edited line
step "dense = 1" = #dojo.mapping<y = [d0 : 3], inner = d1, tile = [d1 : 16]>
//--- absent.txt

step "dense" = #dojo.mapping<y = [d0 : 3]>
//--- wrong.txt
step "dense = 1" = #dojo.mapping<z = [d0 : 3]>
//--- loose.txt
step "dense = 1" y = 3
//--- illegal.txt
step "dense = 1" = #dojo.mapping<y = [d0 : 5]>
//--- second.txt
step "dense = 1" = #dojo.mapping<y = [d2 : 2]>
step "dense = 1"#1 = #dojo.mapping<steps = [d7 : 2]>
//--- twice.txt
step "dense = 1" = #dojo.mapping<y = [d0 : 2]>
step "dense = 1"#1 = #dojo.mapping<y = [d0 : 2]>
step "dense = 1" = #dojo.mapping<y = [d0 : 3]>
//--- model.mlir
#id = affine_map<(d0, d1) -> (d0, d1)>
module attributes {dojo.machine = #dojo.machine<"d1-mini">} {
  func.func @step(%a: tensor<30x64xf32>, %b: tensor<64x48xf32>) -> tensor<30x48xf32> {
    %z = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<30x48xf32>
    %f = linalg.fill ins(%z : f32) outs(%e : tensor<30x48xf32>) -> tensor<30x48xf32>
    %c = linalg.matmul ins(%a, %b : tensor<30x64xf32>, tensor<64x48xf32>)
                       outs(%f : tensor<30x48xf32>) -> tensor<30x48xf32> loc("dense = 1")
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%c : tensor<30x48xf32>) outs(%e : tensor<30x48xf32>) {
    ^bb0(%x: f32, %o: f32):
      %m = arith.maximumf %x, %z : f32
      linalg.yield %m : f32
    } -> tensor<30x48xf32> loc("dense = 1")
    return %r : tensor<30x48xf32>
  }
}
