/* What a service's answers say, taken out of their JSON (docs/http.md). Answers are not trusted:
 * callers bound their size, and texts are cut to the fields. Pure, any thread. */
#ifndef QI_CLIENT_ANSWER_H
#define QI_CLIENT_ANSWER_H

#include "base/err.h"
#include "base/strbuf.h"

enum { QI_ANSWER_ID_BYTES = 64 };

typedef enum qi_answer_state {
    QI_ANSWER_WAITS, /* queued or running */
    QI_ANSWER_DONE,
    QI_ANSWER_FAILED,
    QI_ANSWER_CANCELLED
} qi_answer_state;

typedef struct qi_answer_document {
    char id[QI_ANSWER_ID_BYTES];
    qi_answer_state state;
    quire_diag fate; /* FAILED: why */
} qi_answer_document;

/* False: it is no document. */
bool qi_answer_take_document(const qi_strbuf *body, qi_answer_document *ret);

typedef struct qi_answer_problem {
    char code[40];
    quire_diag diag; /* code OK: the problem's is none of Quire's errors */
} qi_answer_problem;

/* False: it is no problem of RFC 9457 with Quire's code. */
bool qi_answer_take_problem(const qi_strbuf *body, qi_answer_problem *ret);

/* The id at the end of a Location. False: there is none. */
bool qi_answer_take_location(const char *location, char ret_id[QI_ANSWER_ID_BYTES]);

#endif
