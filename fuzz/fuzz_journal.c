/* Journals of any bytes: what is read of one lies within it, and its pages can be walked. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/journal_record.h"
#include "cli/journal_scan.h"
#include "output/page_record.h"

static size_t sum;

static void walk_page(const quire_page *page) {
    for (uint32_t b = 0; b < page->n_blocks; b++)
        for (uint32_t l = 0; l < page->blocks[b].n_lines; l++) {
            const quire_line *line = &page->lines[page->blocks[b].first_line + l];
            sum += strlen(line->text) + (line->language ? strlen(line->language) : 0);
            for (uint32_t w = 0; w < line->n_words; w++)
                sum += strlen(page->words[line->first_word + w].text);
        }
    sum += strlen(quire_err_text(page->error));
}

/* A page whose checksum nobody asks for: most changed seeds end at theirs. */
static void read_page(const uint8_t *data, size_t size) {
    qi_bytes in = qi_bytes_of(data, size);
    quire_page page;
    void *storage;
    if (qi_page_record_take(&in, &page, &storage)) return;
    walk_page(&page);
    free(storage);
}

/* Frames get the checksum they should have, so that what is in them is read. */
static void mend(uint8_t *data, size_t size) {
    uint32_t kind, n;
    for (size_t at = QI_JOURNAL_MAGIC_BYTES; at + 16 <= size; at += n + 16) {
        if (!qi_record_head(data + at, &kind, &n) || n > size - at - 16) return;
        qi_strbuf frame = {0};
        size_t start = qi_record_begin(&frame, kind);
        qi_strbuf_append(&frame, data + at + 8, n);
        qi_record_end(&frame, start);
        if (!frame.failed) memcpy(data + at, frame.data, frame.length);
        qi_strbuf_done(&frame);
    }
}

static void scan(const uint8_t *data, size_t size) {
    int fd = memfd_create("journal", MFD_CLOEXEC);
    qi_journal_scan s;
    if (fd < 0) return;
    if (write(fd, data, size) == (ssize_t)size && !qi_journal_scan_file(fd, &s)) {
        if (s.sound_bytes > size) abort();
        for (size_t i = 0; i < s.n_begun; i++)
            for (uint32_t k = 0; k < s.begun[i].earlier.n_pages; k++)
                if (s.begun[i].pages[k].at + s.begun[i].pages[k].n_bytes > size) abort();
        qi_journal_scan_done(&s);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    scan(data, size);
    uint8_t *mended = malloc(size ? size : 1);
    if (mended) {
        if (size) memcpy(mended, data, size);
        mend(mended, size);
        scan(mended, size);
    }
    free(mended);
    /* The seed `page` is one record's payload. */
    read_page(data, size);
    return 0;
}
