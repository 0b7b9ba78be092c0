# Guard and devices.  The Vulkan tests run on every software driver this machine has: Mesa's lavapipe and SwiftShader;
# one that is missing, or a missing spirv-as, skips its tests.
file(GLOB guard_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/guard*.c)
list(APPEND guard_sources ${PROJECT_SOURCE_DIR}/runtime/reduce.c)
wasmetal_add_unit_test(guard_decide SOURCES guard_decide.c ${guard_sources} LIBS)
wasmetal_add_unit_test(launch_cost SOURCES launch_cost.c ${PROJECT_SOURCE_DIR}/runtime/launch_cost.c LIBS m)
wasmetal_add_unit_test(device_calibrate SOURCES device_calibrate.c LIBS wasmetal_rt)
wasmetal_add_unit_test(reduce_combine SOURCES reduce_combine.c ${PROJECT_SOURCE_DIR}/runtime/reduce.c LIBS)
wasmetal_add_unit_test(guard_memo SOURCES guard_memo.c ${guard_sources} LIBS)
wasmetal_add_unit_test(device_lost SOURCES device_lost.c ${guard_sources} ${PROJECT_SOURCE_DIR}/runtime/offload.c
                        ${PROJECT_SOURCE_DIR}/runtime/check.c ${PROJECT_SOURCE_DIR}/runtime/launch_cost.c
                        ${PROJECT_SOURCE_DIR}/runtime/device_calibrate.c ${PROJECT_SOURCE_DIR}/runtime/device_measure.c
                        ${PROJECT_SOURCE_DIR}/runtime/cache_folder.c LIBS m)
wasmetal_add_unit_test(device_launch SOURCES device_launch.c device_fixture.c device_fixture_msl.c LIBS wasmetal_rt ARGS cpu)
wasmetal_add_unit_test(device_threads SOURCES device_threads.c device_fixture.c device_fixture_msl.c LIBS wasmetal_rt)
wasmetal_add_unit_test(device_missing_loader SOURCES device_missing.c device_fixture.c device_fixture_msl.c LIBS wasmetal_rt ARGS loader)
target_compile_options(test_device_launch PRIVATE -ffp-contract=off)

add_test(NAME device_missing_driver COMMAND test_device_missing_loader driver)
add_test(NAME device_broken_driver COMMAND test_device_missing_loader driver)
set_tests_properties(device_launch device_threads PROPERTIES LABELS "unit;threads")
set_tests_properties(device_missing_driver device_broken_driver PROPERTIES LABELS unit TIMEOUT 120)
set_tests_properties(device_missing_driver PROPERTIES ENVIRONMENT
                     "VK_DRIVER_FILES=/nonexistent.json;VK_ICD_FILENAMES=/nonexistent.json")
set(broken "${CMAKE_CURRENT_BINARY_DIR}/broken_icd.json")
file(WRITE "${broken}" "{\"file_format_version\": \"1.0.0\", \"ICD\": {\"library_path\": \"${broken}\", \"api_version\": \"1.1\"}}\n")
set_tests_properties(device_broken_driver PROPERTIES ENVIRONMENT "VK_DRIVER_FILES=${broken};VK_ICD_FILENAMES=${broken}")

find_path(WASMETAL_VULKAN_INCLUDE vulkan/vulkan_core.h)
if(WASMETAL_VULKAN_INCLUDE)
  add_executable(test_device_vulkan_inside device_vulkan_inside.c device_fixture.c device_fixture_msl.c)
  target_include_directories(test_device_vulkan_inside PRIVATE "${WASMETAL_VULKAN_INCLUDE}")
  target_link_libraries(test_device_vulkan_inside PRIVATE wasmetal_rt wasmetal_flags ${CMOCKA_LIBRARY} m)
  add_executable(test_device_vulkan_cache device_vulkan_cache.c device_fixture.c device_fixture_msl.c)
  target_include_directories(test_device_vulkan_cache PRIVATE "${WASMETAL_VULKAN_INCLUDE}")
  target_link_libraries(test_device_vulkan_cache PRIVATE wasmetal_rt wasmetal_flags ${CMOCKA_LIBRARY} m)
  foreach(driver lavapipe swiftshader)
    if(driver STREQUAL lavapipe)
      file(GLOB icd /usr/share/vulkan/icd.d/lvp_icd*.json)
    else()
      file(GLOB icd /usr/lib/chromium/vk_swiftshader_icd.json)
    endif()
    if(NOT icd)
      message(STATUS "No ${driver}: its device tests are left out")
      continue()
    endif()
    list(GET icd 0 icd)
    add_test(NAME device_launch_${driver} COMMAND test_device_launch vulkan)
    add_test(NAME device_vulkan_inside_${driver} COMMAND test_device_vulkan_inside)
    add_test(NAME device_vulkan_cache_${driver} COMMAND test_device_vulkan_cache)
    set_tests_properties(device_launch_${driver} device_vulkan_inside_${driver} device_vulkan_cache_${driver} PROPERTIES
      LABELS "unit;vulkan" TIMEOUT 240 SKIP_RETURN_CODE 77
      ENVIRONMENT "VK_DRIVER_FILES=${icd};VK_ICD_FILENAMES=${icd};WASMETAL_VALIDATION=1;MESA_SHADER_CACHE_DISABLE=true")
  endforeach()
endif()

add_test(NAME device_docs COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}
                                  -P ${CMAKE_CURRENT_LIST_DIR}/scripts/device_docs.cmake)
set_tests_properties(device_docs PROPERTIES LABELS unit)
