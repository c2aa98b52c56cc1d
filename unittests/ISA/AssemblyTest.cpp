//===- AssemblyTest.cpp ---------------------------------------------------===//
#include "dojo/ISA/Assembly.h"
#include "RandomInstruction.h"
#include "llvm/Support/Regex.h"
#include "gtest/gtest.h"

using namespace dojo::isa;

namespace {

AssembledCode assembled(llvm::StringRef text, uint32_t base = 0) {
  llvm::Expected<AssembledCode> code = assemble(text, base);
  if (!code) {
    ADD_FAILURE() << llvm::toString(code.takeError()) << "\n" << text.str();
    return {};
  }
  return std::move(*code);
}

using Words = std::vector<uint32_t>;

TEST(Assembly, TextMadeByHandGivesWordsMadeByHand) {
  EXPECT_EQ(assembled("vfma v1, v2, v3, v4").words, Words{0x020c4166});
  EXPECT_EQ(assembled("  ldd x5, x6, 8  # eight").words, Words{0x0020c523});
  EXPECT_EQ(assembled("addi x5,x6,-1\nhalt").words, (Words{0xfffcc510, 0x37}));
  EXPECT_EQ(assembled("mread v2, a17, 3").words, Words{0x30022292});
  EXPECT_EQ(assembled("lis x2, x2, 0x3fff").words, Words{0xfffc4218});
  EXPECT_EQ(assembled(".word 0xdeadbeef").words, Words{0xdeadbeef});
  EXPECT_EQ(assembled("bdnz x9, -3\r\n").words, Words{0xffffa934});
}

TEST(Assembly, LabelsAreDistancesInWordsAndSymbolsAreAddresses) {
  AssembledCode code = assembled("start: one:\n"
                                 "  jal x0, end   # forward\n"
                                 "back: bdnz x1, back\n"
                                 "  beq x1, x2, start\n"
                                 "end:\n",
                                 0x100);
  // jal x0, 3: 3 << 13 = 6000; bdnz x1, 0: 1 << 8; beq: 3ffe << 18 | 2 << 13 | 1 << 8.
  EXPECT_EQ(code.words, (Words{0x00006035, 0x00000134, 0xfff84130}));
  std::map<std::string, uint32_t> symbols{
      {"start", 0x100}, {"one", 0x100}, {"back", 0x104}, {"end", 0x10c}};
  EXPECT_EQ(code.symbols, symbols);
}

TEST(Assembly, EmptyTextIsNoCode) {
  EXPECT_TRUE(assembled("").words.empty());
  EXPECT_TRUE(assembled("\n # nothing\n\n").words.empty());
  EXPECT_EQ(disassemble({}), "");
}

TEST(Assembly, BranchTargetsInsideTheCodeBecomeLabels) {
  Words words{0xffffa934, 0x00006035, 0x37, 0xffffe034, 0xdeadbeef};
  EXPECT_EQ(disassemble(words, 0x2c), "  bdnz x9, -3\n"
                                      "  jal x0, L3c\n"
                                      "L34:\n"
                                      "  halt\n"
                                      "  bdnz x0, L34\n"
                                      "L3c:\n"
                                      "  .word 0xdeadbeef\n");
}

TEST(Assembly, GivenNamesStandAtTheirAddresses) {
  Words words{0x37, 0xffffe034};
  EXPECT_EQ(disassemble(words, 0x10, {{0x10, "init"}, {0x14, "step"}, {0x18, "beyond"}}),
            "init:\n  halt\nstep:\n  bdnz x0, init\n");
}

TEST(Assembly, OneInstructionPrintsItsDistance) {
  llvm::Expected<Decoded> decoded = decode(0xfff84130);
  ASSERT_TRUE(bool(decoded)) << llvm::toString(decoded.takeError());
  EXPECT_EQ(toString(*decoded), "beq x1, x2, -2");
}

TEST(Assembly, RandomInstructionsSurviveDisassemblyAndAssembly) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    Words words;
    for (int i = 0; i < 300; ++i) {
      const Instruction &inst = instructions()[random() % instructions().size()];
      std::vector<int64_t> operands = randomOperands(inst, random);
      if (!operands.empty() && inst.operands.back().kind == Kind::label && random() % 2)
        operands.back() = int64_t(random() % 600) - 300;
      words.push_back(llvm::cantFail(encode(inst.opcode, operands)));
    }
    uint32_t base = random() & ~3u;
    EXPECT_EQ(assembled(disassemble(words, base), base).words, words);
    EXPECT_EQ(assembled(disassemble(words, base), 0).words, words);
  }
}

