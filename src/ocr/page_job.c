/* The steps of page_job.h. A page is first read as it is stored; only when that reads poorly, or
 * finds no text at all, are the other three orientations tried on a few of their longest lines, and
 * the page read again if one of them reads clearly better. */
#include "ocr/page_job.h"

#include <stdlib.h>
#include <string.h>

#include "image/turn.h"
#include "ocr/compose.h"
#include "ocr/ocr_models.h"
#include "ocr/orientation.h"
#include "ocr/strip.h"

enum { stray_chars = 2 };
static const float stray_sureness = 0.4f;

struct qi_page_job {
    const qi_ocr *ocr;
    qi_grey stored, page; /* page: stored, or turned */
    uint8_t *turned_px;   /* owned; the turned page's, once one was needed */
    quire_box region;     /* of the stored page */
    bool rotation_settled;
    bool is_strip;  /* its last line is the whole page */
    qi_arena arena; /* layout, readings, result */
    qi_layout layout;
    qi_line_crop *crops;  /* one a line */
    qi_reading *readings; /* n_models a line */
    qi_line_task *tasks;  /* those lines and models that there is something to read for */
    uint32_t n_tasks;
    qi_turn turn;
    quire_page result;
};

uint64_t qi_page_job_bytes(uint32_t width, uint32_t height) {
    /* The turned copy, the layout's masks and components, readings and result. */
    return (uint64_t)width * height * 3 + (4 << 20);
}

/* The part of a page that a request wants, in its pixels. */
static quire_box region_of(const quire_request *r, uint32_t width, uint32_t height) {
    quire_box whole = {0, 0, (int32_t)width, (int32_t)height};
    if (!r || !r->region.set) return whole;
    float v[4];
    for (int i = 0; i < 4; i++) {
        float side = (float)(i % 2 ? height : width);
        v[i] = r->region.percent[i] ? r->region.value[i] * side / 100 : r->region.value[i];
        v[i] = v[i] < 0 ? 0 : v[i] > side ? side : v[i];
    }
    quire_box b = {(int32_t)v[0], (int32_t)v[1], (int32_t)(v[0] + v[2]), (int32_t)(v[1] + v[3])};
    if (b.x1 > whole.x1) b.x1 = whole.x1;
    if (b.y1 > whole.y1) b.y1 = whole.y1;
    return b;
}

quire_err qi_page_job_new(const qi_ocr *ocr, qi_grey pixels, float dpi, uint32_t page_index,
                          const quire_request *request, uint64_t decode_ns, qi_page_job **ret_job) {
    qi_page_job *j = calloc(1, sizeof *j);
    if (!j) return QUIRE_ERR_NO_MEMORY;
    j->ocr = ocr;
    j->stored = j->page = pixels;
    j->turn = (qi_turn){0, pixels.width, pixels.height};
    j->region = region_of(request, pixels.width, pixels.height);
    j->result = (quire_page){.index = page_index,
                             .width_px = pixels.width,
                             .height_px = pixels.height,
                             .dpi = dpi,
                             .timings = {.decode_ns = decode_ns}};
    *ret_job = j;
    return QUIRE_ERR_OK;
}

quire_err qi_page_job_new_failed(uint32_t page_index, quire_err error, const char *text,
                                 qi_page_job **ret_job) {
    qi_page_job *j = calloc(1, sizeof *j);
    if (!j) return QUIRE_ERR_NO_MEMORY;
    j->result.index = page_index;
    qi_page_job_fail(j, error, text);
    *ret_job = j;
    return QUIRE_ERR_OK;
}

void qi_page_job_free(qi_page_job *j) {
    if (!j) return;
    free(j->turned_px);
    qi_arena_done(&j->arena);
    free(j);
}

void qi_page_job_fail(qi_page_job *j, quire_err error, const char *text) {
    qi_arena_reset(&j->arena);
    j->layout = (qi_layout){0};
    j->n_tasks = 0;
    const quire_page *r = &j->result;
    j->result = (quire_page){.index = r->index,
                             .error = error,
                             .error_text = quire_err_text(error),
                             .width_px = r->width_px,
                             .height_px = r->height_px,
                             .timings = r->timings};
    const char *copy = qi_arena_strndup(&j->arena, text, strlen(text));
    if (copy) j->result.error_text = copy;
}

