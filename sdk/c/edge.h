/* edge.h: functions for edge in C. One header, nothing to link, no libc needed.
 *
 *     #include "edge.h"
 *
 *     static edge_result hello(edge_value event, edge_value context) {
 *         edge_slice name = edge_query(event, "name");
 *         edge_slice text = edge_format("Hello, %.*s!\n", EDGE_FMT(name));
 *         return edge_respond(200, "text/plain", text.ptr, text.len);
 *     }
 *     EDGE_HANDLER(hello)
 *
 * Contents:  1 slices and memory   2 reading values   3 writing values   4 formatting
 *            5 HTTP events         6 results          7 host calls       8 exports
 *
 * Memory. Every request runs in a fresh instance that is thrown away afterwards, so nothing here
 * is ever freed: what edge_memory() returns lives until the request ends. What EDGE_INIT allocates
 * is part of the snapshot, and every request starts with it.
 *
 * Names. edge_* is the interface; edge__* is inside and may change. Everything is static: a
 * program of several files may include this header in each, and gets one arena in each.
 *
 * Targets. wasm32-wasi with -mexec-model=reactor, or wasm32-freestanding. C11, clang or zig cc.
 */
#ifndef EDGE_H
#define EDGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __wasm32__
#error "edge.h is for WebAssembly: compile with `python -m ziglang cc -target wasm32-wasi`"
#endif

/* How deep values may nest, read or written. It bounds the recursion of everything below. */
#ifndef EDGE_DEPTH_MAX
#define EDGE_DEPTH_MAX 64
#endif

/* The arena's first block. Requests that need no more never ask the host for memory. */
#ifndef EDGE_ARENA_BYTES
#define EDGE_ARENA_BYTES 65536
#endif

/* ---------------------------------------------------------------- 1 slices and memory ------- */

/* Some bytes: text (UTF-8, not zero-terminated) or binary. ptr is NULL where there is none. */
typedef struct {
    const char *ptr;
    size_t len;
} edge_slice;

/* For "%.*s": edge_format("%.*s", EDGE_FMT(slice)). */
#define EDGE_FMT(slice) (int)(slice).len, (slice).ptr

static inline edge_slice edge_slice_of(const void *ptr, size_t len) {
    return (edge_slice){(const char *)ptr, len};
}

/* A slice of a zero-terminated string; NULL gives the slice that is none. */
static inline edge_slice edge_str(const char *text) {
    return edge_slice_of(text, text ? __builtin_strlen(text) : 0);
}

static inline bool edge_equal(edge_slice slice, const char *text) {
    size_t len = __builtin_strlen(text);
    return slice.ptr && slice.len == len && __builtin_memcmp(slice.ptr, text, len) == 0;
}

/* slice, or fallback where slice is none or empty. */
static inline edge_slice edge_or(edge_slice slice, const char *fallback) {
    return slice.len ? slice : edge_str(fallback);
}

static uint8_t edge__first_block[EDGE_ARENA_BYTES] __attribute__((aligned(16)));
static struct {
    uint8_t *first, *next, *end; /* of the block that is being given out */
} edge__arena = {edge__first_block, edge__first_block, edge__first_block + EDGE_ARENA_BYTES};

/* Makes room for size more bytes at the arena's end. The bytes there now stay where they are only
 * if the new pages happen to continue them; callers that hold some must look. */
static inline bool edge__arena_grow(size_t size) {
    const size_t page_bytes = 65536;
    if (size > UINT32_MAX - page_bytes) return false;
    size_t pages = (size + page_bytes - 1) / page_bytes;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == SIZE_MAX) return false;
    uint8_t *start = (uint8_t *)(uintptr_t)(before * page_bytes);
    if (start != edge__arena.end) edge__arena.first = edge__arena.next = start;
    edge__arena.end = start + pages * page_bytes;
    return true;
}

/* size bytes, aligned to 16, for as long as the request lasts. NULL when memory is used up. */
static inline void *edge_memory(size_t size) {
    if (size > UINT32_MAX - 16) return NULL;
    size = (size + 15) & ~(size_t)15;
    if (size > (size_t)(edge__arena.end - edge__arena.next) && !edge__arena_grow(size)) return NULL;
    uint8_t *block = edge__arena.next;
    edge__arena.next += size;
    return block;
}

/* Gives back all that was asked for since edge__arena.next was `next`. */
static inline void edge__give_back(uint8_t *next) {
    bool same_block = next >= edge__arena.first && next <= edge__arena.end;
    edge__arena.next = same_block ? next : edge__arena.first;
}

/* ---------------------------------------------------------------- 2 reading values ---------- */

/* A view of one value: a pointer to its CBOR, which was checked as a whole before any view of it
 * was given out. So a view cannot lead outside its message, and reading one never fails: where a
 * value is absent or of another kind, the reader says so or returns the fallback it was given. */
typedef struct {
    const uint8_t *at;
} edge_value;

typedef enum {
    EDGE_ABSENT, /* no such key, or no value at all */
    EDGE_NULL,   /* null, undefined, and simple values without a meaning of their own */
    EDGE_BOOL,
    EDGE_INT,
    EDGE_FLOAT,
    EDGE_TEXT,
    EDGE_BYTES,
    EDGE_ARRAY,
    EDGE_MAP,
} edge_kind;

/* CBOR's major types (RFC 8949, 3.1) and the two heads that stand for themselves. */
enum {
    EDGE__UINT, EDGE__NEGATIVE, EDGE__BYTES, EDGE__TEXT,
    EDGE__ARRAY, EDGE__MAP, EDGE__TAG, EDGE__SIMPLE,
    EDGE__INDEFINITE = 31, /* the additional information "length unknown" */
    EDGE__BREAK = 0xff,    /* ends an item of unknown length */
};

typedef struct {
    uint8_t major, info;
    uint64_t argument;
    const uint8_t *rest; /* the first byte after the head */
} edge__head;

static inline size_t edge__head_size(uint8_t first) {
    uint8_t info = first & 31;
    return info < 24 || info > 27 ? 1 : 1 + ((size_t)1 << (info - 24));
}

static inline edge__head edge__read_head(const uint8_t *at) {
    edge__head head = {.major = (uint8_t)(at[0] >> 5),
                       .info = (uint8_t)(at[0] & 31),
                       .rest = at + edge__head_size(*at)};
    if (head.rest == at + 1) head.argument = head.info;
    for (at++; at < head.rest; at++) head.argument = head.argument << 8 | *at;
    return head;
}

static inline const uint8_t *edge__check(const uint8_t *at, uintptr_t end, int depth);

