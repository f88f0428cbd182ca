/* The bar of a run: one line of a terminal, drawn over itself, or where there is none a plain line
 * every QI_BAR_PLAIN_NS. Speed and remaining time are those of the last ten seconds or so. One
 * owner at a time. */
#ifndef QI_CLI_BAR_H
#define QI_CLI_BAR_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "cli/run_totals.h"

#define QI_BAR_REDRAW_NS UINT64_C(100000000)
#define QI_BAR_PLAIN_NS  UINT64_C(10000000000)

enum { QI_BAR_SAMPLES = 12 };

typedef struct qi_bar_sample {
    uint64_t at_ns, n_pages;
    double share;
} qi_bar_sample;

typedef struct qi_bar {
    bool plain;
    bool shown; /* a bar stands on the terminal's last line */
    uint64_t drawn_ns;
    /* The document at hand: its pages, 0 when there is none, and how many of them are behind us. */
    uint32_t n_pages, n_pages_behind;
    bool all_pages; /* all of its pages are wanted */
    qi_bar_sample samples[QI_BAR_SAMPLES];
    uint32_t n_samples; /* ever taken */
} qi_bar;

/* Appends what is to be written to the terminal now, if anything is due; `now`: in any case. */
void qi_bar_draw(qi_bar *bar, const qi_run_totals *totals, bool now, qi_strbuf *out);
/* Appends what takes the bar away, so that something else can be written. */
void qi_bar_clear(qi_bar *bar, qi_strbuf *out);

#endif
