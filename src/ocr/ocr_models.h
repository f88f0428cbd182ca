/* The models of a reader and one thread's scratch for them: what page jobs share. */
#ifndef QI_OCR_OCR_MODELS_H
#define QI_OCR_OCR_MODELS_H

#include "ocr/line_reader.h"
#include "ocr/page_job.h"

struct qi_ocr {
    uint32_t n_models;
    qi_line_model *models[QI_OCR_MAX_MODELS];
    quire_model_info info[QI_OCR_MAX_MODELS];
};

struct qi_ocr_session {
    qi_line_reader *readers[QI_OCR_MAX_MODELS];
    qi_arena scratch;
};

#endif
