// Generated headers as C++.
#include "double.h"
#include "empty.h"
#include "fixture.h"

extern "C" int use_from_cxx(void);

static int32_t host_add(void *, wasmetal_instance *, int32_t a, int32_t b) {
    return a + b;
}

int use_from_cxx(void) {
    fixture_imports imports = {};
    imports.env_add = host_add;
    fixture m;
    int32_t result = 0;
    if (fixture_instantiate(&imports, nullptr, &m) != WASMETAL_OK ||
        fixture_call_add(&m, 20, 22, &result) != WASMETAL_OK) {
        return -1;
    }
    fixture_free(&m);
    return result;
}
