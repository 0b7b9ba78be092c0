/* MTLDevice, buffers, descriptors and capture of the test double. */
#include "objects.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct metal_config metal_config;
struct metal_counters metal_counters;

void metal_double_configure(const char *text) {
    static const struct {
        const char *name;
        size_t at;
        uint64_t value;
    } known[] = {
#define CONFIG(field, name, value, what) {name, offsetof(struct metal_config, field), value},
#include "config.def"
    };
    enum { KNOWN = sizeof known / sizeof *known };
    for (int i = 0; i < KNOWN; i++)
        *(uint64_t *)((char *)&metal_config + known[i].at) = known[i].value;
    metal_counters = (struct metal_counters){0};
    while (text && *text) {
        size_t n = strcspn(text, "=,");
        int i = 0;
        while (i < KNOWN && (strlen(known[i].name) != n || strncmp(known[i].name, text, n) != 0))
            i++;
        if (i == KNOWN) {
            fprintf(stderr, "METAL_DOUBLE: nothing is called \"%.*s\"\n", (int)n, text);
            abort();
        }
        char *end = (char *)text + n;
        *(uint64_t *)((char *)&metal_config + known[i].at) = *end == '=' ? strtoull(end + 1, &end, 0) : 1;
        text = *end == ',' ? end + 1 : end;
    }
}

void metal_set_error(NSError **error, const char *domain, NSInteger code, const char *fmt, ...) {
    if (!error)
        return;
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *error = [NSError errorWithDomain:[NSString stringWithUTF8String:domain] code:code userInfo:nil];
    [*error setDescription:text];
}

/* ---- buffers ---- */

bool metal_one_mapping(const void *start, uint64_t bytes) {
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512], mode[5];
    uintptr_t lo, hi, at = (uintptr_t)start;
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f))
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &lo, &hi, mode) == 3)
            found = lo <= at && at + bytes <= hi && mode[0] == 'r' && mode[1] == 'w';
    if (f)
        fclose(f);
    return found;
}

@implementation DoubleBuffer
- (NSUInteger)length {
    return length;
}
- (void *)contents {
    return bytes;
}
- (void)setLabel:(NSString *)label {
    labelled = label != nil;
}
- (void)dealloc {
    if (!no_copy)
        free(bytes);
    [super dealloc];
}
@end

/* ---- device ---- */

static bool check_length(uint64_t length) {
    if (length == 0 || length > metal_config.max_buffer)
        metal_rule_broken(RULE_BUFFER_LENGTH, "%" PRIu64 " bytes", length);
    return true;
}

