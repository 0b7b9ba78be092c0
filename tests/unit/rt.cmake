# The runtime without the compiler: modules written by hand (rt_fixture.c).
foreach(topic instance trap wasi threads shared)
  wasmetal_add_unit_test(rt_${topic} SOURCES rt_${topic}.c rt_fixture.c LIBS wasmetal_rt)
endforeach()
set_tests_properties(rt_shared PROPERTIES LABELS "unit;threads")
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  wasmetal_add_unit_test(rt_pages SOURCES rt_pages.c LIBS wasmetal_rt)
endif()

# Headers as `wasmetal` writes them, compiled as C11 and as C++ and used.
add_executable(rt_header_gen "${CMAKE_CURRENT_LIST_DIR}/rt_header_gen.c" "${CMAKE_SOURCE_DIR}/compiler/header.c")
target_link_libraries(rt_header_gen PRIVATE wasmetal_ir wasmetal_flags)
set(rt_headers "${CMAKE_CURRENT_BINARY_DIR}/rt_headers")
add_custom_command(
  OUTPUT "${rt_headers}/fixture.h" "${rt_headers}/double.h" "${rt_headers}/empty.h"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${rt_headers}"
  COMMAND rt_header_gen "${rt_headers}"
  DEPENDS rt_header_gen VERBATIM)
add_custom_target(rt_headers DEPENDS "${rt_headers}/fixture.h")
wasmetal_add_unit_test(rt_header SOURCES rt_header.c rt_header_cxx.cc rt_header_module.c rt_fixture.c
                        LIBS ${WASMETAL_RUNTIME_TARGET})
add_dependencies(test_rt_header rt_headers)
target_include_directories(test_rt_header PRIVATE "${rt_headers}")

# The installed library shows only what users and compiled modules call.
if(TARGET wasmetal_runtime AND CMAKE_NM)
  add_test(NAME rt_symbols COMMAND "${CMAKE_COMMAND}" -DNM=${CMAKE_NM} -DLIBRARY=$<TARGET_FILE:wasmetal_runtime>
                                   -P "${CMAKE_SOURCE_DIR}/runtime/check_symbols.cmake")
  set_tests_properties(rt_symbols PROPERTIES LABELS unit)
endif()

# Every message is documented.
add_test(NAME rt_messages COMMAND "${CMAKE_COMMAND}" -DTABLE=${CMAKE_SOURCE_DIR}/runtime/log.def
                                  -DPAGE=${CMAKE_SOURCE_DIR}/docs/runtime.md
                                  -P "${CMAKE_SOURCE_DIR}/runtime/check_messages.cmake")
set_tests_properties(rt_messages PROPERTIES LABELS unit)

# A program of wasi-libc, from stock clang to its last system call.
find_program(WASM_CLANG NAMES clang-19 clang)
if(WASM_CLANG)
  set(rt_wasi "${CMAKE_CURRENT_LIST_DIR}/rt_wasi_program")
  set(rt_wasi_wasm "${CMAKE_CURRENT_BINARY_DIR}/rt_wasi_program.wasm")
  add_custom_command(
    OUTPUT "${rt_wasi_wasm}"
    COMMAND "${WASM_CLANG}" --target=wasm32-wasi -O2 "${rt_wasi}/program.c" -o "${rt_wasi_wasm}"
    DEPENDS "${rt_wasi}/program.c" VERBATIM)
  add_custom_target(rt_wasi_program ALL DEPENDS "${rt_wasi_wasm}")
  add_test(NAME rt_wasi_program
           COMMAND "${rt_wasi}/run.sh" $<TARGET_FILE:wasmetal> "${rt_wasi_wasm}" "${rt_wasi}/expected.txt")
  set_tests_properties(rt_wasi_program PROPERTIES LABELS exec TIMEOUT 120)
endif()
