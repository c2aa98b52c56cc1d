// RUN: dojo-opt %s | dojo-opt | FileCheck %s

// CHECK-LABEL: func @axpy
func.func @axpy(%a: i64, %b: i64) {
  // CHECK: d1.vld %{{.*}}, 0 : (i64) -> !d1.v
  %x = d1.vld %a, 0 : (i64) -> !d1.v
  %y = d1.vld %b, 64 : (i64) -> !d1.v
  // CHECK: d1.vfma
  %s = d1.vfma %x, %y, %y : (!d1.v, !d1.v, !d1.v) -> !d1.v
  %z = d1.mzero : () -> !d1.a
  // CHECK: d1.mmul {{.*}} : (!d1.a, !d1.v, !d1.v) -> !d1.a
  %m = d1.mmul %z, %x, %y : (!d1.a, !d1.v, !d1.v) -> !d1.a
  %r = d1.mread %m, 2 : (!d1.a) -> !d1.v
  d1.vst %r, %a, 0 : (!d1.v, i64) -> ()
  // CHECK: d1.vst %{{.*}} : (!d1.v<3>, i64) -> ()
  %v = d1.viota : () -> !d1.v<3>
  d1.vst %v, %a, 0 : (!d1.v<3>, i64) -> ()
  return
}
