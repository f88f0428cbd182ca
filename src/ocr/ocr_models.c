/* Loading the models of "eng+deu" and a thread's readers for them; see ocr_models.h. */
#include "ocr/ocr_models.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 64 };

/* The next name of "eng+deu"; *at is NULL after the last. */
static quire_err next_language(const char **at, char name[MAX_NAME], quire_diag *diag) {
    size_t n = strcspn(*at, "+");
    if (!n || n >= MAX_NAME)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "a language of %zu characters is none; give names such as eng or eng+deu",
                       n);
    memcpy(name, *at, n);
    name[n] = 0;
    *at = (*at)[n] ? *at + n + 1 : NULL;
    return QUIRE_ERR_OK;
}

/* The model of this name; n_models: there is none. */
static uint32_t find_model(const qi_ocr *ocr, const char *name) {
    uint32_t i = 0;
    while (i < ocr->n_models && strcmp(ocr->info[i].language, name))
        i++;
    return i;
}

static quire_err add_model(qi_ocr *ocr, const char *name, const char *model_dir, quire_diag *diag) {
    if (find_model(ocr, name) < ocr->n_models) return QUIRE_ERR_OK;
    if (ocr->n_models == QI_OCR_MAX_MODELS)
        return qi_fail(diag, QUIRE_ERR_USAGE, "more than %d languages at once; give fewer",
                       QI_OCR_MAX_MODELS);
    qi_line_model *model;
    quire_err err = qi_line_model_open(name, model_dir, &model, diag);
    if (err) return err;
    ocr->info[ocr->n_models] = qi_line_model_info(model);
    ocr->models[ocr->n_models++] = model;
    return QUIRE_ERR_OK;
}

quire_err qi_ocr_new(const char *languages, const char *model_dir, qi_ocr **ret_ocr,
                     quire_diag *diag) {
    qi_ocr *ocr = calloc(1, sizeof *ocr);
    if (!ocr) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the models");
    for (const char *at = languages; at;) {
        char name[MAX_NAME];
        quire_err err = next_language(&at, name, diag);
        if (!err) err = add_model(ocr, name, model_dir, diag);
        if (err) {
            qi_ocr_free(ocr);
            return err;
        }
    }
    *ret_ocr = ocr;
    return QUIRE_ERR_OK;
}

quire_err qi_ocr_choose(const qi_ocr *ocr, const char *languages, qi_model_set *ret_models,
                        quire_diag *diag) {
    qi_model_set set = {0};
    for (; !languages && set.n < ocr->n_models; set.n++)
        set.at[set.n] = set.n;
    for (const char *at = languages; at;) {
        char name[MAX_NAME];
        quire_err err = next_language(&at, name, diag);
        if (err) return err;
        uint32_t model = find_model(ocr, name), i = 0;
        if (model == ocr->n_models)
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "%s is none of the languages that the reader was opened with", name);
        while (i < set.n && set.at[i] != model)
            i++;
        set.at[i] = model;
        if (i == set.n) set.n++;
    }
    *ret_models = set;
    return QUIRE_ERR_OK;
}

void qi_ocr_free(qi_ocr *ocr) {
    if (!ocr) return;
    for (uint32_t i = 0; i < ocr->n_models; i++)
        qi_line_model_free(ocr->models[i]);
    free(ocr);
}

uint32_t qi_ocr_models(const qi_ocr *ocr, const quire_model_info **ret_models) {
    *ret_models = ocr->info;
    return ocr->n_models;
}

quire_err qi_ocr_session_new(const qi_ocr *ocr, qi_line_cache *cache,
                             qi_ocr_session **ret_session) {
    qi_ocr_session *s = calloc(1, sizeof *s);
    if (!s) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < ocr->n_models; i++) {
        quire_err err = qi_line_reader_new(ocr->models[i], cache, &s->readers[i]);
        if (err) {
            qi_ocr_session_free(s);
            return err;
        }
    }
    *ret_session = s;
    return QUIRE_ERR_OK;
}

void qi_ocr_session_free(qi_ocr_session *s) {
    if (!s) return;
    for (uint32_t i = 0; i < QI_OCR_MAX_MODELS; i++)
        qi_line_reader_free(s->readers[i]);
    qi_arena_done(&s->scratch);
    free(s);
}

void qi_ocr_session_count(const qi_ocr_session *s, quire_line_counts *sum) {
    for (uint32_t i = 0; i < QI_OCR_MAX_MODELS && s->readers[i]; i++)
        qi_line_reader_count(s->readers[i], sum);
}

uint64_t qi_ocr_session_bytes(const qi_ocr *ocr) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < ocr->n_models; i++)
        bytes += qi_line_reader_bytes(ocr->models[i]);
    return bytes;
}
