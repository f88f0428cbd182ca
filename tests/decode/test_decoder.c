/* The client against helpers that die, hang and lie, and against the real one: every call returns
 * an error or a result within its time, and the decoder goes on with the next document.
 * FALSE_HELPER and QUIRE_DECODE name the programs. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "decode/sanitized.h"
#include "decoding.h"

/* RGB pixels of w × h; the caller frees them. */
static uint8_t *colours(uint32_t w, uint32_t h, size_t stride) {
    uint8_t *rgb = calloc(h, stride);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w * 3; x++)
            rgb[y * stride + x] = (uint8_t)(x * x * 31 + y * 7);
    return rgb;
}

static quire_err encode(qi_decoder *d, uint32_t w, uint32_t h, qi_encoded *ret, quire_diag *diag) {
    size_t stride = (size_t)w * 3 + 5;
    uint8_t *rgb = colours(w, h, stride);
    quire_err e = qi_decoder_encode_png(d, rgb, w, h, stride, "picture", NULL, ret, diag);
    free(rgb);
    return e;
}

static void lies_are_refused(void **state) {
    static const char *const words[] = {
        "exit", "crash", "short",     "long",   "none",     "kind", "version",
        "text", "error", "cancelled", "format", "no-pages", "heif", "close",
        "wide", "flat",  "over",      "nan",    "bytes",
    };
    qi_decoder *d = decoder_new("FALSE_HELPER");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        quire_diag diag = {0};
        qi_decoded page;
        int fd = document(words[i], strlen(words[i]));
        quire_err e = decode(d, fd, 0, NULL, &page, &diag);
        if (e != QUIRE_ERR_HELPER) print_error("%s: %s\n", words[i], diag.text);
        assert_int_equal(e, QUIRE_ERR_HELPER);
        assert_non_null(strstr(diag.text, "doc: "));
        close(fd);
        fd = document("fine", 4);
        assert_int_equal(decode(d, fd, 2, NULL, &page, &diag), QUIRE_ERR_OK);
        qi_decoded_done(&page);
        close(fd);
    }
    qi_decoder_free(d);
    assert_false(has_children());
}

