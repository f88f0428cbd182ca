/* The journal by itself: pages come back as they went in, documents are in the state they were left
 * in, what is no longer needed goes, and another version or other options are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/journal.h"
#include "cli/journal_record.h"
#include "output/page_record.h"

static char folder[] = P_tmpdir "/quire-journal-XXXXXX";
static char journal_path[64];

static const quire_word words[] = {
    {{1, 2, 3, 4}, "one", 0.5f, false}, {{5, 6, 7, 8}, "t\xC3\xBC", 0.25f, true}, {.text = ""}};
static const quire_line lines[] = {{.box = {1, 2, 9, 9},
                                    .baseline = {1.5f, 2, 3, 4},
                                    .x_height_px = 11,
                                    .confidence = 0.75f,
                                    .text = "one t\xC3\xBC",
                                    .language = "eng",
                                    .n_words = 2},
                                   {.text = "", .language = NULL, .first_word = 2, .n_words = 1}};
static const quire_block blocks[] = {{{1, 1, 10, 10}, 0, 1}, {{2, 2, 3, 3}, 1, 1}};

static quire_page page_of(uint32_t index) {
    return (quire_page){.index = index,
                        .width_px = 100,
                        .height_px = 200,
                        .dpi = 300,
                        .dpi_estimated = true,
                        .rotation = 270,
                        .skew_degrees = -1.25f,
                        .confidence = 0.5f,
                        .blocks = blocks,
                        .lines = lines,
                        .words = words,
                        .n_blocks = 2,
                        .n_lines = 2,
                        .n_words = 3,
                        .timings = {1, 2, 3, 4, 5, 6},
                        .elapsed_ns = 7};
}

static void check_page(const quire_page *p, uint32_t index) {
    assert_int_equal(p->index, index);
    assert_int_equal(p->error, QUIRE_ERR_OK);
    assert_int_equal(p->rotation, 270);
    assert_true(p->dpi_estimated && p->skew_degrees == -1.25f);
    assert_true(p->timings.decode_ns == 1 && p->timings.compose_ns == 6);
    assert_int_equal(p->elapsed_ns, 7);
    assert_int_equal(p->n_blocks, 2);
    assert_int_equal(p->blocks[1].first_line, 1);
    assert_memory_equal(&p->lines[0].box, &lines[0].box, sizeof lines[0].box);
    assert_memory_equal(p->lines[0].baseline, lines[0].baseline, sizeof lines[0].baseline);
    assert_string_equal(p->lines[0].text, lines[0].text);
    assert_string_equal(p->lines[0].language, "eng");
    assert_null(p->lines[1].language);
    assert_int_equal(p->lines[1].first_word, 2);
    assert_string_equal(p->words[1].text, words[1].text);
    assert_true(p->words[1].space_before && p->words[1].confidence == 0.25f);
}

/* ---- putting records ------------------------------------------------------------------------ */

static qi_strbuf out;

static void put_id(qi_journal_id id) {
    qi_strbuf_put_u64(&out, id.key);
    qi_strbuf_put_u64(&out, id.content);
}

static void put_open(qi_journal_id id, uint32_t n_before) {
    size_t start = qi_record_begin(&out, QI_JOURNAL_OPEN);
    put_id(id);
    qi_strbuf_put_u32(&out, n_before);
    qi_record_end(&out, start);
}

static void put_page(const quire_page *page) {
    size_t start = qi_record_begin(&out, QI_JOURNAL_PAGE);
    qi_page_record_put(&out, page);
    qi_record_end(&out, start);
}

static void put_pages(uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        quire_page page = page_of(i);
        put_page(&page);
    }
}

static void put_commit(qi_journal_id id, uint64_t inode, const char *path) {
    size_t start = qi_record_begin(&out, QI_JOURNAL_COMMIT);
    put_id(id);
    qi_strbuf_put_u32(&out, 0);
    qi_strbuf_put_u32(&out, 1);
    qi_strbuf_put_u64(&out, inode);
    qi_strbuf_put_string(&out, path);
    qi_record_end(&out, start);
}

static void put_empty(uint32_t kind) {
    qi_record_end(&out, qi_record_begin(&out, kind));
}

static void append(qi_journal *j) {
    assert_int_equal(qi_journal_append(j, &out), 0);
    qi_strbuf_clear(&out);
}

static qi_journal *open_journal(bool resume) {
    qi_journal *j = NULL;
    quire_diag diag = {0};
    quire_err err = qi_journal_open(folder, "--format=txt\n", resume, &j, &diag);
    if (err) print_message("%s\n", diag.text);
    assert_int_equal(err, QUIRE_ERR_OK);
    assert_non_null(j);
    return j;
}

static off_t size_of_journal(void) {
    struct stat st;
    assert_int_equal(stat(journal_path, &st), 0);
    return st.st_size;
}

static const qi_journal_id a = {1, 11}, b = {2, 22}, c = {3, 33}, d = {4, 44};

