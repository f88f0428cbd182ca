/* quire-decode-pdf: PDF. Fonts that a document does not hold and the character maps of poppler-data
 * are opened while a page is drawn, so their folders may be read. */
#include <fontconfig/fontconfig.h>
#include <iconv.h>

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

/* Loads fontconfig's tables and the conversion that poppler needs for passwords, whose module could
 * not be loaded later; the converter stays open to keep it. */
static bool load(void) {
    return FcInit() && iconv_open("ISO-8859-1", "UTF-8") != (iconv_t)-1;
}

const qi_program qi_program_this = {
    .codecs = {[QI_FORMAT_PDF] = &qi_codec_pdf},
    .others = QI_HELPER_IMAGES,
    .needs = {.read_paths = font_paths},
    .prepare = load,
};
