/* Escapes of Markdown. A backslash before ASCII punctuation makes it plain in CommonMark 0.31
 * (section 2.4) and in pandoc. Escapes are set where a character could mean something, not
 * wherever it may: text stays readable. */
#include "output/markdown_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80);
}

static bool is_blank(uint32_t c) {
    return c == ' ' || (c >= 9 && c <= 13);
}

/* Length of the mark at the start of a line that would begin a list item (1. a) (iv) #.), without
 * the sign that ends it; 0 when there is none. */
static size_t list_mark(const char *text, size_t n) {
    size_t i = n && *text == '(';
    const size_t first = i;
    while (i < n && i - first < 10 && (is_alphanumeric(text[i]) || text[i] == '#'))
        i++;
    if (i == first || i == n || (text[i] != ')' && (text[i] != '.' || first))) return 0;
    if (i + 1 < n && !is_blank((unsigned char)text[i + 1])) return 0;
    /* A capital with a point is an initial, to pandoc as well. */
    if (i - first == 1) return text[i] == '.' && text[first] >= 'A' && text[first] <= 'Z' ? 0 : i;
    size_t n_digits = 0, n_roman = 0;
    for (size_t k = first; k < i; k++) {
        n_digits += is_digit(text[k]);
        n_roman += strchr("ivxlcdmIVXLCDM", text[k]) != NULL;
    }
    return n_digits == i - first || n_roman == i - first ? i : 0;
}

/* Characters that mean something only at the start of a line: headings, quotations, rules, lists,
 * definitions, titles, underlines of headings. */
static bool opens_block(const char *text, size_t n) {
    switch (*text) {
    case '#':
    case '>':
    case '=':
    case '%':
    case '|':
        return true;
    case '-':
    case '+':
    case ':':
        return n == 1 || !is_alphanumeric(text[1]);
    default:
        return false;
    }
}

static bool is_letter(char c) {
    return is_alphanumeric(c) && !is_digit(c);
}

/* Whether an ampersand with n bytes after it begins a character reference. */
static bool is_reference(const char *text, size_t n) {
    size_t i = n && *text == '#';
    const size_t first = i;
    while (i < n && is_alphanumeric(text[i]))
        i++;
    return i > first && i < n && text[i] == ';';
}

static bool needs_escape(const char *text, size_t i, size_t n, qi_markdown_place place) {
    const char next = i + 1 < n ? text[i + 1] : ' ', before = i ? text[i - 1] : ' ';
    switch (text[i]) {
    case '\\':
    case '`':
    case '*':
    case '[':
    case '~':
    case '^':
        return true;
    case '_': /* within a word it is plain */
        return !is_alphanumeric(before) || !is_alphanumeric(next);
    case '$': /* formulas of pandoc do not end before a figure, nor begin unless they end */
        return !is_digit(next);
    case '<':
        return is_letter(next) || next == '/' || next == '!' || next == '?';
    case '|':
        return place == QI_MARKDOWN_CELL;
    case '&':
        return is_reference(text + i + 1, n - i - 1);
    case '@':
        return !is_alphanumeric(before) && (is_alphanumeric(next) || next == '{');
    case '#':
    case '{':
        return place == QI_MARKDOWN_HEADING;
    default:
        return false;
    }
}

void qi_markdown_put(qi_strbuf *out, const char *text, size_t n, qi_markdown_place place) {
    while (n && is_blank((unsigned char)*text)) {
        text++;
        n--;
    }
    const size_t mark = place == QI_MARKDOWN_START ? list_mark(text, n) : 0;
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        size_t length = qi_utf8_decode(text + i, n - i, &code);
        if (!length) {
            qi_strbuf_printf(out, "\\\\x%02X", (unsigned char)text[i++]);
            continue;
        }
        if (is_blank(code)) {
            while (i < n && is_blank((unsigned char)text[i]))
                i++;
            if (i < n) qi_strbuf_append(out, " ", 1);
            continue;
        }
        if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
            qi_strbuf_puts(out, "\xEF\xBF\xBD");
        } else {
            if (needs_escape(text, i, n, place) || (mark && i == mark) ||
                (i == 0 && place == QI_MARKDOWN_START && opens_block(text, n)))
                qi_strbuf_append(out, "\\", 1);
            qi_strbuf_append(out, text + i, length);
        }
        i += length;
    }
}
