/* Decoding made-up probabilities with a model of seven characters: what is read, where, and how the
 * dictionary and the re-coder take part. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/ctc/ctc.h"
#include "ocr/beam.h"
#include "tiny_model.h"

enum { max_steps = 2000 };

typedef struct fixture {
    qi_arena arena;
    tiny_buffer recoder, words, punctuation;
    qi_dawg dawgs[2];
    qi_lstm_model model;
    float p[max_steps * TINY_CLASSES];
    uint32_t n_steps;
} fixture;

/* The model of tests/model without its network, which decoding does not need. */
static int set_up(void **state) {
    static fixture f;
    const qi_model_source source = {"tiny", "tiny"};
    f = (fixture){.n_steps = 0};
    tiny_recoder(&f.recoder);
    tiny_words(&f.words);
    tiny_punctuation(&f.punctuation);
    f.model.n_classes = TINY_CLASSES;
    f.model.blank = TINY_BLANK;
    if (qi_charset_parse(tiny_charset, strlen(tiny_charset), NULL, 0, &source, &f.arena,
                         &f.model.charset, NULL) ||
        qi_recoder_parse(f.recoder.bytes, f.recoder.n, TINY_CHARACTERS, TINY_CLASSES, &source,
                         &f.arena, &f.model.recoder, NULL) ||
        qi_dawg_parse(f.words.bytes, f.words.n, "words", TINY_CHARACTERS, &source, &f.arena,
                      &f.dawgs[0], NULL) ||
        qi_dawg_parse(f.punctuation.bytes, f.punctuation.n, "punctuation", TINY_CHARACTERS, &source,
                      &f.arena, &f.dawgs[1], NULL))
        return -1;
    f.model.words = &f.dawgs[0];
    f.model.punctuation = &f.dawgs[1];
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    qi_arena_done(&f->arena);
    return 0;
}

/* Appends a step in which class `best` has probability p and class `second` the rest. */
static void put_step(fixture *f, uint32_t best, float p, uint32_t second) {
    float *to = f->p + (size_t)f->n_steps++ * TINY_CLASSES;
    memset(to, 0, TINY_CLASSES * sizeof *to);
    to[best] = p;
    to[second] += 1 - p;
}

/* Steps of class names: " abc" for themselves, 4 and 5 for the parts of U+4E00, - for the blank. */
static void put(fixture *f, const char *classes) {
    for (; *classes; classes++) {
        uint32_t c = *classes == '-'   ? TINY_BLANK
                     : *classes == ' ' ? 0
                     : *classes >= 'a' ? (uint32_t)(*classes - 'a') + 1
                                       : (uint32_t)(*classes - '0');
        put_step(f, c, 0.98f, c == TINY_BLANK ? 0 : TINY_BLANK);
    }
}

static quire_err decode(fixture *f, qi_beam *beam, qi_beam_line *ret) {
    static qi_ctc_step steps[max_steps];
    qi_ctc_f32_ref(f->p, f->n_steps, TINY_CLASSES, TINY_CLASSES, TINY_BLANK, steps);
    return qi_beam_decode(beam, steps, f->n_steps, ret);
}

/* The line's words, joined by their spaces. */
static void assert_reads(fixture *f, bool use_dictionary, const char *expected) {
    qi_beam *beam;
    assert_int_equal(qi_beam_new(&f->model, use_dictionary, &beam), QUIRE_ERR_OK);
    for (int again = 0; again < 2; again++) {
        qi_beam_line line;
        assert_int_equal(decode(f, beam, &line), QUIRE_ERR_OK);
        qi_strbuf joined = {0}, printed = {0};
        for (uint32_t i = 0; i < line.n_words; i++) {
            if (line.words[i].space_before) qi_strbuf_puts(&joined, " ");
            qi_strbuf_puts(&joined, line.text + line.words[i].text_at);
        }
        qi_beam_append_reference_text(beam, &printed);
        assert_string_equal(joined.data ? joined.data : "", expected);
        assert_string_equal(printed.data ? printed.data : "", expected);
        qi_strbuf_done(&joined);
        qi_strbuf_done(&printed);
    }
    qi_beam_free(beam);
}

static void folds_repeats_and_drops_blanks(void **state) {
    fixture *f = *state;
    put(f, "--aa-a--bbb--");
    assert_reads(f, false, "aab");
}

