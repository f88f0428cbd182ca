/* Recurrent layers. All sequences of a batch are dealt to at most QI_SLOTS slots, longest first to
 * the slot with the least to do; then every step of all slots is one call of the kernel. A slot
 * that ends a sequence goes on with its next, so the product keeps its height to the last steps
 * whatever the widths, and no sequence ever sees another. */
#include <string.h>

#include "nn/network_parts.h"

typedef struct slots {
    uint32_t n;
    uint32_t at[QI_SLOTS];   /* sequence a slot is at */
    uint32_t last[QI_SLOTS]; /* its last sequence while dealing */
    uint32_t step[QI_SLOTS]; /* step within the sequence */
    uint64_t load[QI_SLOTS]; /* steps it has in all */
    const void *x[QI_SLOTS], *h[QI_SLOTS];
    void *out[QI_SLOTS];
} slots;

/* What all sequences of a layer share. */
typedef struct layer {
    qi_session *session;
    const qi_step *step;
    qi_lstm_fn run;
    qi_lstm_args args;
    ptrdiff_t x_step, out_step; /* bytes from step to step */
    size_t row_bytes;           /* of an output */
} layer;

static void swap_sequences(qi_sequence *a, qi_sequence *b) {
    qi_sequence t = *a;
    *a = *b;
    *b = t;
}

static void sift_down(qi_sequence *q, uint32_t root, uint32_t n) {
    for (uint32_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && q[child + 1].n_steps < q[child].n_steps) child++;
        if (q[root].n_steps <= q[child].n_steps) return;
        swap_sequences(&q[root], &q[child]);
    }
}

/* One step of n sequences. */
static void run_step(layer *l, slots *s, uint32_t n) {
    l->args.x = s->x;
    l->args.h = s->h;
    l->args.out = s->out;
    l->args.n_rows = n;
    l->run(&l->args);
    l->session->use.places += QI_SLOTS;
    l->session->use.taken += n;
}

/* Longest first; a heap sort, in place. */
static void sort_sequences(qi_sequence *q, uint32_t n) {
    for (uint32_t i = n / 2; i-- > 0;)
        sift_down(q, i, n);
    for (uint32_t i = n; i-- > 1;) {
        swap_sequences(&q[0], &q[i]);
        sift_down(q, 0, i);
    }
}

/* Deals sorted sequences; leaves the slots by load, the fullest first. */
static void deal(slots *s, qi_sequence *q, uint32_t n) {
    s->n = n < QI_SLOTS ? n : QI_SLOTS;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = 0;
        for (uint32_t k = 1; k < s->n; k++)
            if (s->load[k] < s->load[to]) to = k;
        if (s->load[to] == 0)
            s->at[to] = i;
        else
            q[s->last[to]].next = i;
        s->last[to] = i;
        s->load[to] += q[i].n_steps;
    }
    for (uint32_t i = 1; i < s->n; i++) {
        uint64_t load = s->load[i];
        uint32_t at = s->at[i], k = i;
        for (; k > 0 && s->load[k - 1] < load; k--) {
            s->load[k] = s->load[k - 1];
            s->at[k] = s->at[k - 1];
        }
        s->load[k] = load;
        s->at[k] = at;
    }
}

/* Points a slot at the step it is to do. */
static void aim(layer *l, slots *s, const qi_sequence *q, uint32_t slot) {
    const qi_sequence *now = &q[s->at[slot]];
    uint32_t t = s->step[slot];
    char *history = l->session->history + slot * 2 * l->row_bytes;
    s->x[slot] = now->x + (ptrdiff_t)t * l->x_step;
    if (t == 0) {
        s->h[slot] = l->session->zero_row;
        qi_lstm_state_zero(l->args.w, l->args.state, l->args.state_rows, slot);
    } else {
        s->h[slot] = s->out[slot];
    }
    if (!l->step->node->summary)
        s->out[slot] = now->out + (ptrdiff_t)t * l->out_step;
    else
        s->out[slot] = t + 1 == now->n_steps ? now->out : history + (t & 1) * l->row_bytes;
}

/* Runs sequences (each of at least one step) that lie in the session. */
static void run_sequences(layer *l, qi_sequence *q, uint32_t n) {
    slots s = {0};
    sort_sequences(q, n);
    deal(&s, q, n);
    for (uint32_t active = s.n; active > 0;) {
        for (uint32_t i = 0; i < active; i++)
            aim(l, &s, q, i);
        run_step(l, &s, active);
        for (uint32_t i = 0; i < active; i++) {
            s.load[i]--;
            if (++s.step[i] < q[s.at[i]].n_steps) continue;
            s.step[i] = 0;
            s.at[i] = q[s.at[i]].next;
        }
        while (active > 0 && s.load[active - 1] == 0)
            active--;
    }
}

