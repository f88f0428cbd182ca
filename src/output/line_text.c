/* The text of lines; see line_text.h. Cases are told for the scripts that have them and set
 * hyphens: Latin, Greek, Cyrillic, Armenian. The locale has no say: results are the same
 * everywhere. */
#include "output/line_text.h"

#include <string.h>

#include "base/utf8.h"

typedef enum letter { NO_LETTER, SMALL, CAPITAL, WITHOUT_CASE } letter;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Latin Extended-A: pairs of capital and small letter, which begin at an even code but for two
 * stretches. */
static letter latin_extended(uint32_t c) {
    if (c == 0x138 || c == 0x149 || c == 0x17F) return SMALL;
    if (c == 0x178) return CAPITAL;
    bool odd_first = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    return (c & 1) == (odd_first ? 1u : 0u) ? CAPITAL : SMALL;
}

static letter letter_of(uint32_t c) {
    if (c < 0x80) {
        if (c >= 'a' && c <= 'z') return SMALL;
        return c >= 'A' && c <= 'Z' ? CAPITAL : NO_LETTER;
    }
    if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA ? SMALL : NO_LETTER;
    if (c == 0xD7 || c == 0xF7) return NO_LETTER;
    if (c < 0x100) return c >= 0xDF ? SMALL : CAPITAL;
    if (c < 0x180) return latin_extended(c);
    if (c >= 0x386 && c < 0x3D0) {
        if (c == 0x387) return NO_LETTER;
        return c == 0x390 || c >= 0x3AC ? SMALL : CAPITAL;
    }
    if (c >= 0x400 && c < 0x430) return CAPITAL;
    if (c >= 0x430 && c < 0x460) return SMALL;
    if (c >= 0x460 && c < 0x530) return c & 1 ? SMALL : CAPITAL;
    if (c >= 0x531 && c <= 0x556) return CAPITAL;
    if (c >= 0x561 && c <= 0x587) return SMALL;
    if (c >= 0x1E00 && c < 0x1F00) return c & 1 ? SMALL : CAPITAL;
    if (c >= 0x1F00 && c < 0x2000) return c & 8 ? CAPITAL : SMALL;
    if (c >= 0xFB00 && c <= 0xFB06) return SMALL;
    bool is_sign = (c >= 0x2000 && c < 0x2C00) || (c >= 0x2E00 && c < 0x2E80) ||
                   (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) ||
                   (c >= 0xD800 && c < 0xF900) || (c >= 0xFE00 && c < 0xFE70) ||
                   (c >= 0xFF00 && c < 0xFF21) || c >= 0xFFF0;
    return is_sign && c < 0x20000 && !(c >= 0x10000 && c < 0x1F000) ? NO_LETTER : WITHOUT_CASE;
}

/* Hebrew, Arabic, Syriac, Thaana and their forms. */
static bool is_right_to_left(uint32_t c) {
    return (c >= 0x590 && c < 0x900) || (c >= 0xFB1D && c < 0xFE00) || (c >= 0xFE70 && c < 0xFF00);
}

/* Chinese and Japanese, which are written without spaces. */
static bool is_without_spaces(uint32_t c) {
    return (c >= 0x2E80 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) ||
           (c >= 0xFF01 && c < 0xFFA0) || (c >= 0x20000 && c < 0x32000);
}

/* The next character of *text, before end; U+FFFD for a byte that is none's. */
static uint32_t next_code(const char **text, const char *end) {
    uint32_t c = 0xFFFD;
    size_t n = qi_utf8_decode(*text, (size_t)(end - *text), &c);
    *text += n ? n : 1;
    return c;
}

/* The last character before *end, which moves to its start. */
static uint32_t last_code(const char *text, const char **end) {
    const char *p = *end - 1;
    while (p > text && *end - p < 4 && ((unsigned char)*p & 0xC0) == 0x80)
        p--;
    uint32_t c;
    const size_t n = (size_t)(*end - p);
    if (qi_utf8_decode(p, n, &c) != n) {
        *end -= 1;
        return 0xFFFD;
    }
    *end = p;
    return c;
}

size_t qi_text_letters(const char *text) {
    const char *end = text + strlen(text);
    size_t n = 0;
    while (text < end)
        n += letter_of(next_code(&text, end)) != NO_LETTER;
    return n;
}

bool qi_text_is_right_to_left(const char *text) {
    const char *end = text + strlen(text);
    size_t n_right = 0, n_left = 0;
    while (text < end) {
        uint32_t c = next_code(&text, end);
        if (is_right_to_left(c))
            n_right++;
        else
            n_left += letter_of(c) != NO_LETTER;
    }
    return n_right > n_left;
}

static bool is_hyphen(uint32_t c) {
    return c == '-' || c == 0xAD || c == 0x2010;
}

/* Whether the word that ends at end has a hyphen. */
static bool has_hyphen(const char *text, const char *end) {
    while (end > text) {
        uint32_t c = last_code(text, &end);
        if (c == ' ') return false;
        if (is_hyphen(c)) return true;
    }
    return false;
}

