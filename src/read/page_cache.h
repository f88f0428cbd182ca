/* Pages that were read a while ago, so that one that comes again (a blank back, a form's sheet, the
 * same file twice) is not read again: from the pixels and what else reading depends on to a copy of
 * the result. For pages read from pixels alone, of one reader. The newest are kept, in bounded
 * memory. Internally locked. */
#ifndef QI_READ_PAGE_CACHE_H
#define QI_READ_PAGE_CACHE_H

#include "decode/decoder.h"
#include "image/fingerprint.h"
#include "ocr/page_job.h"

typedef struct qi_page_cache qi_page_cache;

/* What a page's result depends on, but for the options, which are the reader's. The
 * helper is one of them: it can still write to the pixels when their fingerprint was taken, and one
 * that was taken over must not have a say in what others decode. */
typedef struct qi_page_key {
    qi_fingerprint pixels;
    uint32_t width_px, height_px;
    float dpi;        /* 0: not known */
    quire_box region; /* of the page, that is read */
    qi_model_set models;
    qi_helper_id helper;
} qi_page_key;

/* Keeps results of n_bytes together. secret is borrowed. NO_MEMORY. */
quire_err qi_page_cache_new(uint64_t n_bytes, const qi_secret *secret, qi_page_cache **ret_cache);
void qi_page_cache_free(qi_page_cache *cache);

qi_page_key qi_page_cache_key(const qi_page_cache *cache, const qi_decoded *page, float dpi,
                              const quire_request *request, const qi_model_set *models);

/* A copy of a page's result as of qi_page_copy, without index and times. False: the page is not
 * known, or there is no memory for the copy. */
bool qi_page_cache_find(qi_page_cache *cache, const qi_page_key *key, quire_page *ret_page,
                        void **ret_storage, size_t *ret_bytes);
/* Keeps a copy of a page that has no error, if there is memory for it. */
void qi_page_cache_add(qi_page_cache *cache, const qi_page_key *key, const quire_page *page);

#endif
