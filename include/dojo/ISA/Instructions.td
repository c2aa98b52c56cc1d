//===- Instructions.td - the one description of the D1 instruction set ----===//
//
// D1's own encodings are not public; these are ours (docs/ISA.md says what is
// fact and what is choice). One record is one instruction. scripts/isa-gen.py
// derives from `llvm-tblgen --dump-json` of this file: the ODS operations of
// the d1 dialect, the encoder and decoder tables, the assembler's syntax, the
// executor's dispatch and docs/ISA.md. Nothing else names an opcode.
//
// A word has 32 bits. Fields, by their lowest bit:
//     [7:0] opcode   [12:8] d   [17:13] a   [22:18] b   [27:23] c
//     u4 = [31:28]   u2 = [29:28]   u1 = [28]
//     i14 = [31:18], signed         i19 = [31:13], signed
// Bits of no operand are zero; the decoder refuses a word where they are not.
//
//===----------------------------------------------------------------------===//

// Kinds: x 64-bit scalar register (x0 reads as zero), v 64-byte vector register,
// a 8x8 FP32 accumulator, imm a number, label a distance in words from this
// instruction. Roles: def is written, use is read, update is both.
class Operand<string name, string kind, string role, int lo, int width> {
  string Name = name;
  string Kind = kind;
  string Role = role;
  int Lo = lo;
  int Width = width;
  bit Signed = 0;
}
def Xd : Operand<"d", "x", "def", 8, 5>;
def Xu : Operand<"d", "x", "update", 8, 5>;
def Xs : Operand<"s", "x", "use", 8, 5>;
def Xa : Operand<"a", "x", "use", 13, 5>;
def Xb : Operand<"b", "x", "use", 18, 5>;
def Xc : Operand<"c", "x", "use", 23, 5>;
def Vd : Operand<"d", "v", "def", 8, 5>;
def Vs : Operand<"s", "v", "use", 8, 5>;
def Va : Operand<"a", "v", "use", 13, 5>;
def Vb : Operand<"b", "v", "use", 18, 5>;
def Vc : Operand<"c", "v", "use", 23, 5>;
def Ad : Operand<"d", "a", "def", 8, 5>;
def Au : Operand<"d", "a", "update", 8, 5>;
def Aa : Operand<"a", "a", "use", 13, 5>;
def U1 : Operand<"n", "imm", "use", 28, 1>;
def U2 : Operand<"n", "imm", "use", 28, 2>;
def U4 : Operand<"n", "imm", "use", 28, 4>;
let Signed = 1 in {
  def I14 : Operand<"imm", "imm", "use", 18, 14>;
  def I19 : Operand<"imm", "imm", "use", 13, 19>;
  def L14 : Operand<"to", "label", "use", 18, 14>;
  def L19 : Operand<"to", "label", "use", 13, 19>;
}
def UI14 : Operand<"imm", "imm", "use", 18, 14>;

// Unit: the issue slot it takes (address, integer, simd, matrix, branch).
// Effect: none, read or write (of the node's own SRAM), node (anything else that
// must keep its place), control (leaves the straight line; not an operation of
// the d1 dialect, whose loops and calls are structured until they are emitted).
class Inst<int opcode, string mnemonic, list<Operand> operands, string unit,
           string effect, string semantics> {
  int Opcode = opcode;
  string Mnemonic = mnemonic;
  list<Operand> Operands = operands;
  string Unit = unit;
  string Effect = effect;
  string Semantics = semantics;
  string Group = ?;
  // What it reads or writes of the own SRAM: so many pieces of so many bytes.
  int Pieces = 0;
  int PieceBytes = 0;
}
class Accesses<int pieces, int bytes> {
  int Pieces = pieces;
  int PieceBytes = bytes;
}

