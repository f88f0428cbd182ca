/* The reader of http_multipart.h: a machine of five states. A boundary may be cut by the pieces the
 * body comes in, so what could be the beginning of one is held back, and given on as content when
 * it turns out not to be. What is held is the beginning of the boundary, so nothing is copied; and
 * a carriage return is at its first place alone, so a failed match never starts anew inside itself.
 */
#include "server/http_multipart.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

enum { MAX_BOUNDARY_BYTES = 70, MAX_NAME_BYTES = 255, MAX_FILE_NAME_BYTES = 1023 };

typedef enum state {
    AT_START,       /* the first boundary must come */
    AFTER_BOUNDARY, /* a line end, or the two dashes of the last */
    IN_HEAD,
    IN_CONTENT,
    AT_END, /* what follows counts for nothing */
} state;

struct qi_http_multipart {
    qi_http_multipart_sink *sink;
    void *context;
    state state;
    char boundary[4 + MAX_BOUNDARY_BYTES + 1]; /* "\r\n--" and the boundary */
    size_t n_boundary, n_matched;
    char tail; /* what has come after the boundary; 0: nothing yet */
    char head[QI_HTTP_MAX_PART_HEAD_BYTES + 1];
    size_t n_head;
    uint32_t n_parts;
    /* Of the part. */
    bool given;
    bool has_file_name;
    char name[MAX_NAME_BYTES + 1], file_name[MAX_FILE_NAME_BYTES + 1];
    const char *media_type; /* in head; NULL: none */
    uint64_t offset;
};

/* ---- headers -------------------------------------------------------------------------------- */

static bool is_token(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_text(const char *s) {
    const size_t n = strlen(s);
    uint32_t code;
    for (size_t i = 0, step; i < n; i += step) {
        step = qi_utf8_decode(s + i, n - i, &code);
        if (step == 0 || code < 0x20 || code == 0x7F) return false;
    }
    return true;
}

/* Copies the value at *at, quoted or not, into out; false when it is too long or has no end. */
static bool read_value(const char **at, char *out, size_t size) {
    const char *s = *at;
    size_t n = 0;
    const bool quoted = *s == '"';
    for (s += quoted; quoted ? *s && *s != '"' : is_token(*s); s++) {
        /* Backslashes of a path stand as they are: only \" and \\ are escapes. */
        if (quoted && *s == '\\' && (s[1] == '"' || s[1] == '\\')) s++;
        if (n + 1 == size) return false;
        out[n++] = *s;
    }
    out[n] = 0;
    if (quoted && *s++ != '"') return false;
    *at = s;
    return true;
}

typedef enum found { FOUND, ABSENT, MALFORMED } found;

/* The value of "; name=value" among a header's parameters. */
static found find_parameter(const char *header, const char *name, char *out, size_t size) {
    char skipped[QI_HTTP_MAX_PART_HEAD_BYTES];
    const char *at = header + strcspn(header, ";");
    const size_t n_name = strlen(name);
    while (*at == ';') {
        at += 1 + strspn(at + 1, " \t");
        const char *start = at;
        while (is_token(*at))
            at++;
        if (at == start && *at == 0) return ABSENT; /* a semicolon at the end */
        if (at == start || *at != '=') return MALFORMED;
        const bool wanted = (size_t)(at - start) == n_name && !strncasecmp(start, name, n_name);
        at++;
        if (!read_value(&at, wanted ? out : skipped, wanted ? size : sizeof skipped))
            return MALFORMED;
        at += strspn(at, " \t");
        if (*at && *at != ';') return MALFORMED;
        if (wanted) return is_text(out) ? FOUND : MALFORMED;
    }
    return ABSENT;
}

static quire_err bad_part(const qi_http_multipart *m, const char *what, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT, "part %u of the multipart body %s", m->n_parts, what);
}

