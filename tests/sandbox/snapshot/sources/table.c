/* An initialiser that builds an 8 MB table, and a handler that looks numbers up in it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define ENTRIES (2u << 20)

static uint32_t *table;
static uint32_t calls;

EXPORT("edge_init") void edge_init(void) {
    uint32_t value = 1;
    table = malloc(ENTRIES * sizeof *table);
    for (uint32_t place = 0; place < ENTRIES; place++) {
        value = value * 1664525u + 1013904223u;
        table[place] = value;
    }
    printf("%u entries\n", (unsigned)ENTRIES);
    fflush(stdout);
}

EXPORT("edge_alloc") void *edge_alloc(uint32_t length) { return malloc(length + 1); }

EXPORT("edge_handle") uint64_t edge_handle(char *event, uint32_t length) {
    static char answer[64];
    event[length] = 0;
    uint32_t place = (uint32_t)strtoul(event, NULL, 10) % ENTRIES;
    int written = snprintf(answer, sizeof answer, "%u %u", (unsigned)table[place], (unsigned)++calls);
    return (uint64_t)(uintptr_t)answer << 32 | (uint32_t)written;
}
