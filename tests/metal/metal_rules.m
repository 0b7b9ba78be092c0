/* The test double itself: each rule is broken once, in a process of its own, and must be named; and kernels that use
 * what compiled ones may (threadgroup memory, barriers, atomics, fast math) compute what Metal would. */
#include "double/objects.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char source[] = "#include <metal_stdlib>\n"
                             "using namespace metal;\n"
                             "struct words { uint w[1]; };\n"
                             "struct block { uint w[8]; };\n"
                             "kernel void add(device words& a [[buffer(0)]], constant block& p [[buffer(1)]],"
                             " uint3 id [[thread_position_in_grid]])\n"
                             "{\n"
                             "    a.w[id.x] += p.w[0];\n"
                             "}\n";

/* Reverses each group through threadgroup memory, and counts the threads. */
static const char group_source[] =
    "#include <metal_stdlib>\n"
    "#include <metal_atomic>\n"
    "using namespace metal;\n"
    "struct words { uint w[1]; };\n"
    "static void put(threadgroup uint (&shared)[64], uint i, uint v)\n"
    "{\n"
    "    shared[i] = v;\n"
    "}\n"
    "kernel void turn(device words& a [[buffer(0)]], device words& count [[buffer(1)]],"
    " uint3 id [[thread_position_in_grid]], uint3 lid [[thread_position_in_threadgroup]],"
    " uint3 group [[threadgroup_position_in_grid]])\n"
    "{\n"
    "    threadgroup uint shared[64];\n"
    "    threadgroup atomic_uint total;\n"
    "    if (lid.x == 0u)\n"
    "        atomic_store_explicit(&total, 0u, memory_order_relaxed);\n"
    "    put(shared, lid.x, a.w[id.x]);\n"
    "    threadgroup_barrier(mem_flags::mem_threadgroup);\n"
    "    atomic_fetch_add_explicit(&total, 1u, memory_order_relaxed);\n"
    "    a.w[id.x] = shared[63u - lid.x];\n"
    "    threadgroup_barrier(mem_flags::mem_threadgroup);\n"
    "    if (lid.x == 63u)\n"
    "        atomic_fetch_add_explicit((device atomic_uint*)&count.w[0],"
    " atomic_load_explicit(&total, memory_order_relaxed), memory_order_relaxed);\n"
    "}\n"
    "kernel void diverge(device words& a [[buffer(0)]], uint3 id [[thread_position_in_grid]])\n"
    "{\n"
    "    if (id.x < 3u)\n"
    "        return;\n"
    "    threadgroup_barrier(mem_flags::mem_threadgroup);\n"
    "    a.w[id.x] = 0u;\n"
    "}\n";

static const char sum_source[] =
    "%s#include <metal_stdlib>\n"
    "using namespace metal;\n"
    "struct words { float w[3]; };\n"
    "kernel void sum(device words& a [[buffer(0)]], uint3 id [[thread_position_in_grid]])\n"
    "{\n"
    "    a.w[2] = a.w[0] * a.w[1] + a.w[2];\n"
    "}\n";

/* ---- the usual way, of which each case leaves something out ---- */

@protocol math_options
- (void)setMathMode:(NSInteger)mode;
- (void)setMathFloatingPointFunctions:(NSInteger)functions;
- (void)setFastMathEnabled:(BOOL)enabled;
@end

struct scene {
    id<MTLDevice> device;
    id<MTLCommandQueue> queue;
    id<MTLBuffer> buffer;
    id<MTLComputePipelineState> add;
    id<MTLCommandBuffer> commands;
    id<MTLComputeCommandEncoder> encoder;
    uint8_t *memory;
};

static id<MTLComputePipelineState> pipeline_of(id<MTLDevice> device, const char *text, const char *name, bool strict) {
    NSError *error = nil;
    MTLCompileOptions *options = [[[MTLCompileOptions alloc] init] autorelease];
    if (strict)
        [(id<math_options>)options setFastMathEnabled:NO];
    id<MTLLibrary> library = [device newLibraryWithSource:[NSString stringWithUTF8String:text]
                                                  options:options
                                                    error:&error];
    if (!library) {
        fprintf(stderr, "%s\n", [[error localizedDescription] UTF8String]);
        exit(1);
    }
    MTLComputePipelineDescriptor *what = [[[MTLComputePipelineDescriptor alloc] init] autorelease];
    id<MTLFunction> function = [library newFunctionWithName:[NSString stringWithUTF8String:name]];
    [what setLabel:@"test"];
    [what setComputeFunction:function];
    id<MTLComputePipelineState> state = [device newComputePipelineStateWithDescriptor:what
                                                                              options:MTLPipelineOptionNone
                                                                           reflection:NULL
                                                                                error:&error];
    [function release];
    [library release];
    return state;
}

