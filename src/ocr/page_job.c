/* The steps of page_job.h. With several models a page is read in the rounds of model_choice.h. It
 * is first read as it is stored; only when that reads poorly, or finds no text at all, are the
 * other three orientations tried on a few of their longest lines, and the page read again if one of
 * them reads clearly better. */
#include "ocr/page_job.h"

#include <math.h>
#include <stdlib.h>

#include "image/turn.h"
#include "ocr/compose.h"
#include "ocr/model_choice.h"
#include "ocr/ocr_models.h"
#include "ocr/orientation.h"
#include "ocr/strip.h"

/* From here on a page is made level before it is read. */
static const float level_from_degrees = 1.5f;
enum { stray_chars = 2 };
static const float stray_sureness = 0.4f;

struct qi_page_job {
    const qi_ocr *ocr;
    qi_grey stored, page; /* page: as it is read */
    uint8_t *turned_px;   /* owned; the turned page's, once one was needed */
    uint8_t *level_px;    /* owned; the level page's, where the page climbs */
    quire_box region;     /* of the stored page */
    bool rotation_settled;
    bool is_strip;  /* its last line is the whole page */
    qi_arena arena; /* layout, readings, result */
    qi_layout layout;
    qi_line_crop *crops;  /* n_models a line */
    qi_reading *readings; /* the same; those that were read */
    qi_line_task *tasks;  /* of this round */
    uint32_t n_tasks;
    qi_model_choice choice;
    qi_pose pose;
    quire_page result;
};

uint64_t qi_page_job_bytes(uint32_t width, uint32_t height) {
    /* The turned copy, the level one (up to 1.6 times the page), the layout's masks and components,
     * readings and result. */
    return (uint64_t)width * height * 9 / 2 + (4 << 20);
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
    j->pose = (qi_pose){.width = pixels.width, .height = pixels.height};
    j->region = region_of(request, pixels.width, pixels.height);
    j->result = (quire_page){.index = page_index,
                             .width_px = pixels.width,
                             .height_px = pixels.height,
                             .dpi = dpi,
                             .timings = {.decode_ns = decode_ns}};
    *ret_job = j;
    return QUIRE_ERR_OK;
}

void qi_page_job_free(qi_page_job *j) {
    if (!j) return;
    free(j->turned_px);
    free(j->level_px);
    qi_arena_done(&j->arena);
    free(j);
}

const quire_page *qi_page_job_page(const qi_page_job *j) {
    return &j->result;
}

/* Tasks for what is to be read next, storage for their readings; none when all was read. */
static quire_err plan_round(qi_page_job *j) {
    const qi_ocr *ocr = j->ocr;
    j->n_tasks = 0;
    while (!j->n_tasks && qi_model_choice_next(&j->choice)) {
        for (uint32_t i = 0; i < j->layout.n_lines * ocr->n_models; i++) {
            uint32_t m = i % ocr->n_models, width = j->crops[i].scaled_width;
            if (!j->choice.wanted[i]) continue;
            j->choice.sureness[i] = 0;
            if (!width) continue;
            quire_err err = qi_reading_init(&j->readings[i], ocr->models[m], width, &j->arena);
            if (err) return err;
            j->tasks[j->n_tasks++] =
                (qi_line_task){.job = j, .index = i, .model = m, .width_px = width};
        }
    }
    return QUIRE_ERR_OK;
}

/* Crops of every line for every model, and the first round. */
static quire_err plan_lines(qi_page_job *j) {
    const qi_ocr *ocr = j->ocr;
    uint32_t n = j->layout.n_lines;
    size_t n_all = (size_t)n * ocr->n_models;
    j->crops = qi_arena_alloc(&j->arena, n_all, sizeof *j->crops);
    j->readings = qi_arena_alloc(&j->arena, n_all, sizeof *j->readings);
    j->tasks = qi_arena_alloc(&j->arena, n_all, sizeof *j->tasks);
    if (!j->crops || !j->readings || !j->tasks) return QUIRE_ERR_NO_MEMORY;
    quire_err err = qi_model_choice_init(&j->choice, n, ocr->n_models, &j->arena);
    if (err) return err;
    for (uint32_t i = 0; i < n_all; i++) {
        uint32_t line = i / ocr->n_models, height = ocr->models[i % ocr->n_models]->file->height;
        j->crops[i] =
            qi_line_crop_of(&j->layout.lines[line], &j->page, height, QI_LINE_MAX_WIDTH_PX);
        if (j->crops[i].scaled_width > j->choice.lengths[line])
            j->choice.lengths[line] = j->crops[i].scaled_width;
    }
    return plan_round(j);
}

