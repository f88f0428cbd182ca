/* The plan of a network, and a session's scratch: seen by plan.c, session.c and the ops. */
#ifndef QI_NN_NETWORK_PARTS_H
#define QI_NN_NETWORK_PARTS_H

#include "kernels/kernels.h"
#include "nn/graph_parts.h"
#include "nn/network.h"

enum {
    QI_SLOTS = 48,       /* sequences a recurrent layer runs in lock-step */
    QI_OUTPUT_ROWS = 48, /* steps of the output made at once: they stay in the cache */
    QI_SLACK_BYTES = 64  /* after each buffer: kernels read a little past rows */
};

/* Where a tensor lies: values `stride` apart from position to position, `offset` values into each
 * position of its buffer. Several tensors share a buffer when a concatenation joins them. */
typedef struct qi_place {
    uint32_t buffer;
    uint32_t offset, stride;
    uint32_t width_class; /* into qi_session.widths */
} qi_place;

typedef struct qi_buffer {
    uint32_t height, stride, size; /* of a value: 1 or 4 bytes */
    uint32_t width_class;
    uint32_t first, last; /* steps of the plan between which it holds something */
    bool used;
} qi_buffer;

typedef struct qi_width_class {
    uint32_t x_div;
    bool is_narrow;
} qi_width_class;

typedef struct qi_step {
    qi_op op;
    const qi_node *node;       /* in the network's own storage; conv_pool: the pool's */
    const qi_weights *weights; /* while planning */
    uint32_t in, out;          /* tensors */
    uint32_t conv_in;          /* conv_pool: pixels; its noise starts the stream */
    qi_act act;
    bool softmax, to_output;
    qi_packed packed;
} qi_step;

struct qi_network {
    qi_network_info info;
    qi_kernels kernels;
    qi_arena arena;
    qi_tensor *tensors;
    qi_place *places;
    qi_buffer *buffers; /* by tensor */
    uint32_t n_tensors, n_steps, n_width_classes;
    qi_step *steps;
    qi_width_class width_classes[64];
    uint32_t out, least_width;
    bool writes_output; /* a dense layer writes to the caller's memory */
    uint32_t noise_state;
    uint32_t most_rows, most_states; /* of the recurrent layers: rows of a sample, cells */
    size_t state_floats;
};

typedef struct qi_line {
    uint32_t sample; /* in the caller's order */
    const void *pixels;
    uint32_t width;
} qi_line;

/* One sequence of a recurrent layer. */
typedef struct qi_sequence {
    const char *x;
    char *out;
    uint32_t n_steps;
    uint32_t next; /* in its slot, or UINT32_MAX */
} qi_sequence;

struct qi_session {
    const qi_network *network;
    uint32_t max_lines, max_sum_width;
    uint32_t n_lines;
    qi_line *lines;    /* those that give steps */
    uint32_t **widths; /* [width class][line] */
    uint32_t **starts; /* [width class][line]: sum of the widths before */
    char **buffers;    /* [tensor] */
    void *noise;
    size_t n_noise; /* values of it that are there: as many as the widest sample so far took */
    uint32_t noise_state; /* that the next ones follow from */
    float *state;
    qi_sequence *sequences;
    char *history; /* two outputs of each slot, for summaries */
    void *zero_row;
    uint32_t *taps;
    qi_session_use use;
    float *output_rows; /* QI_OUTPUT_ROWS of the output, where the caller wants none */
    void *memory;       /* to be freed */
};

/* Pointer to the values of a tensor at a line's first position. */
static inline char *qi_at(const qi_session *s, uint32_t tensor, uint32_t line) {
    const qi_place *p = &s->network->places[tensor];
    const qi_tensor *t = &s->network->tensors[tensor];
    size_t size = t->type.dtype == QI_DTYPE_S8 ? 1 : 4;
    size_t position = (size_t)s->starts[p->width_class][line] * t->height;
    return s->buffers[p->buffer] + (position * p->stride + p->offset) * size;
}

static inline uint32_t qi_width_at(const qi_session *s, uint32_t tensor, uint32_t line) {
    return s->widths[s->network->places[tensor].width_class][line];
}

static inline size_t qi_value_size(const qi_tensor *t) {
    return t->type.dtype == QI_DTYPE_S8 ? 1 : 4;
}

/* The ops that are more than a call of a kernel. */
void qi_run_lstm(qi_session *s, const qi_step *step);
void qi_run_conv_pool(qi_session *s, const qi_step *step);

#endif
