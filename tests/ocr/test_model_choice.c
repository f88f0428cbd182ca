/* Which lines are read with which models, on pages that are tables of how sure each model reads
 * each line: what is kept must be what reading everything with everything would keep, for little
 * more than one reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ocr/model_choice.h"

enum { N_LINES = 50, MAX_MODELS = 3 };

/* A page and what came of it. */
typedef struct page {
    uint32_t n_lines, n_models, lengths[N_LINES];
    float sure[N_LINES][MAX_MODELS];
    uint32_t best[N_LINES];
    double cost; /* of all that was read, over that of each line once */
    int n_rounds;
} page;

static void read_page(page *p) {
    qi_arena arena = {0};
    qi_model_choice c;
    assert_int_equal(qi_model_choice_init(&c, p->n_lines, p->n_models, &arena), QUIRE_ERR_OK);
    double length = 0, read = 0;
    for (uint32_t i = 0; i < p->n_lines; i++)
        length += c.lengths[i] = p->lengths[i];
    for (p->n_rounds = 0; qi_model_choice_next(&c); p->n_rounds++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < p->n_lines * p->n_models; i++) {
            if (!c.wanted[i]) continue;
            uint32_t line = i / p->n_models;
            assert_true(c.sureness[i] < 0 && p->lengths[line]); /* nothing twice, nothing empty */
            c.sureness[i] = p->sure[line][i % p->n_models];
            read += p->lengths[line];
            n++;
        }
        assert_int_equal(n, c.n_wanted);
    }
    p->cost = length > 0 ? read / length : 0;
    for (uint32_t i = 0; i < p->n_lines; i++)
        p->best[i] = qi_model_choice_best(&c, i);
    qi_arena_done(&arena);
}

/* Lines of lengths that differ, each in the language that in_language(line) says, read with `sure`
 * by that model and with `less` by the others. */
static page page_of(uint32_t n_models, uint32_t (*in_language)(uint32_t), float sure, float less) {
    page p = {.n_lines = N_LINES, .n_models = n_models};
    for (uint32_t i = 0; i < N_LINES; i++) {
        p.lengths[i] = 800 + 37 * i % 101;
        for (uint32_t m = 0; m < n_models; m++)
            p.sure[i][m] = (m == in_language(i) ? sure : less) - 0.001f * (float)(i % 7);
    }
    return p;
}

static void expect_languages(const page *p, uint32_t (*in_language)(uint32_t)) {
    for (uint32_t i = 0; i < p->n_lines; i++)
        assert_int_equal(p->best[i], in_language(i));
}

static uint32_t first(uint32_t line) {
    return 0;
}
static uint32_t second(uint32_t line) {
    return 1;
}
static uint32_t in_turns(uint32_t line) {
    return line / 5 % 2;
}
static uint32_t of_three(uint32_t line) {
    return line / 5 % 3;
}
static uint32_t one_paragraph(uint32_t line) {
    return line >= 20 && line < 23;
}

static void a_page_in_one_language_costs_little_more_than_one_model(void **state) {
    uint32_t (*const languages[])(uint32_t) = {first, second};
    for (int i = 0; i < 2; i++) {
        page p = page_of(2, languages[i], 0.985f, 0.95f);
        read_page(&p);
        expect_languages(&p, languages[i]);
        assert_true(p.cost <= 1.1);
    }
}

static void so_does_one_that_reads_poorly_with_every_model(void **state) {
    page p = page_of(2, second, 0.84f, 0.78f);
    for (uint32_t i = 0; i < N_LINES; i += 3) /* of these the other model is no judge */
        p.sure[i][0] = p.sure[i][1] = 0.7f;
    read_page(&p);
    expect_languages(&p, second);
    assert_true(p.cost <= 1.2);
}

static void no_line_of_a_mixed_page_is_lost(void **state) {
    uint32_t (*const languages[])(uint32_t) = {in_turns, one_paragraph};
    for (int i = 0; i < 2; i++) {
        page p = page_of(2, languages[i], 0.98f, 0.84f);
        read_page(&p);
        expect_languages(&p, languages[i]);
        assert_true(p.cost < 1.75);
    }
    page three = page_of(3, of_three, 0.98f, 0.84f);
    read_page(&three);
    expect_languages(&three, of_three);
    assert_true(three.cost < 2.6);
}

/* The foreign paragraph is found although longer lines read poorly with both models. */
static void dirt_does_not_hide_a_paragraph(void **state) {
    page p = page_of(2, one_paragraph, 0.98f, 0.80f);
    for (uint32_t i = 30; i < 36; i++) {
        p.lengths[i] = 300;
        p.sure[i][0] = p.sure[i][1] = 0.3f;
    }
    read_page(&p);
    expect_languages(&p, one_paragraph);
}

static void the_pages_model_keeps_what_another_reads_hardly_surer(void **state) {
    page p = page_of(2, first, 0.60f, 0.55f);
    p.lengths[7] = 2000; /* in the sample, so that both read it */
    p.sure[7][0] = 0.60f;
    p.sure[7][1] = 0.61f;
    read_page(&p);
    assert_int_equal(p.best[7], 0);
    p.sure[7][1] = 0.65f;
    read_page(&p);
    assert_int_equal(p.best[7], 1);
}

static void one_model_reads_each_line_once(void **state) {
    page p = page_of(1, first, 0.4f, 0);
    p.lengths[3] = 0;
    read_page(&p);
    assert_true(p.cost == 1 && p.n_rounds == 1);
}

static void few_lines_and_none(void **state) {
    page p = page_of(2, second, 0.9f, 0.8f);
    p.n_lines = 1;
    read_page(&p);
    assert_true(p.best[0] == 1 && p.n_rounds == 1);
    p.n_lines = 0;
    read_page(&p);
    assert_int_equal(p.n_rounds, 0);
    p.n_lines = 3;
    memset(p.lengths, 0, sizeof p.lengths);
    read_page(&p);
    assert_int_equal(p.n_rounds, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_in_one_language_costs_little_more_than_one_model),
        cmocka_unit_test(so_does_one_that_reads_poorly_with_every_model),
        cmocka_unit_test(no_line_of_a_mixed_page_is_lost),
        cmocka_unit_test(dirt_does_not_hide_a_paragraph),
        cmocka_unit_test(the_pages_model_keeps_what_another_reads_hardly_surer),
        cmocka_unit_test(one_model_reads_each_line_once),
        cmocka_unit_test(few_lines_and_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
