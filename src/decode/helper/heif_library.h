/* libheif, loaded only when asked for: with its codecs it doubles the time the helper takes to
 * start. To be loaded before the sandbox is entered. Immutable once loaded. */
#ifndef QI_HELPER_HEIF_LIBRARY_H
#define QI_HELPER_HEIF_LIBRARY_H

#include <stdbool.h>

#include <libheif/heif.h>

#define QI_HEIF_FUNCTIONS(X)                                                                       \
    X(heif_context_alloc)                                                                          \
    X(heif_context_free)                                                                           \
    X(heif_context_get_primary_image_handle)                                                       \
    X(heif_context_read_from_memory_without_copy)                                                  \
    X(heif_context_set_max_decoding_threads)                                                       \
    X(heif_decode_image)                                                                           \
    X(heif_image_get_height)                                                                       \
    X(heif_image_get_plane_readonly)                                                               \
    X(heif_image_get_width)                                                                        \
    X(heif_image_handle_get_height)                                                                \
    X(heif_image_handle_get_width)                                                                 \
    X(heif_image_handle_get_luma_bits_per_pixel)                                                   \
    X(heif_image_handle_has_alpha_channel)                                                         \
    X(heif_image_handle_is_premultiplied_alpha)                                                    \
    X(heif_image_handle_release)                                                                   \
    X(heif_image_release)

typedef struct qi_heif_library {
#define QI_X(name) __typeof__(&name) name;
    QI_HEIF_FUNCTIONS(QI_X)
#undef QI_X
} qi_heif_library;

/* Loads it and lets it set itself up, as far as it does that but once; also what the threads of its
 * codecs need of that kind. Stays loaded. False where it is not installed. */
bool qi_heif_library_load(qi_heif_library *ret_library);

#endif