/* Along x: each row of each line is a sequence. */
static void run_rows(layer *l) {
    qi_session *s = l->session;
    const qi_step *step = l->step;
    const qi_tensor *in = &s->network->tensors[step->in], *out = &s->network->tensors[step->out];
    ptrdiff_t out_step = out->is_narrow ? 0 : l->out_step;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_lines; i++)
        for (uint32_t y = 0; y < in->height; y++) {
            uint32_t w = qi_width_at(s, step->in, i);
            const char *x = qi_at(s, step->in, i) + (ptrdiff_t)(y * w) * l->x_step;
            char *to =
                qi_at(s, step->out, i) +
                (step->node->summary ? (ptrdiff_t)y * l->out_step : (ptrdiff_t)(y * w) * out_step);
            if (step->node->reverse) {
                x += (ptrdiff_t)(w - 1) * l->x_step;
                if (!step->node->summary) to += (ptrdiff_t)(w - 1) * l->out_step;
            }
            s->sequences[n++] = (qi_sequence){x, to, w, UINT32_MAX};
        }
    if (step->node->reverse) {
        l->x_step = -l->x_step;
        l->out_step = -l->out_step;
    }
    run_sequences(l, s->sequences, n);
}

/* Along y: each column of each line is a sequence, all of one length; as many at a time as there
 * are slots. */
static void run_columns(layer *l) {
    qi_session *s = l->session;
    const qi_step *step = l->step;
    uint32_t height = s->network->tensors[step->in].height, line = 0, column = 0;
    bool reverse = step->node->reverse, summary = step->node->summary;
    qi_sequence chunk[QI_SLOTS];
    ptrdiff_t x_steps[QI_SLOTS], out_steps[QI_SLOTS];
    slots c = {0};
    while (line < s->n_lines) {
        uint32_t n = 0;
        while (n < QI_SLOTS && line < s->n_lines) {
            uint32_t w = qi_width_at(s, step->in, line), first = reverse ? (height - 1) * w : 0;
            chunk[n].x = qi_at(s, step->in, line) + (ptrdiff_t)(first + column) * l->x_step;
            chunk[n].out = qi_at(s, step->out, line) +
                           (ptrdiff_t)(summary ? column : first + column) * l->out_step;
            x_steps[n] = (reverse ? -1 : 1) * (ptrdiff_t)w * l->x_step;
            out_steps[n++] = (reverse ? -1 : 1) * (ptrdiff_t)w * l->out_step;
            if (++column == w) {
                column = 0;
                line++;
            }
        }
        memset(l->args.state, 0, qi_lstm_state_floats(l->args.w, QI_SLOTS) * sizeof(float));
        for (uint32_t y = 0; y < height; y++) {
            for (uint32_t i = 0; i < n; i++) {
                c.x[i] = chunk[i].x + (ptrdiff_t)y * x_steps[i];
                c.h[i] = y ? c.out[i] : s->zero_row;
                c.out[i] = !summary          ? chunk[i].out + (ptrdiff_t)y * out_steps[i]
                           : y + 1 == height ? chunk[i].out
                                             : s->history + (2 * i + (y & 1)) * l->row_bytes;
            }
            run_step(l, &c, n);
        }
    }
}

void qi_run_lstm(qi_session *s, const qi_step *step) {
    const qi_network *n = s->network;
    const qi_tensor *t = &n->tensors[step->in];
    bool s8 = t->type.dtype == QI_DTYPE_S8;
    ptrdiff_t size = (ptrdiff_t)qi_value_size(t);
    layer l = {.session = s,
               .step = step,
               .run = (s8 ? n->kernels.lstm_s8 : n->kernels.lstm_f32)->fn,
               .args = {.w = &step->packed,
                        .state = s->state,
                        .state_rows = QI_SLOTS,
                        .steps = t->type.steps},
               .x_step = n->places[step->in].stride * size,
               .out_step = n->places[step->out].stride * size,
               .row_bytes = n->tensors[step->out].channels * (size_t)size};
    if (step->node->axis == QI_AXIS_X)
        run_rows(&l);
    else
        run_columns(&l);
}
