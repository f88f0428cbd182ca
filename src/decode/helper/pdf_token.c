/* Tokens of content streams; see pdf_token.h. */
#include "decode/helper/pdf_token.h"

#include <string.h>

enum { TEXT_AFTER_IMAGE = 12 }; /* bytes looked at after an EI */

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0;
}

static bool is_delimiter(uint8_t c) {
    return c && strchr("()<>[]{}/%", c);
}

static bool is_regular(uint8_t c) {
    return !is_space(c) && !is_delimiter(c);
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_space(qi_pdf_tokens *t) {
    while (t->at < t->n_bytes) {
        uint8_t c = t->bytes[t->at];
        if (c == '%')
            while (t->at < t->n_bytes && t->bytes[t->at] != '\n' && t->bytes[t->at] != '\r')
                t->at++;
        else if (is_space(c))
            t->at++;
        else
            break;
    }
}

/* After its opening parenthesis. One that is not closed ends with the data. */
static void literal_string(qi_pdf_tokens *t, qi_pdf_token *ret) {
    size_t n = 0, depth = 1, n_spaces = 0;
    while (t->at < t->n_bytes) {
        uint8_t c = t->bytes[t->at++];
        if (c == '(') depth++;
        if (c == ')' && --depth == 0) break;
        n++;
        n_spaces += c == ' ';
        if (c != '\\' || t->at >= t->n_bytes) continue;
        c = t->bytes[t->at++];
        for (int i = 0; i < 2 && c >= '0' && c <= '7' && t->at < t->n_bytes; i++)
            if (t->bytes[t->at] >= '0' && t->bytes[t->at] <= '7') t->at++;
        if (c == '\r' && t->at < t->n_bytes && t->bytes[t->at] == '\n') t->at++;
        if (c == '\r' || c == '\n') n--; /* a line that goes on */
    }
    ret->n_string_bytes = n;
    ret->n_spaces = n_spaces;
}

static void hex_string(qi_pdf_tokens *t, qi_pdf_token *ret) {
    size_t n = 0, n_spaces = 0;
    int byte = 0;
    while (t->at < t->n_bytes) {
        uint8_t c = t->bytes[t->at++];
        if (c == '>') break;
        int digit = hex_digit(c);
        if (digit < 0) continue;
        byte = (byte << 4 | digit) & 255;
        n_spaces += ++n % 2 == 0 && byte == ' ';
    }
    ret->n_string_bytes = n / 2 + n % 2;
    ret->n_spaces = n_spaces;
}

static void name(qi_pdf_tokens *t, qi_pdf_token *ret) {
    size_t n = 1;
    ret->text[0] = '/';
    while (t->at < t->n_bytes && is_regular(t->bytes[t->at])) {
        uint8_t c = t->bytes[t->at++];
        if (c == '#' && t->n_bytes - t->at >= 2) {
            int high = hex_digit(t->bytes[t->at]), low = hex_digit(t->bytes[t->at + 1]);
            if (high >= 0 && low >= 0) {
                c = (uint8_t)(high << 4 | low);
                t->at += 2;
            }
        }
        if (n + 1 < sizeof ret->text) ret->text[n++] = (char)c;
    }
    ret->text[n] = 0;
}

/* What starts with a sign, a point or a digit; viewers take "1.2.3" and "--5" for numbers too. */
static double number(qi_pdf_tokens *t) {
    double v = 0, unit = 1;
    bool negative = false, fraction = false;
    for (; t->at < t->n_bytes && is_regular(t->bytes[t->at]); t->at++) {
        uint8_t c = t->bytes[t->at];
        if (c == '-' && v == 0) {
            negative = true;
        } else if (c == '.') {
            fraction = true;
        } else if (c >= '0' && c <= '9') {
            if (fraction) unit /= 10;
            if (fraction)
                v += (c - '0') * unit;
            else if (v < 1e12)
                v = v * 10 + (c - '0');
        } else if (c != '+' && c != '-') {
            break; /* "0.5w": the operator follows at once */
        }
    }
    return negative ? -v : v;
}

static void keyword(qi_pdf_tokens *t, qi_pdf_token *ret) {
    size_t n = 0;
    while (t->at < t->n_bytes && is_regular(t->bytes[t->at])) {
        if (n + 1 < sizeof ret->text) ret->text[n++] = (char)t->bytes[t->at];
        t->at++;
    }
    ret->text[n] = 0;
}

void qi_pdf_token_next(qi_pdf_tokens *t, qi_pdf_token *ret) {
    for (;;) {
        skip_space(t);
        ret->kind = QI_PDF_END;
        ret->text[0] = 0;
        if (t->at >= t->n_bytes) return;
        uint8_t c = t->bytes[t->at];
        bool twice = t->n_bytes - t->at >= 2 && t->bytes[t->at + 1] == c;
        if (is_regular(c)) {
            bool is_number = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
            ret->kind = is_number ? QI_PDF_NUMBER : QI_PDF_KEYWORD;
            if (is_number)
                ret->number = number(t);
            else
                keyword(t, ret);
            return;
        }
        t->at++;
        switch (c) {
        case '/':
            ret->kind = QI_PDF_NAME;
            name(t, ret);
            return;
        case '(':
            ret->kind = QI_PDF_STRING;
            literal_string(t, ret);
            return;
        case '<':
            ret->kind = twice ? QI_PDF_OPEN : QI_PDF_STRING;
            if (twice)
                t->at++;
            else
                hex_string(t, ret);
            return;
        case '[':
            ret->kind = QI_PDF_OPEN;
            return;
        case ']':
            ret->kind = QI_PDF_SHUT;
            return;
        case '>':
            if (twice) {
                t->at++;
                ret->kind = QI_PDF_SHUT;
                return;
            }
        }
    }
}

/* Whether the EI at this place ends the data: by itself, and text after it. */
static bool ends_image(const qi_pdf_tokens *t, size_t at) {
    if (t->bytes[at] != 'E' || t->bytes[at + 1] != 'I' || !is_space(t->bytes[at - 1])) return false;
    size_t end = t->n_bytes - at - 2 < TEXT_AFTER_IMAGE ? t->n_bytes : at + 2 + TEXT_AFTER_IMAGE;
    for (size_t i = at + 2; i < end; i++) {
        uint8_t c = t->bytes[i];
        if (i == at + 2 && !is_space(c)) return false;
        if (c >= 0x7f || (c < ' ' && (!is_space(c) || c == 0))) return false;
    }
    return true;
}

void qi_pdf_token_skip_image(qi_pdf_tokens *t, size_t n_data_bytes) {
    if (t->at < t->n_bytes) t->at++; /* one white-space after ID */
    size_t at = t->at;
    if (n_data_bytes && n_data_bytes < t->n_bytes - at) at += n_data_bytes;
    if (at == 0) at = 1;
    while (t->n_bytes - at >= 2 && at < t->n_bytes && !ends_image(t, at))
        at++;
    t->at = at < t->n_bytes && t->n_bytes - at >= 2 ? at + 2 : t->n_bytes;
}
