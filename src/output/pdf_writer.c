/* Searchable PDF. Images become pages that show them as they are stored; a PDF stays as it is, byte
 * for byte, and an update is appended that puts text before the contents of its pages. Object
 * numbers of what is written last (font, catalog) are taken first, so that pages can name them. */
#include "output/pdf_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/pdf_archive.h"
#include "output/emit.h"
#include "output/pdf_parts.h"
#include "output/writers.h"

enum { COPY_BYTES = 1 << 20, DEFAULT_DPI = 300, MAX_POINTS = 14400 };
#define A4_WIDTH  595.276
#define A4_HEIGHT 841.89
#define FONT_NAME "QuireText"

struct qi_pdf_writer {
    bool pdf_a;
    char refusal[200];
    qi_pdf_file file;
    qi_pdf_font font;
    uint32_t font_number, catalog, pages, info;
    uint32_t *page_numbers; /* of images */
    uint32_t n_pages, capacity;
    bool has_original, has_text;
    quire_pdf_original original;
    uint64_t copied;
    qi_strbuf content;
};

qi_pdf_writer *qi_pdf_writer_new(bool pdf_a) {
    qi_pdf_writer *w = calloc(1, sizeof *w);
    if (w) w->pdf_a = pdf_a;
    return w;
}

void qi_pdf_writer_free(qi_pdf_writer *w) {
    if (!w) return;
    qi_pdf_file_done(&w->file);
    qi_pdf_font_done(&w->font);
    qi_strbuf_done(&w->content);
    free(w->page_numbers);
    free(w);
}

const char *qi_pdf_writer_refusal(const qi_pdf_writer *w) {
    return w->refusal[0] ? w->refusal : NULL;
}

static void refuse(qi_pdf_writer *w, const char *why) {
    if (!w->refusal[0])
        snprintf(w->refusal, sizeof w->refusal, "cannot be PDF/A: %s; leave out --pdfa", why);
}

/* What was appended to out counts. */
static void count(qi_pdf_writer *w, qi_strbuf *out) {
    if (w->file.failed || w->font.failed || w->content.failed) out->failed = true;
    if (!out->failed) qi_pdf_file_count(&w->file, out);
}

