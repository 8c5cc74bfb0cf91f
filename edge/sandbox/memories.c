/* The memories of guests: made for Wasmtime, and put back as they were when a guest is gone.
 *
 * A memory is a slot, mapped copy-on-write from its image. Pages that guests wrote twice are kept: the
 * next guest of the image finds them mapped, and copied back. All else that was written is given back to
 * the kernel, which is asked what that is (PAGEMAP_SCAN, Linux 6.7); pages that were only read stay.
 *
 * Neighbours: memories.py sets it up, opens images and says which is started next on a thread.
 * Invariant: a slot that is not a guest's holds its image, byte for byte, and nothing beyond it can be
 * touched. Between guests of different images a slot is mapped anew.
 * Source of the layouts: wasmtime 50's C headers; Documentation/admin-guide/mm/pagemap.rst.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, REGIONS = 128, KEPT = 2 };
enum { IS_FILE = 4, IS_PRESENT = 8, IS_SWAPPED = 16 };

typedef struct {
    uint64_t size, flags, start, end, walk_end, regions, regions_length, pages_max;
    uint64_t inverted, mask, any_of, returned;
} scan_t;
typedef struct { uint64_t start, end, categories; } region_t;

#define PAGEMAP_SCAN _IOWR('f', 16, scan_t)

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
    size_t kept_bytes;
    counts_t *counts; /* of the guest that has it, if it wants them */
};

struct image {
    pool_t *pool;
    image_t *next;
    image_t *beside; /* of another memory of the same guests */
    slot_t *free;
    char *path;
    uint8_t *bytes; /* as they are to be */
    size_t offset, file_size, size, kept_pages, live;
    int closed;
    uint8_t written[]; /* for each page how often a guest did, up to KEPT */
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
    size_t made, kept_bytes;
    image_t *images;
};

static __thread image_t *current;
static __thread counts_t *current_counts;

static int scan(pool_t *pool, uint8_t *start, size_t size, region_t *found, uint8_t **walked)
{
    scan_t asked = {
        .size = sizeof asked, .start = (uintptr_t)start, .end = (uintptr_t)start + size,
        .regions = (uintptr_t)found, .regions_length = REGIONS,
        .inverted = IS_FILE, .mask = IS_FILE, .any_of = IS_PRESENT | IS_SWAPPED,
    };
    int count = ioctl(pool->pagemap, PAGEMAP_SCAN, &asked);
    *walked = (uint8_t *)(uintptr_t)asked.walk_end;
    return count;
}

/* Map the image's part of its file at a place. It is opened each time: slots are few and mapped
 * seldom, and a thousand modules would hold a thousand descriptors. */
static void *map_file(const image_t *image, void *place, int access)
{
    int flags = MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED;
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
    void *bytes = NULL;
    if (image && kept_path && file_size <= size) {
        image->pool = pool;
        image->beside = beside;
        image->path = kept_path;
        image->offset = offset;
        image->file_size = file_size;
        image->size = size;
        if (size)
            bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        image->bytes = bytes;
        if (bytes != MAP_FAILED && (!file_size || map_file(image, bytes, PROT_READ) != MAP_FAILED)) {
            pthread_mutex_lock(&pool->lock);
            image->next = pool->images;
            pool->images = image;
            pthread_mutex_unlock(&pool->lock);
            return image;
        }
        if (bytes && bytes != MAP_FAILED) munmap(bytes, size);
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
    image_t *image = first;
    while (image && image->size != size) image = image->beside;
    if (image) return image;
    image = edge_image_open(first->pool, "", 0, 0, size, first->beside);
    if (image) first->beside = image;
    return image;
}

static int close_off(uint8_t *start, size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    return !size || mmap(start, size, PROT_NONE, flags, -1, 0) != MAP_FAILED;
}

/* These are called with the lock held. */

static void unmap(slot_t *slot)
{
    pool_t *pool = slot->image->pool;
    pool->kept_bytes -= slot->kept_bytes;
    slot->kept_bytes = 0;
    slot->image = NULL;
    if (!close_off(slot->base, slot->bytes)) abort(); /* else a tenant's bytes would stay */
    slot->bytes = 0;
    slot->next = pool->free;
    pool->free = slot;
}

static void forget(image_t *image)
{
    image_t **place = &image->pool->images;
    while (*place != image) place = &(*place)->next;
    *place = image->next;
    if (image->size) munmap(image->bytes, image->size);
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
        slot_t *theirs = image->free;
        if (!theirs) continue;
        image->free = theirs->next;
        unmap(theirs);
        slot = pool->free;
    }
    if (slot) pool->free = slot->next;
    return slot;
}

