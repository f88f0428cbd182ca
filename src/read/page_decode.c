/* A page from its helper: measured, granted its memory, its text layer, its pixels, what a
 * searchable PDF takes of it and its image brought over. Runs on a driver thread. */
#include "base/clock.h"
#include "read/reader_parts.h"

static uint64_t pixels_bytes(const qi_page_info *info) {
    return ((uint64_t)info->width_px + 63) / 64 * 64 * info->height_px;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* The worst case of all that a page needs at once; beside_bytes: of what its result comes with. */
static uint64_t page_bytes(const qi_page_info *info, uint64_t helper_bytes, uint64_t beside_bytes) {
    return pixels_bytes(info) + helper_bytes + beside_bytes +
           qi_page_job_bytes(info->width_px, info->height_px);
}

/* Of an image: where it is written, beside the pixels, and the copy that is kept. */
static uint64_t image_bytes(uint64_t n_bytes) {
    return n_bytes * 2;
}

/* Waits for memory outside of any slot. Every page takes a grant, be it of 0 bytes: pages in flight
 * are counted by them. */
quire_err qi_driver_take_memory(qi_read_page *p, uint64_t bytes) {
    qi_document *d = p->document;
    quire_reader *r = d->reader;
    if (qi_budget_try(r->budget, p->order, bytes, &p->grant)) return QUIRE_ERR_OK;
    uint64_t start = qi_clock_ns();
    qi_pool_unhold(r->pool);
    quire_err err = qi_budget_take(r->budget, p->order, bytes, &p->grant);
    qi_pool_hold(r->pool);
    atomic_fetch_add(&d->deadline_ns, qi_clock_ns() - start);
    return err;
}

static quire_err too_large(const qi_read_page *p, uint64_t bytes, quire_diag *diag) {
    uint64_t most = qi_budget_alone_bytes(p->document->reader->budget);
    char shown[240];
    return qi_fail(diag, QUIRE_ERR_TOO_LARGE,
                   "%s: a page of %u x %u pixels takes %llu MB and there are %llu MB; allow more "
                   "(--memory)",
                   qi_printable(shown, sizeof shown, p->document->name), p->width_px, p->height_px,
                   (unsigned long long)(bytes / 1000000 + 1), (unsigned long long)(most / 1000000));
}

static quire_err measure_page(qi_driver *driver, qi_read_page *p, qi_page_info *ret_info,
                              quire_diag *diag) {
    qi_deadline deadline = {0, &driver->reader->stopping};
    qi_driver_enter(p->document);
    deadline.at_ns = atomic_load(&p->document->deadline_ns);
    quire_err err = qi_decoder_page_info(driver->decoder, p->index, &deadline, ret_info, diag);
    qi_pool_leave(driver->reader->pool);
    if (err) return err;
    p->dpi = ret_info->dpi;
    p->width_px = ret_info->width_px;
    p->height_px = ret_info->height_px;
    return QUIRE_ERR_OK;
}

void qi_driver_want_image(qi_driver *driver, const qi_document *d) {
    const quire_request *q = &d->request;
    uint32_t max_px = q->image_max_px ? q->image_max_px : UINT32_MAX;
    qi_decoder_want_image(driver->decoder, q->want_image ? max_px : 0);
}

/* Decodes the page, within its grant, brings its part of a PDF over and has its image made; where
 * there is no image it is still a page, and told why. */
static quire_err decode_pixels(qi_driver *driver, qi_read_page *p, bool embeds, quire_diag *diag) {
    qi_document *d = p->document;
    qi_deadline deadline = {0, &driver->reader->stopping};
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    quire_err err = qi_decoder_page(driver->decoder, p->index, &deadline, &p->decoded, diag);
    if (!err && embeds)
        err = qi_decoder_embed(driver->decoder, p->index, &deadline, &p->embedded, diag);
    if (!err && d->request.want_image && !p->image_error)
        p->image_error = qi_decoder_image(driver->decoder, &p->decoded, &deadline, &p->image, NULL);
    qi_pool_leave(driver->reader->pool);
    return err;
}

/* Draws a page that has its result, for the image alone. Memory for it is asked for in one piece
 * with the result, as for any page. Only CANCELLED is returned: the page was not given its memory.
 */
static quire_err draw_image(qi_driver *driver, qi_read_page *p, const qi_page_info *info) {
    uint64_t result_bytes = p->grant.bytes;
    qi_grant_release(&p->grant);
    quire_err err = qi_driver_take_memory(
        p, result_bytes + pixels_bytes(info) + larger(info->decode_bytes, info->image_work_bytes) +
               image_bytes(info->image_room_bytes));
    if (err == QUIRE_ERR_TOO_LARGE) {
        p->image_error = err;
        err = qi_driver_take_memory(p, result_bytes);
    } else if (!err) {
        err = decode_pixels(driver, p, false, NULL);
        if (err) p->image_error = err;
        p->result.timings.decode_ns += p->decoded.helper_ns;
        if (p->decoded.map) qi_decoded_done(&p->decoded);
        err = QUIRE_ERR_OK;
    }
    if (!err) qi_grant_settle(&p->grant, result_bytes + p->image.n_bytes);
    return err;
}

/* The worst case of a page that is decoded and read. */
static uint64_t needed_bytes(const qi_read_page *p, const qi_page_info *info) {
    uint64_t helper_bytes = larger(info->decode_bytes, info->image_work_bytes);
    uint64_t beside_bytes = p->layer_arena.n_bytes + image_bytes(info->image_room_bytes);
    if (p->document->request.want_pdf) {
        helper_bytes = larger(helper_bytes, info->embed_decode_bytes);
        beside_bytes += info->embed_bytes;
    }
    return page_bytes(info, helper_bytes, beside_bytes);
}

/* Measures and decodes a page, if its text layer is not all there is to it (*ret_done); the error
 * is the page's. */
static quire_err decode_page(qi_driver *driver, qi_read_page *p, bool *ret_done, quire_diag *diag) {
    qi_document *d = p->document;
    qi_page_info info;
    quire_err err = measure_page(driver, p, &info, diag);
    if (err) return err;
    if (d->may_have_text) {
        err = qi_read_layer(driver, p, &info, ret_done, diag);
        if (err || *ret_done)
            return !err && d->request.want_image ? draw_image(driver, p, &info) : err;
    }
    uint64_t bytes = needed_bytes(p, &info);
    err = qi_driver_take_memory(p, bytes);
    if (err == QUIRE_ERR_TOO_LARGE && info.image_room_bytes) {
        p->image_error = err;
        info.image_room_bytes = info.image_work_bytes = 0;
        bytes = needed_bytes(p, &info);
        err = qi_driver_take_memory(p, bytes);
    }
    if (err == QUIRE_ERR_TOO_LARGE) return too_large(p, bytes, diag);
    if (!err) err = decode_pixels(driver, p, d->request.want_pdf, diag);
    if (!err)
        qi_grant_shrink(
            &p->grant, page_bytes(&info, 0, p->embedded.map_bytes + image_bytes(p->image.n_bytes)));
    return err;
}

quire_err qi_driver_read_page(qi_driver *driver, qi_read_page *p) {
    quire_diag diag = {0};
    bool done = false;
    quire_err err = decode_page(driver, p, &done, &diag);
    if (!p->grant.budget && err != QUIRE_ERR_CANCELLED && qi_driver_take_memory(p, 0))
        err = QUIRE_ERR_CANCELLED;
    if (err == QUIRE_ERR_CANCELLED) {
        qi_read_page_abandon(p);
        return err;
    }
    if (err)
        qi_read_page_fail(p, err, diag.text[0] ? diag.text : NULL);
    else if (done)
        qi_read_page_done(p);
    else
        qi_read_page_start(p);
    return QUIRE_ERR_OK;
}

static quire_err embed_earlier(qi_driver *driver, qi_read_page *p, quire_diag *diag) {
    qi_document *d = p->document;
    qi_deadline deadline = {0, &driver->reader->stopping};
    qi_page_info info;
    quire_err err = measure_page(driver, p, &info, diag);
    if (err) return err;
    const uint64_t bytes = info.embed_bytes + info.embed_decode_bytes;
    err = qi_driver_take_memory(p, bytes);
    if (err == QUIRE_ERR_TOO_LARGE) return too_large(p, bytes, diag);
    if (err) return err;
    qi_driver_enter(d);
    deadline.at_ns = atomic_load(&d->deadline_ns);
    err = qi_decoder_embed(driver->decoder, p->index, &deadline, &p->embedded, diag);
    qi_pool_leave(driver->reader->pool);
    if (err) return err;
    char shown[240];
    if (!p->embedded.map)
        return qi_fail(diag, QUIRE_ERR_IO, "%s: the file changed since it was read; read it anew",
                       qi_printable(shown, sizeof shown, d->name));
    qi_grant_settle(&p->grant, p->embedded.map_bytes);
    return QUIRE_ERR_OK;
}

quire_err qi_driver_embed_earlier(qi_driver *driver, qi_read_page *p, quire_diag *diag) {
    p->is_earlier = true;
    quire_err err = embed_earlier(driver, p, diag);
    if (err) {
        qi_read_page_abandon(p);
        return err;
    }
    p->result = (quire_page){
        .index = p->index, .width_px = p->width_px, .height_px = p->height_px, .dpi = p->dpi};
    qi_read_page_done(p);
    return QUIRE_ERR_OK;
}