//===-- Scalar integer ----------------------------------------------------===//
let Group = "Scalar integer" in {
class ScalarRR<int op, string m, string s> : Inst<op, m, [Xd, Xa, Xb], "integer", "none", s>;
class ScalarRI<int op, string m, string s> : Inst<op, m, [Xd, Xa, I14], "integer", "none", s>;

def ADD  : ScalarRR<0x01, "add", "d = a + b, modulo 2^64">;
def SUB  : ScalarRR<0x02, "sub", "d = a - b, modulo 2^64">;
def MUL  : ScalarRR<0x03, "mul", "d = a * b, modulo 2^64">;
def DIV  : ScalarRR<0x04, "div", "d = a / b signed, towards zero; -1 if b is 0; the least integer over -1 is itself">;
def REM  : ScalarRR<0x05, "rem", "d = a - b * (a / b) signed; a if b is 0; 0 for the least integer over -1">;
def AND  : ScalarRR<0x06, "and", "d = a & b">;
def OR   : ScalarRR<0x07, "or", "d = a | b">;
def XOR  : ScalarRR<0x08, "xor", "d = a ^ b">;
def SHL  : ScalarRR<0x09, "shl", "d = a << (b & 63)">;
def SHR  : ScalarRR<0x0a, "shr", "d = a >> (b & 63), zeros enter">;
def SAR  : ScalarRR<0x0b, "sar", "d = a >> (b & 63), the sign enters">;
def SLT  : ScalarRR<0x0c, "slt", "d = a < b signed ? 1 : 0">;
def SLTU : ScalarRR<0x0d, "sltu", "d = a < b unsigned ? 1 : 0">;
def MIN  : ScalarRR<0x0e, "min", "d = the smaller of a and b, signed">;
def MAX  : ScalarRR<0x0f, "max", "d = the larger of a and b, signed">;
def ADDI : ScalarRI<0x10, "addi", "d = a + imm, modulo 2^64">;
def MULI : ScalarRI<0x11, "muli", "d = a * imm, modulo 2^64">;
def ANDI : ScalarRI<0x12, "andi", "d = a & imm, imm sign-extended">;
def SLTI : ScalarRI<0x13, "slti", "d = a < imm signed ? 1 : 0">;
def SHLI : ScalarRI<0x14, "shli", "d = a << (imm & 63)">;
def SHRI : ScalarRI<0x15, "shri", "d = a >> (imm & 63), zeros enter">;
def SARI : ScalarRI<0x16, "sari", "d = a >> (imm & 63), the sign enters">;
def LI   : Inst<0x17, "li", [Xd, I19], "integer", "none", "d = imm">;
def LIS  : Inst<0x18, "lis", [Xd, Xa, UI14], "integer", "none", "d = (a << 14) | imm, imm unsigned: appends 14 bits to a constant">;
def COORD : Inst<0x19, "coord", [Xd, I14], "integer", "none", "d = the node's logical coordinate: imm 0 is dy, 1 dx, 2 y, 3 x; other numbers trap">;
} // Group

//===-- Scalar memory (own SRAM, little-endian) ---------------------------===//
let Group = "Scalar memory" in {
class ScalarLoad<int op, string m, int bytes, string s>
    : Inst<op, m, [Xd, Xa, I14], "address", "read", s>, Accesses<1, bytes>;
class ScalarStore<int op, string m, int bytes, string s>
    : Inst<op, m, [Xs, Xa, I14], "address", "write", s>, Accesses<1, bytes>;
def LDB : ScalarLoad<0x20, "ldb", 1, "d = the byte at a + imm, sign-extended">;
def LDH : ScalarLoad<0x21, "ldh", 2, "d = the 2 bytes at a + imm, sign-extended">;
def LDW : ScalarLoad<0x22, "ldw", 4, "d = the 4 bytes at a + imm, sign-extended">;
def LDD : ScalarLoad<0x23, "ldd", 8, "d = the 8 bytes at a + imm">;
def STB : ScalarStore<0x24, "stb", 1, "the byte at a + imm = s">;
def STH : ScalarStore<0x25, "sth", 2, "the 2 bytes at a + imm = s">;
def STW : ScalarStore<0x26, "stw", 4, "the 4 bytes at a + imm = s">;
def STD : ScalarStore<0x27, "std", 8, "the 8 bytes at a + imm = s">;
} // Group

