/* The source of inputs; see run_inputs.h. */
#include "cli/run_inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

enum { CHUNK = 1 << 16, MAX_NAME = 1 << 16 };

struct qi_inputs {
    qi_inputs_options options;
    int next_operand;
    qi_walk *walk; /* of the folder at hand */
    int list_fd;   /* -1: none, or read to its end */
    char separator;
    bool started_list;
    char *chunk;
    size_t at, n; /* what is left of chunk */
    qi_strbuf name, result;
};

quire_err qi_inputs_open(const qi_inputs_options *options, qi_inputs **ret_inputs,
                         quire_diag *diag) {
    qi_inputs *in = calloc(1, sizeof *in);
    if (!in) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "memory ran out");
    in->options = *options;
    in->list_fd = -1;
    const char *list = options->files_from;
    if (list) {
        bool is_stdin = !strcmp(list, "-");
        in->chunk = malloc(CHUNK);
        in->list_fd = is_stdin ? fcntl(0, F_DUPFD_CLOEXEC, 3) : open(list, O_RDONLY | O_CLOEXEC);
        int e = errno;
        char shown[300];
        qi_printable(shown, sizeof shown, is_stdin ? "standard input" : list);
        if (in->list_fd < 0 || !in->chunk) {
            qi_inputs_close(in);
            return qi_fail(diag, qi_err_from_errno(e), "%s: the list of inputs cannot be read: %s",
                           shown, strerror(e));
        }
    }
    *ret_inputs = in;
    return QUIRE_ERR_OK;
}

void qi_inputs_close(qi_inputs *in) {
    if (!in) return;
    qi_walk_free(in->walk);
    if (in->list_fd >= 0) close(in->list_fd);
    free(in->chunk);
    qi_strbuf_done(&in->name);
    qi_strbuf_done(&in->result);
    free(in);
}

static const char *text_of(const qi_strbuf *b) {
    return b->data ? b->data : "";
}

/* Appends path's components but ".", "..", and what ".." takes back. */
static void normalise(const char *path, qi_strbuf *out) {
    qi_strbuf_clear(out);
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (out->length && out->data[out->length - 1] != '/')
                out->length--;
            if (out->length) out->length--;
            if (out->data) out->data[out->length] = 0;
        } else if (n && !(n == 1 && path[0] == '.')) {
            if (out->length) qi_strbuf_append(out, "/", 1);
            qi_strbuf_append(out, path, n);
        }
        path += n;
        while (*path == '/')
            path++;
    }
}

static qi_inputs_step fail(quire_diag *diag, quire_err code, const char *path, const char *why) {
    char shown[300];
    qi_fail(diag, code, "%s: %s", qi_printable(shown, sizeof shown, path), why);
    return QI_INPUTS_ERROR;
}

/* Starts the walk of a folder that an operand names. */
static qi_inputs_step start_walk(qi_inputs *in, const char *root, quire_diag *diag) {
    struct stat st;
    qi_walk_options o = {.recursive = in->options.recursive};
    if (in->options.output && !stat(in->options.output, &st)) {
        o.leave_out = true;
        o.device = st.st_dev;
        o.inode = st.st_ino;
    }
    return qi_walk_new(root, &o, &in->walk, diag) ? QI_INPUTS_ERROR : QI_INPUTS_ONE;
}

/* The next operand that is no folder; a folder's walk is started and left to the caller. */
static qi_inputs_step take_operand(qi_inputs *in, qi_input *ret_input, quire_diag *diag) {
    const char *path = in->options.operands[in->next_operand++];
    struct stat st;
    if (!strcmp(path, "-")) {
        *ret_input = (qi_input){.path = "-", .result = "stdin"};
        return QI_INPUTS_ONE;
    }
    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        ret_input->path = NULL;
        return start_walk(in, path, diag);
    }
    normalise(path, &in->result);
    if (in->result.failed) return fail(diag, QUIRE_ERR_NO_MEMORY, path, "memory ran out");
    const char *whole = text_of(&in->result), *slash = strrchr(whole, '/');
    *ret_input = (qi_input){.path = path, .result = slash ? slash + 1 : whole};
    if (!*ret_input->result) return fail(diag, QUIRE_ERR_NOT_FOUND, path, "no such file");
    return QI_INPUTS_ONE;
}

