/* Page jobs that read fake pages; see fakes.h. They check how they are used: one thread a session,
 * batches of one model within the limits, each line once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "fake_script.h"
#include "fakes.h"
#include "ocr/page_job.h"

atomic_int fake_sessions_until_failure;

struct qi_ocr {
    quire_model_info models[2];
    uint32_t n_models;
};

struct qi_ocr_session {
    atomic_int users;
};

struct qi_page_job {
    const fake_pixels *pixels;
    uint32_t n_lines;
    qi_line_task *tasks;
    atomic_int *reads; /* how often each line was read in this round */
    bool turned;
    qi_arena arena;
    quire_page page;
};

static const char *const languages[] = {"eng", "deu"};

quire_err qi_ocr_new(const char *names, const char *model_dir, qi_ocr **ret_ocr, quire_diag *diag) {
    if (strstr(names, "none"))
        return qi_fail(diag, QUIRE_ERR_MODEL_MISSING, "no model for \"none\" is installed");
    qi_ocr *o = calloc(1, sizeof *o);
    if (!o) return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for models");
    o->n_models = strchr(names, '+') ? 2 : 1;
    for (uint32_t i = 0; i < o->n_models; i++)
        o->models[i].language = languages[i];
    atomic_fetch_add(&fakes.ocrs, 1);
    *ret_ocr = o;
    return QUIRE_ERR_OK;
}

void qi_ocr_free(qi_ocr *o) {
    if (o) atomic_fetch_sub(&fakes.ocrs, 1);
    free(o);
}

uint32_t qi_ocr_models(const qi_ocr *o, const quire_model_info **ret) {
    *ret = o->models;
    return o->n_models;
}

quire_err qi_ocr_choose(const qi_ocr *o, const char *names, qi_model_set *ret, quire_diag *diag) {
    if (names) return qi_fail(diag, QUIRE_ERR_USAGE, "fakes are read in all languages");
    *ret = (qi_model_set){.n = o->n_models, .at = {0, o->n_models - 1}};
    return QUIRE_ERR_OK;
}

quire_err qi_ocr_session_new(const qi_ocr *o, qi_line_cache *cache, qi_ocr_session **ret) {
    if (atomic_load(&fake_sessions_until_failure) > 0 &&
        atomic_fetch_sub(&fake_sessions_until_failure, 1) == 1)
        return QUIRE_ERR_NO_MEMORY;
    qi_ocr_session *s = calloc(1, sizeof *s);
    if (!s) return QUIRE_ERR_NO_MEMORY;
    *ret = s;
    atomic_fetch_add(&fakes.sessions, 1);
    return QUIRE_ERR_OK;
}

void qi_ocr_session_count(const qi_ocr_session *s, quire_line_counts *sum) {
    (void)s;
    (void)sum;
}

void qi_ocr_session_free(qi_ocr_session *s) {
    if (s) atomic_fetch_sub(&fakes.sessions, 1);
    free(s);
}

uint64_t qi_ocr_session_bytes(const qi_ocr *o) {
    return 1000000;
}

uint64_t qi_page_job_bytes(uint32_t width, uint32_t height) {
    return (uint64_t)width * height;
}

quire_err qi_page_job_new(const qi_ocr *o, const qi_model_set *models, qi_grey pixels, float dpi,
                          uint32_t page_index, const quire_request *request, uint64_t decode_ns,
                          qi_page_job **ret) {
    qi_page_job *j = calloc(1, sizeof *j);
    if (!j) return QUIRE_ERR_NO_MEMORY;
    j->pixels = (const fake_pixels *)pixels.px;
    j->n_lines = (uint32_t)j->pixels->script.lines;
    j->tasks = calloc(j->n_lines + 1, sizeof *j->tasks);
    j->reads = calloc(j->n_lines + 1, sizeof *j->reads);
    atomic_fetch_add(&fakes.jobs, 1);
    if (!j->tasks || !j->reads) {
        qi_page_job_free(j);
        return QUIRE_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < j->n_lines; i++)
        j->tasks[i] = (qi_line_task){.job = j,
                                     .index = i,
                                     .model = models->at[i % models->n],
                                     .width_px = (uint32_t)j->pixels->script.width + 37 * i % 100};
    j->page = (quire_page){.index = page_index,
                           .width_px = pixels.width,
                           .height_px = pixels.height,
                           .dpi = dpi,
                           .timings = {.decode_ns = decode_ns, .layout_ns = 2000}};
    *ret = j;
    return QUIRE_ERR_OK;
}

