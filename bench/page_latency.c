/* How long one page takes in a warm process, as a program meets it that uses the library: from
 * handing over a document to having its page, one document after the other.
 *
 * usage: page_latency JOBS TIMES IMAGE
 *
 * Prints the text of the last reading to standard output, and to standard error the milliseconds of
 * each reading after the first, which starts the helpers and warms the memory. */
#include <quire/quire.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void print_lines(const quire_page *page) {
    for (uint32_t i = 0; i < page->n_lines; i++)
        puts(page->lines[i].text);
}

/* Reads a document of one page; its milliseconds go to *ret_ms. */
static quire_err read_once(quire_reader *reader, const char *path, bool print, double *ret_ms,
                           quire_diag *diag) {
    double start = now_ms();
    quire_err err = quire_reader_add_file(reader, path, NULL, NULL, diag);
    quire_item item;
    while (!err && (quire_reader_next(reader, &item), item.kind != QUIRE_ITEM_IDLE)) {
        if (item.kind == QUIRE_ITEM_PAGE) {
            *ret_ms = now_ms() - start;
            if (print) print_lines(item.page);
        }
        err = item.error;
        if (err) *diag = item.diag;
        quire_item_done(&item);
    }
    return err;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: page_latency JOBS TIMES IMAGE\n");
        return 1;
    }
    quire_options options;
    quire_options_init(&options);
    options.languages = "eng";
    options.jobs = (uint32_t)atoi(argv[1]);
    options.anew = true;
    int times = atoi(argv[2]);
    quire_reader *reader;
    quire_diag diag;
    quire_err err = quire_reader_open(&options, &reader, &diag);
    if (!err) {
        for (int i = 0; i <= times && !err; i++) {
            double ms = 0;
            err = read_once(reader, argv[3], i == times, &ms, &diag);
            if (i && !err) fprintf(stderr, "%.2f\n", ms);
        }
        quire_reader_close(reader);
    }
    if (err) fprintf(stderr, "%s\n", diag.text);
    return quire_err_exit_status(err);
}
