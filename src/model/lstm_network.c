/* From the tree of layers in the file to a graph; see lstm_network.h. The tree is walked twice:
 * once to check it and to find what follows it, which says whether the network is of integers, and
 * once to build. */
#include "model/lstm_network.h"

#include <stdlib.h>

enum { max_depth = 16, max_name = 1000 };
enum { mode_int8 = 1, mode_double = 128 };             /* of a matrix */
enum { flag_layer_rates = 64 };                        /* of a layer */
enum { training_int_mode = 1, training_recodes = 64 }; /* of the whole */
static const int64_t seed_factor = 0x10000001;         /* × sample_iteration */

/* Where a layer stands: in a transposed or reversed frame, x of the file may be our y, and
 * backwards. */
typedef struct frame {
    bool transposed, reversed[2]; /* by our axes */
} frame;

typedef struct walker {
    qi_bytes b;
    qi_graph *graph; /* NULL: only checking */
    bool integer, found_input;
    bool ends_in_softmax; /* the layer read last is one */
    uint32_t height;
    double *scales; /* scratch for the builder, freed at the end */
    float *floats;
    const qi_model_source *source;
    quire_diag *diag;
} walker;

typedef struct layer {
    const struct kind *kind;
    uint32_t flags, n_in, n_out;
} layer;

typedef quire_err layer_fn(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io);

struct kind {
    const char *name;
    layer_fn *read; /* NULL: not supported */
    qi_activation activation;
    bool summary;
};

static layer_fn read_input, read_patches, read_pool, read_stack, read_parallel, read_series,
    read_x_reversed, read_y_reversed, read_transposed, read_lstm, read_dense;

/* In the order of the numbers that old files have instead of names. */
static const struct kind kinds[] = {
    {"Invalid"},
    {"Input", read_input},
    {"Convolve", read_patches},
    {"Maxpool", read_pool},
    {"Parallel", read_parallel},
    {"Replicated", read_parallel},
    {"ParBidiLSTM", read_parallel},
    {"DepParUDLSTM", read_parallel},
    {"Par2dLSTM"},
    {"Series", read_series},
    {"Reconfig", read_stack},
    {"RTLReversed", read_x_reversed},
    {"TTBReversed", read_y_reversed},
    {"XYTranspose", read_transposed},
    {"LSTM", read_lstm},
    {"SummLSTM", read_lstm, .summary = true},
    {"Logistic", read_dense, QI_ACT_LOGISTIC},
    {"LinLogistic", read_dense, QI_ACT_CLIP_0_1},
    {"LinTanh", read_dense, QI_ACT_CLIP_1_1},
    {"Tanh", read_dense, QI_ACT_TANH},
    {"Relu", read_dense, QI_ACT_RELU},
    {"Linear", read_dense, QI_ACT_LINEAR},
    {"Softmax", read_dense, QI_ACT_SOFTMAX},
    {"SoftmaxNoCTC"},
    {"LSTMSoftmax"},
    {"LSTMBinarySoftmax"},
    {"TensorFlow"},
};
enum { n_kinds = sizeof kinds / sizeof *kinds };

static quire_err corrupt(walker *w, const char *what) {
    return qi_model_corrupt(w->source, w->diag, "the network %s", what);
}

static quire_err unsupported(walker *w, const char *what) {
    char name[200];
    return qi_fail(w->diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                   "%s: its network has %s, which is not supported; use the model that the package "
                   "of the language installs",
                   qi_printable(name, sizeof name, w->source->name), what);
}

static quire_err no_memory(walker *w) {
    return qi_fail(w->diag, QUIRE_ERR_NO_MEMORY, "no memory for the model's network");
}

static qi_tensor_type type_of(const walker *w) {
    return w->integer ? qi_type_s8 : qi_type_f32;
}

