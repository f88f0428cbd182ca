/* At which resolution a page is to be drawn so that it reads as well as it can, and no finer: that
 * of its images, and what the size of its text asks for. */
#ifndef QI_HELPER_PDF_RESOLUTION_H
#define QI_HELPER_PDF_RESOLUTION_H

#include "decode/helper/pdf_content.h"

#define QI_PDF_DPI 300.0 /* of a page of which nothing is known */

/* area_pt2: of the page, in points². */
double qi_pdf_resolution(qpdf_data q, qpdf_oh page, const qi_pdf_content *content, double area_pt2);

#endif
