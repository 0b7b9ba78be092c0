/* Foundation for the test double, on GNU libobjc: reference counts that are checked.
 *
 * An object whose last reference goes keeps its memory and becomes a DeadObject, which understands nothing: any later
 * message ends the process with the rule "dead-object".  At exit the number of live objects must be 0.
 */
#include "double.h"

#import <Foundation/Foundation.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of libobjc (objc/runtime.h, objc/message.h), whose headers stand where clang does not look. */
id class_createInstance(Class class, size_t extra);
const char *object_getClassName(id object);
Class object_setClass(id object, Class class);
Class objc_getClass(const char *name);
BOOL class_respondsToSelector(Class class, SEL selector);
const char *sel_getName(SEL selector);
typedef id (*metal_method)(id, SEL, ...);
extern metal_method (*__objc_msg_forward2)(id, SEL);

static const char *const rule_names[] = {
#define RULE(id, name, what) name,
#include "rules.def"
};
static const char *const rule_texts[] = {
#define RULE(id, name, what) what,
#include "rules.def"
};

void metal_rule_broken(enum metal_rule rule, const char *fmt, ...) {
    va_list ap;
    fflush(stdout);
    fprintf(stderr, "metal rule broken: %s: ", rule_names[rule]);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, " (%s)\n", rule_texts[rule]);
    abort();
}

/* ---- objects ---- */

static long live_objects;

__attribute__((objc_root_class))
@interface DeadObject {
    Class isa;
}
@end
@implementation DeadObject
@end

static _Thread_local const char *failed_class;

static id not_understood(id object, SEL selector, ...) {
    metal_rule_broken(strcmp(failed_class, "DeadObject") == 0 ? RULE_DEAD_OBJECT : RULE_SELECTOR, "%s to %p, a %s",
                      sel_getName(selector), (void *)object, failed_class);
}

static metal_method forward(id object, SEL selector) {
    (void)selector;
    failed_class = object_getClassName(object);
    return not_understood;
}

static void check_leaks(void) {
    if (live_objects == 0 || metal_timeouts)
        return;
    fflush(stdout);
    fprintf(stderr, "metal rule broken: %s: %ld objects are left (%s)\n", rule_names[RULE_LEAK], live_objects,
            rule_texts[RULE_LEAK]);
    _exit(99);
}

__attribute__((constructor)) static void set_up(void) {
    __objc_msg_forward2 = forward;
    atexit(check_leaks);
    metal_double_configure(getenv("METAL_DOUBLE"));
}

@interface NSAutoreleasePool ()
+ (void)add:(id)object;
@end

@implementation NSObject
+ (id)alloc {
    __atomic_add_fetch(&live_objects, 1, __ATOMIC_RELAXED);
    NSObject *object = class_createInstance(self, 0);
    object->references = 1;
    return object;
}
- (id)init {
    return self;
}
- (void)dealloc {
    __atomic_sub_fetch(&live_objects, 1, __ATOMIC_RELAXED);
    object_setClass(self, objc_getClass("DeadObject"));
}
- (id)retain {
    __atomic_add_fetch(&references, 1, __ATOMIC_RELAXED);
    return self;
}
- (oneway void)release {
    if (__atomic_sub_fetch(&references, 1, __ATOMIC_ACQ_REL) == 0)
        [self dealloc];
}
- (id)autorelease {
    [NSAutoreleasePool add:self];
    return self;
}
- (NSUInteger)retainCount {
    return references;
}
- (BOOL)respondsToSelector:(SEL)selector {
    return class_respondsToSelector(*(Class *)(void *)self, selector);
}
@end

struct pool_entry {
    id object;
    struct pool_entry *next;
};

static _Thread_local NSAutoreleasePool *current_pool;

@implementation NSAutoreleasePool
+ (void)add:(id)object {
    if (!current_pool)
        metal_rule_broken(RULE_POOL, "a %s", object_getClassName(object));
    struct pool_entry *entry = malloc(sizeof *entry);
    *entry = (struct pool_entry){object, current_pool->entries};
    current_pool->entries = entry;
}
- (id)init {
    outer = current_pool;
    current_pool = self;
    return self;
}
- (void)drain {
    while (entries) {
        struct pool_entry *entry = entries;
        entries = entry->next;
        [entry->object release];
        free(entry);
    }
    current_pool = outer;
    [self release];
}
@end

/* ---- strings and what holds them ---- */

@interface DoubleString : NSString {
    char *text;
}
@end

@implementation DoubleString
- (id)initWithText:(const char *)from {
    text = strdup(from);
    return self;
}
- (const char *)UTF8String {
    return text;
}
- (void)dealloc {
    free(text);
    [super dealloc];
}
@end

@implementation NSString
+ (NSString *)stringWithUTF8String:(const char *)text {
    return [[[DoubleString alloc] initWithText:text] autorelease];
}
- (const char *)UTF8String {
    return "";
}
@end

/* What the compiler makes of @"..."; it does not know NSObject's reference count. */
struct constant_string {
    void *isa;
    const char *bytes;
    unsigned length;
};

@implementation NSConstantString
- (const char *)UTF8String {
    return ((const struct constant_string *)(const void *)self)->bytes;
}
- (id)retain {
    return self;
}
- (oneway void)release {
}
- (id)autorelease {
    return self;
}
@end

@implementation NSArray
- (id)initWithObject:(id)object {
    item = [object retain];
    return self;
}
+ (NSArray *)arrayWithObject:(id)object {
    return [[[NSArray alloc] initWithObject:object] autorelease];
}
- (NSUInteger)count {
    return 1;
}
- (id)objectAtIndex:(NSUInteger)index {
    return index == 0 ? item : nil;
}
- (void)dealloc {
    [item release];
    [super dealloc];
}
@end

@implementation NSURL
- (id)initWithPath:(NSString *)path {
    name = [path retain];
    return self;
}
+ (NSURL *)fileURLWithPath:(NSString *)path {
    return [[[NSURL alloc] initWithPath:path] autorelease];
}
- (NSString *)path {
    return name;
}
- (void)dealloc {
    [name release];
    [super dealloc];
}
@end

@implementation NSError
- (id)initWithDomain:(NSString *)where code:(NSInteger)what {
    char text[200];
    snprintf(text, sizeof text, "%s %ld", [where UTF8String], (long)what);
    domain = [where retain];
    code = what;
    description = [[NSString stringWithUTF8String:text] retain];
    return self;
}
+ (NSError *)errorWithDomain:(NSString *)domain code:(NSInteger)code userInfo:(NSDictionary *)info {
    (void)info;
    return [[[NSError alloc] initWithDomain:domain code:code] autorelease];
}
- (void)setDescription:(const char *)text {
    [description release];
    description = [[NSString stringWithUTF8String:text] retain];
}
- (NSString *)domain {
    return domain;
}
- (NSInteger)code {
    return code;
}
- (NSString *)localizedDescription {
    return description;
}
- (void)dealloc {
    [domain release];
    [description release];
    [super dealloc];
}
@end
