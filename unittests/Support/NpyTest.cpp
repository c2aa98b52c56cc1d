//===- NpyTest.cpp - numpy's files, as numpy writes them ------------------===//
#include "dojo/Support/Npy.h"
#include "llvm/Support/FileSystem.h"
#include "gmock/gmock.h"

using testing::HasSubstr;

namespace dojo {
namespace {

/// A file of version 1 with this header, unpadded.
std::string file(llvm::StringRef header, llvm::StringRef data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += char(header.size() & 0xff);
  text += char(header.size() >> 8);
  return (text + header + data).str();
}

std::string errorOf(llvm::StringRef bytes) {
  auto array = parseNpy(bytes);
  return array ? "" : llvm::toString(array.takeError());
}

TEST(Npy, WritesWhatNumpyWrites) {
  NpyArray array = {NpyType::f4, {2, 3}, std::string(24, 'x')};
  std::string want = std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                     "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  want.resize(127, ' ');
  EXPECT_EQ(printNpy(array), want + "\n" + array.data);
  EXPECT_THAT(printNpy({NpyType::i8, {5}, std::string(40, 0)}),
              HasSubstr("{'descr': '<i8', 'fortran_order': False, 'shape': (5,), }"));
  EXPECT_THAT(printNpy({NpyType::b1, {}, "\1"}),
              HasSubstr("{'descr': '|b1', 'fortran_order': False, 'shape': (), }"));
}

TEST(Npy, ReadsEveryTypeItWrites) {
  for (NpyType type : {NpyType::f4, NpyType::f2, NpyType::i8, NpyType::i4, NpyType::i1, NpyType::u1,
                       NpyType::b1}) {
    NpyArray array = {type, {3, 1, 2}, std::string(6 * bytes(type), 'd')};
    auto back = parseNpy(printNpy(array));
    ASSERT_TRUE(bool(back)) << llvm::toString(back.takeError());
    EXPECT_EQ(back->type, type);
    EXPECT_EQ(back->shape, array.shape);
    EXPECT_EQ(back->data, array.data);
  }
}

TEST(Npy, ReadsVersionTwoAndOtherKeyOrders) {
  std::string header = "{'shape': (1,), 'fortran_order': False, 'descr': '|u1'}";
  std::string bytes = std::string("\x93NUMPY\x02\x00", 8) + char(header.size()) +
                      std::string(3, '\0') + header + "q";
  auto array = parseNpy(bytes);
  ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
  EXPECT_EQ(array->data, "q");
}

TEST(Npy, RefusesWhatItDoesNotRead) {
  EXPECT_EQ(errorOf("PK\3\4"), "not a numpy file");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x03\x00", 8)),
            "numpy format version 3 is neither 1 nor 2");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x01\x00\x40\x00{", 11)),
            "the file is cut off inside its header");
  EXPECT_EQ(errorOf(file("{'descr': '>f4', 'fortran_order': False, 'shape': (), }", "1234")),
            "type '>f4' is none of <f4, <f2, <i8, <i4, |i1, |u1, |b1, <i2, <u2, <u4 and <u8");
  EXPECT_EQ(errorOf(file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }", "")),
            "structured types are not read");
  EXPECT_EQ(errorOf(file("{'descr': '<f4', 'fortran_order': True, 'shape': (), }", "1234")),
            "the array is in Fortran order; save it with numpy.ascontiguousarray");
  EXPECT_EQ(errorOf(file("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "1234")),
            "the header asks for 12 bytes of data, the file has 4");
  EXPECT_EQ(errorOf(file("{'descr': '<f4', 'fortran_order': False, 'shape': "
                         "(9223372036854775807, 9), }",
                         "")),
            "the shape is too large");
  for (const char *header : {"", "{", "{'descr': '<f4'}", "{'descr'", "{'colour': 1}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1"})
    EXPECT_EQ(errorOf(file(header, "")), "the header is no numpy header") << header;
}

TEST(Npy, ErrorsOfFilesNameThem) {
  EXPECT_THAT(llvm::toString(readNpy("no/such.npy").takeError()), HasSubstr("no/such.npy"));
  EXPECT_THAT(llvm::toString(writeNpy("no/such/x.npy", {})), HasSubstr("no/such/x.npy"));
}

} // namespace
} // namespace dojo