/* The chunks of a string of unknown length: each a definite string of the same major type. */
static inline const uint8_t *edge__check_chunks(const uint8_t *at, uintptr_t end, uint8_t major) {
    while (at && (uintptr_t)at < end && *at != EDGE__BREAK) {
        if (*at >> 5 != major || (*at & 31) == EDGE__INDEFINITE) return NULL;
        at = edge__check(at, end, EDGE_DEPTH_MAX);
    }
    return at && (uintptr_t)at < end ? at + 1 : NULL;
}

static inline const uint8_t *edge__check_items(edge__head head, uintptr_t end, int depth) {
    const uint8_t *at = head.rest;
    uint64_t per_entry = head.major == EDGE__MAP ? 2 : 1;
    if (head.info != EDGE__INDEFINITE) {
        /* Every item has a byte at least: a count beyond that is refused before it is used. */
        if (head.argument > end - (uintptr_t)at) return NULL;
        for (uint64_t left = head.argument * per_entry; at && left > 0; left--)
            at = edge__check(at, end, depth + 1);
        return at;
    }
    uint64_t items = 0;
    for (; at && (uintptr_t)at < end && *at != EDGE__BREAK; items++)
        at = edge__check(at, end, depth + 1);
    return at && (uintptr_t)at < end && items % per_entry == 0 ? at + 1 : NULL;
}

/* The first byte after the item at `at`, or NULL if it is not well-formed (RFC 8949, appendix C),
 * nests deeper than EDGE_DEPTH_MAX or reaches past end. The only code that sees unchecked bytes. */
static inline const uint8_t *edge__check(const uint8_t *at, uintptr_t end, int depth) {
    if (depth > EDGE_DEPTH_MAX || (uintptr_t)at >= end) return NULL;
    if (end - (uintptr_t)at < edge__head_size(*at)) return NULL;
    edge__head head = edge__read_head(at);
    bool indefinite = head.info == EDGE__INDEFINITE;
    if (head.info >= 28 && !indefinite) return NULL;
    switch (head.major) {
    case EDGE__BYTES:
    case EDGE__TEXT:
        if (indefinite) return edge__check_chunks(head.rest, end, head.major);
        return head.argument > end - (uintptr_t)head.rest ? NULL : head.rest + head.argument;
    case EDGE__ARRAY:
    case EDGE__MAP:
        return edge__check_items(head, end, depth);
    case EDGE__TAG:
        return indefinite ? NULL : edge__check(head.rest, end, depth + 1);
    case EDGE__SIMPLE:
        return indefinite || (head.info == 24 && head.argument < 32) ? NULL : head.rest;
    default:
        return indefinite ? NULL : head.rest;
    }
}

/* The end of an item that was checked before, so that no bound is needed. */
static inline const uint8_t *edge__skip(const uint8_t *at) {
    return edge__check(at, UINTPTR_MAX, 0);
}

/* The item behind any tags: a tag's number is ignored, its content is the value. */
static inline edge__head edge__untagged(edge_value value) {
    edge__head head = edge__read_head(value.at);
    while (head.major == EDGE__TAG) head = edge__read_head(head.rest);
    return head;
}

/* Checks len bytes of CBOR and views the one value in them; absent if they are malformed, nested
 * too deeply or followed by more. The bytes must stay as they are while views of them are used. */
static inline edge_value edge_decode(const void *cbor, size_t len) {
    uintptr_t end = (uintptr_t)cbor + len;
    const uint8_t *rest = edge__check((const uint8_t *)cbor, end, 0);
    return (edge_value){rest && (uintptr_t)rest == end ? (const uint8_t *)cbor : NULL};
}

/* A value's own CBOR, for storing or comparing. */
static inline edge_slice edge_encoded(edge_value value) {
    return edge_slice_of(value.at, value.at ? (size_t)(edge__skip(value.at) - value.at) : 0);
}

static inline edge_kind edge_kind_of(edge_value value) {
    if (!value.at) return EDGE_ABSENT;
    edge__head head = edge__untagged(value);
    switch (head.major) {
    case EDGE__UINT:
    case EDGE__NEGATIVE: return EDGE_INT;
    case EDGE__BYTES: return EDGE_BYTES;
    case EDGE__TEXT: return EDGE_TEXT;
    case EDGE__ARRAY: return EDGE_ARRAY;
    case EDGE__MAP: return EDGE_MAP;
    }
    if (head.info == 20 || head.info == 21) return EDGE_BOOL;
    return head.info >= 25 && head.info <= 27 ? EDGE_FLOAT : EDGE_NULL;
}

static inline bool edge_bool(edge_value value, bool fallback) {
    return edge_kind_of(value) == EDGE_BOOL ? edge__untagged(value).info == 21 : fallback;
}

/* An integer that fits; the fallback for one that does not, and for a float. */
static inline int64_t edge_int(edge_value value, int64_t fallback) {
    if (edge_kind_of(value) != EDGE_INT) return fallback;
    edge__head head = edge__untagged(value);
    if (head.argument > INT64_MAX) return fallback;
    return head.major == EDGE__UINT ? (int64_t)head.argument : -1 - (int64_t)head.argument;
}

static inline uint64_t edge_uint(edge_value value, uint64_t fallback) {
    if (edge_kind_of(value) != EDGE_INT) return fallback;
    edge__head head = edge__untagged(value);
    return head.major == EDGE__UINT ? head.argument : fallback;
}

/* A half-precision float, rebuilt as a double: only the exponent's bias differs. */
static inline double edge__half(uint64_t half) {
    uint64_t exponent = half >> 10 & 31, fraction = half & 1023;
    double sign = half >> 15 ? -1.0 : 1.0;
    if (exponent == 0) return sign * (double)fraction * 0x1p-24;
    uint64_t biased = exponent == 31 ? 2047 : exponent - 15 + 1023;
    return sign * __builtin_bit_cast(double, biased << 52 | fraction << 42);
}

/* A float, or an integer as one. */
static inline double edge_float(edge_value value, double fallback) {
    edge_kind kind = edge_kind_of(value);
    if (kind != EDGE_INT && kind != EDGE_FLOAT) return fallback;
    edge__head head = edge__untagged(value);
    if (head.major == EDGE__UINT) return (double)head.argument;
    if (head.major == EDGE__NEGATIVE) return -1.0 - (double)head.argument;
    if (head.info == 25) return edge__half(head.argument);
    if (head.info == 26) return (double)__builtin_bit_cast(float, (uint32_t)head.argument);
    return __builtin_bit_cast(double, head.argument);
}

