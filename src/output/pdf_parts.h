/* What the files of the PDF writer share: the file as it grows, the font without glyphs, the text
 * layer. One owner at a time. Source: ISO 32000-1 (PDF 1.7). */
#ifndef QI_OUTPUT_PDF_PARTS_H
#define QI_OUTPUT_PDF_PARTS_H

#include <nettle/sha2.h>

#include "base/strbuf.h"
#include "quire/quire.h"

/* pdf_objects.c: objects and where they are. */
typedef struct qi_pdf_object {
    uint32_t number, generation;
    uint64_t at;
} qi_pdf_object;

typedef struct qi_pdf_file {
    uint64_t n_before; /* bytes written before those in the byte string at hand */
    qi_pdf_object *objects;
    size_t n_objects, capacity;
    uint32_t next_object;
    struct sha256_ctx hash;
    bool failed; /* memory ran out */
} qi_pdf_file;

/* What the file ends with. */
typedef struct qi_pdf_trailer {
    uint32_t root, root_generation, info, info_generation; /* info 0: none */
    bool is_update;
    uint64_t previous_xref; /* of an update */
    bool xref_stream;
    const uint8_t *first_id; /* NULL: the same as the second */
    size_t n_first_id;
} qi_pdf_trailer;

void qi_pdf_file_init(qi_pdf_file *file, uint32_t first_object);
void qi_pdf_file_done(qi_pdf_file *file);
/* Takes note of what is in out, which the caller then hands on and clears. */
void qi_pdf_file_count(qi_pdf_file *file, const qi_strbuf *out);
uint32_t qi_pdf_number(qi_pdf_file *file); /* of an object to come */
void qi_pdf_begin(qi_pdf_file *file, qi_strbuf *out, uint32_t number, uint32_t generation);
void qi_pdf_end(qi_strbuf *out);
/* A whole stream object; keys of its dictionary but Length. deflated: compressed on the way, and
 * the filter named. */
void qi_pdf_stream(qi_pdf_file *file, qi_strbuf *out, uint32_t number, const char *keys,
                   const void *bytes, size_t n, bool deflated);
void qi_pdf_finish(qi_pdf_file *file, qi_strbuf *out, const qi_pdf_trailer *trailer);

/* pdf_font.c: a font of no glyphs. A code stands for a character of the document, in the order they
 * occurred; what it means is in the font's ToUnicode. */
typedef struct qi_pdf_font {
    uint16_t *codes[0x1100]; /* of 256 characters each; 0: has none */
    uint32_t *characters;    /* of codes 1… */
    uint32_t n, capacity;
    bool failed;
} qi_pdf_font;

#define QI_PDF_FONT_ASCENT  0.85 /* of the font's size */
#define QI_PDF_FONT_ADVANCE 0.5

void qi_pdf_font_done(qi_pdf_font *font);
uint16_t qi_pdf_font_code(qi_pdf_font *font, uint32_t character);
void qi_pdf_font_write(const qi_pdf_font *font, qi_pdf_file *file, qi_strbuf *out, uint32_t number);

/* pdf_text.c: the words of a page as invisible text, but those whose middle is covered; none where
 * most are. to_points: as in quire_pdf_page. Whether there are any. */
bool qi_pdf_text(qi_strbuf *out, const quire_page *page, const char *font_name,
                 const double to_points[6], const quire_pdf_page *covered, qi_pdf_font *font);

#define QI_PDF_PRODUCER "Quire " QUIRE_VERSION

#endif
