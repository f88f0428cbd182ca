/* See reading.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes.h"
#include "reading.h"

quire_reader *open_reader(uint32_t jobs, const quire_options *options) {
    quire_options o;
    quire_options_init(&o);
    o.anew = true;
    if (options) o = *options;
    o.jobs = jobs;
    quire_reader *r = NULL;
    quire_diag diag = {0};
    quire_err err = quire_reader_open(&o, &r, &diag);
    if (err) print_message("%s\n", diag.text);
    assert_int_equal(err, QUIRE_ERR_OK);
    atomic_store(&fakes.most_inside, 0);
    return r;
}

void close_reader(quire_reader *reader, uint32_t jobs) {
    quire_reader_close(reader);
    assert_int_equal(fakes.decoders, 0);
    assert_int_equal(fakes.documents_open, 0);
    assert_int_equal(fakes.decoded, 0);
    assert_int_equal(fakes.embedded, 0);
    assert_int_equal(fakes.images, 0);
    assert_int_equal(fakes.jobs, 0);
    assert_int_equal(fakes.sessions, 0);
    assert_int_equal(fakes.ocrs, 0);
    assert_int_equal(fakes.batch_breaches, 0);
    assert_int_equal(fakes.shared_sessions, 0);
    assert_in_range(fakes.most_inside, 0, jobs > 1 ? jobs + 1 : 1); /* one beside the slots */
}

void add_request(quire_reader *reader, const char *name, const char *script,
                 const quire_request *request) {
    quire_diag diag = {0};
    quire_err err =
        quire_reader_add_buffer(reader, script, strlen(script), name, request, NULL, &diag);
    if (err) print_message("%s\n", diag.text);
    assert_int_equal(err, QUIRE_ERR_OK);
}

void add_pages(quire_reader *reader, const char *name, const char *script, const char *pages) {
    quire_request request;
    quire_request_init(&request);
    request.pages = pages;
    add_request(reader, name, script, &request);
}

void add(quire_reader *reader, const char *name, const char *script) {
    add_pages(reader, name, script, NULL);
}

/* The lines are those of this page and document, in order, and words and block go with them. */
static void check_page(const quire_item *item) {
    const quire_page *p = item->page;
    for (uint32_t i = 0; i < p->n_lines; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s.%u.%u", item->name, p->index, i);
        assert_string_equal(p->lines[i].text, text);
        assert_string_equal(p->words[p->lines[i].first_word].text, text);
        assert_string_equal(p->lines[i].language,
                            i % 2 && p->lines[1].language[0] == 'd' ? "deu" : "eng");
    }
    if (p->n_lines) assert_int_equal(p->blocks[0].n_lines, p->n_lines);
    assert_true(p->elapsed_ns > 0);
}

void transcribe_item(const quire_item *item, qi_strbuf *out) {
    switch (item->kind) {
    case QUIRE_ITEM_DOCUMENT:
        assert_string_equal(item->media_type, "image/fake");
        qi_strbuf_printf(out, "D %s %u\n", item->name, item->n_pages);
        break;
    case QUIRE_ITEM_EARLIER:
        assert_int_equal(*item->page->pdf->bytes, item->page->index);
        qi_strbuf_printf(out, "earlier %s %u\n", item->name, item->page->index + 1);
        break;
    case QUIRE_ITEM_PAGE:
        check_page(item);
        if (item->page->error)
            qi_strbuf_printf(out, "P %s %u %s\n", item->name, item->page->index + 1,
                             quire_err_name(item->page->error));
        else
            qi_strbuf_printf(out, "P %s %u %u\n", item->name, item->page->index + 1,
                             item->page->n_lines);
        break;
    case QUIRE_ITEM_END:
        qi_strbuf_printf(out, "E %s %s %u\n", item->name, quire_err_name(item->error),
                         item->n_failed);
        if (item->error) assert_non_null(strstr(item->diag.text, item->name));
        break;
    case QUIRE_ITEM_IDLE:
        break;
    }
}

void transcribe(quire_reader *reader, qi_strbuf *out) {
    quire_item item;
    while (quire_reader_next(reader, &item), item.kind != QUIRE_ITEM_IDLE) {
        transcribe_item(&item, out);
        quire_item_done(&item);
    }
}

void expect(quire_reader *reader, uint32_t jobs, const char *transcript) {
    qi_strbuf out = {0};
    transcribe(reader, &out);
    close_reader(reader, jobs);
    assert_string_equal(out.data, transcript);
    qi_strbuf_done(&out);
}
