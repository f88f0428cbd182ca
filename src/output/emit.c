/* Numbers and strings of emit.h. printf is not used for fractions: its point follows the locale. */
#include "output/emit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static size_t put_digits(char *end, uint64_t v) {
    size_t n = 0;
    do {
        *--end = (char)('0' + v % 10);
        v /= 10;
        n++;
    } while (v);
    return n;
}

void qi_emit_int(qi_strbuf *out, int64_t value) {
    char digits[24];
    char *end = digits + sizeof digits;
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t n = put_digits(end, v);
    if (value < 0) end[-(ptrdiff_t)++n] = '-';
    qi_strbuf_append(out, end - n, n);
}

void qi_emit_fixed(qi_strbuf *out, double value, unsigned digits) {
    if (!isfinite(value)) value = 0;
    value = fmin(fmax(value, -1e9), 1e9);
    int64_t scale = 1;
    for (unsigned i = 0; i < digits && i < 9; i++)
        scale *= 10;
    int64_t v = llround(value * (double)scale);
    if (v < 0) qi_strbuf_append(out, "-", 1);
    uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v;
    qi_emit_int(out, (int64_t)(u / (uint64_t)scale));
    if (!digits) return;
    char fraction[10] = ".00000000";
    char *end = fraction + 1 + (digits > 9 ? 9 : digits);
    memset(fraction + 1, '0', sizeof fraction - 1);
    put_digits(end, u % (uint64_t)scale);
    qi_strbuf_append(out, fraction, (size_t)(end - fraction));
}

static void put_escape(qi_strbuf *out, unsigned c) {
    switch (c) {
    case '"':
        qi_strbuf_puts(out, "\\\"");
        break;
    case '\\':
        qi_strbuf_puts(out, "\\\\");
        break;
    case '\n':
        qi_strbuf_puts(out, "\\n");
        break;
    case '\t':
        qi_strbuf_puts(out, "\\t");
        break;
    default:
        qi_strbuf_printf(out, "\\u%04x", c);
    }
}

void qi_emit_json_string(qi_strbuf *out, const char *text) {
    if (!text) {
        qi_strbuf_puts(out, "null");
        return;
    }
    qi_strbuf_append(out, "\"", 1);
    size_t left = strlen(text);
    const char *run = text; /* start of what can be copied as it is */
    while (left) {
        uint32_t code = 0;
        size_t n = qi_utf8_decode(text, left, &code);
        if (n && code >= 0x20 && code != '"' && code != '\\' && code != 0x7F) {
            text += n;
            left -= n;
            continue;
        }
        qi_strbuf_append(out, run, (size_t)(text - run));
        if (n)
            put_escape(out, code);
        else
            qi_strbuf_printf(out, "\\\\x%02X", (unsigned char)*text);
        text++;
        left--;
        run = text;
    }
    qi_strbuf_append(out, run, (size_t)(text - run));
    qi_strbuf_append(out, "\"", 1);
}

/* What stands for a character that may not stand for itself in XML; NULL for the others. Of the
 * characters that XML allows, C1 controls are none of HTML's. */
static const char *xml_escape(uint32_t code) {
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return " ";
    default:
        return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code & 0xFFFE) == 0xFFFE ||
                       (code >= 0xFDD0 && code <= 0xFDEF)
                   ? "\xEF\xBF\xBD"
                   : NULL;
    }
}

void qi_emit_xml(qi_strbuf *out, const char *text, size_t n) {
    const char *run = text; /* start of what can be copied as it is */
    while (n) {
        uint32_t code = 0;
        size_t length = qi_utf8_decode(text, n, &code);
        const char *escape = length ? xml_escape(code) : "";
        if (escape) {
            qi_strbuf_append(out, run, (size_t)(text - run));
            qi_strbuf_puts(out, escape);
            if (!length) qi_strbuf_printf(out, "\\x%02X", (unsigned char)*text);
            run = text + (length ? length : 1);
        }
        text += length ? length : 1;
        n -= length ? length : 1;
    }
    qi_strbuf_append(out, run, (size_t)(text - run));
}

void qi_emit_key(qi_strbuf *out, const char *key) {
    if (out->length && out->data[out->length - 1] != '{') qi_strbuf_append(out, ",", 1);
    qi_strbuf_append(out, "\"", 1);
    qi_strbuf_puts(out, key);
    qi_strbuf_append(out, "\":", 2);
}
