/* The list of installed models: every LANG.traineddata of the model folders, also in a folder below
 * them (script/Latin), the first one of a name as a reader would take it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "model/lstm_model.h"
#include "model/model_files.h"

struct quire_installed_models {
    qi_arena arena;
    quire_installed_model *models;
    uint32_t n, capacity;
};

static int by_language(const void *a, const void *b) {
    return strcmp(((const quire_installed_model *)a)->info.language,
                  ((const quire_installed_model *)b)->info.language);
}

static bool is_listed(const quire_installed_models *m, const char *language) {
    for (uint32_t i = 0; i < m->n; i++)
        if (!strcmp(m->models[i].info.language, language)) return true;
    return false;
}

static char *keep(quire_installed_models *m, const char *text) {
    return qi_arena_strndup(&m->arena, text, strlen(text));
}

/* Opens the model to learn what it is. */
static quire_err describe(quire_installed_models *m, quire_installed_model *out) {
    const qi_lstm_model *model;
    quire_diag diag;
    out->error = qi_lstm_model_open(out->info.path, out->info.language, &model, &diag);
    if (out->error) {
        out->error_text = keep(m, diag.text);
        return out->error_text ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
    }
    out->info.network = keep(m, model->spec);
    out->info.sha256 = keep(m, model->sha256);
    out->info.integer = model->integer;
    qi_lstm_model_free(model);
    return out->info.network && out->info.sha256 ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
}

static quire_err add(quire_installed_models *m, const char *path, const char *language) {
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode) || is_listed(m, language)) return QUIRE_ERR_OK;
    if (m->n == m->capacity) {
        uint32_t capacity = m->capacity ? m->capacity * 2 : 32;
        quire_installed_model *models = realloc(m->models, capacity * sizeof *models);
        if (!models) return QUIRE_ERR_NO_MEMORY;
        m->models = models;
        m->capacity = capacity;
    }
    quire_installed_model one = {.info = {.language = keep(m, language), .path = keep(m, path)},
                                 .n_bytes = (uint64_t)st.st_size};
    if (!one.info.language || !one.info.path) return QUIRE_ERR_NO_MEMORY;
    quire_err err = describe(m, &one);
    if (!err) m->models[m->n++] = one;
    return err;
}

/* The models in folder/below; below is "" or ends with a slash. */
static quire_err add_folder(quire_installed_models *m, const char *folder, const char *below) {
    static const char ending[] = ".traineddata";
    char path[4096], language[512];
    snprintf(path, sizeof path, "%s/%s", folder, below);
    DIR *dir = opendir(path);
    if (!dir) return QUIRE_ERR_OK;
    quire_err err = QUIRE_ERR_OK;
    const struct dirent *entry;
    while (!err && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        const size_t n = strlen(name);
        if (*name == '.') continue;
        if (n >= sizeof ending && !strcmp(name + n - (sizeof ending - 1), ending)) {
            snprintf(language, sizeof language, "%s%.*s", below, (int)(n - (sizeof ending - 1)),
                     name);
            snprintf(path, sizeof path, "%s/%s%s", folder, below, name);
            err = add(m, path, language);
        } else if (!*below && !strcmp(name, "script")) {
            err = add_folder(m, folder, "script/");
        }
    }
    closedir(dir);
    return err;
}

quire_err quire_installed_models_open(const char *model_dir, quire_installed_models **ret_models,
                                      quire_diag *diag) {
    quire_installed_models *m = calloc(1, sizeof *m);
    quire_err err = m ? QUIRE_ERR_OK : QUIRE_ERR_NO_MEMORY;
    const char *given = model_dir ? model_dir : getenv("TESSDATA_PREFIX");
    const char *const one[] = {given, NULL};
    const char *const *folder = given && *given ? one : qi_model_folders();
    for (; !err && *folder; folder++)
        err = add_folder(m, *folder, "");
    if (err) {
        quire_installed_models_close(m);
        return qi_fail(diag, err, "memory ran out for the list of models");
    }
    if (m->n) qsort(m->models, m->n, sizeof *m->models, by_language);
    *ret_models = m;
    return QUIRE_ERR_OK;
}

uint32_t quire_installed_models_view(const quire_installed_models *models,
                                     const quire_installed_model **ret) {
    *ret = models->models;
    return models->n;
}

void quire_installed_models_close(quire_installed_models *models) {
    if (!models) return;
    free(models->models);
    qi_arena_done(&models->arena);
    free(models);
}
