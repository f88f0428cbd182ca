/* See pdf_fonts.h. */
#include "decode/helper/pdf_fonts.h"

#include <ft2build.h>
#include <stdlib.h>
#include FT_FREETYPE_H

#include "decode/helper/pdf_stream.h"

enum {
    MAX_FONTS = 1024, /* of a document; others are looked at again on each page */
    MAX_GLYPHS = 512, /* looked at for one that is not empty */
    MAX_FONT_BYTES = 32 << 20,
};

struct qi_pdf_fonts {
    FT_Library library;
    uint32_t n;
    struct {
        qi_pdf_object object;
        bool draws;
    } known[MAX_FONTS];
};

qi_pdf_fonts *qi_pdf_fonts_new(void) {
    qi_pdf_fonts *f = calloc(1, sizeof *f);
    if (f && FT_Init_FreeType(&f->library)) {
        free(f);
        return NULL;
    }
    return f;
}

void qi_pdf_fonts_free(qi_pdf_fonts *f) {
    if (!f) return;
    FT_Done_FreeType(f->library);
    free(f);
}

/* Glyph 0 is what stands for missing ones. */
static bool has_outlines(FT_Library library, const uint8_t *bytes, size_t n_bytes) {
    FT_Face face;
    if (FT_New_Memory_Face(library, bytes, (FT_Long)n_bytes, 0, &face)) return false;
    bool found = false;
    for (FT_Long i = 1; !found && i < face->num_glyphs && i < MAX_GLYPHS; i++)
        found = !FT_Load_Glyph(face, (FT_UInt)i, FT_LOAD_NO_SCALE | FT_LOAD_NO_RECURSE) &&
                (face->glyph->format == FT_GLYPH_FORMAT_COMPOSITE ||
                 (face->glyph->format == FT_GLYPH_FORMAT_OUTLINE &&
                  face->glyph->outline.n_contours > 0));
    FT_Done_Face(face);
    return found;
}

/* What holds /FontDescriptor: the font, or the descendant of one of type 0. */
static qpdf_oh descriptor_of(qpdf_data q, qpdf_oh font, bool *ret_is_type0) {
    qpdf_oh descendants = qpdf_oh_get_key(q, font, "/DescendantFonts");
    *ret_is_type0 = qpdf_oh_is_array(q, descendants);
    if (*ret_is_type0) {
        if (!qpdf_oh_get_array_n_items(q, descendants)) return qpdf_oh_new_null(q);
        font = qpdf_oh_get_array_item(q, descendants, 0);
    }
    return qpdf_oh_is_dictionary(q, font) ? qpdf_oh_get_key(q, font, "/FontDescriptor")
                                          : qpdf_oh_new_null(q);
}

static bool draws(qi_pdf_fonts *f, qpdf_data q, qi_pdf_object object) {
    static const char *const files[] = {"/FontFile", "/FontFile2", "/FontFile3"};
    qpdf_oh font = qpdf_get_object_by_id(q, object.number, object.generation);
    if (!qpdf_oh_is_dictionary(q, font)) return false;
    bool is_type0;
    qpdf_oh descriptor = descriptor_of(q, font, &is_type0), file = qpdf_oh_new_null(q);
    for (int i = 0; i < 3 && qpdf_oh_is_dictionary(q, descriptor) && !qpdf_oh_is_stream(q, file);
         i++)
        file = qpdf_oh_get_key(q, descriptor, files[i]);
    if (!qpdf_oh_is_stream(q, file)) return !is_type0;
    uint8_t *bytes;
    size_t n_bytes, budget = MAX_FONT_BYTES;
    if (!qi_pdf_stream_read(q, file, &budget, &bytes, &n_bytes)) return false;
    bool found = has_outlines(f->library, bytes, n_bytes);
    free(bytes);
    return found;
}

bool qi_pdf_fonts_draw(qi_pdf_fonts *f, qpdf_data q, const qi_pdf_object objects[],
                       uint32_t n_objects) {
    for (uint32_t i = 0; i < n_objects; i++) {
        uint32_t k = 0;
        while (k < f->n && (f->known[k].object.number != objects[i].number ||
                            f->known[k].object.generation != objects[i].generation))
            k++;
        bool is = k < f->n ? f->known[k].draws : draws(f, q, objects[i]);
        if (k == f->n && f->n < MAX_FONTS) {
            f->known[f->n].object = objects[i];
            f->known[f->n++].draws = is;
        }
        if (!is) return false;
    }
    return true;
}
