// RUN: dojo-opt %s --d1-allocate-registers --split-input-file --verify-diagnostics | FileCheck %s

// An accumulator and all that updates it share one register; so do loop values.
// CHECK-LABEL: func @product
// CHECK-SAME: %[[A:.*]]: !d1.x<10>, %[[B:.*]]: !d1.x<11>
func.func @product(%a: !d1.x, %b: !d1.x) attributes {d1.routine} {
  // CHECK: d1.mzero : () -> !d1.a<0>
  // CHECK: d1.mzero : () -> !d1.a<1>
  %z = d1.mzero : () -> !d1.a
  %n = d1.li 8 : () -> !d1.x
  // CHECK: d1.repeat {{.*}} : (!d1.x<[[N:.*]]>, !d1.x<[[P:.*]]>, !d1.a<[[F:.*]]>, !d1.a<[[S:.*]]>) -> (!d1.x<[[P]]>, !d1.a<[[F]]>, !d1.a<[[S]]>)
  %r:3 = d1.repeat %n, %a, %z, %z : (!d1.x, !d1.x, !d1.a, !d1.a) -> (!d1.x, !d1.a, !d1.a) {
  ^bb0(%left: !d1.x, %p: !d1.x, %f: !d1.a, %s: !d1.a):
    %v = d1.vld %p, 0 : (!d1.x) -> !d1.v
    // CHECK: d1.mmul {{.*}} : (!d1.a<[[F]]>, !d1.v<0>, !d1.v<0>) -> !d1.a<[[F]]>
    %f1 = d1.mmul %f, %v, %v : (!d1.a, !d1.v, !d1.v) -> !d1.a
    // CHECK: d1.mmul {{.*}} : (!d1.a<[[S]]>, !d1.v<0>, !d1.v<0>) -> !d1.a<[[S]]>
    %s1 = d1.mmul %s, %v, %v : (!d1.a, !d1.v, !d1.v) -> !d1.a
    // CHECK: d1.addi {{.*}}, 64 : (!d1.x<[[P]]>) -> !d1.x<[[P]]>
    %next = d1.addi %p, 64 : (!d1.x) -> !d1.x
    // CHECK-NEXT: d1.yield
    d1.yield %next, %f1, %s1 : !d1.x, !d1.a, !d1.a
  }
  %v = d1.mread %r#1, 0 : (!d1.a) -> !d1.v
  %w = d1.mread %r#2, 0 : (!d1.a) -> !d1.v
  d1.vst %v, %b, 0 : (!d1.v, !d1.x) -> ()
  d1.vst %w, %b, 64 : (!d1.v, !d1.x) -> ()
  return
}

// Values that swap places take three copies.
// CHECK-LABEL: func @swap
func.func @swap(%a: !d1.x, %b: !d1.x, %n: !d1.x) attributes {d1.routine} {
  // CHECK: d1.repeat
  // CHECK-COUNT-3: d1.addi %{{.*}}, 0
  // CHECK-NOT: d1.addi
  // CHECK: d1.std
  %r:2 = d1.repeat %n, %a, %b : (!d1.x, !d1.x, !d1.x) -> (!d1.x, !d1.x) {
  ^bb0(%left: !d1.x, %p: !d1.x, %q: !d1.x):
    d1.yield %q, %p : !d1.x, !d1.x
  }
  d1.std %r#0, %r#1, 0 : (!d1.x, !d1.x) -> ()
  return
}

// -----

// What outlives a call stands in x26 to x31, arguments in x10 and up.
// CHECK-LABEL: func @step
func.func @step() attributes {d1.entry} {
  // CHECK: d1.li 5 : () -> !d1.x<26>
  %n = d1.li 5 : () -> !d1.x
  d1.repeat %n : (!d1.x) -> () {
  ^bb0(%left: !d1.x):
    // CHECK: d1.addi %{{.*}}, 0 : (!d1.x<26>) -> !d1.x<11>
    // CHECK: d1.li 64 : () -> !d1.x<10>
    %p = d1.li 64 : () -> !d1.x
    d1.call @r(%p, %left) : (!d1.x, !d1.x) -> ()
    d1.yield
  }
  return
}
func.func private @r(!d1.x, !d1.x) attributes {d1.routine}

