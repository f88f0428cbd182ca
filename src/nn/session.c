/* A session: one block of memory, cut up once, and the walk over the plan's steps. Buffers whose
 * lifetimes do not meet share their place. */
#include <stdlib.h>
#include <string.h>

#include "kernels/patches/patches.h"
#include "nn/network_parts.h"

enum { align_bytes = 64, max_session_bytes = 1 << 30 };

static size_t round_up(size_t n) {
    return (n + align_bytes - 1) / align_bytes * align_bytes;
}

static size_t buffer_bytes(const qi_network *n, const qi_buffer *b, uint32_t max_lines,
                           uint32_t max_sum_width) {
    const qi_width_class *c = &n->width_classes[b->width_class];
    size_t width = c->is_narrow ? max_lines : max_sum_width / c->x_div;
    size_t bytes;
    if (__builtin_mul_overflow(width, (size_t)b->height * b->stride, &bytes) ||
        __builtin_mul_overflow(bytes, (size_t)b->size, &bytes) || bytes > max_session_bytes)
        return max_session_bytes;
    return round_up(bytes + QI_SLACK_BYTES);
}

/* First fit, in order of making: the lowest offset where nothing alive at the same time lies.
 * offsets may be NULL-sized for networks without buffers. Returns the end of the highest. */
static size_t place_buffers(const qi_network *n, uint32_t max_lines, uint32_t max_sum_width,
                            size_t offsets[]) {
    size_t end = 0;
    for (uint32_t i = 0; i < n->n_tensors; i++) {
        const qi_buffer *b = &n->buffers[i];
        if (!b->used) continue;
        size_t bytes = buffer_bytes(n, b, max_lines, max_sum_width), at = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (uint32_t k = 0; k < i; k++) {
                const qi_buffer *o = &n->buffers[k];
                if (!o->used || o->last < b->first || b->last < o->first) continue;
                size_t o_end = offsets[k] + buffer_bytes(n, o, max_lines, max_sum_width);
                if (at < o_end && offsets[k] < at + bytes) {
                    at = o_end;
                    moved = true;
                }
            }
        }
        offsets[i] = at;
        if (at + bytes > end) end = at + bytes;
    }
    return end;
}

/* Noise that one sample of this width consumes. */
static uint64_t noise_draws(const qi_network *n, uint32_t width) {
    uint64_t draws = 0;
    for (uint32_t i = 0; i < n->n_steps; i++) {
        const qi_step *s = &n->steps[i];
        if (s->op == QI_OP_CONV_POOL) draws += qi_patches_n_draws(n->info.height, width, 1, 1, 1);
        if (s->op != QI_OP_PATCHES) continue;
        const qi_tensor *t = &n->tensors[s->in];
        uint32_t w = t->is_narrow ? 1 : width / t->x_div;
        draws += qi_patches_n_draws(t->height, w, t->channels, s->node->x, s->node->y);
    }
    return draws;
}

/* Where everything lies in a session's memory. */
typedef struct carving {
    size_t header, lines, widths, starts, classes, buffers, offsets, noise, state, sequences,
        history, zero_row, taps, output_rows, tensors, end;
} carving;

static size_t take(size_t *end, uint64_t n, size_t size) {
    size_t at = *end, bytes;
    if (__builtin_mul_overflow((size_t)n, size, &bytes) || bytes > max_session_bytes)
        bytes = max_session_bytes;
    *end = round_up(at + bytes);
    return at;
}

static carving carve(const qi_network *n, uint32_t max_lines, uint32_t max_sum_width,
                     size_t offsets[]) {
    carving c = {0};
    size_t size = n->info.dtype == QI_DTYPE_S8 ? 1 : 4, *end = &c.end;
    c.header = take(end, 1, sizeof(qi_session));
    c.lines = take(end, max_lines, sizeof(qi_line));
    c.widths = take(end, (uint64_t)max_lines * n->n_width_classes, sizeof(uint32_t));
    c.starts = take(end, (uint64_t)max_lines * n->n_width_classes, sizeof(uint32_t));
    c.classes = take(end, 2 * (uint64_t)n->n_width_classes, sizeof(void *));
    c.buffers = take(end, n->n_tensors, sizeof(void *));
    c.noise = take(end, noise_draws(n, max_sum_width), size);
    c.state = take(end, n->state_floats, sizeof(float));
    c.sequences = take(end, (uint64_t)max_lines * n->most_rows, sizeof(qi_sequence));
    c.history = take(end, 2 * QI_SLOTS * (uint64_t)n->most_states + QI_SLACK_BYTES, size);
    c.zero_row = take(end, n->most_states + QI_SLACK_BYTES, size);
    c.taps = take(end, 3 * QI_CONV_MAX_POOL * ((uint64_t)max_sum_width + 16), sizeof(uint32_t));
    c.output_rows = take(end, QI_OUTPUT_ROWS * (uint64_t)n->info.n_classes, sizeof(float));
    c.tensors = take(end, place_buffers(n, max_lines, max_sum_width, offsets), 1);
    return c;
}

