/* Any bytes as a result to view: refused, or a page whose lists belong together, drawn with all
 * layers on a small canvas. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/overlay.h"
#include "cli/result_page.h"

static void view(const char *path, uint32_t number) {
    qi_result_page result;
    quire_diag diag;
    qi_canvas canvas;
    if (qi_result_page_load(path, number, &result, &diag)) return;
    const quire_page *page = &result.page;
    uint64_t n_lines = 0, n_words = 0;
    for (uint32_t i = 0; i < page->n_blocks; i++)
        n_lines += page->blocks[i].n_lines;
    for (uint32_t i = 0; i < page->n_lines; i++)
        n_words += page->lines[i].n_words;
    if (n_lines != page->n_lines || n_words != page->n_words || !page->width_px ||
        !page->height_px || (number && page->index != number - 1))
        __builtin_trap();
    if (!qi_canvas_init(&canvas, 50, 40)) {
        qi_overlay_draw(&canvas, page,
                        QI_LAYER_BLOCKS | QI_LAYER_LINES | QI_LAYER_WORDS | QI_LAYER_ORDER |
                            QI_LAYER_TEXT);
        qi_canvas_done(&canvas);
    }
    qi_result_page_done(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[40];
    int fd = size > 1 << 16 ? -1 : memfd_create("result", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, data, size) == (ssize_t)size) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        view(path, 0);
        view(path, 2);
    }
    close(fd);
    return 0;
}
