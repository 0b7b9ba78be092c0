# cmake -DRUNNER= -DWAST2JSON= -DDIR= -P wrong.cmake: runs wrong.wast and wants each of its assertions to fail.
execute_process(COMMAND "${RUNNER}" "--wast2json=${WAST2JSON}" --failures=100 "--skip=${DIR}/skip.txt" "${DIR}/wrong.wast"
                OUTPUT_VARIABLE out RESULT_VARIABLE code)
if(NOT code EQUAL 1 OR NOT out MATCHES "\n0 passed, 24 failed\n$" OR NOT out MATCHES " 1 skipped")
  message(FATAL_ERROR "exit code ${code}, wanted 1, with 0 passed, 24 failed and 1 skipped:\n${out}")
endif()
execute_process(COMMAND "${RUNNER}" "--wast2json=${WAST2JSON}" "${DIR}/skip.txt" OUTPUT_VARIABLE out RESULT_VARIABLE code)
if(NOT code EQUAL 1 OR NOT out MATCHES "wast2json failed" OR NOT out MATCHES "\n0 passed, 1 failed\n$")
  message(FATAL_ERROR "exit code ${code} for a file that is no script:\n${out}")
endif()
