/* From JSON to the numbers of measured.h. */
#include "cli/measured.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "cli/measurement.h"
#include "cli/whole_file.h"

enum { SHOWN_BYTES = 300 };

static const size_t max_file_bytes = (size_t)1 << 20;

static const cJSON *item(const cJSON *of, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(of, key);
}

static bool take_text(const cJSON *value, char *out, size_t size) {
    if (!cJSON_IsString(value)) return false;
    qi_printable(out, size, value->valuestring);
    return true;
}

static bool take_number(const cJSON *value, double least, double most, double *ret) {
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= least && value->valuedouble <= most))
        return false;
    *ret = value->valuedouble;
    return true;
}

/* null stands for what is not known: 0. */
static bool take_count(const cJSON *value, double least, double most, uint64_t *ret) {
    double number = 0;
    if (!cJSON_IsNull(value) && !take_number(value, least, most, &number)) return false;
    *ret = (uint64_t)number;
    return true;
}

static bool take_all(const cJSON *tree, qi_measured *m) {
    static const double most_rate = 1e6, least_rate = 1e-6, most_bytes = 1e15;
    const cJSON *machine = item(tree, "machine"), *rates = item(tree, "pages_per_second");
    const cJSON *one_job = item(tree, "one_job");
    uint64_t jobs = 0, cores = 0;
    bool ok =
        take_text(item(tree, "version"), m->version, sizeof m->version) &&
        take_text(item(machine, "cpu"), m->cpu, sizeof m->cpu) &&
        take_text(item(machine, "level"), m->level, sizeof m->level) &&
        take_text(item(item(tree, "options"), "language"), m->languages, sizeof m->languages) &&
        take_count(item(machine, "cores"), 1, 1e6, &cores) &&
        take_count(item(tree, "jobs"), 1, 512, &jobs) &&
        take_number(item(rates, "median"), least_rate, most_rate, &m->pages_per_second) &&
        take_number(item(rates, "least"), least_rate, most_rate, &m->least) &&
        take_number(item(rates, "most"), least_rate, most_rate, &m->most) &&
        take_number(item(tree, "cores_busy"), 0, 1e6, &m->cores_busy) &&
        take_count(item(tree, "peak_memory_bytes"), 1, most_bytes, &m->peak_bytes) &&
        take_count(item(item(tree, "pages"), "read"), 1, most_bytes, &m->n_pages) &&
        (cJSON_IsNull(one_job) || take_number(item(one_job, "pages_per_second"), least_rate,
                                              most_rate, &m->one_job_per_second));
    m->jobs = (uint32_t)jobs;
    m->cores = (uint32_t)cores;
    return ok && jobs && cores && m->n_pages;
}

static quire_err take_measurement(const cJSON *tree, const char *name, qi_measured *ret,
                                  quire_diag *diag) {
    const cJSON *schema = item(tree, "schema");
    qi_measured m = {0};
    char shown[SHOWN_BYTES];
    if (!cJSON_IsString(schema))
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: no measurement of quire; make one with quire bench --json FILE", name);
    if (strcmp(schema->valuestring, QI_MEASUREMENT_SCHEMA) != 0)
        return qi_fail(diag, QUIRE_ERR_UNSUPPORTED,
                       "%s: its schema is %s and not " QI_MEASUREMENT_SCHEMA
                       "; make one with quire bench --json FILE",
                       name, qi_printable(shown, sizeof shown, schema->valuestring));
    if (!take_all(tree, &m))
        return qi_fail(diag, QUIRE_ERR_CORRUPT,
                       "%s: a number of the measurement is missing or cannot be; make it anew with "
                       "quire bench --json FILE",
                       name);
    *ret = m;
    return QUIRE_ERR_OK;
}

quire_err qi_measured_load(const char *path, qi_measured *ret_measured, quire_diag *diag) {
    char name[SHOWN_BYTES];
    qi_strbuf bytes = {0};
    qi_printable(name, sizeof name, strcmp(path, "-") ? path : "standard input");
    quire_err err = qi_whole_file_read(path, max_file_bytes, &bytes, diag);
    cJSON *tree = !err && bytes.length ? cJSON_ParseWithLength(bytes.data, bytes.length) : NULL;
    if (tree)
        err = take_measurement(tree, name, ret_measured, diag);
    else if (!err)
        err = qi_fail(diag, QUIRE_ERR_CORRUPT,
                      "%s: not JSON; make a measurement with quire bench --json FILE", name);
    cJSON_Delete(tree);
    qi_strbuf_done(&bytes);
    return err;
}
