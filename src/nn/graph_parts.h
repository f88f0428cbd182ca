/* What a graph is made of: seen by the builders (graph.c) and by the planner (plan.c) only. */
#ifndef QI_NN_GRAPH_PARTS_H
#define QI_NN_GRAPH_PARTS_H

#include "base/arena.h"
#include "nn/graph.h"

typedef enum qi_op {
    QI_OP_INPUT,
    QI_OP_PATCHES,
    QI_OP_MAX_POOL,
    QI_OP_STACK,
    QI_OP_DENSE,
    QI_OP_LSTM,
    QI_OP_CONCAT,
    QI_OP_CONV_POOL, /* made by a pass: patches, dense and max pool in one */
} qi_op;

/* The width of a sample's tensor is width / x_div, or 1 when is_narrow. */
typedef struct qi_tensor {
    qi_tensor_type type;
    uint32_t height, channels, x_div;
    bool is_narrow;
    uint32_t node; /* that makes it */
} qi_tensor;

/* Tensor i is made by node i. */
typedef struct qi_node {
    qi_op op;
    uint32_t n_in;
    const qi_tensor_id *in;
    uint32_t x, y; /* half widths of patches, scales of pools and stacks */
    qi_activation activation;
    qi_axis axis;
    bool reverse, summary;
    qi_weights weights[4]; /* dense: the first; lstm: candidate, input, forget, output */
} qi_node;

struct qi_graph {
    qi_arena arena;
    qi_node nodes[QI_GRAPH_MAX_NODES];
    qi_tensor tensors[QI_GRAPH_MAX_NODES];
    uint32_t n;
    uint64_t n_weights;
    uint32_t noise_state;
    qi_tensor_id out;
    bool finished;
};

#endif
