/* Counts words: a hash table with open addressing, at most half full, that doubles as it fills. */
#ifndef TEXT_WORDTABLE_H
#define TEXT_WORDTABLE_H

#include <string.h>

#include "edge.h"

enum { WORD_BYTES_MAX = 64, WORDTABLE_SLOTS_FIRST = 1024 };

struct wordtable_entry {
    edge_slice word; /* none in an empty slot */
    uint32_t hash, count;
};

struct wordtable {
    struct wordtable_entry *slots; /* a power of two of them */
    uint32_t size, used;
    bool failed; /* memory is used up, and the counts are no longer right */
};

/* FNV-1a: words are short, and the table is gone before anyone could aim collisions at it. */
static inline uint32_t wordtable_hash(edge_slice word) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < word.len; i++) hash = (hash ^ (uint8_t)word.ptr[i]) * 16777619u;
    return hash ^ hash >> 15;
}

/* The word's slot, or the empty one where it belongs. */
static inline struct wordtable_entry *wordtable_find(const struct wordtable *table,
                                                     edge_slice word, uint32_t hash) {
    uint32_t mask = table->size - 1;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        struct wordtable_entry *slot = &table->slots[at];
        if (!slot->word.ptr) return slot;
        if (slot->hash == hash && slot->word.len == word.len
            && memcmp(slot->word.ptr, word.ptr, word.len) == 0) return slot;
    }
}

static inline bool wordtable_enlarge(struct wordtable *table) {
    struct wordtable larger = {.size = table->size ? table->size * 2 : WORDTABLE_SLOTS_FIRST};
    larger.slots = edge_memory(larger.size * sizeof *larger.slots);
    if (!larger.slots) return false;
    memset(larger.slots, 0, larger.size * sizeof *larger.slots);
    for (uint32_t i = 0; i < table->size; i++) {
        struct wordtable_entry *entry = &table->slots[i];
        if (entry->word.ptr) *wordtable_find(&larger, entry->word, entry->hash) = *entry;
    }
    table->slots = larger.slots;
    table->size = larger.size;
    return true;
}

static inline void wordtable_add(struct wordtable *table, edge_slice word) {
    if (table->used * 2 >= table->size) table->failed |= !wordtable_enlarge(table);
    if (table->failed) return;
    uint32_t hash = wordtable_hash(word);
    struct wordtable_entry *slot = wordtable_find(table, word, hash);
    if (!slot->word.ptr) {
        char *copy = edge_memory(word.len);
        table->failed = !copy;
        if (!copy) return;
        memcpy(copy, word.ptr, word.len);
        *slot = (struct wordtable_entry){edge_slice_of(copy, word.len), hash, 0};
        table->used++;
    }
    slot->count++;
}

/* The words that say little about a text because every text has them. */
static inline bool is_common(edge_slice word) {
    static const char common[] =
        " a about after all also am an and any are as at be because been but by can could did do"
        " does for from had has have he her here him his how i if in into is it it's its just like"
        " me more most my no not now of on one only or other our out over she so some such than"
        " that the their them then there these they this those to too up us very was we were what"
        " when where which who will with would you your ";
    for (const char *at = common; (at = strchr(at, ' ')) && *++at;)
        if (strncmp(at, word.ptr, word.len) == 0 && at[word.len] == ' ') return true;
    return false;
}

/* More often first, then in byte order: the same text always gives the same list. */
static inline bool ranks_before(const struct wordtable_entry *a, const struct wordtable_entry *b) {
    if (a->count != b->count) return a->count > b->count;
    size_t len = a->word.len < b->word.len ? a->word.len : b->word.len;
    int order = memcmp(a->word.ptr, b->word.ptr, len);
    return order != 0 ? order < 0 : a->word.len < b->word.len;
}

/* The first count entries in rank, found by insertion: count is small. Returns how many. */
static inline size_t wordtable_top(const struct wordtable *table,
                                   const struct wordtable_entry **top, size_t count, bool common) {
    size_t found = 0;
    for (uint32_t i = 0; i < table->size && count > 0; i++) {
        const struct wordtable_entry *entry = &table->slots[i];
        if (!entry->word.ptr) continue;
        if (found == count && !ranks_before(entry, top[count - 1])) continue;
        if (!common && is_common(entry->word)) continue;
        found += found < count;
        size_t at = found - 1;
        for (; at > 0 && ranks_before(entry, top[at - 1]); at--) top[at] = top[at - 1];
        top[at] = entry;
    }
    return found;
}

#endif
