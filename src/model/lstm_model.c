/* Loading a model: the container, then its parts in the order in which they need each other; see
 * lstm_model.h. */
#include "model/lstm_model.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/lstm_network.h"

enum { max_file_bytes = 1 << 30, max_language_bytes = 60 };

typedef struct loaded {
    qi_lstm_model model; /* first: what the caller sees */
    qi_graph *graph;
    qi_arena arena;
    qi_dawg dawgs[3];
    void *map; /* NULL: the caller's memory */
    size_t map_bytes;
} loaded;

static const char *config_value(const qi_traineddata *t, const char *key, size_t *ret_n) {
    const char *at = (const char *)t->part[QI_PART_CONFIG].data;
    const char *end = at ? at + t->part[QI_PART_CONFIG].n : NULL;
    size_t n_key = strlen(key);
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end) line_end = end;
        if ((size_t)(line_end - at) > n_key && !memcmp(at, key, n_key) &&
            (at[n_key] == ' ' || at[n_key] == '\t')) {
            const char *v = at + n_key;
            while (v < line_end && (*v == ' ' || *v == '\t'))
                v++;
            *ret_n = (size_t)(line_end - v);
            return v;
        }
        at = line_end + 1;
    }
    *ret_n = 0;
    return NULL;
}

static bool config_is_true(const qi_traineddata *t, const char *key) {
    size_t n;
    const char *v = config_value(t, key, &n);
    return n && strchr("TtYy1", *v);
}

static quire_err load_network(loaded *l, const qi_traineddata *t, const qi_model_source *source,
                              bool *ret_has_recoder, quire_diag *diag) {
    qi_lstm_network net;
    quire_err err = qi_lstm_network_parse(t->part[QI_PART_LSTM].data, t->part[QI_PART_LSTM].n,
                                          source, &net, diag);
    if (err) return err;
    l->graph = net.graph;
    qi_lstm_model *m = &l->model;
    m->graph = net.graph;
    m->integer = net.integer;
    m->height = net.height;
    m->n_classes = net.n_classes;
    m->blank = net.blank;
    m->spec = qi_arena_strndup(&l->arena, (const char *)net.spec, net.spec_bytes);
    *ret_has_recoder = net.has_recoder;
    return m->spec ? QUIRE_ERR_OK : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model");
}

static quire_err load_characters(loaded *l, const qi_traineddata *t, const qi_model_source *source,
                                 bool has_recoder, quire_diag *diag) {
    qi_lstm_model *m = &l->model;
    size_t n_never;
    const char *never = config_value(t, "tessedit_char_blacklist", &n_never);
    quire_err err = qi_charset_parse(t->part[QI_PART_CHARSET].data, t->part[QI_PART_CHARSET].n,
                                     never, n_never, source, &l->arena, &m->charset, diag);
    if (err) return err;
    if (has_recoder) {
        err = qi_recoder_parse(t->part[QI_PART_RECODER].data, t->part[QI_PART_RECODER].n,
                               m->charset.n, m->n_classes, source, &l->arena, &m->recoder, diag);
    } else {
        /* A class more than characters can only be the blank. */
        uint32_t n = m->charset.n;
        if (m->n_classes > n + 1 || (m->n_classes == n + 1 && m->blank != n))
            return qi_model_corrupt(source, diag, "the network has %u classes for %u characters",
                                    m->n_classes, n);
        err = qi_recoder_identity(m->charset.n, m->n_classes, &l->arena, &m->recoder);
        if (err) qi_fail(diag, err, "no memory for the model");
    }
    if (err) return err;
    /* The beam relies on a blank being possible after every character. */
    const qi_recoder_edge *blank = qi_recoder_find(&m->recoder, 0, m->blank);
    if (!blank || blank->character < 0)
        return qi_model_corrupt(source, diag, "class %u, the blank, stands for no character",
                                m->blank);
    return QUIRE_ERR_OK;
}

static quire_err load_dictionaries(loaded *l, const qi_traineddata *t,
                                   const qi_model_source *source, quire_diag *diag) {
    const struct {
        qi_traineddata_part part;
        const char *what;
        const qi_dawg **to;
    } all[3] = {
        {QI_PART_PUNCTUATION_DAWG, "dictionary of punctuation", &l->model.punctuation},
        {QI_PART_WORD_DAWG, "dictionary of words", &l->model.words},
        {QI_PART_NUMBER_DAWG, "dictionary of numbers", &l->model.numbers},
    };
    for (int i = 0; i < 3; i++) {
        if (!t->part[all[i].part].data) continue;
        quire_err err =
            qi_dawg_parse(t->part[all[i].part].data, t->part[all[i].part].n, all[i].what,
                          l->model.charset.n, source, &l->arena, &l->dawgs[i], diag);
        if (err) return err;
        *all[i].to = &l->dawgs[i];
    }
    return QUIRE_ERR_OK;
}