size_t qi_session_bytes(const qi_network *n, uint32_t max_lines, uint32_t max_sum_width) {
    size_t offsets[QI_GRAPH_MAX_NODES];
    return carve(n, max_lines, max_sum_width, offsets).end;
}

quire_err qi_session_new(const qi_network *n, uint32_t max_lines, uint32_t max_sum_width,
                         qi_session **ret_session, quire_diag *diag) {
    size_t offsets[QI_GRAPH_MAX_NODES];
    carving c = carve(n, max_lines, max_sum_width, offsets);
    if (c.end > max_session_bytes)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                       "%u lines of %u pixels in all are too many to read at once", max_lines,
                       max_sum_width);
    /* Zeroed memory is given by the page when it is first touched: a short run touches little. */
    char *memory = calloc(c.end + align_bytes, 1);
    if (!memory)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%zu bytes to read lines are not there", c.end);
    char *m = memory + (-(uintptr_t)memory & (align_bytes - 1));
    qi_session *s = (qi_session *)(m + c.header);
    *s = (qi_session){.network = n,
                      .max_lines = max_lines,
                      .max_sum_width = max_sum_width,
                      .lines = (qi_line *)(m + c.lines),
                      .widths = (uint32_t **)(m + c.classes),
                      .starts = (uint32_t **)(m + c.classes) + n->n_width_classes,
                      .buffers = (char **)(m + c.buffers),
                      .noise = m + c.noise,
                      .noise_state = n->noise_state,
                      .state = (float *)(m + c.state),
                      .sequences = (qi_sequence *)(m + c.sequences),
                      .history = m + c.history,
                      .zero_row = m + c.zero_row,
                      .taps = (uint32_t *)(m + c.taps),
                      .output_rows = (float *)(m + c.output_rows),
                      .memory = memory};
    for (uint32_t i = 0; i < n->n_width_classes; i++) {
        s->widths[i] = (uint32_t *)(m + c.widths) + (size_t)i * max_lines;
        s->starts[i] = (uint32_t *)(m + c.starts) + (size_t)i * max_lines;
    }
    for (uint32_t i = 0; i < n->n_tensors; i++)
        s->buffers[i] = m + c.tensors + (n->buffers[i].used ? offsets[i] : 0);
    if (n->info.dtype == QI_DTYPE_S8) memset(s->zero_row, 128, n->most_states + QI_SLACK_BYTES);
    *ret_session = s;
    return QUIRE_ERR_OK;
}

void qi_session_free(qi_session *s) {
    if (s) free(s->memory);
}

qi_session_use qi_session_use_of(const qi_session *s) {
    return s->use;
}

/* Draws the noise that a sample of this width takes, as far as it is not there. */
static void draw_noise(qi_session *s, uint32_t width) {
    const qi_network *n = s->network;
    size_t draws = (size_t)noise_draws(n, width);
    if (draws <= s->n_noise) return;
    float steps = n->info.dtype == QI_DTYPE_S8 ? n->tensors[0].type.steps : 0;
    s->noise_state = qi_noise_fill(s->noise, s->n_noise, draws, s->noise_state, steps);
    s->n_noise = draws;
}

/* Takes the samples that give steps; false when the batch is larger than the session. */
static bool take_lines(qi_session *s, uint32_t n, const qi_sample in[], qi_output out[]) {
    const qi_network *net = s->network;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += in[i].width;
    if (n > s->max_lines || sum > s->max_sum_width) return false;
    s->n_lines = 0;
    for (uint32_t i = 0; i < n; i++) {
        out[i].n_steps = qi_network_steps(net, in[i].width);
        if (out[i].n_steps == 0) continue;
        s->lines[s->n_lines++] = (qi_line){i, in[i].pixels, in[i].width};
        draw_noise(s, in[i].width);
    }
    for (uint32_t c = 0; c < net->n_width_classes; c++) {
        const qi_width_class *wc = &net->width_classes[c];
        uint32_t start = 0;
        for (uint32_t i = 0; i < s->n_lines; i++) {
            s->widths[c][i] = wc->is_narrow ? 1 : s->lines[i].width / wc->x_div;
            s->starts[c][i] = start;
            start += s->widths[c][i];
        }
    }
    return true;
}

