/* Parsing the list of characters; see charset.h. */
#include "model/charset.h"

#include <stdlib.h>

#include "base/utf8.h"

enum { max_chars = 1 << 20, property_digit = 8 };

/* Scripts that decide about spaces between words, and the script of characters without one. */
typedef enum script { script_other, script_none, han, hiragana, katakana, hangul, thai } script;

typedef struct token {
    const char *s;
    size_t n;
} token;

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static token next_token(const char **at, const char *end) {
    while (*at < end && is_blank(**at))
        ++*at;
    token t = {*at, 0};
    while (*at < end && !is_blank(**at))
        ++*at;
    t.n = (size_t)(*at - t.s);
    return t;
}

static bool token_is(token t, const char *s) {
    return t.n == strlen(s) && !memcmp(t.s, s, t.n);
}

/* A number of up to eight digits; false when the token is none. */
static bool token_number(token t, int base, uint32_t *ret) {
    if (t.n == 0 || t.n > 8) return false;
    uint32_t v = 0;
    for (size_t i = 0; i < t.n; i++) {
        int c = t.s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : base;
        if (digit >= base) return false;
        v = v * (uint32_t)base + (uint32_t)digit;
    }
    *ret = v;
    return true;
}

static script script_of(token t) {
    static const struct {
        const char *name;
        script id;
    } known[] = {{"NULL", script_none},  {"Han", han},       {"Hiragana", hiragana},
                 {"Katakana", katakana}, {"Hangul", hangul}, {"Thai", thai}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (token_is(t, known[i].name)) return known[i].id;
    return script_other;
}

/* UTF-8 without control characters. */
static bool well_formed(token t) {
    for (size_t i = 0; i < t.n;) {
        uint32_t code;
        size_t n = qi_utf8_decode(t.s + i, t.n - i, &code);
        if (n == 0 || code < ' ') return false;
        i += n;
    }
    return true;
}

typedef struct parser {
    qi_char *chars;
    char *text;
    uint8_t *scripts; /* per character, a script */
    size_t text_bytes;
    bool seen[thai + 1]; /* scripts that occur */
    uint32_t n_left, n_right, max_text_bytes;
} parser;

/* One line: "TEXT properties [metrics] [script [other-case [direction [mirror …]]]]". Metrics are
 * numbers with commas; only lines that have them have a direction. NULL, or what is wrong. */
static const char *parse_line(parser *p, uint32_t id, const char *at, const char *end) {
    token text = next_token(&at, end);
    if (token_is(text, "NULL")) text = (token){" ", 1};
    if (text.n == 0 || text.n > QI_CHAR_MAX_BYTES || !well_formed(text)) return "no valid text";
    uint32_t properties, direction = QI_DIRECTION_LEFT;
    if (!token_number(next_token(&at, end), 16, &properties)) return "no valid properties";
    token t = next_token(&at, end);
    bool has_metrics = t.n && memchr(t.s, ',', t.n);
    if (has_metrics) t = next_token(&at, end);
    script s = t.n ? script_of(t) : script_none;
    next_token(&at, end); /* other case */
    if (has_metrics && token_number(next_token(&at, end), 10, &direction) &&
        direction >= QI_N_DIRECTIONS)
        return "an unknown direction";

    p->seen[s] = true;
    p->scripts[id] = (uint8_t)s;
    p->n_left += direction == QI_DIRECTION_LEFT;
    p->n_right += direction == QI_DIRECTION_RIGHT || direction == QI_DIRECTION_RIGHT_ARABIC ||
                  direction == QI_DIRECTION_ARABIC_NUMBER;
    if (text.n > p->max_text_bytes) p->max_text_bytes = (uint32_t)text.n;
    p->chars[id] = (qi_char){.text_at = (uint32_t)p->text_bytes,
                             .text_bytes = (uint8_t)text.n,
                             .direction = (uint8_t)direction,
                             .is_digit = properties & property_digit,
                             .is_enabled = true};
    memcpy(p->text + p->text_bytes, text.s, text.n);
    p->text[p->text_bytes + text.n] = 0;
    p->text_bytes += text.n + 1;
    return NULL;
}

/* Which characters stand without spaces around them. A character without a script counts as one of
 * those when one of the scripts does not occur at all: in the reference both are script 0. */
static void decide_spacing(parser *p, uint32_t n, qi_charset *ret) {
    bool all_seen =
        p->seen[han] && p->seen[hiragana] && p->seen[katakana] && p->seen[hangul] && p->seen[thai];
    for (uint32_t i = 0; i < n; i++)
        p->chars[i].is_spaced =
            p->scripts[i] == script_other || (p->scripts[i] == script_none && all_seen);
    ret->space_delimited = !p->seen[han] && !p->seen[katakana] && !p->seen[thai];
}

static void disable(parser *p, uint32_t n, const char *list, size_t n_list) {
    for (size_t i = 0; i < n_list;) {
        uint32_t code;
        size_t length = qi_utf8_decode(list + i, n_list - i, &code);
        if (length == 0) return;
        for (uint32_t c = 0; c < n; c++)
            if (p->chars[c].text_bytes == length &&
                !memcmp(p->text + p->chars[c].text_at, list + i, length))
                p->chars[c].is_enabled = false;
        i += length;
    }
}

quire_err qi_charset_parse(const void *data, size_t n, const char *never_read, size_t n_never_read,
                           const qi_model_source *source, qi_arena *arena, qi_charset *ret,
                           quire_diag *diag) {
    const char *at = data, *end = at + n;
    const char *line_end = n ? memchr(at, '\n', n) : NULL;
    uint32_t count;
    /* Each character needs a line of at least four bytes, "x 0\n". */
    if (!line_end || !token_number(next_token(&at, line_end), 10, &count) || count == 0 ||
        count > max_chars || count > n / 4)
        return qi_model_corrupt(source, diag, "the character list has no valid count");
    at = line_end + 1;

    parser p = {.chars = qi_arena_alloc(arena, count, sizeof *p.chars),
                .text = qi_arena_alloc(arena, n, 1),
                .scripts = calloc(count, 1)};
    quire_err err = QUIRE_ERR_OK;
    if (!p.chars || !p.text || !p.scripts)
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model's characters");
    for (uint32_t id = 0; id < count && !err; id++) {
        line_end = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!line_end) line_end = end;
        const char *wrong = parse_line(&p, id, at, line_end);
        if (wrong)
            err = qi_model_corrupt(source, diag, "character %u of %u has %s", id, count, wrong);
        at = line_end < end ? line_end + 1 : end;
    }
    if (!err && (p.chars[QI_CHAR_SPACE].text_bytes != 1 || p.text[0] != ' '))
        err = qi_model_corrupt(source, diag, "the first character is not the space");
    if (!err) {
        *ret = (qi_charset){.chars = p.chars,
                            .text = p.text,
                            .n = count,
                            .max_text_bytes = p.max_text_bytes,
                            .right_to_left = p.n_right > p.n_left};
        decide_spacing(&p, count, ret);
        disable(&p, count, never_read, n_never_read);
    }
    free(p.scripts);
    return err;
}
