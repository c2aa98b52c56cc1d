//===- CodecTest.cpp ------------------------------------------------------===//
#include "dojo/ISA/Codec.h"
#include "RandomInstruction.h"
#include "gtest/gtest.h"
#include <set>

using namespace dojo::isa;

namespace {

TEST(Codec, OpcodesAreUnique) {
  std::set<Opcode> opcodes;
  for (const Instruction &inst : instructions())
    EXPECT_TRUE(opcodes.insert(inst.opcode).second) << inst.mnemonic.str();
}

TEST(Codec, MnemonicsAreUnique) {
  std::set<llvm::StringRef> mnemonics;
  for (const Instruction &inst : instructions())
    EXPECT_TRUE(mnemonics.insert(inst.mnemonic).second) << inst.mnemonic.str();
}

TEST(Codec, FieldsOverlapNeitherEachOtherNorTheOpcode) {
  for (const Instruction &inst : instructions()) {
    uint64_t taken = 0xff;
    ASSERT_LE(inst.operands.size(), maxOperands) << inst.mnemonic.str();
    for (const Operand &operand : inst.operands) {
      uint64_t field = ((uint64_t(1) << operand.width) - 1) << operand.lo;
      EXPECT_EQ(field & taken, 0u) << inst.mnemonic.str() << " " << operand.name.str();
      EXPECT_EQ(field >> 32, 0u) << inst.mnemonic.str() << " " << operand.name.str();
      taken |= field;
    }
  }
}

TEST(Codec, RegisterFieldsNameEveryRegister) {
  for (const Instruction &inst : instructions())
    for (const Operand &operand : inst.operands)
      if (operand.kind == Kind::x || operand.kind == Kind::v || operand.kind == Kind::a)
        EXPECT_EQ(operand.width, 5) << inst.mnemonic.str() << " " << operand.name.str();
}

TEST(Codec, LabelsAreLastOperandsAndSigned) {
  for (const Instruction &inst : instructions())
    for (const Operand &operand : inst.operands)
      if (operand.kind == Kind::label) {
        EXPECT_EQ(&operand, &inst.operands.back()) << inst.mnemonic.str();
        EXPECT_TRUE(operand.isSigned) << inst.mnemonic.str();
      }
}

struct Golden {
  Opcode opcode;
  std::vector<int64_t> operands;
  uint32_t word;
};

// Each word was put together by hand from the field positions at the top of
// Instructions.td: opcode + (d << 8) + (a << 13) + (b << 18) + (c << 23) + (u4 << 28),
// i14 << 18, i19 << 13.
const Golden golden[] = {
    {Opcode::ADD, {5, 6, 7}, 0x001cc501},      // 01 + 5<<8 + 6<<13 + 7<<18
    {Opcode::ADDI, {5, 6, -1}, 0xfffcc510},    // 3fff<<18 = fffc0000
    {Opcode::LI, {31, -262144}, 0x80001f17},   // 40000<<13 = 80000000
    {Opcode::LI, {1, 262143}, 0x7fffe117},     // 3ffff<<13 = 7fffe000
    {Opcode::LIS, {2, 2, 0x3fff}, 0xfffc4218}, // 18 + 2<<8 + 2<<13 + fffc0000
    {Opcode::COORD, {10, 3}, 0x000c0a19},      // 19 + a<<8 + 3<<18
    {Opcode::LDD, {5, 6, 8}, 0x0020c523},      // 8<<18 = 200000
    {Opcode::STW, {31, 1, -8192}, 0x80003f26}, // 2000<<18 = 80000000
    {Opcode::BEQ, {1, 2, -2}, 0xfff84130},     // 3ffe<<18 = fff80000
    {Opcode::BDNZ, {9, -3}, 0xffffa934},       // 7fffd<<13 = ffffa000
    {Opcode::JAL, {1, 256}, 0x00200135},       // 100<<13 = 200000
    {Opcode::JALR, {0, 1, 0}, 0x00002036},     // 1<<13 = 2000
    {Opcode::HALT, {}, 0x00000037},
    {Opcode::TRAP, {7}, 0x0000e038},                 // 7<<13 = e000
    {Opcode::VLD, {31, 31, 64}, 0x0103ff40},         // 1f00 + 3e000 + 40<<18
    {Opcode::VST, {3, 10, -64}, 0xff014348},         // 3fc0<<18 = ff000000
    {Opcode::VLDG8, {1, 2, 3, 4, 3}, 0x320c4150},    // c0000 + 4<<23 + 3<<28
    {Opcode::VSTG16, {8, 9, 10, 11, 2}, 0x25a92853}, // 280000 + b<<23 + 2<<28
    {Opcode::VADD, {1, 2, 3}, 0x000c4160},
    {Opcode::VFMA, {1, 2, 3, 4}, 0x020c4166}, // c0000 + 4<<23
    {Opcode::VSQRT, {16, 17}, 0x00023067},    // 1000 + 11<<13
    {Opcode::VRND, {4, 5, 3}, 0x3000a468},
    {Opcode::VUNPKH, {4, 5, 1}, 0x1000a46f},
    {Opcode::VROT, {4, 5, 15}, 0xf000a47f},
    {Opcode::VSEL, {31, 30, 29, 28}, 0x0e77df7d}, // 1f00 + 3c000 + 740000 + e000000
    {Opcode::VSPLAT, {7, 12}, 0x00018780},
    {Opcode::VIOTA, {20}, 0x00001481},
    {Opcode::VLANE, {6, 9, 10}, 0xa0012682},
    {Opcode::VTRN, {4, 5, 2}, 0x2000a483},
    {Opcode::MZERO, {31}, 0x00001f90},
    {Opcode::MMUL, {16, 2, 3}, 0x000c5091},
    {Opcode::MREAD, {2, 17, 3}, 0x30022292},
    {Opcode::MWRITE, {17, 2, 1}, 0x10005193},
    {Opcode::PUSH, {10, 11, 12}, 0x062d40a0}, // a<<13 + b<<18 + c<<23
    {Opcode::SIGNAL, {13}, 0x0001a0a2},
    {Opcode::WAIT, {14, 15}, 0x003dc0a3},
    {Opcode::DRAIN, {}, 0x000000a4},
    {Opcode::BARRIER, {}, 0x000000a5},
};

TEST(Codec, WordsMadeByHandAreEncodedSo) {
  for (const Golden &g : golden) {
    llvm::Expected<uint32_t> word = encode(g.opcode, g.operands);
    ASSERT_TRUE(bool(word)) << llvm::toString(word.takeError());
    EXPECT_EQ(*word, g.word) << get(g.opcode).mnemonic.str() << std::hex << " " << *word;
  }
}

TEST(Codec, WordsMadeByHandAreDecodedSo) {
  for (const Golden &g : golden) {
    llvm::Expected<Decoded> decoded = decode(g.word);
    ASSERT_TRUE(bool(decoded)) << llvm::toString(decoded.takeError());
    EXPECT_EQ(decoded->inst->opcode, g.opcode);
    for (size_t i = 0; i < maxOperands; ++i)
      EXPECT_EQ(decoded->operands[i], i < g.operands.size() ? g.operands[i] : 0)
          << decoded->inst->mnemonic.str() << " operand " << i;
  }
}

std::vector<std::string> formatOf(const Instruction &inst) {
  std::vector<std::string> format;
  for (const Operand &o : inst.operands)
    format.push_back(std::to_string(o.lo) + ":" + std::to_string(o.width) +
                     (o.isSigned ? "s" : "u") + std::to_string(unsigned(o.kind)));
  return format;
}

TEST(Codec, EveryFormatHasAWordMadeByHand) {
  std::set<std::vector<std::string>> covered;
  for (const Golden &g : golden)
    covered.insert(formatOf(get(g.opcode)));
  for (const Instruction &inst : instructions())
    EXPECT_TRUE(covered.count(formatOf(inst))) << inst.mnemonic.str();
}

TEST(Codec, RandomOperandsSurviveEncodingAndDecoding) {
  std::mt19937 random(1);
  for (const Instruction &inst : instructions())
    for (int i = 0; i < 200; ++i) {
      std::vector<int64_t> operands = randomOperands(inst, random);
      llvm::Expected<uint32_t> word = encode(inst.opcode, operands);
      ASSERT_TRUE(bool(word)) << llvm::toString(word.takeError());
      llvm::Expected<Decoded> decoded = decode(*word);
      ASSERT_TRUE(bool(decoded)) << llvm::toString(decoded.takeError());
      EXPECT_EQ(decoded->inst, &inst);
      operands.resize(maxOperands);
      EXPECT_TRUE(std::equal(operands.begin(), operands.end(), decoded->operands.begin()))
          << inst.mnemonic.str();
    }
}

TEST(Codec, RandomWordsAreRefusedOrSurviveDecodingAndEncoding) {
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    uint32_t word = random();
    llvm::Expected<Decoded> decoded = decode(word);
    if (!decoded) {
      llvm::consumeError(decoded.takeError());
      continue;
    }
    size_t count = decoded->inst->operands.size();
    llvm::Expected<uint32_t> again =
        encode(decoded->inst->opcode, llvm::ArrayRef(decoded->operands).take_front(count));
    ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError());
    EXPECT_EQ(*again, word);
  }
}

