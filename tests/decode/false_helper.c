/* A helper that lies, for the tests of its client: what it does is the first word of the input. */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decode/message.h"

static void send_raw(const void *bytes, size_t n) {
    send(QI_HELPER_SOCKET, bytes, n, MSG_NOSIGNAL);
}

/* Takes over the way of answering where the word says so. */
static void act(const char *word, const qi_request *request, qi_reply *r) {
    bool opening = request->kind == QI_MESSAGE_OPEN;
    bool measuring = request->kind == QI_MESSAGE_MEASURE;
    bool encoding = request->kind == QI_MESSAGE_ENCODE;
    bool imaging = request->kind == QI_MESSAGE_IMAGE;
    char long_message[4096] = {0};
    if (!strcmp(word, "hang")) pause();
    if (!strcmp(word, "hang-later") && !opening) pause();
    if (!strcmp(word, "spin") && !opening)
        for (volatile unsigned i = 0;; i++) {
        }
    if (!strcmp(word, "exit")) exit(3);
    if (!strcmp(word, "crash")) raise(SIGSEGV);
    if (!strcmp(word, "crash-at-2") && request->kind == QI_MESSAGE_DECODE && request->page == 1)
        raise(SIGSEGV);
    if (!strcmp(word, "short")) send_raw(r, 10);
    if (!strcmp(word, "long")) send_raw(long_message, sizeof long_message);
    if (!strcmp(word, "none")) send_raw(r, 0);
    if (!strcmp(word, "kind")) r->kind = QI_MESSAGE_DECODE;
    if (!strcmp(word, "version")) r->version++;
    if (!strcmp(word, "text")) {
        r->error = QUIRE_ERR_CORRUPT;
        memset(r->text, 'x', sizeof r->text);
    }
    if (!strcmp(word, "escape")) {
        r->error = QUIRE_ERR_CORRUPT;
        snprintf(r->text, sizeof r->text, "evil \033[2J\xff\n");
    }
    if (!strcmp(word, "error")) r->error = 4000;
    if (!strcmp(word, "cancelled")) r->error = QUIRE_ERR_CANCELLED;
    if (!strcmp(word, "format")) r->format = 77;
    if (!strcmp(word, "no-pages")) r->n_pages = 0;
    if (!strcmp(word, "heif")) r->needs = QI_HELPER_HEIF;
    if (!strcmp(word, "close")) {
        close(QI_HELPER_SOCKET);
        pause();
    }
    if (!strcmp(word, "wide") && measuring) r->width_px = 0xFFFFFFFF;
    if (!strcmp(word, "flat") && measuring) r->height_px = 0;
    if (!strcmp(word, "over") && measuring) r->width_px = r->height_px = 30000;
    if (!strcmp(word, "nan") && measuring) r->dpi = NAN;
    if (!strcmp(word, "bytes") && measuring) r->decode_bytes = UINT64_MAX;
    if (!strcmp(word, "crash-png") && encoding) raise(SIGSEGV);
    if (!strcmp(word, "no-png") && encoding) r->n_bytes = 0;
    if (!strcmp(word, "long-png") && encoding) r->n_bytes = request->room_bytes + 1;
    if (!strcmp(word, "crash-image") && imaging) raise(SIGSEGV);
    if (!strcmp(word, "no-image") && imaging) r->n_bytes = 0;
    if (!strcmp(word, "long-image") && imaging) r->n_bytes = request->room_bytes + 1;
    if (!strcmp(word, "chatty")) send_raw(r, sizeof *r);
    if (!strcmp(word, "descriptor")) qi_message_send(QI_HELPER_SOCKET, r, sizeof *r, 0);
}

int main(void) {
    qi_reply hello = {.version = QI_MESSAGE_VERSION,
                      .kind = QI_MESSAGE_HELLO,
                      .confinement = QI_CONFINED_SECCOMP};
    send_raw(&hello, sizeof hello);
    qi_request request;
    char word[20] = "";
    int descriptor;
    while (qi_message_receive(QI_HELPER_SOCKET, &request, sizeof request, &descriptor) > 0) {
        if (request.kind == QI_MESSAGE_FORK) { /* as where no process can be made */
            close(descriptor);
            continue;
        }
        if (request.kind == QI_MESSAGE_OPEN) {
            ssize_t n = pread(descriptor, word, sizeof word - 1, 0);
            word[n > 0 ? n : 0] = 0;
        }
        if (descriptor >= 0) close(descriptor);
        if (request.kind == QI_MESSAGE_CLOSE) continue;
        qi_reply reply = {.version = QI_MESSAGE_VERSION,
                          .kind = request.kind,
                          .format = QI_FORMAT_PNG,
                          .n_pages = 3,
                          .width_px = 10,
                          .height_px = 10,
                          .n_bytes = 10};
        act(word, &request, &reply);
        send_raw(&reply, sizeof reply);
    }
    return 0;
}
