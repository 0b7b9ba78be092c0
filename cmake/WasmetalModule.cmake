# wasmetal_add_module(NAME SOURCE FILE.wasm
#                     [OPTIMIZE 0|1|2|3] [CPU NAME] [NO_OFFLOAD]
#                     [SAVE_KERNELS DIR] [OPTIONS OPTION...] [DEPENDS TARGET_OR_FILE...])
#
# Compiles a WebAssembly module into the static library NAME.  Link it and include "NAME.h": it declares a struct for an
# instance, NAME_instantiate() and NAME_free(), and a prototype for each export; Wasmetal::runtime comes along.
#
#   SOURCE        the module; relative paths are looked up in the current source directory.  It may be made by another
#                 rule of the same project.
#   OPTIMIZE      optimisation level of the native code (default 2)
#   CPU           processor to compile for; "native" is the building machine (default: what every machine of the
#                 architecture can run)
#   NO_OFFLOAD    native code only, no kernels
#   SAVE_KERNELS  also writes the kernels (SPIR-V, MSL, WGSL) into this folder
#   OPTIONS       more options for the wasmetal command, as they are
#   DEPENDS       what else must be up to date first
#
# Where `xcrun metal` exists, the kernels are also compiled into a Metal library at build time and embedded beside their
# source; set WASMETAL_HAS_METAL_COMPILER to OFF to leave that out.
#
# The module is compiled again when SOURCE, a dependency or the compiler changes.  NAME must be a C identifier.

set(_WASMETAL_MODULE_DIR "${CMAKE_CURRENT_LIST_DIR}")

# Sets WASMETAL_XCRUN and WASMETAL_HAS_METAL_COMPILER, both kept in the cache.
function(_wasmetal_find_metal)
  if(DEFINED CACHE{WASMETAL_HAS_METAL_COMPILER})
    return()
  endif()
  find_program(WASMETAL_XCRUN xcrun)
  set(found FALSE)
  if(WASMETAL_XCRUN)
    execute_process(COMMAND "${WASMETAL_XCRUN}" -sdk macosx --find metal RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
      set(found TRUE)
    endif()
  endif()
  set(WASMETAL_HAS_METAL_COMPILER ${found} CACHE BOOL "Compile kernels with Apple's Metal compiler at build time")
endfunction()

function(wasmetal_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_OFFLOAD" "SOURCE;OPTIMIZE;CPU;SAVE_KERNELS" "OPTIONS;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "wasmetal_add_module(${name}): unknown argument '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "wasmetal_add_module: '${name}' is not a C identifier")
  endif()
  if(NOT arg_SOURCE)
    message(FATAL_ERROR "wasmetal_add_module(${name}): SOURCE is missing")
  endif()
  if(arg_SOURCE MATCHES "\\$<")
    set(source "${arg_SOURCE}")
  else()
    get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
    get_source_file_property(generated "${source}" GENERATED)
    if(NOT generated AND NOT EXISTS "${source}")
      # May be made by a rule of the build directory, as add_custom_command names its outputs.
      get_filename_component(source "${arg_SOURCE}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
  endif()

  set(flags "--name=${name}" ${arg_OPTIONS})
  if(DEFINED arg_OPTIMIZE)
    if(NOT arg_OPTIMIZE MATCHES "^[0-3]$")
      message(FATAL_ERROR "wasmetal_add_module(${name}): OPTIMIZE must be 0, 1, 2 or 3")
    endif()
    list(APPEND flags "-O${arg_OPTIMIZE}")
  endif()
  if(arg_CPU)
    list(APPEND flags "--cpu=${arg_CPU}")
  endif()
  if(arg_NO_OFFLOAD)
    list(APPEND flags --no-offload)
  endif()
  set(metal_flags ${flags})
  if(arg_SAVE_KERNELS)
    get_filename_component(kernels "${arg_SAVE_KERNELS}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
    list(APPEND flags "--save-kernels=${kernels}")
  endif()

  set(dir "${CMAKE_CURRENT_BINARY_DIR}/${name}.wasmetal")
  set(object "${dir}/${name}${CMAKE_C_OUTPUT_EXTENSION}")
  set(header "${dir}/${name}.h")
  file(MAKE_DIRECTORY "${dir}")
  # With Apple's tools: the kernels first, made into a Metal library, which then goes into the object.
  set(metallib_commands "")
  set(metallib_depends "")
  if(NOT arg_NO_OFFLOAD)
    _wasmetal_find_metal()
    if(WASMETAL_HAS_METAL_COMPILER)
      set(metallib "${dir}/${name}.metallib")
      set(script "${_WASMETAL_MODULE_DIR}/WasmetalMetallib.cmake")
      set(metallib_depends "${script}")
      set(metallib_commands
          COMMAND "${CMAKE_COMMAND}" -E rm -rf "${dir}/metal"
          COMMAND Wasmetal::compiler ${metal_flags} "--save-kernels=${dir}/metal" --emit=metadata "${source}"
                  -o "${dir}/${name}.json"
          COMMAND "${CMAKE_COMMAND}" "-DXCRUN=${WASMETAL_XCRUN}" "-DKERNELS=${dir}/metal" "-DOUTPUT=${metallib}"
                  -P "${script}")
      list(APPEND flags "--metallib=${metallib}")
    endif()
  endif()
  add_custom_command(
    OUTPUT "${object}" "${header}"
    ${metallib_commands}
    COMMAND Wasmetal::compiler ${flags} "${source}" -o "${object}"
    DEPENDS "${source}" "$<TARGET_FILE:Wasmetal::compiler>" ${metallib_depends} ${arg_DEPENDS}
    COMMENT "Compiling WebAssembly module ${name}"
    VERBATIM)
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set_source_files_properties("${header}" PROPERTIES GENERATED TRUE)

  add_library(${name} STATIC "${object}" "${header}")
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${name} INTERFACE "$<BUILD_INTERFACE:${dir}>")
  target_link_libraries(${name} PUBLIC Wasmetal::runtime)
endfunction()
