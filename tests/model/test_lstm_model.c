/* Loading whole model files: a tiny one, the installed English one, and damaged copies of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/lstm_model.h"
#include "tiny_model.h"

static const char eng[] = "/usr/share/tesseract-ocr/5/tessdata/eng.traineddata";
static const char osd[] = "/usr/share/tesseract-ocr/5/tessdata/osd.traineddata";

/* A copy of the exact size, so that a sanitizer sees every byte read beyond it. */
static quire_err load(const void *data, size_t n, quire_diag *diag, const qi_lstm_model **ret,
                      void **ret_copy) {
    *ret_copy = malloc(n ? n : 1);
    memcpy(*ret_copy, data, n);
    return qi_lstm_model_new(*ret_copy, n, "tiny.traineddata", "tiny", ret, diag);
}

static void loads_a_whole_file(void **state) {
    for (int is_float = 0; is_float < 2; is_float++) {
        tiny_buffer b;
        tiny_file(&b, is_float, "preserve_interword_spaces 1\ntessedit_char_blacklist b\n");
        const qi_lstm_model *m;
        void *copy;
        assert_int_equal(load(b.bytes, b.n, NULL, &m, &copy), QUIRE_ERR_OK);
        assert_string_equal(m->language, "tiny");
        assert_string_equal(m->path, "tiny.traineddata");
        assert_string_equal(m->spec, "[1,4,0,1 Ct3,3,3 Lfys2 Lrx2 O1c7]");
        assert_int_equal(m->integer, !is_float);
        assert_int_equal(m->height, TINY_HEIGHT);
        assert_int_equal(m->n_classes, TINY_CLASSES);
        assert_int_equal(m->blank, TINY_BLANK);
        assert_true(m->keeps_spaces);
        assert_int_equal(m->charset.n, TINY_CHARACTERS);
        assert_false(m->charset.chars[4].is_enabled);
        assert_non_null(m->graph);
        assert_non_null(m->words);
        assert_non_null(m->punctuation);
        assert_null(m->numbers);
        assert_int_equal(strlen(m->sha256), 64);
        qi_lstm_model_free(m);
        free(copy);
    }
}

static void every_truncation_is_refused_or_loads(void **state) {
    tiny_buffer b;
    tiny_file(&b, 0, NULL);
    for (size_t n = 0; n < b.n; n++) {
        const qi_lstm_model *m;
        void *copy;
        quire_diag d = {0};
        quire_err err = load(b.bytes, n, &d, &m, &copy);
        if (!err)
            qi_lstm_model_free(m); /* only the version was cut */
        else
            assert_non_null(strstr(d.text, "tiny.traineddata"));
        assert_true(!err ? n >= b.n - 4 : err == QUIRE_ERR_MODEL_CORRUPT);
        free(copy);
    }
}

static void every_changed_byte_is_survived(void **state) {
    static const uint8_t changes[] = {0x01, 0x80, 0xFF};
    for (size_t i = 0; i < 3; i++) {
        tiny_buffer b;
        tiny_file(&b, (int)i % 2, NULL);
        for (size_t at = 0; at < b.n; at++) {
            const qi_lstm_model *m;
            void *copy;
            b.bytes[at] ^= changes[i];
            quire_err err = load(b.bytes, b.n, NULL, &m, &copy);
            b.bytes[at] ^= changes[i];
            assert_true(err == QUIRE_ERR_OK || err == QUIRE_ERR_MODEL_CORRUPT ||
                        err == QUIRE_ERR_MODEL_UNSUPPORTED || err == QUIRE_ERR_TOO_LARGE);
            if (!err) qi_lstm_model_free(m);
            free(copy);
        }
    }
}

/* The tiny file with a layer's name replaced by another of the same length or shorter. */
static quire_err load_with_layer(const char *from, const char *to, quire_diag *diag) {
    tiny_buffer b, changed;
    tiny_file(&b, 0, NULL);
    size_t n = strlen(from);
    uint8_t *at = memmem(b.bytes, b.n, from, n);
    assert_non_null(at);
    assert_int_equal(strlen(to), n);
    changed = b;
    memcpy(changed.bytes + (at - b.bytes), to, n);
    const qi_lstm_model *m;
    void *copy;
    quire_err err = load(changed.bytes, changed.n, diag, &m, &copy);
    free(copy);
    return err;
}

static void networks_not_supported_are_named(void **state) {
    quire_diag d;
    assert_int_equal(load_with_layer("RTLReversed", "LSTMSoftmax", &d),
                     QUIRE_ERR_MODEL_UNSUPPORTED);
    assert_non_null(strstr(d.text, "LSTMSoftmax"));
    assert_int_equal(load_with_layer("XYTranspose", "XYTransposf", &d), QUIRE_ERR_MODEL_CORRUPT);
}

