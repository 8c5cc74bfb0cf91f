/* A short guest from its store to its answer in one call: restore, copy the event in, run, copy the
 * answer out, drop. Called through ctypes step by step the same takes 11 us more, most of a request.
 *
 * Neighbours: first_slice.py fills in the block and reads it; wasmtime's functions come as pointers,
 * so that this file is linked with nothing and compiles without anybody's headers.
 * Invariant: what is left open (`store`), and a trap or error, belong to the caller afterwards.
 * Source of the layouts and names: wasmtime 50's C headers, checked at start by raw.layout_matches.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

typedef struct { uint64_t kind; uint64_t item[3]; } extern_t;
typedef struct { uint64_t low, high; } value_t;

typedef struct {
    /* Set once. */
    void *(*store_new)(void *engine, uint64_t data, void *finalizer);
    void *(*store_context)(void *store);
    void (*store_limiter)(void *store, int64_t memory, int64_t elements, int64_t instances,
                          int64_t tables, int64_t memories);
    void (*store_delete)(void *store);
    void *(*set_fuel)(void *context, uint64_t fuel);
    void *(*get_fuel)(void *context, uint64_t *fuel);
    void *(*instantiate)(void *pre, void *context, void *instance, void **trap);
    _Bool (*export_get)(void *context, void *instance, const char *name, size_t size, extern_t *found);
    void *(*call)(void *context, void *function, value_t *values, size_t count, void **trap);
    uint8_t *(*memory_data)(void *context, void *memory);
    size_t (*memory_size)(void *context, void *memory);
    void *engine;
    int64_t elements_max;
    uint64_t kept_bytes_max;   /* memory beyond which all the rest is left to the caller */
    uint64_t closed_bytes_max; /* memory beyond which closing is */
    uint8_t *answer;           /* where a short answer is copied */
    uint64_t answer_bytes_max; /* and how long that may be */
    /* Said by each call. */
    void *store, *context, *trap, *error;
    uint64_t fuel_left, memory_bytes, restored_ns, pointer, length;
    /* Scratch. */
    uint64_t instance[2];
    extern_t memory, function;
    value_t values[2];
} block_t;

/* What first_slice.py compares: a library of another version is not used. */
uint64_t edge_block_bytes(void)
{
    return sizeof(block_t);
}

/* How far it came; first_slice.py has the same names. */
enum { DONE, OPEN, STOPPED, NO_ROOM, OUTSIDE_IN, OUTSIDE_OUT };

static int call(block_t *b, const char *name, size_t size, size_t count)
{
    b->export_get(b->context, b->instance, name, size, &b->function);
    b->error = b->call(b->context, b->function.item, b->values, count, &b->trap);
    return b->error || b->trap;
}

static int holds(block_t *b, uint64_t pointer, uint64_t length)
{
    b->memory_bytes = b->memory_size(b->context, b->memory.item);
    return pointer + length <= b->memory_bytes; /* both have 32 bits */
}

/* memories.c: of which image the next memory is. */
void edge_image_use(void *image, void *counts);

int edge_restore(block_t *b, void *pre, void *image, uint64_t number, int64_t memory_bytes_max,
                 uint64_t fuel)
{
    struct timespec now;
    b->store = b->store_new(b->engine, number, NULL);
    b->context = b->store_context(b->store);
    b->store_limiter(b->store, memory_bytes_max, b->elements_max, 1, -1, -1);
    b->set_fuel(b->context, fuel);
    b->trap = NULL;
    b->memory_bytes = b->restored_ns = 0;
    if (image) edge_image_use(image, NULL);
    b->error = b->instantiate(pre, b->context, b->instance, &b->trap);
    if (image) edge_image_use(NULL, NULL);
    if (b->error || b->trap) return STOPPED;
    b->export_get(b->context, b->instance, "memory", 6, &b->memory);
    clock_gettime(CLOCK_MONOTONIC, &now);
    b->restored_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return DONE;
}

int edge_answer(block_t *b, void *pre, void *image, uint64_t number, int64_t memory_bytes_max,
                uint64_t fuel, const char *event, size_t size)
{
    uint32_t pointer;
    uint8_t *base;
    if (edge_restore(b, pre, image, number, memory_bytes_max, fuel) != DONE) return STOPPED;
    b->values[0].low = size;
    if (call(b, "edge_alloc", 10, 1)) return STOPPED;
    b->pointer = pointer = (uint32_t)b->values[0].low;
    if (!pointer && size) return NO_ROOM;
    if (!holds(b, pointer, size)) return OUTSIDE_IN;
    base = b->memory_data(b->context, b->memory.item); /* it grows in place */
    memcpy(base + pointer, event, size);
    b->values[0].low = pointer;
    b->values[1].low = size;
    if (call(b, "edge_handle", 11, 2)) return STOPPED;
    b->pointer = b->values[0].low >> 32;
    b->length = (uint32_t)b->values[0].low;
    b->get_fuel(b->context, &b->fuel_left);
    if (!holds(b, b->pointer, b->length)) return OUTSIDE_OUT;
    if (b->length > b->answer_bytes_max || b->memory_bytes > b->kept_bytes_max) return OPEN;
    memcpy(b->answer, base + b->pointer, b->length);
    if (b->memory_bytes <= b->closed_bytes_max) {
        b->store_delete(b->store);
        b->store = NULL;
    }
    return DONE;
}