template <typename T>
std::string errorOf(llvm::Expected<T> result) {
  return result ? "success" : llvm::toString(result.takeError());
}

TEST(Codec, ErrorsNameTheInstructionTheOperandAndTheRange) {
  EXPECT_EQ(errorOf(encode(Opcode::ADD, {1, 2})), "add: expected 3 operands, found 2");
  EXPECT_EQ(errorOf(encode(Opcode::ADD, {1, 2, 32})),
            "add: operand b must be from 0 to 31, found 32");
  EXPECT_EQ(errorOf(encode(Opcode::ADD, {-1, 2, 3})),
            "add: operand d must be from 0 to 31, found -1");
  EXPECT_EQ(errorOf(encode(Opcode::ADDI, {1, 2, 8192})),
            "addi: operand imm must be from -8192 to 8191, found 8192");
  EXPECT_EQ(errorOf(encode(Opcode::LIS, {1, 2, -1})),
            "lis: operand imm must be from 0 to 16383, found -1");
  EXPECT_EQ(errorOf(encode(Opcode::JAL, {1, -262145})),
            "jal: operand to must be from -262144 to 262143, found -262145");
  EXPECT_EQ(errorOf(encode(Opcode::VUNPKH, {1, 2, 2})),
            "vunpkh: operand n must be from 0 to 1, found 2");
}

