/* The builders of graph.h. Loaders hand in what a file says; nothing else stands between a damaged
 * file and the kernels, so every size is checked here, once, and trusted afterwards. */
#include "nn/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph_parts.h"

const qi_tensor_type qi_type_s8 = {QI_DTYPE_S8, 127.0f, 127, QI_ROUND_HALF_AWAY};
const qi_tensor_type qi_type_f32 = {.dtype = QI_DTYPE_F32};

enum {
    max_scale = 1024, /* of pools and stacks: pixels that become one */
    max_half = 16,
    noise_modulus = 2147483647,
    noise_multiplier = 48271,
};

quire_err qi_graph_new(qi_graph **ret_graph, quire_diag *diag) {
    qi_graph *g = calloc(1, sizeof *g);
    if (!g) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out while a model was loaded");
    g->noise_state = 1;
    *ret_graph = g;
    return QUIRE_ERR_OK;
}

void qi_graph_free(qi_graph *g) {
    if (!g) return;
    qi_arena_done(&g->arena);
    free(g);
}

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out while a model was loaded");
}

static bool type_is_valid(const qi_tensor_type *t) {
    if (t->dtype == QI_DTYPE_F32) return true;
    return t->dtype == QI_DTYPE_S8 && t->steps >= 1 && t->steps <= 127 && t->limit >= 1 &&
           t->limit <= 127 && t->rounding == QI_ROUND_HALF_AWAY;
}

static bool types_equal(const qi_tensor_type *a, const qi_tensor_type *b) {
    return a->dtype == b->dtype &&
           (a->dtype == QI_DTYPE_F32 || (a->steps == b->steps && a->limit == b->limit));
}

/* Adds a node with its tensor; the shape is what the caller worked out. */
static quire_err add(qi_graph *g, qi_node node, const qi_tensor_id in[], uint32_t n_in,
                     qi_tensor shape, qi_tensor_id *ret_id, quire_diag *diag) {
    if (g->finished || (g->n == 0) != (node.op == QI_OP_INPUT))
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "the network has no or two inputs");
    if (g->n == QI_GRAPH_MAX_NODES)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "the network has more than %d layers",
                       QI_GRAPH_MAX_NODES);
    if (shape.channels == 0 || shape.height == 0 || shape.x_div == 0)
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "layer %u has no output", g->n);
    uint32_t most = node.op == QI_OP_DENSE ? QI_GRAPH_MAX_CLASSES : QI_GRAPH_MAX_CHANNELS;
    if (shape.channels > most)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "layer %u has %u channels; at most %u are read",
                       g->n, shape.channels, most);
    if (n_in) {
        qi_tensor_id *copy = qi_arena_alloc(&g->arena, n_in, sizeof *copy);
        if (!copy) return no_memory(diag);
        memcpy(copy, in, n_in * sizeof *copy);
        node.in = copy;
    }
    node.n_in = n_in;
    shape.node = g->n;
    g->nodes[g->n] = node;
    g->tensors[g->n] = shape;
    *ret_id = g->n++;
    return QUIRE_ERR_OK;
}

/* The tensor of an input, checked; NULL when there is none. */
static const qi_tensor *tensor_of(const qi_graph *g, qi_tensor_id id, quire_diag *diag) {
    if (id < g->n) return &g->tensors[id];
    qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "layer %u reads layer %u, which is not there", g->n, id);
    return NULL;
}

quire_err qi_graph_input(qi_graph *g, uint32_t height, uint32_t channels, qi_tensor_type type,
                         qi_tensor_id *ret_id, quire_diag *diag) {
    if (!type_is_valid(&type) || height == 0 || height > QI_GRAPH_MAX_HEIGHT)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED, "an input of height %u is not supported",
                       height);
    qi_tensor shape = {.type = type, .height = height, .channels = channels, .x_div = 1};
    return add(g, (qi_node){.op = QI_OP_INPUT}, NULL, 0, shape, ret_id, diag);
}

quire_err qi_graph_set_noise(qi_graph *g, uint32_t state, quire_diag *diag) {
    if (state == 0 || state >= noise_modulus)
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "noise state %u is out of range", state);
    g->noise_state = state;
    return QUIRE_ERR_OK;
}

uint32_t qi_noise_state(uint64_t seed) {
    uint64_t x = seed % noise_modulus;
    return (uint32_t)((x ? x : 1) * noise_multiplier % noise_modulus);
}