/* A failed builder says what is wrong, but not in which file. */
static quire_err in_file(walker *w, quire_err err) {
    if (err != QUIRE_ERR_MODEL_CORRUPT && err != QUIRE_ERR_MODEL_UNSUPPORTED &&
        err != QUIRE_ERR_TOO_LARGE)
        return err;
    char what[150] = "does not fit together";
    if (w->diag) {
        memcpy(what, w->diag->text, sizeof what - 1);
        what[sizeof what - 1] = 0;
    }
    return err == QUIRE_ERR_MODEL_CORRUPT
               ? qi_model_corrupt(w->source, w->diag, "in the network, %s", what)
               : unsupported(w, what);
}

static quire_err find_kind(walker *w, const struct kind **ret) {
    uint8_t number = qi_bytes_u8(&w->b);
    if (number > 0 && number < n_kinds) {
        *ret = &kinds[number];
        return QUIRE_ERR_OK;
    }
    uint32_t n = qi_bytes_u32(&w->b);
    const uint8_t *name = number == 0 && n <= max_name ? qi_bytes_take(&w->b, n) : NULL;
    if (!name) return corrupt(w, "is cut off or has a layer without a name");
    for (uint32_t i = 1; i < n_kinds; i++)
        if (strlen(kinds[i].name) == n && !memcmp(kinds[i].name, name, n)) {
            *ret = &kinds[i];
            return QUIRE_ERR_OK;
        }
    return corrupt(w, "has a layer of an unknown kind");
}

/* Reads one layer and what is in it. *io: the tensor it works on, then the one it makes. */
static quire_err read_layer(walker *w, frame f, uint32_t depth, qi_tensor_id *io) {
    if (depth > max_depth) return corrupt(w, "has layers too deep in each other");
    layer l;
    quire_err err = find_kind(w, &l.kind);
    if (err) return err;
    uint8_t training = qi_bytes_u8(&w->b);
    qi_bytes_u8(&w->b); /* whether errors are passed on in training */
    l.flags = qi_bytes_u32(&w->b);
    l.n_in = qi_bytes_u32(&w->b);
    l.n_out = qi_bytes_u32(&w->b);
    qi_bytes_u32(&w->b); /* weights in all */
    qi_bytes_take(&w->b, qi_bytes_u32(&w->b));
    if (w->b.bad) return corrupt(w, "is cut off");
    if (training == 1) return unsupported(w, "the state of its training in it");
    if (!l.kind->read) return unsupported(w, l.kind->name);
    w->ends_in_softmax = l.kind->activation == QI_ACT_SOFTMAX;
    return l.kind->read(w, &l, f, depth, io);
}

static quire_err check_channels(walker *w, const layer *l, qi_tensor_id in, qi_tensor_id out) {
    if (!w->graph) return QUIRE_ERR_OK;
    if (qi_graph_channels(w->graph, in) != l->n_in || qi_graph_channels(w->graph, out) != l->n_out)
        return corrupt(w, "has layers whose sizes do not fit");
    return QUIRE_ERR_OK;
}

static bool is_plain(frame f) {
    return !f.transposed && !f.reversed[QI_AXIS_X] && !f.reversed[QI_AXIS_Y];
}

static quire_err read_input(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io) {
    qi_bytes_i32(&w->b); /* batch */
    int32_t height = qi_bytes_i32(&w->b);
    qi_bytes_i32(&w->b); /* width: any */
    int32_t channels = qi_bytes_i32(&w->b);
    qi_bytes_i32(&w->b); /* loss */
    if (w->b.bad || w->found_input || !is_plain(f)) return corrupt(w, "has a misplaced input");
    if (height <= 1 || channels != 1)
        return unsupported(w, "an input that is not grey lines of one height");
    w->found_input = true;
    w->height = (uint32_t)height;
    if (!w->graph) return QUIRE_ERR_OK;
    return in_file(w, qi_graph_input(w->graph, w->height, 1, type_of(w), io, w->diag));
}

