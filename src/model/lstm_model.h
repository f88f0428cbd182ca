/* A Tesseract .traineddata file with an LSTM network, as Debian's tesseract-ocr-LANG installs it:
 * network, characters, re-coder, dictionaries.
 *
 * The file is mapped read-only and its dictionaries are used in place; every length and index in it
 * is checked, here or (dictionaries) at each use. A model is immutable and shared by threads. A
 * file must be replaced, as packages do, not changed in place, while a model of it is in use. */
#ifndef QI_MODEL_LSTM_MODEL_H
#define QI_MODEL_LSTM_MODEL_H

#include <stdbool.h>

#include "model/charset.h"
#include "model/dawg.h"
#include "model/recoder.h"
#include "nn/graph.h"

typedef struct qi_lstm_model {
    const char *language; /* as given */
    const char *path;     /* as given */
    const char *spec;     /* of the network: "[1,36,0,1 Ct3,3,16 …]" */
    char sha256[65];      /* of the file, hexadecimal */
    bool integer;         /* int8 network, else float */
    bool keeps_spaces;    /* a space is written only where one was read, as CJK models ask for; else
                             there is one between any two words */
    uint32_t height;      /* of the network's input, pixels */
    uint32_t n_classes;   /* of its output */
    uint32_t blank;       /* the class of no character */
    const qi_graph *graph; /* finished, its noise seeded */
    qi_charset charset;
    qi_recoder recoder;
    const qi_dawg *punctuation, *words, *numbers; /* NULL: the file has none */
} qi_lstm_model;

/* Loads the model of a language from a file. MODEL_MISSING: no such file; NO_PERMISSION, IO;
 * MODEL_CORRUPT, MODEL_UNSUPPORTED (legacy models such as osd, networks of other kinds), TOO_LARGE,
 * NO_MEMORY. diag names file, reason and remedy. The model is the caller's, freed by _free. */
quire_err qi_lstm_model_open(const char *path, const char *language,
                             const qi_lstm_model **ret_model, quire_diag *diag);

/* The same of a file in memory, which must outlive the model. name is for messages. */
quire_err qi_lstm_model_new(const void *data, size_t n, const char *name, const char *language,
                            const qi_lstm_model **ret_model, quire_diag *diag);
void qi_lstm_model_free(const qi_lstm_model *model);

#endif
