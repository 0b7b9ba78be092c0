/* The part of Apple's Foundation that the Metal device uses, declared for the test double (tests/metal). */
#ifndef WASMETAL_TESTS_FOUNDATION
#define WASMETAL_TESTS_FOUNDATION

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef signed char BOOL;
#define YES ((BOOL)1)
#define NO ((BOOL)0)
#define nil ((id)0)
#define Nil ((Class)0)

typedef long NSInteger;
typedef unsigned long NSUInteger;

@class NSString;
@class NSDictionary;

@protocol NSObject
- (id)retain;
- (oneway void)release;
- (id)autorelease;
- (NSUInteger)retainCount;
- (BOOL)respondsToSelector:(SEL)selector;
@end

__attribute__((objc_root_class))
@interface NSObject<NSObject> {
    Class isa;
    unsigned references;
}
+ (id)alloc;
- (id)init;
- (void)dealloc;
@end

@interface NSAutoreleasePool : NSObject {
    NSAutoreleasePool *outer;
    struct pool_entry *entries;
}
- (void)drain;
@end

@interface NSString : NSObject
+ (NSString *)stringWithUTF8String:(const char *)text;
- (const char *)UTF8String;
@end

/* What @"..." is; its layout is the compiler's. */
@interface NSConstantString : NSString
@end

@interface NSArray : NSObject {
    id item;
}
+ (NSArray *)arrayWithObject:(id)object;
- (NSUInteger)count;
- (id)objectAtIndex:(NSUInteger)index;
@end

@interface NSURL : NSObject {
    NSString *name;
}
+ (NSURL *)fileURLWithPath:(NSString *)path;
- (NSString *)path;
@end

@interface NSError : NSObject {
    NSString *domain;
    NSInteger code;
    NSString *description;
}
+ (NSError *)errorWithDomain:(NSString *)domain code:(NSInteger)code userInfo:(NSDictionary *)info;
- (NSString *)domain;
- (NSInteger)code;
- (NSString *)localizedDescription;
@end

#endif