/* A string of unknown length is joined in the arena; any other is a view, without a copy. */
static inline edge_slice edge__string(edge_value value) {
    edge__head head = edge__untagged(value);
    if (head.info != EDGE__INDEFINITE)
        return edge_slice_of(head.rest, (size_t)head.argument);
    size_t len = 0;
    for (const uint8_t *at = head.rest; *at != EDGE__BREAK; at = edge__skip(at))
        len += (size_t)edge__read_head(at).argument;
    char *joined = (char *)edge_memory(len);
    if (!joined) return (edge_slice){NULL, 0};
    len = 0;
    for (const uint8_t *at = head.rest; *at != EDGE__BREAK; at = edge__skip(at)) {
        edge__head chunk = edge__read_head(at);
        __builtin_memcpy(joined + len, chunk.rest, (size_t)chunk.argument);
        len += (size_t)chunk.argument;
    }
    return edge_slice_of(joined, len);
}

/* A text string; none for anything else. */
static inline edge_slice edge_text(edge_value value) {
    return edge_kind_of(value) == EDGE_TEXT ? edge__string(value) : (edge_slice){NULL, 0};
}

/* A byte string, or a text string as its bytes; none for anything else. */
static inline edge_slice edge_bytes(edge_value value) {
    edge_kind kind = edge_kind_of(value);
    return kind == EDGE_TEXT || kind == EDGE_BYTES ? edge__string(value) : (edge_slice){NULL, 0};
}

/* Walks an array's values or a map's keys and values; nothing for other kinds:
 *     for (edge_iter it = edge_iterate(value); edge_next(&it);) use(it.key, it.value);        */
typedef struct {
    edge_value key, value; /* the current entry; in an array, key is absent */
    const uint8_t *at;
    uint64_t left;
    bool is_map;
} edge_iter;

static inline edge_iter edge_iterate(edge_value value) {
    edge_kind kind = edge_kind_of(value);
    if (kind != EDGE_ARRAY && kind != EDGE_MAP) return (edge_iter){0};
    edge__head head = edge__untagged(value);
    bool indefinite = head.info == EDGE__INDEFINITE;
    return (edge_iter){
        .at = head.rest,
        .left = indefinite ? UINT64_MAX : head.argument,
        .is_map = kind == EDGE_MAP,
    };
}

static inline bool edge_next(edge_iter *it) {
    if (it->left == 0 || *it->at == EDGE__BREAK) return false;
    it->left--;
    if (it->is_map) {
        it->key.at = it->at;
        it->at = edge__skip(it->at);
    }
    it->value.at = it->at;
    it->at = edge__skip(it->at);
    return true;
}

/* How many entries an array or a map has; 0 for other kinds. */
static inline size_t edge_count(edge_value value) {
    size_t count = 0;
    for (edge_iter it = edge_iterate(value); edge_next(&it);) count++;
    return count;
}

/* The value under a text key; absent if there is none, or if this is no map. So lookups chain:
 *     edge_get(edge_get(event, "requestContext"), "http")                                     */
static inline edge_value edge_get(edge_value map, const char *key) {
    if (edge_kind_of(map) == EDGE_MAP)
        for (edge_iter it = edge_iterate(map); edge_next(&it);)
            if (edge_equal(edge_text(it.key), key)) return it.value;
    return (edge_value){NULL};
}

/* The value at a position of an array; absent beyond its end. */
static inline edge_value edge_at(edge_value array, size_t index) {
    if (edge_kind_of(array) == EDGE_ARRAY)
        for (edge_iter it = edge_iterate(array); edge_next(&it);)
            if (index-- == 0) return it.value;
    return (edge_value){NULL};
}

/* ---------------------------------------------------------------- 3 writing values ---------- */

/* Builds one value. Start from {0}; maps and arrays are opened and ended, never counted:
 *     edge_writer out = {0};
 *     edge_write_map(&out);
 *     edge_put_text(&out, "name", name);
 *     edge_write_end(&out);
 *     return edge_ok(edge_finish(&out));
 * Mistakes (a key without a value, a missing end, no memory) stick: edge_finish gives absent. */
typedef struct {
    uint8_t *bytes;
    size_t len, capacity;
    bool failed;
    int depth;
    struct {
        size_t start;   /* where the container's head stands */
        uint32_t items; /* written into it so far: keys and values both count */
    } open[EDGE_DEPTH_MAX + 1]; /* open[0] is the writer itself, which must end with one item */
} edge_writer;

/* Gives the writer at least this capacity. A block that is the arena's last grows where it stands;
 * any other moves, so a value that is built in one go is never copied. */
static inline bool edge__enlarge(edge_writer *out, size_t capacity) {
    capacity = (capacity + 15) & ~(size_t)15;
    if (out->bytes && out->bytes + out->capacity == edge__arena.next) {
        uint8_t *end = out->bytes + out->capacity;
        uint8_t *more = (uint8_t *)edge_memory(capacity - out->capacity);
        if (!more) return false;
        if (more == end) {
            out->capacity = capacity;
            return true;
        }
    }
    uint8_t *moved = (uint8_t *)edge_memory(capacity);
    if (!moved) return false;
    if (out->len) __builtin_memcpy(moved, out->bytes, out->len);
    out->bytes = moved;
    out->capacity = capacity;
    return true;
}

/* Room for size more bytes, or NULL and the writer has failed. */
static inline uint8_t *edge__reserve(edge_writer *out, size_t size) {
    if (size > INT32_MAX - out->len) out->failed = true;
    if (out->failed) return NULL;
    size_t needed = out->len + size;
    if (needed > out->capacity) {
        size_t capacity = needed > 2 * out->capacity ? needed : 2 * out->capacity;
        out->failed = !edge__enlarge(out, capacity < 256 ? 256 : capacity);
    }
    return out->failed ? NULL : out->bytes + out->len;
}

static inline void edge__append(edge_writer *out, const void *bytes, size_t len) {
    uint8_t *room = edge__reserve(out, len);
    if (!room) return;
    if (len) __builtin_memcpy(room, bytes, len);
    out->len += len;
}

/* Writes the shortest head for an argument, at most 9 bytes; returns its size. */
static inline size_t edge__encode_head(uint8_t *head, uint8_t major, uint64_t argument) {
    if (argument < 24) {
        head[0] = (uint8_t)(major << 5 | argument);
        return 1;
    }
    int log2_size = argument <= UINT8_MAX ? 0 : argument <= UINT16_MAX ? 1
                  : argument <= UINT32_MAX ? 2 : 3;
    size_t size = (size_t)1 << log2_size;
    head[0] = (uint8_t)(major << 5 | (24 + log2_size));
    for (size_t i = 0; i < size; i++) head[size - i] = (uint8_t)(argument >> (8 * i));
    return size + 1;
}

static inline void edge__write_head(edge_writer *out, uint8_t major, uint64_t argument) {
    uint8_t head[9];
    edge__append(out, head, edge__encode_head(head, major, argument));
    out->open[out->depth].items++;
}

