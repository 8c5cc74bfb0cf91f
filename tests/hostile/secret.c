/* secret: one tenant leaves a secret wherever a guest can write, another looks for it wherever a
 * guest can read. {"mode": "write"} tells how many bytes it filled; {"mode": "read"} how many it
 * read and how often it found the secret there, which must be never.
 *
 * The secret is a constant of the code, which is not in memory: what the reader finds was left.
 */
#include "edge.h"

enum { PAGE_BYTES = 65536, STACK_WORDS = 16384, STATIC_WORDS = 131072 };

static const uint64_t secret = 0x5ec2e7a11ce0b0b5;

static uint64_t static_words[STATIC_WORDS];

static size_t memory_bytes(void) { return __builtin_wasm_memory_size(0) * (size_t)PAGE_BYTES; }

static void fill(volatile uint64_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) words[i] = secret;
}

__attribute__((noinline)) static size_t fill_stack(void) {
    volatile uint64_t words[STACK_WORDS];
    fill(words, STACK_WORDS);
    return sizeof words;
}

static edge_result write_secret(void) {
    fill(static_words, STATIC_WORDS);
    size_t written_bytes = fill_stack() + sizeof static_words;
    for (size_t page; (page = __builtin_wasm_memory_grow(0, 1)) != SIZE_MAX;) {
        fill((uint64_t *)(page * PAGE_BYTES), PAGE_BYTES / sizeof secret);
        written_bytes += PAGE_BYTES;
    }
    return edge_ok(edge_of_int((int64_t)written_bytes));
}

static size_t count_secrets(size_t start, size_t end) {
    size_t found = 0;
    for (; start < end; start += sizeof secret) found += *(volatile uint64_t *)start == secret;
    return found;
}

/* Reads all there is, then every page that the host gives. */
static edge_result read_memory(void) {
    size_t found = count_secrets(0, memory_bytes());
    for (size_t page; (page = __builtin_wasm_memory_grow(0, 1)) != SIZE_MAX;)
        found += count_secrets(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_uint(&out, "readBytes", memory_bytes());
    edge_put_uint(&out, "found", found);
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

static edge_result tenant(edge_value event, edge_value context) {
    (void)context;
    bool writes = edge_equal(edge_text(edge_get(event, "mode")), "write");
    return writes ? write_secret() : read_memory();
}

EDGE_HANDLER(tenant)
