# The runtime without the compiler: modules written by hand (rt_fixture.c).
foreach(topic instance trap wasi threads)
  wasmetal_add_unit_test(rt_${topic} SOURCES rt_${topic}.c rt_fixture.c LIBS wasmetal_rt)
endforeach()
