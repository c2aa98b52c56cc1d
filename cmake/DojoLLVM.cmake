# Finds Debian's LLVM and MLIR 22 and adopts their flags: RTTI on, exceptions off.
# Everything links the shared libMLIR and libLLVM and never their static parts:
# mixing the two gives two option registries and two type registries in silence.
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "dojo builds against LLVM 22; ${MLIR_DIR} holds ${LLVM_PACKAGE_VERSION}")
endif()
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/lib)
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR})
if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR DOJO_SANITIZE)
  set(LLVM_ENABLE_ASSERTIONS ON)
endif()

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include(HandleLLVMOptions)

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(DOJO_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${DOJO_LLVM_DEFINITIONS})

set(DOJO_SANITIZE "" CACHE STRING "sanitizers for every target, as -fsanitize= takes them")
if(DOJO_SANITIZE)
  add_compile_options(-fsanitize=${DOJO_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DOJO_SANITIZE})
endif()
