/* Whole numbers of PDF's dictionaries. */
#ifndef QI_HELPER_PDF_INTEGER_H
#define QI_HELPER_PDF_INTEGER_H

#include <qpdf/qpdf-c.h>

/* The number that dict has by this key, or otherwise, also where dict is none. The handle it makes
 * is released with the page's. */
static inline long long qi_pdf_integer(qpdf_data q, qpdf_oh dict, const char *key,
                                       long long otherwise) {
    long long v;
    return qpdf_oh_is_dictionary(q, dict) &&
                   qpdf_oh_get_value_as_longlong(q, qpdf_oh_get_key(q, dict, key), &v)
               ? v
               : otherwise;
}

#endif
