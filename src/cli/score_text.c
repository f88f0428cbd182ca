/* Reading text for scoring; see score_text.h. */
#include "cli/score_text.h"

#include <locale.h>
#include <string.h>
#include <wctype.h>

#include "base/utf8.h"

/* White_Space of Unicode 15. */
static bool is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static bool ends_line(uint32_t c) {
    return (c >= 10 && c <= 13) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

typedef struct reader_state {
    qi_score_text text;
    bool in_word, in_line;
} reader_state;

static void end_word(reader_state *s) {
    if (!s->in_word) return;
    qi_span *word = &s->text.words[s->text.n_words++];
    word->n = s->text.n_codes - word->first;
    s->in_word = false;
}

static void end_line(reader_state *s) {
    end_word(s);
    if (!s->in_line) return;
    qi_span *line = &s->text.lines[s->text.n_lines++];
    line->n = s->text.n_codes - line->first;
    s->in_line = false;
}

static void add_code(reader_state *s, uint32_t code) {
    qi_score_text *t = &s->text;
    if (!s->in_word && t->n_codes) t->codes[t->n_codes++] = ' ';
    if (!s->in_word) t->words[t->n_words].first = t->n_codes;
    if (!s->in_line) t->lines[t->n_lines].first = t->n_codes;
    s->in_word = s->in_line = true;
    t->codes[t->n_codes++] = code;
}

/* Quotes and dashes as a keyboard has them: which of their forms a page is set in, transcripts
 * rarely keep. */
static uint32_t plain_mark(uint32_t c) {
    if (c >= 0x201C && c <= 0x201F) return '"';
    if ((c >= 0x2018 && c <= 0x201B) || c == '`' || c == 0xB4) return '\'';
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return '-';
    return c;
}

int qi_score_text_of(const char *bytes, size_t n_bytes, const qi_score_options *options,
                     qi_arena *arena, qi_score_text *ret_text) {
    locale_t utf8 =
        options->fold_case ? newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0) : (locale_t)0;
    reader_state s = {.text = {.codes = qi_arena_alloc(arena, n_bytes + 1, sizeof(uint32_t)),
                               .words = qi_arena_alloc(arena, n_bytes / 2 + 1, sizeof(qi_span)),
                               .lines = qi_arena_alloc(arena, n_bytes / 2 + 1, sizeof(qi_span))}};
    bool ok = s.text.codes && s.text.words && s.text.lines;
    while (ok && n_bytes) {
        uint32_t code = 0xFFFD;
        size_t n = qi_utf8_decode(bytes, n_bytes, &code);
        if (n == 0) n = 1;
        bytes += n;
        n_bytes -= n;
        if (code == 0xFEFF) continue; /* a byte order mark */
        if (!options->exact_marks) code = plain_mark(code);
        if (ends_line(code))
            end_line(&s);
        else if (is_space(code))
            end_word(&s);
        else
            add_code(&s, utf8 ? (uint32_t)towlower_l((wint_t)code, utf8) : code);
    }
    if (utf8) freelocale(utf8);
    if (!ok) return -1;
    end_line(&s);
    *ret_text = s.text;
    return 0;
}

void qi_word_table_init(qi_word_table *table, qi_arena *arena) {
    *table = (qi_word_table){.arena = arena};
}

static uint64_t hash_of(const uint32_t *codes, size_t n) {
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a over code points */
    for (size_t i = 0; i < n; i++)
        h = (h ^ codes[i]) * 0x100000001B3u;
    return h ^ h >> 32;
}

static bool grow(qi_word_table *t) {
    const uint32_t capacity = t->capacity ? t->capacity * 2 : 256;
    struct qi_word_entry *entries = qi_arena_alloc(t->arena, capacity, sizeof *entries);
    const size_t n_slots = (size_t)capacity * 2;
    uint32_t *slots = qi_arena_alloc(t->arena, n_slots, sizeof *slots);
    if (!entries || !slots) return false;
    for (uint32_t i = 0; i < t->n_entries; i++) {
        entries[i] = t->entries[i];
        size_t at = entries[i].hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = i + 1;
    }
    t->entries = entries;
    t->slots = slots;
    t->n_slots = n_slots;
    t->capacity = capacity;
    return true;
}

uint32_t qi_word_table_add(qi_word_table *t, const uint32_t *codes, size_t n_codes) {
    if (t->n_entries == t->capacity && !grow(t)) return UINT32_MAX;
    const uint64_t hash = hash_of(codes, n_codes);
    size_t at = hash & (t->n_slots - 1);
    for (; t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
        const struct qi_word_entry *e = &t->entries[t->slots[at] - 1];
        if (e->hash == hash && e->n_codes == n_codes &&
            !memcmp(e->codes, codes, n_codes * sizeof *codes))
            return t->slots[at] - 1;
    }
    t->entries[t->n_entries] =
        (struct qi_word_entry){.codes = codes, .n_codes = n_codes, .hash = hash};
    t->slots[at] = ++t->n_entries;
    return t->n_entries - 1;
}