static inline void edge__open(edge_writer *out, uint8_t major) {
    edge__write_head(out, major, 0);
    if (out->failed || out->depth == EDGE_DEPTH_MAX) {
        out->failed = true;
        return;
    }
    out->depth++;
    out->open[out->depth].start = out->len - 1;
    out->open[out->depth].items = 0;
}

static inline void edge_write_map(edge_writer *out) { edge__open(out, EDGE__MAP); }
static inline void edge_write_array(edge_writer *out) { edge__open(out, EDGE__ARRAY); }

/* Ends the map or array opened last. Its head was left one byte long; now that the count is known
 * the content moves if a longer head is needed, and the bytes are what a counting writer makes. */
static inline void edge_write_end(edge_writer *out) {
    if (out->failed || out->depth == 0) {
        out->failed = true;
        return;
    }
    size_t start = out->open[out->depth].start;
    uint32_t count = out->open[out->depth].items;
    uint8_t major = out->bytes[start] >> 5;
    if (major == EDGE__MAP) {
        out->failed = count % 2 != 0;
        count /= 2;
    }
    uint8_t head[9];
    size_t size = edge__encode_head(head, major, count);
    if (!edge__reserve(out, size - 1)) return;
    uint8_t *content = out->bytes + start + 1;
    if (size > 1) __builtin_memmove(content + size - 1, content, out->len - start - 1);
    __builtin_memcpy(out->bytes + start, head, size);
    out->len += size - 1;
    out->depth--;
}

static inline void edge_write_null(edge_writer *out) { edge__write_head(out, EDGE__SIMPLE, 22); }

static inline void edge_write_bool(edge_writer *out, bool value) {
    edge__write_head(out, EDGE__SIMPLE, value ? 21 : 20);
}

static inline void edge_write_uint(edge_writer *out, uint64_t value) {
    edge__write_head(out, EDGE__UINT, value);
}

static inline void edge_write_int(edge_writer *out, int64_t value) {
    if (value >= 0) edge__write_head(out, EDGE__UINT, (uint64_t)value);
    else edge__write_head(out, EDGE__NEGATIVE, ~(uint64_t)value); /* CBOR keeps -1 - value */
}

static inline void edge_write_float(edge_writer *out, double value) {
    uint64_t bits = __builtin_bit_cast(uint64_t, value);
    uint8_t encoded[9] = {EDGE__SIMPLE << 5 | 27};
    for (int i = 0; i < 8; i++) encoded[8 - i] = (uint8_t)(bits >> (8 * i));
    edge__append(out, encoded, sizeof encoded);
    out->open[out->depth].items++;
}

static inline void edge_write_bytes(edge_writer *out, edge_slice bytes) {
    edge__write_head(out, EDGE__BYTES, bytes.len);
    edge__append(out, bytes.ptr, bytes.len);
}

/* The size of the UTF-8 sequence at text (RFC 3629, section 4), or 0 if there is none. */
static inline size_t edge_utf8_size(const uint8_t *text, size_t left) {
    uint8_t first = text[0];
    if (first < 0x80) return 1;
    size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || size > left) return 0;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < size; i++)
        if (text[i] >> 6 != 2) return 0;
    return size;
}

/* A text string. A byte that is not UTF-8 becomes U+FFFD: the host refuses text that is not, and
 * one cut in the middle of a character should not cost the whole answer. */
static inline void edge_write_text(edge_writer *out, edge_slice text) {
    const uint8_t *bytes = (const uint8_t *)text.ptr;
    const uint8_t replacement[3] = {0xef, 0xbf, 0xbd};
    size_t bad = 0, size;
    for (size_t i = 0; i < text.len; i += size ? size : 1)
        bad += !(size = edge_utf8_size(bytes + i, text.len - i));
    edge__write_head(out, EDGE__TEXT, text.len + 2 * bad);
    if (bad == 0) {
        edge__append(out, text.ptr, text.len);
        return;
    }
    for (size_t i = 0; i < text.len; i += size ? size : 1) {
        size = edge_utf8_size(bytes + i, text.len - i);
        if (size) edge__append(out, bytes + i, size);
        else edge__append(out, replacement, sizeof replacement);
    }
}

/* A copy of any value; an absent one is written as null. */
static inline void edge_write_value(edge_writer *out, edge_value value) {
    if (!value.at) {
        edge_write_null(out);
        return;
    }
    edge_slice encoded = edge_encoded(value);
    edge__append(out, encoded.ptr, encoded.len);
    out->open[out->depth].items++;
}

static inline void edge_write_key(edge_writer *out, const char *key) {
    edge_write_text(out, edge_str(key));
}

/* A key and its value in one line. */
static inline void edge_put_bool(edge_writer *out, const char *key, bool value) {
    edge_write_key(out, key);
    edge_write_bool(out, value);
}
static inline void edge_put_int(edge_writer *out, const char *key, int64_t value) {
    edge_write_key(out, key);
    edge_write_int(out, value);
}
static inline void edge_put_uint(edge_writer *out, const char *key, uint64_t value) {
    edge_write_key(out, key);
    edge_write_uint(out, value);
}
static inline void edge_put_float(edge_writer *out, const char *key, double value) {
    edge_write_key(out, key);
    edge_write_float(out, value);
}
static inline void edge_put_text(edge_writer *out, const char *key, edge_slice value) {
    edge_write_key(out, key);
    edge_write_text(out, value);
}
static inline void edge_put_bytes(edge_writer *out, const char *key, edge_slice value) {
    edge_write_key(out, key);
    edge_write_bytes(out, value);
}
static inline void edge_put_value(edge_writer *out, const char *key, edge_value value) {
    edge_write_key(out, key);
    edge_write_value(out, value);
}

/* The value written, or absent if it is not exactly one complete value. */
static inline edge_value edge_finish(edge_writer *out) {
    bool complete = !out->failed && out->depth == 0 && out->open[0].items == 1;
    return (edge_value){complete ? out->bytes : NULL};
}

/* Single values, for edge_kv_put and edge_ok. */
static inline edge_value edge_of_int(int64_t value) {
    edge_writer out = {0};
    edge_write_int(&out, value);
    return edge_finish(&out);
}
static inline edge_value edge_of_text(edge_slice text) {
    edge_writer out = {0};
    edge_write_text(&out, text);
    return edge_finish(&out);
}
static inline edge_value edge_of_bytes(edge_slice bytes) {
    edge_writer out = {0};
    edge_write_bytes(&out, bytes);
    return edge_finish(&out);
}

/* ---------------------------------------------------------------- 4 formatting -------------- */

/* printf's grammar without libc: %d %i %u %x %c %s %f %% with the flags - and 0, a width, a
 * precision (%.*s too) and the lengths hh h l ll z. Anything else is copied as it stands. */