/* The two sizes of the layers that look at blocks of positions. */
static quire_err read_block(walker *w, frame f, uint32_t *ret_x, uint32_t *ret_y) {
    *ret_x = qi_bytes_u32(&w->b);
    *ret_y = qi_bytes_u32(&w->b);
    if (w->b.bad) return corrupt(w, "is cut off");
    if (!is_plain(f)) return unsupported(w, "a layer over blocks inside a reversed one");
    return w->found_input ? QUIRE_ERR_OK : corrupt(w, "has a layer before its input");
}

static quire_err read_patches(walker *w, const layer *l, frame f, uint32_t depth,
                              qi_tensor_id *io) {
    uint32_t x, y;
    quire_err err = read_block(w, f, &x, &y);
    if (err || !w->graph) return err;
    qi_tensor_id in = *io;
    err = qi_graph_patches(w->graph, in, x, y, io, w->diag);
    return err ? in_file(w, err) : check_channels(w, l, in, *io);
}

static quire_err read_pool(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io) {
    uint32_t x, y;
    quire_err err = read_block(w, f, &x, &y);
    if (err || !w->graph) return err;
    qi_tensor_id in = *io;
    err = qi_graph_max_pool(w->graph, in, x, y, io, w->diag);
    return err ? in_file(w, err) : check_channels(w, l, in, *io);
}

static quire_err read_stack(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io) {
    uint32_t x, y;
    quire_err err = read_block(w, f, &x, &y);
    if (err || !w->graph) return err;
    qi_tensor_id in = *io;
    err = qi_graph_stack(w->graph, in, x, y, io, w->diag);
    return err ? in_file(w, err) : check_channels(w, l, in, *io);
}

/* Layers that hold others end with rates of learning, one a layer. */
static quire_err skip_rates(walker *w, const layer *l) {
    if (l->flags & flag_layer_rates)
        qi_bytes_take(&w->b, (size_t)qi_bytes_u32(&w->b) * sizeof(float));
    return w->b.bad ? corrupt(w, "is cut off") : QUIRE_ERR_OK;
}

static quire_err read_series(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io) {
    uint32_t n = qi_bytes_u32(&w->b);
    for (uint32_t i = 0; i < n; i++) {
        quire_err err = read_layer(w, f, depth + 1, io);
        if (err) return err;
    }
    return skip_rates(w, l);
}

static quire_err read_parallel(walker *w, const layer *l, frame f, uint32_t depth,
                               qi_tensor_id *io) {
    enum { max_branches = 16 };
    qi_tensor_id outs[max_branches];
    uint32_t n = qi_bytes_u32(&w->b);
    if (n == 0 || n > max_branches) return corrupt(w, "has no or too many parallel branches");
    for (uint32_t i = 0; i < n; i++) {
        outs[i] = *io;
        quire_err err = read_layer(w, f, depth + 1, &outs[i]);
        if (err) return err;
    }
    if (w->graph) {
        quire_err err = qi_graph_concat(w->graph, outs, n, io, w->diag);
        if (err) return in_file(w, err);
    }
    return skip_rates(w, l);
}

static quire_err read_x_reversed(walker *w, const layer *l, frame f, uint32_t depth,
                                 qi_tensor_id *io) {
    qi_axis axis = f.transposed ? QI_AXIS_Y : QI_AXIS_X;
    f.reversed[axis] = !f.reversed[axis];
    return read_series(w, l, f, depth, io);
}

static quire_err read_y_reversed(walker *w, const layer *l, frame f, uint32_t depth,
                                 qi_tensor_id *io) {
    qi_axis axis = f.transposed ? QI_AXIS_X : QI_AXIS_Y;
    f.reversed[axis] = !f.reversed[axis];
    return read_series(w, l, f, depth, io);
}

static quire_err read_transposed(walker *w, const layer *l, frame f, uint32_t depth,
                                 qi_tensor_id *io) {
    f.transposed = !f.transposed;
    return read_series(w, l, f, depth, io);
}

