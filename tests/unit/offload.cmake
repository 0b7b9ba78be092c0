# The offloader: analysis, plans, outlining, and the run-time guard on what they describe.
foreach(topic shapes reject nests exits shifts scale)
  wasmetal_add_unit_test(offload_${topic} SOURCES offload_${topic}.c offload_fixture.c LIBS wasmetal_rt wasmetal_ir)
endforeach()
target_compile_definitions(test_offload_reject PRIVATE WASMETAL_DOCS="${PROJECT_SOURCE_DIR}/docs")
wasmetal_add_unit_test(offload_bulk SOURCES offload_bulk.c LIBS wasmetal_ir)
wasmetal_add_unit_test(const_tables SOURCES const_tables.c LIBS wasmetal_ir)