static struct scene begin(void) {
    struct scene s = {0};
    s.memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    s.memory += -(uintptr_t)s.memory & 65535;
    s.device = MTLCreateSystemDefaultDevice();
    s.queue = [s.device newCommandQueue];
    [s.queue setLabel:@"test"];
    s.buffer = [s.device newBufferWithBytesNoCopy:s.memory
                                           length:1 << 18
                                          options:MTLResourceStorageModeShared
                                      deallocator:nil];
    [s.buffer setLabel:@"test"];
    s.add = pipeline_of(s.device, source, "add", true);
    s.commands = [s.queue commandBuffer];
    [s.commands setLabel:@"test"];
    s.encoder = [s.commands computeCommandEncoder];
    return s;
}

static void bind(struct scene *s) {
    uint32_t block[8] = {5};
    [s->encoder setComputePipelineState:s->add];
    [s->encoder setBuffer:s->buffer offset:0 atIndex:0];
    [s->encoder setBytes:block length:sizeof block atIndex:1];
}

static void dispatch(struct scene *s) {
    [s->encoder dispatchThreadgroups:MTLSizeMake(4, 1, 1) threadsPerThreadgroup:MTLSizeMake(8, 1, 1)];
}

static void finish(struct scene *s) {
    [s->encoder endEncoding];
    [s->commands commit];
    [s->commands waitUntilCompleted];
    [s->add release];
    [s->buffer release];
    [s->queue release];
    [s->device release];
}

static id<MTLBuffer> no_copy(struct scene *s, size_t at, size_t length, MTLResourceOptions options) {
    return [s->device newBufferWithBytesNoCopy:s->memory + at length:length options:options deallocator:nil];
}

static void break_rule(enum metal_rule rule) {
    struct scene s = begin();
    switch (rule) {
    case RULE_NOCOPY_ALIGNMENT:
        no_copy(&s, 4096, 65536, MTLResourceStorageModeShared);
        break;
    case RULE_NOCOPY_LENGTH:
        no_copy(&s, 0, 65536 + 4096, MTLResourceStorageModeShared);
        break;
    case RULE_NOCOPY_REGION:
        mprotect(s.memory + 65536, 4096, PROT_READ);
        no_copy(&s, 0, 131072, MTLResourceStorageModeShared);
        break;
    case RULE_NOCOPY_MODE:
        no_copy(&s, 0, 65536, MTLResourceStorageModePrivate);
        break;
    case RULE_NOCOPY_UNMAPPED:
        bind(&s);
        dispatch(&s);
        munmap(s.memory + 131072, 65536);
        finish(&s);
        break;
    case RULE_BUFFER_LENGTH:
        metal_double_configure("max-buffer=65536");
        no_copy(&s, 0, 131072, MTLResourceStorageModeShared);
        break;
    case RULE_ARGUMENT_INDEX:
        [s.encoder setBuffer:s.buffer offset:0 atIndex:31];
        break;
    case RULE_ARGUMENT_MISSING:
        bind(&s);
        [s.encoder setBuffer:nil offset:0 atIndex:0];
        dispatch(&s);
        break;
    case RULE_ARGUMENT_SIZE:
        bind(&s);
        [s.encoder setBytes:"0123456789ab" length:12 atIndex:1];
        dispatch(&s);
        break;
    case RULE_BUFFER_OFFSET:
        bind(&s);
        [s.encoder setBuffer:s.buffer offset:64 atIndex:1]; /* constant */
        dispatch(&s);
        break;
    case RULE_BYTES_LENGTH:
        [s.encoder setBytes:s.memory length:4097 atIndex:0];
        break;
    case RULE_PIPELINE_MISSING:
        dispatch(&s);
        break;
    case RULE_THREADS:
        bind(&s);
        [s.encoder dispatchThreadgroups:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(1024, 2, 1)];
        break;
    case RULE_GRID:
        bind(&s);
        [s.encoder dispatchThreadgroups:MTLSizeMake(1, 0, 1) threadsPerThreadgroup:MTLSizeMake(8, 1, 1)];
        break;
    case RULE_ENCODER_OPEN:
        [s.commands commit];
        break;
    case RULE_ENCODER_ENDED:
        [s.encoder endEncoding];
        bind(&s);
        break;
    case RULE_ENCODER_LOST:
        @autoreleasepool {
            [[s.queue commandBuffer] computeCommandEncoder];
        }
        break;
    case RULE_COMMITTED:
        finish(&s);
        [s.commands computeCommandEncoder];
        break;
    case RULE_WAIT:
        [s.commands waitUntilCompleted];
        break;
    case RULE_FOREIGN:
        [s.device newComputePipelineStateWithDescriptor:[[[MTLComputePipelineDescriptor alloc] init] autorelease]
                                                options:MTLPipelineOptionNone
                                             reflection:NULL
                                                  error:NULL];
        break;
    case RULE_LABEL:
        [s.encoder setBuffer:no_copy(&s, 0, 65536, MTLResourceStorageModeShared) offset:0 atIndex:0];
        break;
    case RULE_BARRIER: {
        [s.encoder setComputePipelineState:pipeline_of(s.device, group_source, "diverge", true)];
        [s.encoder setBuffer:s.buffer offset:0 atIndex:0];
        dispatch(&s);
        finish(&s);
        break;
    }
    case RULE_CAPTURE:
        [[MTLCaptureManager sharedCaptureManager] stopCapture];
        break;
    case RULE_DEAD_OBJECT:
        [s.buffer release];
        [s.buffer setLabel:@"late"];
        break;
    case RULE_SELECTOR:
        [(id<MTLCommandQueue>)s.buffer commandBuffer];
        break;
    case RULE_POOL:
    case RULE_LEAK:
        break; /* in main */
    }
}