static void check_begun(const qi_journal *j, qi_journal_id id, uint32_t n) {
    const qi_journal_begun *begun = NULL;
    assert_int_equal(qi_journal_find(j, id, &begun), QI_JOURNAL_IS_BEGUN);
    assert_int_equal(begun->earlier.n_pages, n);
    for (uint32_t i = 0; i < n; i++) {
        quire_page page;
        void *storage[2];
        assert_int_equal(qi_journal_page(j, begun, i, &page, storage), QUIRE_ERR_OK);
        check_page(&page, i);
        free(storage[0]);
        free(storage[1]);
    }
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* As read again; blocks and lines that overlap are refused. */
static quire_err read_again(const quire_page *page) {
    quire_page read;
    void *storage = NULL;
    qi_strbuf_clear(&out);
    qi_page_record_put(&out, page);
    qi_bytes in = qi_bytes_of(out.data, out.length);
    quire_err err = qi_page_record_take(&in, &read, &storage);
    if (!err) free(storage);
    qi_strbuf_clear(&out);
    return err;
}

static void each_line_and_word_is_there_once(void **state) {
    quire_block overlapping_blocks[] = {blocks[0], blocks[0]};
    quire_line overlapping_lines[] = {lines[0], lines[0]};
    quire_page page = page_of(0);
    assert_int_equal(read_again(&page), QUIRE_ERR_OK);
    page.blocks = overlapping_blocks;
    assert_int_not_equal(read_again(&page), QUIRE_ERR_OK);
    page = page_of(0);
    page.lines = overlapping_lines;
    assert_int_not_equal(read_again(&page), QUIRE_ERR_OK);
}

static void documents_are_as_they_were_left(void **state) {
    const qi_journal_begun *begun;
    qi_journal *j = open_journal(false);
    put_open(a, 0);
    put_pages(0, 3);
    put_open(b, 0);
    put_pages(0, 5);
    put_commit(b, 99, "b.txt");
    put_commit(c, 98, "c.txt");
    put_empty(QI_JOURNAL_DONE);
    put_open(a, 3);
    put_pages(3, 4);
    put_commit(d, 97, "nowhere.txt"); /* about to be done, but neither file is there */
    append(j);
    qi_journal_close(j);
    for (int again = 0; again < 2; again++) {
        j = open_journal(true);
        assert_true(qi_journal_resumed(j));
        check_begun(j, a, 4);
        assert_int_equal(qi_journal_find(j, b, &begun), QI_JOURNAL_IS_DONE);
        assert_int_equal(qi_journal_find(j, c, &begun), QI_JOURNAL_IS_DONE);
        assert_int_equal(qi_journal_find(j, (qi_journal_id){3, 34}, &begun), QI_JOURNAL_IS_CHANGED);
        assert_int_equal(qi_journal_find(j, (qi_journal_id){1, 12}, &begun), QI_JOURNAL_IS_NEW);
        assert_int_equal(qi_journal_find(j, d, &begun), QI_JOURNAL_IS_NEW);
        qi_journal_close(j);
    }
}

static void a_changed_document_begins_anew(void **state) {
    const qi_journal_id changed = {a.key, 12};
    const qi_journal_begun *begun;
    qi_journal *j = open_journal(false);
    put_open(a, 0);
    put_pages(0, 3);
    put_open(changed, 0);
    put_pages(0, 2);
    put_open(b, 7); /* of pages that are not there */
    put_pages(7, 8);
    append(j);
    qi_journal_close(j);
    j = open_journal(true);
    check_begun(j, changed, 2);
    assert_int_equal(qi_journal_find(j, a, &begun), QI_JOURNAL_IS_NEW);
    assert_int_equal(qi_journal_find(j, b, &begun), QI_JOURNAL_IS_NEW);
    qi_journal_close(j);
}

static void failed_pages_are_counted(void **state) {
    quire_page bad = {.index = 1, .error = QUIRE_ERR_CORRUPT, .error_text = "x: damaged"};
    const qi_journal_begun *begun;
    qi_journal *j = open_journal(false);
    put_open(a, 0);
    put_pages(0, 1);
    put_page(&bad);
    bad.index = 4;
    bad.error = QUIRE_ERR_HELPER;
    put_page(&bad);
    append(j);
    qi_journal_close(j);
    j = open_journal(true);
    assert_int_equal(qi_journal_find(j, a, &begun), QI_JOURNAL_IS_BEGUN);
    const quire_earlier_pages *e = &begun->earlier;
    assert_int_equal(e->first_index, 5);
    assert_int_equal(e->n_pages, 3);
    assert_int_equal(e->n_failed, 2);
    assert_int_equal(e->first_failed, 1);
    assert_int_equal(e->error, QUIRE_ERR_CORRUPT);
    assert_true(e->errors_differ);
    assert_string_equal(e->error_text, "x: damaged");
    qi_journal_close(j);
}

static void parts_of_a_pdf_are_remembered(void **state) {
    static const quire_pdf_page part = {.kind = QUIRE_PDF_IMAGE, .n_bytes = 5};
    const qi_journal_begun *begun;
    qi_journal *j = open_journal(false);
    put_open(a, 0);
    for (uint32_t i = 0; i < 40; i++) {
        quire_page page = page_of(i);
        if (i % 2) page.pdf = &part;
        put_page(&page);
    }
    append(j);
    qi_journal_close(j);
    j = open_journal(true);
    check_begun(j, a, 40);
    assert_int_equal(qi_journal_find(j, a, &begun), QI_JOURNAL_IS_BEGUN);
    assert_int_equal(begun->earlier.n_with_pdf, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(begun->earlier.with_pdf[i], 2 * i + 1);
    for (uint32_t i = 0; i < 2; i++) {
        quire_page page;
        void *storage[2];
        assert_int_equal(qi_journal_page(j, begun, i, &page, storage), QUIRE_ERR_OK);
        assert_int_equal(page.pdf != NULL, i);
        if (i) assert_int_equal(page.pdf->kind, 0);
        free(storage[0]);
        free(storage[1]);
    }
    qi_journal_close(j);
}

static void what_is_done_leaves_the_file(void **state) {
    const qi_journal_begun *begun;
    qi_journal *j = open_journal(false);
    put_open(a, 0);
    put_pages(0, 4);
    append(j);
    while (!qi_journal_is_large(j, false)) {
        put_open(b, 0);
        put_pages(0, 400);
        put_commit(b, 99, "b.txt");
        put_empty(QI_JOURNAL_DONE);
        append(j);
    }
    assert_true(size_of_journal() > 4 << 20);
    qi_journal_tidy(j);
    assert_true(size_of_journal() < 8000);
    assert_false(qi_journal_is_large(j, false));
    put_open(a, 4);
    put_pages(4, 6);
    append(j);
    qi_journal_close(j);
    j = open_journal(true);
    check_begun(j, a, 6);
    assert_int_equal(qi_journal_find(j, b, &begun), QI_JOURNAL_IS_DONE);
    qi_journal_close(j);
}

static void many_documents_take_little_room(void **state) {
    const qi_journal_begun *begun;
    enum { N = 20000 };
    qi_journal *j = open_journal(false);
    for (uint64_t i = 1; i <= N; i++)
        put_commit((qi_journal_id){i * 0x9E3779B97F4A7C15u, i}, 99, "b.txt");
    put_empty(QI_JOURNAL_DONE);
    append(j);
    qi_journal_close(j);
    j = open_journal(true);
    assert_true(size_of_journal() < N * 16 + 1000);
    for (uint64_t i = 1; i <= N; i++)
        assert_int_equal(qi_journal_find(j, (qi_journal_id){i * 0x9E3779B97F4A7C15u, i}, &begun),
                         QI_JOURNAL_IS_DONE);
    qi_journal_close(j);
}

static void one_run_at_a_time(void **state) {
    quire_diag diag = {0};
    qi_journal *j = open_journal(false), *other = j;
    assert_int_equal(qi_journal_open(folder, "", true, &other, &diag), QUIRE_ERR_CONFLICT);
    assert_int_equal(qi_journal_open(folder, "", false, &other, &diag), QUIRE_ERR_OK);
    assert_null(other);
    qi_journal_close(j);
}

static void the_difference_is_named(void **state) {
    quire_diag diag = {0};
    qi_journal *j = open_journal(false);
    qi_journal_close(j);
    assert_int_equal(qi_journal_open(folder, "--format=json\n", true, &j, &diag), QUIRE_ERR_USAGE);
    assert_non_null(strstr(diag.text, "another --format (txt, now json)"));
    assert_int_equal(qi_journal_open(folder, "--format=txt\n--pages=2\n", true, &j, &diag),
                     QUIRE_ERR_USAGE);
    assert_non_null(strstr(diag.text, "another --pages (none, now 2)"));
}

static int make_folder(void **state) {
    if (!mkdtemp(folder)) return 1;
    snprintf(journal_path, sizeof journal_path, "%s/%s", folder, QI_JOURNAL_NAME);
    return 0;
}

static int remove_folder(void **state) {
    qi_strbuf_done(&out);
    unlink(journal_path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_and_word_is_there_once),
        cmocka_unit_test(documents_are_as_they_were_left),
        cmocka_unit_test(a_changed_document_begins_anew),
        cmocka_unit_test(failed_pages_are_counted),
        cmocka_unit_test(parts_of_a_pdf_are_remembered),
        cmocka_unit_test(what_is_done_leaves_the_file),
        cmocka_unit_test(many_documents_take_little_room),
        cmocka_unit_test(one_run_at_a_time),
        cmocka_unit_test(the_difference_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