TEST(Codec, ErrorsNameTheWordAndTheStrayBits) {
  EXPECT_EQ(errorOf(decode(0x000000ff)), "word 0x000000ff: no instruction has opcode 0xff");
  EXPECT_EQ(errorOf(decode(0x00000000)), "word 0x00000000: no instruction has opcode 0x00");
  EXPECT_EQ(errorOf(decode(0x80000137)),
            "word 0x80000137: halt has no operand in the bits 0x80000100");
  EXPECT_EQ(errorOf(decode(llvm::ArrayRef<uint32_t>{0x37, 0x38, 0xff})),
            "code offset 0x8: word 0x000000ff: no instruction has opcode 0xff");
}

TEST(Codec, AProgramIsDecodedInOrder) {
  llvm::Expected<std::vector<Decoded>> program = decode(llvm::ArrayRef<uint32_t>{0x37, 0xe038});
  ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
  ASSERT_EQ(program->size(), 2u);
  EXPECT_EQ((*program)[0].inst->opcode, Opcode::HALT);
  EXPECT_EQ((*program)[1].operands[0], 7);
}

TEST(Codec, CodeIsLittleEndianAndMadeOfWholeWords) {
  std::vector<char> bytes = toBytes({0x04030201, 0x08070605});
  EXPECT_EQ(bytes, (std::vector<char>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(llvm::cantFail(toWords(bytes)), (std::vector<uint32_t>{0x04030201, 0x08070605}));
  bytes.pop_back();
  EXPECT_EQ(errorOf(toWords(bytes)), "code of 7 bytes is not a multiple of 4");
}

} // namespace
