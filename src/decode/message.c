/* Checks and transport of the helper's messages; see message.h. */
#include "decode/message.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *qi_format_media_type(qi_format format) {
    switch (format) {
#define QI_X(name, media_type)                                                                     \
    case QI_FORMAT_##name:                                                                         \
        return media_type;
        QI_FORMATS(QI_X)
#undef QI_X
    default:
        return NULL;
    }
}

static size_t bytes_of(uint32_t width_px, uint32_t height_px, size_t pixel_bytes,
                       size_t *ret_stride_bytes) {
    size_t stride = ((size_t)width_px * pixel_bytes + 63) & ~(size_t)63, n;
    if (!width_px || !height_px || width_px > INT32_MAX || height_px > INT32_MAX) return 0;
    if (__builtin_mul_overflow(stride, (size_t)height_px, &n) || n > PTRDIFF_MAX) return 0;
    *ret_stride_bytes = stride;
    return n;
}

size_t qi_pixels_bytes(uint32_t width_px, uint32_t height_px, size_t *ret_stride_bytes) {
    return bytes_of(width_px, height_px, 1, ret_stride_bytes);
}

size_t qi_rgb_bytes(uint32_t width_px, uint32_t height_px, size_t *ret_stride_bytes) {
    return bytes_of(width_px, height_px, 3, ret_stride_bytes);
}

static bool encode_valid(const qi_request *r) {
    size_t stride, n = qi_rgb_bytes(r->width_px, r->height_px, &stride);
    return n && stride == r->stride_bytes && r->room_bytes > 0 && r->room_bytes <= PTRDIFF_MAX - n;
}

uint32_t qi_image_shrink(uint32_t width_px, uint32_t height_px, uint32_t max_px) {
    uint32_t longest = width_px > height_px ? width_px : height_px;
    uint32_t shrink = longest / max_px + (longest % max_px != 0);
    return shrink <= QI_IMAGE_MAX_SHRINK ? shrink : 0;
}

static bool image_valid(const qi_request *r) {
    size_t stride, n = qi_pixels_bytes(r->width_px, r->height_px, &stride);
    if (!n || stride != r->stride_bytes) return false;
    uint32_t least = qi_image_shrink(r->width_px, r->height_px, QI_IMAGE_MAX_PX);
    return least && r->shrink >= least && r->shrink <= QI_IMAGE_MAX_SHRINK && r->room_bytes > 0 &&
           r->room_bytes <= PTRDIFF_MAX - n;
}

bool qi_request_valid(const qi_request *r, bool has_descriptor) {
    if (r->version != QI_MESSAGE_VERSION) return false;
    size_t stride;
    switch (r->kind) {
    case QI_MESSAGE_OPEN:
        return has_descriptor && r->max_pixels > 0 && memchr(r->password, 0, sizeof r->password);
    case QI_MESSAGE_MEASURE:
    case QI_MESSAGE_CLOSE:
        return !has_descriptor;
    case QI_MESSAGE_TEXT:
        return has_descriptor && r->with_ink <= 1 &&
               qi_pixels_bytes(r->width_px, r->height_px, &stride);
    case QI_MESSAGE_EMBED:
    case QI_MESSAGE_REWRITE:
    case QI_MESSAGE_ARCHIVE:
        return has_descriptor && r->room_bytes > 0;
    case QI_MESSAGE_DECODE:
        return has_descriptor && qi_pixels_bytes(r->width_px, r->height_px, &stride) &&
               stride == r->stride_bytes;
    case QI_MESSAGE_ENCODE:
        return has_descriptor && encode_valid(r);
    case QI_MESSAGE_IMAGE:
        return has_descriptor && image_valid(r);
    default:
        return false;
    }
}

static bool original_valid(const quire_pdf_original *o) {
    return o->n_bytes == 0 ||
           (o->xref_at < o->n_bytes && o->xref_kind <= 1 && o->next_object > 0 &&
            o->next_object < INT32_MAX / 2 && o->root > 0 && o->root < o->next_object &&
            o->info < o->next_object && o->root_generation <= UINT16_MAX &&
            o->info_generation <= UINT16_MAX && o->n_id <= sizeof o->id);
}

