/* Reading answers; see answer.h. */
#include "client/answer.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static cJSON *parse(const qi_strbuf *body) {
    cJSON *o = body->data ? cJSON_ParseWithLength(body->data, body->length) : NULL;
    if (cJSON_IsObject(o)) return o;
    cJSON_Delete(o);
    return NULL;
}

/* A string of an object; "" where there is none. */
static const char *text_of(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

/* Ids go into URLs: what is none of the service's is not taken. */
static bool take_id(const char *text, char ret[QI_ANSWER_ID_BYTES]) {
    const size_t n = strlen(text);
    if (!n || n >= QI_ANSWER_ID_BYTES) return false;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != n)
        return false;
    memcpy(ret, text, n + 1);
    return true;
}

/* Codes are names of errors, with _ for -. OK: it is none. */
static quire_err err_of(const char *code) {
    char name[40];
    snprintf(name, sizeof name, "%s", code);
    for (char *at = name; *at; at++)
        if (*at == '_') *at = '-';
    for (unsigned e = QUIRE_ERR_OK + 1; e <= QUIRE_ERR_CANCELLED; e++)
        if (!strcmp(name, quire_err_name((quire_err)e))) return (quire_err)e;
    return QUIRE_ERR_OK;
}

/* Text of the service for a terminal. */
static void set_fate(quire_diag *diag, const char *code, const char *detail, const char *standard) {
    char shown[480];
    qi_fail(diag, err_of(code), "%s",
            qi_printable(shown, sizeof shown, *detail ? detail : standard));
}

bool qi_answer_take_document(const qi_strbuf *body, qi_answer_document *ret) {
    static const struct {
        const char *status;
        qi_answer_state state;
    } states[] = {{"queued", QI_ANSWER_WAITS},
                  {"running", QI_ANSWER_WAITS},
                  {"done", QI_ANSWER_DONE},
                  {"failed", QI_ANSWER_FAILED},
                  {"cancelled", QI_ANSWER_CANCELLED}};
    cJSON *o = parse(body);
    const char *status = text_of(o, "status");
    qi_answer_document d = {{0}};
    size_t i = 0;
    while (i < sizeof states / sizeof *states && strcmp(status, states[i].status) != 0)
        i++;
    const bool ok = i < sizeof states / sizeof *states && take_id(text_of(o, "id"), d.id);
    if (ok) {
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(o, "error");
        d.state = states[i].state;
        set_fate(&d.fate, text_of(error, "code"), text_of(error, "detail"), "the document failed");
        if (!d.fate.code) d.fate.code = QUIRE_ERR_INTERNAL;
        *ret = d;
    }
    cJSON_Delete(o);
    return ok;
}

bool qi_answer_take_problem(const qi_strbuf *body, qi_answer_problem *ret) {
    cJSON *o = parse(body);
    const char *code = text_of(o, "code");
    const bool ok = *code && strlen(code) < sizeof ret->code;
    if (ok) {
        strcpy(ret->code, code);
        set_fate(&ret->diag, code, text_of(o, "detail"), code);
    }
    cJSON_Delete(o);
    return ok;
}

bool qi_answer_take_location(const char *location, char ret_id[QI_ANSWER_ID_BYTES]) {
    const char *slash = strrchr(location, '/');
    return slash && take_id(slash + 1, ret_id);
}
