/* The part of Apple's Metal that the Metal device uses, declared for the test double (tests/metal).
 *
 * Names, types and values are those of Metal's documentation (macOS 11; compile options also of macOS 15), so that the
 * same source compiles against Apple's headers. */
#ifndef WASMETAL_TESTS_METAL
#define WASMETAL_TESTS_METAL

#import <Foundation/Foundation.h>
#include <dispatch/dispatch.h>

typedef double CFTimeInterval;

typedef enum : NSUInteger {
    MTLResourceStorageModeShared = 0 << 4,
    MTLResourceStorageModeManaged = 1 << 4,
    MTLResourceStorageModePrivate = 2 << 4,
    MTLResourceHazardTrackingModeUntracked = 1 << 8,
} MTLResourceOptions;

typedef enum : NSUInteger {
    MTLPipelineOptionNone = 0,
    MTLPipelineOptionFailOnBinaryArchiveMiss = 1 << 2,
} MTLPipelineOption;

typedef enum : NSUInteger {
    MTLCommandBufferStatusNotEnqueued = 0,
    MTLCommandBufferStatusEnqueued = 1,
    MTLCommandBufferStatusCommitted = 2,
    MTLCommandBufferStatusScheduled = 3,
    MTLCommandBufferStatusCompleted = 4,
    MTLCommandBufferStatusError = 5,
} MTLCommandBufferStatus;

typedef enum : NSUInteger {
    MTLCommandBufferErrorNone = 0,
    MTLCommandBufferErrorInternal = 1,
    MTLCommandBufferErrorTimeout = 2,
    MTLCommandBufferErrorPageFault = 3,
    MTLCommandBufferErrorOutOfMemory = 8,
    MTLCommandBufferErrorDeviceRemoved = 11,
} MTLCommandBufferError;

typedef enum : NSUInteger {
    MTLLanguageVersion2_3 = (2 << 16) + 3,
} MTLLanguageVersion;

typedef enum : NSInteger {
    MTLCaptureDestinationDeveloperTools = 1,
    MTLCaptureDestinationGPUTraceDocument = 2,
} MTLCaptureDestination;

typedef struct {
    NSUInteger width, height, depth;
} MTLSize;

static inline MTLSize MTLSizeMake(NSUInteger width, NSUInteger height, NSUInteger depth) {
    return (MTLSize){width, height, depth};
}

@class MTLComputePipelineReflection;
@class MTLCompileOptions;
@class MTLComputePipelineDescriptor;
@class MTLBinaryArchiveDescriptor;
@protocol MTLDevice;

@protocol MTLBuffer <NSObject>
- (NSUInteger)length;
- (void *)contents;
- (void)setLabel:(NSString *)label;
@end

@protocol MTLFunction <NSObject>
- (NSString *)name;
@end

@protocol MTLLibrary <NSObject>
- (void)setLabel:(NSString *)label;
- (id<MTLFunction>)newFunctionWithName:(NSString *)name;
@end

@protocol MTLComputePipelineState <NSObject>
- (NSString *)label;
- (NSUInteger)maxTotalThreadsPerThreadgroup;
- (NSUInteger)threadExecutionWidth;
@end

@protocol MTLBinaryArchive <NSObject>
- (BOOL)addComputePipelineFunctionsWithDescriptor:(MTLComputePipelineDescriptor *)descriptor error:(NSError **)error;
- (BOOL)serializeToURL:(NSURL *)url error:(NSError **)error;
@end

@protocol MTLComputeCommandEncoder <NSObject>
- (void)setLabel:(NSString *)label;
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state;
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index;
- (void)setBytes:(const void *)bytes length:(NSUInteger)length atIndex:(NSUInteger)index;
- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads;
- (void)endEncoding;
@end

@protocol MTLCommandBuffer <NSObject>
- (void)setLabel:(NSString *)label;
- (id<MTLComputeCommandEncoder>)computeCommandEncoder;
- (void)addCompletedHandler:(void (^)(id<MTLCommandBuffer> commands))handler;
- (void)commit;
- (void)waitUntilCompleted;
- (MTLCommandBufferStatus)status;
- (NSError *)error;
- (CFTimeInterval)GPUStartTime;
- (CFTimeInterval)GPUEndTime;
@end

@protocol MTLCommandQueue <NSObject>
- (void)setLabel:(NSString *)label;
- (id<MTLCommandBuffer>)commandBuffer;
@end

@protocol MTLDevice <NSObject>
- (NSString *)name;
- (BOOL)hasUnifiedMemory;
- (NSUInteger)maxBufferLength;
- (MTLSize)maxThreadsPerThreadgroup;
- (id<MTLCommandQueue>)newCommandQueue;
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options;
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void *)bytes
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(void (^)(void *pointer, NSUInteger length))deallocator;
- (id<MTLLibrary>)newLibraryWithSource:(NSString *)source options:(MTLCompileOptions *)options error:(NSError **)error;
- (id<MTLLibrary>)newLibraryWithData:(dispatch_data_t)data error:(NSError **)error;
- (id<MTLComputePipelineState>)newComputePipelineStateWithDescriptor:(MTLComputePipelineDescriptor *)descriptor
                                                             options:(MTLPipelineOption)options
                                                          reflection:(MTLComputePipelineReflection **)reflection
                                                               error:(NSError **)error;
- (id<MTLBinaryArchive>)newBinaryArchiveWithDescriptor:(MTLBinaryArchiveDescriptor *)descriptor error:(NSError **)error;
@end

/* fastMathEnabled and the math properties are asked for with respondsToSelector: and so not declared here. */
@interface MTLCompileOptions : NSObject {
  @public
    MTLLanguageVersion version;
    BOOL fast_math;
    NSInteger math_mode, math_functions;
}
- (void)setLanguageVersion:(MTLLanguageVersion)version;
@end

@interface MTLComputePipelineDescriptor : NSObject {
  @public
    NSString *label;
    id<MTLFunction> function;
    NSUInteger max_threads;
    NSArray *archives;
}
- (void)setLabel:(NSString *)label;
- (void)setComputeFunction:(id<MTLFunction>)function;
- (void)setMaxTotalThreadsPerThreadgroup:(NSUInteger)threads;
- (void)setBinaryArchives:(NSArray *)archives;
@end

@interface MTLBinaryArchiveDescriptor : NSObject {
  @public
    NSURL *url;
}
- (void)setUrl:(NSURL *)url;
@end

@interface MTLCaptureDescriptor : NSObject {
  @public
    id object;
    MTLCaptureDestination destination;
    NSURL *url;
}
- (void)setCaptureObject:(id)object;
- (void)setDestination:(MTLCaptureDestination)destination;
- (void)setOutputURL:(NSURL *)url;
@end

@interface MTLCaptureManager : NSObject {
    BOOL *capturing;
}
+ (MTLCaptureManager *)sharedCaptureManager;
- (BOOL)supportsDestination:(MTLCaptureDestination)destination;
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor *)descriptor error:(NSError **)error;
- (void)stopCapture;
@end

id<MTLDevice> MTLCreateSystemDefaultDevice(void);

#endif
