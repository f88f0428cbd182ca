/* Loading models for line reading, see line_model.h. */
#include "ocr/line_model.h"

#include <stdlib.h>
#include <string.h>

#include "model/model_files.h"

quire_err qi_line_model_open(const char *language, const char *model_dir, qi_line_model **ret_model,
                             quire_diag *diag) {
    qi_line_model *m = calloc(1, sizeof *m);
    if (!m || !(m->language = strdup(language))) {
        free(m);
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model %s", language);
    }
    quire_err err = qi_model_find(language, model_dir, &m->path, diag);
    if (!err) err = qi_lstm_model_open(m->path, m->language, &m->file, diag);
    if (!err) err = qi_network_new(m->file->graph, qi_cpu_level_now(), &m->network, diag);
    if (err) {
        qi_line_model_free(m);
        return err;
    }
    *ret_model = m;
    return QUIRE_ERR_OK;
}

void qi_line_model_free(qi_line_model *m) {
    if (!m) return;
    qi_network_free(m->network);
    qi_lstm_model_free(m->file);
    free(m->path);
    free(m->language);
    free(m);
}

quire_model_info qi_line_model_info(const qi_line_model *m) {
    return (quire_model_info){.language = m->language,
                              .path = m->path,
                              .sha256 = m->file->sha256,
                              .network = m->file->spec,
                              .integer = m->file->integer};
}
