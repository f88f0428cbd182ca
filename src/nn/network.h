/* Running a graph on this processor. A network is the plan of a finished graph for one CPU level:
 * nodes fused, weights packed, immutable, shared by threads. A session is one thread's scratch for
 * it: one arena, every offset decided when it is made; running allocates nothing.
 *
 * Lines of a batch run in lock-step: a fixed number of slots, each holding one line after another,
 * so that every step of a recurrent layer is one matrix product over all slots, whatever the
 * widths.
 *
 * A sample's result is a function of its pixels, its width and the model alone: the same bytes in
 * any batch, any order, any slot. s8 networks give the same bytes on every level; f32 networks
 * agree between levels within kerncheck's bounds. */
#ifndef QI_NN_NETWORK_H
#define QI_NN_NETWORK_H

#include "base/cpu.h"
#include "kernels/ctc/ctc.h"
#include "nn/graph.h"

typedef struct qi_network qi_network;
typedef struct qi_session qi_session;

typedef struct qi_network_info {
    uint32_t height, channels; /* of the input */
    qi_dtype dtype;            /* of the input: s8 or f32 pixels */
    uint32_t n_classes;
    uint32_t x_scale;      /* input pixels per step */
    uint64_t macs_per_col; /* multiplications per x_scale columns of input, of the whole network */
    size_t bytes;          /* packed weights and plan */
} qi_network_info;

/* pixels: [height][width][channels] of info.dtype, densely packed, s8 in [-127, 127] (-128 is read
 * as -127). A width below x_scale gives no steps. */
typedef struct qi_sample {
    const void *pixels;
    uint32_t width;
} qi_sample;

/* The caller sets where what it wants goes, with room for qi_network_steps(width) steps, and NULL
 * for what it does not; run fills that and n_steps. 64-byte alignment is not needed. */
typedef struct qi_output {
    float *probabilities; /* [n_steps × n_classes] */
    uint32_t n_steps;
    uint32_t blank;     /* the caller's: the class whose probability steps hold */
    qi_ctc_step *steps; /* [n_steps]: what decoding needs; values ≥ 0 only */
} qi_output;

/* Plans graph (finished) for level, at most qi_cpu_level_max(). The graph may be freed afterwards.
 * Errors: NO_MEMORY, MODEL_UNSUPPORTED, TOO_LARGE. */
quire_err qi_network_new(const qi_graph *graph, qi_cpu_level level, qi_network **ret_network,
                         quire_diag *diag);
void qi_network_free(qi_network *network);

const qi_network_info *qi_network_info_of(const qi_network *network);
/* Steps that a sample of this width gives. */
uint32_t qi_network_steps(const qi_network *network, uint32_t width_px);

/* A session for batches of at most max_lines samples whose widths add up to at most
 * max_sum_width_px. The network must outlive it. qi_session_bytes says what one takes. Errors:
 * NO_MEMORY, TOO_LARGE. */
size_t qi_session_bytes(const qi_network *network, uint32_t max_lines, uint32_t max_sum_width_px);
quire_err qi_session_new(const qi_network *network, uint32_t max_lines, uint32_t max_sum_width_px,
                         qi_session **ret_session, quire_diag *diag);
void qi_session_free(qi_session *session);

/* What a session's recurrent steps had room for, and what they did, since it was made: sequences
 * beside each other. */
typedef struct qi_session_use {
    uint64_t places, taken;
} qi_session_use;
qi_session_use qi_session_use_of(const qi_session *session);

/* Runs n samples. One thread at a time per session. Error: USAGE when the batch exceeds what the
 * session was made for; nothing is run then. */
quire_err qi_session_run(qi_session *session, uint32_t n, const qi_sample in[], qi_output out[]);

#endif
