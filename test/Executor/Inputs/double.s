# y = x + x for 16 lanes, from DRAM to DRAM; `init` counts up the lanes there
# first, so that the output "lanes" is the int32 0 to 15.
#! machine d1-node
#! input x:0 f32 2,8 0x1000
#! output y/0 f32 2,8 0x2000
#! output y_0 bf16 32 0x2000
#! output lanes i32 16 0x3000
#! image 0x1000 01020304
#! buffer descriptor 0x4000 64 0x0 - init
#! buffer lane 0x4040 64 0x0 - init
#! line 0x44 0x60 add_node
init:
  li x1, 0x4000
  li x2, 64
  stw x2, x1, 0
  stw x0, x1, 4
  std x0, x1, 8
  li x3, 2
  shli x3, x3, 62
  li x4, 0x3000
  or x4, x4, x3
  viota v1
  vst v1, x1, 64
  addi x5, x1, 64
  push x1, x5, x4
  drain
  halt
step:
  li x1, 0x4000
  addi x5, x1, 64
  li x3, 2
  shli x3, x3, 62
  li x6, 0x1000
  or x6, x6, x3
  pull x1, x5, x6
  drain
  vld v1, x5, 0
  vadd v1, v1, v1
  vst v1, x5, 0
  li x7, 0x2000
  or x7, x7, x3
  push x1, x5, x7
  drain
  halt