typedef struct {
    bool left, zeros;
    int width, precision; /* precision is -1 where none is given */
    char length;          /* 'l' for long long, 'w' for 32 bits or fewer */
} edge__spec;

/* Pads text to the width; zeros go between the sign and the digits. */
static inline void edge__pad(edge_writer *out, edge__spec spec, const char *text, size_t len) {
    size_t width = spec.width > 0 ? (size_t)spec.width : 0;
    size_t fill = width > len ? width - len : 0;
    bool zeros = spec.zeros && !spec.left;
    if (zeros && len && text[0] == '-') {
        edge__append(out, text++, 1);
        len--;
    }
    if (spec.left) edge__append(out, text, len);
    for (; fill > 0; fill--) edge__append(out, zeros ? "0" : " ", 1);
    if (!spec.left) edge__append(out, text, len);
}

/* Writes digits backwards, ending before end; returns where they begin. */
static inline char *edge__digits(char *end, uint64_t value, unsigned base) {
    do *--end = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    return end;
}

/* Fixed notation, rounded to at most nine decimals; from 1e18 on with an exponent. */
static inline void edge__format_float(edge_writer *out, edge__spec spec, double value) {
    char text[48], *end = text + sizeof text, *at = end;
    bool negative = __builtin_signbit(value);
    int exponent = 0;
    if (negative) value = -value;
    if (value != value || value > 0x1.fffffffffffffp1023) {
        spec.zeros = false;
        edge__pad(out, spec, value != value ? "nan" : negative ? "-inf" : "inf",
                  value == value && negative ? 4 : 3);
        return;
    }
    int decimals = spec.precision < 0 ? 6 : spec.precision > 9 ? 9 : spec.precision;
    uint64_t scale = 1;
    for (int i = 0; i < decimals; i++) scale *= 10;
    if (value >= 1e18)
        for (; value >= 10; exponent++) value /= 10;
    uint64_t whole = (uint64_t)value;
    uint64_t fraction = (uint64_t)((value - (double)whole) * (double)scale + 0.5);
    if (fraction == scale) {
        whole++;
        fraction = 0;
    }
    if (exponent) {
        at = edge__digits(at, (uint64_t)exponent, 10);
        *--at = '+';
        *--at = 'e';
    }
    for (int i = 0; i < decimals; i++, fraction /= 10) *--at = (char)('0' + fraction % 10);
    if (decimals) *--at = '.';
    at = edge__digits(at, whole, 10);
    if (negative) *--at = '-';
    edge__pad(out, spec, at, (size_t)(end - at));
}

static inline int edge__parse_number(const char **format) {
    int number = 0;
    for (; **format >= '0' && **format <= '9' && number < 100000; ++*format)
        number = number * 10 + (**format - '0');
    return number;
}

static inline void edge__format_integer(edge_writer *out, edge__spec spec, bool is_signed,
                                        unsigned base, uint64_t bits) {
    char text[24], *end = text + sizeof text;
    if (spec.length != 'l') bits = is_signed ? (uint64_t)(int64_t)(int32_t)bits : (uint32_t)bits;
    bool negative = is_signed && (int64_t)bits < 0;
    char *at = edge__digits(end, negative ? 0 - bits : bits, base);
    if (negative) *--at = '-';
    edge__pad(out, spec, at, (size_t)(end - at));
}

/* Reads one specification after its '%', writes its argument, and returns what follows it. */
static inline const char *edge__format_one(edge_writer *out, const char *format, va_list *args) {
    const char *start = format;
    edge__spec spec = {.precision = -1, .length = 'w'};
    for (; *format == '-' || *format == '0'; format++)
        *(*format == '-' ? &spec.left : &spec.zeros) = true;
    if (*format == '*') spec.width = va_arg(*args, int), format++;
    else spec.width = edge__parse_number(&format);
    if (*format == '.') {
        if (*++format == '*') spec.precision = va_arg(*args, int), format++;
        else spec.precision = edge__parse_number(&format);
    }
    for (; *format == 'l' || *format == 'z' || *format == 'h'; format++)
        if (*format == 'l' && format[1] == 'l') spec.length = 'l';
    switch (*format) {
    case 'd':
    case 'i':
    case 'u':
    case 'x': {
        /* wasm32's long and size_t have 32 bits: only ll reads more. */
        uint64_t bits = spec.length == 'l' ? va_arg(*args, uint64_t) : va_arg(*args, uint32_t);
        bool is_signed = *format == 'd' || *format == 'i';
        edge__format_integer(out, spec, is_signed, *format == 'x' ? 16 : 10, bits);
        break;
    }
    case 'c': {
        char one = (char)va_arg(*args, int);
        edge__pad(out, spec, &one, 1);
        break;
    }
    case 's': {
        const char *text = va_arg(*args, const char *);
        size_t len = 0;
        if (!text) spec.precision = 0;
        while ((spec.precision < 0 || len < (size_t)spec.precision) && text[len]) len++;
        spec.zeros = false;
        edge__pad(out, spec, text, len);
        break;
    }
    case 'f':
        edge__format_float(out, spec, va_arg(*args, double));
        break;
    case '%':
        edge__append(out, "%", 1);
        break;
    default:
        edge__append(out, start - 1, (size_t)(format - start) + 1);
        return format;
    }
    return format + 1;
}

static inline edge_slice edge_format_list(const char *format, va_list args) {
    edge_writer out = {0};
    va_list rest;
    va_copy(rest, args);
    while (*format) {
        const char *plain = format;
        while (*format && *format != '%') format++;
        edge__append(&out, plain, (size_t)(format - plain));
        if (*format) format = edge__format_one(&out, format + 1, &rest);
    }
    va_end(rest);
    if (out.failed) return (edge_slice){NULL, 0};
    return out.len ? edge_slice_of(out.bytes, out.len) : edge_str("");
}

/* Formatted text, in the arena. */
__attribute__((format(printf, 1, 2)))
static inline edge_slice edge_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    edge_slice text = edge_format_list(format, args);
    va_end(args);
    return text;
}

/* ---------------------------------------------------------------- 5 HTTP events ------------- */

/* Readers for an HTTP event (API Gateway payload 2.0). Each gives none where the event has none,
 * so they are safe on any event. Header names in an event are lower case. */

static inline edge_slice edge_method(edge_value event) {
    return edge_text(edge_get(edge_get(edge_get(event, "requestContext"), "http"), "method"));
}

/* The path below the function's name, as the client sent it; see edge_unescape. */
static inline edge_slice edge_path(edge_value event) {
    return edge_text(edge_get(event, "rawPath"));
}

static inline edge_slice edge_query(edge_value event, const char *name) {
    return edge_text(edge_get(edge_get(event, "queryStringParameters"), name));
}

