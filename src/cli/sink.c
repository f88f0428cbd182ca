/* The writing of results; see sink.h. */
#include "cli/sink.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "output/pdf_writer.h"

void qi_sink_init(qi_sink *s, const qi_run_values *values, qi_interrupt *interrupt,
                  const quire_reader *reader) {
    *s = (qi_sink){.values = values, .interrupt = interrupt};
    s->n_models = quire_reader_models(reader, &s->models);
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        s->files[i].fd = -1;
}

void qi_sink_done(qi_sink *s) {
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++)
        qi_result_file_discard(&s->files[i]);
    qi_pdf_writer_free(s->document.pdf);
    qi_strbuf_done(&s->bytes);
    qi_strbuf_done(&s->path);
}

/* DIR/result.ending in s->path. */
static bool make_path(qi_sink *s, const char *result, size_t format) {
    qi_strbuf *p = &s->path;
    qi_strbuf_clear(p);
    qi_strbuf_puts(p, s->values->output);
    if (!p->failed && p->data[p->length - 1] != '/') qi_strbuf_puts(p, "/");
    qi_strbuf_puts(p, result);
    qi_strbuf_puts(p, ".");
    qi_strbuf_puts(p, s->values->formats.list[format]->ending);
    return !p->failed;
}

unsigned qi_sink_wanted(qi_sink *s, const char *result, bool replace,
                        void (*kept)(void *context, const char *path), void *context) {
    const size_t n = s->values->formats.n;
    unsigned wanted = (1u << n) - 1;
    if (!s->values->output || replace) return wanted;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (!make_path(s, result, i) || lstat(s->path.data, &st)) continue;
        wanted &= ~(1u << i);
        if (kept) kept(context, s->path.data);
    }
    return wanted;
}

quire_err qi_sink_describe(const qi_sink *s, const char *name, int e, quire_diag *diag) {
    char shown[260];
    const char *remedy = "check the folder given with -o and its permissions";
    if (e == ENOSPC || e == EDQUOT)
        remedy = s->values->output
                     ? "make room and run again with --resume, which goes on where this one ended"
                     : "make room and run again";
    else if (!s->values->output)
        remedy = "the text is not complete";
    return qi_fail(diag, QUIRE_ERR_WRITE, "%s: cannot be written: %s; %s",
                   qi_printable(shown, sizeof shown, name), strerror(e), remedy);
}

void qi_sink_fail(qi_sink *s, const char *name, int e) {
    s->error = e;
    qi_sink_describe(s, name, e, &s->diag);
}

quire_err qi_sink_open(qi_sink *s, quire_diag *diag) {
    int e = s->values->output ? qi_result_folder_make(s->values->output) : 0;
    return e ? qi_sink_describe(s, s->values->output, e, diag) : QUIRE_ERR_OK;
}

/* Hands s->bytes to the place of a format. */
static void put_bytes(qi_sink *s, size_t format) {
    if (s->error || !s->bytes.length) return;
    const bool to_file = s->values->output != NULL;
    int e = s->bytes.failed ? ENOMEM
            : to_file       ? qi_result_file_write(&s->files[format], &s->bytes)
                            : qi_write_all(1, s->bytes.data, s->bytes.length);
    if (e) qi_sink_fail(s, to_file ? s->files[format].path : "standard output", e);
}

/* The document cannot be had as it was asked for: none of its results is written. */
static void refuse(qi_sink *s, quire_err error, const char *text) {
    char shown[260];
    s->error = EINVAL;
    if (text)
        qi_fail(&s->diag, error, "%s: %s", qi_printable(shown, sizeof shown, s->document.name),
                text);
}

static void check_refusal(qi_sink *s) {
    const char *why = s->document.pdf ? qi_pdf_writer_refusal(s->document.pdf) : NULL;
    if (why && !s->error) refuse(s, QUIRE_ERR_UNSUPPORTED, why);
}

/* A document's beginning in one format, with what is copied from the document itself. */
static void begin_format(qi_sink *s, size_t i) {
    const qi_output_format *format = s->values->formats.list[i];
    qi_strbuf_clear(&s->bytes);
    format->begin(&s->bytes, &s->document);
    check_refusal(s);
    put_bytes(s, i);
    quire_err err = QUIRE_ERR_OK;
    bool more = format->copy != NULL;
    while (more && !s->error) {
        qi_strbuf_clear(&s->bytes);
        more = format->copy(&s->bytes, &s->document, &s->diag, &err);
        put_bytes(s, i);
    }
    if (err && !s->error) refuse(s, err, NULL);
}