static void nothing_read_is_no_words(void **state) {
    fixture *f = *state;
    assert_reads(f, true, "");
    put(f, "---");
    assert_reads(f, true, "");
    put(f, " --");
    assert_reads(f, true, "");
}

static void tells_words_with_places_and_certainty(void **state) {
    fixture *f = *state;
    put(f, "-a--b- -c-");
    qi_beam *beam;
    qi_beam_line line;
    assert_int_equal(qi_beam_new(&f->model, false, &beam), QUIRE_ERR_OK);
    assert_int_equal(decode(f, beam, &line), QUIRE_ERR_OK);
    assert_int_equal(line.n_words, 2);
    assert_string_equal(line.text + line.words[0].text_at, "ab");
    assert_int_equal(line.words[0].n_chars, 2);
    assert_false(line.words[0].space_before);
    assert_true(line.words[1].space_before);
    assert_int_equal(line.n_chars, 4);
    assert_int_equal(line.chars[0].start, 0);
    assert_int_equal(line.chars[3].end, f->n_steps);
    for (uint32_t i = 1; i < line.n_chars; i++)
        assert_int_equal(line.chars[i].start, line.chars[i - 1].end);
    assert_int_equal(line.chars[1].start, 3); /* half way between a at 1 and b at 4 */
    assert_true(line.words[0].certainty <= 0 && line.words[0].certainty > -1);
    qi_beam_free(beam);
}

static void dictionary_decides_what_is_close(void **state) {
    fixture *f = *state;
    put(f, "-a-");
    put_step(f, 3, 0.55f, 2); /* c rather than b */
    put(f, "--");
    assert_reads(f, false, "ac");
    assert_reads(f, true, "ab");
}

static void dictionary_does_not_overrule_what_is_clear(void **state) {
    fixture *f = *state;
    put(f, "-a-");
    put_step(f, 3, 0.97f, 2);
    put(f, "--");
    assert_reads(f, true, "ac");
}

static void dictionary_words_are_told(void **state) {
    fixture *f = *state;
    f->model.charset.space_delimited = true;
    put(f, "-a-b--c- -b-");
    qi_beam *beam;
    qi_beam_line line;
    assert_int_equal(qi_beam_new(&f->model, true, &beam), QUIRE_ERR_OK);
    assert_int_equal(decode(f, beam, &line), QUIRE_ERR_OK);
    assert_int_equal(line.n_words, 2);
    assert_int_equal(line.words[0].kind, QI_WORD_LISTED);
    assert_int_equal(line.words[1].kind, QI_WORD_FREE);
    qi_beam_free(beam);
}

static void joins_the_parts_of_a_recoded_character(void **state) {
    fixture *f = *state;
    f->model.keeps_spaces = true;
    put(f, "-4-5--45-a-");
    assert_reads(f, false,
                 "\xE4\xB8\x80\xE4\xB8\x80"
                 "a");
    assert_reads(f, true,
                 "\xE4\xB8\x80\xE4\xB8\x80"
                 "a");
}

static void never_reads_half_a_character(void **state) {
    fixture *f = *state;
    put(f, "-a-4--b-");
    qi_beam *beam;
    qi_beam_line line;
    assert_int_equal(qi_beam_new(&f->model, false, &beam), QUIRE_ERR_OK);
    assert_int_equal(decode(f, beam, &line), QUIRE_ERR_OK);
    for (uint32_t i = 0; i < line.n_chars; i++)
        assert_int_not_equal(line.chars[i].character, 6);
    qi_beam_free(beam);
}

static void models_that_keep_spaces_write_only_those_read(void **state) {
    fixture *f = *state;
    put(f, "-45- -45-45-");
    f->model.keeps_spaces = true;
    assert_reads(f, false, "\xE4\xB8\x80 \xE4\xB8\x80\xE4\xB8\x80");
    f->model.keeps_spaces = false;
    assert_reads(f, false, "\xE4\xB8\x80 \xE4\xB8\x80 \xE4\xB8\x80");
}

static void characters_on_the_list_are_never_read(void **state) {
    fixture *f = *state;
    qi_char *chars = (qi_char *)f->model.charset.chars;
    chars[3].is_enabled = false;
    put(f, "-a-b-");
    assert_reads(f, false, "b");
}

