/* Makes a PDF that qpdf holds one of PDF/A-2b (ISO 19005-2, level B), if its content allows that.
 *
 * What is changed does not change what pages show: actions that PDF/A forbids, thumbnails of
 * metadata, hints for printers and the like are left out, marks that it wants are set, metadata and
 * an output intent (sRGB, unless the document has its own) are put in. What would have to be made
 * anew (fonts, colours of inks, appearances) is an obstacle, and refused by name.
 *
 * Not looked at: the programs of fonts beyond the table of characters of TrueType (widths, glyphs
 * that are not there), the data of images beyond the head of JPEG 2000, and XMP, which is replaced.
 *
 * Hostile data: objects and operators looked at are counted, streams read are bounded, and what
 * exceeds that is refused. One owner at a time. Only in quire-decode-pdf. */
#ifndef QI_HELPER_PDFA_H
#define QI_HELPER_PDFA_H

#include <qpdf/qpdf-c.h>
#include <stdbool.h>

#include "base/err.h"

typedef struct qi_pdfa_result {
    bool changed; /* false: it is PDF/A-2b as it is, if it says so */
    bool has_lzw; /* streams must be decoded and coded anew when it is written */
} qi_pdfa_result;

/* Changes q, which is to be written anew then. must_change: it is for other reasons too.
 * UNSUPPORTED: text names the obstacles, with their pages, and a remedy; q is spoilt then.
 * NO_MEMORY. */
quire_err qi_pdfa_make(qpdf_data q, bool must_change, qi_pdfa_result *ret_result, quire_diag *diag);

#endif
