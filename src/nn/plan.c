/* From a graph to a plan: fusion, placement of tensors, packing of weights. What a pass does is the
 * same on every level, so that all levels compute the same thing. */
#include <stdlib.h>
#include <string.h>

#include "nn/network_parts.h"

typedef struct planner {
    const qi_graph *graph;
    qi_network *network;
    uint32_t n_users[QI_GRAPH_MAX_NODES];
    uint32_t user[QI_GRAPH_MAX_NODES]; /* the last one */
} planner;

static quire_err no_memory(quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out while a network was planned");
}

static void find_users(planner *p) {
    const qi_graph *g = p->graph;
    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t k = 0; k < g->nodes[i].n_in; k++) {
            p->n_users[g->nodes[i].in[k]]++;
            p->user[g->nodes[i].in[k]] = i;
        }
    p->n_users[g->out]++;
    p->user[g->out] = g->n;
}

/* Its only user, when it is of this op; else UINT32_MAX. */
static uint32_t only_user(const planner *p, uint32_t id, qi_op op) {
    if (p->n_users[id] != 1 || p->user[id] == p->graph->n) return UINT32_MAX;
    return p->graph->nodes[p->user[id]].op == op ? p->user[id] : UINT32_MAX;
}

/* Patches of 3 × 3 grey pixels, a dense layer and a max pool: one step, conv.h. Returns the pool's
 * node, UINT32_MAX when the pattern does not start here. */
static uint32_t conv_pool_at(const planner *p, uint32_t i, uint32_t *ret_dense) {
    const qi_graph *g = p->graph;
    const qi_node *patches = &g->nodes[i];
    if (patches->op != QI_OP_PATCHES || patches->in[0] != 0 || patches->x != 1 || patches->y != 1)
        return UINT32_MAX;
    if (g->tensors[0].channels != 1 || g->tensors[0].type.dtype != QI_DTYPE_S8) return UINT32_MAX;
    for (uint32_t k = 0; k < i; k++) /* its noise must come first */
        if (g->nodes[k].op == QI_OP_PATCHES) return UINT32_MAX;
    uint32_t dense = only_user(p, i, QI_OP_DENSE);
    if (dense == UINT32_MAX || g->tensors[dense].type.dtype != QI_DTYPE_S8) return UINT32_MAX;
    uint32_t pool = only_user(p, dense, QI_OP_MAX_POOL);
    if (pool == UINT32_MAX || g->nodes[pool].x > QI_CONV_MAX_POOL ||
        g->nodes[pool].y > QI_CONV_MAX_POOL)
        return UINT32_MAX;
    *ret_dense = dense;
    return pool;
}

static uint32_t width_class(qi_network *n, const qi_tensor *t) {
    for (uint32_t i = 0; i < n->n_width_classes; i++)
        if (n->width_classes[i].x_div == t->x_div && n->width_classes[i].is_narrow == t->is_narrow)
            return i;
    if (n->n_width_classes == sizeof n->width_classes / sizeof *n->width_classes) return UINT32_MAX;
    n->width_classes[n->n_width_classes] = (qi_width_class){t->x_div, t->is_narrow};
    return n->n_width_classes++;
}

/* Each tensor in a buffer of its own, densely; then those that are joined move into the joint one.
 */
