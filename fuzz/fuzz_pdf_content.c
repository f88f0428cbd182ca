/* The reader of PDF content streams, with forms, fonts and images to find: the input is the content
 * of a page, and of the form /X of its resources, so that it may show itself. */
#include <stdint.h>
#include <stdlib.h>

#include "decode/helper/pdf_content.h"

static const char resources_text[] =
    "<< /Font << /F << /Type /Font /Subtype /Type1 >> /T << /Subtype /Type3 >> >> "
    "/ExtGState << /G << /ca .5 /BM /Multiply /SMask /None >> >> /XObject << >> >>";
static const char form_text[] = "<< /Subtype /Form /BBox [0 0 9 9] /Matrix [1 0 0 1 5 5] >>";
static const char image_text[] = "<< /Subtype /Image /Width 40 /Height 30 >>";

static qpdf_oh stream(qpdf_data q, const char *dict, const uint8_t *data, size_t size) {
    qpdf_oh o = qpdf_oh_new_stream(q), d = qpdf_oh_get_dict(q, o), given = qpdf_oh_parse(q, dict);
    qpdf_oh_replace_stream_data(q, o, data, size, qpdf_oh_new_null(q), qpdf_oh_new_null(q));
    qpdf_oh_begin_dict_key_iter(q, given);
    while (qpdf_oh_dict_more_keys(q)) {
        const char *key = qpdf_oh_dict_next_key(q);
        qpdf_oh_replace_key(q, d, key, qpdf_oh_get_key(q, given, key));
    }
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    qpdf_data q = qpdf_init();
    qpdf_set_suppress_warnings(q, QPDF_TRUE);
    qpdf_silence_errors(q);
    qpdf_empty_pdf(q);
    qpdf_oh resources = qpdf_oh_parse(q, resources_text);
    qpdf_oh xobjects = qpdf_oh_get_key(q, resources, "/XObject");
    qpdf_oh_replace_key(q, xobjects, "/X", stream(q, form_text, data, size));
    qpdf_oh_replace_key(q, xobjects, "/I", stream(q, image_text, (const uint8_t *)"", 1));
    qi_pdf_content c;
    qi_pdf_content_scan_bytes(q, resources, data, size, &c);
    if (c.n_inline_images > c.n_images || c.n_type3_bytes > c.n_visible_bytes) __builtin_trap();
    if (c.is_one_image && (!c.is_complete || c.n_images != 1)) __builtin_trap();
    qpdf_cleanup(&q);
    return 0;
}
