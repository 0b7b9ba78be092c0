/* Byte buffers of libdispatch, declared for the test double (tests/metal). */
#ifndef WASMETAL_TESTS_DISPATCH
#define WASMETAL_TESTS_DISPATCH

#include <stddef.h>

typedef struct dispatch_data *dispatch_data_t;
typedef struct dispatch_queue *dispatch_queue_t;
typedef void (^dispatch_block_t)(void);

#define DISPATCH_DATA_DESTRUCTOR_DEFAULT ((dispatch_block_t)0) /* the bytes are copied */

dispatch_data_t dispatch_data_create(const void *bytes, size_t size, dispatch_queue_t queue, dispatch_block_t free);
void dispatch_release(dispatch_data_t data);

#endif