void qi_page_job_use_layer(qi_page_job *j, const qi_layer_use *use) {}

void qi_page_job_free(qi_page_job *j) {
    if (!j) return;
    atomic_fetch_sub(&fakes.jobs, 1);
    qi_arena_done(&j->arena);
    free(j->tasks);
    free(j->reads);
    free(j);
}

static void use(qi_ocr_session *s, unsigned long microseconds) {
    if (atomic_fetch_add(&s->users, 1) > 0) atomic_fetch_add(&fakes.shared_sessions, 1);
    fake_work((unsigned)microseconds);
    atomic_fetch_sub(&s->users, 1);
}

quire_err qi_page_job_prepare(qi_page_job *j, qi_ocr_session *s, const qi_deadline *deadline) {
    use(s, j->pixels->script.layout_us);
    return j->page.index + 1 == j->pixels->script.nolayout ? QUIRE_ERR_NO_MEMORY
                                                           : qi_deadline_check(deadline);
}

qi_line_task *qi_page_job_lines(qi_page_job *j, uint32_t *ret_n) {
    *ret_n = j->n_lines;
    return j->tasks;
}

void qi_ocr_read_lines(qi_ocr_session *s, qi_line_task *const tasks[], uint32_t n) {
    uint64_t width = 0, microseconds = 0;
    bool breach = n > QI_BATCH_MAX_LINES;
    for (uint32_t i = 0; i < n; i++) {
        width += tasks[i]->width_px;
        microseconds += tasks[i]->job->pixels->script.line_us;
        breach |= tasks[i]->model != tasks[0]->model;
        atomic_fetch_add(&tasks[i]->job->reads[tasks[i]->index], 1);
    }
    breach |= n > 1 && width > QI_BATCH_MAX_WIDTH_PX;
    if (breach) atomic_fetch_add(&fakes.batch_breaches, 1);
    atomic_fetch_add(&fakes.lines_read, (int)n);
    atomic_fetch_add(&fakes.batches, n > 0);
    use(s, microseconds);
}

static const char *line_text(qi_page_job *j, uint32_t i) {
    char text[400];
    int n = snprintf(text, sizeof text, "%s.%lu.%u", j->pixels->name, j->pixels->page, i);
    return qi_arena_strndup(&j->arena, text, (size_t)n);
}

qi_page_step qi_page_job_finish(qi_page_job *j, qi_ocr_session *s, const qi_deadline *deadline,
                                quire_err *ret_error) {
    use(s, 0);
    for (uint32_t i = 0; i < j->n_lines; i++)
        if (atomic_exchange(&j->reads[i], 0) != 1) {
            *ret_error = QUIRE_ERR_INTERNAL;
            return QI_PAGE_FAILED;
        }
    if (j->pixels->script.turned && !j->turned) {
        j->turned = true;
        return QI_PAGE_MORE;
    }
    uint32_t n = j->n_lines;
    quire_line *lines = qi_arena_alloc(&j->arena, n + 1, sizeof *lines);
    quire_word *words = qi_arena_alloc(&j->arena, n + 1, sizeof *words);
    quire_block *blocks = qi_arena_alloc(&j->arena, 1, sizeof *blocks);
    bool ok = lines && words && blocks;
    for (uint32_t i = 0; i < n && ok; i++) {
        const char *text = line_text(j, i);
        ok = text != NULL;
        words[i] = (quire_word){.text = text, .confidence = 1};
        lines[i] = (quire_line){
            .text = text, .language = languages[j->tasks[i].model], .first_word = i, .n_words = 1};
    }
    if (!ok) {
        *ret_error = QUIRE_ERR_NO_MEMORY;
        return QI_PAGE_FAILED;
    }
    blocks[0] = (quire_block){.n_lines = n};
    j->page.lines = lines;
    j->page.words = words;
    j->page.blocks = blocks;
    j->page.n_lines = j->page.n_words = n;
    j->page.n_blocks = 1;
    j->page.rotation = j->turned ? 90 : 0;
    return QI_PAGE_DONE;
}

const quire_page *qi_page_job_page(const qi_page_job *j) {
    return &j->page;
}
