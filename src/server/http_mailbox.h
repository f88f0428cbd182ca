/* How other threads reach the loop: letters, and an eventfd that wakes it. The mailbox outlives the
 * server for as long as somebody may still write to it. Internally locked. */
#ifndef QI_SERVER_HTTP_MAILBOX_H
#define QI_SERVER_HTTP_MAILBOX_H

#include <stdbool.h>

typedef struct qi_http_mailbox qi_http_mailbox;

/* A letter: a field of what it is about. One that has been sent and not yet read is not sent
 * again. */
typedef struct qi_http_mail {
    struct qi_http_mail *next;
    bool sent;
    void (*read)(struct qi_http_mail *mail); /* on the loop's thread */
} qi_http_mail;

/* NULL when memory or descriptors ran out. */
qi_http_mailbox *qi_http_mailbox_new(void);
qi_http_mailbox *qi_http_mailbox_ref(qi_http_mailbox *box);
void qi_http_mailbox_unref(qi_http_mailbox *box);

/* Readable when there may be letters. */
int qi_http_mailbox_fd(const qi_http_mailbox *box);

/* True when the letter was put in: false when it is in already, or the mailbox is closed. */
bool qi_http_mailbox_send(qi_http_mailbox *box, qi_http_mail *mail);
/* Wakes the loop without a letter. */
void qi_http_mailbox_ring(qi_http_mailbox *box);

/* Reads the letters that are there, in order. */
void qi_http_mailbox_read(qi_http_mailbox *box);
/* Reads what is there; later letters are refused. */
void qi_http_mailbox_close(qi_http_mailbox *box);

#endif
