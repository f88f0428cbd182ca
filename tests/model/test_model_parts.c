/* Characters, re-coder and dictionaries, each from its bytes: what they say, and that damage is
 * named and never followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/charset.h"
#include "model/dawg.h"
#include "model/recoder.h"
#include "tiny_model.h"

static const qi_model_source source = {"tiny.traineddata", "tin_y"};

static void container_finds_its_components(void **state) {
    tiny_buffer b;
    tiny_file(&b, 0, NULL);
    qi_traineddata t;
    assert_int_equal(qi_traineddata_parse(b.bytes, b.n, &source, &t, NULL), QUIRE_ERR_OK);
    assert_null(t.part[QI_PART_CONFIG].data);
    assert_int_equal(t.part[QI_PART_CHARSET].n, strlen(tiny_charset));
    assert_memory_equal(t.part[QI_PART_CHARSET].data, tiny_charset, strlen(tiny_charset));
    assert_int_equal(t.part[QI_PART_VERSION].n, 4);
}

static void damage_names_file_place_and_package(void **state) {
    tiny_buffer b;
    tiny_file(&b, 0, NULL);
    int64_t outside = 1 << 20;
    memcpy(b.bytes + 4 + 17 * sizeof outside, &outside, sizeof outside);
    qi_traineddata t;
    quire_diag d;
    assert_int_equal(qi_traineddata_parse(b.bytes, b.n, &source, &t, &d), QUIRE_ERR_MODEL_CORRUPT);
    assert_non_null(strstr(d.text, "tiny.traineddata"));
    assert_non_null(strstr(d.text, "component 17"));
    assert_non_null(strstr(d.text, "tesseract-ocr-tin-y"));
    for (size_t n = 0; n < 4 + 24 * 8; n++)
        assert_int_equal(qi_traineddata_parse(b.bytes, n, &source, &t, &d),
                         QUIRE_ERR_MODEL_CORRUPT);
}

static quire_err parse_charset(const char *text, const char *never, qi_arena *arena,
                               qi_charset *ret) {
    /* A copy of the exact size, so that a sanitizer sees every byte read beyond it. */
    size_t n = strlen(text);
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    quire_err err = qi_charset_parse(copy, n, never, strlen(never), &source, arena, ret, NULL);
    free(copy);
    return err;
}

static void charset_tells_text_and_properties(void **state) {
    qi_arena arena = {0};
    qi_charset c;
    assert_int_equal(parse_charset(tiny_charset, "", &arena, &c), QUIRE_ERR_OK);
    assert_int_equal(c.n, TINY_CHARACTERS);
    assert_string_equal(qi_charset_text(&c, QI_CHAR_SPACE), " ");
    assert_string_equal(qi_charset_text(&c, 3), "a");
    assert_string_equal(qi_charset_text(&c, 6), "\xE4\xB8\x80");
    assert_int_equal(c.chars[5].direction, QI_DIRECTION_NEUTRAL);
    assert_true(c.chars[3].is_spaced);
    assert_false(c.chars[6].is_spaced);
    assert_false(c.space_delimited);
    assert_false(c.right_to_left);
    qi_arena_done(&arena);
}

static void charset_knows_digits_and_scripts_from_the_right(void **state) {
    qi_arena arena = {0};
    qi_charset c;
    const char *text = "4\nNULL 0 Common 0\n7 8 0,255,0,255,0,0,0,0,0,0 Common 1 2 1 7\n"
                       "\xD8\xB0 1 0,255,0,255,0,0,0,0,0,0 Arabic 2 13 2 x\n"
                       "\xD9\x83 1 0,255,0,255,0,0,0,0,0,0 Arabic 3 13 3 x";
    assert_int_equal(parse_charset(text, "\xD8\xB0", &arena, &c), QUIRE_ERR_OK);
    assert_true(c.chars[1].is_digit);
    assert_false(c.chars[2].is_digit);
    assert_true(c.right_to_left);
    assert_true(c.space_delimited);
    assert_false(c.chars[2].is_enabled); /* it is on the list of those never read */
    assert_true(c.chars[3].is_enabled);
    qi_arena_done(&arena);
}

static void charset_refuses_damage(void **state) {
    static const char *const bad[] = {
        "",
        "x\nNULL 0 Common 0\n",
        "99999999\nNULL 0 Common 0\n",
        "2\nNULL 0 Common 0\n",
        "2\nNULL 0 Common 0\n\xFF\xFE 1 Latin 0\n",
        "2\nNULL 0 Common 0\na xyz Latin 0\n",
        "2\na 1 Common 0\nb 1 Common 0\n",
        "2\nNULL 0 Common 0\na 1 0,255,0,255 Latin 1 77 0\n",
        "2\nNULL 0 Common 0\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 Latin 0\n",
    };
    qi_arena arena = {0};
    qi_charset c;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse_charset(bad[i], "", &arena, &c), QUIRE_ERR_MODEL_CORRUPT);
    qi_arena_done(&arena);
}