const quire_page *qi_page_job_page(const qi_page_job *j) {
    return &j->result;
}

/* The region as it lies on the turned page. */
static quire_box turned_region(quire_box b, qi_turn t) {
    int32_t w = (int32_t)t.width, h = (int32_t)t.height;
    switch (t.rotation) {
    case 90:
        return (quire_box){h - b.y1, b.x0, h - b.y0, b.x1};
    case 180:
        return (quire_box){w - b.x1, h - b.y1, w - b.x0, h - b.y0};
    case 270:
        return (quire_box){b.y0, w - b.x1, b.y1, w - b.x0};
    default:
        return b;
    }
}

/* Crops and tasks for every line and model. */
static quire_err plan_lines(qi_page_job *j) {
    const qi_ocr *ocr = j->ocr;
    uint32_t n = j->layout.n_lines;
    size_t n_all = (size_t)n * ocr->n_models;
    j->crops = qi_arena_alloc(&j->arena, n_all, sizeof *j->crops);
    j->readings = qi_arena_alloc(&j->arena, n_all, sizeof *j->readings);
    j->tasks = qi_arena_alloc(&j->arena, n_all, sizeof *j->tasks);
    j->n_tasks = 0;
    if (!j->crops || !j->readings || !j->tasks) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < n_all; i++) {
        uint32_t m = i % ocr->n_models;
        j->crops[i] = qi_line_crop_of(&j->layout.lines[i / ocr->n_models], &j->page,
                                      ocr->models[m]->file->height, QI_LINE_MAX_WIDTH_PX);
        if (!j->crops[i].scaled_width) continue;
        quire_err err =
            qi_reading_init(&j->readings[i], ocr->models[m], j->crops[i].scaled_width, &j->arena);
        if (err) return err;
        j->tasks[j->n_tasks++] =
            (qi_line_task){.job = j, .index = i, .model = m, .width_px = j->crops[i].scaled_width};
    }
    return QUIRE_ERR_OK;
}

quire_err qi_page_job_prepare(qi_page_job *j, qi_ocr_session *session,
                              const qi_deadline *deadline) {
    uint64_t start = qi_clock_thread_ns();
    qi_arena_reset(&j->arena);
    quire_err err =
        qi_layout_find(&j->page, turned_region(j->region, j->turn), j->ocr->right_to_left, deadline,
                       &j->arena, &session->scratch, &j->layout);
    j->is_strip = qi_strip_likely(&j->page);
    if (!err && j->is_strip) err = qi_strip_add(&j->layout, &j->page, &j->arena);
    if (!err) err = plan_lines(j);
    j->result.timings.layout_ns += qi_clock_thread_ns() - start;
    return err;
}

qi_line_task *qi_page_job_lines(qi_page_job *j, uint32_t *ret_n) {
    *ret_n = j->n_tasks;
    return j->tasks;
}

void qi_ocr_read_lines(qi_ocr_session *session, qi_line_task *const tasks[], uint32_t n) {
    qi_line_job jobs[QI_BATCH_MAX_LINES];
    if (!n) return;
    for (uint32_t i = 0; i < n; i++) {
        qi_page_job *j = tasks[i]->job;
        uint32_t at = tasks[i]->index;
        jobs[i] =
            (qi_line_job){.page = &j->page,
                          .crop = &j->crops[at],
                          .white_on_black = j->layout.lines[at / j->ocr->n_models].white_on_black,
                          .second_look = true,
                          .reading = &j->readings[at]};
    }
    qi_line_reader_read(session->readers[tasks[0]->model], jobs, n);
}

/* The probability that a character of the reading is right. */
static float mean_sureness(const qi_reading *r, uint32_t *ret_n_chars) {
    float sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_words; i++) {
        sum += qi_word_confidence(&r->words[i]) * (float)r->words[i].n_chars;
        n += r->words[i].n_chars;
    }
    *ret_n_chars = n;
    return n ? sum / (float)n : 0;
}

