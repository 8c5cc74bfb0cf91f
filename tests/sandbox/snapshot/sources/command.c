/* Linked without a reactor's _initialize, so that wasm-ld wraps each export in constructors. */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

static volatile int made;
static char buffer[1024];

__attribute__((constructor)) static void make(void) { made++; }

EXPORT("edge_init") void edge_init(void) {}

EXPORT("edge_alloc") void *edge_alloc(uint32_t length) {
    return length <= sizeof buffer ? buffer : 0;
}

EXPORT("edge_handle") uint64_t edge_handle(char *event, uint32_t length) {
    event[0] = (char)made;
    return (uint64_t)(uintptr_t)event << 32 | length;
}