static quire_err place_tensors(planner *p, quire_diag *diag) {
    const qi_graph *g = p->graph;
    qi_network *n = p->network;
    for (uint32_t i = 0; i < g->n; i++) {
        const qi_tensor *t = &g->tensors[i];
        uint32_t wc = width_class(n, t);
        if (wc == UINT32_MAX)
            return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                           "the network has too many different scales");
        n->places[i] = (qi_place){.buffer = i, .stride = t->channels, .width_class = wc};
        n->buffers[i] = (qi_buffer){
            t->height, t->channels, (uint32_t)qi_value_size(t), wc, UINT32_MAX, 0, false};
        uint32_t need = t->is_narrow ? 1 : t->x_div;
        if (need > n->least_width) n->least_width = need;
    }
    /* From the last: a joint buffer inside another moves with all its parts. */
    for (uint32_t i = g->n; i-- > 0;) {
        if (g->nodes[i].op != QI_OP_CONCAT) continue;
        uint32_t at = n->places[i].offset;
        for (uint32_t k = 0; k < g->nodes[i].n_in; k++) {
            uint32_t in = g->nodes[i].in[k];
            if (n->places[in].buffer == in && g->nodes[in].op != QI_OP_INPUT) {
                n->places[in].buffer = n->places[i].buffer;
                n->places[in].offset = at;
                n->places[in].stride = n->places[i].stride;
            }
            at += g->tensors[in].channels;
        }
    }
    return QUIRE_ERR_OK;
}

static void hold(qi_network *n, uint32_t tensor, uint32_t step) {
    qi_buffer *b = &n->buffers[n->places[tensor].buffer];
    b->used = true;
    if (step < b->first) b->first = step;
    if (step > b->last) b->last = step;
}

static qi_act act_of(qi_activation a) {
    static const qi_act acts[] = {QI_KACT_LINEAR, QI_KACT_TANH,     QI_KACT_LOGISTIC,
                                  QI_KACT_RELU,   QI_KACT_CLIP_0_1, QI_KACT_CLIP_1_1,
                                  QI_KACT_LINEAR};
    return acts[a];
}

static qi_packed_row row_of(const qi_weights *w, uint32_t row) {
    qi_packed_row r = {0};
    if (w->s8) {
        r.s8 = w->s8 + (size_t)row * w->n_cols;
        r.scale = w->scales[row];
    } else {
        r.f32 = w->f32 + (size_t)row * w->n_cols;
    }
    return r;
}

static quire_err pack_dense(qi_network *n, qi_step *step, quire_diag *diag) {
    const qi_weights *w = &step->weights[0];
    qi_packed_row *rows = calloc(w->n_rows, sizeof *rows);
    if (!rows) return no_memory(diag);
    for (uint32_t i = 0; i < w->n_rows; i++)
        rows[i] = row_of(w, i);
    const qi_dense_kernel *k = w->s8 ? n->kernels.dense_s8 : n->kernels.dense_f32;
    bool ok = qi_pack(&step->packed, k->layout, w->s8, rows, w->n_rows, w->n_cols - 1, 0,
                      n->tensors[step->in].type.steps);
    free(rows);
    return ok ? QUIRE_ERR_OK : no_memory(diag);
}

/* A convolution's nine weights become three taps of three and a zero. */
static quire_err pack_conv(qi_network *n, qi_step *step, quire_diag *diag) {
    enum { n_taps = 13 };
    const qi_weights *w = &step->weights[0];
    qi_packed_row *rows = calloc(w->n_rows, sizeof *rows);
    int8_t *spread = calloc(w->n_rows, n_taps);
    bool ok = rows && spread;
    for (uint32_t i = 0; ok && i < w->n_rows; i++) {
        const int8_t *from = w->s8 + (size_t)i * w->n_cols;
        int8_t *to = spread + (size_t)i * n_taps;
        for (uint32_t k = 0; k < 9; k++)
            to[k / 3 * 4 + k % 3] = from[k];
        to[12] = from[9];
        rows[i] = (qi_packed_row){.s8 = to, .scale = w->scales[i]};
    }
    ok = ok && qi_pack(&step->packed, n->kernels.conv->layout, true, rows, w->n_rows, 12, 0,
                       n->tensors[step->conv_in].type.steps);
    free(spread);
    free(rows);
    return ok ? QUIRE_ERR_OK : no_memory(diag);
}