static void lies_about_a_png_are_refused(void **state) {
    static const char *const words[] = {"crash-png", "no-png", "long-png"};
    qi_decoder *d = decoder_new("FALSE_HELPER");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        quire_diag diag;
        qi_document_info info;
        qi_encoded png;
        int fd = document(words[i], strlen(words[i]));
        assert_int_equal(qi_decoder_open(d, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
        assert_int_equal(encode(d, 20, 10, &png, &diag), QUIRE_ERR_HELPER);
        assert_non_null(strstr(diag.text, "picture: "));
        close(fd);
        /* A new helper is there for what is still open. */
        qi_decoded page;
        assert_int_equal(qi_decoder_page(d, 0, NULL, &page, &diag), QUIRE_ERR_OK);
        qi_decoded_done(&page);
    }
    qi_decoder_free(d);
    assert_false(has_children());
}

/* What the helper encodes it decodes to the same pixels, in any size, while a document is open. */
static void pixels_become_a_png(void **state) {
    static const uint32_t sizes[][2] = {{1, 1}, {21, 1}, {1, 40}, {64, 50}, {1031, 333}};
    qi_decoder *d = decoder_new("QUIRE_DECODE"), *other = decoder_new("QUIRE_DECODE");
    quire_diag diag;
    qi_document_info info;
    int open_one = greymap(100, 50, 3);
    assert_int_equal(qi_decoder_open(d, open_one, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t w = sizes[i][0], h = sizes[i][1];
        qi_encoded png;
        qi_decoded page;
        assert_int_equal(encode(d, w, h, &png, &diag), QUIRE_ERR_OK);
        int fd = document(png.bytes, png.n_bytes);
        qi_encoded_done(&png);
        assert_int_equal(decode(other, fd, 0, NULL, &page, &diag), QUIRE_ERR_OK);
        close(fd);
        assert_int_equal(page.grey.width, w);
        assert_int_equal(page.grey.height, h);
        uint8_t *rgb = colours(w, h, (size_t)w * 3);
        for (uint32_t y = 0; y < h; y++)
            for (uint32_t x = 0; x < w; x++) {
                const uint8_t *c = rgb + ((size_t)y * w + x) * 3;
                double luma = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
                assert_true(abs(qi_grey_row(&page.grey, y)[x] - (int)(luma + 0.5)) <= 1);
            }
        free(rgb);
        qi_decoded_done(&page);
    }
    qi_decoded still;
    assert_int_equal(qi_decoder_page(d, 0, NULL, &still, &diag), QUIRE_ERR_OK);
    assert_int_equal(qi_grey_row(&still.grey, 2)[7], 7 + 6 + 3);
    qi_decoded_done(&still);
    close(open_one);
    qi_decoder_free(other);
    qi_decoder_free(d);
}

static void pictures_that_cannot_be(void **state) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_encoded png;
    quire_diag diag;
    uint8_t rgb[3] = {0};
    const struct {
        uint32_t w, h;
        size_t stride;
    } sizes[] = {{0, 1, 3}, {1, 0, 3}, {1, 1, 2}, {0x80000000u, 1, SIZE_MAX / 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(qi_decoder_encode_png(d, rgb, sizes[i].w, sizes[i].h, sizes[i].stride,
                                               "picture", NULL, &png, &diag),
                         QUIRE_ERR_USAGE);
    qi_decoder_free(d);
}

/* other-image: no WebP, but what was there before. */
static void lies_about_an_image_are_refused(void **state) {
    static const char *const words[] = {"crash-image", "no-image", "long-image", "other-image"};
    qi_decoder *d = decoder_new("FALSE_HELPER");
    qi_decoder_want_image(d, 1000);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        quire_diag diag;
        qi_decoded page;
        qi_image_file image;
        int fd = document(words[i], strlen(words[i]));
        assert_int_equal(decode(d, fd, 0, NULL, &page, &diag), QUIRE_ERR_OK);
        close(fd);
        assert_int_equal(qi_decoder_image(d, &page, NULL, &image, &diag), QUIRE_ERR_HELPER);
        qi_decoded_done(&page);
        assert_int_equal(qi_decoder_page(d, 1, NULL, &page, &diag), QUIRE_ERR_OK);
        qi_decoded_done(&page);
    }
    qi_decoder_free(d);
    assert_false(has_children());
}

/* The image, of at most max_px, of the first page. */
static qi_image_file image_of(qi_decoder *d, int fd, uint32_t max_px) {
    quire_diag diag;
    qi_decoded page;
    qi_image_file image = {0};
    qi_decoder_want_image(d, max_px);
    assert_int_equal(decode(d, fd, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    quire_err e = qi_decoder_image(d, &page, NULL, &image, &diag);
    if (e) print_message("%s\n", diag.text);
    assert_int_equal(e, QUIRE_ERR_OK);
    qi_decoded_done(&page);
    return image;
}

/* Pixels of noise, which no coder shortens much. */
static int noise(uint32_t w, uint32_t h) {
    char *bytes = malloc((size_t)w * h + 64);
    int at = sprintf(bytes, "P5 %u %u 255\n", w, h);
    uint32_t x = 1;
    for (size_t i = 0; i < (size_t)w * h; i++)
        bytes[(size_t)at + i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    int fd = document(bytes, (size_t)at + (size_t)w * h);
    free(bytes);
    return fd;
}

static void check_size(qi_decoder *d, const qi_image_file *image, uint32_t w, uint32_t h) {
    qi_decoded page;
    quire_diag diag;
    qi_document_info info;
    assert_int_equal(image->width_px, w);
    assert_int_equal(image->height_px, h);
    int fd = document(image->bytes, image->n_bytes);
    assert_int_equal(qi_decoder_open(d, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
    assert_string_equal(info.media_type, "image/webp");
    assert_int_equal(qi_decoder_page(d, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    assert_int_equal(page.grey.width, w);
    assert_int_equal(page.grey.height, h);
    qi_decoded_done(&page);
    close(fd);
}

static void pages_become_images(void **state) {
    static const struct {
        uint32_t w, h, max_px, image_w, image_h;
    } sizes[] = {
        {1, 1, 16383, 1, 1},
        {101, 67, UINT32_MAX, 101, 67},
        {101, 67, 50, 34, 23},
        {101, 67, 1, 1, 1},
        {16383, 3, 16383, 16383, 3},
        {16384, 3, UINT32_MAX, 8192, 2},
        {3, 40000, 16383, 1, 13334},
        {1200, 900, 1199, 600, 450},
        {2600, 2000, 16383, 2600, 2000},
    };
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int noisy = 0; noisy < 2; noisy++) {
            int fd = noisy ? noise(sizes[i].w, sizes[i].h) : greymap(sizes[i].w, sizes[i].h, 0);
            qi_image_file image = image_of(d, fd, sizes[i].max_px);
            close(fd);
            check_size(d, &image, sizes[i].image_w, sizes[i].image_h);
            qi_image_file_done(&image);
        }
    qi_decoder_free(d);
}

static void pages_too_long_have_no_image(void **state) {
    const uint32_t longest = 16383u * 4096u;
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_decoder_want_image(d, 16383);
    for (uint32_t more = 0; more < 2; more++) {
        char head[64];
        quire_diag diag;
        qi_document_info info;
        qi_page_info page;
        snprintf(head, sizeof head, "P5 %u 1 255\n", longest + more);
        int fd = document(head, strlen(head));
        assert_int_equal(ftruncate(fd, (off_t)(strlen(head) + longest + more)), 0);
        assert_int_equal(qi_decoder_open(d, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
        assert_int_equal(qi_decoder_page_info(d, 0, NULL, &page, &diag), QUIRE_ERR_OK);
        assert_int_equal(page.image_room_bytes > 0, more == 0);
        close(fd);
    }
    qi_decoder_free(d);
}

static void chatter_and_descriptors_do_no_harm(void **state) {
    static const char *const words[] = {"chatty", "descriptor"};
    qi_decoder *d = decoder_new("FALSE_HELPER");
    int before = dup(0);
    for (int i = 0; i < 10; i++) {
        quire_diag diag;
        qi_decoded page;
        int fd = document(words[i % 2], strlen(words[i % 2]));
        if (!decode(d, fd, 0, NULL, &page, &diag)) qi_decoded_done(&page);
        close(fd);
    }
    qi_decoder_free(d);
    close(before);
    int after = dup(0);
    assert_int_equal(after, before);
    close(after);
}

static void text_is_made_printable(void **state) {
    qi_decoder *d = decoder_new("FALSE_HELPER");
    qi_document_info info;
    quire_diag diag;
    int fd = document("escape", 6);
    assert_int_equal(qi_decoder_open(d, fd, "a\nb", NULL, NULL, &info, &diag), QUIRE_ERR_CORRUPT);
    assert_string_equal(diag.text, "a\\x0Ab: evil \\x1B[2J\\xFF\\x0A");
    close(fd);
    qi_decoder_free(d);
}

static void hanging_ends_at_the_deadline(void **state) {
    static const char *const words[] = {"hang", "hang-later", "spin"};
    qi_decoder *d = decoder_new("FALSE_HELPER");
    for (size_t i = 0; i < 3; i++) {
        qi_decoded page;
        quire_diag diag;
        int fd = document(words[i], strlen(words[i]));
        uint64_t start = qi_clock_ns();
        qi_deadline deadline = {.at_ns = start + 200000000};
        assert_int_equal(decode(d, fd, 0, &deadline, &page, &diag), QUIRE_ERR_TIMEOUT);
        assert_true(qi_clock_ns() - start < 2000000000u);
        assert_non_null(strstr(diag.text, "doc: "));
        assert_non_null(strstr(diag.text, "--timeout"));
        assert_false(has_children());
        close(fd);
    }
    qi_decoder_free(d);
}

static void *cancel_soon(void *flag) {
    usleep(100000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void cancelling_is_noticed(void **state) {
    qi_decoder *d = decoder_new("FALSE_HELPER");
    atomic_bool flag = false;
    qi_deadline deadline = {.cancel = &flag};
    pthread_t thread;
    qi_decoded page;
    quire_diag diag;
    int fd = document("hang", 4);
    uint64_t start = qi_clock_ns();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &flag), 0);
    assert_int_equal(decode(d, fd, 0, &deadline, &page, &diag), QUIRE_ERR_CANCELLED);
    assert_true(qi_clock_ns() - start < 1000000000u);
    pthread_join(thread, NULL);
    close(fd);
    qi_decoder_free(d);
}

static void a_page_that_kills_costs_only_itself(void **state) {
    qi_decoder *d = decoder_new("FALSE_HELPER");
    qi_document_info info;
    qi_decoded page;
    quire_diag diag;
    int fd = document("crash-at-2", 10);
    assert_int_equal(qi_decoder_open(d, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
    close(fd);
    for (uint32_t i = 0; i < 3; i++) {
        quire_err e = qi_decoder_page(d, i, NULL, &page, &diag);
        assert_int_equal(e, i == 1 ? QUIRE_ERR_HELPER : QUIRE_ERR_OK);
        if (!e) qi_decoded_done(&page);
    }
    assert_int_equal(qi_decoder_page(d, 3, NULL, &page, &diag), QUIRE_ERR_USAGE);
    qi_decoder_free(d);
}

static void real_helper_is_confined(void **state) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_confinement c;
    quire_diag diag;
    assert_int_equal(qi_decoder_start(d, QI_HELPER_IMAGES, &c, &diag), QUIRE_ERR_OK);
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", helper_pid());
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int seccomp = -1, no_new_privs = -1;
    while (fgets(line, sizeof line, f)) {
        sscanf(line, "Seccomp: %d", &seccomp);
        sscanf(line, "NoNewPrivs: %d", &no_new_privs);
    }
    fclose(f);
    assert_int_equal(seccomp, c.seccomp ? 2 : 0);
    assert_int_equal(no_new_privs, 1);
    qi_decoder_free(d);
}

static void killed_between_documents(void **state) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    for (uint8_t i = 0; i < 3; i++) {
        check_greymap(d, 100, 50, i);
        kill(helper_pid(), SIGKILL);
        usleep(i * 20000u); /* also while it is still dying */
    }
    check_greymap(d, 100, 50, 9);
    qi_decoder_free(d);
    assert_false(has_children());
}

static void *kill_soon(void *delay_us) {
    usleep(*(unsigned *)delay_us);
    kill(helper_pid(), SIGKILL);
    return NULL;
}

/* A plain bitmap of digits takes long enough to be hit while it is decoded. */
static void killed_mid_page(void **state) {
    enum { SIDE = 6000 };
    char *bytes = malloc(SIDE * SIDE * 2 + 100);
    int at = sprintf(bytes, "P1 %d %d\n", SIDE, SIDE);
    memset(bytes + at, '1', SIDE * SIDE);
    int fd = document(bytes, (size_t)at + SIDE * SIDE);
    free(bytes);
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_document_info info;
    qi_page_info page;
    qi_decoded decoded;
    quire_diag diag;
    assert_int_equal(qi_decoder_open(d, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
    assert_int_equal(qi_decoder_page_info(d, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    unsigned delay_us = 10000;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, kill_soon, &delay_us), 0);
    assert_int_equal(qi_decoder_page(d, 0, NULL, &decoded, &diag), QUIRE_ERR_HELPER);
    pthread_join(thread, NULL);
    assert_non_null(strstr(diag.text, "doc: the decoding helper was killed (signal 9)"));
    assert_int_equal(qi_decoder_page(d, 0, NULL, &decoded, &diag), QUIRE_ERR_OK);
    qi_decoded_done(&decoded);
    close(fd);
    check_greymap(d, 100, 50, 1);
    qi_decoder_free(d);
}

/* The file is cut short after it was measured. */
static void shrinking_file(void **state) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_document_info info;
    qi_page_info page;
    qi_decoded decoded;
    quire_diag diag;
    int fd = greymap(1000, 1000, 0);
    assert_int_equal(qi_decoder_open(d, fd, "doc", NULL, NULL, &info, &diag), QUIRE_ERR_OK);
    assert_int_equal(qi_decoder_page_info(d, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    assert_int_equal(ftruncate(fd, 100), 0);
    quire_err e = qi_decoder_page(d, 0, NULL, &decoded, &diag);
    /* A sanitizer's run-time takes the signal for itself. */
    assert_int_equal(e, QI_SANITIZED ? QUIRE_ERR_HELPER : QUIRE_ERR_IO);
    if (!QI_SANITIZED) assert_non_null(strstr(diag.text, "doc: the file became shorter"));
    close(fd);
    check_greymap(d, 100, 50, 1);
    qi_decoder_free(d);
}

static void terminal_signals_are_the_parents(void **state) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    check_greymap(d, 100, 50, 1);
    pid_t pid = helper_pid();
    assert_int_equal(getpgid(pid), pid);
    kill(pid, SIGINT);
    kill(pid, SIGTERM);
    kill(pid, SIGHUP);
    usleep(20000);
    check_greymap(d, 100, 50, 2);
    assert_int_equal(helper_pid(), pid);
    qi_decoder_free(d);
}

static void helper_dies_with_its_parent(void **state) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        qi_decoder *d = decoder_new("QUIRE_DECODE");
        check_greymap(d, 100, 50, 1);
        pid_t pid = helper_pid();
        if (write(fds[1], &pid, sizeof pid) != sizeof pid) _exit(1);
        pause();
    }
    pid_t helper;
    assert_int_equal(read(fds[0], &helper, sizeof helper), sizeof helper);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(is_gone(helper));
    close(fds[0]);
    close(fds[1]);
}

static void pages_outlive_the_decoder(void **state) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_decoded pages[5];
    quire_diag diag;
    for (uint8_t i = 0; i < 5; i++) {
        int fd = greymap(300, 200, i);
        assert_int_equal(decode(d, fd, 0, NULL, &pages[i], &diag), QUIRE_ERR_OK);
        close(fd);
    }
    qi_decoder_free(d);
    for (uint8_t i = 0; i < 5; i++) {
        assert_int_equal(qi_grey_row(&pages[i].grey, 2)[7], 7 + 6 + i);
        qi_decoded_done(&pages[i]);
    }
}

static void *decode_many(void *seed) {
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    for (uint8_t i = 0; i < 20; i++)
        check_greymap(d, 50u + i * 13u, 40u + i * 5u, (uint8_t)(i + *(uint8_t *)seed));
    qi_decoder_free(d);
    return NULL;
}

static void many_decoders_at_once(void **state) {
    pthread_t threads[6];
    uint8_t seeds[6] = {1, 2, 3, 4, 5, 6};
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decode_many, &seeds[i]), 0);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_false(has_children());
}

/* The helper is started with few descriptors; it must work also where standard ones are closed. */
static void standard_descriptors_closed(void **state) {
    pid_t child = fork();
    if (child == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        qi_decoder *d = decoder_new("QUIRE_DECODE");
        check_greymap(d, 100, 50, 1);
        qi_decoder_free(d);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void no_helper(void **state) {
    const qi_decoder_limits limits = {.max_pixels = 1};
    qi_decoder *d;
    quire_diag diag;
    assert_int_equal(qi_decoder_new("/nowhere/quire-decode", &limits, &d, &diag),
                     QUIRE_ERR_MISSING);
    assert_non_null(strstr(diag.text, "/nowhere/quire-decode"));
    assert_non_null(strstr(diag.text, "QUIRE_DECODE"));
}

static void slow_pipe(void **state) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    qi_decoder *d = decoder_new("QUIRE_DECODE");
    qi_document_info info;
    quire_diag diag;
    qi_deadline deadline = {.at_ns = qi_clock_ns() + 150000000};
    assert_int_equal(qi_decoder_open(d, fds[0], "doc", NULL, &deadline, &info, &diag),
                     QUIRE_ERR_TIMEOUT);
    close(fds[1]);
    assert_int_equal(qi_decoder_open(d, fds[0], "doc", NULL, NULL, &info, &diag), QUIRE_ERR_EMPTY);
    close(fds[0]);
    qi_decoder_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(lies_about_a_png_are_refused),
        cmocka_unit_test(pixels_become_a_png),
        cmocka_unit_test(pictures_that_cannot_be),
        cmocka_unit_test(lies_about_an_image_are_refused),
        cmocka_unit_test(pages_become_images),
        cmocka_unit_test(pages_too_long_have_no_image),
        cmocka_unit_test(chatter_and_descriptors_do_no_harm),
        cmocka_unit_test(text_is_made_printable),
        cmocka_unit_test(hanging_ends_at_the_deadline),
        cmocka_unit_test(cancelling_is_noticed),
        cmocka_unit_test(a_page_that_kills_costs_only_itself),
        cmocka_unit_test(real_helper_is_confined),
        cmocka_unit_test(killed_between_documents),
        cmocka_unit_test(killed_mid_page),
        cmocka_unit_test(shrinking_file),
        cmocka_unit_test(terminal_signals_are_the_parents),
        cmocka_unit_test(helper_dies_with_its_parent),
        cmocka_unit_test(pages_outlive_the_decoder),
        cmocka_unit_test(many_decoders_at_once),
        cmocka_unit_test(standard_descriptors_closed),
        cmocka_unit_test(no_helper),
        cmocka_unit_test(slow_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
