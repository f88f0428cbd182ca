/* Files for scoring; see score_source.h. */
#include "cli/score_source.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/score_markup.h"
#include "cli/whole_file.h"

static const size_t max_file_bytes = (size_t)1 << 30;

static int32_t whole(double v) {
    return v < -1e9 ? -1000000000 : v > 1e9 ? 1000000000 : (int32_t)v;
}

/* The box of an item: [x0, y0, x1, y1], or the bounds of a quad of four points. */
static bool box_of(const cJSON *item, quire_box *ret_box) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(item, "bbox");
    if (!list) list = cJSON_GetObjectItemCaseSensitive(item, "box");
    if (!list) list = cJSON_GetObjectItemCaseSensitive(item, "quad");
    int n = list && cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (n != 4 && n != 8) return false;
    quire_box b = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
    int i = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, list) {
        if (!cJSON_IsNumber(value)) return false;
        int32_t v = whole(value->valuedouble);
        int32_t *low = i % 2 ? &b.y0 : &b.x0, *high = i % 2 ? &b.y1 : &b.x1;
        if (v < *low) *low = v;
        if (v > *high) *high = v;
        i++;
    }
    *ret_box = b;
    return true;
}

static const char *text_of(const cJSON *item) {
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "text");
    return cJSON_IsString(text) ? text->valuestring : NULL;
}

bool qi_score_source_add(qi_score_source *s, const char *text, size_t n_bytes, quire_box box,
                         uint32_t page) {
    if (s->n_items == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 256;
        qi_score_item *items = realloc(s->items, capacity * sizeof *items);
        if (!items) return false;
        s->items = items;
        s->capacity = capacity;
    }
    s->items[s->n_items++] = (qi_score_item){.n_bytes = n_bytes, .box = box, .page = page};
    qi_strbuf_append(&s->strings, text, n_bytes);
    return !s->strings.failed;
}

static bool add_item(qi_score_source *s, const cJSON *item, uint32_t page) {
    const char *text = text_of(item);
    quire_box box;
    if (!text || !box_of(item, &box)) return true;
    return qi_score_source_add(s, text, strlen(text), box, page);
}

/* A line of text, when text is wanted; words or the line itself as items. */
static bool add_line(qi_score_source *s, const cJSON *line, uint32_t page, bool with_text) {
    const char *text = text_of(line);
    if (text && with_text) {
        qi_strbuf_puts(&s->text, text);
        qi_strbuf_append(&s->text, "\n", 1);
    }
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(line, "words");
    if (!cJSON_IsArray(words)) return add_item(s, line, page);
    const cJSON *word;
    cJSON_ArrayForEach(word, words) if (!add_item(s, word, page)) return false;
    return true;
}

static bool add_lines(qi_score_source *s, const cJSON *lines, uint32_t page, bool with_text) {
    const cJSON *line;
    cJSON_ArrayForEach(line, lines) if (!add_line(s, line, page, with_text)) return false;
    return true;
}

static bool add_tree(qi_score_source *s, const cJSON *tree, bool with_text) {
    const cJSON *pages = cJSON_GetObjectItemCaseSensitive(tree, "pages");
    if (!pages) {
        const cJSON *lines = cJSON_GetObjectItemCaseSensitive(tree, "lines");
        return add_lines(s, lines ? lines : tree, 0, with_text);
    }
    const cJSON *page, *block;
    cJSON_ArrayForEach(page, pages) {
        const cJSON *index = cJSON_GetObjectItemCaseSensitive(page, "index");
        uint32_t number = cJSON_IsNumber(index) ? (uint32_t)whole(index->valuedouble) : 0;
        cJSON_ArrayForEach(block, cJSON_GetObjectItemCaseSensitive(page, "blocks")) {
            const cJSON *lines = cJSON_GetObjectItemCaseSensitive(block, "lines");
            if (!add_lines(s, lines, number, with_text)) return false;
        }
    }
    return true;
}

static quire_err load_json(qi_score_source *s, const char *path, bool with_text, quire_diag *diag) {
    qi_strbuf bytes = {0};
    quire_err err = qi_whole_file_read(path, max_file_bytes, &bytes, diag);
    if (!err) {
        char name[300];
        qi_printable(name, sizeof name, path);
        cJSON *tree = bytes.data ? cJSON_ParseWithLength(bytes.data, bytes.length) : NULL;
        if (!tree)
            err = qi_fail(diag, QUIRE_ERR_CORRUPT, "%s: not JSON; make it anew", name);
        else if (!add_tree(s, tree, with_text) || s->text.failed)
            err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: memory ran out", name);
        cJSON_Delete(tree);
    }
    qi_strbuf_done(&bytes);
    return err;
}

static quire_err load_markup(qi_score_source *s, const char *path, bool with_text,
                             quire_diag *diag) {
    qi_strbuf bytes = {0};
    quire_err err = qi_whole_file_read(path, max_file_bytes, &bytes, diag);
    if (!err) err = qi_score_markup_read(s, bytes.data, bytes.length, with_text, path, diag);
    qi_strbuf_done(&bytes);
    return err;
}

static bool ends_in(const char *path, const char *ending) {
    size_t n = strlen(path), m = strlen(ending);
    return n > m && !strcmp(path + n - m, ending);
}

/* What has places, by the name's ending; NULL for text. */
static quire_err (*loader_of(const char *path))(qi_score_source *, const char *, bool,
                                                quire_diag *) {
    if (ends_in(path, ".json")) return load_json;
    return ends_in(path, ".hocr") || ends_in(path, ".xml") ? load_markup : NULL;
}

quire_err qi_score_source_load(const char *text_path, const char *items_path,
                               qi_score_source *ret_source, quire_diag *diag) {
    qi_score_source s = {0};
    quire_err (*load)(qi_score_source *, const char *, bool, quire_diag *) = loader_of(text_path);
    quire_err err = load ? load(&s, text_path, true, diag)
                         : qi_whole_file_read(text_path, max_file_bytes, &s.text, diag);
    load = items_path ? loader_of(items_path) : NULL;
    if (!err && items_path) err = (load ? load : load_json)(&s, items_path, false, diag);
    if (err) {
        qi_score_source_done(&s);
        return err;
    }
    const char *at = s.strings.data;
    for (size_t i = 0; i < s.n_items; i++) {
        s.items[i].text = at;
        at += s.items[i].n_bytes;
    }
    *ret_source = s;
    return QUIRE_ERR_OK;
}

void qi_score_source_done(qi_score_source *source) {
    qi_strbuf_done(&source->text);
    qi_strbuf_done(&source->strings);
    free(source->items);
    *source = (qi_score_source){0};
}

qi_score_side qi_score_source_side(const qi_score_source *source) {
    return (qi_score_side){source->text.data ? source->text.data : "", source->text.length,
                           source->items, source->n_items};
}