/* Whether a line is worth giving out: text, and not one or two characters that are likely wrong. */
static bool is_worth(const qi_reading *r) {
    uint32_t n_chars;
    float sure = mean_sureness(r, &n_chars);
    return qi_reading_is_text(r) && (n_chars > stray_chars || sure >= stray_sureness);
}

/* Of each line's readings the surest; sums up how well the page reads. */
static quire_err best_readings(qi_page_job *j, qi_read_line **ret_lines,
                               qi_legibility *ret_legibility) {
    const qi_ocr *ocr = j->ocr;
    qi_read_line *lines = qi_arena_alloc(&j->arena, j->layout.n_lines, sizeof *lines);
    if (!lines) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < j->layout.n_lines; i++) {
        float best = -1;
        for (uint32_t m = 0; m < ocr->n_models; m++) {
            uint32_t at = i * ocr->n_models + m;
            const qi_reading *r = &j->readings[at];
            j->result.timings.crop_ns += r->crop_ns;
            j->result.timings.recognise_ns += r->recognise_ns;
            j->result.timings.text_ns += r->text_ns;
            if (r->error) return r->error;
            uint32_t n_chars;
            float sure = mean_sureness(r, &n_chars);
            if (!j->crops[at].scaled_width || sure <= best) continue;
            best = sure;
            lines[i] = (qi_read_line){j->crops[at], r, ocr->info[m].language};
        }
    }
    if (j->is_strip) qi_strip_choose(lines, j->layout.n_lines);
    for (uint32_t i = 0; i < j->layout.n_lines; i++) {
        if (!lines[i].reading) continue;
        qi_legibility_add(ret_legibility, lines[i].reading, &lines[i].crop);
        if (!is_worth(lines[i].reading)) lines[i].reading = NULL;
    }
    *ret_lines = lines;
    return QUIRE_ERR_OK;
}

/* Turns the page so that the steps begin anew on the turned one. */
static void turn_page(qi_page_job *j, int rotation) {
    j->turn.rotation = rotation;
    j->page = (qi_grey){j->turned_px, j->stored.width, j->stored.height, j->stored.width};
    if (rotation != 180)
        j->page = (qi_grey){j->turned_px, j->stored.height, j->stored.width, j->stored.height};
    qi_grey_turn(&j->stored, rotation, &j->page);
}

/* Tries the other orientations; *ret_turned when the page has to be read again. */
static quire_err settle_rotation(qi_page_job *j, qi_ocr_session *session,
                                 const qi_legibility *legibility, const qi_deadline *deadline,
                                 bool *ret_turned) {
    j->rotation_settled = true;
    *ret_turned = false;
    if (!qi_orientation_doubtful(legibility)) return QUIRE_ERR_OK;
    j->turned_px = malloc((size_t)j->stored.width * j->stored.height);
    if (!j->turned_px) return QUIRE_ERR_NO_MEMORY;
    int rotation;
    quire_err err = qi_orientation_find(j->ocr, session, &j->stored, legibility, j->turned_px,
                                        deadline, &rotation);
    if (err || !rotation) return err;
    turn_page(j, rotation);
    *ret_turned = true;
    return qi_page_job_prepare(j, session, deadline);
}

qi_page_step qi_page_job_finish(qi_page_job *j, qi_ocr_session *session,
                                const qi_deadline *deadline, quire_err *ret_error) {
    uint64_t start = qi_clock_thread_ns();
    bool turned = false;
    qi_legibility legibility = {0};
    qi_read_line *lines;
    quire_err err = best_readings(j, &lines, &legibility);
    if (!err && !j->rotation_settled)
        err = settle_rotation(j, session, &legibility, deadline, &turned);
    if (!err && !turned)
        err = qi_compose_page(&j->layout, lines, j->turn, j->region, &j->arena, &j->result);
    j->result.timings.compose_ns += qi_clock_thread_ns() - start;
    if (err) {
        *ret_error = err;
        return QI_PAGE_FAILED;
    }
    if (turned) return QI_PAGE_MORE;
    j->result.rotation = j->turn.rotation;
    if (j->result.dpi <= 0 && j->layout.dpi > 0) {
        j->result.dpi = j->layout.dpi;
        j->result.dpi_estimated = true;
    }
    return QI_PAGE_DONE;
}
