/* hOCR and ALTO by one pass of expat. Both nest words in lines in pages; what differs is how an
 * element says what it is and where (class and title, or name and attributes), and where its text
 * is (between the tags, or in CONTENT). */
#include "cli/score_markup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

enum { MAX_DEPTH = 256, MAX_LINE_BYTES = 1 << 20, PIECE_BYTES = 1 << 16 };

typedef enum dialect { UNKNOWN, HOCR, ALTO } dialect;
typedef enum role { OTHER, PAGE, LINE, WORD, UNIT } role;

typedef struct reader {
    XML_Parser parser;
    qi_score_source *source;
    bool with_text;
    dialect dialect;
    unsigned char roles[MAX_DEPTH];
    unsigned depth;
    uint32_t n_pages, page;
    qi_strbuf line; /* the text of the line at hand, white space collapsed */
    bool in_line, space_due;
    quire_box line_box, word_box;
    bool line_has_box, word_has_box;
    size_t word_at;      /* in line */
    size_t n_line_items; /* words with boxes */
    qi_strbuf unit;      /* ALTO: of measurement */
    bool no_boxes;       /* it is none of the page's pixels */
    const char *refusal;
    quire_err err;
} reader;

static void refuse(reader *r, quire_err err, const char *why) {
    if (r->err) return;
    r->err = err;
    r->refusal = why;
    XML_StopParser(r->parser, XML_FALSE);
}

static void check_memory(reader *r, bool ok) {
    if (!ok) refuse(r, QUIRE_ERR_NO_MEMORY, "memory ran out");
}

/* The name without its prefix. */
static const char *local_name(const XML_Char *name) {
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static const char *attribute(const XML_Char **attributes, const char *name) {
    for (; *attributes; attributes += 2)
        if (!strcmp(local_name(attributes[0]), name)) return attributes[1];
    return NULL;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- text ---------------------------------------------------------------------------------- */

static void add_text(reader *r, const char *text, size_t n) {
    if (!r->in_line) return;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && !is_blank(text[end]))
            end++;
        if (end > i) {
            if (r->space_due && r->line.length) qi_strbuf_append(&r->line, " ", 1);
            /* A word begins after the space before it. */
            if (r->space_due && r->word_at + 1 == r->line.length) r->word_at++;
            r->space_due = false;
            qi_strbuf_append(&r->line, text + i, end - i);
        }
        for (; end < n && is_blank(text[end]); end++)
            r->space_due = true;
        i = end;
    }
    check_memory(r, !r->line.failed);
    if (r->line.length > MAX_LINE_BYTES)
        refuse(r, QUIRE_ERR_TOO_LARGE, "a line is longer than 1 MiB");
}

static void begin_line(reader *r, bool has_box, quire_box box) {
    qi_strbuf_clear(&r->line);
    r->in_line = true;
    r->space_due = false;
    r->n_line_items = 0;
    r->line_has_box = has_box;
    r->line_box = box;
}

static void add_item(reader *r, size_t at, quire_box box) {
    if (r->line.length <= at || r->no_boxes) return;
    r->n_line_items++;
    check_memory(
        r, qi_score_source_add(r->source, r->line.data + at, r->line.length - at, box, r->page));
}

static void end_line(reader *r) {
    if (r->line_has_box && !r->n_line_items) add_item(r, 0, r->line_box);
    if (r->with_text && r->line.length) {
        qi_strbuf_append(&r->source->text, r->line.data, r->line.length);
        qi_strbuf_append(&r->source->text, "\n", 1);
        check_memory(r, !r->source->text.failed);
    }
    qi_strbuf_clear(&r->line);
    r->in_line = false;
}

/* A word outside of lines is a line. */
static void begin_word(reader *r, bool has_box, quire_box box) {
    if (!r->in_line) begin_line(r, has_box, box);
    r->word_at = r->line.length;
    r->word_has_box = has_box;
    r->word_box = box;
}

static void end_word(reader *r) {
    if (r->word_has_box) add_item(r, r->word_at, r->word_box);
    for (unsigned i = 0; i < r->depth; i++)
        if (r->roles[i] == LINE) return;
    end_line(r);
}

/* ---- hOCR ---------------------------------------------------------------------------------- */

