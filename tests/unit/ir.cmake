wasmetal_add_unit_test(ir_passes SOURCES ir_passes.c ir_random.c LIBS wasmetal_ir)
wasmetal_add_unit_test(ir_text SOURCES ir_text.c LIBS wasmetal_ir ARGS "${CMAKE_SOURCE_DIR}/tests/golden/ir")
wasmetal_add_unit_test(ir_core SOURCES ir_core.c LIBS wasmetal_ir)
wasmetal_add_unit_test(ir_interp SOURCES ir_interp.c LIBS wasmetal_ir)
