/* From JSON to a page; see result_page.h. The lists are counted first, then filled. */
#include "cli/result_page.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "cli/whole_file.h"
#include "output/format.h"

enum { MAX_COORDINATE = 1000000000, SHOWN_BYTES = 300 };

static const size_t max_file_bytes = (size_t)256 << 20;

static const cJSON *item(const cJSON *of, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(of, key);
}

/* Numbers of a list, each within what a coordinate can be. */
static bool take_numbers(const cJSON *list, double *out, int n) {
    const cJSON *value = cJSON_IsArray(list) ? list->child : NULL;
    for (int i = 0; i < n; i++, value = value->next) {
        if (!cJSON_IsNumber(value)) return false;
        out[i] = value->valuedouble;
        if (!(out[i] >= -MAX_COORDINATE && out[i] <= MAX_COORDINATE)) return false;
    }
    return !value;
}

static bool take_box(const cJSON *of, quire_box *ret) {
    double v[4];
    if (!take_numbers(item(of, "box"), v, 4)) return false;
    *ret = (quire_box){(int32_t)v[0], (int32_t)v[1], (int32_t)v[2], (int32_t)v[3]};
    return true;
}

static bool take_float(const cJSON *of, const char *key, float *ret) {
    const cJSON *value = item(of, key);
    if (!cJSON_IsNumber(value)) return false;
    *ret = (float)value->valuedouble;
    return *ret >= 0 && *ret <= MAX_COORDINATE;
}

static bool take_size(const cJSON *of, const char *key, uint32_t *ret) {
    float value;
    if (!take_float(of, key, &value)) return false;
    *ret = (uint32_t)item(of, key)->valuedouble;
    return true;
}

static bool take_word(qi_arena *arena, const cJSON *from, quire_word *ret) {
    const cJSON *text = item(from, "text");
    if (!cJSON_IsString(text) || !take_box(from, &ret->box) ||
        !take_float(from, "confidence", &ret->confidence))
        return false;
    ret->text = qi_arena_strndup(arena, text->valuestring, strlen(text->valuestring));
    return ret->text != NULL;
}

static bool take_line(const cJSON *from, quire_line *ret) {
    double v[4];
    if (!take_box(from, &ret->box) || !take_numbers(item(from, "baseline"), v, 4) ||
        !take_float(from, "x_height_px", &ret->x_height_px) || !cJSON_IsArray(item(from, "words")))
        return false;
    for (int i = 0; i < 4; i++)
        ret->baseline[i] = (float)v[i];
    return true;
}

typedef struct filler {
    quire_block *blocks;
    quire_line *lines;
    quire_word *words;
    quire_page *page; /* whose counts grow */
    qi_arena *arena;
} filler;

static bool fill_line(filler *f, const cJSON *from) {
    quire_line *line = &f->lines[f->page->n_lines++];
    if (!take_line(from, line)) return false;
    line->first_word = f->page->n_words;
    const cJSON *word;
    cJSON_ArrayForEach(word, item(from, "words")) {
        if (!take_word(f->arena, word, &f->words[f->page->n_words++])) return false;
        line->n_words++;
    }
    return true;
}

static bool fill_block(filler *f, const cJSON *from) {
    quire_block *block = &f->blocks[f->page->n_blocks++];
    if (!take_box(from, &block->box) || !cJSON_IsArray(item(from, "lines"))) return false;
    block->first_line = f->page->n_lines;
    const cJSON *line;
    cJSON_ArrayForEach(line, item(from, "lines")) {
        if (!fill_line(f, line)) return false;
        block->n_lines++;
    }
    return true;
}

/* How many lists' items there are; the same walk as that of the filling. */
static void count(const cJSON *blocks, size_t *n_blocks, size_t *n_lines, size_t *n_words) {
    const cJSON *block, *line, *word;
    cJSON_ArrayForEach(block, blocks) {
        ++*n_blocks;
        cJSON_ArrayForEach(line, item(block, "lines")) {
            ++*n_lines;
            cJSON_ArrayForEach(word, item(line, "words"))++ *n_words;
        }
    }
}

static quire_err fail_shape(const char *name, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_CORRUPT,
                   "%s: it is not as the schema " QI_OUTPUT_SCHEMA
                   " says; make it anew with quire run -f json",
                   name);
}

static quire_err take_page(const cJSON *from, const char *name, qi_result_page *r,
                           quire_diag *diag) {
    const cJSON *blocks = item(from, "blocks");
    quire_page *page = &r->page;
    size_t n_blocks = 0, n_lines = 0, n_words = 0;
    if (!take_size(from, "width_px", &page->width_px) ||
        !take_size(from, "height_px", &page->height_px) || !page->width_px || !page->height_px ||
        !cJSON_IsArray(blocks))
        return fail_shape(name, diag);
    count(blocks, &n_blocks, &n_lines, &n_words);
    filler f = {.page = page, .arena = &r->arena};
    /* A list of none takes room for one, so that NULL is want of memory alone. */
    f.blocks = qi_arena_alloc(&r->arena, n_blocks + 1, sizeof *f.blocks);
    f.lines = qi_arena_alloc(&r->arena, n_lines + 1, sizeof *f.lines);
    f.words = qi_arena_alloc(&r->arena, n_words + 1, sizeof *f.words);
    if (!f.blocks || !f.lines || !f.words)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", name);
    page->blocks = f.blocks;
    page->lines = f.lines;
    page->words = f.words;
    const cJSON *block;
    cJSON_ArrayForEach(block, blocks) if (!fill_block(&f, block)) return fail_shape(name, diag);
    return QUIRE_ERR_OK;
}