static role hocr_role(const char *classes) {
    static const struct {
        const char *name;
        role role;
    } known[] = {{"ocr_page", PAGE},      {"ocr_line", LINE},   {"ocrx_line", LINE},
                 {"ocr_header", LINE},    {"ocr_footer", LINE}, {"ocr_caption", LINE},
                 {"ocr_textfloat", LINE}, {"ocrx_word", WORD},  {"ocr_word", WORD}};
    while (classes && *classes) {
        size_t n = strcspn(classes, " \t\r\n");
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strlen(known[i].name) == n && !memcmp(known[i].name, classes, n))
                return known[i].role;
        classes += n;
        classes += strspn(classes, " \t\r\n");
    }
    return OTHER;
}

/* The value of a property in a title: "bbox 1 2 3 4; x_wconf 9"; strings in it may hold anything.
 * NULL when it is not there. */
static const char *property(const char *title, const char *name) {
    const size_t n = strlen(name);
    for (const char *p = title; p && *p;) {
        p += strspn(p, " \t\r\n;");
        if (!strncmp(p, name, n) && is_blank(p[n])) return p + n;
        for (bool quoted = false; *p && (quoted || *p != ';'); p++)
            quoted ^= *p == '"';
    }
    return NULL;
}

static int32_t whole(double v) {
    return !(v > -1e9) ? -1000000000 : v > 1e9 ? 1000000000 : (int32_t)v;
}

static bool hocr_box(const char *title, quire_box *ret_box) {
    const char *at = property(title, "bbox");
    int32_t v[4];
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        double value = at ? strtod(at, &end) : 0;
        if (!at || end == at) return false;
        v[i] = whole(value);
        at = end;
    }
    *ret_box = (quire_box){v[0], v[1], v[2], v[3]};
    return true;
}

/* ---- ALTO ---------------------------------------------------------------------------------- */

static role alto_role(const char *name) {
    return !strcmp(name, "Page")              ? PAGE
           : !strcmp(name, "TextLine")        ? LINE
           : !strcmp(name, "String")          ? WORD
           : !strcmp(name, "MeasurementUnit") ? UNIT
                                              : OTHER;
}

static bool alto_box(const XML_Char **attributes, quire_box *ret_box) {
    static const char *const names[4] = {"HPOS", "VPOS", "WIDTH", "HEIGHT"};
    double v[4];
    for (int i = 0; i < 4; i++) {
        const char *text = attribute(attributes, names[i]);
        char *end = NULL;
        v[i] = text ? strtod(text, &end) : 0;
        if (!text || end == text) return false;
    }
    *ret_box = (quire_box){whole(v[0]), whole(v[1]), whole(v[0] + v[2]), whole(v[1] + v[3])};
    return true;
}

/* What of a line is no word: spaces and hyphens. */
static void alto_between(reader *r, const char *name, const XML_Char **attributes) {
    if (!strcmp(name, "SP")) r->space_due = true;
    const char *hyphen = strcmp(name, "HYP") ? NULL : attribute(attributes, "CONTENT");
    if (hyphen) add_text(r, hyphen, strlen(hyphen));
}

static void end_unit(reader *r) {
    const char *unit = r->unit.data ? r->unit.data : "";
    r->no_boxes = strcmp(unit + strspn(unit, " \t\r\n"), "pixel") != 0;
}

/* ---- both ---------------------------------------------------------------------------------- */

static void begin_page(reader *r, const char *title) {
    const char *number = r->dialect == HOCR ? property(title, "ppageno") : NULL;
    r->page = number ? (uint32_t)whole(fmax(strtod(number, NULL), 0)) : r->n_pages;
    r->n_pages++;
}