static void sure_blanks_change_nothing_but_places(void **state) {
    fixture *f = *state;
    put(f, "-a-");
    for (int i = 0; i < 500; i++)
        put_step(f, TINY_BLANK, 0.999999f, 0);
    put(f, "-b-");
    for (int i = 0; i < 500; i++)
        put_step(f, TINY_BLANK, 0.999999f, 0);
    assert_reads(f, true, "ab");
    qi_beam *beam;
    qi_beam_line line;
    assert_int_equal(qi_beam_new(&f->model, true, &beam), QUIRE_ERR_OK);
    assert_int_equal(decode(f, beam, &line), QUIRE_ERR_OK);
    assert_int_equal(line.n_chars, 2);
    assert_true(line.chars[1].start > 240 && line.chars[1].start < 270);
    assert_int_equal(line.chars[1].end, f->n_steps);
    qi_beam_free(beam);
}

/* What a beam has decoded before leaves no trace. */
static void a_line_is_read_as_by_a_new_beam(void **state) {
    fixture *f = *state;
    qi_beam *used, *new;
    uint32_t random = 7;
    assert_int_equal(qi_beam_new(&f->model, true, &used), QUIRE_ERR_OK);
    for (int round = 0; round < 300; round++) {
        f->n_steps = 0;
        for (uint32_t i = 0; i < 5 + (uint32_t)round % 60; i++) {
            random = random * 1664525u + 1013904223u;
            put_step(f, (random >> 8) % TINY_CLASSES, 0.5f + (float)(random >> 28) / 32,
                     (random >> 16) % TINY_CLASSES);
        }
        qi_beam_line a, b;
        assert_int_equal(qi_beam_new(&f->model, true, &new), QUIRE_ERR_OK);
        assert_int_equal(decode(f, used, &a), QUIRE_ERR_OK);
        assert_int_equal(decode(f, new, &b), QUIRE_ERR_OK);
        assert_int_equal(a.n_words, b.n_words);
        assert_int_equal(a.n_chars, b.n_chars);
        for (uint32_t i = 0; i < a.n_words; i++) {
            assert_string_equal(a.text + a.words[i].text_at, b.text + b.words[i].text_at);
            assert_int_equal(a.words[i].kind, b.words[i].kind);
            assert_true(a.words[i].certainty == b.words[i].certainty);
        }
        qi_beam_free(new);
    }
    qi_beam_free(used);
}

/* A network never gives these, but a decoder that met them must end and stay within its memory. */
static void survives_any_numbers(void **state) {
    fixture *f = *state;
    f->model.charset.space_delimited = true;
    static const float strange[] = {
        0, 1, -1, 1e30f, 1e-30f, 0.5f, (float)NAN, (float)INFINITY, -(float)INFINITY};
    qi_beam *beam;
    assert_int_equal(qi_beam_new(&f->model, true, &beam), QUIRE_ERR_OK);
    uint32_t random = 1;
    f->n_steps = 100;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < 100 * TINY_CLASSES; i++) {
            random = random * 1664525u + 1013904223u;
            uint32_t n = round < 20 ? 1 : sizeof strange / sizeof *strange;
            f->p[i] = round % 2 ? strange[(random >> 16) % n] : (float)(random >> 8) / (1 << 24);
        }
        qi_beam_line line;
        assert_int_equal(decode(f, beam, &line), QUIRE_ERR_OK);
        for (uint32_t i = 0; i < line.n_words; i++)
            assert_true(line.words[i].first_char + line.words[i].n_chars <= line.n_chars);
    }
    qi_beam_free(beam);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(folds_repeats_and_drops_blanks),
        TEST(nothing_read_is_no_words),
        TEST(tells_words_with_places_and_certainty),
        TEST(dictionary_decides_what_is_close),
        TEST(dictionary_does_not_overrule_what_is_clear),
        TEST(dictionary_words_are_told),
        TEST(joins_the_parts_of_a_recoded_character),
        TEST(never_reads_half_a_character),
        TEST(models_that_keep_spaces_write_only_those_read),
        TEST(characters_on_the_list_are_never_read),
        TEST(sure_blanks_change_nothing_but_places),
        TEST(a_line_is_read_as_by_a_new_beam),
        TEST(survives_any_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
