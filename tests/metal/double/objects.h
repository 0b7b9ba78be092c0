/* The double's own classes, shared by its Objective-C files. */
#ifndef WASMETAL_TESTS_METAL_OBJECTS
#define WASMETAL_TESTS_METAL_OBJECTS

#import <Metal/Metal.h>

#include "double.h"

@interface NSError (Double)
- (void)setDescription:(const char *)text;
@end
/* Fills *error, where there is one, with a text. */
void metal_set_error(NSError **error, const char *domain, NSInteger code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

@interface DoubleBuffer : NSObject <MTLBuffer> {
  @public
    uint8_t *bytes;
    uint64_t length;
    bool no_copy, labelled;
}
@end

@interface DoubleLibrary : NSObject <MTLLibrary> {
  @public
    bool from_data;
    char *text; /* the metallib's content, of which kernels are compiled when asked for */
    const struct msl_kernel *kernels;
}
@end

@interface DoubleFunction : NSObject <MTLFunction> {
  @public
    DoubleLibrary *library;
    const struct msl_kernel *kernel;
}
@end

@interface DoublePipeline : NSObject <MTLComputePipelineState> {
  @public
    NSString *label;
    const struct msl_kernel *kernel;
    uint64_t max_threads;
}
@end

@interface DoubleArchive : NSObject <MTLBinaryArchive> {
  @public
    char *names; /* of the kernels in it, each on a line */
}
- (bool)has:(const char *)name;
@end

@interface DoubleQueue : NSObject <MTLCommandQueue> {
  @public
    bool labelled;
}
@end

/* A copy of a block that captures no objects, on the heap; to be freed with free(). */
void *metal_copy_block(const void *block);

@interface DoubleDevice : NSObject <MTLDevice>
@end

/* library.m */
id<MTLLibrary> metal_new_library(NSString *source, MTLCompileOptions *options, NSError **error);
id<MTLLibrary> metal_new_library_from_data(dispatch_data_t data, NSError **error);
id<MTLComputePipelineState> metal_new_pipeline(MTLComputePipelineDescriptor *what, MTLPipelineOption options,
                                               NSError **error);
id<MTLBinaryArchive> metal_new_archive(MTLBinaryArchiveDescriptor *what, NSError **error);

struct dispatch_data {
    bool is_data; /* what dispatch_release asks */
    size_t size;
    char bytes[];
};

#endif