static inline edge_slice edge_request_header(edge_value event, const char *name) {
    return edge_text(edge_get(edge_get(event, "headers"), name));
}

static inline int edge__hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded text; a '%' that starts no escape stays. */
static inline edge_slice edge_unescape(edge_slice text) {
    char *plain = (char *)edge_memory(text.len);
    size_t len = 0;
    if (!plain) return (edge_slice){NULL, 0};
    for (size_t i = 0; i < text.len; i++) {
        bool room = text.ptr[i] == '%' && text.len - i > 2;
        int high = room ? edge__hex_digit(text.ptr[i + 1]) : -1;
        int low = room ? edge__hex_digit(text.ptr[i + 2]) : -1;
        bool escape = high >= 0 && low >= 0;
        plain[len++] = escape ? (char)(high << 4 | low) : text.ptr[i];
        if (escape) i += 2;
    }
    return edge_slice_of(plain, len);
}

/* Base64 (RFC 4648, section 4), padded or not; none if there is any other character. */
static inline edge_slice edge_base64_decode(edge_slice text) {
    while (text.len && text.ptr[text.len - 1] == '=') text.len--;
    uint8_t *bytes = (uint8_t *)edge_memory(text.len);
    if (!bytes || text.len % 4 == 1) return (edge_slice){NULL, 0};
    uint32_t bits = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26
                  : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
        if (digit < 0) return (edge_slice){NULL, 0};
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) bytes[len++] = (uint8_t)(bits >> (2 * (3 - i % 4)));
    }
    return edge_slice_of(bytes, len);
}

/* The request's body, binary or text, decoded where the event says that it is base64. */
static inline edge_slice edge_body(edge_value event) {
    edge_slice body = edge_bytes(edge_get(event, "body"));
    return edge_bool(edge_get(event, "isBase64Encoded"), false) ? edge_base64_decode(body) : body;
}

/* ---------------------------------------------------------------- 6 results ----------------- */

/* What a handler returns: made by edge_ok, edge_respond or edge_fail, never by hand. */
typedef struct {
    const uint8_t *ptr;
    size_t len;
} edge_result;

static inline edge_result edge__result(edge_writer *out) {
    /* What is left when nothing can be built: an error of type Runtime.OutOfMemory, in CBOR. */
    static const uint8_t no_memory[] =
        "\xa1" "\x65" "error" "\xa3" "\x69" "errorType" "\x73" "Runtime.OutOfMemory"
        "\x6c" "errorMessage" "\x6e" "no memory left" "\x6a" "stackTrace" "\x80";
    if (!edge_finish(out).at) return (edge_result){no_memory, sizeof no_memory - 1};
    return (edge_result){out->bytes, out->len};
}

static inline edge_result edge__fail(edge_slice type, edge_slice message) {
    edge_writer out = {0};
    edge_write_map(&out);
    edge_write_key(&out, "error");
    edge_write_map(&out);
    edge_put_text(&out, "errorType", type);
    edge_put_text(&out, "errorMessage", message);
    edge_write_key(&out, "stackTrace");
    edge_write_array(&out);
    edge_write_end(&out);
    edge_write_end(&out);
    edge_write_end(&out);
    return edge__result(&out);
}

/* The function failed: an error of a type that callers may match, and a message for people. */
__attribute__((format(printf, 2, 3)))
static inline edge_result edge_fail(const char *type, const char *format, ...) {
    va_list args;
    va_start(args, format);
    edge_slice message = edge_format_list(format, args);
    va_end(args);
    return edge__fail(edge_str(type), message);
}

/* The function's result is this value. Over HTTP a map with statusCode is the whole response, text
 * and byte strings are the body, and anything else becomes a JSON body. */
static inline edge_result edge_ok(edge_value value) {
    if (!value.at)
        return edge_fail("Runtime.BadResult", "the value is incomplete: check that every map and "
                         "array is ended, and that every key has one value");
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_value(&out, "ok", value);
    edge_write_end(&out);
    return edge__result(&out);
}

typedef struct {
    const char *name;
    edge_slice value;
} edge_header;

/* An HTTP response. headers ends with one whose name is NULL, cookies with a NULL; both may be
 * left out. The body may be text or binary. */
typedef struct {
    int status;
    const char *content_type;
    const edge_header *headers;
    const char *const *cookies; /* each a whole Set-Cookie value: "id=7; Path=/; HttpOnly" */
    edge_slice body;
} edge_response;

static inline void edge__put_headers(edge_writer *out, const char *type, const edge_header *more) {
    edge_write_key(out, "headers");
    edge_write_map(out);
    if (type) edge_put_text(out, "content-type", edge_str(type));
    for (; more && more->name; more++) edge_put_text(out, more->name, more->value);
    edge_write_end(out);
}

/* Status, headers and cookies, into a map that is open. */
static inline void edge__put_head(edge_writer *out, edge_response response) {
    edge_put_int(out, "statusCode", response.status);
    edge__put_headers(out, response.content_type, response.headers);
    if (response.cookies) {
        edge_write_key(out, "cookies");
        edge_write_array(out);
        for (const char *const *cookie = response.cookies; *cookie; cookie++)
            edge_write_text(out, edge_str(*cookie));
        edge_write_end(out);
    }
}

static inline edge_result edge_respond_with(edge_response response) {
    edge_writer out = {0};
    edge_write_map(&out);
    edge_write_key(&out, "ok");
    edge_write_map(&out);
    edge__put_head(&out, response);
    edge_put_bool(&out, "isBase64Encoded", false);
    edge_put_bytes(&out, "body", response.body);
    edge_write_end(&out);
    edge_write_end(&out);
    return edge__result(&out);
}

/* The common case: a status, a content type and len bytes of body. */
static inline edge_result edge_respond(int status, const char *content_type, const void *body,
                                       size_t len) {
    return edge_respond_with((edge_response){
        .status = status, .content_type = content_type, .body = edge_slice_of(body, len)});
}

static inline edge_result edge_respond_text(int status, const char *text) {
    return edge_respond(status, "text/plain; charset=utf-8", text, __builtin_strlen(text));
}

/* ---------------------------------------------------------------- 7 host calls -------------- */

#define EDGE__IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

EDGE__IMPORT("edge", "log") void edge__import_log(int32_t level, const void *ptr, size_t len);
EDGE__IMPORT("edge", "call") int32_t edge__import_call(const void *ptr, size_t len);
EDGE__IMPORT("edge", "take") void edge__import_take(void *ptr);
EDGE__IMPORT("wasi_snapshot_preview1", "clock_time_get")
int32_t edge__import_clock(int32_t clock, uint64_t precision_ns, uint64_t *time_ns);

/* The current time in Unix milliseconds. */
static inline int64_t edge_now_ms(void) {
    uint64_t time_ns = 0;
    return edge__import_clock(0, 1000000, &time_ns) == 0 ? (int64_t)(time_ns / 1000000) : 0;
}

