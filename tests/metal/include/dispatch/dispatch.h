/* Byte buffers, semaphores and times of libdispatch, declared for the test double (tests/metal). */
#ifndef WASMETAL_TESTS_DISPATCH
#define WASMETAL_TESTS_DISPATCH

#include <stddef.h>
#include <stdint.h>

typedef struct dispatch_data *dispatch_data_t;
typedef struct dispatch_semaphore *dispatch_semaphore_t;
typedef struct dispatch_queue *dispatch_queue_t;
typedef void (^dispatch_block_t)(void);
typedef uint64_t dispatch_time_t;

#define DISPATCH_DATA_DESTRUCTOR_DEFAULT ((dispatch_block_t)0) /* the bytes are copied */
#define DISPATCH_TIME_NOW 0ull

dispatch_data_t dispatch_data_create(const void *bytes, size_t size, dispatch_queue_t queue, dispatch_block_t free);
dispatch_semaphore_t dispatch_semaphore_create(intptr_t value);
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore);
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout); /* not 0: too late */
dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);
void dispatch_release(void *object);

#endif