/* A matrix: its mode, sizes, a filler, the elements; int8 ones are followed by doubles, the scale
 * of each row. The numbers are copied to scales and floats, which hold scratch from *used on. */
static quire_err read_weights(walker *w, size_t *used, qi_weights *ret) {
    uint8_t mode = qi_bytes_u8(&w->b);
    if (!w->b.bad && !(mode & mode_double))
        return unsupported(w, "weights in the form of before version 4.0");
    bool is_int = mode & mode_int8;
    uint32_t rows = qi_bytes_u32(&w->b), cols = qi_bytes_u32(&w->b);
    qi_bytes_take(&w->b, is_int ? 1 : sizeof(double));
    if (w->b.bad || rows == 0 || cols < 2 || rows > QI_GRAPH_MAX_CLASSES ||
        cols > QI_GRAPH_MAX_CHANNELS + 1)
        return corrupt(w, "has weights of impossible sizes");
    size_t n = (size_t)rows * cols;
    const uint8_t *elements = qi_bytes_take(&w->b, is_int ? n : n * sizeof(double));
    if (!elements) return corrupt(w, "is cut off in its weights");
    *ret = (qi_weights){.n_rows = rows, .n_cols = cols};
    if (is_int) {
        uint32_t n_scales = qi_bytes_u32(&w->b);
        const uint8_t *scales = qi_bytes_take(&w->b, (size_t)n_scales * sizeof(double));
        if (!scales || n_scales < rows) return corrupt(w, "has too few scales for its weights");
        if (!w->graph) return QUIRE_ERR_OK;
        double *more = realloc(w->scales, (*used + rows) * sizeof *more);
        if (!more) return no_memory(w);
        w->scales = more;
        memcpy(w->scales + *used, scales, rows * sizeof *more);
        ret->s8 = (const int8_t *)elements;
        *used += rows;
    } else if (w->graph) {
        float *more = realloc(w->floats, (*used + n) * sizeof *more);
        if (!more) return no_memory(w);
        w->floats = more;
        for (size_t i = 0; i < n; i++) {
            double v;
            memcpy(&v, elements + i * sizeof v, sizeof v);
            w->floats[*used + i] = (float)v;
        }
        *used += n;
    }
    return QUIRE_ERR_OK;
}

/* Points n matrices that read_weights has read at their numbers, which may have moved since. */
static void settle(const walker *w, qi_weights weights[], uint32_t n) {
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (weights[i].s8) {
            weights[i].scales = w->scales + at;
            at += weights[i].n_rows;
        } else {
            weights[i].f32 = w->floats + at;
            at += (size_t)weights[i].n_rows * weights[i].n_cols;
        }
    }
}

static quire_err read_lstm(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io) {
    uint32_t n_inputs = qi_bytes_u32(&w->b);
    if (!w->found_input) return corrupt(w, "has a layer before its input");
    qi_weights gates[4];
    size_t used = 0;
    for (uint32_t i = 0; i < 4; i++) {
        quire_err err = read_weights(w, &used, &gates[i]);
        if (err) return err;
        if (i == 0 && (uint64_t)n_inputs == (uint64_t)l->n_in + 2 * (uint64_t)gates[0].n_rows)
            return unsupported(w, "a 2-D LSTM");
        if (gates[i].n_rows != l->n_out || (uint64_t)n_inputs != (uint64_t)l->n_in + l->n_out ||
            gates[i].n_cols - 1 != n_inputs)
            return corrupt(w, "has an LSTM whose sizes do not fit");
    }
    if (!w->graph) return QUIRE_ERR_OK;
    for (uint32_t i = 1; i < 4; i++)
        if (!gates[i].s8 != !gates[0].s8) return corrupt(w, "mixes integers and floats");
    settle(w, gates, 4);
    qi_axis axis = f.transposed ? QI_AXIS_Y : QI_AXIS_X;
    qi_tensor_id in = *io;
    quire_err err =
        qi_graph_lstm(w->graph, in, axis, f.reversed[axis], l->kind->summary, gates, io, w->diag);
    return err ? in_file(w, err) : check_channels(w, l, in, *io);
}