/* Without a re-coder class i is character i, and only the blank may come after the last one. */
static void models_without_recoder_fit_their_characters(void **state) {
    tiny_buffer b;
    tiny_file(&b, 0, NULL);
    const char spec[] = "O1c7]";
    uint8_t *flags = (uint8_t *)memmem(b.bytes, b.n, spec, strlen(spec)) + strlen(spec);
    *flags &= (uint8_t)~64; /* no re-coder */
    const qi_lstm_model *m;
    void *copy;
    assert_int_equal(load(b.bytes, b.n, NULL, &m, &copy), QUIRE_ERR_OK);
    assert_int_equal(qi_recoder_find(&m->recoder, 0, 3)->character, 3);
    assert_int_equal(m->recoder.max_length, 1);
    qi_lstm_model_free(m);
    free(copy);
    uint8_t *count = memmem(b.bytes, b.n, "7\nNULL", 6);
    *count = '6'; /* seven classes for six characters; the blank is the last class */
    assert_int_equal(load(b.bytes, b.n, NULL, &m, &copy), QUIRE_ERR_OK);
    qi_lstm_model_free(m);
    free(copy);
    *count = '5';
    assert_int_equal(load(b.bytes, b.n, NULL, &m, &copy), QUIRE_ERR_MODEL_CORRUPT);
    free(copy);
    *count = '6';
    flags[12] = 2; /* the blank is another class */
    assert_int_equal(load(b.bytes, b.n, NULL, &m, &copy), QUIRE_ERR_MODEL_CORRUPT);
    free(copy);
}

static void missing_files_name_the_package(void **state) {
    const qi_lstm_model *m;
    quire_diag d;
    assert_int_equal(qi_lstm_model_open("/nowhere/chi_sim.traineddata", "chi_sim", &m, &d),
                     QUIRE_ERR_MODEL_MISSING);
    assert_non_null(strstr(d.text, "/nowhere/chi_sim.traineddata"));
    assert_non_null(strstr(d.text, "apt-get install tesseract-ocr-chi-sim"));
    assert_int_equal(qi_lstm_model_open("/usr", "eng", &m, &d), QUIRE_ERR_IO);
    char empty[] = P_tmpdir "/quire-test-XXXXXX";
    close(mkstemp(empty));
    assert_int_equal(qi_lstm_model_open(empty, "eng", &m, &d), QUIRE_ERR_MODEL_CORRUPT);
    unlink(empty);
}

static void legacy_models_are_refused(void **state) {
    if (access(osd, R_OK)) {
        print_message("skipped: package tesseract-ocr-osd is not installed\n");
        return;
    }
    const qi_lstm_model *m;
    quire_diag d;
    assert_int_equal(qi_lstm_model_open(osd, "osd", &m, &d), QUIRE_ERR_MODEL_UNSUPPORTED);
    assert_non_null(strstr(d.text, "legacy"));
}

static bool find_word(const qi_lstm_model *m, const char *word) {
    int32_t at = QI_DAWG_NONE;
    for (; *word; word++) {
        uint32_t c = 0;
        while (c < m->charset.n &&
               !(m->charset.chars[c].text_bytes == 1 && *qi_charset_text(&m->charset, c) == *word))
            c++;
        at = qi_dawg_find(m->words, at, c);
        if (at < 0) return false;
    }
    return qi_dawg_ends_word(m->words, at);
}

static void reads_the_installed_model(void **state) {
    const qi_lstm_model *m;
    assert_int_equal(qi_lstm_model_open(eng, "eng", &m, NULL), QUIRE_ERR_OK);
    assert_string_equal(m->spec, "[1,36,0,1Ct3,3,16Mp3,3Lfys48Lfx96Lrx96Lfx192O1c1]");
    assert_true(m->integer);
    assert_int_equal(m->height, 36);
    assert_int_equal(m->n_classes, 111);
    assert_int_equal(m->blank, 110);
    assert_int_equal(m->charset.n, 112);
    assert_false(m->keeps_spaces);
    assert_true(m->charset.space_delimited);
    assert_false(m->charset.right_to_left);
    assert_true(find_word(m, "house"));
    assert_true(find_word(m, "houses"));
    assert_false(find_word(m, "housesx"));
    qi_lstm_model_free(m);
}

/* Cut short and changed at many places: an error or a model, soon. */
static void damaged_installed_model_is_survived(void **state) {
    FILE *f = fopen(eng, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(n);
    assert_int_equal(fread(data, 1, n, f), n);
    fclose(f);
    const qi_lstm_model *m;
    quire_diag d;
    size_t dense = 450000; /* everything but the dictionaries ends here or starts in the tail */
    for (size_t i = 0; i < 400; i++) {
        size_t at = i < 100 ? i * 7 : i < 300 ? dense * (i - 100) / 200 : n - 1 - (i - 300) * 80;
        uint64_t start = qi_clock_ns();
        uint8_t *copy = malloc(at ? at : 1);
        memcpy(copy, data, at);
        if (!qi_lstm_model_new(copy, at, "eng", "eng", &m, &d)) qi_lstm_model_free(m);
        free(copy);
        uint8_t was = data[at];
        data[at] ^= (uint8_t)(1 + i * 37);
        if (!qi_lstm_model_new(data, n, "eng", "eng", &m, &d)) qi_lstm_model_free(m);
        data[at] = was;
        assert_true(qi_clock_ns() - start < 5000000000u);
    }
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_a_whole_file),
        cmocka_unit_test(every_truncation_is_refused_or_loads),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(networks_not_supported_are_named),
        cmocka_unit_test(models_without_recoder_fit_their_characters),
        cmocka_unit_test(missing_files_name_the_package),
        cmocka_unit_test(legacy_models_are_refused),
        cmocka_unit_test(reads_the_installed_model),
        cmocka_unit_test(damaged_installed_model_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
