/* quire-decode: images. HEIC and AVIF once their library is loaded; PDF is for quire-decode-pdf. */
#include "decode/helper/server.h"

const qi_program qi_program_this = {
    .codecs =
        {
            [QI_FORMAT_JPEG] = &qi_codec_jpeg,
            [QI_FORMAT_PNG] = &qi_codec_png,
            [QI_FORMAT_TIFF] = &qi_codec_tiff,
            [QI_FORMAT_WEBP] = &qi_codec_webp,
            [QI_FORMAT_HEIC] = &qi_codec_heif,
            [QI_FORMAT_AVIF] = &qi_codec_heif,
            [QI_FORMAT_BMP] = &qi_codec_bmp,
            [QI_FORMAT_PNM] = &qi_codec_pnm,
        },
    .others = QI_HELPER_PDF,
};
