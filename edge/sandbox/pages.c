/* What guests wrote in their memories, and how it is put back.
 *
 * The kernel is asked which pages of a slot were written (PAGEMAP_SCAN, Linux 6.7). Those that guests of
 * the image often write are kept: copied back, and found mapped by the next. All others are given back to
 * the kernel; pages that were only read stay.
 *
 * A page is kept from the second time that it is written, and until it was found as it is to be 253 times
 * in a row: to look at it takes 0.1 us, to fault it in again 1, and many are written with what they held.
 *
 * Neighbours: memories.c calls it when a guest is gone.
 * Invariant: afterwards a slot holds its image, byte for byte. Two threads may count at once, and wrongly;
 * that costs time only, since each page that was written is copied back or given back. A slot of which one
 * can be neither is not used again.
 * Source: Documentation/admin-guide/mm/pagemap.rst.
 */
#define _GNU_SOURCE
#include "memories.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { REGIONS = 128 };
enum { IS_FILE = 4, IS_PRESENT = 8, IS_SWAPPED = 16, IS_ZERO = 32 }; /* zero: only read */
enum { KEPT = 2, CREDIT = 255 };

typedef struct {
    uint64_t size, flags, start, end, walk_end, regions, regions_length, pages_max;
    uint64_t inverted, mask, any_of, returned;
} scan_t;
typedef struct { uint64_t start, end, categories; } region_t;

#define PAGEMAP_SCAN _IOWR('f', 16, scan_t)

static int scan(pool_t *pool, uint8_t *start, size_t size, region_t *found, uint8_t **walked)
{
    scan_t asked = {
        .size = sizeof asked, .start = (uintptr_t)start, .end = (uintptr_t)start + size,
        .regions = (uintptr_t)found, .regions_length = REGIONS,
        .inverted = IS_FILE | IS_ZERO, .mask = IS_FILE | IS_ZERO, .any_of = IS_PRESENT | IS_SWAPPED,
    };
    int count = ioctl(pool->pagemap, PAGEMAP_SCAN, &asked);
    *walked = (uint8_t *)(uintptr_t)asked.walk_end;
    return count;
}

int edge_pages_are_told(pool_t *pool)
{
    region_t found[REGIONS];
    uint8_t *walked;
    return scan(pool, pool->base, PAGE, found, &walked) == 0;
}

/* What a page of the image is. */
static const uint8_t *original(const image_t *image, size_t number)
{
    static const uint8_t zeros[PAGE];
    return number * PAGE < image->file_size ? image->bytes + number * PAGE : zeros;
}

/* Put back a page that is kept; 0 when it is not written often enough to stay so. */
static int put_back(image_t *image, uint8_t *page, size_t number)
{
    const uint8_t *as = original(image, number);
    uint8_t credit = image->credit[number];
    if (memcmp(page, as, PAGE)) {
        memcpy(page, as, PAGE);
        image->credit[number] = CREDIT;
        return 1;
    }
    if (credit > KEPT) {
        image->credit[number] = credit - 1;
        return 1;
    }
    image->credit[number] = 0;
    if (image->kept_pages) image->kept_pages--;
    return 0;
}

/* Put back a page that was written; 0 when it is to be given back instead. */
static int stays(slot_t *slot, size_t number)
{
    image_t *image = slot->image;
    uint8_t *page = slot->base + number * PAGE;
    if (image->credit[number] >= KEPT) return put_back(image, page, number);
    if (image->kept_pages >= image->pool->settings.kept_pages_max) return 0;
    if (++image->credit[number] < KEPT) return 0;
    image->credit[number] = CREDIT;
    image->kept_pages++;
    return put_back(image, page, number);
}

static int give_back(uint8_t *start, uint8_t *end)
{
    return end <= start || !madvise(start, end - start, MADV_DONTNEED);
}

/* Put back a region of written pages, and count what of it stays mapped. */
static int restore_region(slot_t *slot, uint8_t *start, uint8_t *end, size_t *kept)
{
    uint8_t *given = start;
    for (uint8_t *page = start; page < end; page += PAGE) {
        if (!stays(slot, (page - slot->base) / PAGE)) continue;
        if (!give_back(given, page)) return 0;
        given = page + PAGE;
        *kept += PAGE;
    }
    return give_back(given, end);
}

int edge_pages_restore(slot_t *slot, size_t *kept)
{
    region_t found[REGIONS];
    uint8_t *at = slot->base, *end = slot->base + slot->image->size;
    *kept = 0;
    while (at < end) {
        int count = scan(slot->image->pool, at, end - at, found, &at);
        if (count < 0) {
            *kept = 0;
            return give_back(slot->base, end);
        }
        for (int index = 0; index < count; index++) {
            uint8_t *from = (uint8_t *)(uintptr_t)found[index].start;
            uint8_t *to = (uint8_t *)(uintptr_t)found[index].end;
            if (!restore_region(slot, from, to, kept)) return 0;
        }
    }
    return 1;
}
