/* The one representation of a network, whatever file it came from: typed tensors, and nodes that
 * make them. A loader builds a graph through the functions below; qi_network_new turns it into a
 * plan for a processor level and packs the weights.
 *
 * A tensor is a batch of samples of [height × width × channels], channels innermost. Its width is
 * ragged: each sample has its own, a function of the width of its input alone (or is 1 after a
 * summary along x). Nothing outside a sample's own width is ever read.
 *
 * How numbers are stored is part of a tensor's type: f32, or s8 with real value = stored / steps,
 * stored in [-limit, limit], made from a real value by the rounding rule. Dot products of s8
 * tensors are exact in 32 bits; gates and activations are single precision, one fixed sequence of
 * operations on every level.
 *
 * Every builder checks all it is given, whatever a damaged model file holds (MODEL_CORRUPT: sizes
 * that do not fit together; MODEL_UNSUPPORTED: a network we do not run; TOO_LARGE: a limit). After
 * a failure the graph is only good for freeing. One owner at a time; immutable once it is finished.
 */
#ifndef QI_NN_GRAPH_H
#define QI_NN_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct qi_graph qi_graph;
typedef uint32_t qi_tensor_id;

enum {
    QI_GRAPH_MAX_NODES = 1000,
    QI_GRAPH_MAX_HEIGHT = 512,
    QI_GRAPH_MAX_CHANNELS = 16384,    /* of a tensor but the last; the sum in a dot product */
    QI_GRAPH_MAX_CLASSES = 65536,     /* channels of the output */
    QI_GRAPH_MAX_WEIGHTS = 256 << 20, /* in all */
};

typedef enum qi_dtype { QI_DTYPE_F32, QI_DTYPE_S8 } qi_dtype;

typedef enum qi_rounding {
    QI_ROUND_HALF_AWAY, /* trunc(x ± 0.5), the sum rounded to single precision */
} qi_rounding;

typedef struct qi_tensor_type {
    qi_dtype dtype;
    float steps;   /* s8: stored = round(real × steps) */
    int32_t limit; /* s8: then clipped to [-limit, limit] */
    qi_rounding rounding;
} qi_tensor_type;

/* The types of a Tesseract network: s8 with 127 steps, and f32. */
extern const qi_tensor_type qi_type_s8, qi_type_f32;

/* A matrix of n_rows outputs by n_cols inputs, the last column the bias (input 1.0, in s8 tensors
 * `steps`). Row-major. Exactly one of s8 and f32 is set. Real weight = s8 × scales[row]; scales are
 * finite and not negative. Builders copy. */
typedef struct qi_weights {
    uint32_t n_rows, n_cols;
    const int8_t *s8;
    const double *scales; /* n_rows */
    const float *f32;
} qi_weights;

typedef enum qi_activation {
    QI_ACT_LINEAR,
    QI_ACT_TANH,
    QI_ACT_LOGISTIC,
    QI_ACT_RELU,
    QI_ACT_CLIP_0_1, /* clipped to [0, 1] */
    QI_ACT_CLIP_1_1, /* clipped to [-1, 1] */
    QI_ACT_SOFTMAX,  /* over the channels */
} qi_activation;

typedef enum qi_axis { QI_AXIS_X, QI_AXIS_Y } qi_axis;

quire_err qi_graph_new(qi_graph **ret_graph, quire_diag *diag);
void qi_graph_free(qi_graph *graph);

/* The input: height ≥ 1, channels 1 (grey), 3 (colour), or more (a column of pixels). First, once.
 */
quire_err qi_graph_input(qi_graph *graph, uint32_t height, uint32_t channels, qi_tensor_type type,
                         qi_tensor_id *ret_id, quire_diag *diag);

/* What lies outside the image is noise (see qi_graph_patches) drawn for each sample anew from this
 * state of the generator x ← 48271·x mod (2³¹ − 1): the minimal standard generator (Park and Miller
 * 1993). state in [1, 2³¹ − 2]. */
quire_err qi_graph_set_noise(qi_graph *graph, uint32_t state, quire_diag *diag);

/* State after seeding with seed and discarding one draw, as Tesseract does with
 * sample_iteration × 0x10000001. */
uint32_t qi_noise_state(uint64_t seed);

/* Each position becomes the stack of its neighbourhood: for dx in -half_x…half_x, for dy in
 * -half_y…half_y, the channels at (x + dx, y + dy). Outside the sample each element is its own draw
 * of noise, uniform in [-1, 1] as 2·r/(2³¹ − 1) − 1 with r the next state, taken position by
 * position, row by row, in the order of the stack; several such nodes continue the same stream in
 * order of their making. half ≤ 16. With a dense node after it, it is a convolution. */
quire_err qi_graph_patches(qi_graph *graph, qi_tensor_id in, uint32_t half_x, uint32_t half_y,
                           qi_tensor_id *ret_id, quire_diag *diag);

/* Blocks of scale_x × scale_y positions become one: their maximum by channel (a position left over
 * at the right or bottom is dropped). */
quire_err qi_graph_max_pool(qi_graph *graph, qi_tensor_id in, uint32_t scale_x, uint32_t scale_y,
                            qi_tensor_id *ret_id, quire_diag *diag);

/* The same blocks stacked in channels: x outer, y inner. */
quire_err qi_graph_stack(qi_graph *graph, qi_tensor_id in, uint32_t scale_x, uint32_t scale_y,
                         qi_tensor_id *ret_id, quire_diag *diag);

/* out = activation(weights · (in, 1)) at each position. Weights are s8 iff in is. out_type: f32, or
 * in's type. */
quire_err qi_graph_dense(qi_graph *graph, qi_tensor_id in, const qi_weights *weights,
                         qi_activation activation, qi_tensor_type out_type, qi_tensor_id *ret_id,
                         quire_diag *diag);

/* Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates) along axis, each row
 * (axis x) or column (axis y) a sequence of its own, starting from zeros, from its last position if
 * reverse. gates: candidate (tanh), input, forget, output (logistic), each [n_states × (in channels
 * + n_states + 1)], inputs before states. The state is clipped to ±100. Output: in's type,
 * n_states channels; with summary only that of the last step, and the axis shrinks to 1.
 *
 * A loader folds what reverses or transposes a network into axis and reverse: transposed around it,
 * x becomes y; reversed in the axis it runs along, reverse is inverted. Dense nodes do not care. */
quire_err qi_graph_lstm(qi_graph *graph, qi_tensor_id in, qi_axis axis, bool reverse, bool summary,
                        const qi_weights gates[4], qi_tensor_id *ret_id, quire_diag *diag);

/* Channels of n ≥ 1 tensors of one type and shape, in order. */
quire_err qi_graph_concat(qi_graph *graph, const qi_tensor_id in[], uint32_t n,
                          qi_tensor_id *ret_id, quire_diag *diag);

/* What a builder made: for loaders that check a file's own idea of sizes. */
uint32_t qi_graph_channels(const qi_graph *graph, qi_tensor_id id);

/* Names the output and ends the building. It must have height 1; its classes are its channels. */
quire_err qi_graph_finish(qi_graph *graph, qi_tensor_id out, quire_diag *diag);

#endif
