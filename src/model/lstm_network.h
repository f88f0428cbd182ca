/* The network component of a .traineddata file, turned into our graph. The file holds a tree of
 * layers (Tesseract 5.3, lstm/network.h), each with its type's name, sizes and weights, and after
 * it the specification, flags, the blank's class and the noise's seed.
 *
 * Run: series, parallel and bidirectional parallel, reversal along x and y, transposition, patches
 * (convolution), max-pooling, stacking, dense layers of all activations, LSTMs and summarising
 * LSTMs, with int8 or float weights, ending in a softmax with CTC. Refused by name: all else (2-D
 * LSTM, LSTMs with a softmax inside, TensorFlow graphs, training checkpoints). */
#ifndef QI_MODEL_LSTM_NETWORK_H
#define QI_MODEL_LSTM_NETWORK_H

#include <stdbool.h>

#include "model/traineddata.h"
#include "nn/graph.h"

typedef struct qi_lstm_network {
    qi_graph *graph; /* finished; freed by the caller */
    const uint8_t *spec;
    uint32_t spec_bytes; /* "[1,36,0,1 Ct3,3,16 …]", in the component */
    uint32_t height;     /* of the input, pixels; one grey channel */
    uint32_t n_classes;
    uint32_t blank;   /* the class that stands for no character */
    bool integer;     /* int8 weights and activations */
    bool has_recoder; /* classes are re-coded characters; else they are characters */
} qi_lstm_network;

/* Parses the component. MODEL_CORRUPT, MODEL_UNSUPPORTED, TOO_LARGE, NO_MEMORY. */
quire_err qi_lstm_network_parse(const void *data, size_t n, const qi_model_source *source,
                                qi_lstm_network *ret, quire_diag *diag);

#endif