// -----

func.func @crowded(%a: !d1.x) attributes {d1.routine} {
  %v0 = d1.vld %a, 0 : (!d1.x) -> !d1.v
  %v1 = d1.vld %a, 64 : (!d1.x) -> !d1.v
  %v2 = d1.vld %a, 128 : (!d1.x) -> !d1.v
  %v3 = d1.vld %a, 192 : (!d1.x) -> !d1.v
  %v4 = d1.vld %a, 256 : (!d1.x) -> !d1.v
  %v5 = d1.vld %a, 320 : (!d1.x) -> !d1.v
  %v6 = d1.vld %a, 384 : (!d1.x) -> !d1.v
  %v7 = d1.vld %a, 448 : (!d1.x) -> !d1.v
  %v8 = d1.vld %a, 512 : (!d1.x) -> !d1.v
  %v9 = d1.vld %a, 576 : (!d1.x) -> !d1.v
  %v10 = d1.vld %a, 640 : (!d1.x) -> !d1.v
  %v11 = d1.vld %a, 704 : (!d1.x) -> !d1.v
  %v12 = d1.vld %a, 768 : (!d1.x) -> !d1.v
  %v13 = d1.vld %a, 832 : (!d1.x) -> !d1.v
  %v14 = d1.vld %a, 896 : (!d1.x) -> !d1.v
  %v15 = d1.vld %a, 960 : (!d1.x) -> !d1.v
  %v16 = d1.vld %a, 1024 : (!d1.x) -> !d1.v
  %v17 = d1.vld %a, 1088 : (!d1.x) -> !d1.v
  %v18 = d1.vld %a, 1152 : (!d1.x) -> !d1.v
  %v19 = d1.vld %a, 1216 : (!d1.x) -> !d1.v
  %v20 = d1.vld %a, 1280 : (!d1.x) -> !d1.v
  %v21 = d1.vld %a, 1344 : (!d1.x) -> !d1.v
  %v22 = d1.vld %a, 1408 : (!d1.x) -> !d1.v
  %v23 = d1.vld %a, 1472 : (!d1.x) -> !d1.v
  %v24 = d1.vld %a, 1536 : (!d1.x) -> !d1.v
  %v25 = d1.vld %a, 1600 : (!d1.x) -> !d1.v
  %v26 = d1.vld %a, 1664 : (!d1.x) -> !d1.v
  %v27 = d1.vld %a, 1728 : (!d1.x) -> !d1.v
  %v28 = d1.vld %a, 1792 : (!d1.x) -> !d1.v
  %v29 = d1.vld %a, 1856 : (!d1.x) -> !d1.v
  %v30 = d1.vld %a, 1920 : (!d1.x) -> !d1.v
  %v31 = d1.vld %a, 1984 : (!d1.x) -> !d1.v
  // expected-error@+1 {{'crowded' needs 33 vector registers here, 32 exist; carry fewer values, or cut the tile smaller}}
  %v32 = d1.vld %a, 2048 : (!d1.x) -> !d1.v
  d1.vst %v0, %a, 0 : (!d1.v, !d1.x) -> ()
  d1.vst %v1, %a, 64 : (!d1.v, !d1.x) -> ()
  d1.vst %v2, %a, 128 : (!d1.v, !d1.x) -> ()
  d1.vst %v3, %a, 192 : (!d1.v, !d1.x) -> ()
  d1.vst %v4, %a, 256 : (!d1.v, !d1.x) -> ()
  d1.vst %v5, %a, 320 : (!d1.v, !d1.x) -> ()
  d1.vst %v6, %a, 384 : (!d1.v, !d1.x) -> ()
  d1.vst %v7, %a, 448 : (!d1.v, !d1.x) -> ()
  d1.vst %v8, %a, 512 : (!d1.v, !d1.x) -> ()
  d1.vst %v9, %a, 576 : (!d1.v, !d1.x) -> ()
  d1.vst %v10, %a, 640 : (!d1.v, !d1.x) -> ()
  d1.vst %v11, %a, 704 : (!d1.v, !d1.x) -> ()
  d1.vst %v12, %a, 768 : (!d1.v, !d1.x) -> ()
  d1.vst %v13, %a, 832 : (!d1.v, !d1.x) -> ()
  d1.vst %v14, %a, 896 : (!d1.v, !d1.x) -> ()
  d1.vst %v15, %a, 960 : (!d1.v, !d1.x) -> ()
  d1.vst %v16, %a, 1024 : (!d1.v, !d1.x) -> ()
  d1.vst %v17, %a, 1088 : (!d1.v, !d1.x) -> ()
  d1.vst %v18, %a, 1152 : (!d1.v, !d1.x) -> ()
  d1.vst %v19, %a, 1216 : (!d1.v, !d1.x) -> ()
  d1.vst %v20, %a, 1280 : (!d1.v, !d1.x) -> ()
  d1.vst %v21, %a, 1344 : (!d1.v, !d1.x) -> ()
  d1.vst %v22, %a, 1408 : (!d1.v, !d1.x) -> ()
  d1.vst %v23, %a, 1472 : (!d1.v, !d1.x) -> ()
  d1.vst %v24, %a, 1536 : (!d1.v, !d1.x) -> ()
  d1.vst %v25, %a, 1600 : (!d1.v, !d1.x) -> ()
  d1.vst %v26, %a, 1664 : (!d1.v, !d1.x) -> ()
  d1.vst %v27, %a, 1728 : (!d1.v, !d1.x) -> ()
  d1.vst %v28, %a, 1792 : (!d1.v, !d1.x) -> ()
  d1.vst %v29, %a, 1856 : (!d1.v, !d1.x) -> ()
  d1.vst %v30, %a, 1920 : (!d1.v, !d1.x) -> ()
  d1.vst %v31, %a, 1984 : (!d1.v, !d1.x) -> ()
  d1.vst %v32, %a, 2048 : (!d1.v, !d1.x) -> ()
  return
}

