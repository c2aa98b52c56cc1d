//===- SemanticsTest.cpp - every instruction against the reference --------===//
#include "Harness.h"
#include "Reference.h"
#include "llvm/Support/FormatVariadic.h"
#include <random>

using dojo::isa::Opcode;
using llvm::formatv;

namespace dojo::exec {
namespace {

constexpr uint64_t stateAddress = 0x8000;
constexpr uint64_t windowAddress = stateAddress + offsetof(State, window);

/// Loads the state from the input, executes `instruction`, and stores the state
/// to the output.
binary::Program program(llvm::StringRef instruction) {
  std::string text = "step:\n";
  auto line = [&](auto &&...args) { text += formatv(args...).str() + "\n"; };
  line("li x10, {0}", stateAddress);
  line("li x11, {0}", sizeof(State));
  line("stw x11, x10, -64");
  line("stw x0, x10, -60\nstd x0, x10, -56");
  line("addi x12, x10, -64");
  line("li x13, 2\nshli x13, x13, 62");
  line("li x14, {0}\nor x14, x13, x14", inputAddress);
  line("li x15, {0}\nor x15, x13, x15", outputAddress);
  line("pull x12, x10, x14\ndrain");
  for (unsigned i = 0; i < 4; ++i) {
    line("vld v{0}, x10, {1}", i + 1, offsetof(State, v) + i * 64);
    line("ldd x{0}, x10, {1}", i + 1, offsetof(State, x) + i * 8);
    line("vld v10, x10, {1}\nmwrite a4, v10, {0}", i, offsetof(State, acc) + i * 64);
  }
  text += instruction.str() + "\n";
  line("vst v4, x10, {0}", offsetof(State, v) + 3 * 64);
  line("std x4, x10, {0}", offsetof(State, x) + 3 * 8);
  for (unsigned i = 0; i < 4; ++i)
    line("mread v10, a4, {0}\nvst v10, x10, {1}", i, offsetof(State, acc) + i * 64);
  line("push x12, x10, x15\ndrain\nhalt");
  binary::Program result = assembled(text);
  addInOut(result, sizeof(State), sizeof(State));
  return result;
}

/// The instruction with the registers that State tells.
std::string spell(const isa::Instruction &inst, int64_t imm) {
  std::string text = inst.mnemonic.str();
  const char *separator = " ";
  for (const isa::Operand &operand : inst.operands) {
    unsigned number = operand.lo == 8 ? 4 : operand.lo == 13 ? 1 : operand.lo == 18 ? 2 : 3;
    char prefix = operand.kind == isa::Kind::x ? 'x' : operand.kind == isa::Kind::v ? 'v' : 'a';
    // The only accumulator is a4.
    if (operand.kind == isa::Kind::a)
      number = 4;
    text += operand.kind == isa::Kind::imm ? formatv("{0}{1}", separator, imm).str()
                                           : formatv("{0}{1}{2}", separator, prefix, number).str();
    separator = ", ";
  }
  return text;
}

class Random {
public:
  uint64_t bits() { return engine(); }
  uint64_t below(uint64_t n) { return engine() % n; }

  /// Bits of an FP32: special values, small integers and halves, any bits.
  uint32_t lane() {
    static const uint32_t special[] = {0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                       0xffc00001, 0x7f800001, 0x00000001, 0x80000001, 0x007fffff,
                                       0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0xbf800000,
                                       0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x3effffff,
                                       0x4b000001, 0x7f7f8000, 0x3f808000, 0x3f818000};
    switch (below(4)) {
    case 0:
      return special[below(std::size(special))];
    case 1: {
      float value = (int(below(64)) - 32) * 0.5f;
      uint32_t bits;
      memcpy(&bits, &value, sizeof(bits));
      return bits;
    }
    default:
      return uint32_t(bits());
    }
  }
  uint64_t scalar() {
    static const uint64_t special[] = {0, 1, ~uint64_t(0), uint64_t(INT64_MIN), INT64_MAX, 63, 64};
    return below(3) ? bits() >> below(64) : special[below(std::size(special))];
  }

private:
  std::mt19937_64 engine{20231};
};

State randomState(Random &random, bool addresses, int64_t imm) {
  State state = {};
  for (auto &v : state.v)
    for (uint32_t &value : v)
      value = random.lane();
  for (auto &row : state.acc)
    for (uint32_t &value : row)
      value = random.lane();
  for (uint64_t &value : state.x)
    value = random.scalar();
  for (uint8_t &byte : state.window)
    byte = uint8_t(random.bits());
  for (unsigned i = 0; i < windowBytes; i += 16) {
    uint32_t lane = random.lane();
    memcpy(state.window + i, &lane, sizeof(lane));
  }
  if (addresses) {
    // Eight pieces at strides from -40 to 40 stay inside the window.
    state.x[0] = windowAddress + windowBytes / 2 - imm + random.below(64);
    state.x[1] = random.below(81) - 40;
    state.x[2] = random.below(81) - 40;
  }
  return state;
}

std::vector<int64_t> immediates(const isa::Instruction &inst) {
  for (const isa::Operand &operand : inst.operands)
    if (operand.kind == isa::Kind::imm) {
      std::vector<int64_t> values = {0, 1, 2, 3, 9, 15, -1, 63, 64, -64, 8000, -8192};
      llvm::erase_if(values, [&](int64_t value) { return !isa::fits(operand, value); });
      return values;
    }
  return {0};
}

bool isTestedHere(const isa::Instruction &inst) {
  return inst.effect != isa::Effect::control && inst.effect != isa::Effect::node &&
         inst.opcode != Opcode::COORD;
}

void checkInstruction(const isa::Instruction &inst, Host host) {
  constexpr unsigned trials = 100;
  Random random;
  bool addresses = inst.effect == isa::Effect::read || inst.effect == isa::Effect::write;
  for (int64_t imm : immediates(inst)) {
    std::string text = spell(inst, imm);
    Options options;
    options.threads = 1;
    options.host = host;
    auto executor = llvm::cantFail(Executor::create(program(text), options));
    bool gathers = inst.operands.back().name == "n";
    for (unsigned trial = 0; trial < trials; ++trial) {
      State state = randomState(random, addresses, gathers ? 0 : imm);
      const char *bytes = reinterpret_cast<const char *>(&state);
      Tensor input = {"in",
                      binary::ElementType::u8,
                      {sizeof(State)},
                      std::vector<char>(bytes, bytes + sizeof(State))};
      auto outputs = executor->step(input);
      ASSERT_TRUE(bool(outputs)) << text << ": " << llvm::toString(outputs.takeError());
      ASSERT_TRUE(applyReference(inst.opcode, imm, windowAddress, state)) << text;
      ASSERT_EQ(memcmp(outputs->front().data.data(), &state, sizeof(State)), 0)
          << text << ", trial " << trial;
    }
  }
}

class EveryInstruction : public testing::TestWithParam<Host> {};

TEST_P(EveryInstruction, DoesWhatTheReferenceDoes) {
  if (GetParam() > bestHost())
    GTEST_SKIP() << "this host lacks the vector instructions (AVX2 or AVX-512) of the case";
  for (const isa::Instruction &inst : isa::instructions())
    if (isTestedHere(inst))
      checkInstruction(inst, GetParam());
}

std::string hostName(const testing::TestParamInfo<Host> &info) {
  static const char *const names[] = {"Portable", "AVX2", "AVX512"};
  return names[unsigned(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Hosts, EveryInstruction,
                         testing::Values(Host::portable, Host::avx2, Host::avx512), hostName);

} // namespace
} // namespace dojo::exec
