/* Queue, command buffer and compute encoder of the test double.
 *
 * A commit starts a thread that runs the dispatches, as a GPU would, while the caller goes on; waiting joins it.  A
 * command buffer keeps what it uses alive until then.
 */
#include "objects.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SET_BYTES = 4096, MAX_DISPATCHES = 64 };

struct bound {
    DoubleBuffer *buffer; /* or */
    uint8_t *bytes;
    uint64_t offset, length;
};

struct recorded {
    struct metal_dispatch dispatch;
    DoubleBuffer *buffers[METAL_MAX_BUFFERS]; /* retained */
    uint8_t *copies[METAL_MAX_BUFFERS];       /* owned */
};

@class DoubleEncoder;

@interface DoubleCommandBuffer : NSObject <MTLCommandBuffer> {
  @public
    struct recorded *list[MAX_DISPATCHES];
    unsigned count;
    DoubleEncoder *encoder; /* the open one, not retained */
    bool labelled, committed, joined;
    pthread_t thread;
    uint64_t number;
    MTLCommandBufferStatus status;
    NSError *error;
    double start, end;
    void (^handler)(id<MTLCommandBuffer>); /* owned copy */
}
@end

@interface DoubleEncoder : NSObject <MTLComputeCommandEncoder> {
  @public
    DoubleCommandBuffer *commands;
    DoublePipeline *pipeline;
    bool labelled, ended;
    struct bound bound[METAL_MAX_BUFFERS];
}
@end

@implementation DoubleQueue
- (void)setLabel:(NSString *)label {
    labelled = label != nil;
}
- (id<MTLCommandBuffer>)commandBuffer {
    if (!labelled)
        metal_rule_broken(RULE_LABEL, "command queue");
    return [[[DoubleCommandBuffer alloc] init] autorelease];
}
@end

/* ---- encoder ---- */

@implementation DoubleEncoder
- (void)checkOpen {
    if (ended)
        metal_rule_broken(RULE_ENCODER_ENDED, "compute encoder");
}
- (void)setLabel:(NSString *)label {
    [self checkOpen];
    labelled = label != nil;
}
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state {
    [self checkOpen];
    [(id)state retain];
    [pipeline release];
    pipeline = (DoublePipeline *)state;
}
- (struct bound *)unbind:(NSUInteger)index {
    [self checkOpen];
    if (index >= METAL_MAX_BUFFERS)
        metal_rule_broken(RULE_ARGUMENT_INDEX, "%lu", index);
    struct bound *b = &bound[index];
    [b->buffer release];
    free(b->bytes);
    *b = (struct bound){0};
    return b;
}
- (void)setBuffer:(id<MTLBuffer>)object offset:(NSUInteger)offset atIndex:(NSUInteger)index {
    struct bound *b = [self unbind:index];
    DoubleBuffer *buffer = (DoubleBuffer *)object;
    if (!buffer)
        return;
    if (offset >= buffer->length)
        metal_rule_broken(RULE_BUFFER_OFFSET, "offset %lu of %" PRIu64 " bytes", offset, buffer->length);
    if (!buffer->labelled)
        metal_rule_broken(RULE_LABEL, "buffer %lu", index);
    *b = (struct bound){.buffer = [buffer retain], .offset = offset, .length = buffer->length - offset};
}
- (void)setBytes:(const void *)bytes length:(NSUInteger)length atIndex:(NSUInteger)index {
    struct bound *b = [self unbind:index];
    if (length == 0 || length > MAX_SET_BYTES)
        metal_rule_broken(RULE_BYTES_LENGTH, "%lu bytes", length);
    *b = (struct bound){.bytes = aligned_alloc(256, (length + 255) & ~255ul), .length = length};
    memcpy(b->bytes, bytes, length);
}

- (void)checkArgument:(const struct msl_argument *)a {
    if (a->index >= METAL_MAX_BUFFERS)
        metal_rule_broken(RULE_ARGUMENT_INDEX, "%u of kernel %s", a->index, pipeline->kernel->name);
    const struct bound *b = &bound[a->index];
    if (!b->buffer && !b->bytes)
        metal_rule_broken(RULE_ARGUMENT_MISSING, "buffer %u of kernel %s", a->index, pipeline->kernel->name);
    if (b->length < a->bytes)
        metal_rule_broken(RULE_ARGUMENT_SIZE, "buffer %u of kernel %s: %" PRIu64 " bytes for a type of %u", a->index,
                          pipeline->kernel->name, b->length, a->bytes);
    uint64_t alignment = a->space == MSL_CONSTANT ? 256 : a->alignment;
    if (b->offset % alignment)
        metal_rule_broken(RULE_BUFFER_OFFSET, "buffer %u of kernel %s: offset %" PRIu64, a->index,
                          pipeline->kernel->name, b->offset);
}

static void check_threads(MTLSize threads, uint64_t most) {
    if (threads.width == 0 || threads.height == 0 || threads.depth == 0 || threads.width > 1024 ||
        threads.height > 1024 || threads.depth > 1024 || threads.width * threads.height * threads.depth > most)
        metal_rule_broken(RULE_THREADS, "%lu x %lu x %lu, pipeline %" PRIu64, threads.width, threads.height,
                          threads.depth, most);
}

- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads {
    [self checkOpen];
    if (!pipeline)
        metal_rule_broken(RULE_PIPELINE_MISSING, "dispatch");
    if (!groups.width || !groups.height || !groups.depth || groups.width > UINT32_MAX || groups.height > UINT32_MAX ||
        groups.depth > UINT32_MAX)
        metal_rule_broken(RULE_GRID, "%lu x %lu x %lu", groups.width, groups.height, groups.depth);
    check_threads(threads, pipeline->max_threads);
    if (commands->count == MAX_DISPATCHES)
        metal_rule_broken(RULE_SELECTOR, "more than %d dispatches: the double needs a longer list", MAX_DISPATCHES);
    const struct msl_kernel *k = pipeline->kernel;
    struct recorded *r = calloc(1, sizeof *r);
    r->dispatch.kernel = k;
    for (uint32_t i = 0; i < k->narguments; i++) {
        const struct msl_argument *a = &k->arguments[i];
        [self checkArgument:a];
        const struct bound *b = &bound[a->index];
        if (b->buffer) {
            r->buffers[a->index] = [b->buffer retain];
            r->dispatch.buffers[a->index] = b->buffer->bytes + b->offset;
        } else {
            /* Of exactly this length, so that memory checkers see an access behind it. */
            r->copies[a->index] = malloc(b->length);
            memcpy(r->copies[a->index], b->bytes, b->length);
            r->dispatch.buffers[a->index] = r->copies[a->index];
        }
    }
    memcpy(r->dispatch.groups, (uint32_t[3]){(uint32_t)groups.width, (uint32_t)groups.height, (uint32_t)groups.depth},
           sizeof r->dispatch.groups);
    memcpy(r->dispatch.threads,
           (uint32_t[3]){(uint32_t)threads.width, (uint32_t)threads.height, (uint32_t)threads.depth},
           sizeof r->dispatch.threads);
    commands->list[commands->count++] = r;
}
- (void)endEncoding {
    [self checkOpen];
    ended = true;
    commands->encoder = nil;
}
- (void)dealloc {
    if (!ended)
        metal_rule_broken(RULE_ENCODER_LOST, "compute encoder");
    for (NSUInteger i = 0; i < METAL_MAX_BUFFERS; i++) {
        [bound[i].buffer release];
        free(bound[i].bytes);
    }
    [pipeline release];
    [commands release];
    [super dealloc];
}
@end

/* ---- command buffer ---- */

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *run_commands(void *argument) {
    DoubleCommandBuffer *c = argument;
    c->start = seconds_now();
    bool lost = c->number == metal_config.lost_at, late = c->number == metal_config.late_at;
    uint64_t late_ms = metal_config.late_ms;
    for (unsigned i = 0; i < c->count; i++) {
        struct recorded *r = c->list[i];
        for (int b = 0; b < METAL_MAX_BUFFERS; b++)
            if (r->buffers[b] && r->buffers[b]->no_copy &&
                !metal_one_mapping(r->buffers[b]->bytes, r->buffers[b]->length))
                metal_rule_broken(RULE_NOCOPY_UNMAPPED, "buffer %d of kernel %s", b, r->dispatch.kernel->name);
        metal_run_grid(&r->dispatch, lost || late);
    }
    if (late) { /* the whole grid again, which writes the same where a kernel does not update in place */
        usleep((useconds_t)late_ms * 1000);
        for (unsigned i = 0; i < c->count; i++)
            metal_run_grid(&c->list[i]->dispatch, false);
    }
    c->end = seconds_now();
    if (c->handler)
        c->handler(c);
    return NULL;
}

@implementation DoubleCommandBuffer
- (void)setLabel:(NSString *)label {
    labelled = label != nil;
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoder {
    if (committed)
        metal_rule_broken(RULE_COMMITTED, "an encoder after the commit");
    if (encoder)
        metal_rule_broken(RULE_ENCODER_OPEN, "a second encoder");
    if (metal_config.no_encoder)
        return nil;
    encoder = [[[DoubleEncoder alloc] init] autorelease];
    encoder->commands = [self retain];
    return encoder;
}
- (void)addCompletedHandler:(void (^)(id<MTLCommandBuffer>))block {
    if (committed)
        metal_rule_broken(RULE_COMMITTED, "a handler after the commit");
    if (handler)
        metal_rule_broken(RULE_SELECTOR, "the double has one handler a command buffer");
    handler = metal_copy_block(block);
}
- (void)commit {
    if (committed)
        metal_rule_broken(RULE_COMMITTED, "a second commit");
    if (encoder)
        metal_rule_broken(RULE_ENCODER_OPEN, "commit");
    if (!labelled)
        metal_rule_broken(RULE_LABEL, "command buffer");
    committed = true;
    number = ++metal_counters.commits;
    status = MTLCommandBufferStatusCommitted;
    [self retain]; /* by the device, until it is done */
    if (pthread_create(&thread, NULL, run_commands, self) != 0)
        abort();
}
- (void)waitUntilCompleted {
    if (!committed)
        metal_rule_broken(RULE_WAIT, "command buffer");
    if (joined)
        return;
    joined = true;
    pthread_join(thread, NULL);
    status = MTLCommandBufferStatusCompleted;
    if (number == metal_config.lost_at) {
        status = MTLCommandBufferStatusError;
        error = [[NSError errorWithDomain:@"MTLCommandBufferErrorDomain"
                                     code:(NSInteger)metal_config.error
                                 userInfo:nil] retain];
    }
    [self release];
}
- (MTLCommandBufferStatus)status {
    return status;
}
- (NSError *)error {
    return error;
}
- (CFTimeInterval)GPUStartTime {
    return joined ? start : 0;
}
- (CFTimeInterval)GPUEndTime {
    return joined ? end : 0;
}
- (void)dealloc {
    for (unsigned i = 0; i < count; i++) {
        for (int b = 0; b < METAL_MAX_BUFFERS; b++) {
            [list[i]->buffers[b] release];
            free(list[i]->copies[b]);
        }
        free(list[i]);
    }
    free((void *)handler);
    [error release];
    [super dealloc];
}
@end