TEST(Assembly, RandomWordsSurviveDisassemblyAndAssembly) {
  std::mt19937 random(4);
  Words words(20000);
  for (uint32_t &word : words)
    word = random();
  EXPECT_EQ(assembled(disassemble(words)).words, words);
}

std::string errorOf(llvm::StringRef text) {
  llvm::Expected<AssembledCode> code = assemble(text);
  return code ? "success" : llvm::toString(code.takeError());
}

TEST(Assembly, ErrorsNameLineAndColumn) {
  EXPECT_EQ(errorOf("halt\n  nop"), "2:3: unknown instruction 'nop'");
  EXPECT_EQ(errorOf("add x1, x2"),
            "1:11: add: expected ',' and operand b, found the end of the line");
  EXPECT_EQ(errorOf("add x1 x2, x3"), "1:8: add: expected ',' and operand a, found 'x2'");
  EXPECT_EQ(errorOf("add x1, x2, x3, x4"), "1:15: add: expected the end of the line, found ','");
  EXPECT_EQ(errorOf("halt ?"), "1:6: halt: expected the end of the line, found '?'");
  EXPECT_EQ(errorOf("1: halt"), "1:1: '1' cannot be a label");
  EXPECT_EQ(errorOf("a:\nb: halt\n a:"), "3:2: label 'a' is already defined on line 1");
}

TEST(Assembly, ErrorsNameTheOperandAndWhatItTakes) {
  EXPECT_EQ(errorOf("add x1, v2, x3"),
            "1:9: operand a: expected a register from x0 to x31, found 'v2'");
  EXPECT_EQ(errorOf("vmov v32, v1"),
            "1:6: operand d: expected a register from v0 to v31, found 'v32'");
  EXPECT_EQ(errorOf("mzero a"), "1:7: operand d: expected a register from a0 to a31, found 'a'");
  EXPECT_EQ(errorOf("mzero a-1"),
            "1:7: operand d: expected a register from a0 to a31, found 'a-1'");
  EXPECT_EQ(errorOf("addi x1, x2, x3"), "1:14: operand imm: expected a number, found 'x3'");
  EXPECT_EQ(errorOf("addi x1, x2, 8192"),
            "1:14: operand imm: expected a number from -8192 to 8191, found 8192");
  EXPECT_EQ(errorOf("li x1, 99999999999999999999"),
            "1:8: operand imm: expected a number, found '99999999999999999999'");
  EXPECT_EQ(errorOf("jal x1, +"),
            "1:9: operand to: expected a label or a distance in words, found '+'");
  EXPECT_EQ(errorOf(".word 0x100000000"),
            "1:7: .word: expected a number of 32 bits, found '0x100000000'");
  EXPECT_EQ(errorOf(".word"),
            "1:6: .word: expected a number of 32 bits, found the end of the line");
}

TEST(Assembly, AnyTextIsCodeOrAnErrorWithItsPlace) {
  const llvm::StringRef pieces[] = {"add", "vfma", "jal",  ".word", "x1", "v2", "a3",
                                    "-",   "0x",   "7",    "-8192", ",",  ":",  "loop",
                                    "#",   "\n",   "\xff", " ",     "\t", "?"};
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (int i = random() % 12; i > 0; --i)
      text += (pieces[random() % std::size(pieces)] + (random() % 4 ? " " : "")).str();
    std::string error = errorOf(text);
    if (error != "success")
      EXPECT_TRUE(llvm::Regex("^[0-9]+:[0-9]+: ").match(error)) << text << "\n" << error;
  }
}

TEST(Assembly, ErrorsNameLabelsOutOfReach) {
  EXPECT_EQ(errorOf("jal x1, nowhere"), "1:9: label 'nowhere' is not defined");
  std::string text = "beq x1, x2, far\n";
  for (int i = 0; i < 8191; ++i)
    text += "halt\n";
  EXPECT_EQ(errorOf(text + "far:"),
            "1:13: label 'far' is 8192 words away, beq reaches from -8192 to 8191");
}

} // namespace