/* How long this request may still take; 0 when its time is up. */
static inline int64_t edge_remaining_ms(edge_value context) {
    int64_t remaining_ms = edge_int(edge_get(context, "deadlineMs"), 0) - edge_now_ms();
    return remaining_ms > 0 ? remaining_ms : 0;
}

typedef enum { EDGE_TRACE, EDGE_DEBUG, EDGE_INFO, EDGE_WARN, EDGE_ERROR } edge_level;

/* One line in the function's log. The memory its text took is given back. */
__attribute__((format(printf, 2, 3)))
static inline void edge_log(edge_level level, const char *format, ...) {
    uint8_t *next = edge__arena.next;
    va_list args;
    va_start(args, format);
    edge_slice text = edge_format_list(format, args);
    va_end(args);
    if (text.ptr) edge__import_log(level, text.ptr, text.len);
    edge__give_back(next);
}

/* Why a host call failed. Zero is success, so `if (answer.error.code)` reads well. */
typedef enum {
    EDGE_OK,
    EDGE_DENIED,          /* the function has no grant for this */
    EDGE_INVALID_REQUEST, /* an argument is missing or of the wrong shape */
    EDGE_CONFLICT,        /* compare-and-set: the version is another one by now */
    EDGE_TOO_LARGE,
    EDGE_TIMEOUT,
    EDGE_UNREACHABLE,     /* fetch: no connection could be made */
    EDGE_QUOTA,
    EDGE_UNAVAILABLE,     /* the host cannot do it now; it may later */
    EDGE_UNKNOWN,         /* a code that this header does not know */
} edge_code;

typedef struct {
    edge_code code;
    edge_slice name; /* the code as the host spelled it */
    edge_slice message;
} edge_error;

typedef struct {
    edge_error error;
    edge_value ok; /* absent when there is an error */
} edge_answer;

static inline edge_error edge__error(edge_slice name, edge_slice message) {
    static const char *const names[] = {
        [EDGE_DENIED] = "denied",           [EDGE_INVALID_REQUEST] = "invalid_request",
        [EDGE_CONFLICT] = "conflict",       [EDGE_TOO_LARGE] = "too_large",
        [EDGE_TIMEOUT] = "timeout",         [EDGE_UNREACHABLE] = "unreachable",
        [EDGE_QUOTA] = "quota",             [EDGE_UNAVAILABLE] = "unavailable",
    };
    edge_error error = {EDGE_UNKNOWN, name, message};
    for (int code = EDGE_DENIED; code < EDGE_UNKNOWN; code++)
        if (edge_equal(error.name, names[code])) error.code = (edge_code)code;
    return error;
}

static inline edge_answer edge__no_answer(const char *name, const char *message) {
    return (edge_answer){.error = edge__error(edge_str(name), edge_str(message))};
}

/* Makes any host call: request is a map with a text "op". The typed calls below are made of it. */
static inline edge_answer edge_call(edge_value request) {
    edge_slice encoded = edge_encoded(request);
    if (!encoded.ptr) return edge__no_answer("invalid_request", "the request is incomplete");
    int32_t len = edge__import_call(encoded.ptr, encoded.len);
    void *bytes = len > 0 ? edge_memory((size_t)len) : NULL;
    if (!bytes) return edge__no_answer("unavailable", "no memory is left for the host's answer");
    edge__import_take(bytes);
    edge_value answer = edge_decode(bytes, (size_t)len);
    edge_value ok = edge_get(answer, "ok"), error = edge_get(answer, "error");
    if (ok.at) return (edge_answer){.ok = ok};
    if (!error.at) return edge__no_answer("unavailable", "the host's answer is malformed");
    return (edge_answer){.error = edge__error(edge_text(edge_get(error, "code")),
                                              edge_text(edge_get(error, "message")))};
}

/* A host call's error as the function's own: type "edge.denied" and so on. */
static inline edge_result edge_fail_with(edge_error error) {
    return edge__fail(edge_format("edge.%.*s", EDGE_FMT(error.name)), error.message);
}

/* --- Key-value store. space is a shared namespace that was granted, or NULL for the function's
 * own. A version grows with each write of its key; ttl_ms 0 means that the entry does not expire. */

typedef struct {
    edge_error error;
    bool found;
    edge_value value;
    uint64_t version;   /* 0 when there is none: what edge_kv_swap takes for "must be absent" */
    int64_t expires_ms; /* Unix ms; 0 = never */
} edge_kv_entry;

static inline edge_writer edge__kv_request(const char *op, const char *space, edge_slice key) {
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "op", edge_str(op));
    if (space) edge_put_text(&out, "namespace", edge_str(space));
    if (key.ptr) edge_put_text(&out, "key", key);
    return out;
}

static inline edge_answer edge__finish_call(edge_writer *out) {
    edge_write_end(out);
    return edge_call(edge_finish(out));
}

static inline edge_kv_entry edge_kv_get(const char *space, edge_slice key) {
    edge_writer out = edge__kv_request("kv.get", space, key);
    edge_answer answer = edge__finish_call(&out);
    return (edge_kv_entry){
        .error = answer.error,
        .found = edge_kind_of(answer.ok) == EDGE_MAP,
        .value = edge_get(answer.ok, "value"),
        .version = edge_uint(edge_get(answer.ok, "version"), 0),
        .expires_ms = edge_int(edge_get(answer.ok, "expiresMs"), 0),
    };
}

typedef struct {
    edge_error error;
    uint64_t version; /* of what was written */
    int64_t value;    /* edge_kv_increment: the sum */
} edge_kv_written;

static inline edge_kv_written edge__kv_write(edge_writer *out, uint64_t ttl_ms) {
    if (ttl_ms) edge_put_uint(out, "ttlMs", ttl_ms);
    edge_answer answer = edge__finish_call(out);
    return (edge_kv_written){
        .error = answer.error,
        .version = edge_uint(edge_get(answer.ok, "version"), 0),
        .value = edge_int(edge_get(answer.ok, "value"), 0),
    };
}

static inline edge_kv_written edge_kv_put(const char *space, edge_slice key, edge_value value,
                                          uint64_t ttl_ms) {
    edge_writer out = edge__kv_request("kv.put", space, key);
    edge_put_value(&out, "value", value);
    return edge__kv_write(&out, ttl_ms);
}

/* Compare-and-set: writes only if the key still has this version (0: only if it is absent), and
 * otherwise fails with EDGE_CONFLICT. */