// -----

// Constants are made again where registers are short.
// CHECK-LABEL: func @recomputed
func.func @recomputed(%a: !d1.x) attributes {d1.routine} {
  %x0 = d1.li 100 : () -> !d1.x
  %x1 = d1.li 101 : () -> !d1.x
  %x2 = d1.li 102 : () -> !d1.x
  %x3 = d1.li 103 : () -> !d1.x
  %x4 = d1.li 104 : () -> !d1.x
  %x5 = d1.li 105 : () -> !d1.x
  %x6 = d1.li 106 : () -> !d1.x
  %x7 = d1.li 107 : () -> !d1.x
  %x8 = d1.li 108 : () -> !d1.x
  %x9 = d1.li 109 : () -> !d1.x
  %x10 = d1.li 110 : () -> !d1.x
  %x11 = d1.li 111 : () -> !d1.x
  %x12 = d1.li 112 : () -> !d1.x
  %x13 = d1.li 113 : () -> !d1.x
  %x14 = d1.li 114 : () -> !d1.x
  %x15 = d1.li 115 : () -> !d1.x
  %x16 = d1.li 116 : () -> !d1.x
  %x17 = d1.li 117 : () -> !d1.x
  %x18 = d1.li 118 : () -> !d1.x
  %x19 = d1.li 119 : () -> !d1.x
  %x20 = d1.li 120 : () -> !d1.x
  %x21 = d1.li 121 : () -> !d1.x
  %x22 = d1.li 122 : () -> !d1.x
  %x23 = d1.li 123 : () -> !d1.x
  %x24 = d1.li 124 : () -> !d1.x
  %x25 = d1.li 125 : () -> !d1.x
  %x26 = d1.li 126 : () -> !d1.x
  %x27 = d1.li 127 : () -> !d1.x
  %x28 = d1.li 128 : () -> !d1.x
  %x29 = d1.li 129 : () -> !d1.x
  %x30 = d1.li 130 : () -> !d1.x
  %x31 = d1.li 131 : () -> !d1.x
  %x32 = d1.li 132 : () -> !d1.x
  %x33 = d1.li 133 : () -> !d1.x
  %x34 = d1.li 134 : () -> !d1.x
  %x35 = d1.li 135 : () -> !d1.x
  %x36 = d1.li 136 : () -> !d1.x
  %x37 = d1.li 137 : () -> !d1.x
  %x38 = d1.li 138 : () -> !d1.x
  %x39 = d1.li 139 : () -> !d1.x
  // CHECK: d1.std
  // CHECK-NEXT: %[[C:.*]] = d1.li 101
  // CHECK-NEXT: d1.std %[[C]]
  d1.std %x0, %a, 0 : (!d1.x, !d1.x) -> ()
  d1.std %x1, %a, 8 : (!d1.x, !d1.x) -> ()
  d1.std %x2, %a, 16 : (!d1.x, !d1.x) -> ()
  d1.std %x3, %a, 24 : (!d1.x, !d1.x) -> ()
  d1.std %x4, %a, 32 : (!d1.x, !d1.x) -> ()
  d1.std %x5, %a, 40 : (!d1.x, !d1.x) -> ()
  d1.std %x6, %a, 48 : (!d1.x, !d1.x) -> ()
  d1.std %x7, %a, 56 : (!d1.x, !d1.x) -> ()
  d1.std %x8, %a, 64 : (!d1.x, !d1.x) -> ()
  d1.std %x9, %a, 72 : (!d1.x, !d1.x) -> ()
  d1.std %x10, %a, 80 : (!d1.x, !d1.x) -> ()
  d1.std %x11, %a, 88 : (!d1.x, !d1.x) -> ()
  d1.std %x12, %a, 96 : (!d1.x, !d1.x) -> ()
  d1.std %x13, %a, 104 : (!d1.x, !d1.x) -> ()
  d1.std %x14, %a, 112 : (!d1.x, !d1.x) -> ()
  d1.std %x15, %a, 120 : (!d1.x, !d1.x) -> ()
  d1.std %x16, %a, 128 : (!d1.x, !d1.x) -> ()
  d1.std %x17, %a, 136 : (!d1.x, !d1.x) -> ()
  d1.std %x18, %a, 144 : (!d1.x, !d1.x) -> ()
  d1.std %x19, %a, 152 : (!d1.x, !d1.x) -> ()
  d1.std %x20, %a, 160 : (!d1.x, !d1.x) -> ()
  d1.std %x21, %a, 168 : (!d1.x, !d1.x) -> ()
  d1.std %x22, %a, 176 : (!d1.x, !d1.x) -> ()
  d1.std %x23, %a, 184 : (!d1.x, !d1.x) -> ()
  d1.std %x24, %a, 192 : (!d1.x, !d1.x) -> ()
  d1.std %x25, %a, 200 : (!d1.x, !d1.x) -> ()
  d1.std %x26, %a, 208 : (!d1.x, !d1.x) -> ()
  d1.std %x27, %a, 216 : (!d1.x, !d1.x) -> ()
  d1.std %x28, %a, 224 : (!d1.x, !d1.x) -> ()
  d1.std %x29, %a, 232 : (!d1.x, !d1.x) -> ()
  d1.std %x30, %a, 240 : (!d1.x, !d1.x) -> ()
  d1.std %x31, %a, 248 : (!d1.x, !d1.x) -> ()
  d1.std %x32, %a, 256 : (!d1.x, !d1.x) -> ()
  d1.std %x33, %a, 264 : (!d1.x, !d1.x) -> ()
  d1.std %x34, %a, 272 : (!d1.x, !d1.x) -> ()
  d1.std %x35, %a, 280 : (!d1.x, !d1.x) -> ()
  d1.std %x36, %a, 288 : (!d1.x, !d1.x) -> ()
  d1.std %x37, %a, 296 : (!d1.x, !d1.x) -> ()
  d1.std %x38, %a, 304 : (!d1.x, !d1.x) -> ()
  d1.std %x39, %a, 312 : (!d1.x, !d1.x) -> ()
  return
}

