/* The steps of page_job.h. With several models a page is read in the rounds of model_choice.h. It
 * is first read as it is stored; only when that reads poorly, or finds no text at all, are the
 * other three orientations tried on a few of their longest lines, and the page read again if one of
 * them reads clearly better. */
#include "ocr/page_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/blank.h"
#include "image/turn.h"
#include "ocr/compose.h"
#include "ocr/layer_check.h"
#include "ocr/layer_merge.h"
#include "ocr/model_choice.h"
#include "ocr/ocr_models.h"
#include "ocr/orientation.h"
#include "ocr/page_region.h"
#include "ocr/strip.h"

/* From here on a page is made level before it is read. */
static const float level_from_degrees = 1.5f;
enum { stray_chars = 2 };
static const float stray_sureness = 0.4f;

struct qi_page_job {
    const qi_ocr *ocr;
    qi_model_set models;  /* that it is read with */
    qi_grey stored, page; /* page: as it is read */
    uint8_t *turned_px;   /* owned; the turned page's, once one was needed */
    uint8_t *level_px;    /* owned; the level page's, where the page climbs */
    quire_box region;     /* of the stored page */
    bool rotation_settled;
    bool is_strip;  /* its last line is the whole page */
    qi_arena arena; /* layout, readings, result */
    qi_layout layout;
    qi_line_crop *crops;  /* models.n a line */
    qi_reading *readings; /* the same; those that were read */
    qi_line_task *tasks;  /* of this round */
    uint32_t n_tasks;
    qi_model_choice choice;
    qi_pose pose;
    qi_layer_use layer; /* page NULL: none, or not believed any more */
    uint32_t sample[QI_LAYER_SAMPLE_LINES], n_sample; /* lines that are compared now; 0: none */
    quire_page result;
};

uint64_t qi_page_job_bytes(uint32_t width, uint32_t height) {
    /* The turned copy, the level one (up to 1.6 times the page), the layout's masks and components,
     * readings and result. */
    return (uint64_t)width * height * 9 / 2 + (4 << 20);
}

