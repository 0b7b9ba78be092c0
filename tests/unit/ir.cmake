wasmetal_add_unit_test(ir_passes SOURCES ir_passes.c ir_random.c LIBS wasmetal_ir)
