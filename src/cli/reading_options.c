/* Parsers and checks of reading_options.h. */
#include "cli/reading_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *qi_text_layer_choice(size_t i) {
    static const char *const names[] = {
        [QUIRE_TEXT_LAYER_AUTO] = "auto",
        [QUIRE_TEXT_LAYER_VERIFIED] = "verified",
        [QUIRE_TEXT_LAYER_ONLY] = "only",
        [QUIRE_TEXT_LAYER_OFF] = "off",
    };
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

const char *qi_text_layer_name(quire_text_layer use) {
    return qi_text_layer_choice((size_t)use);
}

bool qi_parse_text_layer(const char *text, void *field) {
    const char *name;
    for (size_t i = 0; (name = qi_text_layer_choice(i)); i++)
        if (!strcmp(text, name)) {
            *(quire_text_layer *)field = (quire_text_layer)i;
            return true;
        }
    return false;
}

bool qi_parse_region(const char *text, void *field) {
    quire_request request = *(quire_request *)field;
    for (int i = 0; i < 4; i++) {
        char *end;
        if (!strchr("0123456789.", *text) || !*text) return false;
        double v = strtod(text, &end);
        if (end == text || !isfinite(v) || v > 1e6) return false;
        request.region.percent[i] = *end == '%';
        if (*end == '%') end++;
        if (request.region.percent[i] && v > 100) return false;
        if (*end != (i < 3 ? ',' : 0)) return false;
        if (i >= 2 && v <= 0) return false;
        request.region.value[i] = (float)v;
        text = end + 1;
    }
    request.region.set = true;
    *(quire_request *)field = request;
    return true;
}

void qi_reading_options_init(qi_reading_options *r) {
    *r = (qi_reading_options){.recursive = true};
    quire_options_init(&r->reader);
    quire_request_init(&r->request);
}

quire_err qi_reading_options_check(const qi_reading_options *r, int n_inputs, char **inputs,
                                   quire_diag *diag) {
    int n_stdin = r->files_from && !strcmp(r->files_from, "-");
    for (int i = 0; i < n_inputs; i++) {
        if (!*inputs[i]) return qi_fail(diag, QUIRE_ERR_USAGE, "an input has an empty name");
        n_stdin += !strcmp(inputs[i], "-");
    }
    if (n_stdin > 1)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "standard input can be used once, as an input or by --files-from -");
    if (!n_inputs && !r->files_from)
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "there is nothing to read; name files or folders, or - for standard input");
    return QUIRE_ERR_OK;
}