// -----

func.func @twice(%p: !d1.x) attributes {d1.routine} {
  %v = d1.viota : () -> !d1.v
  %z = d1.mzero : () -> !d1.a
  // expected-note@+1 {{the accumulator}}
  %m = d1.mmul %z, %v, %v : (!d1.a, !d1.v, !d1.v) -> !d1.a
  // expected-error@+1 {{'twice' updates an accumulator here whose old contents are used again; accumulators cannot be copied, so start another with mzero}}
  %n = d1.mmul %m, %v, %v : (!d1.a, !d1.v, !d1.v) -> !d1.a
  %r = d1.mread %m, 0 : (!d1.a) -> !d1.v
  %s = d1.mread %n, 0 : (!d1.a) -> !d1.v
  d1.vst %r, %p, 0 : (!d1.v, !d1.x) -> ()
  d1.vst %s, %p, 0 : (!d1.v, !d1.x) -> ()
  return
}

// -----

func.func private @r() attributes {d1.routine}
func.func @step() attributes {d1.entry} {
  %p = d1.li 64 : () -> !d1.x
  %v = d1.vld %p, 0 : (!d1.x) -> !d1.v
  // expected-error@+1 {{'step' needs 1 vector registers that outlive the call of 'r', 0 exist; carry fewer values, or cut the tile smaller}}
  d1.call @r() : () -> ()
  d1.vst %v, %p, 0 : (!d1.v, !d1.x) -> ()
  return
}