static quire_err find_layout(qi_page_job *j, qi_ocr_session *session, const qi_deadline *deadline) {
    qi_arena_reset(&j->arena);
    return qi_layout_find(&j->page, qi_pose_box_as_read(&j->pose, j->region), j->ocr->right_to_left,
                          deadline, &j->arena, &session->scratch, &j->layout);
}

/* Where the text climbs, so that rules and rows are hard to see, makes the page level and finds the
 * layout anew. */
static quire_err level_page(qi_page_job *j, qi_ocr_session *session, const qi_deadline *deadline) {
    float skew = j->layout.skew_degrees;
    if (fabsf(skew) < level_from_degrees) return QUIRE_ERR_OK;
    qi_deskew d = qi_deskew_of(j->page.width, j->page.height, skew);
    j->level_px = malloc((size_t)d.width * d.height);
    if (!j->level_px) return QUIRE_ERR_NO_MEMORY;
    qi_grey level = {j->level_px, d.width, d.height, d.width};
    qi_grey_deskew(&j->page, &d, &level);
    j->page = level;
    j->pose.deskew = d;
    j->pose.deskewed = true;
    quire_err err = find_layout(j, session, deadline);
    j->layout.skew_degrees += skew;
    return err;
}

quire_err qi_page_job_prepare(qi_page_job *j, qi_ocr_session *session,
                              const qi_deadline *deadline) {
    uint64_t start = qi_clock_thread_ns();
    quire_err err = find_layout(j, session, deadline);
    if (!err) err = level_page(j, session, deadline);
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

/* The tasks were read: how sure, and what is to be read after that. */
static quire_err end_round(qi_page_job *j) {
    for (uint32_t i = 0; i < j->n_tasks; i++) {
        uint32_t at = j->tasks[i].index, n_chars;
        const qi_reading *r = &j->readings[at];
        if (r->error) return r->error;
        j->result.timings.crop_ns += r->crop_ns;
        j->result.timings.recognise_ns += r->recognise_ns;
        j->result.timings.text_ns += r->text_ns;
        j->choice.sureness[at] = mean_sureness(r, &n_chars);
    }
    return plan_round(j);
}

/* Of each line's readings the one to keep; sums up how well the page reads. */
static quire_err best_readings(qi_page_job *j, qi_read_line **ret_lines,
                               qi_legibility *ret_legibility) {
    const qi_ocr *ocr = j->ocr;
    qi_read_line *lines = qi_arena_alloc(&j->arena, j->layout.n_lines, sizeof *lines);
    if (!lines) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < j->layout.n_lines; i++) {
        uint32_t m = qi_model_choice_best(&j->choice, i), at = i * ocr->n_models + m;
        if (!j->crops[at].scaled_width) continue;
        lines[i] = (qi_read_line){j->crops[at], &j->readings[at], ocr->info[m].language};
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
    free(j->level_px);
    j->level_px = NULL;
    j->pose.deskewed = false;
    j->pose.rotation = rotation;
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

/* Every line was read: the result, or a turned page to be read instead. */
static quire_err finish_reading(qi_page_job *j, qi_ocr_session *session,
                                const qi_deadline *deadline, bool *ret_turned) {
    qi_legibility legibility = {0};
    qi_read_line *lines;
    quire_err err = best_readings(j, &lines, &legibility);
    if (!err && !j->rotation_settled)
        err = settle_rotation(j, session, &legibility, deadline, ret_turned);
    if (err || *ret_turned) return err;
    return qi_compose_page(&j->layout, lines, &j->pose, j->region, &j->arena, &j->result);
}

qi_page_step qi_page_job_finish(qi_page_job *j, qi_ocr_session *session,
                                const qi_deadline *deadline, quire_err *ret_error) {
    uint64_t start = qi_clock_thread_ns();
    bool more = false;
    quire_err err = end_round(j);
    if (!err && j->n_tasks)
        more = true;
    else if (!err)
        err = finish_reading(j, session, deadline, &more);
    j->result.timings.compose_ns += qi_clock_thread_ns() - start;
    if (err) {
        *ret_error = err;
        return QI_PAGE_FAILED;
    }
    if (more) return QI_PAGE_MORE;
    j->result.rotation = j->pose.rotation;
    if (j->result.dpi <= 0 && j->layout.dpi > 0) {
        j->result.dpi = j->layout.dpi;
        j->result.dpi_estimated = true;
    }
    return QI_PAGE_DONE;
}
