/* Finding the components of a .traineddata file; see traineddata.h. */
#include "model/traineddata.h"

#include <stdarg.h>
#include <stdio.h>

enum { max_entries = 1000 }; /* more can only be another byte order or another kind of file */

const char *qi_model_package(char *out, size_t size, const char *language) {
    snprintf(out, size, "tesseract-ocr-%s", language);
    for (char *c = out; *c; c++)
        if (*c == '_') *c = '-';
    return out;
}

quire_err qi_model_corrupt(const qi_model_source *source, quire_diag *diag, const char *format,
                           ...) {
    char what[200], package[80], name[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return qi_fail(diag, QUIRE_ERR_MODEL_CORRUPT,
                   "%s: the model file is damaged: %s; reinstall it: apt-get install --reinstall "
                   "%s",
                   qi_printable(name, sizeof name, source->name), what,
                   qi_model_package(package, sizeof package, source->language));
}

quire_err qi_traineddata_parse(const void *data, size_t n, const qi_model_source *source,
                               qi_traineddata *ret, quire_diag *diag) {
    qi_bytes b = qi_bytes_of(data, n);
    uint32_t n_entries = qi_bytes_u32(&b);
    if (b.bad) return qi_model_corrupt(source, diag, "it has %zu bytes", n);
    if (n_entries > max_entries)
        return qi_model_corrupt(source, diag, "it does not start as a traineddata file");
    const uint8_t *table = qi_bytes_take(&b, n_entries * sizeof(int64_t));
    if (!table) return qi_model_corrupt(source, diag, "the table of components is cut off");
    size_t header = n - qi_bytes_left(&b);

    /* A component ends where the next one that is present starts. */
    qi_traineddata t = {0};
    size_t end = n;
    for (uint32_t i = n_entries; i-- > 0;) {
        int64_t at;
        memcpy(&at, table + i * sizeof at, sizeof at);
        if (at == -1) continue;
        if (at < (int64_t)header || (uint64_t)at > end)
            return qi_model_corrupt(source, diag,
                                    "component %u lies at byte %lld, outside %zu to %zu", i,
                                    (long long)at, header, end);
        if (i < QI_N_PARTS && (size_t)at < end) {
            t.part[i].data = (const uint8_t *)data + at;
            t.part[i].n = end - (size_t)at;
        }
        end = (size_t)at;
    }
    *ret = t;
    return QUIRE_ERR_OK;
}
