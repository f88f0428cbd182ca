/* The messages between the client and quire-decode: fixed size, one SOCK_SEQPACKET datagram each,
 * received into the reader's own memory and checked there before any field is used. A request
 * carries at most one descriptor, a reply none. Strictly in turn: the helper says hello once, then
 * answers every request but CLOSE with one reply.
 *
 * Pure functions, but for _send and _receive; no state. */
#ifndef QI_DECODE_MESSAGE_H
#define QI_DECODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum {
    QI_MESSAGE_VERSION = 0x51440009, /* changes with any change of the structs below */
    QI_HELPER_SOCKET = 3,            /* the descriptor the helper finds its socket at */
    QI_REPLY_TEXT_BYTES = 324,
    QI_PASSWORD_BYTES = 128, /* with its NUL; what PDF allows */
};

/* Types that the helper reads; the order is part of the messages. */
#define QI_FORMATS(X)                                                                              \
    X(JPEG, "image/jpeg")                                                                          \
    X(PNG, "image/png")                                                                            \
    X(TIFF, "image/tiff")                                                                          \
    X(WEBP, "image/webp")                                                                          \
    X(HEIC, "image/heic")                                                                          \
    X(AVIF, "image/avif")                                                                          \
    X(BMP, "image/bmp")                                                                            \
    X(PNM, "image/x-portable-anymap")                                                              \
    X(PDF, "application/pdf")

typedef enum qi_format {
    QI_FORMAT_NONE,
#define QI_X(name, media_type) QI_FORMAT_##name,
    QI_FORMATS(QI_X)
#undef QI_X
        QI_N_FORMATS
} qi_format;

typedef enum qi_message_kind {
    QI_MESSAGE_HELLO, /* helper to client: confinement, landlock_abi */
    QI_MESSAGE_OPEN,  /* descriptor: the input, a regular file; password; reply: format, n_pages, or
                         another kind of helper to ask */
    QI_MESSAGE_MEASURE, /* page; reply: width_px, height_px, dpi, decode_bytes */
    QI_MESSAGE_DECODE,  /* page, width_px, height_px, stride_bytes; descriptor: the pixels' memfd */
    QI_MESSAGE_EMBED,   /* page, room_bytes; descriptor: the memfd of a qi_embedding; reply:
                           n_bytes */
    QI_MESSAGE_REWRITE, /* room_bytes; descriptor: a memfd for the PDF that is open, written anew;
                           reply: n_bytes */
    QI_MESSAGE_ARCHIVE, /* the same as PDF/A-2b; n_bytes 0: it is that already */
    QI_MESSAGE_ENCODE,  /* width_px, height_px, stride_bytes, room_bytes; descriptor: a memfd with
                           RGB pixels, the room after them; reply: n_bytes of PNG in the room */
    QI_MESSAGE_IMAGE, /* width_px, height_px, stride_bytes, shrink, room_bytes; descriptor: a memfd
                         with a page's pixels, the room after them; reply: n_bytes of WebP in the
                         room */
    QI_MESSAGE_TEXT,  /* page, width_px, height_px, with_ink; descriptor: memory for a
                         qi_text_area */
    QI_MESSAGE_CLOSE, /* frees the document; not answered */
    QI_MESSAGE_FORK,  /* to a template, which takes no other; descriptor: the socket of a child to
                         be made, which says hello there; not answered */
    QI_N_MESSAGE_KINDS
} qi_message_kind;

/* Kinds of helper. Libraries that take longer to start than all else together and are needed seldom
 * are left to helpers of their own: the HEIC and AVIF codecs are loaded by the program quire-decode
 * on the argument QI_HELPER_HEIF_ARGUMENT, PDF is linked into the program quire-decode-pdf. */
typedef enum qi_helper_kind {
    QI_HELPER_IMAGES,
    QI_HELPER_HEIF,
    QI_HELPER_PDF,
    QI_N_HELPER_KINDS
} qi_helper_kind;

#define QI_HELPER_HEIF_ARGUMENT "heif"
/* Beside these, a helper is a template on the argument QI_HELPER_TEMPLATE_ARGUMENT: it serves no
 * document, but makes children that do. */
#define QI_HELPER_TEMPLATE_ARGUMENT "template"
#define QI_HELPER_PDF_SUFFIX        "-pdf" /* of the program's path */

