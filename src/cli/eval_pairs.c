/* Listing and pairing; see eval_pairs.h. */
#include "cli/eval_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/walk.h"

/* A kind of file by its ending. Of several of a kind the one with the lower rank is taken. */
typedef struct ending {
    const char *text;
    bool is_items;
    int rank;
} ending;

static const ending truth_endings[] = {
    {".gt.txt", false, 0},    {".txt", false, 1}, {".words.json", true, 0},
    {".lines.json", true, 1}, {".json", true, 2}, {".hocr", true, 3},
    {".alto.xml", true, 4},   {".xml", true, 5},  {NULL, false, 0}};
static const ending result_endings[] = {{".txt", false, 0}, {".json", true, 0},
                                        {".hocr", true, 1}, {".alto.xml", true, 2},
                                        {".xml", true, 3},  {NULL, false, 0}};

typedef struct found_file {
    char *path, *stem;
    const ending *ending;
} found_file;

typedef struct found_list {
    found_file *files;
    size_t n, capacity;
} found_list;

static int by_stem_and_kind(const void *a, const void *b) {
    const found_file *x = a, *y = b;
    int order = strcmp(x->stem, y->stem);
    if (order) return order;
    if (x->ending->is_items != y->ending->is_items)
        return x->ending->is_items - y->ending->is_items;
    return x->ending->rank - y->ending->rank;
}

static int by_stem(const void *a, const void *b) {
    return strcmp(((const qi_eval_files *)a)->stem, ((const qi_eval_files *)b)->stem);
}

static const ending *ending_of(const char *name, const ending *endings) {
    size_t n = strlen(name);
    for (; endings->text; endings++) {
        size_t m = strlen(endings->text);
        if (n > m && !strcmp(name + n - m, endings->text)) return endings;
    }
    return NULL;
}

static quire_err add_file(found_list *list, const char *path, const char *relative,
                          const ending *kind) {
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        found_file *files = realloc(list->files, capacity * sizeof *files);
        if (!files) return QUIRE_ERR_NO_MEMORY;
        list->files = files;
        list->capacity = capacity;
    }
    found_file f = {strdup(path), strndup(relative, strlen(relative) - strlen(kind->text)), kind};
    if (!f.path || !f.stem) {
        free(f.path);
        free(f.stem);
        return QUIRE_ERR_NO_MEMORY;
    }
    list->files[list->n++] = f;
    return QUIRE_ERR_OK;
}

static quire_err find_files(const char *folder, const ending *endings, found_list *list,
                            quire_diag *diag) {
    qi_walk *walk;
    quire_err err = qi_walk_new(folder, &(qi_walk_options){.recursive = true}, &walk, diag);
    if (err) return err;
    const char *path, *relative;
    qi_walk_step step;
    while (!err && (step = qi_walk_next(walk, &path, &relative, diag)) != QI_WALK_END) {
        if (step == QI_WALK_ERROR) {
            err = diag->code;
            break;
        }
        const ending *kind = ending_of(relative, endings);
        if (kind && add_file(list, path, relative, kind))
            err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    }
    qi_walk_free(walk);
    if (!err && list->n) qsort(list->files, list->n, sizeof *list->files, by_stem_and_kind);
    return err;
}

static void found_done(found_list *list) {
    for (size_t i = 0; i < list->n; i++) {
        free(list->files[i].path);
        free(list->files[i].stem);
    }
    free(list->files);
}

/* The document of that stem (n bytes). */
static qi_eval_files *document_of(const qi_eval_list *list, const char *stem, size_t n) {
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *other = list->documents[middle].stem;
        int order = strncmp(other, stem, n);
        if (order == 0 && other[n]) order = 1;
        if (order == 0) return &list->documents[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Length of a stem without its last ending: of "a/b.png" that of "a/b". */
static size_t shorter_stem(const char *stem) {
    const char *slash = strrchr(stem, '/'), *dot = strrchr(stem, '.');
    bool inside = dot && dot > (slash ? slash + 1 : stem);
    return inside ? (size_t)(dot - stem) : strlen(stem);
}

static qi_eval_files *document_like(const qi_eval_list *list, const char *stem) {
    qi_eval_files *d = document_of(list, stem, strlen(stem));
    return d ? d : document_of(list, stem, shorter_stem(stem));
}

static char *moved(char **from) {
    char *p = *from;
    *from = NULL;
    return p;
}

/* Texts become documents; files with places join them, or become documents of their own. */
static quire_err make_documents(found_list *found, qi_eval_list *ret_list) {
    qi_eval_list list = {calloc(found->n + 1, sizeof(qi_eval_files)), 0};
    if (!list.documents) return QUIRE_ERR_NO_MEMORY;
    for (size_t i = 0; i < found->n; i++) {
        found_file *f = &found->files[i];
        if (f->ending->is_items) continue;
        if (list.n && !strcmp(list.documents[list.n - 1].stem, f->stem)) continue;
        list.documents[list.n++] =
            (qi_eval_files){.stem = moved(&f->stem), .text = moved(&f->path)};
        f->stem = strdup(list.documents[list.n - 1].stem);
        if (!f->stem) {
            qi_eval_list_done(&list);
            return QUIRE_ERR_NO_MEMORY;
        }
    }
    const qi_eval_list texts = list;
    for (size_t i = 0; i < found->n; i++) {
        found_file *f = &found->files[i];
        if (!f->ending->is_items) continue;
        qi_eval_files *d = document_like(&texts, f->stem);
        if (d && !d->items)
            d->items = moved(&f->path);
        else if (!d && (list.n == texts.n || strcmp(list.documents[list.n - 1].stem, f->stem) != 0))
            list.documents[list.n++] =
                (qi_eval_files){.stem = strdup(f->stem), .text = moved(&f->path)};
    }
    if (list.n) qsort(list.documents, list.n, sizeof *list.documents, by_stem);
    *ret_list = list;
    return QUIRE_ERR_OK;
}

static quire_err list_folder(const char *folder, const ending *endings, qi_eval_list *ret_list,
                             quire_diag *diag) {
    found_list found = {0};
    quire_err err = find_files(folder, endings, &found, diag);
    if (!err && make_documents(&found, ret_list))
        err = qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    found_done(&found);
    return err;
}

quire_err qi_eval_list_truth(const char *folder, qi_eval_list *ret_list, quire_diag *diag) {
    return list_folder(folder, truth_endings, ret_list, diag);
}

quire_err qi_eval_list_results(const char *folder, qi_eval_list *ret_list, quire_diag *diag) {
    return list_folder(folder, result_endings, ret_list, diag);
}

void qi_eval_list_done(qi_eval_list *list) {
    for (size_t i = 0; i < list->n; i++) {
        free(list->documents[i].stem);
        free(list->documents[i].text);
        free(list->documents[i].items);
    }
    free(list->documents);
    *list = (qi_eval_list){0};
}

void qi_eval_pair(qi_eval_list *truth, qi_eval_list *results) {
    for (int exact = 1; exact >= 0; exact--)
        for (size_t i = 0; i < results->n; i++) {
            qi_eval_files *r = &results->documents[i];
            if (r->partner) continue;
            qi_eval_files *t = exact ? document_of(truth, r->stem, strlen(r->stem))
                                     : document_of(truth, r->stem, shorter_stem(r->stem));
            if (!t || t->partner) continue;
            t->partner = r;
            r->partner = t;
        }
}