static int map_image(uint8_t *base, const image_t *image)
{
    int access = PROT_READ | PROT_WRITE;
    size_t begun = (image->file_size + PAGE - 1) / PAGE * PAGE;
    if (image->file_size && map_file(image, base, access) == MAP_FAILED) return 0;
    return begun == image->size || !mprotect(base + begun, image->size - begun, access);
}

static slot_t *take(image_t *image)
{
    pool_t *pool = image->pool;
    slot_t *slot = image->free;
    if (slot) {
        image->free = slot->next;
        return slot;
    }
    slot = find_free(pool);
    if (!slot) return NULL;
    if (!map_image(slot->base, image)) {
        if (!close_off(slot->base, image->size)) abort();
        slot->next = pool->free;
        pool->free = slot;
        return NULL;
    }
    slot->image = image;
    slot->bytes = image->size;
    return slot;
}

/* These without. */

/* Copy back a stretch of pages that are all kept, or give back one of which none is. */
static size_t restore(slot_t *slot, size_t start, size_t size, int is_kept)
{
    uint8_t *base = slot->base + start;
    if (is_kept) memcpy(base, slot->image->bytes + start, size);
    else if (madvise(base, size, MADV_DONTNEED)) abort(); /* as above */
    return is_kept ? size : 0;
}

/* Whether guests write a page so often that it is kept; told that one did. */
static int is_usual(image_t *image, size_t page)
{
    if (image->written[page] >= KEPT) return 1;
    if (image->kept_pages >= image->pool->settings.kept_pages_max) return 0;
    if (++image->written[page] < KEPT) return 0;
    image->kept_pages++;
    return 1;
}

/* Put back what a region of written pages was; how much of it stays mapped. */
static size_t restore_region(slot_t *slot, size_t start, size_t end)
{
    size_t kept = 0;
    while (start < end) {
        int usual = is_usual(slot->image, start / PAGE);
        size_t next = start + PAGE;
        while (next < end && usual && slot->image->written[next / PAGE] >= KEPT) next += PAGE;
        while (!usual && next < end && !is_usual(slot->image, next / PAGE)) next += PAGE;
        kept += restore(slot, start, next - start, usual);
        start = next;
    }
    return kept;
}

static void reset(slot_t *slot)
{
    region_t found[REGIONS];
    image_t *image = slot->image;
    pool_t *pool = image->pool;
    uint8_t *at = slot->base, *end = slot->base + image->size;
    size_t kept = 0;
    if (slot->bytes > image->size && !close_off(end, slot->bytes - image->size)) abort();
    slot->bytes = image->size;
    while (at < end) {
        int count = scan(pool, at, end - at, found, &at);
        if (count < 0) {
            if (madvise(slot->base, image->size, MADV_DONTNEED)) abort();
            kept = 0;
            break;
        }
        for (int index = 0; index < count; index++) {
            uint8_t *from = (uint8_t *)(uintptr_t)found[index].start;
            uint8_t *to = (uint8_t *)(uintptr_t)found[index].end;
            kept += restore_region(slot, from - slot->base, to - slot->base);
        }
    }
    pthread_mutex_lock(&pool->lock);
    pool->kept_bytes += kept - slot->kept_bytes;
    slot->kept_bytes = kept;
    pthread_mutex_unlock(&pool->lock);
}

static void release(void *env)
{
    slot_t *slot = env;
    image_t *image = slot->image;
    pool_t *pool = image->pool;
    reset(slot);
    pthread_mutex_lock(&pool->lock);
    image->live--;
    if (image->closed || pool->kept_bytes > pool->settings.kept_bytes_max) {
        unmap(slot);
        if (image->closed && !image->live) forget(image);
    } else {
        slot->next = image->free;
        image->free = slot;
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
    while (image->free) {
        slot_t *slot = image->free;
        image->free = slot->next;
        unmap(slot);
    }
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
    region_t found[REGIONS];
    uint8_t *walked, *base;
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
        scan(pool, pool->base, PAGE, found, &walked) == 0)
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
