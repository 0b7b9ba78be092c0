# Kernel back ends.  kernel_gpu and kernel_random use whatever Vulkan driver the loader finds (VK_DRIVER_FILES,
# VK_ICD_FILENAMES), and check only the emission when there is none.
find_package(Vulkan)
wasmetal_add_unit_test(kernel_legalize SOURCES kernel_legalize.c kernel_test.c LIBS wasmetal_ir)
if(Vulkan_FOUND)
  wasmetal_add_unit_test(kernel_gpu SOURCES kernel_gpu.c kernel_test.c kernel_vulkan.c
                         LIBS wasmetal_kernels wasmetal_ir Vulkan::Vulkan)
  wasmetal_add_unit_test(kernel_random SOURCES kernel_random.c kernel_reduce.c kernel_test.c kernel_vulkan.c
                         LIBS wasmetal_kernels wasmetal_ir Vulkan::Vulkan ARGS 20 1)
endif()
if(Vulkan_FOUND AND TARGET wasmetal_host)
  wasmetal_add_unit_test(kernel_random_native SOURCES kernel_random.c kernel_native.c kernel_reduce.c kernel_test.c
                         kernel_vulkan.c LIBS wasmetal_host wasmetal_rt wasmetal_kernels wasmetal_ir Vulkan::Vulkan ARGS 20 1)
  target_compile_definitions(test_kernel_random_native PRIVATE KERNEL_RANDOM_NATIVE)
endif()
wasmetal_add_unit_test(kernel_v128 SOURCES kernel_v128.c kernel_test.c LIBS wasmetal_ir)
wasmetal_add_unit_test(kernel_divide SOURCES kernel_divide.c LIBS wasmetal_ir m)
wasmetal_add_unit_test(kernel_soft SOURCES kernel_soft.c kernel_test.c LIBS wasmetal_ir m)
