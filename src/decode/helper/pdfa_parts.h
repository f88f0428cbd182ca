/* What the files of pdfa.h share. The parts look at one thing each, note what is in the way and
 * change what may be changed; none stops at an obstacle, so that all are found. Handles of qpdf are
 * released after each page and each object, not by the parts. */
#ifndef QI_HELPER_PDFA_PARTS_H
#define QI_HELPER_PDFA_PARTS_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What keeps a document from being PDF/A-2b: what it is, what may be done. */
#define QI_PDFA_OBSTACLES(X)                                                                       \
    X(FONT_OUTSIDE, "a font is not embedded", "make it anew with its fonts embedded")              \
    X(FONT_UNFIT, "a font is not made as PDF/A asks",                                              \
      "make it anew with other fonts, or print it to a new PDF")                                   \
    X(INKS, "colours of inks (CMYK) without a profile", "convert its colours to RGB")              \
    X(LIGHTS, "RGB colours, where the document's profile is not for RGB",                          \
      "convert its colours to those of its profile")                                               \
    X(PROFILE, "a colour profile is damaged or of another kind than it says",                      \
      "convert its colours to RGB")                                                                \
    X(COLOUR_SPACE, "a colour space is not one of PDF/A", "convert its colours to RGB")            \
    X(TRANSFER, "a transfer function changes its colours", "print it to a new PDF")                \
    X(BLENDING, "a blend mode is not one of PDF/A", "print it to a new PDF")                       \
    X(CONTENT, "content is damaged or too much to be checked", "print it to a new PDF")            \
    X(OPERATOR, "an operator that PDF does not have", "print it to a new PDF")                     \
    X(RESOURCE, "something is named that is not there", "print it to a new PDF")                   \
    X(NESTING, "graphics states nested deeper than 28", "print it to a new PDF")                   \
    X(LIMIT, "a value larger than PDF/A allows, or a damaged name", "print it to a new PDF")       \
    X(PAGE_SIZE, "a page smaller than 3 or larger than 14400 points", "print it at another size")  \
    X(IMAGE, "an image is not coded as PDF/A asks", "print it to a new PDF")                       \
    X(FILTER, "a stream is not coded as PDF/A asks", "print it to a new PDF")                      \
    X(EXTERNAL, "something lies in another file", "print it to a new PDF")                         \
    X(POSTSCRIPT, "PostScript, or content of another document", "print it to a new PDF")           \
    X(ANNOTATION, "an annotation of a kind that PDF/A does not have", "delete it")                 \
    X(APPEARANCE, "an annotation or field whose look is left to the viewer",                       \
      "print it to a new PDF")                                                                     \
    X(HIDDEN, "a hidden annotation or field", "delete it or print the document to a new PDF")      \
    X(XFA, "an XFA form", "print it to a new PDF")                                                 \
    X(ATTACHMENT, "attached files", "take them out first")                                         \
    X(SIGNATURE, "a digital signature, which the changes would break",                             \
      "have it signed again as PDF/A")

typedef enum qi_pdfa_obstacle {
#define QI_X(name, what, remedy) QI_PDFA_##name,
    QI_PDFA_OBSTACLES(QI_X)
#undef QI_X
        QI_N_PDFA_OBSTACLES
} qi_pdfa_obstacle;

/* Numbers other than 0. */
typedef struct qi_pdfa_set {
    uint64_t *slots;
    size_t n, capacity;
} qi_pdfa_set;

enum { QI_PDFA_DETAIL_BYTES = 40 };

typedef struct qi_pdfa_word {
    char s[128];
} qi_pdfa_word;

typedef struct qi_pdfa_found {
    qi_pdfa_obstacle what;
    uint32_t page;
    char detail[QI_PDFA_DETAIL_BYTES];
} qi_pdfa_found;