qi_line_join qi_text_join(const char *line, const char *next, size_t *ret_bytes) {
    const char *end = line + strlen(line), *next_end = next + strlen(next);
    *ret_bytes = (size_t)(end - line);
    if (end == line || next == next_end) return QI_JOIN_SPACE;
    const char *cut = end;
    uint32_t last = last_code(line, &cut), first = next_code(&next, next_end);
    if (is_without_spaces(last) && is_without_spaces(first)) return QI_JOIN_NOTHING;
    if (!is_hyphen(last) || cut == line) return QI_JOIN_SPACE;
    const char *before = cut;
    letter a = letter_of(last_code(line, &before)), b = letter_of(first);
    const bool soft = last == 0xAD;
    if (a == NO_LETTER && !(before < cut && is_digit(*before))) return QI_JOIN_SPACE;
    if (b == NO_LETTER && !(first >= '0' && first <= '9')) return QI_JOIN_SPACE;
    if (soft || (a != NO_LETTER && b == SMALL && !has_hyphen(line, cut))) {
        *ret_bytes = (size_t)(cut - line);
        return QI_JOIN_HYPHEN;
    }
    return QI_JOIN_NOTHING;
}

static bool is_bullet(uint32_t c) {
    static const uint32_t bullets[] = {0xB7,   0x2022, 0x2023, 0x2043, 0x2219, 0x25A0,
                                       0x25A1, 0x25AA, 0x25AB, 0x25B6, 0x25BA, 0x25CB,
                                       0x25CF, 0x25E6, 0x2713, 0x2756, 0x27A2, 0x30FB};
    for (size_t i = 0; i < sizeof bullets / sizeof *bullets; i++)
        if (bullets[i] == c) return true;
    return false;
}

/* The marker with the spaces after it; none when it is part of a word. */
static qi_marker marker_up_to(qi_marker m, const char *text, const char *at) {
    const char *rest = at;
    while (*rest == ' ')
        rest++;
    m.n_bytes = (size_t)(rest - text);
    m.is_alone = !*rest;
    return rest > at || m.is_alone ? m : (qi_marker){0};
}

qi_marker qi_text_marker(const char *text) {
    const char *at = text, *end = text + strlen(text);
    if (at == end) return (qi_marker){0};
    uint32_t c = next_code(&at, end);
    if (is_bullet(c))
        return marker_up_to((qi_marker){.kind = QI_MARKER_BULLET, .sign = c}, text, at);
    if (c == '-' || c == '*' || c == '+' || c == 0x2013)
        return marker_up_to((qi_marker){.kind = QI_MARKER_DASH, .sign = c}, text, at);
    at = text + (*text == '(');
    qi_marker m = {.kind = QI_MARKER_NUMBER};
    const char *digits = at;
    while (at - digits < 3 && is_digit(*at))
        m.number = m.number * 10 + (uint32_t)(*at++ - '0');
    if (at == digits || (*at != ')' && (*at != '.' || *text == '('))) return (qi_marker){0};
    m.sign = (unsigned char)*at;
    return marker_up_to(m, text, at + 1);
}

bool qi_text_is_like_bullet(const char *word) {
    static const char *const signs[] = {"e",        "o",        "s",        "@",
                                        "=",        "*",        "\xC2\xA2", "\xC2\xA9",
                                        "\xC2\xAB", "\xC2\xAE", "\xC2\xB0", "\xC2\xBB"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (!strcmp(word, signs[i])) return true;
    return false;
}

size_t qi_text_section_number(const char *text) {
    size_t n = strncmp(text, "\xC2\xA7", 2) ? 0 : 2; /* a section sign */
    n += strspn(text + n, " ");
    const size_t start = n, n_roman = strspn(text + n, "IVX");
    const bool is_lettered =
        text[n] >= 'A' && text[n] <= 'H' && text[n + 1] == '.' && is_digit(text[n + 2]);
    n += is_lettered ? 1 : n_roman;
    size_t n_dots = 0;
    for (; is_digit(text[n]) || (text[n] == '.' && n > start && text[n - 1] != '.'); n++)
        n_dots += text[n] == '.';
    if (n == start || (text[n] && text[n] != ' ')) return 0;
    /* A word or a year, but for the number of a chapter. */
    return n_dots || (!n_roman && n - start <= 2) ? n : 0;
}

qi_text_shape qi_text_shape_of(const char *text) {
    const char *end = text + strlen(text);
    qi_text_shape s = {0};
    letter a = NO_LETTER;
    while (text < end) {
        const uint32_t c = next_code(&text, end);
        if (c == ' ') continue;
        a = letter_of(c);
        if (!s.n_signs) s.begins_small = a == SMALL;
        if (!s.n_signs) s.begins_large = a == CAPITAL || a == WITHOUT_CASE;
        s.n_signs++;
        s.n_letters += a != NO_LETTER;
        s.n_small += a == SMALL;
        s.n_capital += a == CAPITAL;
        s.last = c;
    }
    s.ends_in_letter = a != NO_LETTER;
    return s;
}

bool qi_text_is_open(const char *text) {
    const qi_text_shape s = qi_text_shape_of(text);
    return s.n_letters > 1 && (s.ends_in_letter || s.last == ',' || is_hyphen(s.last));
}

bool qi_text_has_leader(const char *text) {
    return strstr(text, "....") || strstr(text, ". . . .");
}
