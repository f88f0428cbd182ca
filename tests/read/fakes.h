/* Stand-ins for the decoder and the page jobs, with which the reader's tests are linked, so that
 * they can say exactly what a document does: fail, hang, need much memory, take long.
 *
 * A fake document is a text of "key=number" words after "FAKE":
 *   pages, w, h       pages and their size (default 1, 100 × 100)
 *   lines, width      lines of a page, their width (default 3, 100)
 *   bytes             worst case of decoding
 *   bad, dies, hangs  the 1-based page that is corrupt, kills the helper, waits for its deadline
 *   badbits           the pages (bit i: page i) that are corrupt
 *   nolayout          the page whose layout runs out of memory
 *   turned            1: every page is read twice, since it lies on its side
 *   decode_us, layout_us, line_us   time taken
 *   openfails         1: opening it says CORRUPT
 *   held              memory that is held while it is open
 *   text              1: it may have a text layer, as PDFs do, though none of its pages has
 *   copies            1: all pages have the pixels of the first, and so its text
 *   helper, started   the process that decodes it, and when that was started
 *   image             memory that a page's image takes, in three places
 *   noimage           the page whose image kills the helper
 *   noembed           the page whose part of a PDF kills the helper
 * Every line reads as "<doc>.<page>.<line>", by the name and page that are in the pixels. */
#ifndef QI_TESTS_FAKES_H
#define QI_TESTS_FAKES_H

#include <stdatomic.h>

/* What the fakes saw. Those of the second line must be 0 again when a reader is closed. */
typedef struct fake_counts {
    atomic_int inside, most_inside; /* threads that compute, a working decoder included */
    atomic_int decoders, documents_opened, documents_open, decoded, embedded, images, jobs,
        sessions, ocrs;
    atomic_int lines_read, batches, batch_breaches, shared_sessions;
} fake_counts;

extern fake_counts fakes;
extern atomic_int fake_sessions_until_failure; /* counts down; 0: none fails */

void fake_work(unsigned microseconds);

#endif
