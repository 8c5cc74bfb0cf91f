/* The memories of guests: made for Wasmtime, and used again when a guest is gone.
 *
 * A memory is a slot, mapped copy-on-write from its image.
 *
 * Neighbours: memories.py sets it up, opens images and says which is started next on a thread; pages.c
 * puts back what a guest wrote.
 * Invariant: a slot that is not a guest's holds its image, byte for byte, and nothing beyond it can be
 * touched. Between guests of different images a slot is mapped anew.
 * Source of the layouts: wasmtime 50's C headers.
 */
#define _GNU_SOURCE
#include "memories.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static __thread image_t *current;
static __thread counts_t *current_counts;

/* Map the image's part of its file, at a place or anywhere. It is opened each time: slots are few and
 * mapped seldom, and a thousand modules would hold a thousand descriptors. */
static void *map_file(const image_t *image, void *place, int access)
{
    int flags = MAP_PRIVATE | MAP_NORESERVE | (place ? MAP_FIXED : 0);
    int file = open(image->path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    void *bytes = MAP_FAILED;
    if (file < 0) return MAP_FAILED;
    if (!fstat(file, &found) && (size_t)found.st_size >= image->offset + image->file_size)
        bytes = mmap(place, image->file_size, access, flags, file, image->offset);
    close(file);
    return bytes;
}

/* An image of `size` bytes that begins as a part of a file does, of `file_size` bytes at `offset`, and
 * is zero from there. NULL when it cannot be mapped. `beside` it are those of the guests' other
 * memories, known by their sizes. */
image_t *edge_image_open(pool_t *pool, const char *path, size_t offset, size_t file_size, size_t size,
                         image_t *beside)
{
    image_t *image = calloc(1, sizeof *image + size / PAGE);
    char *kept_path = strdup(path);
    if (image && kept_path && file_size <= size) {
        image->pool = pool;
        image->beside = beside;
        image->path = kept_path;
        image->offset = offset;
        image->file_size = file_size;
        image->size = size;
        if (file_size) image->bytes = map_file(image, NULL, PROT_READ);
        if (image->bytes != MAP_FAILED) {
            pthread_mutex_lock(&pool->lock);
            image->next = pool->images;
            pool->images = image;
            pthread_mutex_unlock(&pool->lock);
            return image;
        }
    }
    free(kept_path);
    free(image);
    return NULL;
}

/* Of which image, or one beside it, the next memories are that are made on this thread; NULL: none
 * may be. Where to count them, if anywhere: a guest's memories are gone before that is. */
void edge_image_use(image_t *image, counts_t *counts)
{
    current = image;
    current_counts = counts;
}

/* A guest's image of that size. There is none where a module's contents were left in it: it begins
 * with zeros, and Wasmtime copies them in. */
static image_t *find_image(image_t *first, size_t size)
{
    pthread_mutex_t *lock = &first->pool->lock;
    image_t *image = first;
    pthread_mutex_lock(lock);
    while (image && image->size != size) image = image->beside;
    pthread_mutex_unlock(lock);
    if (image || !(image = edge_image_open(first->pool, "", 0, 0, size, NULL))) return image;
    pthread_mutex_lock(lock);
    image->beside = first->beside;
    first->beside = image;
    pthread_mutex_unlock(lock);
    return image;
}

static int close_off(uint8_t *start, size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    return !size || mmap(start, size, PROT_NONE, flags, -1, 0) != MAP_FAILED;
}

/* These are called with the lock held. */

/* Take a slot from its image. One that cannot be closed off (the process has too many mappings) is not
 * used again: nobody can read then what is in it. */
static void unmap(slot_t *slot)
{
    pool_t *pool = slot->image->pool;
    slot->kept_bytes = 0;
    slot->image = NULL;
    if (!close_off(slot->base, slot->bytes)) {
        madvise(slot->base, slot->bytes, MADV_DONTNEED);
        return;
    }
    slot->bytes = 0;
    slot->next = pool->free;
    pool->free = slot;
}

static void put_free(slot_t *slot)
{
    image_t *image = slot->image;
    slot->next = image->free;
    image->free = slot;
    image->kept_bytes += slot->kept_bytes;
    image->pool->kept_bytes += slot->kept_bytes;
}

/* Of an image's free slots the one at a place in their list. */
static slot_t *take_free(image_t *image, slot_t **place)
{
    slot_t *slot = *place;
    *place = slot->next;
    image->kept_bytes -= slot->kept_bytes;
    image->pool->kept_bytes -= slot->kept_bytes;
    return slot;
}

/* Have the image that keeps most let go of the slot that it used longest ago. */
static void evict(pool_t *pool)
{
    image_t *most = pool->images;
    slot_t **place;
    for (image_t *image = most; image; image = image->next)
        if (image->kept_bytes > most->kept_bytes) most = image;
    for (place = &most->free; (*place)->next; place = &(*place)->next) continue;
    unmap(take_free(most, place));
}

static void forget(image_t *image)
{
    image_t **place = &image->pool->images;
    while (*place != image) place = &(*place)->next;
    *place = image->next;
    if (image->file_size) munmap(image->bytes, image->file_size);
    free(image->path);
    free(image);
}

static slot_t *find_free(pool_t *pool)
{
    slot_t *slot = pool->free;
    if (!slot && pool->made < pool->settings.slots) {
        slot = &pool->slots[pool->made];
        slot->base = pool->base + pool->made++ * (pool->settings.reservation + pool->settings.guard);
        return slot;
    }
    for (image_t *image = pool->images; image && !slot; image = image->next) {
        if (!image->free) continue;
        unmap(take_free(image, &image->free));
        slot = pool->free;
    }
    if (slot) pool->free = slot->next;
    return slot;
}

/* Where no descriptor is free, or the file is gone, a copy will do. */
static int map_image(slot_t *slot, const image_t *image)
{
    int access = PROT_READ | PROT_WRITE;
    size_t begun = (image->file_size + PAGE - 1) / PAGE * PAGE;
    slot->is_copy = image->file_size && map_file(image, slot->base, access) == MAP_FAILED;
    if (slot->is_copy) begun = 0;
    if (begun < image->size && mprotect(slot->base + begun, image->size - begun, access)) return 0;
    if (slot->is_copy) memcpy(slot->base, image->bytes, image->file_size);
    return 1;
}

static slot_t *take(image_t *image)
{
    pool_t *pool = image->pool;
    slot_t *slot;
    if (image->free) return take_free(image, &image->free);
    slot = find_free(pool);
    if (!slot) return NULL;
    if (!map_image(slot, image)) {
        if (close_off(slot->base, image->size)) { /* else it is not used again */
            slot->next = pool->free;
            pool->free = slot;
        }
        return NULL;
    }
    slot->image = image;
    slot->bytes = image->size;
    return slot;
}

/* These without. */

/* Make a slot its image again; 0 when that cannot be done. */
static int reset(slot_t *slot)
{
    image_t *image = slot->image;
    if (slot->is_copy || !close_off(slot->base + image->size, slot->bytes - image->size)) return 0;
    slot->bytes = image->size;
    return edge_pages_restore(slot, &slot->kept_bytes);
}

static void release(void *env)
{
    slot_t *slot = env;
    image_t *image = slot->image;
    pool_t *pool = image->pool;
    int is_whole = reset(slot);
    pthread_mutex_lock(&pool->lock);
    image->live--;
    if (image->closed || !is_whole) {
        unmap(slot);
        if (image->closed && !image->live) forget(image);
    } else {
        put_free(slot);
        if (pool->kept_bytes > pool->settings.kept_bytes_max) evict(pool);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* What Wasmtime calls. */

static uint8_t *get(void *env, size_t *size, size_t *capacity)
{
    slot_t *slot = env;
    *size = slot->bytes;
    *capacity = slot->image->pool->settings.reservation;
    return slot->base;
}

static void *grow(void *env, size_t size)
{
    slot_t *slot = env;
    pool_t *pool = slot->image->pool;
    if (size <= slot->bytes) return NULL;
    if (size > pool->settings.reservation ||
        mprotect(slot->base + slot->bytes, size - slot->bytes, PROT_READ | PROT_WRITE))
        return pool->settings.error_new("the machine has no more memory");
    if (slot->counts) slot->counts->bytes += size - slot->bytes;
    slot->bytes = size;
    return NULL;
}

static void *create(void *env, const void *type, size_t minimum, size_t maximum, size_t reserved,
                    size_t guard, memory_t *made)
{
    pool_t *pool = env;
    image_t *image = current ? find_image(current, minimum) : NULL;
    slot_t *slot = NULL;
    (void)type, (void)maximum, (void)reserved, (void)guard;
    if (!image) return pool->settings.error_new("no image is at hand for a memory");
    pthread_mutex_lock(&pool->lock);
    slot = take(image);
    if (slot) image->live++;
    pthread_mutex_unlock(&pool->lock);
    if (!slot) return pool->settings.error_new("no memory is free, or its image cannot be mapped");
    slot->counts = current_counts;
    if (slot->counts) {
        slot->counts->bytes += slot->bytes;
        slot->counts->kept_bytes += slot->kept_bytes;
    }
    made->env = slot;
    made->get = get;
    made->grow = grow;
    made->finalizer = release;
    return NULL;
}

static void free_if_unused(pool_t *pool)
{
    if (pool->ended && !pool->images) free(pool);
}

/* All slots, each with a guard behind it, and one before the first: as Wasmtime has it. */
static size_t mapped_bytes(const settings_t *settings)
{
    return settings->guard + settings->slots * (settings->reservation + settings->guard);
}

/* The engine is gone, and with it all guests. Whoever has images may still close them. */
static void end(void *env)
{
    pool_t *pool = env;
    if (pool->base) munmap(pool->base - pool->settings.guard, mapped_bytes(&pool->settings));
    close(pool->pagemap);
    free(pool->slots);
    pool->ended = 1;
    free_if_unused(pool);
}

static void close_image(image_t *image)
{
    pool_t *pool = image->pool;
    if (pool->ended) {
        forget(image);
        free_if_unused(pool);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    image->closed = 1;
    while (image->free) unmap(take_free(image, &image->free));
    if (!image->live) forget(image);
    pthread_mutex_unlock(&pool->lock);
}

/* No guest of the image will be started any more, nor of those beside it. Those that run keep theirs
 * until they end. */
void edge_image_close(image_t *image)
{
    while (image) {
        image_t *beside = image->beside;
        close_image(image);
        image = beside;
    }
}

/* What makes memories for one engine, NULL where this machine cannot. */
pool_t *edge_memories_open(const settings_t *settings)
{
    uint8_t *base;
    pool_t *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->settings = *settings;
    pthread_mutex_init(&pool->lock, NULL);
    pool->creator = (creator_t){.env = pool, .create = create, .finalizer = end};
    pool->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    pool->slots = calloc(settings->slots, sizeof *pool->slots);
    base = mmap(NULL, mapped_bytes(settings), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base != MAP_FAILED) pool->base = base + settings->guard;
    if (sysconf(_SC_PAGESIZE) == PAGE && pool->pagemap >= 0 && pool->slots && pool->base &&
        edge_pages_are_told(pool))
        return pool;
    end(pool);
    return NULL;
}

const creator_t *edge_memories_creator(pool_t *pool)
{
    return &pool->creator;
}

/* For tests: how much of all free slots is kept mapped. */
size_t edge_memories_kept_bytes(const pool_t *pool)
{
    return pool->kept_bytes;
}