static inline edge_kv_written edge_kv_swap(const char *space, edge_slice key, edge_value value,
                                           uint64_t ttl_ms, uint64_t version) {
    edge_writer out = edge__kv_request("kv.put", space, key);
    edge_put_value(&out, "value", value);
    edge_put_uint(&out, "ifVersion", version);
    return edge__kv_write(&out, ttl_ms);
}

/* Adds to an integer, in one step that no other request can come between. Absent counts as 0. */
static inline edge_kv_written edge_kv_increment(const char *space, edge_slice key, int64_t by,
                                                uint64_t ttl_ms) {
    edge_writer out = edge__kv_request("kv.increment", space, key);
    edge_put_int(&out, "by", by);
    return edge__kv_write(&out, ttl_ms);
}

typedef struct {
    edge_error error;
    bool deleted;
} edge_kv_deleted;

static inline edge_kv_deleted edge__kv_delete(edge_writer *out) {
    edge_answer answer = edge__finish_call(out);
    return (edge_kv_deleted){answer.error, edge_bool(edge_get(answer.ok, "deleted"), false)};
}

static inline edge_kv_deleted edge_kv_delete(const char *space, edge_slice key) {
    edge_writer out = edge__kv_request("kv.delete", space, key);
    return edge__kv_delete(&out);
}

static inline edge_kv_deleted edge_kv_delete_if(const char *space, edge_slice key,
                                                uint64_t version) {
    edge_writer out = edge__kv_request("kv.delete", space, key);
    edge_put_uint(&out, "ifVersion", version);
    return edge__kv_delete(&out);
}

typedef struct {
    edge_error error;
    edge_value entries; /* an array of {"key", "version"} */
    edge_slice next;    /* the cursor of the next page; none on the last one */
} edge_kv_page;

/* Keys with a prefix, in order, after a cursor (none: from the start), at most limit (0: the
 * host's default of 100; at most 1000). */
static inline edge_kv_page edge_kv_list(const char *space, edge_slice prefix, edge_slice after,
                                        uint32_t limit) {
    edge_writer out = edge__kv_request("kv.list", space, (edge_slice){NULL, 0});
    if (prefix.ptr) edge_put_text(&out, "prefix", prefix);
    if (after.ptr) edge_put_text(&out, "after", after);
    if (limit) edge_put_uint(&out, "limit", limit);
    edge_answer answer = edge__finish_call(&out);
    return (edge_kv_page){
        .error = answer.error,
        .entries = edge_get(answer.ok, "entries"),
        .next = edge_text(edge_get(answer.ok, "next")),
    };
}

/* --- Outbound HTTP, to hosts that were granted. Only url is required. */

typedef struct {
    edge_slice url;
    const char *method; /* NULL: GET */
    const edge_header *headers;
    edge_slice body;
    uint32_t timeout_ms; /* 0: the host's default; the request's own deadline holds in any case */
} edge_fetch_request;

/* A status such as 404 is an answer, not an error. */
typedef struct {
    edge_error error;
    int status;
    edge_value headers; /* a map of text; see edge_get */
    edge_slice body;
    edge_slice url; /* where redirects ended */
} edge_fetched;

static inline edge_fetched edge_fetch(edge_fetch_request request) {
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "op", edge_str("fetch"));
    edge_put_text(&out, "url", request.url);
    if (request.method) edge_put_text(&out, "method", edge_str(request.method));
    if (request.headers) edge__put_headers(&out, NULL, request.headers);
    if (request.body.ptr) edge_put_bytes(&out, "body", request.body);
    if (request.timeout_ms) edge_put_uint(&out, "timeoutMs", request.timeout_ms);
    edge_answer answer = edge__finish_call(&out);
    return (edge_fetched){
        .error = answer.error,
        .status = (int)edge_int(edge_get(answer.ok, "status"), 0),
        .headers = edge_get(answer.ok, "headers"),
        .body = edge_bytes(edge_get(answer.ok, "body")),
        .url = edge_text(edge_get(answer.ok, "url")),
    };
}

/* --- A response that leaves while it is written. Start it, write as often as there is something,
 * and return edge_streamed(). Writing waits while the client reads too slowly; what waiting and
 * writing took of memory is given back. An error returned after the start cuts the response off. */

static inline edge_error edge__finish_and_forget(edge_writer *out, uint8_t *next) {
    edge_error error = edge__finish_call(out).error;
    if (!error.code) edge__give_back(next);
    return error;
}

static inline edge_error edge_response_write(const void *bytes, size_t len) {
    uint8_t *next = edge__arena.next;
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "op", edge_str("response.write"));
    edge_put_bytes(&out, "data", edge_slice_of(bytes, len));
    return edge__finish_and_forget(&out, next);
}

/* The head, sent now; response.body is its first piece. */
static inline edge_error edge_response_start(edge_response response) {
    uint8_t *next = edge__arena.next;
    edge_writer out = {0};
    edge_write_map(&out);
    edge_put_text(&out, "op", edge_str("response.start"));
    edge__put_head(&out, response);
    edge_error error = edge__finish_and_forget(&out, next);
    if (error.code || !response.body.len) return error;
    return edge_response_write(response.body.ptr, response.body.len);
}

/* What a handler returns that has written its response. */
static inline edge_result edge_streamed(void) {
    edge_writer out = {0};
    edge_write_null(&out);
    return edge_ok(edge_finish(&out));
}

/* ---------------------------------------------------------------- 8 exports ----------------- */

typedef edge_result (*edge_handler)(edge_value event, edge_value context);

static inline uint64_t edge__run(edge_handler handler, const uint8_t *message, size_t len) {
    edge_value envelope = edge_decode(message, len);
    edge_value event = edge_get(envelope, "event");
    edge_result result = event.at
        ? handler(event, edge_get(envelope, "context"))
        : edge_fail("Runtime.BadEvent", "the message is not CBOR with an event in it, or nests "
                    "deeper than %d levels", EDGE_DEPTH_MAX);
    return (uint64_t)(uintptr_t)result.ptr << 32 | result.len;
}

#define EDGE_EXPORT(name) __attribute__((export_name(name), visibility("default")))

/* Once in a program: the function that answers events. */
#define EDGE_HANDLER(function)                                                                  \
    EDGE_EXPORT("edge_alloc") void *edge_alloc(size_t len) { return edge_memory(len); }         \
    EDGE_EXPORT("edge_handle") uint64_t edge_handle(const uint8_t *message, size_t len) {       \
        return edge__run(function, message, len);                                               \
    }

/* Optional: runs once at deploy, before the snapshot. Build tables and indexes here. */
#define EDGE_INIT(function) \
    EDGE_EXPORT("edge_init") void edge_init(void) { function(); }

/* Optional: runs in every fresh instance before its event. Reseed random generators here. */
#define EDGE_RESTORE(function) \
    EDGE_EXPORT("edge_restore") void edge_restore(void) { function(); }

#endif
