/* The mailbox of http_mailbox.h: a list under a lock. */
#include "server/http_mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct qi_http_mailbox {
    atomic_uint n_refs;
    int fd;
    pthread_mutex_t lock;
    qi_http_mail *first, **last;
    bool closed;
};

qi_http_mailbox *qi_http_mailbox_new(void) {
    qi_http_mailbox *box = calloc(1, sizeof *box);
    if (!box) return NULL;
    box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (box->fd < 0) {
        free(box);
        return NULL;
    }
    atomic_init(&box->n_refs, 1);
    pthread_mutex_init(&box->lock, NULL);
    box->last = &box->first;
    return box;
}

qi_http_mailbox *qi_http_mailbox_ref(qi_http_mailbox *box) {
    atomic_fetch_add(&box->n_refs, 1);
    return box;
}

void qi_http_mailbox_unref(qi_http_mailbox *box) {
    if (!box || atomic_fetch_sub(&box->n_refs, 1) != 1) return;
    close(box->fd);
    pthread_mutex_destroy(&box->lock);
    free(box);
}

int qi_http_mailbox_fd(const qi_http_mailbox *box) {
    return box->fd;
}

bool qi_http_mailbox_send(qi_http_mailbox *box, qi_http_mail *mail) {
    pthread_mutex_lock(&box->lock);
    const bool in = !box->closed && !mail->sent;
    if (in) {
        mail->sent = true;
        mail->next = NULL;
        *box->last = mail;
        box->last = &mail->next;
    }
    pthread_mutex_unlock(&box->lock);
    if (in) qi_http_mailbox_ring(box);
    return in;
}

void qi_http_mailbox_ring(qi_http_mailbox *box) {
    /* Fails only when the counter is full, and then the loop is woken anyway. */
    const uint64_t one = 1;
    ssize_t n = write(box->fd, &one, sizeof one);
    (void)n;
}

static qi_http_mail *take_all(qi_http_mailbox *box) {
    qi_http_mail *first = box->first;
    box->first = NULL;
    box->last = &box->first;
    return first;
}

/* A letter may be sent again, or freed, as soon as its read is called. */
static void read_list(qi_http_mailbox *box, qi_http_mail *mail) {
    while (mail) {
        pthread_mutex_lock(&box->lock);
        qi_http_mail *next = mail->next;
        mail->sent = false;
        pthread_mutex_unlock(&box->lock);
        mail->read(mail);
        mail = next;
    }
}

void qi_http_mailbox_read(qi_http_mailbox *box) {
    uint64_t n;
    while (read(box->fd, &n, sizeof n) > 0) {
    }
    pthread_mutex_lock(&box->lock);
    qi_http_mail *first = take_all(box);
    pthread_mutex_unlock(&box->lock);
    read_list(box, first);
}

void qi_http_mailbox_close(qi_http_mailbox *box) {
    pthread_mutex_lock(&box->lock);
    box->closed = true;
    qi_http_mail *first = take_all(box);
    pthread_mutex_unlock(&box->lock);
    read_list(box, first);
}
