# Compiles all .metal files of a folder into one Metal library, with Apple's tools.
#
#   cmake -DXCRUN=PATH -DKERNELS=FOLDER -DOUTPUT=FILE.metallib -P WasmetalMetallib.cmake
#
# wasmetal_add_module() runs it where `xcrun metal` exists.  The options mean what the runtime asks of Metal when it
# compiles the same source itself: no fast math, no contraction, language version 2.3 (macOS 11).  A folder without kernels
# gives an empty file, and WasmetalModule.cmake's second step then embeds none.
cmake_minimum_required(VERSION 3.25)
foreach(variable XCRUN KERNELS OUTPUT)
  if(NOT ${variable})
    message(FATAL_ERROR "WasmetalMetallib.cmake: -D${variable}= is missing")
  endif()
endforeach()

function(run)
  execute_process(COMMAND "${XCRUN}" -sdk macosx ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " line)
    message(FATAL_ERROR "xcrun -sdk macosx ${line}: ${status}")
  endif()
endfunction()

file(GLOB sources "${KERNELS}/*.metal")
list(SORT sources)
set(objects "")
foreach(source IN LISTS sources)
  set(object "${source}.air")
  run(metal -std=macos-metal2.3 -mmacosx-version-min=11.0 -fno-fast-math -ffp-contract=off -c "${source}" -o "${object}")
  list(APPEND objects "${object}")
endforeach()
if(objects)
  run(metallib ${objects} -o "${OUTPUT}")
  file(REMOVE ${objects})
else()
  file(WRITE "${OUTPUT}" "")
endif()