bool qi_reply_valid(const qi_reply *r, qi_message_kind kind) {
    if (r->version != QI_MESSAGE_VERSION || r->kind != (uint32_t)kind) return false;
    if (!memchr(r->text, 0, sizeof r->text)) return false;
    if (r->error) {
        static const quire_err possible[] = {
            QUIRE_ERR_CORRUPT,   QUIRE_ERR_EMPTY,     QUIRE_ERR_UNSUPPORTED,
            QUIRE_ERR_IO,        QUIRE_ERR_ENCRYPTED, QUIRE_ERR_TOO_LARGE,
            QUIRE_ERR_NO_MEMORY, QUIRE_ERR_HELPER,    QUIRE_ERR_MISSING,
        };
        for (size_t i = 0; i < sizeof possible / sizeof *possible; i++)
            if (r->error == (uint32_t)possible[i]) return true;
        return false;
    }
    size_t stride;
    switch (kind) {
    case QI_MESSAGE_HELLO:
        return true;
    case QI_MESSAGE_OPEN:
        if (r->needs) return r->needs < QI_N_HELPER_KINDS;
        return r->format > QI_FORMAT_NONE && r->format < QI_N_FORMATS && r->n_pages > 0 &&
               original_valid(&r->original);
    case QI_MESSAGE_MEASURE:
        return qi_pixels_bytes(r->width_px, r->height_px, &stride) && isfinite(r->dpi) &&
               r->dpi >= 0 && r->decode_bytes < UINT64_C(1) << 48 &&
               r->text_bytes < UINT64_C(1) << 48 && r->embed_bytes < UINT64_C(1) << 48 &&
               r->embed_decode_bytes < UINT64_C(1) << 48;
    case QI_MESSAGE_DECODE:
    case QI_MESSAGE_TEXT:
        return true;
    case QI_MESSAGE_ENCODE:
    case QI_MESSAGE_IMAGE:
        return r->n_bytes > 0 && r->n_bytes <= PTRDIFF_MAX;
    case QI_MESSAGE_EMBED:
    case QI_MESSAGE_REWRITE:
        return r->n_bytes > 0 && r->n_bytes < UINT64_C(1) << 48;
    case QI_MESSAGE_ARCHIVE:
        return r->n_bytes < UINT64_C(1) << 48;
    default:
        return false;
    }
}

bool qi_message_send(int socket, const void *message, size_t n_bytes, int descriptor) {
    struct iovec io = {.iov_base = (void *)message, .iov_len = n_bytes};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (descriptor >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
    }
    ssize_t n;
    do
        n = sendmsg(socket, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)n_bytes;
}

int qi_message_receive(int socket, void *message, size_t n_bytes, int *ret_descriptor) {
    struct iovec io = {.iov_base = message, .iov_len = n_bytes};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (ret_descriptor) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
    }
    ssize_t n;
    do
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    int descriptor = -1;
    if (n >= 0 && ret_descriptor) {
        const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof descriptor))
            memcpy(&descriptor, CMSG_DATA(c), sizeof descriptor);
    }
    if (n != (ssize_t)n_bytes || (m.msg_flags & MSG_TRUNC)) {
        if (descriptor >= 0) close(descriptor);
        return n == 0 ? 0 : -1;
    }
    if (ret_descriptor) *ret_descriptor = descriptor;
    return 1;
}

int qi_message_receive_from(int socket, void *message, size_t n_bytes, pid_t *ret_sender) {
    struct iovec io = {.iov_base = message, .iov_len = n_bytes};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control = {0};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)n_bytes || (m.msg_flags & MSG_TRUNC)) return n == 0 ? 0 : -1;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    struct ucred sender;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
        c->cmsg_len != CMSG_LEN(sizeof sender))
        return -1;
    memcpy(&sender, CMSG_DATA(c), sizeof sender);
    if (sender.pid <= 0) return -1;
    *ret_sender = sender.pid;
    return 1;
}