quire_err qi_graph_patches(qi_graph *g, qi_tensor_id in, uint32_t half_x, uint32_t half_y,
                           qi_tensor_id *ret_id, quire_diag *diag) {
    const qi_tensor *t = tensor_of(g, in, diag);
    if (!t) return QUIRE_ERR_MODEL_CORRUPT;
    if (half_x > max_half || half_y > max_half)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                       "a convolution of %u × %u is not supported; the largest is %d × %d",
                       2 * half_x + 1, 2 * half_y + 1, 2 * max_half + 1, 2 * max_half + 1);
    qi_tensor shape = *t;
    shape.channels *= (2 * half_x + 1) * (2 * half_y + 1);
    qi_node node = {.op = QI_OP_PATCHES, .x = half_x, .y = half_y};
    return add(g, node, &in, 1, shape, ret_id, diag);
}

/* The shape that blocks of scale_x × scale_y leave. */
static quire_err scaled(const qi_graph *g, qi_tensor_id in, uint32_t scale_x, uint32_t scale_y,
                        qi_tensor *ret_shape, quire_diag *diag) {
    const qi_tensor *t = tensor_of(g, in, diag);
    if (!t) return QUIRE_ERR_MODEL_CORRUPT;
    if (scale_x == 0 || scale_y == 0 || scale_y > t->height || scale_x > max_scale / t->x_div ||
        (t->is_narrow && scale_x > 1))
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "layer %u scales %u × %u at height %u", g->n,
                       scale_x, scale_y, t->height);
    *ret_shape = *t;
    ret_shape->height /= scale_y;
    ret_shape->x_div *= scale_x;
    return QUIRE_ERR_OK;
}

quire_err qi_graph_max_pool(qi_graph *g, qi_tensor_id in, uint32_t scale_x, uint32_t scale_y,
                            qi_tensor_id *ret_id, quire_diag *diag) {
    qi_tensor shape;
    quire_err e = scaled(g, in, scale_x, scale_y, &shape, diag);
    if (e) return e;
    return add(g, (qi_node){.op = QI_OP_MAX_POOL, .x = scale_x, .y = scale_y}, &in, 1, shape,
               ret_id, diag);
}

quire_err qi_graph_stack(qi_graph *g, qi_tensor_id in, uint32_t scale_x, uint32_t scale_y,
                         qi_tensor_id *ret_id, quire_diag *diag) {
    qi_tensor shape;
    quire_err e = scaled(g, in, scale_x, scale_y, &shape, diag);
    if (e) return e;
    if (shape.channels > QI_GRAPH_MAX_CHANNELS / (scale_x * scale_y))
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "layer %u stacks too many channels", g->n);
    shape.channels *= scale_x * scale_y;
    return add(g, (qi_node){.op = QI_OP_STACK, .x = scale_x, .y = scale_y}, &in, 1, shape, ret_id,
               diag);
}

static bool values_are_sound(const qi_weights *w) {
    if (w->s8) {
        for (uint32_t i = 0; i < w->n_rows; i++)
            if (!(w->scales[i] >= 0 && w->scales[i] < 1e20)) return false;
        return true;
    }
    size_t n = (size_t)w->n_rows * w->n_cols;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(w->f32[i])) return false;
    return true;
}

/* Checks weights against the input they meet, and copies them. */
static quire_err take_weights(qi_graph *g, const qi_weights *w, const qi_tensor *in, uint32_t n_in,
                              qi_weights *ret, quire_diag *diag) {
    bool s8 = in->type.dtype == QI_DTYPE_S8;
    if (s8 != !!w->s8 || s8 == !!w->f32 || s8 != !!w->scales)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                       "layer %u mixes integer and floating-point numbers", g->n);
    if (n_in > QI_GRAPH_MAX_CHANNELS)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "layer %u has %u inputs; at most %d are read",
                       g->n, n_in, QI_GRAPH_MAX_CHANNELS);
    if (w->n_rows == 0 || w->n_cols != n_in + 1)
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT,
                       "layer %u has %u × %u weights where its %u inputs need %u columns", g->n,
                       w->n_rows, w->n_cols, n_in, n_in + 1);
    uint64_t n = (uint64_t)w->n_rows * w->n_cols;
    if (n > QI_GRAPH_MAX_WEIGHTS - g->n_weights)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "the network has more than %d weights",
                       QI_GRAPH_MAX_WEIGHTS);
    if (!values_are_sound(w))
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT,
                       "layer %u has weights that are not finite numbers", g->n);
    g->n_weights += n;
    *ret = *w;
    const void *from = s8 ? (const void *)w->s8 : w->f32;
    size_t size = s8 ? 1 : sizeof(float);
    void *values = qi_arena_alloc(&g->arena, n, size);
    double *scales = s8 ? qi_arena_alloc(&g->arena, w->n_rows, sizeof *scales) : NULL;
    if (!values || (s8 && !scales)) return no_memory(diag);
    memcpy(values, from, n * size);
    if (s8) memcpy(scales, w->scales, w->n_rows * sizeof *scales);
    ret->s8 = s8 ? values : NULL;
    ret->f32 = s8 ? NULL : values;
    ret->scales = scales;
    return QUIRE_ERR_OK;
}