/* The text of an "error" of a page or document; NULL: there is none. */
static const char *error_of(const cJSON *from) {
    const cJSON *error = item(from, "error"), *text = item(error, "text");
    if (!cJSON_IsObject(error)) return NULL;
    return cJSON_IsString(text) ? text->valuestring : "for a reason it does not tell";
}

static quire_err fail_error(const char *name, const char *what, const char *text,
                            quire_diag *diag) {
    char shown[SHOWN_BYTES];
    return qi_fail(diag, QUIRE_ERR_PAGES, "%s: %s could not be read (%s); there is nothing to view",
                   name, what, qi_printable(shown, sizeof shown, text));
}

/* The page of that number, and whether it can be drawn. */
static quire_err find_page(const cJSON *pages, uint32_t number, const char *name,
                           const cJSON **ret_page, uint32_t *ret_index, quire_diag *diag) {
    const cJSON *page;
    cJSON_ArrayForEach(page, pages) {
        uint32_t index;
        if (!take_size(page, "index", &index)) return fail_shape(name, diag);
        if (number && index != number - 1) continue;
        char what[40];
        snprintf(what, sizeof what, "page %u", index + 1);
        const char *error = error_of(page);
        if (error) return fail_error(name, what, error, diag);
        *ret_page = page;
        *ret_index = index;
        return QUIRE_ERR_OK;
    }
    int n = cJSON_GetArraySize(pages);
    if (!number) return qi_fail(diag, QUIRE_ERR_PAGES, "%s: it has no pages to view", name);
    return qi_fail(diag, QUIRE_ERR_USAGE,
                   "%s: page %u is not among the %d page%s of this result; give another one "
                   "(--page)",
                   name, number, n, n == 1 ? "" : "s");
}

static quire_err take_document(const cJSON *tree, uint32_t number, const char *name,
                               qi_result_page *r, quire_diag *diag) {
    const cJSON *schema = item(tree, "schema"), *document = item(tree, "name");
    const cJSON *pages = item(tree, "pages"), *page;
    if (!cJSON_IsString(schema))
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: it is no result of quire; make one with quire run -f json", name);
    if (strcmp(schema->valuestring, QI_OUTPUT_SCHEMA) != 0) {
        char shown[SHOWN_BYTES];
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: its schema is %s and not " QI_OUTPUT_SCHEMA
                       "; make it anew with quire run -f json",
                       name, qi_printable(shown, sizeof shown, schema->valuestring));
    }
    if (item(tree, "record"))
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: these are JSON lines; make JSON with quire run -f json", name);
    if (!cJSON_IsString(document) || !cJSON_IsArray(pages)) return fail_shape(name, diag);
    if (error_of(tree) && !pages->child)
        return fail_error(name, "the document", error_of(tree), diag);
    quire_err err = find_page(pages, number, name, &page, &r->page.index, diag);
    if (!err) err = take_page(page, name, r, diag);
    if (err) return err;
    r->document = qi_arena_strndup(&r->arena, document->valuestring, strlen(document->valuestring));
    return r->document ? QUIRE_ERR_OK
                       : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", name);
}

/* One JSON value and nothing but blanks behind it. */
static quire_err parse(const qi_strbuf *bytes, const char *name, cJSON **ret_tree,
                       quire_diag *diag) {
    const char *end = NULL;
    cJSON *tree =
        bytes->length ? cJSON_ParseWithLengthOpts(bytes->data, bytes->length, &end, false) : NULL;
    if (!tree)
        return qi_fail(diag, QUIRE_ERR_CORRUPT, "%s: not JSON; make it anew with quire run -f json",
                       name);
    while (end < bytes->data + bytes->length && strchr(" \t\r\n", *end) && *end)
        end++;
    const bool is_schema_of_lines = item(tree, "record") != NULL; /* said better further on */
    if (end < bytes->data + bytes->length && !is_schema_of_lines) {
        cJSON_Delete(tree);
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "%s: it holds more than one result; give them one by one", name);
    }
    *ret_tree = tree;
    return QUIRE_ERR_OK;
}

quire_err qi_result_page_load(const char *path, uint32_t number, qi_result_page *ret_page,
                              quire_diag *diag) {
    char name[SHOWN_BYTES];
    qi_printable(name, sizeof name, strcmp(path, "-") ? path : "standard input");
    qi_strbuf bytes = {0};
    qi_result_page r = {0};
    cJSON *tree = NULL;
    quire_err err = qi_whole_file_read(path, max_file_bytes, &bytes, diag);
    if (!err) err = parse(&bytes, name, &tree, diag);
    qi_strbuf_done(&bytes);
    if (!err) err = take_document(tree, number, name, &r, diag);
    cJSON_Delete(tree);
    if (err)
        qi_result_page_done(&r);
    else
        *ret_page = r;
    return err;
}

void qi_result_page_done(qi_result_page *page) {
    qi_arena_done(&page->arena);
    *page = (qi_result_page){0};
}
