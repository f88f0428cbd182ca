/* Reads a multipart/form-data body (RFC 7578) as it comes, in time linear in its bytes whatever
 * they are, and in memory of 8 KiB. libmicrohttpd's own reader moves its whole buffer for every
 * line of a part's head and every byte before the first boundary, so that a hostile body could keep
 * the loop busy, and it finds headers in the middle of lines. One owner at a time. */
#ifndef QI_SERVER_HTTP_MULTIPART_H
#define QI_SERVER_HTTP_MULTIPART_H

#include "server/http.h"

enum { QI_HTTP_MAX_PARTS = 1024, QI_HTTP_MAX_PART_HEAD_BYTES = 4 << 10 };

typedef struct qi_http_multipart qi_http_multipart;

/* Gets the pieces of the parts, in order; false stops the reading. */
typedef bool qi_http_multipart_sink(void *context, const qi_http_piece *piece);

/* content_type is the header's value. CORRUPT when it has no usable boundary, NO_MEMORY. */
quire_err qi_http_multipart_new(const char *content_type, qi_http_multipart_sink *sink,
                                void *context, qi_http_multipart **ret_multipart, quire_diag *diag);
void qi_http_multipart_free(qi_http_multipart *multipart);

/* CORRUPT when the body is not well formed, TOO_LARGE when it has more parts or larger heads of
 * parts than are read, CANCELLED when the sink stopped it. Not to be called after an error. */
quire_err qi_http_multipart_feed(qi_http_multipart *multipart, const char *bytes, size_t n,
                                 quire_diag *diag);
/* The body is over: CORRUPT when its last boundary has not come. */
quire_err qi_http_multipart_end(const qi_http_multipart *multipart, quire_diag *diag);

#endif