/* ---- running a case ---- */

static int failures;

static void expect_rule(enum metal_rule rule, const char *name) {
    int pipes[2], status;
    char said[4096] = "";
    if (pipe(pipes) != 0)
        exit(1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 2);
        close(pipes[0]);
        if (rule == RULE_POOL)
            [NSString stringWithUTF8String:"no pool"];
        @autoreleasepool {
            if (rule == RULE_LEAK)
                [[NSArray arrayWithObject:@"left"] retain];
            else
                break_rule(rule);
        }
        exit(0);
    }
    close(pipes[1]);
    size_t n = 0;
    for (ssize_t got; n < sizeof said - 1 && (got = read(pipes[0], said + n, sizeof said - 1 - n)) > 0;)
        n += (size_t)got;
    close(pipes[0]);
    waitpid(child, &status, 0);
    char want[100];
    snprintf(want, sizeof want, "metal rule broken: %s: ", name);
    bool good = strncmp(said, want, strlen(want)) == 0 &&
                (rule == RULE_LEAK ? WIFEXITED(status) && WEXITSTATUS(status) == 99
                                   : WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    printf("%s %s\n", good ? "ok  " : "FAIL", name);
    if (!good) {
        printf("     status 0x%x, said: %s\n", (unsigned)status, said);
        failures++;
    }
}

static void expect(bool good, const char *what) {
    printf("%s %s\n", good ? "ok  " : "FAIL", what);
    failures += !good;
}

static void run_usual(void) {
    struct scene s = begin();
    uint32_t *words = (uint32_t *)s.memory;
    for (uint32_t i = 0; i < 40; i++)
        words[i] = i;
    bind(&s);
    dispatch(&s);
    finish(&s);
    bool good = [s.commands status] == MTLCommandBufferStatusCompleted && words[32] == 32;
    for (uint32_t i = 0; i < 32; i++)
        good &= words[i] == i + 5;
    expect(good && [s.commands GPUEndTime] >= [s.commands GPUStartTime], "a kernel runs");
}

static void run_groups(void) {
    struct scene s = begin();
    uint32_t *words = (uint32_t *)s.memory;
    for (uint32_t i = 0; i < 640; i++)
        words[i] = i;
    words[65536 / 4] = 0;
    id<MTLComputePipelineState> turn = pipeline_of(s.device, group_source, "turn", true);
    [s.encoder setComputePipelineState:turn];
    [s.encoder setBuffer:s.buffer offset:0 atIndex:0];
    [s.encoder setBuffer:s.buffer offset:65536 atIndex:1];
    [s.encoder dispatchThreadgroups:MTLSizeMake(10, 1, 1) threadsPerThreadgroup:MTLSizeMake(64, 1, 1)];
    finish(&s);
    [turn release];
    bool good = words[65536 / 4] == 640;
    for (uint32_t i = 0; i < 640; i++)
        good &= words[i] == (i / 64) * 64 + 63 - i % 64;
    expect(good, "threadgroup memory, barriers and atomics");
}

/* 1 + 2^-12 squared, minus its rounded square: 0, or 2^-24 when contracted. */
static float contracted(const char *pragma, bool strict) {
    struct scene s = begin();
    float *values = (float *)s.memory, *at = values;
    char text[1024];
    snprintf(text, sizeof text, sum_source, pragma);
    at[0] = at[1] = 1.0f + 0x1p-12f;
    at[2] = -(1.0f + 0x1p-11f);
    id<MTLComputePipelineState> sum = pipeline_of(s.device, text, "sum", strict);
    [s.encoder setComputePipelineState:sum];
    [s.encoder setBuffer:s.buffer offset:0 atIndex:0];
    [s.encoder dispatchThreadgroups:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:MTLSizeMake(1, 1, 1)];
    finish(&s);
    [sum release];
    return at[2];
}

int main(void) {
    @autoreleasepool {
        run_usual();
        run_groups();
        expect(contracted("#pragma clang fp contract(off)\n", true) == 0, "no contraction where the source forbids it");
#ifdef __x86_64__
        if (__builtin_cpu_supports("fma"))
            expect(contracted("", true) == 0x1p-24f, "contraction where nothing forbids it");
#endif
    }
#define RULE(id, name, what) expect_rule(RULE_##id, name);
#include "double/rules.def"
    printf("%d failures\n", failures);
    return failures != 0;
}