quire_err qi_page_job_new(const qi_ocr *ocr, const qi_model_set *models, qi_grey pixels, float dpi,
                          uint32_t page_index, const quire_request *request, uint64_t decode_ns,
                          qi_page_job **ret_job) {
    qi_page_job *j = calloc(1, sizeof *j);
    if (!j) return QUIRE_ERR_NO_MEMORY;
    j->ocr = ocr;
    j->models = *models;
    j->stored = j->page = pixels;
    j->pose = (qi_pose){.width = pixels.width, .height = pixels.height};
    j->region = qi_page_region(request, pixels.width, pixels.height);
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

void qi_page_job_use_layer(qi_page_job *j, const qi_layer_use *use) {
    j->layer = *use;
    j->rotation_settled = true;
}

/* The n-th model that the page is read with. */
static const qi_line_model *model_of(const qi_page_job *j, uint32_t n) {
    return j->ocr->models[j->models.at[n]];
}

static bool is_right_to_left(const qi_page_job *j) {
    return model_of(j, 0)->file->charset.right_to_left;
}

/* Tasks for what is to be read next, storage for their readings; none when all was read. */
static quire_err plan_round(qi_page_job *j) {
    const uint32_t n_models = j->models.n;
    j->n_tasks = 0;
    while (!j->n_tasks && qi_model_choice_next(&j->choice)) {
        for (uint32_t i = 0; i < j->layout.n_lines * n_models; i++) {
            uint32_t m = i % n_models, width = j->crops[i].scaled_width;
            if (!j->choice.wanted[i]) continue;
            j->choice.sureness[i] = 0;
            if (!width) continue;
            quire_err err = qi_reading_init(&j->readings[i], model_of(j, m), width, &j->arena);
            if (err) return err;
            j->tasks[j->n_tasks++] =
                (qi_line_task){.job = j, .index = i, .model = j->models.at[m], .width_px = width};
        }
    }
    return QUIRE_ERR_OK;
}

/* Crops of every line for every model, and the first round. */
static quire_err plan_lines(qi_page_job *j) {
    const uint32_t n = j->layout.n_lines, n_models = j->models.n;
    size_t n_all = (size_t)n * n_models;
    j->crops = qi_arena_alloc(&j->arena, n_all, sizeof *j->crops);
    j->readings = qi_arena_alloc(&j->arena, n_all, sizeof *j->readings);
    j->tasks = qi_arena_alloc(&j->arena, n_all, sizeof *j->tasks);
    if (!j->crops || !j->readings || !j->tasks) return QUIRE_ERR_NO_MEMORY;
    quire_err err = qi_model_choice_init(&j->choice, n, n_models, &j->arena);
    if (err) return err;
    for (uint32_t i = 0; i < n_all; i++) {
        uint32_t line = i / n_models, height = model_of(j, i % n_models)->file->height;
        j->crops[i] =
            qi_line_crop_of(&j->layout.lines[line], &j->page, height, QI_LINE_MAX_WIDTH_PX);
        if (j->crops[i].scaled_width > j->choice.lengths[line])
            j->choice.lengths[line] = j->crops[i].scaled_width;
    }
    return plan_round(j);
}

static quire_err find_layout(qi_page_job *j, qi_ocr_session *session, const qi_deadline *deadline) {
    qi_arena_reset(&j->arena);
    return qi_layout_find(&j->page, qi_pose_box_as_read(&j->pose, j->region), is_right_to_left(j),
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

/* The layer is not what the page shows: the page is read as if it had none. */
static void drop_layer(qi_page_job *j) {
    j->layer = (qi_layer_use){0};
    j->rotation_settled = false;
    j->result.text_reason = QUIRE_REASON_DIFFERS;
}

/* The lines of the layer that are compared, as the layout. */
static quire_err prepare_sample(qi_page_job *j) {
    qi_arena_reset(&j->arena);
    j->layout = (qi_layout){0};
    j->layout.lines = qi_arena_alloc(&j->arena, j->n_sample, sizeof *j->layout.lines);
    if (!j->layout.lines) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < j->n_sample; i++)
        j->layout.lines[i] = qi_layer_line_place(&j->layer.page->lines[j->sample[i]]);
    j->layout.n_lines = j->n_sample;
    return QUIRE_ERR_OK;
}

/* What the layer leaves uncovered, as the layout. */
static quire_err prepare_rest(qi_page_job *j, qi_ocr_session *session,
                              const qi_deadline *deadline) {
    qi_arena_reset(&j->arena);
    quire_err err = qi_layer_mask(&j->stored, j->layer.uncovered, j->layer.n_uncovered,
                                  j->layer.page, &j->arena);
    return err ? err : find_layout(j, session, deadline);
}

static quire_err prepare_page(qi_page_job *j, qi_ocr_session *session,
                              const qi_deadline *deadline) {
    quire_err err = find_layout(j, session, deadline);
    if (!err) err = level_page(j, session, deadline);
    j->is_strip = qi_strip_likely(&j->page);
    if (!err && j->is_strip) err = qi_strip_add(&j->layout, &j->page, &j->arena);
    return err;
}

quire_err qi_page_job_prepare(qi_page_job *j, qi_ocr_session *session,
                              const qi_deadline *deadline) {
    uint64_t start = qi_clock_thread_ns();
    quire_err err;
    j->n_sample = j->layer.verify ? qi_layer_sample(j->layer.page, j->sample) : 0;
    if (j->layer.verify && !j->n_sample) drop_layer(j);
    if (j->n_sample)
        err = prepare_sample(j);
    else if (j->layer.page)
        err = prepare_rest(j, session, deadline);
    else
        err = prepare_page(j, session, deadline);
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
        jobs[i] = (qi_line_job){.page = &j->page,
                                .crop = &j->crops[at],
                                .white_on_black = j->layout.lines[at / j->models.n].white_on_black,
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
    qi_read_line *lines = qi_arena_alloc(&j->arena, j->layout.n_lines, sizeof *lines);
    if (!lines) return QUIRE_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < j->layout.n_lines; i++) {
        uint32_t m = qi_model_choice_best(&j->choice, i), at = i * j->models.n + m;
        if (!j->crops[at].scaled_width) continue;
        lines[i] =
            (qi_read_line){j->crops[at], &j->readings[at], j->ocr->info[j->models.at[m]].language};
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
    if (!qi_orientation_doubtful(legibility) || qi_grey_is_blank(&j->stored)) return QUIRE_ERR_OK;
    j->turned_px = malloc((size_t)j->stored.width * j->stored.height);
    if (!j->turned_px) return QUIRE_ERR_NO_MEMORY;
    int rotation;
    quire_err err = qi_orientation_find(j->ocr, j->models.at[0], session, &j->stored, legibility,
                                        j->turned_px, deadline, &rotation);
    if (err || !rotation) return err;
    turn_page(j, rotation);
    *ret_turned = true;
    return qi_page_job_prepare(j, session, deadline);
}

/* A reading as text; NULL: no memory. */
static const char *text_of(const qi_reading *r, qi_arena *arena) {
    char *text = qi_arena_alloc(arena, (r ? r->text_bytes + r->n_words : 0) + 1, 1), *at = text;
    for (uint32_t i = 0; text && r && i < r->n_words; i++) {
        memcpy(at, r->text + r->words[i].text_at, r->words[i].text_bytes);
        at += r->words[i].text_bytes;
    }
    return text;
}

/* Compares the sample with what was read; the page is prepared anew for what comes next, unless
 * *ret_done. */
static quire_err settle_sample(qi_page_job *j, const qi_read_line *lines, qi_ocr_session *session,
                               const qi_deadline *deadline, bool *ret_done) {
    qi_layer_verdict verdict = {0};
    for (uint32_t i = 0; i < j->n_sample; i++) {
        const char *text = text_of(lines[i].reading, &j->arena);
        if (!text) return QUIRE_ERR_NO_MEMORY;
        qi_layer_verdict_add(&verdict, j->layer.page->lines[j->sample[i]].text, text);
    }
    j->n_sample = 0;
    j->layer.verify = false;
    if (qi_layer_differs(&verdict)) drop_layer(j);
    *ret_done = j->layer.page && !j->layer.n_uncovered;
    return *ret_done ? QUIRE_ERR_OK : qi_page_job_prepare(j, session, deadline);
}

/* The result from the layer and, where parts were read, from those. */
static quire_err compose_layer(qi_page_job *j, const qi_read_line *lines) {
    j->result.text_reason = j->layer.reason;
    j->result.text_source = j->layer.n_uncovered ? QUIRE_SOURCE_MIXED : QUIRE_SOURCE_LAYER;
    j->result.n_blocks = j->result.n_lines = j->result.n_words = 0;
    quire_err err = QUIRE_ERR_OK;
    if (j->layer.n_uncovered)
        err = qi_compose_page(&j->layout, lines, &j->pose, j->region, &j->arena, &j->result);
    return err ? err : qi_layer_merge(j->layer.page, is_right_to_left(j), &j->arena, &j->result);
}

/* Every line was read: the result, or another reading of the page. */
static quire_err finish_reading(qi_page_job *j, qi_ocr_session *session,
                                const qi_deadline *deadline, bool *ret_again) {
    qi_legibility legibility = {0};
    qi_read_line *lines;
    quire_err err = best_readings(j, &lines, &legibility);
    if (!err && j->n_sample) {
        bool done = false;
        err = settle_sample(j, lines, session, deadline, &done);
        *ret_again = !err && !done;
    } else if (!err && !j->rotation_settled) {
        err = settle_rotation(j, session, &legibility, deadline, ret_again);
    }
    if (err || *ret_again) return err;
    if (j->layer.page) return compose_layer(j, lines);
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
