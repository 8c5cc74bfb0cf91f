/* misbehave: one guest with every way of going wrong that a handler has. The event names it:
 * {"mode": "loop"}. What can be chosen from outside the handler (imports, exports, edge_alloc, the
 * start function) has files of its own beside this one.
 *
 * It goes below the SDK on purpose: the SDK would refuse to send most of this.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge.h"

enum { PAGE_BYTES = 65536, NESTED_LEVELS = 100000, RESULT_BYTES_MAX = 6 * 1024 * 1024 };

/* What edge_handle returns: any pointer with any length. */
static uint64_t pack(uint64_t ptr, uint64_t len) { return ptr << 32 | (uint32_t)len; }
static uint64_t pack_bytes(const void *ptr, size_t len) { return pack((uintptr_t)ptr, len); }
static uint64_t pack_result(edge_result result) { return pack_bytes(result.ptr, result.len); }

static uint64_t ok_int(int64_t value) { return pack_result(edge_ok(edge_of_int(value))); }

static size_t memory_bytes(void) { return __builtin_wasm_memory_size(0) * (size_t)PAGE_BYTES; }

/* ---- computing ---- */

static volatile int zero = 0, sink;

static uint64_t loop(edge_value event) {
    (void)event;
    for (;;) sink++;
}

__attribute__((noinline)) static void recurse_once(int depth) {
    if (!zero) recurse_once(depth + 1); /* always, but the compiler must not know */
    sink = depth; /* after the call, so that it cannot become a jump */
}

static uint64_t recurse(edge_value event) {
    (void)event;
    recurse_once(0);
    return ok_int(0);
}

static uint64_t reach_unreachable(edge_value event) {
    (void)event;
    __builtin_trap();
}

static uint64_t divide_by_zero(edge_value event) {
    (void)event;
    return ok_int(sink / zero);
}

static uint64_t read_out_of_bounds(edge_value event) {
    (void)event;
    return ok_int(*(volatile int *)(uintptr_t)0xfffffff0u);
}

/* Leaves with the status that the event names: {"mode": "exit", "status": 3}. */
static uint64_t exit_early(edge_value event) {
    _Exit((int)edge_int(edge_get(event, "status"), 0));
}

static uint64_t sleep_an_hour(edge_value event) {
    (void)event;
    sleep(3600);
    return ok_int(0);
}

/* ---- memory ---- */

/* Grows page by page until the host refuses, asks a thousand times more, and tells how many pages
 * there were. The first word of each is written: memory that is promised must be there. */
static uint64_t grow(edge_value event) {
    (void)event;
    for (int refused = 0; refused < 1000;) {
        size_t page = __builtin_wasm_memory_grow(0, 1);
        if (page == SIZE_MAX) refused++;
        else *(volatile int *)(page * PAGE_BYTES) = 1;
    }
    return ok_int((int64_t)__builtin_wasm_memory_size(0));
}

/* The dearest instruction there is, again and again: each fill is one step that cannot be cut. */
static uint64_t fill(edge_value event) {
    (void)event;
    size_t start = memory_bytes();
    while (__builtin_wasm_memory_grow(0, 16) != SIZE_MAX) {}
    for (int value = 0;; value++) memset((void *)start, value, memory_bytes() - start);
}

/* ---- results ---- */

static uint64_t result_out_of_bounds(edge_value event) {
    (void)event;
    return pack(memory_bytes() + PAGE_BYTES, 16);
}

static uint64_t result_across_the_end(edge_value event) {
    (void)event;
    return pack(memory_bytes() - 8, 9);
}

static uint64_t result_negative_pointer(edge_value event) {
    (void)event;
    return pack((uint32_t)-16, 8);
}

static uint64_t result_negative_length(edge_value event) {
    (void)event;
    return pack(1024, (uint32_t)-1);
}

/* Pointer and length each fit; their sum is more than 32 bits hold. */
static uint64_t result_sum_overflows(edge_value event) {
    (void)event;
    return pack(0xfffffff0u, 0x20);
}

/* Bytes of the message that the host itself wrote: in bounds, but no envelope. */
static uint64_t result_overlapping(edge_value event) {
    return pack_bytes(event.at - 1, 64);
}

static uint64_t result_empty(edge_value event) {
    (void)event;
    return 0;
}