static void on_start(void *context, const XML_Char *full_name, const XML_Char **attributes) {
    reader *r = context;
    const char *name = local_name(full_name);
    if (r->depth == MAX_DEPTH) {
        refuse(r, QUIRE_ERR_TOO_LARGE, "elements are nested deeper than 256");
        return;
    }
    if (!r->depth) {
        r->dialect = !strcmp(name, "alto") ? ALTO : !strcmp(name, "html") ? HOCR : UNKNOWN;
        if (!r->dialect) refuse(r, QUIRE_ERR_CORRUPT, "neither ALTO nor hOCR");
    }
    const bool alto = r->dialect == ALTO;
    const char *title = alto ? NULL : attribute(attributes, "title");
    role kind = alto ? alto_role(name) : hocr_role(attribute(attributes, "class"));
    if (kind == LINE && r->in_line) kind = OTHER; /* a line in a line is part of it */
    if (kind == WORD && r->depth && r->roles[r->depth - 1] == WORD) kind = OTHER;
    r->roles[r->depth++] = (unsigned char)kind;
    quire_box box = {0};
    const bool has_box = alto ? alto_box(attributes, &box) : hocr_box(title, &box);
    if (kind == PAGE) begin_page(r, title);
    if (kind == LINE) begin_line(r, has_box, box);
    if (kind == WORD) begin_word(r, has_box, box);
    if (!alto) return;
    alto_between(r, name, attributes);
    const char *content = kind == WORD ? attribute(attributes, "CONTENT") : NULL;
    if (content) add_text(r, content, strlen(content));
}

static void on_end(void *context, const XML_Char *name) {
    reader *r = context;
    if (!r->depth) return;
    switch ((role)r->roles[--r->depth]) {
    case LINE:
        end_line(r);
        break;
    case WORD:
        end_word(r);
        break;
    case UNIT:
        end_unit(r);
        break;
    case PAGE:
    case OTHER:
        break;
    }
}

static void on_text(void *context, const XML_Char *text, int n) {
    reader *r = context;
    if (r->dialect == HOCR) add_text(r, text, (size_t)n);
    if (r->depth && r->roles[r->depth - 1] == UNIT && r->unit.length < 64)
        qi_strbuf_append(&r->unit, text, (size_t)n);
}

/* Entities of HTML, which the document's type declares elsewhere and nobody fetches. */
static void on_skipped(void *context, const XML_Char *name, int is_parameter) {
    if (is_parameter) return;
    const bool is_space = !strcmp(name, "nbsp") || !strcmp(name, "ensp") || !strcmp(name, "emsp") ||
                          !strcmp(name, "thinsp");
    const char *text = is_space ? " " : !strcmp(name, "shy") ? "\xC2\xAD" : "\xEF\xBF\xBD";
    on_text(context, text, (int)strlen(text));
}

static void on_entity(void *context, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int n, const XML_Char *base, const XML_Char *system, const XML_Char *public,
                      const XML_Char *notation) {
    refuse(context, QUIRE_ERR_CORRUPT, "it declares entities, which are not read");
}

static void parse(reader *r, const char *bytes, size_t n) {
    enum XML_Status status = XML_STATUS_OK;
    for (size_t at = 0; status == XML_STATUS_OK && !r->err;) {
        size_t piece = n - at < PIECE_BYTES ? n - at : PIECE_BYTES;
        status = XML_Parse(r->parser, bytes + at, (int)piece, at + piece == n);
        at += piece;
        if (at == n) break;
    }
    if (status == XML_STATUS_OK || r->err) return;
    const enum XML_Error code = XML_GetErrorCode(r->parser);
    r->err = code == XML_ERROR_NO_MEMORY ? QUIRE_ERR_NO_MEMORY : QUIRE_ERR_CORRUPT;
    r->refusal = XML_ErrorString(code);
}

quire_err qi_score_markup_read(qi_score_source *source, const char *bytes, size_t n_bytes,
                               bool with_text, const char *path, quire_diag *diag) {
    char name[300];
    qi_printable(name, sizeof name, path);
    reader r = {.source = source, .with_text = with_text, .parser = XML_ParserCreate(NULL)};
    if (!r.parser) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", name);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetSkippedEntityHandler(r.parser, on_skipped);
    XML_SetEntityDeclHandler(r.parser, on_entity);
    parse(&r, bytes ? bytes : "", n_bytes);
    if (r.err)
        qi_fail(
            diag, r.err,
            "%s: line %lu: %s; it has to be ALTO, or hOCR that is well-formed XML: make it anew "
            "or move it away",
            name, (unsigned long)XML_GetCurrentLineNumber(r.parser), r.refusal);
    XML_ParserFree(r.parser);
    qi_strbuf_done(&r.line);
    qi_strbuf_done(&r.unit);
    return r.err;
}
