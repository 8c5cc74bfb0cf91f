/* The stacks of guests on fibers, used again: to map one and let it go takes 15 us a guest.
 *
 * Neighbours: memories.py gives Wasmtime the creator, beside that of the memories.
 * Invariant: a stack is one fiber's at a time, with a page below it that cannot be touched. What an
 * earlier guest's host calls left on it no guest can read: WebAssembly has no address of it.
 * Source of the layouts: wasmtime 50's C headers; get gives the top, from which a stack grows down.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { GUARD = 4096, KEPT = 64 * 1024 };

typedef struct stack stack_t;
typedef struct { stack_t *free; pthread_mutex_t lock; void *(*error_new)(const char *message); } rack_t;
struct stack { stack_t *next; rack_t *rack; uint8_t *low; size_t size; };

/* What Wasmtime is given. */
typedef struct {
    void *env;
    uint8_t *(*get)(void *env, size_t *size);
    void (*finalizer)(void *env);
} memory_t;
typedef struct {
    void *env;
    void *(*create)(void *env, size_t size, _Bool zeroed, memory_t *made);
    void (*finalizer)(void *env);
} creator_t;

static uint8_t *top(void *env, size_t *size)
{
    stack_t *stack = env;
    *size = stack->size;
    return stack->low + stack->size;
}

static void put_back(void *env)
{
    stack_t *stack = env;
    rack_t *rack = stack->rack;
    if (stack->size > KEPT) madvise(stack->low, stack->size - KEPT, MADV_DONTNEED);
    pthread_mutex_lock(&rack->lock);
    stack->next = rack->free;
    rack->free = stack;
    pthread_mutex_unlock(&rack->lock);
}

static stack_t *make(rack_t *rack, size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    stack_t *stack = malloc(sizeof *stack);
    uint8_t *low = mmap(NULL, size + GUARD, PROT_NONE, flags, -1, 0);
    if (!stack || low == MAP_FAILED || mprotect(low + GUARD, size, PROT_READ | PROT_WRITE)) {
        if (low != MAP_FAILED) munmap(low, size + GUARD);
        free(stack);
        return NULL;
    }
    *stack = (stack_t){NULL, rack, low + GUARD, size};
    return stack;
}

/* All of an engine's stacks have one size; Wasmtime zeroes one itself where that was asked for. */
static void *create(void *env, size_t size, _Bool zeroed, memory_t *made)
{
    rack_t *rack = env;
    (void)zeroed;
    pthread_mutex_lock(&rack->lock);
    stack_t *stack = rack->free;
    if (stack) rack->free = stack->next;
    pthread_mutex_unlock(&rack->lock);
    if (!stack) stack = make(rack, size);
    if (!stack) return rack->error_new("the machine has no memory for another stack");
    *made = (memory_t){stack, top, put_back};
    return NULL;
}

static void end(void *env)
{
    rack_t *rack = env;
    while (rack->free) {
        stack_t *stack = rack->free;
        rack->free = stack->next;
        munmap(stack->low - GUARD, stack->size + GUARD);
        free(stack);
    }
    free(rack);
}

/* Fill in what makes stacks for one engine; 0 when there is no memory even for that. */
int edge_stacks_open(creator_t *creator, void *(*error_new)(const char *message))
{
    rack_t *rack = calloc(1, sizeof *rack);
    if (!rack) return 0;
    pthread_mutex_init(&rack->lock, NULL);
    rack->error_new = error_new;
    *creator = (creator_t){rack, create, end};
    return 1;
}