@implementation DoubleDevice
- (NSString *)name {
    return @"test double";
}
- (BOOL)hasUnifiedMemory {
    return !metal_config.discrete;
}
- (NSUInteger)maxBufferLength {
    return metal_config.max_buffer;
}
- (MTLSize)maxThreadsPerThreadgroup {
    return MTLSizeMake(1024, 1024, 1024);
}
- (id<MTLCommandQueue>)newCommandQueue {
    return metal_config.no_queue ? nil : [[DoubleQueue alloc] init];
}
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
    (void)options;
    check_length(length);
    DoubleBuffer *buffer = [[DoubleBuffer alloc] init];
    buffer->bytes = malloc(length);
    memset(buffer->bytes, 0xcd, length);
    buffer->length = length;
    buffer->labelled = true;
    return buffer;
}
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void *)bytes
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(void (^)(void *pointer, NSUInteger length))deallocator {
    if (deallocator)
        metal_rule_broken(RULE_SELECTOR, "the double runs no deallocators");
    if ((uintptr_t)bytes % metal_config.page || !bytes)
        metal_rule_broken(RULE_NOCOPY_ALIGNMENT, "%p", bytes);
    if (length % metal_config.page || length == 0)
        metal_rule_broken(RULE_NOCOPY_LENGTH, "%lu bytes", length);
    check_length(length);
    if (options & MTLResourceStorageModePrivate)
        metal_rule_broken(RULE_NOCOPY_MODE, "options 0x%lx", (unsigned long)options);
    if (!metal_one_mapping(bytes, length))
        metal_rule_broken(RULE_NOCOPY_REGION, "%lu bytes at %p", length, bytes);
    if (++metal_counters.no_copy_buffers == metal_config.no_buffer_at)
        return nil;
    DoubleBuffer *buffer = [[DoubleBuffer alloc] init];
    buffer->bytes = bytes;
    buffer->length = length;
    buffer->no_copy = true;
    return buffer;
}
- (id<MTLLibrary>)newLibraryWithSource:(NSString *)source options:(MTLCompileOptions *)options error:(NSError **)error {
    return metal_new_library(source, options, error);
}
- (id<MTLLibrary>)newLibraryWithData:(dispatch_data_t)data error:(NSError **)error {
    return metal_new_library_from_data(data, error);
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithDescriptor:(MTLComputePipelineDescriptor *)descriptor
                                                             options:(MTLPipelineOption)options
                                                          reflection:(MTLComputePipelineReflection **)reflection
                                                               error:(NSError **)error {
    if (reflection)
        metal_rule_broken(RULE_SELECTOR, "the double has no reflection");
    return metal_new_pipeline(descriptor, options, error);
}
- (id<MTLBinaryArchive>)newBinaryArchiveWithDescriptor:(MTLBinaryArchiveDescriptor *)descriptor
                                                 error:(NSError **)error {
    return metal_new_archive(descriptor, error);
}
@end

id<MTLDevice> MTLCreateSystemDefaultDevice(void) {
    return metal_config.no_device ? nil : [[DoubleDevice alloc] init];
}

/* ---- descriptors ---- */

@interface MTLCompileOptions (Modern)
- (void)setMathMode:(NSInteger)mode;
@end

@implementation MTLCompileOptions
- (id)init {
    fast_math = YES; /* Metal's defaults */
    math_mode = 2;
    return self;
}
- (void)setLanguageVersion:(MTLLanguageVersion)number {
    version = number;
}
- (void)setFastMathEnabled:(BOOL)enabled {
    fast_math = enabled;
    math_mode = enabled ? 2 : 0;
    math_functions = enabled ? 0 : 1;
}
- (void)setMathMode:(NSInteger)mode {
    math_mode = mode;
    fast_math = mode == 2;
}
- (void)setMathFloatingPointFunctions:(NSInteger)functions {
    math_functions = functions;
}
- (BOOL)respondsToSelector:(SEL)selector {
    if (metal_config.old_system && selector == @selector(setMathMode:))
        return NO;
    return [super respondsToSelector:selector];
}
@end

@implementation MTLComputePipelineDescriptor
- (void)setLabel:(NSString *)text {
    [text retain];
    [label release];
    label = text;
}
- (void)setComputeFunction:(id<MTLFunction>)object {
    [object retain];
    [function release];
    function = object;
}
- (void)setMaxTotalThreadsPerThreadgroup:(NSUInteger)threads {
    max_threads = threads;
}
- (void)setBinaryArchives:(NSArray *)list {
    [list retain];
    [archives release];
    archives = list;
}
- (void)dealloc {
    [label release];
    [function release];
    [archives release];
    [super dealloc];
}
@end

@implementation MTLBinaryArchiveDescriptor
- (void)setUrl:(NSURL *)to {
    [to retain];
    [url release];
    url = to;
}
- (void)dealloc {
    [url release];
    [super dealloc];
}
@end

@implementation MTLCaptureDescriptor
- (void)setCaptureObject:(id)what {
    [what retain];
    [object release];
    object = what;
}
- (void)setDestination:(MTLCaptureDestination)where {
    destination = where;
}
- (void)setOutputURL:(NSURL *)to {
    [to retain];
    [url release];
    url = to;
}
- (void)dealloc {
    [object release];
    [url release];
    [super dealloc];
}
@end

@implementation MTLCaptureManager
+ (MTLCaptureManager *)sharedCaptureManager {
    static BOOL state; /* the manager itself lives as long as its caller's pool */
    MTLCaptureManager *manager = [[[MTLCaptureManager alloc] init] autorelease];
    manager->capturing = &state;
    return manager;
}
- (BOOL)supportsDestination:(MTLCaptureDestination)destination {
    return destination == MTLCaptureDestinationGPUTraceDocument && metal_config.capture;
}
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor *)descriptor error:(NSError **)error {
    if (*capturing || !descriptor->object)
        metal_rule_broken(RULE_CAPTURE, "%s", *capturing ? "a capture is under way" : "no object");
    FILE *f = descriptor->url ? fopen([[descriptor->url path] UTF8String], "w") : NULL;
    if (!f) {
        metal_set_error(error, "MTLCaptureErrorDomain", 2, "the trace cannot be written");
        return NO;
    }
    fprintf(f, "a trace\n");
    fclose(f);
    metal_counters.captures++;
    *capturing = YES;
    return YES;
}
- (void)stopCapture {
    if (!*capturing)
        metal_rule_broken(RULE_CAPTURE, "nothing is being captured");
    *capturing = NO;
}
@end
