/* text: measures the prose in its body. Words, sentences, the commonest words, how hard it reads.
 *
 *     curl --data-binary @novel.txt 'localhost:8080/text?top=5'
 *     curl -d 'The cat sat on the mat. The end.' 'localhost:8080/text?common=keep'
 *
 * The body is UTF-8; bytes that are not separate words. One pass, about 15 ms a megabyte.
 * Reading ease and grade are Flesch's and Kincaid's formulas, which were fitted to English.
 */
#include "edge.h"
#include "letters.h"
#include "wordtable.h"

enum { TOP_DEFAULT = 10, TOP_MAX = 100, WORDS_READ_PER_MINUTE = 238 };

struct counts {
    uint32_t characters, letters, words, sentences, lines, syllables;
};

/* A word while it is being read: in lower case, cut at a length that no real word has. */
struct word {
    char text[WORD_BYTES_MAX];
    uint32_t len, letters, syllables;
    bool after_vowel, after_apostrophe;
};

static void word_add(struct word *word, uint32_t code) {
    if (word->len + UTF8_BYTES_MAX <= WORD_BYTES_MAX)
        word->len += utf8_encode(code, word->text + word->len);
}

static void word_add_letter(struct word *word, uint32_t lower) {
    if (word->after_apostrophe) word_add(word, '\'');
    word_add(word, lower);
    bool vowel = is_vowel(lower);
    word->syllables += vowel && !word->after_vowel;
    word->letters++;
    word->after_vowel = vowel;
    word->after_apostrophe = false;
}

/* Groups of vowels, less a silent e at the end, and at least one. Right for most English words. */
static uint32_t word_syllables(const struct word *word) {
    const char *end = word->text + word->len;
    bool silent_e = word->len > 2 && end[-1] == 'e' && end[-2] != 'l';
    uint32_t syllables = word->syllables - (silent_e && word->syllables > 1);
    return syllables ? syllables : 1;
}

static void end_word(struct word *word, struct counts *counts, struct wordtable *table) {
    if (word->letters == 0) return;
    counts->words++;
    counts->letters += word->letters;
    counts->syllables += word_syllables(word);
    wordtable_add(table, edge_slice_of(word->text, word->len));
    word->len = word->letters = word->syllables = 0;
    word->after_vowel = word->after_apostrophe = false;
}

/* A full stop inside 3.14 or example.com ends nothing: a space or the text's end must follow,
 * perhaps after closing quotes or brackets. */
static bool ends_sentence(edge_slice text, size_t at) {
    char c = text.ptr[at];
    if (c != '.' && c != '!' && c != '?') return false;
    do at++;
    while (at < text.len && (text.ptr[at] == '"' || text.ptr[at] == '\'' || text.ptr[at] == ')'));
    return at == text.len || (uint8_t)text.ptr[at] <= ' ' || (uint8_t)text.ptr[at] >= 0x80;
}

static struct counts measure(edge_slice text, struct wordtable *table) {
    struct counts counts = {.lines = text.len > 0};
    struct word word = {0};
    uint32_t words_before = 0; /* this sentence */
    for (size_t at = 0; at < text.len;) {
        struct character character = read_character(text, at);
        counts.characters++;
        if (character.lower) {
            word_add_letter(&word, character.lower);
        } else if (character.is_apostrophe && word.letters > 0) {
            word.after_apostrophe = true;
        } else {
            end_word(&word, &counts, table);
            counts.lines += text.ptr[at] == '\n' && at + 1 < text.len;
            if (counts.words > words_before && ends_sentence(text, at)) {
                counts.sentences++;
                words_before = counts.words;
            }
        }
        at += character.size;
    }
    end_word(&word, &counts, table);
    counts.sentences += counts.words > words_before; /* the last one may lack its full stop */
    return counts;
}

/* Two decimals are all that these formulas are good for. */
static void put_rounded(edge_writer *out, const char *key, double value) {
    edge_put_float(out, key, (double)(int64_t)(value * 100 + (value < 0 ? -0.5 : 0.5)) / 100);
}

static void put_counts(edge_writer *out, const struct counts *counts) {
    edge_put_uint(out, "characters", counts->characters);
    edge_put_uint(out, "words", counts->words);
    edge_put_uint(out, "sentences", counts->sentences);
    edge_put_uint(out, "lines", counts->lines);
    edge_put_uint(out, "syllables", counts->syllables);
    edge_put_uint(out, "readingSeconds", (uint64_t)counts->words * 60 / WORDS_READ_PER_MINUTE);
    if (counts->words == 0) return;
    double sentence_words = (double)counts->words / counts->sentences;
    double word_syllables = (double)counts->syllables / counts->words;
    put_rounded(out, "lettersPerWord", (double)counts->letters / counts->words);
    put_rounded(out, "wordsPerSentence", sentence_words);
    put_rounded(out, "readingEase", 206.835 - 1.015 * sentence_words - 84.6 * word_syllables);
    put_rounded(out, "gradeLevel", 0.39 * sentence_words + 11.8 * word_syllables - 15.59);
}

static void put_top(edge_writer *out, const struct wordtable *table, size_t count, bool common) {
    const struct wordtable_entry *top[TOP_MAX];
    count = wordtable_top(table, top, count, common);
    edge_write_key(out, "top");
    edge_write_array(out);
    for (size_t i = 0; i < count; i++) {
        edge_write_map(out);
        edge_put_text(out, "word", top[i]->word);
        edge_put_uint(out, "count", top[i]->count);
        edge_write_end(out);
    }
    edge_write_end(out);
}

/* ?top=N, within its bounds. */
static size_t top_count(edge_value event) {
    edge_slice digits = edge_query(event, "top");
    if (digits.len == 0) return TOP_DEFAULT;
    size_t count = 0;
    for (size_t i = 0; i < digits.len && count < TOP_MAX; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') break;
        count = count * 10 + (size_t)(digits.ptr[i] - '0');
    }
    return count < TOP_MAX ? count : TOP_MAX;
}

static edge_result text(edge_value event, edge_value context) {
    (void)context;
    struct wordtable table = {0};
    struct counts counts = measure(edge_body(event), &table);
    if (table.failed) return edge_fail("Text.OutOfMemory", "too many different words to count");

    edge_writer out = {0};
    edge_write_map(&out);
    put_counts(&out, &counts);
    edge_put_uint(&out, "distinctWords", table.used);
    put_top(&out, &table, top_count(event), edge_equal(edge_query(event, "common"), "keep"));
    edge_write_end(&out);
    return edge_ok(edge_finish(&out));
}

EDGE_HANDLER(text)