/* Positions of a tensor in the whole batch. */
static size_t n_positions(const qi_session *s, uint32_t tensor) {
    const qi_place *p = &s->network->places[tensor];
    uint32_t last = s->n_lines - 1;
    return (size_t)(s->starts[p->width_class][last] + s->widths[p->width_class][last]) *
           s->network->tensors[tensor].height;
}

static void run_input(qi_session *s) {
    const qi_tensor *t = &s->network->tensors[0];
    for (uint32_t i = 0; i < s->n_lines; i++) {
        size_t n = (size_t)t->height * s->lines[i].width * t->channels;
        char *to = qi_at(s, 0, i);
        if (t->type.dtype == QI_DTYPE_F32) {
            memcpy(to, s->lines[i].pixels, n * sizeof(float));
            continue;
        }
        const int8_t *from = s->lines[i].pixels;
        int limit = t->type.limit;
        for (size_t k = 0; k < n; k++) {
            int v = from[k] < -limit ? -limit : from[k] > limit ? limit : from[k];
            ((uint8_t *)to)[k] = (uint8_t)(v + 128);
        }
    }
}

static qi_plane plane_of(const qi_session *s, uint32_t tensor, uint32_t line) {
    const qi_tensor *t = &s->network->tensors[tensor];
    return (qi_plane){qi_at(s, tensor, line), t->height, qi_width_at(s, tensor, line), t->channels,
                      s->network->places[tensor].stride};
}

/* Draws that steps before this one take of a sample's noise. */
static size_t noise_before(const qi_session *s, const qi_step *step, uint32_t line) {
    const qi_network *n = s->network;
    uint64_t draws = 0;
    for (const qi_step *k = n->steps; k < step; k++) {
        if (k->op == QI_OP_CONV_POOL)
            draws += qi_patches_n_draws(n->info.height, s->lines[line].width, 1, 1, 1);
        if (k->op != QI_OP_PATCHES) continue;
        qi_plane p = plane_of(s, k->in, line);
        draws += qi_patches_n_draws(p.height, p.width, p.channels, k->node->x, k->node->y);
    }
    return (size_t)draws;
}

static void run_by_line(qi_session *s, const qi_step *step) {
    const qi_node *node = step->node;
    size_t size = qi_value_size(&s->network->tensors[step->in]);
    size_t out_stride = s->network->places[step->out].stride;
    for (uint32_t i = 0; i < s->n_lines; i++) {
        qi_plane in = plane_of(s, step->in, i);
        char *out = qi_at(s, step->out, i);
        if (step->op == QI_OP_PATCHES) {
            const char *noise = (char *)s->noise + noise_before(s, step, i) * size;
            qi_patches(&in, node->x, node->y, noise, size, out, out_stride);
        } else if (step->op == QI_OP_MAX_POOL) {
            qi_max_pool(&in, node->x, node->y, size, out, out_stride);
        } else {
            qi_stack(&in, node->x, node->y, size, out, out_stride);
        }
    }
}

static void run_concat(qi_session *s, const qi_step *step) {
    const qi_network *n = s->network;
    size_t size = qi_value_size(&n->tensors[step->out]), positions = n_positions(s, step->out);
    size_t out_step = n->places[step->out].stride * size, at = 0;
    for (uint32_t k = 0; k < step->node->n_in; k++) {
        uint32_t in = step->node->in[k];
        const qi_place *p = &n->places[in];
        size_t bytes = n->tensors[in].channels * size;
        const char *from = qi_at(s, in, 0);
        char *to = qi_at(s, step->out, 0) + at;
        at += bytes;
        if (from == to && p->buffer == n->places[step->out].buffer) continue;
        for (size_t i = 0; i < positions; i++)
            memcpy(to + i * out_step, from + i * p->stride * size, bytes);
    }
}

/* Where probabilities of a line go, from a step on. */
static float *output_at(const qi_session *s, const qi_output *o, size_t step) {
    return o->probabilities ? o->probabilities + step * s->network->info.n_classes : s->output_rows;
}

