/* HTTP/1.1 for the service: listening, TLS, limits, routes, the life of a request and its answer.
 * Knows nothing of documents. libmicrohttpd speaks the protocol; it is driven from a loop of this
 * layer's own, on the one thread that calls qi_http_run, and all clocks are this layer's. What it
 * cannot read as a request (a head of more than 32 KiB, a line that is no header, a bad chunk) it
 * answers itself, with the right status and a short page; all other errors are problems
 * (qi_http_problem).
 *
 * Handlers run on that thread and must not block. A handler that needs work done elsewhere returns
 * without answering, and whoever finishes the work calls qi_http_request_resume from any thread;
 * then `resume` is called on the loop's thread. Unless said otherwise a function here is for the
 * loop's thread, and a request is valid from `begin` until its `closed` has returned. */
#ifndef QI_SERVER_HTTP_H
#define QI_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strbuf.h"

typedef struct qi_http qi_http;
typedef struct qi_http_request qi_http_request;

/* ---- handlers and routes -------------------------------------------------------------------- */

/* The bodies that a handler takes; several may be joined, none of them: a body is refused. */
enum {
    QI_HTTP_BODY_RAW = 1,       /* any media type but multipart/form-data, in pieces */
    QI_HTTP_BODY_MULTIPART = 2, /* multipart/form-data, in pieces of its parts */
    QI_HTTP_BODY_JSON = 4,      /* application/json of at most 64 KiB, gathered */
};

/* A piece of a body. Texts are valid during the call. */
typedef struct qi_http_piece {
    /* The part's, of multipart; else NULL. The first two never hold control characters. */
    const char *name, *file_name /* NULL: none */, *media_type /* NULL: none */;
    uint64_t offset; /* in the part, or in the raw body */
    const char *bytes;
    size_t n_bytes; /* 0 for a part that is empty */
} qi_http_piece;

/* What a route does; every function may be NULL. A handler answers at most once, in any of begin,
 * data, complete and resume: what it does after that is ignored. */
typedef struct qi_http_handler {
    unsigned body;           /* QI_HTTP_BODY_… */
    uint64_t max_body_bytes; /* 0: that of the options */
    /* The head is there; nothing of the body has been read, and no 100 Continue sent. An answer
     * given here spares the body. */
    void (*begin)(qi_http_request *request);
    /* A piece of the body. An answer given here, which is of bytes or a problem, ends the
     * connection after it. */
    void (*data)(qi_http_request *request, const qi_http_piece *piece);
    /* The body is there as a whole, and well formed. */
    void (*complete)(qi_http_request *request);
    /* After qi_http_request_resume, when no answer has been given yet; also once when the server
     * begins to stop. May be called without cause. */
    void (*resume)(qi_http_request *request);
    /* The end, exactly once for every request that had its begin: answered, or the client left (who
     * closes its sending side while an answer is waited for has left). */
    void (*closed)(qi_http_request *request);
} qi_http_handler;

/* A path's parts are literal or "{name}", which takes any one part that is not empty. The first
 * route that matches counts; HEAD is served by a GET route. */
typedef struct qi_http_route {
    const char *method, *pattern;
    const qi_http_handler *handler;
} qi_http_route;

/* ---- the server ----------------------------------------------------------------------------- */

/* A request that has ended, for the access log. Texts are valid during the call; the path is as it
 * came, without its query, and may hold any bytes. "-" stands for what was not understood. */
typedef struct qi_http_record {
    const char *request_id, *peer, *method, *path;
    unsigned status;                  /* 0: the client left before an answer */
    uint64_t n_bytes_in, n_bytes_out; /* of bodies */
    uint64_t duration_ns;
    bool broken; /* the answer did not go out as a whole */
} qi_http_record;

/* Of what is 0 or NULL the default is taken. */
typedef struct qi_http_options {
    const char *const *addresses; /* "127.0.0.1:8080", "[::1]:8080", ":0" (all, a free port) */
    uint32_t n_addresses;
    const char *certificate_path, *key_path; /* PEM; both or none */
    uint64_t max_body_bytes;                 /* 64 MiB */
    uint32_t max_connections;                /* 1,024 */
    uint32_t max_connections_per_address;    /* no limit */
    uint32_t head_ms;                        /* a request's head is complete within (10,000) */
    uint32_t body_window_ms;    /* a body comes at a rate measured over windows of (10,000) … */
    uint32_t min_body_rate_bps; /* … bytes a second, at least (1,024) */
    uint32_t idle_ms;           /* a connection without request is kept (60,000) */
    uint32_t write_stall_ms;    /* a client takes something of its answer within (30,000) */
    void *context;              /* for the handlers (qi_http_request_context) and log */
    void (*log)(void *context, const qi_http_record *record);
} qi_http_options;

/* Opens the sockets; requests are taken once qi_http_run is called. Routes and what they name stay
 * the caller's and valid until qi_http_close; options are copied, but for context. USAGE for an
 * address or an option that makes no sense, IO, NO_PERMISSION, NO_MEMORY, CORRUPT for a
 * certificate or a key that cannot be used. */
quire_err qi_http_open(const qi_http_options *options, const qi_http_route routes[],
                       uint32_t n_routes, qi_http **ret_http, quire_diag *diag);

/* The address of the i-th socket as text, with the port that was chosen, and that port; NULL and 0
 * past the last. Any thread. */
