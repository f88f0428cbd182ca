/* A page's text layer: brought over, decided on, and made the page's result, or handed to the
 * reading of its pixels. Runs on a driver thread, in the slot that its helper worked in. The memory
 * for it is granted apart from that of the pixels, and given back before those are asked for; what
 * the pixels' reading needs of the layer is small and counted with them. */
#include "ocr/page_region.h"
#include "read/layer_page.h"
#include "read/page_copy.h"
#include "read/reader_parts.h"
#include "read/text_decision.h"

static quire_err no_memory(const qi_read_page *p, quire_diag *diag) {
    char shown[240];
    return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "%s: no memory for its text layer",
                   qi_printable(shown, sizeof shown, p->document->name));
}

/* A layer that cannot be used fails a page that has nothing else. */
static quire_err check_only(const qi_read_page *p, const qi_text_facts *f, quire_diag *diag) {
    char shown[240];
    qi_printable(shown, sizeof shown, p->document->name);
    if (f->too_much)
        return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                       "%s: the text layer has more than %d words or %d bytes; read its pixels "
                       "(--text-layer auto)",
                       shown, QI_TEXT_MAX_WORDS, QI_TEXT_POOL_BYTES);
    if (f->unusable)
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "%s: the text layer does not say where its characters are; read its pixels "
                       "(--text-layer auto)",
                       shown);
    return QUIRE_ERR_OK;
}

static quire_box wanted(const qi_read_page *p) {
    return qi_page_region(&p->document->request, p->width_px, p->height_px);
}

/* The layer as the whole result. */
static quire_err finish_layer(qi_read_page *p, const qi_text_layer *layer, bool all,
                              quire_diag *diag) {
    quire_page page = {.index = p->index,
                       .width_px = p->width_px,
                       .height_px = p->height_px,
                       .dpi = p->dpi,
                       .text_source = QUIRE_SOURCE_LAYER,
                       .text_reason = p->text_reason,
                       .timings.decode_ns = p->text_ns};
    qi_arena arena = {0};
    size_t n_bytes = 0;
    quire_err err = qi_layer_page(layer, all, wanted(p), &arena, &page);
    if (!err) err = qi_page_copy(&page, &p->result, &p->storage, &n_bytes);
    qi_arena_done(&arena);
    if (err) return no_memory(p, diag);
    qi_grant_settle(&p->grant, n_bytes);
    return QUIRE_ERR_OK;
}

/* The layer as a part of the result, or to be compared first. */
static quire_err keep_layer(qi_read_page *p, const qi_text_layer *layer, bool is_mixed,
                            quire_diag *diag) {
    quire_page *page = qi_arena_alloc(&p->layer_arena, 1, sizeof *page);
    if (!page) return no_memory(p, diag);
    *page = (quire_page){.width_px = p->width_px, .height_px = p->height_px};
    qi_layer_use use = {.page = page,
                        .verify = p->document->reader->text_layer == QUIRE_TEXT_LAYER_VERIFIED,
                        .reason = p->text_reason};
    quire_box *uncovered = NULL;
    quire_err err = qi_layer_page(layer, false, wanted(p), &p->layer_arena, page);
    if (!err && is_mixed)
        err = qi_layer_uncovered(layer, p->width_px, p->height_px, &p->layer_arena, &uncovered,
                                 &use.n_uncovered);
    if (err) return no_memory(p, diag);
    use.uncovered = uncovered;
    if (page->n_words) p->layer = use;
    return QUIRE_ERR_OK;
}

static quire_err use_layer(qi_read_page *p, const qi_text_layer *layer, bool *ret_done,
                           quire_diag *diag) {
    quire_text_layer use = p->document->reader->text_layer;
    qi_text_facts facts;
    qi_text_facts_of(layer, &facts);
    qi_text_decision d = qi_text_decide(use, &facts);
    p->text_reason = d.reason;
    if (d.source == QUIRE_SOURCE_PIXELS) return QUIRE_ERR_OK;
    if (d.source == QUIRE_SOURCE_MIXED || use == QUIRE_TEXT_LAYER_VERIFIED)
        return keep_layer(p, layer, d.source == QUIRE_SOURCE_MIXED, diag);
    bool only = use == QUIRE_TEXT_LAYER_ONLY;
    quire_err err = only ? check_only(p, &facts, diag) : QUIRE_ERR_OK;
    if (!err) err = finish_layer(p, layer, only, diag);
    *ret_done = !err;
    return err;
}

/* Whether a page whose layer failed like this can still be read from its pixels. */
static bool is_survivable(const qi_read_page *p, quire_err err) {
    return p->document->reader->text_layer != QUIRE_TEXT_LAYER_ONLY &&
           (err == QUIRE_ERR_HELPER || err == QUIRE_ERR_CORRUPT || err == QUIRE_ERR_NO_MEMORY ||
            err == QUIRE_ERR_TOO_LARGE);
}

quire_err qi_read_layer(qi_driver *driver, qi_read_page *p, const qi_page_info *info,
                        bool *ret_done, quire_diag *diag) {
    qi_document *d = p->document;
    quire_reader *r = d->reader;
    *ret_done = false;
    p->text_reason = QUIRE_REASON_NOT_ASKED;
    if (r->text_layer == QUIRE_TEXT_LAYER_OFF) return QUIRE_ERR_OK;
    bool with_ink = r->text_layer != QUIRE_TEXT_LAYER_ONLY;
    quire_err err =
        qi_driver_take_memory(p, QI_DECODER_TEXT_BYTES + (with_ink ? info->text_bytes : 0));
    if (!err) {
        qi_deadline deadline = {0, &r->stopping};
        qi_text_layer *layer = NULL;
        qi_driver_enter(d);
        deadline.at_ns = atomic_load(&d->deadline_ns);
        err = qi_decoder_text(driver->decoder, p->index, with_ink, &deadline, &layer, &p->text_ns,
                              diag);
        if (!err) err = use_layer(p, layer, ret_done, diag);
        qi_pool_leave(r->pool);
        qi_text_layer_free(layer);
    }
    if (err && is_survivable(p, err)) {
        p->text_reason = QUIRE_REASON_UNUSABLE;
        err = QUIRE_ERR_OK;
    }
    if (!*ret_done) qi_grant_release(&p->grant);
    return err;
}
