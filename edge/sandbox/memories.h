/* What memories.c and pages.c know of a guest's memory. */
#ifndef EDGE_MEMORIES_H
#define EDGE_MEMORIES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 4096 };

typedef struct slot slot_t;
typedef struct image image_t;
typedef struct pool pool_t;

/* What a guest is told of its memories: how large they are, and what of that was mapped for it. */
typedef struct { uint64_t bytes, kept_bytes; } counts_t;

struct slot {
    slot_t *next; /* in a list of free ones */
    image_t *image;
    uint8_t *base;
    size_t bytes; /* that can be touched */
    size_t kept_bytes; /* what stayed mapped for the next guest */
    int is_copy;       /* the image's file could not be mapped: it is not used again */
    counts_t *counts; /* of the guest that has it, if it wants them */
};

struct image {
    pool_t *pool;
    image_t *next;
    image_t *beside; /* of another memory of the same guests */
    slot_t *free;
    char *path;
    uint8_t *bytes; /* of the file; all behind them are zero */
    size_t offset, file_size, size, kept_pages, live;
    size_t kept_bytes; /* of its free slots */
    int closed;
    uint8_t credit[]; /* of each page: pages.c */
};

typedef struct {
    uint64_t slots, reservation, guard, kept_pages_max, kept_bytes_max;
    void *(*error_new)(const char *message);
} settings_t;

/* What Wasmtime is given. */
typedef struct {
    void *env;
    uint8_t *(*get)(void *env, size_t *size, size_t *capacity);
    void *(*grow)(void *env, size_t size);
    void (*finalizer)(void *env);
} memory_t;
typedef struct {
    void *env;
    void *(*create)(void *env, const void *type, size_t minimum, size_t maximum, size_t reserved,
                    size_t guard, memory_t *made);
    void (*finalizer)(void *env);
} creator_t;

struct pool {
    pthread_mutex_t lock;
    settings_t settings;
    creator_t creator;
    int pagemap, ended;
    uint8_t *base;
    slot_t *slots, *free; /* free: mapped from no image */
    size_t made, kept_bytes; /* kept: of all free slots */
    image_t *images;
};

/* pages.c */

/* Whether the kernel tells what was written. */
int edge_pages_are_told(pool_t *pool);

/* Make a slot its image again, byte for byte, and say how many bytes of it stay mapped for the next
 * guest. 0 when that cannot be done. */
int edge_pages_restore(slot_t *slot, size_t *kept);

#endif