/* Steps made at once, of those from one on. */
static size_t output_rows(const qi_output *o, size_t step) {
    return o->n_steps - step < QI_OUTPUT_ROWS ? o->n_steps - step : QI_OUTPUT_ROWS;
}

static void sum_up(const qi_session *s, const float *rows, size_t n, const qi_output *o,
                   size_t step) {
    uint32_t n_classes = s->network->info.n_classes;
    if (o->steps)
        s->network->kernels.ctc->fn(rows, n, n_classes, n_classes, o->blank, o->steps + step);
}

static void run_dense(qi_session *s, const qi_step *step, qi_output out[]) {
    const qi_network *n = s->network;
    const qi_tensor *t = &n->tensors[step->out];
    const qi_place *in = &n->places[step->in];
    qi_dense_args a = {.w = &step->packed,
                       .in_stride = in->stride,
                       .out_stride = n->places[step->out].stride,
                       .out_u8 = t->type.dtype == QI_DTYPE_S8,
                       .act = step->act,
                       .steps = t->type.steps,
                       .limit = (float)t->type.limit};
    qi_dense_fn run = (n->tensors[step->in].type.dtype == QI_DTYPE_S8 ? n->kernels.dense_s8
                                                                      : n->kernels.dense_f32)
                          ->fn;
    if (!step->to_output) {
        a.in = qi_at(s, step->in, 0);
        a.out = qi_at(s, step->out, 0);
        a.n_rows = n_positions(s, step->in);
        run(&a);
        if (step->softmax) n->kernels.softmax->fn(a.out, a.n_rows, a.out_stride, t->channels);
        return;
    }
    a.out_stride = t->channels;
    for (uint32_t i = 0; i < s->n_lines; i++) {
        const qi_output *o = &out[s->lines[i].sample];
        const char *from = qi_at(s, step->in, i);
        for (size_t k = 0; k < o->n_steps; k += a.n_rows) {
            a.in = from + k * in->stride * qi_value_size(&n->tensors[step->in]);
            a.out = output_at(s, o, k);
            a.n_rows = output_rows(o, k);
            run(&a);
            if (step->softmax) n->kernels.softmax->fn(a.out, a.n_rows, a.out_stride, t->channels);
            sum_up(s, a.out, a.n_rows, o, k);
        }
    }
}

/* An output that no dense layer wrote straight to the caller. */
static void copy_output(qi_session *s, qi_output out[]) {
    const qi_network *n = s->network;
    const qi_tensor *t = &n->tensors[n->out];
    size_t stride = n->places[n->out].stride;
    for (uint32_t i = 0; i < s->n_lines; i++) {
        const qi_output *o = &out[s->lines[i].sample];
        const char *from = qi_at(s, n->out, i);
        for (size_t first = 0, n_rows; first < o->n_steps; first += n_rows) {
            float *to = output_at(s, o, first);
            n_rows = output_rows(o, first);
            for (size_t k = 0; k < n_rows; k++)
                for (size_t c = 0; c < t->channels; c++) {
                    size_t at = (first + k) * stride + c;
                    to[k * t->channels + c] =
                        t->type.dtype == QI_DTYPE_F32
                            ? ((const float *)from)[at]
                            : (float)(((const uint8_t *)from)[at] - 128) / t->type.steps;
                }
            sum_up(s, to, n_rows, o, first);
        }
    }
}

quire_err qi_session_run(qi_session *s, uint32_t n, const qi_sample in[], qi_output out[]) {
    const qi_network *net = s->network;
    if (!take_lines(s, n, in, out)) return QUIRE_ERR_USAGE;
    if (s->n_lines == 0) return QUIRE_ERR_OK;
    for (uint32_t i = 0; i < net->n_steps; i++) {
        const qi_step *step = &net->steps[i];
        switch (step->op) {
        case QI_OP_INPUT:
            run_input(s);
            break;
        case QI_OP_PATCHES:
        case QI_OP_MAX_POOL:
        case QI_OP_STACK:
            run_by_line(s, step);
            break;
        case QI_OP_DENSE:
            run_dense(s, step, out);
            break;
        case QI_OP_LSTM:
            qi_run_lstm(s, step);
            break;
        case QI_OP_CONCAT:
            run_concat(s, step);
            break;
        case QI_OP_CONV_POOL:
            qi_run_conv_pool(s, step);
            break;
        }
    }
    if (!net->writes_output) copy_output(s, out);
    return QUIRE_ERR_OK;
}
