/* See decoding.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "decoding.h"

static const qi_decoder_limits limits = {.max_pixels = 100000000};

qi_decoder *decoder_new(const char *variable) {
    qi_decoder *d;
    quire_diag diag;
    assert_int_equal(qi_decoder_new(getenv(variable), &limits, &d, &diag), QUIRE_ERR_OK);
    return d;
}

int document(const void *bytes, size_t n) {
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, 0), n);
    return fd;
}

int greymap(uint32_t w, uint32_t h, uint8_t seed) {
    char *bytes = malloc((size_t)w * h + 64);
    int at = sprintf(bytes, "P5 %u %u 255\n", w, h);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++)
            bytes[(size_t)at + (size_t)y * w + x] = (char)(x + y * 3 + seed);
    int fd = document(bytes, (size_t)at + (size_t)w * h);
    free(bytes);
    return fd;
}

quire_err decode(qi_decoder *d, int fd, uint32_t page, const qi_deadline *deadline, qi_decoded *ret,
                 quire_diag *diag) {
    qi_document_info info;
    quire_err e = qi_decoder_open(d, fd, "doc", NULL, deadline, &info, diag);
    return e ? e : qi_decoder_page(d, page, deadline, ret, diag);
}

void check_greymap(qi_decoder *d, uint32_t w, uint32_t h, uint8_t seed) {
    qi_decoded page;
    quire_diag diag;
    int fd = greymap(w, h, seed);
    assert_int_equal(decode(d, fd, 0, NULL, &page, &diag), QUIRE_ERR_OK);
    close(fd);
    assert_int_equal(page.grey.width, w);
    assert_int_equal(page.grey.height, h);
    for (uint32_t y = 0; y < h; y += 7)
        for (uint32_t x = 0; x < w; x++)
            assert_int_equal(qi_grey_row(&page.grey, y)[x], (uint8_t)(x + y * 3 + seed));
    qi_decoded_done(&page);
}

bool has_children(void) {
    return waitpid(-1, NULL, WNOHANG) >= 0;
}

int children(pid_t pids[], int n) {
    char path[64];
    int n_found = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (n_found < n && fscanf(f, "%d", &pids[n_found]) == 1)
        n_found++;
    fclose(f);
    return n_found;
}

pid_t helper_pid(void) {
    pid_t pids[2];
    assert_int_equal(children(pids, 2), 1);
    return pids[0];
}

bool is_gone(pid_t pid) {
    for (int i = 0; i < 100; i++) {
        char path[64], line[256] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *f = fopen(path, "r");
        if (!f) return true;
        if (!fgets(line, sizeof line, f)) line[0] = 0;
        fclose(f);
        if (strstr(line, ") Z ")) return true;
        usleep(20000);
    }
    return false;
}