//===-- Control -----------------------------------------------------------===//
let Group = "Control" in {
class Branch<int op, string m, string s> : Inst<op, m, [Xs, Xa, L14], "branch", "control", s>;
def BEQ  : Branch<0x30, "beq", "if s == a, go to this instruction + to words">;
def BNE  : Branch<0x31, "bne", "if s != a, go to this instruction + to words">;
def BLT  : Branch<0x32, "blt", "if s < a signed, go to this instruction + to words">;
def BGE  : Branch<0x33, "bge", "if s >= a signed, go to this instruction + to words">;
def BDNZ : Inst<0x34, "bdnz", [Xu, L19], "branch", "control", "d = d - 1; if d != 0, go to this instruction + to words">;
def JAL  : Inst<0x35, "jal", [Xd, L19], "branch", "control", "d = the address of the next instruction; go to this instruction + to words">;
def JALR : Inst<0x36, "jalr", [Xd, Xa, I14], "branch", "control", "d = the address of the next instruction; go to byte address a + imm">;
def HALT : Inst<0x37, "halt", [], "branch", "control", "the node has finished the entry">;
def TRAP : Inst<0x38, "trap", [I19], "branch", "control", "stop the run with an error that names the node, this address and imm">;
} // Group

//===-- Vector memory -----------------------------------------------------===//
let Group = "Vector memory" in {
class VectorLoad<int op, string m, int bytes, string s>
    : Inst<op, m, [Vd, Xa, I14], "address", "read", s>, Accesses<1, bytes>;
class VectorStore<int op, string m, int bytes, string s>
    : Inst<op, m, [Vs, Xa, I14], "address", "write", s>, Accesses<1, bytes>;
class Gather<int op, string m, int pieces, int bytes, string s>
    : Inst<op, m, [Vd, Xa, Xb, Xc, U2], "address", "read", s>, Accesses<pieces, bytes>;
class Scatter<int op, string m, int pieces, int bytes, string s>
    : Inst<op, m, [Vs, Xa, Xb, Xc, U2], "address", "write", s>, Accesses<pieces, bytes>;
def VLD   : VectorLoad<0x40, "vld", 64, "d = the 64 bytes at a + imm">;
def VLDH  : VectorLoad<0x41, "vldh", 32, "16 BF16 at a + imm (32 bytes), widened to FP32">;
def VLDB  : VectorLoad<0x42, "vldb", 16, "16 bytes at a + imm, zero-extended to 32-bit lanes">;
def VLDS  : VectorLoad<0x46, "vlds", 32, "16 times 2 bytes at a + imm, zero-extended to 32-bit lanes">;
def VLDRS : VectorLoad<0x47, "vldrs", 2, "the 2 bytes at a + imm, zero-extended, repeated in every lane">;
def VLDR  : VectorLoad<0x43, "vldr", 4, "the 4 bytes at a + imm, repeated in every lane">;
def VLDRH : VectorLoad<0x44, "vldrh", 2, "the BF16 at a + imm, widened to FP32, repeated in every lane">;
def VLDRB : VectorLoad<0x45, "vldrb", 1, "the byte at a + imm, zero-extended, repeated in every lane">;
def VST   : VectorStore<0x48, "vst", 64, "the 64 bytes at a + imm = s">;
def VSTH  : VectorStore<0x49, "vsth", 32, "16 FP32 lanes rounded to BF16 (nearest even), stored in 32 bytes at a + imm">;
def VSTB  : VectorStore<0x4a, "vstb", 16, "the low byte of each 32-bit lane, stored in 16 bytes at a + imm">;
def VSTS  : VectorStore<0x4e, "vsts", 32, "the low 2 bytes of each 32-bit lane, stored in 32 bytes at a + imm">;
def VST1S : VectorStore<0x4f, "vst1s", 2, "the low 2 bytes of lane 0, stored at a + imm">;
def VST1  : VectorStore<0x4b, "vst1", 4, "lane 0 (4 bytes), stored at a + imm">;
def VST1H : VectorStore<0x4c, "vst1h", 2, "lane 0 rounded to BF16 (nearest even), stored in 2 bytes at a + imm">;
def VST1B : VectorStore<0x4d, "vst1b", 1, "the low byte of lane 0, stored at a + imm">;
def VLDG8   : Gather<0x50, "vldg8", 8, 8, "8 pieces of 8 bytes: piece i from a + (i mod 2^n) * b + (i div 2^n) * c; n is 0 to 3">;
def VLDG16  : Gather<0x51, "vldg16", 4, 16, "4 pieces of 16 bytes: piece i from a + (i mod 2^n) * b + (i div 2^n) * c; n is 0 to 3">;
def VSTG8   : Scatter<0x52, "vstg8", 8, 8, "8 pieces of 8 bytes: piece i to a + (i mod 2^n) * b + (i div 2^n) * c, i ascending; n is 0 to 3">;
def VSTG16  : Scatter<0x53, "vstg16", 4, 16, "4 pieces of 16 bytes: piece i to a + (i mod 2^n) * b + (i div 2^n) * c, i ascending; n is 0 to 3">;
} // Group