void qi_write_pdf_begin(qi_strbuf *out, const qi_output_document *document) {
    qi_pdf_writer *w = document->pdf;
    const quire_pdf_original *o = document->item ? document->item->original : NULL;
    w->has_original = o != NULL;
    if (o) {
        w->original = *o;
        qi_pdf_file_init(&w->file, o->next_object);
        w->font_number = qi_pdf_number(&w->file);
        return;
    }
    qi_pdf_file_init(&w->file, 1);
    w->catalog = qi_pdf_number(&w->file);
    w->pages = qi_pdf_number(&w->file);
    w->info = qi_pdf_number(&w->file);
    w->font_number = qi_pdf_number(&w->file);
    qi_strbuf_puts(out, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n");
    count(w, out);
}

bool qi_copy_pdf_original(qi_strbuf *out, const qi_output_document *document, quire_diag *diag,
                          quire_err *ret_error) {
    qi_pdf_writer *w = document->pdf;
    if (!w->has_original || w->copied == w->original.n_bytes) return false;
    uint64_t left = w->original.n_bytes - w->copied;
    size_t n = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
    char *bytes = malloc(n);
    *ret_error = bytes ? quire_item_read_original(document->item, w->copied, bytes, n, diag)
                       : qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory to copy the PDF");
    if (!*ret_error) qi_strbuf_append(out, bytes, n);
    free(bytes);
    w->copied += n;
    count(w, out);
    return !*ret_error;
}

/* ---- pages of images ---- */

/* From the unit square to the page of w by h points, by EXIF orientation. */
static void put_image_matrix(qi_strbuf *out, uint32_t orientation, double w, double h) {
    const double m[8][6] = {{w, 0, 0, h, 0, 0},  {-w, 0, 0, h, w, 0},  {-w, 0, 0, -h, w, h},
                            {w, 0, 0, -h, 0, h}, {0, -h, -w, 0, w, h}, {0, -h, w, 0, 0, h},
                            {0, h, w, 0, 0, 0},  {0, h, -w, 0, w, 0}};
    for (int i = 0; i < 6; i++) {
        qi_emit_fixed(out, m[orientation - 1][i], 4);
        qi_strbuf_append(out, " ", 1);
    }
    qi_strbuf_puts(out, "cm /Image Do\n");
}

static void put_color_space(qi_strbuf *out, const quire_pdf_page *p) {
    static const char *const names[] = {"", "/DeviceGray", "", "/DeviceRGB", "/DeviceCMYK"};
    if (!p->n_palette) {
        qi_strbuf_puts(out, names[p->n_channels]);
        return;
    }
    qi_strbuf_printf(out, "[/Indexed /DeviceRGB %u <", (unsigned)p->n_palette - 1);
    for (uint32_t i = 0; i < p->n_palette * 3; i++)
        qi_strbuf_printf(out, "%02x", p->palette[i]);
    qi_strbuf_puts(out, ">]");
}

static void put_coding(qi_strbuf *out, const quire_pdf_page *p) {
    switch (p->coding) {
    case QUIRE_PDF_DCT:
        qi_strbuf_puts(out, " /Filter /DCTDecode");
        if (p->colour_transform >= 0)
            qi_strbuf_printf(out, " /DecodeParms << /ColorTransform %d >>",
                             (int)p->colour_transform);
        break;
    case QUIRE_PDF_FAX:
        qi_strbuf_printf(out,
                         " /Filter /CCITTFaxDecode /DecodeParms << /K %d /Columns %u /Rows %u "
                         "/EndOfBlock false /BlackIs1 %s >>",
                         (int)p->fax_k, (unsigned)p->columns, (unsigned)p->rows,
                         p->fax_black_is_1 ? "true" : "false");
        break;
    default:
        qi_strbuf_puts(out, " /Filter /FlateDecode");
        if (p->predicted)
            qi_strbuf_printf(out,
                             " /DecodeParms << /Predictor 15 /Colors %u /BitsPerComponent %u "
                             "/Columns %u >>",
                             (unsigned)p->n_channels, (unsigned)p->bits, (unsigned)p->columns);
    }
}

static void put_image(qi_pdf_writer *w, qi_strbuf *out, uint32_t number, const quire_pdf_page *p) {
    qi_strbuf keys = {0};
    qi_strbuf_printf(&keys,
                     "/Type /XObject /Subtype /Image /Width %u /Height %u /BitsPerComponent %u "
                     "/ColorSpace ",
                     (unsigned)p->columns, (unsigned)p->rows, (unsigned)p->bits);
    put_color_space(&keys, p);
    if (p->inverted) {
        qi_strbuf_puts(&keys, " /Decode [");
        for (uint32_t i = 0; i < p->n_channels; i++)
            qi_strbuf_puts(&keys, "1 0 ");
        qi_strbuf_puts(&keys, "]");
    }
    put_coding(&keys, p);
    if (keys.failed)
        w->file.failed = true;
    else
        qi_pdf_stream(&w->file, out, number, keys.data, p->bytes, (size_t)p->n_bytes, false);
    qi_strbuf_done(&keys);
}

static bool add_page_number(qi_pdf_writer *w, uint32_t number) {
    if (w->n_pages == w->capacity) {
        uint32_t capacity = w->capacity ? w->capacity * 2 : 16;
        uint32_t *more = realloc(w->page_numbers, capacity * sizeof *more);
        if (!more) return false;
        w->page_numbers = more;
        w->capacity = capacity;
    }
    w->page_numbers[w->n_pages++] = number;
    return true;
}

/* Pixels of an inch, across and down, as the page stands. A page may have 14,400 points. */
static void resolution(const quire_page *page, const quire_pdf_page *p, double ret[2]) {
    bool turned = p->orientation >= 5;
    ret[0] = (double)(turned ? p->dpi_y : p->dpi_x);
    ret[1] = (double)(turned ? p->dpi_x : p->dpi_y);
    if (!(ret[0] > 0) || !(ret[1] > 0))
        ret[0] = ret[1] = page->dpi > 0 ? (double)page->dpi : DEFAULT_DPI;
    double w = turned ? p->rows : p->columns, h = turned ? p->columns : p->rows;
    double over = fmax(w * 72 / ret[0], h * 72 / ret[1]) / MAX_POINTS;
    if (over > 1) {
        ret[0] *= over;
        ret[1] *= over;
    }
}

static void put_image_page(qi_pdf_writer *w, qi_strbuf *out, const quire_page *page) {
    const quire_pdf_page *p = page->pdf;
    double width = A4_WIDTH, height = A4_HEIGHT;
    uint32_t number = qi_pdf_number(&w->file), content = qi_pdf_number(&w->file), image = 0;
    qi_strbuf *c = &w->content;
    qi_strbuf_clear(c);
    if (p && p->kind == QUIRE_PDF_IMAGE) {
        double dpi[2];
        bool turned = p->orientation >= 5;
        resolution(page, p, dpi);
        width = (turned ? p->rows : p->columns) * 72 / dpi[0];
        height = (turned ? p->columns : p->rows) * 72 / dpi[1];
        const double to_points[6] = {72 / dpi[0], 0, 0, -72 / dpi[1], 0, height};
        qi_strbuf_puts(c, "q ");
        put_image_matrix(c, p->orientation, width, height);
        qi_strbuf_puts(c, "Q\n");
        w->has_text |= qi_pdf_text(c, page, FONT_NAME, to_points, NULL, &w->font);
        image = qi_pdf_number(&w->file);
        put_image(w, out, image, p);
        if (w->pdf_a && p->n_channels == 4)
            refuse(w, "the colours of an image are inks (CMYK), for which there is no profile");
    }
    qi_pdf_stream(&w->file, out, content, "", c->data ? c->data : "", c->length, true);
    qi_pdf_begin(&w->file, out, number, 0);
    qi_strbuf_printf(out, "<< /Type /Page /Parent %u 0 R /MediaBox [0 0 ", w->pages);
    qi_emit_fixed(out, width, 4);
    qi_strbuf_append(out, " ", 1);
    qi_emit_fixed(out, height, 4);
    qi_strbuf_printf(out, "] /Contents %u 0 R /Resources << /Font << /" FONT_NAME " %u 0 R >>",
                     content, w->font_number);
    if (image) qi_strbuf_printf(out, " /XObject << /Image %u 0 R >>", image);
    qi_strbuf_puts(out, " >> >>");
    qi_pdf_end(out);
    if (!add_page_number(w, number)) w->file.failed = true;
}

/* ---- pages of a PDF ---- */

static void put_changed_page(qi_pdf_writer *w, qi_strbuf *out, const quire_page *page) {
    const quire_pdf_page *p = page->pdf;
    qi_strbuf_clear(&w->content);
    if (!p || p->kind != QUIRE_PDF_ORIGINAL || p->object >= w->original.next_object ||
        !qi_pdf_text(&w->content, page, p->font_name, p->to_points, p, &w->font))
        return;
    if (!w->has_text) qi_strbuf_puts(out, "\n"); /* the original may end without one */
    w->has_text = true;
    uint32_t content = qi_pdf_number(&w->file);
    qi_pdf_stream(&w->file, out, content, "", w->content.data, w->content.length, true);
    qi_pdf_begin(&w->file, out, p->object, p->generation);
    qi_strbuf_append(out, p->bytes, (size_t)p->font_at);
    qi_strbuf_printf(out, "/%s %u 0 R ", p->font_name, w->font_number);
    qi_strbuf_append(out, p->bytes + p->font_at, (size_t)(p->content_at - p->font_at));
    qi_strbuf_printf(out, "%u 0 R ", content);
    qi_strbuf_append(out, p->bytes + p->content_at, (size_t)(p->n_bytes - p->content_at));
    qi_pdf_end(out);
}

void qi_write_pdf_page(qi_strbuf *out, const qi_output_document *document, const quire_page *page) {
    qi_pdf_writer *w = document->pdf;
    if (w->has_original)
        put_changed_page(w, out, page);
    else
        put_image_page(w, out, page);
    count(w, out);
}

/* ---- the end ---- */

static void put_archive(qi_pdf_writer *w, qi_strbuf *out, uint32_t metadata, uint32_t profile) {
    qi_strbuf bytes = {0};
    qi_pdf_metadata(&bytes, &(qi_pdf_properties){.producer = QI_PDF_PRODUCER});
    if (!bytes.failed)
        qi_pdf_stream(&w->file, out, metadata, "/Type /Metadata /Subtype /XML", bytes.data,
                      bytes.length, false);
    qi_strbuf_clear(&bytes);
    qi_pdf_profile(&bytes);
    if (!bytes.failed)
        qi_pdf_stream(&w->file, out, profile, "/N 3", bytes.data, bytes.length, true);
    w->file.failed |= bytes.failed;
    qi_strbuf_done(&bytes);
}

static void put_catalog(qi_pdf_writer *w, qi_strbuf *out) {
    uint32_t metadata = 0, profile = 0;
    if (w->pdf_a) {
        metadata = qi_pdf_number(&w->file);
        profile = qi_pdf_number(&w->file);
        put_archive(w, out, metadata, profile);
    }
    qi_pdf_begin(&w->file, out, w->pages, 0);
    qi_strbuf_puts(out, "<< /Type /Pages /Count ");
    qi_emit_int(out, w->n_pages);
    qi_strbuf_puts(out, " /Kids [");
    for (uint32_t i = 0; i < w->n_pages; i++) {
        qi_emit_int(out, w->page_numbers[i]);
        qi_strbuf_puts(out, " 0 R\n");
    }
    qi_strbuf_puts(out, "] >>");
    qi_pdf_end(out);
    qi_pdf_begin(&w->file, out, w->catalog, 0);
    qi_strbuf_printf(out, "<< /Type /Catalog /Pages %u 0 R", w->pages);
    if (w->pdf_a)
        qi_strbuf_printf(out,
                         " /Metadata %u 0 R /OutputIntents [<< " QI_PDF_INTENT
                         " /DestOutputProfile %u 0 R >>]",
                         metadata, profile);
    qi_strbuf_puts(out, " >>");
    qi_pdf_end(out);
    qi_pdf_begin(&w->file, out, w->info, 0);
    qi_strbuf_puts(out, "<< /Producer (" QI_PDF_PRODUCER ") >>");
    qi_pdf_end(out);
}

void qi_write_pdf_end(qi_strbuf *out, const qi_output_document *document,
                      const qi_output_end *end) {
    qi_pdf_writer *w = document->pdf;
    qi_pdf_trailer t = {.root = w->catalog, .info = w->info};
    if (w->has_original) {
        const quire_pdf_original *o = &w->original;
        if (!w->has_text) return; /* nothing was added: it is the original */
        t = (qi_pdf_trailer){.root = o->root,
                             .root_generation = o->root_generation,
                             .info = o->info,
                             .info_generation = o->info_generation,
                             .is_update = true,
                             .previous_xref = o->xref_at,
                             .xref_stream = o->xref_kind == 1,
                             .first_id = o->n_id ? o->id : NULL,
                             .n_first_id = o->n_id};
    } else {
        put_catalog(w, out);
    }
    qi_pdf_font_write(&w->font, &w->file, out, w->font_number);
    qi_pdf_finish(&w->file, out, &t);
    count(w, out);
}
