/* Names of where text comes from, from the lists of the public header. */
#include "quire/quire.h"

const char *quire_text_source_name(quire_text_source source) {
    switch (source) {
#define QUIRE_X(code, name)                                                                        \
    case QUIRE_SOURCE_##code:                                                                      \
        return name;
        QUIRE_TEXT_SOURCES(QUIRE_X)
#undef QUIRE_X
    }
    return "unknown";
}

const char *quire_text_reason_name(quire_text_reason reason) {
    switch (reason) {
#define QUIRE_X(code, name)                                                                        \
    case QUIRE_REASON_##code:                                                                      \
        return name;
        QUIRE_TEXT_REASONS(QUIRE_X)
#undef QUIRE_X
    }
    return "unknown";
}