static void recoder_walks_sequences(void **state) {
    qi_arena arena = {0};
    tiny_buffer b = {.n = 0};
    tiny_recoder(&b);
    qi_recoder r;
    assert_int_equal(
        qi_recoder_parse(b.bytes, b.n, TINY_CHARACTERS, TINY_CLASSES, &source, &arena, &r, NULL),
        QUIRE_ERR_OK);
    assert_int_equal(r.max_length, 2);
    assert_int_equal(qi_recoder_find(&r, 0, 1)->character, 3);
    /* Two characters with the blank's class: the last counts. */
    assert_int_equal(qi_recoder_find(&r, 0, TINY_BLANK)->character, 2);
    const qi_recoder_edge *e = qi_recoder_find(&r, 0, 4);
    assert_int_equal(e->character, -1);
    assert_true(e->next > 0);
    assert_int_equal(qi_recoder_find(&r, (uint32_t)e->next, 5)->character, 6);
    assert_null(qi_recoder_find(&r, (uint32_t)e->next, 4));
    assert_null(qi_recoder_find(&r, 0, 5));
    qi_arena_done(&arena);
}

static void recoder_refuses_damage(void **state) {
    qi_arena arena = {0};
    tiny_buffer b = {.n = 0};
    tiny_recoder(&b);
    qi_recoder r;
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, b.bytes, n);
        assert_int_equal(
            qi_recoder_parse(copy, n, TINY_CHARACTERS, TINY_CLASSES, &source, &arena, &r, NULL),
            QUIRE_ERR_MODEL_CORRUPT);
        free(copy);
    }
    /* More entries than characters, and classes the network does not have. */
    assert_int_equal(qi_recoder_parse(b.bytes, b.n, TINY_CHARACTERS - 1, TINY_CLASSES, &source,
                                      &arena, &r, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    assert_int_equal(qi_recoder_parse(b.bytes, b.n, TINY_CHARACTERS, TINY_CLASSES - 1, &source,
                                      &arena, &r, NULL),
                     QUIRE_ERR_MODEL_CORRUPT);
    qi_arena_done(&arena);
}

static quire_err parse_words(tiny_buffer *b, qi_arena *arena, qi_dawg *ret) {
    return qi_dawg_parse(b->bytes, b->n, "dictionary of words", TINY_CHARACTERS, &source, arena,
                         ret, NULL);
}

static void dawg_finds_words_and_no_others(void **state) {
    qi_arena arena = {0};
    tiny_buffer b = {.n = 0};
    tiny_words(&b);
    qi_dawg d;
    assert_int_equal(parse_words(&b, &arena, &d), QUIRE_ERR_OK);
    int32_t at = qi_dawg_find(&d, QI_DAWG_NONE, 3);
    assert_true(at >= 0);
    assert_false(qi_dawg_ends_word(&d, at));
    assert_int_equal(qi_dawg_find(&d, at, 3), QI_DAWG_NONE);
    at = qi_dawg_find(&d, at, 4);
    assert_true(qi_dawg_ends_word(&d, at)); /* ab */
    at = qi_dawg_find(&d, at, 5);
    assert_true(qi_dawg_ends_word(&d, at)); /* abc */
    assert_int_equal(qi_dawg_find(&d, at, 3), QI_DAWG_NONE);
    assert_int_equal(qi_dawg_find(&d, QI_DAWG_NONE, 4), QI_DAWG_NONE);
    assert_int_equal(qi_dawg_find(&d, QI_DAWG_NONE, 1000), QI_DAWG_NONE);
    qi_arena_done(&arena);
}

static void dawg_stays_inside_whatever_its_edges_say(void **state) {
    tiny_buffer whole = {.n = 0};
    tiny_words(&whole);
    for (size_t i = 0; i < whole.n * 8; i++) {
        tiny_buffer b = whole;
        b.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        uint8_t *copy = malloc(b.n);
        memcpy(copy, b.bytes, b.n);
        qi_arena arena = {0};
        qi_dawg d;
        if (!qi_dawg_parse(copy, b.n, "x", TINY_CHARACTERS, &source, &arena, &d, NULL))
            for (int32_t e = -1; e < (int32_t)d.n_edges; e++)
                for (uint32_t c = 0; c < TINY_CHARACTERS; c++) {
                    int32_t to = qi_dawg_find(&d, e, c);
                    assert_true(to >= -1 && to < (int32_t)d.n_edges);
                }
        qi_arena_done(&arena);
        free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_finds_its_components),
        cmocka_unit_test(damage_names_file_place_and_package),
        cmocka_unit_test(charset_tells_text_and_properties),
        cmocka_unit_test(charset_knows_digits_and_scripts_from_the_right),
        cmocka_unit_test(charset_refuses_damage),
        cmocka_unit_test(recoder_walks_sequences),
        cmocka_unit_test(recoder_refuses_damage),
        cmocka_unit_test(dawg_finds_words_and_no_others),
        cmocka_unit_test(dawg_stays_inside_whatever_its_edges_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