//===-- Vector FP32, 16 lanes ---------------------------------------------===//
let Group = "Vector FP32, 16 lanes" in {
// IEEE 754 binary32, nearest even, denormals kept; a NaN result is 0x7fc00000.
class VectorRR<int op, string m, string s> : Inst<op, m, [Vd, Va, Vb], "simd", "none", s>;
class VectorRRR<int op, string m, string s> : Inst<op, m, [Vd, Va, Vb, Vc], "simd", "none", s>;
class VectorR<int op, string m, string s> : Inst<op, m, [Vd, Va], "simd", "none", s>;
class VectorRN<int op, string m, Operand n, string s> : Inst<op, m, [Vd, Va, n], "simd", "none", s>;
def VADD  : VectorRR<0x60, "vadd", "d = a + b">;
def VSUB  : VectorRR<0x61, "vsub", "d = a - b">;
def VMUL  : VectorRR<0x62, "vmul", "d = a * b">;
def VDIV  : VectorRR<0x63, "vdiv", "d = a / b, correctly rounded">;
def VMIN  : VectorRR<0x64, "vmin", "d = IEEE minimum: -0 < +0, a NaN operand gives NaN">;
def VMAX  : VectorRR<0x65, "vmax", "d = IEEE maximum: -0 < +0, a NaN operand gives NaN">;
def VFMA  : VectorRRR<0x66, "vfma", "d = a * b + c, rounded once">;
def VSQRT : VectorR<0x67, "vsqrt", "d = the square root of a, correctly rounded">;
def VRND  : VectorRN<0x68, "vrnd", U2, "d = a rounded to an integer: n 0 nearest even, 1 down, 2 up, 3 towards zero">;
def VCVTI : VectorR<0x69, "vcvti", "d = int32 of a, towards zero, saturating; NaN gives 0">;
def VCVTF : VectorR<0x6a, "vcvtf", "d = FP32 of the int32 a, nearest even">;
def VCEQ  : VectorRR<0x6b, "vceq", "d = a == b ? all ones : 0; false for NaN">;
def VCLT  : VectorRR<0x6c, "vclt", "d = a < b ? all ones : 0; false for NaN">;
def VCLE  : VectorRR<0x6d, "vcle", "d = a <= b ? all ones : 0; false for NaN">;
def VPACKH  : VectorRR<0x6e, "vpackh", "32 BF16: the lanes of a, then those of b, rounded to nearest even">;
def VUNPKH  : VectorRN<0x6f, "vunpkh", U1, "d = BF16 elements 16 * n to 16 * n + 15 of a, widened to FP32; n is 0 or 1">;
} // Group

