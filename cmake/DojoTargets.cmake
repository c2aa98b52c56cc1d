# One precompiled header serves every MLIR target; one plain header-less path
# serves the libraries that must not know MLIR.

add_library(DojoPCH OBJECT ${PROJECT_SOURCE_DIR}/cmake/DojoPCH.cpp)
target_precompile_headers(DojoPCH PRIVATE ${PROJECT_SOURCE_DIR}/cmake/DojoPCH.h)

# dojo_add_library(NAME sources... [LINK libs...] [DEPENDS targets...])
# A library without MLIR: LLVM's support library at most.
function(dojo_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# dojo_add_mlir_library(NAME sources... [LINK libs...] [DEPENDS targets...])
function(dojo_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  target_precompile_headers(${name} REUSE_FROM DojoPCH)
  add_dependencies(${name} dojo-headers ${ARG_DEPENDS})
endfunction()

# dojo_add_tool(NAME sources... [LINK libs...])
function(dojo_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} LLVM)
  add_dependencies(${name} dojo-headers)
endfunction()

# dojo_add_unittest(NAME sources... [LINK libs...])
function(dojo_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unittests)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} LLVM GTest::gtest GTest::gmock GTest::gtest_main)
  add_dependencies(${name} dojo-headers)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60)
endfunction()
