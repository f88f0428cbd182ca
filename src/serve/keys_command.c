/* quire keys: adds, lists and revokes keys, beside a running service too. */
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/service_options.h"
#include "serve/serve_commands.h"
#include "service/data_folder.h"
#include "store/records.h"

static const struct {
    const char *name;
    uint32_t scope;
} scopes[] = {{"read", QI_SCOPE_READ}, {"write", QI_SCOPE_WRITE}, {"admin", QI_SCOPE_ADMIN}};

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static quire_err read_scopes(const char *text, uint32_t *ret, quire_diag *diag) {
    *ret = 0;
    for (const char *at = text;; at++) {
        const size_t n = strcspn(at, ",");
        size_t i = 0;
        while (i < 3 && (strlen(scopes[i].name) != n || strncmp(at, scopes[i].name, n) != 0))
            i++;
        if (i == 3)
            return qi_fail(diag, QUIRE_ERR_USAGE,
                           "--scopes: %s is to be a list of read, write and "
                           "admin",
                           text);
        *ret |= scopes[i].scope;
        at += n;
        if (!*at) return QUIRE_ERR_OK;
    }
}

static quire_err check_name(const char *what, const char *name, size_t max, quire_diag *diag) {
    const size_t n = strlen(name);
    bool is_good = n > 0 && n <= max;
    for (const char *at = name; is_good && *at; at++)
        is_good = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                  (*at >= '0' && *at <= '9') || strchr("-_.", *at);
    return is_good ? QUIRE_ERR_OK
                   : qi_fail(diag, QUIRE_ERR_USAGE,
                             "a %s has 1 to %zu letters, digits, - _ and . and nothing else", what,
                             max);
}

/* 160 random bits. */
static quire_err make_key(char ret[48], quire_diag *diag) {
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[32];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return qi_fail(diag, QUIRE_ERR_IO, "the system gives no random bytes");
    int n = snprintf(ret, 48, "qk_");
    for (int i = 0; i < 32; i++)
        ret[n + i] = digits[random[i] & 31];
    ret[n + 32] = 0;
    return QUIRE_ERR_OK;
}

static quire_err add(qi_records *records, const qi_keys_values *v, const char *name,
                     quire_diag *diag) {
    const qi_records_driver *driver = records->driver;
    char text[48];
    qi_key key = {.created_ms = now_ms()};
    quire_err err = check_name("name", name, QI_NAME_MAX_BYTES, diag);
    if (!err) err = check_name("tenant", v->tenant, QI_TENANT_MAX_BYTES, diag);
    if (!err) err = read_scopes(v->scopes, &key.scopes, diag);
    if (!err) err = make_key(text, diag);
    if (err) return err;
    qi_id_new('k', key.created_ms, key.id);
    snprintf(key.name, sizeof key.name, "%s", name);
    snprintf(key.tenant, sizeof key.tenant, "%s", v->tenant);
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, strlen(text), (const uint8_t *)text);
    sha256_digest(&ctx, sizeof key.hash, key.hash);
    err = driver->begin(records, diag);
    if (!err) err = driver->add_key(records, &key, diag);
    if (!err) err = driver->commit(records, diag);
    if (!err) printf("%s\n", text);
    return err;
}

static quire_err revoke(qi_records *records, const char *name, quire_diag *diag) {
    const qi_records_driver *driver = records->driver;
    quire_err err = driver->begin(records, diag);
    if (!err) err = driver->revoke_key(records, name, now_ms(), diag);
    return err ? err : driver->commit(records, diag);
}

static bool print_key(void *context, const qi_key *key) {
    char created[32];
    time_t seconds = (time_t)(key->created_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &tm);
    printf("%s\t%s\t", key->name, key->tenant);
    bool any = false;
    for (size_t i = 0; i < 3; i++)
        if (key->scopes & scopes[i].scope)
            printf("%s%s", any ? "," : "", scopes[i].name), any = true;
    printf("\t%s\t%s\n", created, key->revoked_ms ? "revoked" : "valid");
    return true;
}

static quire_err act(qi_records *records, const qi_keys_values *v, int n, char **operands,
                     quire_diag *diag) {
    if (n == 2 && !strcmp(operands[0], "add")) return add(records, v, operands[1], diag);
    if (n == 2 && !strcmp(operands[0], "revoke")) return revoke(records, operands[1], diag);
    if (n == 1 && !strcmp(operands[0], "list"))
        return records->driver->list_keys(records, print_key, NULL, diag);
    return qi_fail(diag, QUIRE_ERR_USAGE,
                   "keys takes add NAME, list, or revoke NAME; see quire keys --help");
}

int qi_serve_keys(int argc, char **argv) {
    qi_keys_values values = {"quire-data", "default", "read,write"};
    quire_diag diag;
    int first;
    qi_parse_result parsed =
        qi_options_parse(&qi_keys_options, argc, argv, &values, NULL, &first, &diag);
    if (parsed == QI_PARSE_STOP) return qi_finish_stdout();
    if (parsed == QI_PARSE_WRONG) return qi_command_fail(&diag);
    char *records_path = NULL, *objects_path = NULL;
    qi_records *records = NULL;
    quire_err err = qi_data_folder_make(values.data, &diag);
    if (!err) err = qi_data_folder_paths(values.data, &records_path, &objects_path, &diag);
    if (!err) err = qi_records_sqlite.open(records_path, &records, &diag);
    free(records_path);
    free(objects_path);
    if (err) return qi_command_fail(&diag);
    err = act(records, &values, argc - first, argv + first, &diag);
    records->driver->close(records);
    return err ? qi_command_fail(&diag) : qi_finish_stdout();
}