//===-- Vector int32, 16 lanes, and lane movement -------------------------===//
let Group = "Vector int32, 16 lanes, and lane movement" in {
def VIADD : VectorRR<0x70, "viadd", "d = a + b, modulo 2^32">;
def VISUB : VectorRR<0x71, "visub", "d = a - b, modulo 2^32">;
def VIMUL : VectorRR<0x72, "vimul", "d = a * b, modulo 2^32">;
def VAND  : VectorRR<0x73, "vand", "d = a & b">;
def VOR   : VectorRR<0x74, "vor", "d = a | b">;
def VXOR  : VectorRR<0x75, "vxor", "d = a ^ b">;
def VISHL : VectorRR<0x76, "vishl", "d = a << (b & 31)">;
def VISHR : VectorRR<0x77, "vishr", "d = a >> (b & 31), zeros enter">;
def VISAR : VectorRR<0x78, "visar", "d = a >> (b & 31), the sign enters">;
def VIMIN : VectorRR<0x79, "vimin", "d = the smaller of a and b, signed">;
def VIMAX : VectorRR<0x7a, "vimax", "d = the larger of a and b, signed">;
def VICEQ : VectorRR<0x7b, "viceq", "d = a == b ? all ones : 0">;
def VICLT : VectorRR<0x7c, "viclt", "d = a < b signed ? all ones : 0">;
def VSEL  : VectorRRR<0x7d, "vsel", "d = (a & b) | (~a & c): b where the mask a is set, else c">;
def VMOV  : VectorR<0x7e, "vmov", "d = a">;
def VROT  : VectorRN<0x7f, "vrot", U4, "lane i of d = lane (i + n) mod 16 of a">;
def VSPLAT : Inst<0x80, "vsplat", [Vd, Xa], "simd", "none", "every lane of d = the low 32 bits of a">;
def VIOTA  : Inst<0x81, "viota", [Vd], "simd", "none", "lane i of d = the int32 i">;
def VLANE  : Inst<0x82, "vlane", [Xd, Va, U4], "simd", "none", "d = lane n of a, sign-extended">;
def VTRN   : VectorRN<0x83, "vtrn", U2, "d = a transposed, a being rows of elements: n 0 8x8 of 1 byte, 1 8x4 of 2 bytes, 2 4x4 of 4 bytes, 3 4x2 of 8 bytes">;
} // Group

//===-- Matrix unit -------------------------------------------------------===//
let Group = "Matrix unit" in {
// One bank of accumulators is moved in the SIMD slot while the other multiplies.
def MZERO : Inst<0x90, "mzero", [Ad], "matrix", "none", "d = 0">;
def MMUL  : Inst<0x91, "mmul", [Au, Va, Vb], "matrix", "none", "d[i][j] += sum over k ascending of a[i][k] * b[k][j], BF16 8x4 by 4x8, both row-major; each step is one FP32 fused multiply-add">;
def MREAD : Inst<0x92, "mread", [Vd, Aa, U2], "simd", "none", "d = rows 2n and 2n + 1 of a; n is 0 to 3">;
def MWRITE : Inst<0x93, "mwrite", [Au, Va, U2], "simd", "none", "rows 2n and 2n + 1 of d = a; n is 0 to 3">;
} // Group

//===-- Network and synchronisation ---------------------------------------===//
let Group = "Network and synchronisation" in {
// A global address: bits 63:62 space (0 SRAM, 1 semaphore, 2 DRAM). SRAM and
// semaphore: 61:56 dy, 55:48 dx, 47:40 y, 39:32 x, 31:0 byte offset or number.
// DRAM: 47:40 the DIP, 39:0 the byte.
// A block descriptor is 64 bytes of own SRAM, 64-byte aligned, of 32-bit words:
//     0 run length in bytes   1 levels in use (0 to 4)   2,3 zero
//     4-7 counts   8-11 source strides   12-15 destination strides (signed bytes), level 0 innermost
// A transfer copies run bytes for every index of the levels, level 0 fastest.
def PUSH   : Inst<0xa0, "push", [Xa, Xb, Xc], "address", "node", "copy by the descriptor at a from own SRAM at b to the global address c (SRAM or DRAM), asynchronously">;
def PULL   : Inst<0xa1, "pull", [Xa, Xb, Xc], "address", "node", "copy by the descriptor at a from the global address c (DRAM) to own SRAM at b, asynchronously">;
def SIGNAL : Inst<0xa2, "signal", [Xa], "address", "node", "add 1 to the semaphore at the global address a, after every earlier push of this node to that node has arrived">;
def WAIT   : Inst<0xa3, "wait", [Xa, Xb], "address", "node", "wait until own semaphore number a is at least b, then subtract b">;
def DRAIN  : Inst<0xa4, "drain", [], "address", "node", "wait until own pushes have left, those to DRAM have arrived, and own pulls have arrived">;
def BARRIER : Inst<0xa5, "barrier", [], "address", "node", "wait until every node has executed as many barriers; no transfer waits for it">;
} // Group