typedef struct qi_request {
    uint32_t version, kind;
    uint32_t page;
    uint32_t width_px, height_px;
    uint32_t max_pages; /* 0: none */
    uint64_t max_pixels;
    uint64_t stride_bytes;
    uint64_t room_bytes;              /* of the memory, for what is to be written there */
    uint32_t want_pdf;                /* OPEN: reply with original */
    uint32_t shrink;                  /* IMAGE: so many pixels a side become one */
    uint32_t with_ink;                /* TEXT: 1: compare the text with what the page shows */
    char password[QI_PASSWORD_BYTES]; /* empty: none */
} qi_request;

/* What the helper has put between itself and the world. */
enum {
    QI_CONFINED_SECCOMP = 1,
    QI_CONFINED_LANDLOCK = 2,
};

typedef struct qi_reply {
    uint32_t version, kind; /* kind: of the request answered */
    uint32_t error;         /* a quire_err */
    uint32_t format;
    uint32_t n_pages;
    uint32_t width_px, height_px;
    float dpi;
    uint64_t decode_bytes; /* MEASURE: what DECODE takes at its worst */
    uint64_t text_bytes;   /* MEASURE: what TEXT does with ink, beside the usual */
    uint64_t n_bytes;      /* written, at most the room */
    uint64_t embed_bytes, embed_decode_bytes; /* MEASURE: what EMBED takes at its worst */
    uint32_t must_rewrite;                    /* OPEN: nothing can be appended to this PDF */
    quire_pdf_original original;              /* OPEN, of a PDF; n_bytes 0: none */
    uint32_t confinement, landlock_abi;
    uint32_t needs;                 /* OPEN, not IMAGES: the qi_helper_kind to ask instead */
    char text[QI_REPLY_TEXT_BYTES]; /* error: reason and remedy, without the file's name */
} qi_reply;

const char *qi_format_media_type(qi_format format); /* static storage; NULL for none */

/* Whether a request is one the helper may act on. */
bool qi_request_valid(const qi_request *request, bool has_descriptor);

/* Whether a reply is a possible answer to a request of this kind, every field within its bounds.
 * Text of a valid reply is NUL-terminated, but may hold any bytes. */
bool qi_reply_valid(const qi_reply *reply, qi_message_kind kind);

/* Bytes of a page's pixels, rows of stride_bytes (a multiple of 64). 0 when it does not fit. */
size_t qi_pixels_bytes(uint32_t width_px, uint32_t height_px, size_t *ret_stride_bytes);

/* The same of RGB pixels, three bytes each. */
size_t qi_rgb_bytes(uint32_t width_px, uint32_t height_px, size_t *ret_stride_bytes);

/* Images of pages: the most that WebP can hold of a side, and by how much pages are shrunk at most.
 */
enum { QI_IMAGE_MAX_PX = 16383, QI_IMAGE_MAX_SHRINK = 4096 };

/* How many pixels a side become one so that neither side has more than max_px; 0: it is too long
 * for that. */
uint32_t qi_image_shrink(uint32_t width_px, uint32_t height_px, uint32_t max_px);

/* Room for the file of an image of so many pixels, of noise too; and what it takes to encode it,
 * made of a page of that width. */
static inline uint64_t qi_image_room_bytes(uint64_t pixels) {
    return pixels / 8 * 5 + (64 << 10);
}
static inline uint64_t qi_image_work_bytes(uint64_t pixels, uint32_t page_width_px) {
    return pixels * 3 + (uint64_t)page_width_px * 18 + (4 << 20);
}

/* Sends one message with an optional descriptor (-1: none, borrowed). Never raises SIGPIPE. errno
 * on failure. */
bool qi_message_send(int socket, const void *message, size_t n_bytes, int descriptor);

/* Receives one message of exactly n_bytes; blocks. ret_descriptor, where not NULL, gets the one
 * sent along (close-on-exec, the caller's) or -1; where NULL, descriptors are dropped by the
 * kernel. 1 when there was one, 0 at the end of the connection, -1 on an error or a message of
 * another size. */
int qi_message_receive(int socket, void *message, size_t n_bytes, int *ret_descriptor);

/* Receives as above, from a socket with SO_PASSCRED; ret_sender: the process that sent it, as the
 * kernel says. */
int qi_message_receive_from(int socket, void *message, size_t n_bytes, pid_t *ret_sender);

#endif