static uint64_t result_malformed(edge_value event) {
    (void)event;
    return pack_bytes("\xa1\x62ok\x1c", 5);
}

static uint64_t result_cut(edge_value event) {
    (void)event;
    return pack_bytes("\xa1\x62ok\x82\x01", 6);
}

static uint64_t result_not_utf8(edge_value event) {
    (void)event;
    return pack_bytes("\xa1\x62ok\x62\xff\xfe", 7);
}

static uint64_t result_without_envelope(edge_value event) {
    (void)event;
    return pack_bytes("\x18\x2a", 2);
}

/* {"ok": [[[…]]]}: small to send, and the end of whoever reads it by recursion. */
static uint64_t result_nested(edge_value event) {
    (void)event;
    uint8_t *bytes = edge_memory(4 + NESTED_LEVELS + 1);
    memcpy(bytes, "\xa1\x62ok", 4);
    memset(bytes + 4, 0x81, NESTED_LEVELS);
    bytes[4 + NESTED_LEVELS] = 0;
    return pack_bytes(bytes, 4 + NESTED_LEVELS + 1);
}

/* A byte string of 4 GB, an array of 4 G items, a map of 2^64: all in a few bytes. */
static uint64_t result_claims_bytes(edge_value event) {
    (void)event;
    return pack_bytes("\xa1\x62ok\x5a\xff\xff\xff\xff", 9);
}

static uint64_t result_claims_items(edge_value event) {
    (void)event;
    return pack_bytes("\xa1\x62ok\x9a\xff\xff\xff\xff", 9);
}

static uint64_t result_claims_entries(edge_value event) {
    (void)event;
    return pack_bytes("\xa1\x62ok\xbb\xff\xff\xff\xff\xff\xff\xff\xff", 13);
}

static uint64_t result_too_large(edge_value event) {
    (void)event;
    void *body = edge_memory(RESULT_BYTES_MAX + 1);
    return pack_result(edge_respond(200, "text/plain", body, RESULT_BYTES_MAX + 1));
}

/* ---- host calls ---- */

static uint64_t log_forever(edge_value event) {
    (void)event;
    for (;;) edge_log(EDGE_INFO, "a line of some length, again and again and again and again");
}

static uint64_t log_large(edge_value event) {
    (void)event;
    size_t len = 16 * 1024 * 1024;
    void *line = edge_memory(len);
    memset(line, 'x', len);
    edge__import_log(EDGE_INFO, line, len);
    return ok_int(0);
}

/* Levels and bytes that are none. The log takes them or drops them; the guest goes on. */
static uint64_t log_garbage(edge_value event) {
    (void)event;
    edge__import_log(-7, "\xff\xfe\x00\n\r", 5);
    edge__import_log(INT32_MAX, "", 0);
    return ok_int(0);
}

static uint64_t log_bad_pointer(edge_value event) {
    (void)event;
    edge__import_log(EDGE_INFO, (void *)(memory_bytes() - 4), 8);
    return ok_int(0);
}

static uint64_t print_forever(edge_value event) {
    (void)event;
    static const char line[] = "standard output, without end\n";
    for (;;) write(1, line, sizeof line - 1);
}

static uint64_t get_forever(edge_value event) {
    (void)event;
    edge_slice key = edge_str("flood");
    uint8_t *start = edge__arena.next;
    for (;;) {
        edge_kv_get(NULL, key);
        edge__arena.next = start;
    }
}

/* Sends bytes as a request, and returns the length of the answer, which ought to be an error's. */
static uint64_t send(const void *bytes, size_t len) {
    return ok_int(edge__import_call(bytes, len));
}

static uint64_t call_garbage(edge_value event) {
    (void)event;
    return send("\x1c\xff\x00 garbage", 11);
}

static uint64_t call_empty(edge_value event) {
    (void)event;
    return send("", 0);
}

static uint64_t call_not_a_map(edge_value event) {
    (void)event;
    return send("\x83\x01\x02\x03", 4);
}

static uint64_t call_claims_bytes(edge_value event) {
    (void)event;
    return send("\xa1\x62op\x7a\xff\xff\xff\xff", 9);
}

static uint64_t call_nested(edge_value event) {
    (void)event;
    uint8_t *bytes = edge_memory(NESTED_LEVELS);
    memset(bytes, 0x81, NESTED_LEVELS);
    return send(bytes, NESTED_LEVELS);
}