// -----

func.func @early() attributes {d1.entry} {
  // expected-error@+1 {{'arith.constant' op is not d1 code on registers; run --convert-scf-arith-to-d1 first}}
  %c = arith.constant 1 : i64
  return
}

// -----

// Where registers are short, what was moved out of a loop goes back in.
// CHECK-LABEL: func @sunk
func.func @sunk(%a: !d1.x, %n: !d1.x) attributes {d1.routine} {
  %x0 = d1.muli %a, 3 : (!d1.x) -> !d1.x
  %x1 = d1.muli %a, 4 : (!d1.x) -> !d1.x
  %x2 = d1.muli %a, 5 : (!d1.x) -> !d1.x
  %x3 = d1.muli %a, 6 : (!d1.x) -> !d1.x
  %x4 = d1.muli %a, 7 : (!d1.x) -> !d1.x
  %x5 = d1.muli %a, 8 : (!d1.x) -> !d1.x
  %x6 = d1.muli %a, 9 : (!d1.x) -> !d1.x
  %x7 = d1.muli %a, 10 : (!d1.x) -> !d1.x
  %x8 = d1.muli %a, 11 : (!d1.x) -> !d1.x
  %x9 = d1.muli %a, 12 : (!d1.x) -> !d1.x
  %x10 = d1.muli %a, 13 : (!d1.x) -> !d1.x
  %x11 = d1.muli %a, 14 : (!d1.x) -> !d1.x
  %x12 = d1.muli %a, 15 : (!d1.x) -> !d1.x
  %x13 = d1.muli %a, 16 : (!d1.x) -> !d1.x
  %x14 = d1.muli %a, 17 : (!d1.x) -> !d1.x
  %x15 = d1.muli %a, 18 : (!d1.x) -> !d1.x
  %x16 = d1.muli %a, 19 : (!d1.x) -> !d1.x
  %x17 = d1.muli %a, 20 : (!d1.x) -> !d1.x
  %x18 = d1.muli %a, 21 : (!d1.x) -> !d1.x
  %x19 = d1.muli %a, 22 : (!d1.x) -> !d1.x
  %x20 = d1.muli %a, 23 : (!d1.x) -> !d1.x
  %x21 = d1.muli %a, 24 : (!d1.x) -> !d1.x
  %x22 = d1.muli %a, 25 : (!d1.x) -> !d1.x
  %x23 = d1.muli %a, 26 : (!d1.x) -> !d1.x
  %x24 = d1.muli %a, 27 : (!d1.x) -> !d1.x
  %x25 = d1.muli %a, 28 : (!d1.x) -> !d1.x
  %x26 = d1.muli %a, 29 : (!d1.x) -> !d1.x
  %x27 = d1.muli %a, 30 : (!d1.x) -> !d1.x
  %x28 = d1.muli %a, 31 : (!d1.x) -> !d1.x
  %x29 = d1.muli %a, 32 : (!d1.x) -> !d1.x
  // CHECK: d1.repeat
  // CHECK: d1.muli %{{.*}}, 3 :
  // CHECK-NEXT: d1.std
  d1.repeat %n : (!d1.x) -> () {
  ^bb0(%left: !d1.x):
    d1.std %x0, %a, 0 : (!d1.x, !d1.x) -> ()
    d1.std %x1, %a, 8 : (!d1.x, !d1.x) -> ()
    d1.std %x2, %a, 16 : (!d1.x, !d1.x) -> ()
    d1.std %x3, %a, 24 : (!d1.x, !d1.x) -> ()
    d1.std %x4, %a, 32 : (!d1.x, !d1.x) -> ()
    d1.std %x5, %a, 40 : (!d1.x, !d1.x) -> ()
    d1.std %x6, %a, 48 : (!d1.x, !d1.x) -> ()
    d1.std %x7, %a, 56 : (!d1.x, !d1.x) -> ()
    d1.std %x8, %a, 64 : (!d1.x, !d1.x) -> ()
    d1.std %x9, %a, 72 : (!d1.x, !d1.x) -> ()
    d1.std %x10, %a, 80 : (!d1.x, !d1.x) -> ()
    d1.std %x11, %a, 88 : (!d1.x, !d1.x) -> ()
    d1.std %x12, %a, 96 : (!d1.x, !d1.x) -> ()
    d1.std %x13, %a, 104 : (!d1.x, !d1.x) -> ()
    d1.std %x14, %a, 112 : (!d1.x, !d1.x) -> ()
    d1.std %x15, %a, 120 : (!d1.x, !d1.x) -> ()
    d1.std %x16, %a, 128 : (!d1.x, !d1.x) -> ()
    d1.std %x17, %a, 136 : (!d1.x, !d1.x) -> ()
    d1.std %x18, %a, 144 : (!d1.x, !d1.x) -> ()
    d1.std %x19, %a, 152 : (!d1.x, !d1.x) -> ()
    d1.std %x20, %a, 160 : (!d1.x, !d1.x) -> ()
    d1.std %x21, %a, 168 : (!d1.x, !d1.x) -> ()
    d1.std %x22, %a, 176 : (!d1.x, !d1.x) -> ()
    d1.std %x23, %a, 184 : (!d1.x, !d1.x) -> ()
    d1.std %x24, %a, 192 : (!d1.x, !d1.x) -> ()
    d1.std %x25, %a, 200 : (!d1.x, !d1.x) -> ()
    d1.std %x26, %a, 208 : (!d1.x, !d1.x) -> ()
    d1.std %x27, %a, 216 : (!d1.x, !d1.x) -> ()
    d1.std %x28, %a, 224 : (!d1.x, !d1.x) -> ()
    d1.std %x29, %a, 232 : (!d1.x, !d1.x) -> ()
    d1.yield
  }
  return
}