const char *qi_http_address(const qi_http *http, uint32_t i);
uint16_t qi_http_port(const qi_http *http, uint32_t i);

/* Serves until qi_http_stop and the end of the requests then running. IO when the loop cannot go
 * on. SIGPIPE is blocked in the calling thread meanwhile. */
quire_err qi_http_run(qi_http *http, quire_diag *diag);

/* Takes no more connections, closes those without request, lets running requests end for at most
 * limit_ms, and then has qi_http_run return. Any thread. */
void qi_http_stop(qi_http *http, uint32_t limit_ms);
bool qi_http_stopping(const qi_http *http);

/* Reads certificate and key again; connections that are open keep what they have. When it fails,
 * nothing has changed. */
quire_err qi_http_reload_tls(qi_http *http, quire_diag *diag);

/* Has the function called on the loop's thread, in qi_http_close at the latest. False when memory
 * ran out. Any thread, until qi_http_close. */
bool qi_http_post(qi_http *http, void (*run)(void *user), void *user);

/* Ends what is left, calling `closed` for it. Not while qi_http_run runs. */
void qi_http_close(qi_http *http);

typedef struct qi_http_counts {
    uint64_t n_requests[6];           /* by the status' first digit; 0: no answer */
    uint64_t n_bytes_in, n_bytes_out; /* of bodies */
    uint64_t n_accepted, n_refused;   /* connections; refused for a limit */
    uint64_t n_timeouts;              /* connections ended by a clock */
    uint64_t n_open;                  /* connections now */
} qi_http_counts;

/* Any thread. */
void qi_http_counts_now(const qi_http *http, qi_http_counts *ret_counts);

/* ---- the request ---------------------------------------------------------------------------- */

void *qi_http_request_context(const qi_http_request *request);
const char *qi_http_request_method(const qi_http_request *request); /* of HEAD: "HEAD" */
/* What "{name}" of the pattern stands for, decoded; without control characters. */
const char *qi_http_request_path(const qi_http_request *request, const char *name);
/* The first parameter of that name, decoded; NULL: none. Without control characters but tabs and
 * line ends. */
const char *qi_http_request_query(const qi_http_request *request, const char *name);
/* The i-th parameter (0 …); false past the last. */
bool qi_http_request_query_at(const qi_http_request *request, uint32_t i, const char **ret_name,
                              const char **ret_value);
/* A header's value, the name in any case; NULL: none. */
const char *qi_http_request_header(const qi_http_request *request, const char *name);
/* What Content-Length says; UINT64_MAX for a chunked body. */
uint64_t qi_http_request_body_bytes(const qi_http_request *request);
/* The gathered body of a JSON route, from complete on. */
const qi_strbuf *qi_http_request_json(const qi_http_request *request);
const char *qi_http_request_id(const qi_http_request *request);   /* that of X-Request-Id */
const char *qi_http_request_peer(const qi_http_request *request); /* address, without port */
bool qi_http_request_is_loopback(const qi_http_request *request);

/* The handler's own, freed by its closed. */
void qi_http_request_set_state(qi_http_request *request, void *state);
void *qi_http_request_state(const qi_http_request *request);

/* Another thread that will resume a request holds a reference, taken on the loop's thread and given
 * back by any. Resuming is the one thing it may do; it does nothing once the request has ended,
 * even when the server has been closed. */
qi_http_request *qi_http_request_ref(qi_http_request *request);
void qi_http_request_unref(qi_http_request *request);
void qi_http_request_resume(qi_http_request *request);

/* ---- the answer ----------------------------------------------------------------------------- */

/* A header of the answer to come. Control characters in the value become spaces. Content-Length,
 * Connection and the like are not for handlers. */
void qi_http_header(qi_http_request *request, const char *name, const char *value);

/* The bytes are taken and body left empty; NULL: no bytes. A media_type of NULL: none is sent. */
void qi_http_answer_bytes(qi_http_request *request, unsigned status, const char *media_type,
                          qi_strbuf *body);

/* Sends n_bytes of the file from its beginning. The descriptor is taken, whatever happens. */
void qi_http_answer_file(qi_http_request *request, unsigned status, const char *media_type, int fd,
                         uint64_t n_bytes);

/* An answer in pieces. `pull` is called whenever there is room: it fills up to size bytes of buffer
 * (there is room for 1 KiB at least) and sets *ret_n, or says that there is nothing yet (it is
 * called again after qi_http_request_resume), that this was the end, or that it must break off. */
typedef enum qi_http_pulled {
    QI_HTTP_PULLED_BYTES,
    QI_HTTP_PULLED_NOTHING,
    QI_HTTP_PULLED_END,
    QI_HTTP_PULLED_FAILED,
} qi_http_pulled;
typedef qi_http_pulled qi_http_pull(qi_http_request *request, char *buffer, size_t size,
                                    size_t *ret_n);
void qi_http_answer_stream(qi_http_request *request, unsigned status, const char *media_type,
                           qi_http_pull *pull);

/* An error as application/problem+json (RFC 9457). code is stable, in snake_case; field names the
 * parameter or form field at fault, or is NULL; the detail says what is wrong and what to do. */
void qi_http_problem(qi_http_request *request, unsigned status, const char *code, const char *field,
                     const char *detail_format, ...) __attribute__((format(printf, 5, 6)));

bool qi_http_answered(const qi_http_request *request);

#endif