static quire_err read_disposition(qi_http_multipart *m, const char *value, quire_diag *diag) {
    if (strncasecmp(value, "form-data", 9) || (value[9] && !strchr("; \t", value[9])))
        return bad_part(m, "is not form-data", diag);
    const found name = find_parameter(value, "name", m->name, sizeof m->name);
    if (name == ABSENT) return bad_part(m, "has no name", diag);
    const found file = find_parameter(value, "filename", m->file_name, sizeof m->file_name);
    if (name == MALFORMED || file == MALFORMED)
        return bad_part(m,
                        "has a Content-Disposition that is not well formed, or names that are too "
                        "long or not UTF-8",
                        diag);
    m->has_file_name = file == FOUND;
    return QUIRE_ERR_OK;
}

/* Its value when the line is a header of that name. */
static const char *header_value(const char *line, const char *name) {
    const size_t n = strlen(name);
    if (strncasecmp(line, name, n) || line[n] != ':') return NULL;
    return line + n + 1 + strspn(line + n + 1, " \t");
}

/* m->head is the lines of the head, each with its end, and the empty one. */
static quire_err read_head(qi_http_multipart *m, quire_diag *diag) {
    const char *disposition = NULL;
    m->media_type = NULL;
    m->head[m->n_head] = 0;
    if (strlen(m->head) != m->n_head) return bad_part(m, "has a NUL in its head", diag);
    char *line = m->head;
    for (char *end; (end = strstr(line, "\r\n")) && end != line; line = end + 2) {
        *end = 0;
        const char *value;
        if (!strchr(line, ':')) return bad_part(m, "has a header without a colon", diag);
        if ((value = header_value(line, "Content-Disposition"))) {
            if (disposition) return bad_part(m, "has Content-Disposition twice", diag);
            disposition = value;
        } else if ((value = header_value(line, "Content-Type"))) {
            if (!is_text(value)) return bad_part(m, "has a Content-Type that is no text", diag);
            m->media_type = value;
        }
    }
    if (!disposition) return bad_part(m, "has no Content-Disposition", diag);
    return read_disposition(m, disposition, diag);
}

/* ---- the machine ---------------------------------------------------------------------------- */

static bool give(qi_http_multipart *m, const char *bytes, size_t n) {
    if (n == 0 && m->given) return true;
    const qi_http_piece piece = {.name = m->name,
                                 .file_name = m->has_file_name ? m->file_name : NULL,
                                 .media_type = m->media_type,
                                 .offset = m->offset,
                                 .bytes = bytes,
                                 .n_bytes = n};
    m->given = true;
    m->offset += n;
    return m->sink(m->context, &piece);
}

static quire_err stopped(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CANCELLED, "the rest of the body is not read");
}

static quire_err feed_start(qi_http_multipart *m, char c, quire_diag *diag) {
    /* A line end before the first boundary may be there or not. */
    if (m->n_matched == 0 && c == '-') m->n_matched = 2;
    if (c != m->boundary[m->n_matched])
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "the multipart body does not begin with the boundary that Content-Type "
                       "names");
    if (++m->n_matched == m->n_boundary) m->state = AFTER_BOUNDARY;
    return QUIRE_ERR_OK;
}

static quire_err feed_tail(qi_http_multipart *m, char c, quire_diag *diag) {
    if (!m->tail && (c == ' ' || c == '\t')) return QUIRE_ERR_OK;
    if (!m->tail && (c == '\r' || c == '-')) {
        m->tail = c;
        return QUIRE_ERR_OK;
    }
    if (m->tail == '-' && c == '-') {
        m->state = AT_END;
        return QUIRE_ERR_OK;
    }
    if (m->tail != '\r' || c != '\n')
        return bad_part(m, "is followed by neither a line end nor the end of the body", diag);
    if (m->n_parts == QI_HTTP_MAX_PARTS)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "the multipart body has more than %d parts",
                       QI_HTTP_MAX_PARTS);
    m->n_parts++;
    m->tail = 0;
    m->n_head = 0;
    m->state = IN_HEAD;
    return QUIRE_ERR_OK;
}