static quire_err pack_lstm(qi_network *n, qi_step *step, quire_diag *diag) {
    const qi_weights *w = step->weights;
    const qi_tensor *in = &n->tensors[step->in];
    uint32_t ns = w[0].n_rows;
    qi_packed_row *rows = calloc((size_t)ns * 4, sizeof *rows);
    if (!rows) return no_memory(diag);
    for (uint32_t i = 0; i < ns * 4; i++)
        rows[i] = row_of(&w[i % 4], i / 4);
    const qi_lstm_kernel *k = w->s8 ? n->kernels.lstm_s8 : n->kernels.lstm_f32;
    bool ok = qi_lstm_pack(&step->packed, k->layout, w->s8, rows, in->channels, ns, in->type.steps);
    free(rows);
    if (!ok) return no_memory(diag);
    size_t state = qi_lstm_state_floats(&step->packed, QI_SLOTS);
    if (state > n->state_floats) n->state_floats = state;
    if (ns > n->most_states) n->most_states = ns;
    if (step->node->axis == QI_AXIS_X && in->height > n->most_rows) n->most_rows = in->height;
    return QUIRE_ERR_OK;
}

/* Multiplications for x_scale columns of input. */
static uint64_t macs_of(const qi_network *n, const qi_step *step) {
    uint64_t per_position = 0;
    uint32_t at = step->op == QI_OP_CONV_POOL ? step->conv_in : step->in;
    if (step->op == QI_OP_DENSE || step->op == QI_OP_CONV_POOL)
        per_position = (uint64_t)step->weights[0].n_rows * (step->weights[0].n_cols - 1);
    if (step->op == QI_OP_LSTM)
        per_position = 4 * (uint64_t)step->weights[0].n_rows * (step->weights[0].n_cols - 1);
    const qi_tensor *t = &n->tensors[at];
    return t->is_narrow ? 0 : per_position * t->height * n->info.x_scale / t->x_div;
}

static quire_err pack_step(qi_network *n, qi_step *step, quire_diag *diag) {
    quire_err e = QUIRE_ERR_OK;
    if (step->op == QI_OP_DENSE) e = pack_dense(n, step, diag);
    if (step->op == QI_OP_CONV_POOL) e = pack_conv(n, step, diag);
    if (step->op == QI_OP_LSTM) e = pack_lstm(n, step, diag);
    n->info.macs_per_col += macs_of(n, step);
    n->info.bytes += step->packed.bytes;
    return e;
}

/* The step for node i, with everything fused into it; done marks nodes that need none of their own.
 */
static qi_step step_for(const planner *p, uint32_t i, bool done[]) {
    const qi_graph *g = p->graph;
    const qi_node *node = &g->nodes[i];
    qi_step s = {.op = node->op, .node = node, .out = i, .in = node->n_in ? node->in[0] : 0};
    uint32_t dense, pool = conv_pool_at(p, i, &dense);
    if (pool != UINT32_MAX) {
        done[dense] = done[pool] = true;
        s.op = QI_OP_CONV_POOL;
        s.node = &g->nodes[pool];
        s.weights = g->nodes[dense].weights;
        s.act = act_of(g->nodes[dense].activation);
        s.out = s.in = pool;
        s.conv_in = 0;
    } else {
        s.weights = node->weights;
        s.act = act_of(node->activation);
    }
    s.softmax = node->activation == QI_ACT_SOFTMAX;
    s.to_output = s.out == g->out && s.op == QI_OP_DENSE && p->n_users[s.out] == 1 &&
                  g->tensors[s.out].type.dtype == QI_DTYPE_F32;
    return s;
}

/* Whether anything reads the input as a tensor (a fused convolution reads the pixels). */
static bool input_is_read(const planner *p) {
    uint32_t dense, fused = 0;
    for (uint32_t i = 0; i < p->graph->n; i++)
        fused += conv_pool_at(p, i, &dense) != UINT32_MAX;
    return p->n_users[0] > fused;
}

