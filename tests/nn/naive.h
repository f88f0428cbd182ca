/* An independent, slow evaluation of small networks, sample by sample and straight from the
 * definitions in nn/graph.h: what the tests compare the engine with. It shares with the engine only
 * the definition of the activations (kernels/act/act.h), since those must agree to the bit. */
#ifndef QI_TESTS_NN_NAIVE_H
#define QI_TESTS_NN_NAIVE_H

#include "nn/graph.h"

/* A layer to build and to evaluate. in: 0 is the input, i + 1 is layer i. */
typedef enum layer_kind { PATCHES, POOL, STACK, DENSE, LSTM, CONCAT } layer_kind;

typedef struct layer {
    layer_kind kind;
    uint32_t in, in2; /* concat: two */
    uint32_t a, b;    /* half widths or scales; dense and lstm: a outputs */
    qi_activation activation;
    bool to_f32;
    qi_axis axis;
    bool reverse, summary;
} layer;

typedef struct model {
    uint32_t height, channels, n_layers, noise_state;
    bool s8;
    layer layers[16];
    qi_weights weights[16][4]; /* made by model_fill */
} model;

/* Random weights for every layer, from seed. Allocates; model_done frees. */
void model_fill(model *m, uint32_t seed);
void model_done(model *m);

/* The graph of the model. */
qi_graph *model_graph(const model *m);

/* The result for one sample: [n_steps × n_classes] in a new allocation. */
float *model_evaluate(const model *m, const void *pixels, uint32_t width, uint32_t *ret_steps,
                      uint32_t *ret_classes);

#endif
