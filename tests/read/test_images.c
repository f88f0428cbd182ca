/* Images of pages: who has one, who has none and why, and what they count as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fakes.h"
#include "reading.h"

static void add_with_images(quire_reader *r, const char *name, const char *script) {
    quire_request request;
    quire_request_init(&request);
    request.want_image = true;
    add_request(r, name, script, &request);
}

/* Takes all items; writes `page error image-or-error`, one page a line. */
static void take_images(quire_reader *r, qi_strbuf *out) {
    quire_item item;
    while (quire_reader_next(r, &item), item.kind != QUIRE_ITEM_IDLE) {
        if (item.kind == QUIRE_ITEM_PAGE) {
            const quire_page *p = item.page;
            qi_strbuf_printf(out, "%s %u %s ", item.name, p->index + 1, quire_err_name(p->error));
            if (p->image) {
                assert_int_equal(p->image->n_bytes, 1);
                assert_int_equal(*p->image->bytes, p->index);
                assert_string_equal(p->image->media_type, "image/webp");
                assert_int_equal(p->image->width_px, 50);
                assert_int_equal(p->image->height_px, 60);
                assert_int_equal(p->image->encode_ns, 700);
                assert_int_equal(p->image_error, QUIRE_ERR_OK);
                qi_strbuf_printf(out, "image\n");
            } else {
                qi_strbuf_printf(out, "%s\n", quire_err_name(p->image_error));
            }
        }
        quire_item_done(&item);
    }
}

static void expect_images(quire_reader *r, uint32_t jobs, const char *want) {
    qi_strbuf out = {0};
    take_images(r, &out);
    assert_string_equal(out.data, want);
    qi_strbuf_done(&out);
    close_reader(r, jobs);
}

static void pages_bring_their_image(void **state) {
    for (uint32_t jobs = 1; jobs <= 4; jobs++) {
        quire_reader *r = open_reader(jobs, NULL);
        add_with_images(r, "a", "FAKE pages=4 nolayout=2 bad=3");
        add(r, "b", "FAKE");
        add_with_images(r, "c", "FAKE pages=2 noimage=1");
        expect_images(r, jobs,
                      "a 1 ok image\na 2 no-memory image\na 3 corrupt corrupt\na 4 ok image\n"
                      "b 1 ok ok\n"
                      "c 1 ok helper\nc 2 ok image\n");
    }
}

/* Drivers that help open the document again, with the same wish. */
static void pages_of_long_documents_do(void **state) {
    qi_strbuf want = {0};
    quire_reader *r = open_reader(4, NULL);
    add_with_images(r, "long", "FAKE pages=60 text=1 decode_us=1000");
    for (int i = 1; i <= 60; i++)
        qi_strbuf_printf(&want, "long %d ok image\n", i);
    expect_images(r, 4, want.data);
    qi_strbuf_done(&want);
}

static void pages_that_are_known_do(void **state) {
    quire_options o;
    quire_options_init(&o);
    quire_reader *r = open_reader(1, &o);
    quire_progress progress;
    qi_strbuf out = {0};
    add_with_images(r, "a", "FAKE");
    take_images(r, &out);
    add_with_images(r, "a", "FAKE");
    take_images(r, &out);
    assert_string_equal(out.data, "a 1 ok image\na 1 ok image\n");
    qi_strbuf_done(&out);
    quire_reader_progress(r, &progress);
    assert_int_equal(progress.pages_reused, 1);
    close_reader(r, 1);
}

/* Encoding, its room and the copy are granted beforehand; where that is too much, the page is read
 * without. */
static void images_count_as_memory(void **state) {
    quire_reader *r = open_reader(1, NULL);
    quire_progress progress;
    qi_strbuf out = {0};
    add_with_images(r, "a", "FAKE image=30000000");
    take_images(r, &out);
    quire_reader_progress(r, &progress);
    assert_true(progress.bytes_peak >= 90000000 && progress.bytes_peak < 120000000);
    assert_int_equal(progress.bytes_in_flight, 0);
    add_with_images(r, "b", "FAKE image=3000000000");
    take_images(r, &out);
    assert_string_equal(out.data, "a 1 ok image\nb 1 ok too-large\n");
    qi_strbuf_done(&out);
    close_reader(r, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_bring_their_image),
        cmocka_unit_test(pages_of_long_documents_do),
        cmocka_unit_test(pages_that_are_known_do),
        cmocka_unit_test(images_count_as_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
