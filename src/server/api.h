/* The HTTP API of the service: what each route does (docs/http.md describes it for its users). All
 * of it runs on the loop's thread of http.h, reads the records by a connection of its own, and
 * changes them through the ledger. */
#ifndef QI_SERVER_API_H
#define QI_SERVER_API_H

#include <cjson/cJSON.h>

#include "server/http.h"
#include "server/waiters.h"
#include "service/service.h"

/* The context of qi_http_options. */
typedef struct qi_api {
    qi_service *service;
    qi_records *records; /* of the loop's thread */
    qi_waiters *waiters;
    const qi_http *http; /* for its counts; set once it is open */
} qi_api;

quire_err qi_api_open(qi_service *service, qi_api *ret, quire_diag *diag);
/* After the http was closed, and before the service is. */
void qi_api_close(qi_api *api);

extern const qi_http_route qi_api_routes[];
extern const uint32_t qi_api_n_routes;

/* ---- what the routes' files share ---- */

/* The beginning of what handlers keep with a request: let_go is called at its end, by
 * qi_api_closed, which every handler that keeps something has as its closed. */
typedef struct qi_api_state {
    void (*let_go)(struct qi_api_state *state);
} qi_api_state;
void qi_api_closed(qi_http_request *request);
/* Lets go of what is kept, and keeps this instead. */
void qi_api_keep(qi_http_request *request, qi_api_state *state);
/* The structure that has this entry as its member entry. */
#define QI_API_OF_ENTRY(type, e) ((type *)((char *)(e)-offsetof(type, entry)))

/* Who asks. */
typedef struct qi_access {
    char tenant[QI_TENANT_MAX_BYTES + 1]; /* of documents it submits */
    const char *sees; /* tenant, or NULL: all, of an administrator. Points into this structure */
    uint32_t scopes;
} qi_access;

/* Whether the request's key has the scope (QI_SCOPE_…). Without any key in the records whoever asks
 * from this machine may do all, as tenant "default". False: answered, 401 or 403. */
bool qi_api_authorize(qi_http_request *request, uint32_t scope, qi_access *ret);

/* Whether who asks may be told what this machine is told without a key, and others with one. False:
 * answered. */
bool qi_api_may_look(qi_http_request *request);

/* Answers with the error, by its code's HTTP status. */
void qi_api_fail(qi_http_request *request, quire_err err, const quire_diag *diag);
unsigned qi_api_status_of(quire_err err);
/* The error's code in problems, documents and events: its name, with "_" for "-". */
enum { QI_API_CODE_BYTES = 32 };
void qi_api_code_of(quire_err err, char ret[QI_API_CODE_BYTES]);

/* Answers with a JSON value, which is freed. NULL: no memory. */
void qi_api_answer_json(qi_http_request *request, unsigned status, cJSON *value);
/* The document as the API shows it; NULL: no memory. */
cJSON *qi_api_document_json(qi_api *api, const qi_document *document);
void qi_api_put_time(cJSON *object, const char *name, uint64_t time_ms); /* 0: null */

/* The document that "{id}" names, for who has access; freed by qi_document_done. False: answered.
 */
bool qi_api_find(qi_http_request *request, const qi_access *access, qi_document *ret);

bool qi_api_has_ended(const qi_document *document);

enum { QI_API_MAX_WAIT_S = 600 }; /* that a request may wait for a document */

/* A whole number within bounds, of at most INT64_MAX; name is the parameter's. False: answered. */
bool qi_api_read_number(qi_http_request *request, const char *name, const char *text, uint64_t min,
                        uint64_t max, uint64_t *ret);
/* The same from the query, or what holds where it is missing. */
bool qi_api_number(qi_http_request *request, const char *name, uint64_t min, uint64_t max,
                   uint64_t standard, uint64_t *ret);

/* Answers with the result of a document that has one, page by page, in the format of that name; the
 * document is taken over, and the request keeps the stream's state from now on. */
void qi_api_answer_result(qi_http_request *request, qi_document *document, const char *format);
/* The format that is asked for; NULL: answered, it is none. */
const char *qi_api_format(qi_http_request *request, const char *name);

/* Handlers, a file for each group. */
extern const qi_http_handler qi_api_submit, qi_api_submit_batch;      /* api_submit.c */
extern const qi_http_handler qi_api_list, qi_api_show, qi_api_cancel, /* api_documents.c */
    qi_api_delete, qi_api_batch, qi_api_list_jobs, qi_api_requeue;
extern const qi_http_handler qi_api_result, qi_api_page, qi_api_page_image; /* api_result.c */
extern const qi_http_handler qi_api_events;                                 /* api_events.c */
extern const qi_http_handler qi_api_healthz, qi_api_readyz, qi_api_version, qi_api_metrics,
    qi_api_openapi, qi_api_status; /* api_status.c, api_metrics.c */

/* openapi.json, made a part of the program by the build. */
extern const char qi_openapi_json[];
extern const size_t qi_openapi_json_bytes;

#endif