/* Reads on; what the first piece holds decides how names are separated. */
static ssize_t refill(qi_inputs *in) {
    ssize_t n;
    do
        n = read(in->list_fd, in->chunk, CHUNK);
    while (n < 0 && errno == EINTR);
    in->at = 0;
    in->n = n > 0 ? (size_t)n : 0;
    if (!in->started_list && n > 0) {
        in->started_list = true;
        in->separator = memchr(in->chunk, 0, in->n) ? 0 : '\n';
    }
    return n;
}

/* The next name of the list in in->name; false at its end or when reading failed (errno). */
static bool next_name(qi_inputs *in) {
    qi_strbuf_clear(&in->name);
    bool too_long = false;
    errno = 0;
    for (;;) {
        if (in->at == in->n && refill(in) <= 0) return in->name.length > 0 && !errno;
        const char *from = in->chunk + in->at;
        const char *end = memchr(from, in->separator, in->n - in->at);
        size_t n = end ? (size_t)(end - from) : in->n - in->at;
        in->at += n + (end != NULL);
        too_long = too_long || in->name.length + n > MAX_NAME;
        if (!too_long) qi_strbuf_append(&in->name, from, n);
        if (end && in->name.length) return true;
    }
}

static qi_inputs_step take_listed(qi_inputs *in, qi_input *ret_input, quire_diag *diag) {
    if (!next_name(in)) {
        int e = errno;
        close(in->list_fd);
        in->list_fd = -1;
        if (!e) return QI_INPUTS_END;
        return fail(diag, qi_err_from_errno(e), in->options.files_from,
                    "the list of inputs could not be read to its end");
    }
    if (!strcmp(text_of(&in->name), "-")) { /* a file of that name */
        qi_strbuf_clear(&in->name);
        qi_strbuf_puts(&in->name, "./-");
    }
    normalise(text_of(&in->name), &in->result);
    const char *path = text_of(&in->name);
    if (in->name.failed || in->result.failed)
        return fail(diag, QUIRE_ERR_NO_MEMORY, path, "memory ran out");
    if (!in->result.length)
        return fail(diag, QUIRE_ERR_UNSUPPORTED, path, "a folder; a list names files");
    *ret_input = (qi_input){.path = path, .result = text_of(&in->result)};
    return QI_INPUTS_ONE;
}

static qi_inputs_step take_walked(qi_inputs *in, qi_input *ret_input, quire_diag *diag) {
    const char *path, *relative;
    qi_walk_step step = qi_walk_next(in->walk, &path, &relative, diag);
    if (step == QI_WALK_FILE) {
        *ret_input = (qi_input){.path = path, .result = relative, .found = true};
        return QI_INPUTS_ONE;
    }
    if (step == QI_WALK_ERROR) return QI_INPUTS_ERROR;
    qi_walk_free(in->walk);
    in->walk = NULL;
    return QI_INPUTS_END;
}

qi_inputs_step qi_inputs_next(qi_inputs *in, qi_input *ret_input, quire_diag *diag) {
    for (;;) {
        qi_inputs_step step = QI_INPUTS_END;
        if (in->walk) {
            step = take_walked(in, ret_input, diag);
            if (step == QI_INPUTS_END) continue;
        } else if (in->next_operand < in->options.n_operands) {
            step = take_operand(in, ret_input, diag);
            if (step == QI_INPUTS_ONE && in->walk) continue;
        } else if (in->list_fd >= 0) {
            step = take_listed(in, ret_input, diag);
        }
        return step;
    }
}

bool qi_inputs_ready(const qi_inputs *in) {
    if (in->walk || in->next_operand < in->options.n_operands || in->list_fd < 0) return true;
    if (in->at < in->n) return true;
    struct pollfd p = {.fd = in->list_fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}