static quire_err feed_head(qi_http_multipart *m, char c, quire_diag *diag) {
    if (m->n_head == QI_HTTP_MAX_PART_HEAD_BYTES)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                       "part %u of the multipart body has a head of more than %d bytes", m->n_parts,
                       QI_HTTP_MAX_PART_HEAD_BYTES);
    m->head[m->n_head++] = c;
    const bool ended = (m->n_head == 2 && !memcmp(m->head, "\r\n", 2)) ||
                       (m->n_head >= 4 && !memcmp(m->head + m->n_head - 4, "\r\n\r\n", 4));
    if (!ended) return QUIRE_ERR_OK;
    m->n_matched = 0;
    m->given = false;
    m->offset = 0;
    m->state = IN_CONTENT;
    return read_head(m, diag);
}

/* Content up to the boundary or the end of the bytes; how many were used. */
static quire_err feed_content(qi_http_multipart *m, const char *bytes, size_t n, size_t *used,
                              quire_diag *diag) {
    size_t held = m->n_matched; /* of the match, in earlier bytes */
    size_t i = 0;
    while (i < n && m->n_matched < m->n_boundary) {
        if (m->n_matched == 0) {
            const char *next = memchr(bytes + i, '\r', n - i);
            if (!next) {
                i = n;
                break;
            }
            i = (size_t)(next - bytes) + 1;
            m->n_matched = 1;
        } else if (bytes[i] == m->boundary[m->n_matched]) {
            m->n_matched++;
            i++;
        } else {
            if (held && !give(m, m->boundary, held)) return stopped(diag);
            held = 0;
            m->n_matched = 0;
        }
    }
    *used = i;
    const size_t n_content = i - (m->n_matched - held);
    if (n_content && !give(m, bytes, n_content)) return stopped(diag);
    if (m->n_matched < m->n_boundary) return QUIRE_ERR_OK;
    if (!give(m, bytes, 0)) return stopped(diag);
    m->state = AFTER_BOUNDARY;
    return QUIRE_ERR_OK;
}

quire_err qi_http_multipart_feed(qi_http_multipart *m, const char *bytes, size_t n,
                                 quire_diag *diag) {
    for (size_t i = 0; i < n;) {
        quire_err e = QUIRE_ERR_OK;
        size_t used = 1;
        switch (m->state) {
        case AT_START:
            e = feed_start(m, bytes[i], diag);
            break;
        case AFTER_BOUNDARY:
            e = feed_tail(m, bytes[i], diag);
            break;
        case IN_HEAD:
            e = feed_head(m, bytes[i], diag);
            break;
        case IN_CONTENT:
            e = feed_content(m, bytes + i, n - i, &used, diag);
            break;
        case AT_END:
            return QUIRE_ERR_OK;
        }
        if (e) return e;
        i += used;
    }
    return QUIRE_ERR_OK;
}

quire_err qi_http_multipart_end(const qi_http_multipart *m, quire_diag *diag) {
    if (m->state == AT_END) return QUIRE_ERR_OK;
    return qi_fail(diag, QUIRE_ERR_CORRUPT,
                   "the multipart body ends without its last boundary, after %u parts", m->n_parts);
}

quire_err qi_http_multipart_new(const char *content_type, qi_http_multipart_sink *sink,
                                void *context, qi_http_multipart **ret_multipart,
                                quire_diag *diag) {
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "'()+_,-./:=? ";
    char boundary[MAX_BOUNDARY_BYTES + 1];
    if (find_parameter(content_type, "boundary", boundary, sizeof boundary) != FOUND ||
        !*boundary || boundary[strspn(boundary, allowed)] || boundary[strlen(boundary) - 1] == ' ')
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "Content-Type has no boundary of 1 to %d characters that RFC 2046 allows",
                       MAX_BOUNDARY_BYTES);
    qi_http_multipart *m = calloc(1, sizeof *m);
    if (!m) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    m->sink = sink;
    m->context = context;
    memcpy(m->boundary, "\r\n--", 4);
    memcpy(m->boundary + 4, boundary, strlen(boundary));
    m->n_boundary = 4 + strlen(boundary);
    *ret_multipart = m;
    return QUIRE_ERR_OK;
}

void qi_http_multipart_free(qi_http_multipart *m) {
    free(m);
}
