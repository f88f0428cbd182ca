/* quire-decode-pdf: PDF. Fonts that a document does not hold and the character maps of poppler-data
 * are opened while a page is drawn, so their folders may be read. */
#include <fontconfig/fontconfig.h>
#include <glib.h>
#include <iconv.h>
#include <malloc.h>

#include "decode/helper/server.h"

static const char *const font_paths[] = {
    "/etc/fonts",
    "/usr/share/fontconfig",
    "/var/cache/fontconfig",
    "/usr/share/fonts",
    "/usr/share/texmf",
    "/usr/local/share/fonts",
    "/usr/share/poppler",
    "/usr/share/ghostscript",
    "/usr/share/javascript",
    "/usr/share/X11/locale",
    NULL,
};

/* Of a page there are large blocks that go again, drawings above all, and small ones that stay, as
 * poppler's own of the page. They must not share the heap: what stays settles in the gap that a
 * drawing left, the next no longer fits there, and the heap grows by a drawing with each page. */
enum { LARGE_BYTES = 256 << 10 };

/* Poppler's warnings, such as of annotations that it does not know, are nobody's to read, and the
 * default way to write them asks the system for what is forbidden here. */
static void drop(const char *domain, GLogLevelFlags level, const char *text, void *data) {
    (void)domain, (void)level, (void)text, (void)data;
}

/* Loads fontconfig's tables and the conversion that poppler needs for passwords, whose module could
 * not be loaded later; the converter stays open to keep it. */
static bool load(void) {
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    g_log_set_default_handler(drop, NULL);
    return FcInit() && iconv_open("ISO-8859-1", "UTF-8") != (iconv_t)-1;
}

const qi_program qi_program_this = {
    .codecs = {[QI_FORMAT_PDF] = &qi_codec_pdf},
    .others = QI_HELPER_IMAGES,
    .needs = {.read_paths = font_paths},
    .prepare = load,
};