/* Operations and arguments that do not exist, then one request per shape that an argument has. */
static uint64_t call_wrong_arguments(edge_value event) {
    (void)event;
    static const char *const ops[] = {
        "", "kv", "kv.", "kv.drop", "kv.get", "kv.put", "kv.delete", "kv.list", "kv.increment",
        "fetch", "__class__",
    };
    int64_t errors = 0;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        for (int shape = 0; shape < 4; shape++) {
            edge_writer out = {0};
            edge_write_map(&out);
            edge_put_text(&out, "op", edge_str(ops[i]));
            for (const char *const *name = (const char *const[]){"key", "url", "limit", "by", NULL};
                 *name; name++) {
                edge_write_key(&out, *name);
                if (shape == 0) edge_write_null(&out);
                if (shape == 1) edge_write_float(&out, -0.5);
                if (shape == 2) edge_write_uint(&out, UINT64_MAX);
                if (shape == 3) edge_write_bytes(&out, edge_str("\xff\xff"));
            }
            edge_write_end(&out);
            errors += edge_call(edge_finish(&out)).error.code != 0;
        }
    }
    return ok_int(errors);
}

static uint64_t call_bad_pointer(edge_value event) {
    (void)event;
    return send((void *)(memory_bytes() - 4), 8);
}

static uint64_t call_negative_length(edge_value event) {
    (void)event;
    return send("\xa0", (size_t)-1);
}

static uint64_t take_without_call(edge_value event) {
    (void)event;
    edge__import_take(edge_memory(16));
    return ok_int(0);
}

static uint64_t take_bad_pointer(edge_value event) {
    (void)event;
    edge__import_call("\xa1\x62op\x60", 5);
    edge__import_take((void *)(memory_bytes() - 1));
    return ok_int(0);
}

static uint64_t take_twice(edge_value event) {
    (void)event;
    int32_t len = edge__import_call("\xa1\x62op\x60", 5);
    void *room = edge_memory((size_t)len);
    edge__import_take(room);
    edge__import_take(room);
    return ok_int(0);
}

/* ---- the event chooses ---- */

#define MODE(name) {#name, name}

static const struct {
    const char *name;
    uint64_t (*run)(edge_value event);
} modes[] = {
    MODE(loop), MODE(recurse), MODE(reach_unreachable), MODE(divide_by_zero),
    MODE(read_out_of_bounds), MODE(exit_early), MODE(sleep_an_hour), MODE(grow), MODE(fill),
    MODE(result_out_of_bounds), MODE(result_across_the_end), MODE(result_negative_pointer),
    MODE(result_negative_length), MODE(result_sum_overflows), MODE(result_overlapping),
    MODE(result_empty), MODE(result_malformed), MODE(result_cut), MODE(result_not_utf8),
    MODE(result_without_envelope), MODE(result_nested), MODE(result_claims_bytes),
    MODE(result_claims_items), MODE(result_claims_entries), MODE(result_too_large),
    MODE(log_forever), MODE(log_large), MODE(log_garbage), MODE(log_bad_pointer),
    MODE(print_forever), MODE(get_forever), MODE(call_garbage), MODE(call_empty),
    MODE(call_not_a_map), MODE(call_claims_bytes), MODE(call_nested), MODE(call_wrong_arguments),
    MODE(call_bad_pointer), MODE(call_negative_length), MODE(take_without_call),
    MODE(take_bad_pointer), MODE(take_twice),
};

/* {"mode": "modes"} lists them all, so that no test forgets one. */
static uint64_t list_modes(void) {
    edge_writer out = {0};
    edge_write_array(&out);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        edge_write_text(&out, edge_str(modes[i].name));
    edge_write_end(&out);
    return pack_result(edge_ok(edge_finish(&out)));
}

EDGE_EXPORT("edge_alloc") void *edge_alloc(size_t len) { return edge_memory(len); }

EDGE_EXPORT("edge_handle") uint64_t edge_handle(const uint8_t *message, size_t len) {
    edge_value event = edge_get(edge_decode(message, len), "event");
    edge_slice mode = edge_text(edge_get(event, "mode"));
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (edge_equal(mode, modes[i].name)) return modes[i].run(event);
    return edge_equal(mode, "modes") ? list_modes() : ok_int(0); /* any other event is harmless */
}
