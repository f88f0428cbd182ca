/* Writing and reading of job options; see job_options.h. */
#include "service/job_options.h"

#include <nettle/sha2.h>
#include <string.h>

/* Names, in the order they are written. */
static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"languages", offsetof(qi_job_options, languages)},
    {"pages", offsetof(qi_job_options, pages)},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static const char **value_of(qi_job_options *options, size_t i) {
    return (const char **)((char *)options + fields[i].offset);
}

quire_err qi_job_options_write(const qi_job_options *options, qi_strbuf *out, quire_diag *diag) {
    qi_job_options o = *options;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *value = *value_of(&o, i);
        if (!value) continue;
        if (strchr(value, '\n'))
            return qi_fail(diag, QUIRE_ERR_USAGE, "%s: it has more than one line", fields[i].name);
        qi_strbuf_puts(out, fields[i].name);
        qi_strbuf_puts(out, "=");
        qi_strbuf_puts(out, value);
        qi_strbuf_puts(out, "\n");
    }
    qi_strbuf_append(out, "", 0);
    return out->failed ? qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for the options")
                       : QUIRE_ERR_OK;
}

quire_err qi_job_options_read(char *text, qi_job_options *ret, quire_diag *diag) {
    qi_job_options o = {0};
    for (char *line = text, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        char *value = strchr(line, '=');
        if (!end || !value || value > end)
            return qi_fail(diag, QUIRE_ERR_CORRUPT,
                           "the options kept with the document are damaged");
        *end = *value++ = 0;
        size_t i = 0;
        while (i < N_FIELDS && strcmp(line, fields[i].name) != 0)
            i++;
        if (i == N_FIELDS)
            return qi_fail(diag, QUIRE_ERR_CORRUPT,
                           "the options kept with the document have one that is not known: %s",
                           line);
        *value_of(&o, i) = value;
    }
    *ret = o;
    return QUIRE_ERR_OK;
}

void qi_job_result_key(const uint8_t sha256[QI_HASH_BYTES], const char *options,
                       const uint8_t reader[QI_HASH_BYTES], uint8_t ret[QI_HASH_BYTES]) {
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, QI_HASH_BYTES, sha256);
    sha256_update(&ctx, QI_HASH_BYTES, reader);
    sha256_update(&ctx, strlen(options), (const uint8_t *)options);
    sha256_digest(&ctx, QI_HASH_BYTES, ret);
}