static quire_err read_dense(walker *w, const layer *l, frame f, uint32_t depth, qi_tensor_id *io) {
    if (!w->found_input) return corrupt(w, "has a layer before its input");
    qi_weights weights;
    size_t used = 0;
    quire_err err = read_weights(w, &used, &weights);
    if (err || !w->graph) return err;
    settle(w, &weights, 1);
    qi_tensor_id in = *io;
    qi_tensor_type out = l->kind->activation == QI_ACT_SOFTMAX ? qi_type_f32 : type_of(w);
    err = qi_graph_dense(w->graph, in, &weights, l->kind->activation, out, io, w->diag);
    return err ? in_file(w, err) : check_channels(w, l, in, *io);
}

/* What follows the layers. */
typedef struct tail {
    const uint8_t *spec;
    uint32_t spec_bytes, flags;
    int32_t sample_iteration, blank;
} tail;

static quire_err read_tail(walker *w, tail *ret) {
    tail t;
    t.spec_bytes = qi_bytes_u32(&w->b);
    t.spec = qi_bytes_take(&w->b, t.spec_bytes);
    t.flags = qi_bytes_u32(&w->b);
    qi_bytes_i32(&w->b); /* training_iteration */
    t.sample_iteration = qi_bytes_i32(&w->b);
    t.blank = qi_bytes_i32(&w->b);
    qi_bytes_take(&w->b, 3 * sizeof(float)); /* of training */
    if (w->b.bad) return corrupt(w, "is cut off after its layers");
    *ret = t;
    return QUIRE_ERR_OK;
}

static quire_err build(walker *w, const tail *t, qi_lstm_network *ret) {
    qi_tensor_id out = 0;
    quire_err err = read_layer(w, (frame){0}, 0, &out);
    if (!err) {
        uint64_t seed = (uint64_t)((int64_t)t->sample_iteration * seed_factor);
        err = in_file(w, qi_graph_set_noise(w->graph, qi_noise_state(seed), w->diag));
    }
    if (err) return err;
    if (!w->ends_in_softmax) return unsupported(w, "an output that is not a softmax");
    uint32_t n_classes = qi_graph_channels(w->graph, out);
    if (t->blank < 0 || (uint32_t)t->blank >= n_classes)
        return corrupt(w, "has no class for the blank");
    err = qi_graph_finish(w->graph, out, w->diag);
    if (err) return in_file(w, err);
    *ret = (qi_lstm_network){.graph = w->graph,
                             .spec = t->spec,
                             .spec_bytes = t->spec_bytes,
                             .height = w->height,
                             .n_classes = n_classes,
                             .blank = (uint32_t)t->blank,
                             .integer = w->integer,
                             .has_recoder = t->flags & training_recodes};
    return QUIRE_ERR_OK;
}

quire_err qi_lstm_network_parse(const void *data, size_t n, const qi_model_source *source,
                                qi_lstm_network *ret, quire_diag *diag) {
    walker w = {.b = qi_bytes_of(data, n), .source = source, .diag = diag};
    qi_tensor_id none = 0;
    tail t;
    quire_err err = read_layer(&w, (frame){0}, 0, &none);
    if (!err && !w.found_input) err = corrupt(&w, "has no input");
    if (!err) err = read_tail(&w, &t);
    if (err) return err;

    qi_graph *graph;
    err = qi_graph_new(&graph, diag);
    if (err) return err;
    w = (walker){.b = qi_bytes_of(data, n),
                 .graph = graph,
                 .integer = t.flags & training_int_mode,
                 .source = source,
                 .diag = diag};
    err = build(&w, &t, ret);
    free(w.scales);
    free(w.floats);
    if (err) qi_graph_free(graph);
    return err;
}