typedef struct qi_pdfa {
    qpdf_data q;
    uint32_t page;       /* that is looked at, from 1; 0: the document */
    uint32_t n_steps;    /* objects and operators */
    int intent_channels; /* of the output intent: 1, 3, 4 */
    bool has_icc_inks;   /* colours of a profile for inks, */
    bool overprints;     /* … and mode 1 of overprinting, which may not meet */
    bool has_signature, has_lzw;
    bool changed, failed; /* failed: for want of memory */
    qi_pdfa_set walked;   /* numbers of objects */
    qi_pdfa_set checked;  /* fonts, profiles and the like; forms twice the number, and 1 more where
                             they are shown invisible */
    qi_pdfa_found found[QI_N_PDFA_OBSTACLES]; /* the first of each kind, in order */
    size_t n_found;
} qi_pdfa;

/* pdfa.c: means of all. */
void qi_pdfa_refuse(qi_pdfa *a, qi_pdfa_obstacle what, const char *detail); /* detail may be NULL */
/* False when all there may be were taken, which is an obstacle. */
bool qi_pdfa_step(qi_pdfa *a);
bool qi_pdfa_set_add(qi_pdfa *a, qi_pdfa_set *set, uint64_t key); /* false: was in it */
/* Whether an object is checked for the first time; those without a number always are. */
bool qi_pdfa_is_new(qi_pdfa *a, qpdf_oh object);
void qi_pdfa_drop(qi_pdfa *a, qpdf_oh dict, const char *key); /* if it is there */
void qi_pdfa_put(qi_pdfa *a, qpdf_oh dict, const char *key, qpdf_oh value);
/* Of a dictionary or a stream's; null where there is none. */
qpdf_oh qi_pdfa_key(const qi_pdfa *a, qpdf_oh o, const char *key);
bool qi_pdfa_is_one_of(const qi_pdfa *a, qpdf_oh name, const char *const *list); /* NULL ends it */
/* A name without its slash, "" for what is none; cut where PDF/A refuses it anyway. */
qi_pdfa_word qi_pdfa_name(const qi_pdfa *a, qpdf_oh name);
bool qi_pdfa_is_true(const qi_pdfa *a, qpdf_oh o);
/* The keys of a dictionary, each with its NUL, the last with two; from malloc, NULL: none. */
char *qi_pdfa_keys(qi_pdfa *a, qpdf_oh dict);
qpdf_oh qi_pdfa_new_stream(qi_pdfa *a, const void *bytes, size_t n);

/* pdfa_objects.c: what holds of every object, wherever it is; from root on. */
void qi_pdfa_walk(qi_pdfa *a, qpdf_oh root);

/* pdfa_document.c */
void qi_pdfa_catalog(qi_pdfa *a);
void qi_pdfa_describe(qi_pdfa *a); /* the metadata */

/* pdfa_page.c */
void qi_pdfa_page(qi_pdfa *a, qpdf_oh page);

/* pdfa_annotation.c */
void qi_pdfa_annotations(qi_pdfa *a, qpdf_oh page);

/* pdfa_content.c: what content streams use, with their resources. */
void qi_pdfa_content(qi_pdfa *a, qpdf_oh resources, const uint8_t *bytes, size_t n_bytes);
/* A form's or a pattern's; outer: the resources of who shows it. */
void qi_pdfa_form(qi_pdfa *a, qpdf_oh form, qpdf_oh outer, bool is_invisible, int depth);
/* resources: of the glyph's font, or null. */
void qi_pdfa_glyph(qi_pdfa *a, qpdf_oh glyph, qpdf_oh resources, int depth);

/* pdfa_colour.c. resources may hold default colour spaces; 0: none. */
void qi_pdfa_intents(qi_pdfa *a);
void qi_pdfa_device(qi_pdfa *a, int n_channels, qpdf_oh resources);
void qi_pdfa_space(qi_pdfa *a, qpdf_oh space, qpdf_oh resources, int depth);

/* pdfa_image.c */
void qi_pdfa_image(qi_pdfa *a, qpdf_oh image, qpdf_oh resources, int depth);

/* pdfa_font.c: a font whose text is seen. */
void qi_pdfa_font(qi_pdfa *a, qpdf_oh font, int depth);

#endif