quire_err qi_graph_dense(qi_graph *g, qi_tensor_id in, const qi_weights *weights,
                         qi_activation activation, qi_tensor_type out_type, qi_tensor_id *ret_id,
                         quire_diag *diag) {
    const qi_tensor *t = tensor_of(g, in, diag);
    if (!t) return QUIRE_ERR_MODEL_CORRUPT;
    if (activation > QI_ACT_SOFTMAX)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED, "layer %u has activation %d", g->n,
                       (int)activation);
    if (!type_is_valid(&out_type) ||
        (out_type.dtype != QI_DTYPE_F32 && !types_equal(&out_type, &t->type)))
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                       "layer %u gives another integer type than it reads", g->n);
    if (activation == QI_ACT_SOFTMAX && out_type.dtype != QI_DTYPE_F32)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED, "layer %u is a softmax in integers",
                       g->n);
    qi_node node = {.op = QI_OP_DENSE, .activation = activation};
    qi_tensor shape = *t;
    quire_err e = take_weights(g, weights, t, t->channels, &node.weights[0], diag);
    if (e) return e;
    shape.type = out_type;
    shape.channels = weights->n_rows;
    return add(g, node, &in, 1, shape, ret_id, diag);
}

quire_err qi_graph_lstm(qi_graph *g, qi_tensor_id in, qi_axis axis, bool reverse, bool summary,
                        const qi_weights gates[4], qi_tensor_id *ret_id, quire_diag *diag) {
    const qi_tensor *t = tensor_of(g, in, diag);
    if (!t) return QUIRE_ERR_MODEL_CORRUPT;
    qi_node node = {.op = QI_OP_LSTM, .axis = axis, .reverse = reverse, .summary = summary};
    uint32_t ns = gates[0].n_rows;
    if (ns > QI_GRAPH_MAX_CHANNELS)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "layer %u has %u states", g->n, ns);
    for (int i = 0; i < 4; i++) {
        if (gates[i].n_rows != ns)
            return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "layer %u has gates of %u and %u rows",
                           g->n, ns, gates[i].n_rows);
        quire_err e = take_weights(g, &gates[i], t, t->channels + ns, &node.weights[i], diag);
        if (e) return e;
    }
    qi_tensor shape = *t;
    shape.channels = ns;
    if (summary && axis == QI_AXIS_Y) shape.height = 1;
    if (summary && axis == QI_AXIS_X) shape.is_narrow = true;
    return add(g, node, &in, 1, shape, ret_id, diag);
}

quire_err qi_graph_concat(qi_graph *g, const qi_tensor_id in[], uint32_t n, qi_tensor_id *ret_id,
                          quire_diag *diag) {
    if (n == 0 || n > QI_GRAPH_MAX_NODES)
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "layer %u joins %u layers", g->n, n);
    qi_tensor shape = {0};
    for (uint32_t i = 0; i < n; i++) {
        const qi_tensor *t = tensor_of(g, in[i], diag);
        if (!t) return QUIRE_ERR_MODEL_CORRUPT;
        if (i && (t->height != shape.height || t->x_div != shape.x_div ||
                  t->is_narrow != shape.is_narrow || !types_equal(&t->type, &shape.type)))
            return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT,
                           "layer %u joins layers of different sizes", g->n);
        uint32_t before = i ? shape.channels : 0;
        if (i == 0) shape = *t;
        if (t->channels > QI_GRAPH_MAX_CHANNELS - before)
            return qi_fail(diag, QUIRE_ERR_TOO_LARGE, "layer %u joins too many channels", g->n);
        shape.channels = before + t->channels;
    }
    return add(g, (qi_node){.op = QI_OP_CONCAT}, in, n, shape, ret_id, diag);
}

uint32_t qi_graph_channels(const qi_graph *g, qi_tensor_id id) {
    return id < g->n ? g->tensors[id].channels : 0;
}

quire_err qi_graph_finish(qi_graph *g, qi_tensor_id out, quire_diag *diag) {
    const qi_tensor *t = tensor_of(g, out, diag);
    if (!t) return QUIRE_ERR_MODEL_CORRUPT;
    if (t->height != 1)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                       "the network's output has height %u; only sequences can be read", t->height);
    if (g->nodes[out].op == QI_OP_INPUT)
        return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "the network has no layers");
    g->out = out;
    g->finished = true;
    return QUIRE_ERR_OK;
}
