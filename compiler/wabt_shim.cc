/* The way into wabt from C: features, options, and the end of every C++ exception.  The work is in wabt_reader.h's
 * class. */
#include <new>
#include <stdexcept>

#include "compiler/wabt_reader.h"

using wabt_shim::Reader;

extern "C" bool wabt_read_module(const uint8_t *bytes, size_t size, uint32_t disabled, struct ir_module *m,
                                 const uint32_t **out_func_types, const struct wabt_sink *sink) {
    /* wabt's defaults are Wasm 2.0: sign extension, saturating conversions, multi-value, bulk memory, reference types,
     * mutable globals and SIMD. */
    wabt::Features features;
#define FEATURE(id, name, member, proposal) features.set_##member##_enabled(!(disabled >> FEATURE_##id & 1));
#include "compiler/features.def"
    wabt::ReadBinaryOptions options;
    options.features = features;
    options.read_debug_names = false;
    options.stop_on_first_error = true;
    options.fail_on_custom_section_error = false;
    try {
        Reader reader(m, out_func_types, sink, features, disabled);
        try {
            return reader.Finish(wabt::ReadBinary(bytes, size, &reader, options));
        } catch (const std::bad_alloc &) {
            reader.ReportMemory();
        } catch (const std::length_error &) {
            reader.ReportMemory();
        }
    } catch (const std::bad_alloc &) {
        sink->error(sink->user, DIAG_LIMIT, DIAG_NO_OFFSET, -1, "out of memory while reading the module");
    }
    return false;
}
