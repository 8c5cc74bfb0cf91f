/* What counting words needs of Unicode: which characters are letters, and their lower case.
 * Latin, Greek and Cyrillic are folded; other scripts count as letters as they are. */
#ifndef TEXT_LETTERS_H
#define TEXT_LETTERS_H

#include "edge.h"

enum { UTF8_BYTES_MAX = 4 };

struct character {
    uint32_t lower; /* a letter or digit in lower case; 0 for anything else */
    uint8_t size;   /* in bytes; 1 for a byte that is not UTF-8 */
    bool is_apostrophe;
};

static inline uint32_t to_lower(uint32_t c) {
    if (c >= 0x00c0 && c <= 0x00de) return c + 0x20;    /* À to Þ */
    if (c >= 0x0100 && c <= 0x0137) return c | 1;       /* Ā to ķ: capitals are even here, */
    if (c >= 0x0139 && c <= 0x0148) return c + (c & 1); /* odd from Ĺ to ň, */
    if (c >= 0x014a && c <= 0x0177) return c | 1;       /* and even again to ŷ */
    if (c >= 0x0391 && c <= 0x03a9) return c + 0x20;    /* Α to Ω */
    if (c >= 0x0400 && c <= 0x040f) return c + 0x50;    /* Ѐ to Џ */
    if (c >= 0x0410 && c <= 0x042f) return c + 0x20;    /* А to Я */
    return c;
}

/* Beyond ASCII everything is a letter but the blocks of spaces, punctuation and symbols. */
static inline bool is_separator(uint32_t c) {
    if (c < 0x00c0) return c != 0x00aa && c != 0x00b5 && c != 0x00ba; /* ª, µ and º are letters */
    return c == 0x00d7 || c == 0x00f7       /* × and ÷ */
        || (c >= 0x2000 && c <= 0x2bff)     /* punctuation, arrows, mathematics, symbols */
        || (c >= 0x3000 && c <= 0x303f)     /* Chinese, Japanese and Korean punctuation */
        || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff0f) || c == 0xfeff
        || (c >= 0x1f000 && c <= 0x1faff);  /* pictographs */
}

static inline struct character read_character(edge_slice text, size_t at) {
    const uint8_t *bytes = (const uint8_t *)text.ptr + at;
    uint32_t c = bytes[0];
    if (c < 0x80) {
        uint32_t lower = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
        bool letter = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        return (struct character){letter ? lower : 0, 1, c == '\''};
    }
    size_t size = edge_utf8_size(bytes, text.len - at);
    if (size == 0) return (struct character){0, 1, false};
    c &= 0x7fu >> size;
    for (size_t i = 1; i < size; i++) c = c << 6 | (bytes[i] & 0x3f);
    uint32_t lower = is_separator(c) ? 0 : to_lower(c);
    return (struct character){lower, (uint8_t)size, c == 0x2019}; /* ’ */
}

/* English vowels, and Latin-1's with accents. */
static inline bool is_vowel(uint32_t c) {
    if (c >= 0xe0 && c <= 0xfd) return c != 0xe7 && c != 0xf0 && c != 0xf1; /* not ç, ð, ñ */
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* Writes one character; returns its size. */
static inline uint32_t utf8_encode(uint32_t c, char *out) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    uint32_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint32_t i = size - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> size & 0xff) | c);
    return size;
}

#endif
