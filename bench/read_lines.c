/* Reads line images with Quire's own line reader, for bench/line_parity: the counterpart of
 * reference_lines. It calls the rooms below the pipeline, as a test does, because the public
 * interface reads pages.
 *
 * usage: read_lines MODEL-DIR LANGUAGE [--steps] < list-of-PGM-files
 *
 * Prints for each image two lines: its text as the reference would write it (a space for each word
 * of blanks it drops, marks of direction), and as Quire does. With --steps it prints a third line:
 * the most probable label of each time step, joined by U+001F, named as the reference names them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/network.h"
#include "ocr/beam.h"
#include "ocr/line_reader.h"

typedef struct program {
    qi_line_model *model;
    qi_line_reader *reader;
    const qi_lstm_model *file; /* the same once more, to run its parts one by one */
    qi_network *network;
    qi_session *session;
    qi_beam *beam;
} program;

/* An 8-bit PGM; the pixels are the caller's to free. */
static bool load_pgm(const char *path, qi_grey *ret) {
    FILE *f = fopen(path, "rb");
    unsigned width, height;
    bool ok = f && fscanf(f, "P5 %u %u 255", &width, &height) == 2 && fgetc(f) != EOF &&
              width > 0 && height > 0 && width <= 1u << 16 && height <= 1u << 14;
    uint8_t *px = ok ? malloc((size_t)width * height) : NULL;
    ok = px && fread(px, 1, (size_t)width * height, f) == (size_t)width * height;
    if (f) fclose(f);
    if (!ok) {
        free(px);
        return false;
    }
    *ret = (qi_grey){.px = px, .width = width, .height = height, .stride = width};
    return true;
}

static void print_text(const qi_reading *reading) {
    for (uint32_t i = 0; i < reading->n_words; i++) {
        const qi_read_word *w = &reading->words[i];
        if (i && w->space_before) putchar(' ');
        fwrite(reading->text + w->text_at, 1, w->text_bytes, stdout);
    }
    putchar('\n');
}

/* The reference names class i by character i + 2, the first by the space and the last two by
 * nothing: right for models that are not re-coded, and one-to-one for all. */
static const char *label_name(const qi_lstm_model *m, uint32_t label) {
    if (label + 2 >= m->n_classes) return "";
    uint32_t id = label ? label + 2 : 0;
    return id < m->charset.n ? m->charset.text + m->charset.chars[id].text_at : "";
}

static void print_labels(const qi_lstm_model *m, const qi_output *out) {
    for (uint32_t t = 0; t < out->n_steps; t++)
        printf("%s\x1f", label_name(m, out->steps[t].best));
    putchar('\n');
}

/* What the beam makes of the network's output, in the reference's form. */
static bool print_reference_text(qi_beam *beam, const qi_output *out) {
    qi_beam_line line;
    qi_strbuf text = {0};
    bool ok = !qi_beam_decode(beam, out->steps, out->n_steps, &line);
    if (ok) qi_beam_append_reference_text(beam, &text);
    printf("%s\n", text.data ? text.data : "");
    qi_strbuf_done(&text);
    return ok;
}

/* Runs crop, network and beam one by one on the reading that was kept. */
static bool print_parts(program *p, const qi_grey *image, const qi_line_crop *crop,
                        const qi_reading *reading, bool steps) {
    uint32_t height = p->file->height, width = crop->scaled_width;
    size_t n_px = (size_t)width * height;
    uint32_t n_steps = qi_network_steps(p->network, width);
    uint8_t *grey_px = malloc(n_px);
    float *pixels = malloc(n_px * sizeof(float));
    void *scratch = malloc(qi_line_crop_scratch_bytes(crop, height));
    qi_ctc_step *to = malloc(((size_t)n_steps + 1) * sizeof *to);
    bool ok = grey_px && pixels && scratch && to;
    if (ok) {
        qi_grey grey = {.px = grey_px, .width = width, .height = height, .stride = width};
        qi_line_crop_extract(crop, image, false, &grey, scratch);
        qi_line_levels levels = qi_line_levels_of(&grey, reading->inverted);
        if (p->file->integer)
            qi_line_to_s8(&grey, levels, reading->inverted, (int8_t *)pixels);
        else
            qi_line_to_f32(&grey, levels, reading->inverted, pixels);
        qi_output out = {.steps = to, .blank = p->file->blank};
        ok = !qi_session_run(p->session, 1, &(qi_sample){.pixels = pixels, .width = width}, &out) &&
             print_reference_text(p->beam, &out);
        if (ok) print_text(reading);
        if (ok && steps) print_labels(p->file, &out);
    }
    free(grey_px);
    free(pixels);
    free(scratch);
    free(to);
    return ok;
}

static bool read_image(program *p, const char *path, bool steps) {
    qi_grey image;
    if (!load_pgm(path, &image)) {
        fprintf(stderr, "%s: not an 8-bit PGM\n", path);
        return false;
    }
    qi_line_crop crop = qi_line_crop_whole(&image, p->model->file->height, QI_LINE_MAX_WIDTH_PX);
    qi_arena arena = {0};
    qi_reading reading = {0};
    bool ok = true;
    if (crop.scaled_width) {
        ok = !qi_reading_init(&reading, p->model, crop.scaled_width, &arena);
        if (ok)
            qi_line_reader_read(
                p->reader, &(qi_line_job){.page = &image, .crop = &crop, .reading = &reading}, 1);
    }
    if (ok && crop.scaled_width)
        ok = print_parts(p, &image, &crop, &reading, steps);
    else if (ok)
        fputs(steps ? "\n\n\n" : "\n\n", stdout);
    qi_arena_done(&arena);
    free(image.px);
    return ok;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: read_lines MODEL-DIR LANGUAGE [--steps] < list\n");
        return 1;
    }
    bool steps = argc > 3 && !strcmp(argv[3], "--steps");
    program p = {0};
    quire_diag diag = {0};
    quire_err err = qi_line_model_open(argv[2], argv[1], &p.model, &diag);
    if (!err) err = qi_line_reader_new(p.model, NULL, &p.reader);
    if (!err) err = qi_lstm_model_open(qi_line_model_info(p.model).path, argv[2], &p.file, &diag);
    if (!err) err = qi_network_new(p.file->graph, qi_cpu_level_now(), &p.network, &diag);
    if (!err) err = qi_session_new(p.network, 1, QI_LINE_MAX_WIDTH_PX, &p.session, &diag);
    if (!err) err = qi_beam_new(p.file, true, &p.beam);
    if (err) {
        fprintf(stderr, "%s: %s\n", argv[2], diag.text[0] ? diag.text : quire_err_text(err));
        return 1;
    }
    char path[4096];
    bool ok = true;
    while (ok && fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        ok = read_image(&p, path, steps);
    }
    qi_beam_free(p.beam);
    qi_session_free(p.session);
    qi_network_free(p.network);
    qi_lstm_model_free(p.file);
    qi_line_reader_free(p.reader);
    qi_line_model_free(p.model);
    return ok ? 0 : 1;
}