static quire_err make_steps(planner *p, quire_diag *diag) {
    const qi_graph *g = p->graph;
    qi_network *n = p->network;
    bool *done = qi_arena_alloc(&n->arena, g->n, sizeof *done);
    if (!done) return no_memory(diag);
    done[0] = !input_is_read(p);
    for (uint32_t i = 0; i < g->n; i++) {
        if (done[i] || p->n_users[i] == 0) continue;
        uint32_t at = n->n_steps;
        n->steps[at] = step_for(p, i, done);
        qi_step *s = &n->steps[at];
        n->n_steps++;
        if (s->op != QI_OP_CONV_POOL)
            for (uint32_t k = 0; k < s->node->n_in; k++)
                hold(n, s->node->in[k], at);
        if (s->to_output)
            n->writes_output = true;
        else
            hold(n, s->out, at);
        quire_err e = pack_step(n, s, diag);
        if (e) return e;
    }
    if (!n->writes_output) hold(n, g->out, n->n_steps);
    return QUIRE_ERR_OK;
}

/* The graph may be freed: what a step still needs of its node is copied. */
static bool copy_nodes(qi_network *n) {
    for (uint32_t i = 0; i < n->n_steps; i++) {
        const qi_node *from = n->steps[i].node;
        qi_node *node = qi_arena_alloc(&n->arena, 1, sizeof *node);
        qi_tensor_id *in = qi_arena_alloc(&n->arena, from->n_in + 1, sizeof *in);
        if (!node || !in) return false;
        *node = *from;
        if (from->n_in) memcpy(in, from->in, from->n_in * sizeof *in);
        node->in = in;
        memset(node->weights, 0, sizeof node->weights);
        n->steps[i].node = node;
        n->steps[i].weights = NULL;
    }
    return true;
}

quire_err qi_network_new(const qi_graph *g, qi_cpu_level level, qi_network **ret_network,
                         quire_diag *diag) {
    if (!g->finished) return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT, "the network has no output");
    qi_network *n = calloc(1, sizeof *n);
    planner *p = calloc(1, sizeof *p);
    quire_err e = QUIRE_ERR_NO_MEMORY;
    if (!n || !p) goto fail;
    *p = (planner){.graph = g, .network = n};
    n->n_tensors = g->n;
    n->tensors = qi_arena_alloc(&n->arena, g->n, sizeof *n->tensors);
    n->places = qi_arena_alloc(&n->arena, g->n, sizeof *n->places);
    n->buffers = qi_arena_alloc(&n->arena, g->n, sizeof *n->buffers);
    n->steps = qi_arena_alloc(&n->arena, g->n, sizeof *n->steps);
    if (!n->tensors || !n->places || !n->buffers || !n->steps) goto fail;
    memcpy(n->tensors, g->tensors, g->n * sizeof *n->tensors);
    qi_kernels_of(level, &n->kernels);
    const qi_tensor *in = &g->tensors[0], *out = &g->tensors[g->out];
    n->out = g->out;
    n->noise_state = g->noise_state;
    n->info = (qi_network_info){.height = in->height,
                                .channels = in->channels,
                                .dtype = in->type.dtype,
                                .n_classes = out->channels,
                                .x_scale = out->x_div};
    find_users(p);
    e = place_tensors(p, diag);
    if (!e) e = make_steps(p, diag);
    if (!e && !copy_nodes(n)) e = no_memory(diag);
    free(p);
    if (e) {
        qi_network_free(n);
        return e;
    }
    *ret_network = n;
    return QUIRE_ERR_OK;
fail:
    free(p);
    qi_network_free(n);
    return no_memory(diag);
}

void qi_network_free(qi_network *n) {
    if (!n) return;
    for (uint32_t i = 0; i < n->n_steps; i++)
        qi_packed_done(&n->steps[i].packed);
    qi_arena_done(&n->arena);
    free(n);
}

const qi_network_info *qi_network_info_of(const qi_network *n) {
    return &n->info;
}

uint32_t qi_network_steps(const qi_network *n, uint32_t width_px) {
    if (width_px < n->least_width) return 0;
    const qi_tensor *out = &n->tensors[n->out];
    return out->is_narrow ? 1 : width_px / out->x_div;
}
