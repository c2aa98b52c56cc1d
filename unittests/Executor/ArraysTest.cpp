//===- ArraysTest.cpp - numpy arrays to tensors and back ------------------===//
#include "dojo/Executor/Arrays.h"
#include "gmock/gmock.h"
#include <cstring>

namespace dojo::exec {
namespace {

using binary::ElementType;

template <class T>
std::string bytesOf(std::initializer_list<T> values) {
  return std::string(reinterpret_cast<const char *>(values.begin()), values.size() * sizeof(T));
}
llvm::StringRef dataOf(const Tensor &tensor) { return {tensor.data.data(), tensor.data.size()}; }

TEST(Arrays, FloatsBecomeBf16ForAProgramThatTakesThem) {
  NpyArray array = {NpyType::f4, {2}, bytesOf<float>({1.0f, 1.00390625f})};
  Tensor tensor = llvm::ExitOnError()(toTensor(array, {"x", ElementType::bf16, {2}, 0}));
  EXPECT_EQ(dataOf(tensor), llvm::StringRef(bytesOf<uint16_t>({0x3f80, 0x3f80})));
  NpyArray back = toArray(tensor);
  EXPECT_EQ(back.type, NpyType::f4);
  EXPECT_EQ(back.data, bytesOf<float>({1.0f, 1.0f}));
}

TEST(Arrays, EveryTypeSurvivesTheWayThere) {
  for (unsigned i = 0; i < binary::numElementTypes; ++i) {
    auto type = ElementType(i);
    Tensor tensor = {"x", type, {3}, std::vector<char>(3 * binary::bytes(type), 1)};
    Tensor back = llvm::ExitOnError()(toTensor(toArray(tensor), {"x", type, {3}, 0}));
    EXPECT_EQ(back.data, tensor.data) << binary::name(type).str();
  }
}

} // namespace
} // namespace dojo::exec
