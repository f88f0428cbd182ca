/* A model ready to read lines: the file and its network packed for this processor. Immutable,
 * shared by threads. */
#ifndef QI_OCR_LINE_MODEL_H
#define QI_OCR_LINE_MODEL_H

#include "model/lstm_model.h"
#include "nn/network.h"

typedef struct qi_line_model {
    char *language, *path;
    const qi_lstm_model *file;
    qi_network *network;
} qi_line_model;

/* Loads the model of a language ("eng") from model_dir; NULL: where they are installed. Errors as
 * qi_model_find, qi_lstm_model_open and qi_network_new. */
quire_err qi_line_model_open(const char *language, const char *model_dir, qi_line_model **ret_model,
                             quire_diag *diag);
void qi_line_model_free(qi_line_model *model);
quire_model_info qi_line_model_info(const qi_line_model *model); /* lives as long as the model */

#endif