void qi_sink_begin(qi_sink *s, const quire_item *item, const char *result, unsigned wanted) {
    s->document = (qi_output_document){.name = item->name,
                                       .media_type = item->media_type,
                                       .n_pages = item->n_pages,
                                       .models = s->models,
                                       .n_models = s->n_models,
                                       .text_paragraphs = s->values->text_paragraphs,
                                       .with_timings = !s->values->no_timings,
                                       .item = item};
    if (s->values->reading.request.want_pdf) s->document.pdf = qi_pdf_writer_new(s->values->pdfa);
    s->n_form_feeds = 0;
    s->begun = true;
    s->error = 0;
    if (s->values->reading.request.want_pdf && !s->document.pdf)
        qi_sink_fail(s, item->name, ENOMEM);
    for (size_t i = 0; i < s->values->formats.n; i++) {
        if (!(wanted & 1u << i)) continue;
        if (s->values->output && !s->error) {
            int e = make_path(s, result, i)
                        ? qi_result_file_open(s->path.data, s->alone, s->interrupt, &s->files[i])
                        : ENOMEM;
            if (e) qi_sink_fail(s, s->path.data ? s->path.data : result, e);
        }
        if (!s->error) begin_format(s, i);
    }
    s->document.item = NULL;
}

/* Whether results of that format are being written. */
static bool is_open(const qi_sink *s, size_t format) {
    return !s->values->output || s->files[format].fd >= 0;
}

static bool is_text_to_stdout(const qi_sink *s) {
    return !s->values->output && !strcmp(s->values->formats.list[0]->name, "txt");
}

/* Text on stdout: form feeds between documents as between pages. Those of pages that failed are
 * held back until a page follows that did not, or the document ends well: a document that fails
 * leaves no trace between its neighbours. */
static void put_text_page(qi_sink *s, const quire_page *page) {
    if (s->document.n_pages_written)
        s->n_form_feeds++;
    else
        s->n_form_feeds = s->wrote_text;
    if (page->error) return;
    qi_strbuf_clear(&s->bytes);
    for (; s->n_form_feeds; s->n_form_feeds--)
        qi_strbuf_puts(&s->bytes, "\f");
    qi_output_document alone = s->document;
    alone.n_pages_written = 0;
    s->values->formats.list[0]->page(&s->bytes, &alone, page);
    put_bytes(s, 0);
    s->wrote_text = true;
}

static void end_text(qi_sink *s, bool failed) {
    qi_strbuf_clear(&s->bytes);
    for (; s->n_form_feeds && !failed; s->n_form_feeds--)
        qi_strbuf_puts(&s->bytes, "\f");
    put_bytes(s, 0);
}

void qi_sink_page(qi_sink *s, const quire_page *page) {
    if (is_text_to_stdout(s) && !s->error) {
        put_text_page(s, page);
        s->document.n_pages_written++;
        return;
    }
    for (size_t i = 0; i < s->values->formats.n && !s->error; i++) {
        if (!is_open(s, i)) continue;
        const qi_output_format *format = s->values->formats.list[i];
        qi_strbuf_clear(&s->bytes);
        if (!s->values->output && format->between && !s->document.n_pages_written) {
            if (s->wrote_text) qi_strbuf_puts(&s->bytes, format->between);
            s->wrote_text = true;
        }
        format->page(&s->bytes, &s->document, page);
        check_refusal(s);
        put_bytes(s, i);
    }
    s->document.n_pages_written++;
}

quire_err qi_sink_end(qi_sink *s, const quire_item *item, qi_commit *commit, quire_diag *diag,
                      int *ret_errno) {
    const bool to_files = s->values->output != NULL;
    const qi_output_end end = {item->error, item->error ? item->diag.text : NULL, item->n_failed};
    *ret_errno = 0;
    if (!s->begun && to_files) return QUIRE_ERR_OK;
    if (!s->begun && item->error == QUIRE_ERR_CANCELLED) return QUIRE_ERR_OK;
    if (!s->begun && s->values->reading.request.want_pdf) return QUIRE_ERR_OK;
    if (!s->begun) qi_sink_begin(s, item, NULL, 1);
    s->begun = false;
    if (is_text_to_stdout(s) && !s->error) end_text(s, item->error != QUIRE_ERR_OK);
    if (!to_files || !item->error) {
        for (size_t i = 0; i < s->values->formats.n && !s->error; i++) {
            if (!is_open(s, i)) continue;
            qi_strbuf_clear(&s->bytes);
            s->values->formats.list[i]->end(&s->bytes, &s->document, &end);
            put_bytes(s, i);
        }
    }
    for (size_t i = 0; i < QI_OUTPUT_N_FORMATS; i++) {
        if (s->error || item->error) qi_result_file_discard(&s->files[i]);
        commit->files[i] = s->files[i];
        s->files[i] = (qi_result_file){.fd = -1};
    }
    qi_pdf_writer_free(s->document.pdf);
    s->document.pdf = NULL;
    *ret_errno = s->error;
    if (!s->error) return QUIRE_ERR_OK;
    *diag = s->diag;
    return s->diag.code;
}