static quire_err check_kind(const qi_traineddata *t, const qi_model_source *source,
                            quire_diag *diag) {
    char name[200], package[80];
    if (!t->part[QI_PART_LSTM].data) {
        if (!t->part[QI_PART_LEGACY_UNICHARSET].data)
            return qi_model_corrupt(source, diag, "it has no network");
        bool is_osd = !strcmp(source->language, "osd");
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                       "%s: this is a model of Tesseract's legacy engine without an LSTM network, "
                       "which is not supported; %s%s",
                       qi_printable(name, sizeof name, source->name),
                       is_osd ? "orientation is found without it: name languages alone, such as "
                                "eng"
                              : "install the model of package ",
                       is_osd ? "" : qi_model_package(package, sizeof package, source->language));
    }
    if (!t->part[QI_PART_CHARSET].data || !t->part[QI_PART_RECODER].data)
        return qi_fail(diag, QUIRE_ERR_MODEL_UNSUPPORTED,
                       "%s: the model has no component with its characters, as files of before "
                       "version 4.0 do, which is not supported; use the model that package %s "
                       "installs",
                       qi_printable(name, sizeof name, source->name),
                       qi_model_package(package, sizeof package, source->language));
    return QUIRE_ERR_OK;
}

static void hash_file(const void *data, size_t n, char ret[65]) {
    struct sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&ctx);
    sha256_update(&ctx, n, data);
    sha256_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* Fills l, which the caller frees on failure. */
static quire_err load(loaded *l, const void *data, size_t n, const char *name, const char *language,
                      quire_diag *diag) {
    qi_lstm_model *m = &l->model;
    m->path = qi_arena_strndup(&l->arena, name, strlen(name));
    m->language = qi_arena_strndup(&l->arena, language, strnlen(language, max_language_bytes));
    if (!m->path || !m->language)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model");
    qi_model_source source = {m->path, m->language};
    qi_traineddata t;
    bool has_recoder = false;
    quire_err err = qi_traineddata_parse(data, n, &source, &t, diag);
    if (!err) err = check_kind(&t, &source, diag);
    if (!err) err = load_network(l, &t, &source, &has_recoder, diag);
    if (!err) err = load_characters(l, &t, &source, has_recoder, diag);
    if (!err) err = load_dictionaries(l, &t, &source, diag);
    if (err) return err;
    m->keeps_spaces = config_is_true(&t, "preserve_interword_spaces");
    hash_file(data, n, m->sha256);
    return QUIRE_ERR_OK;
}

quire_err qi_lstm_model_new(const void *data, size_t n, const char *name, const char *language,
                            const qi_lstm_model **ret_model, quire_diag *diag) {
    loaded *l = calloc(1, sizeof *l);
    if (!l) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the model");
    quire_err err = load(l, data, n, name, language, diag);
    if (err) {
        qi_lstm_model_free(&l->model);
        return err;
    }
    *ret_model = &l->model;
    return QUIRE_ERR_OK;
}

static quire_err cannot_open(int error, const char *path, const char *language, quire_diag *diag) {
    char name[200], package[80];
    qi_printable(name, sizeof name, path);
    qi_model_package(package, sizeof package, language);
    if (error == ENOENT || error == ENOTDIR)
        return qi_fail(diag, QUIRE_ERR_MODEL_MISSING,
                       "%s: no model of language %.60s is there; install it: apt-get install %s",
                       name, language, package);
    return qi_fail(diag, qi_err_from_errno(error), "%s: the model cannot be opened: %s", name,
                   strerror(error));
}

quire_err qi_lstm_model_open(const char *path, const char *language,
                             const qi_lstm_model **ret_model, quire_diag *diag) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return cannot_open(errno, path, language, diag);
    struct stat st;
    int error = fstat(fd, &st) ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (!error && !S_ISREG(st.st_mode)) error = EINVAL;
    void *map = MAP_FAILED;
    qi_model_source source = {path, language};
    if (!error && st.st_size > 0 && st.st_size <= max_file_bytes) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) error = errno;
    }
    close(fd);
    if (error) return cannot_open(error, path, language, diag);
    if (map == MAP_FAILED)
        return qi_model_corrupt(&source, diag, "it has %lld bytes", (long long)st.st_size);

    const qi_lstm_model *model;
    quire_err err = qi_lstm_model_new(map, (size_t)st.st_size, path, language, &model, diag);
    if (err) {
        munmap(map, (size_t)st.st_size);
        return err;
    }
    loaded *l = (loaded *)model;
    l->map = map;
    l->map_bytes = (size_t)st.st_size;
    *ret_model = model;
    return QUIRE_ERR_OK;
}

void qi_lstm_model_free(const qi_lstm_model *model) {
    loaded *l = (loaded *)model;
    if (!l) return;
    qi_graph_free(l->graph);
    qi_arena_done(&l->arena);
    if (l->map) munmap(l->map, l->map_bytes);
    free(l);
}
