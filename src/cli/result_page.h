/* One page out of a JSON result (schema quire/1, docs/json.md), as the library would hand it out.
 * The file comes from outside: what is not as the schema says is refused. One owner. */
#ifndef QI_CLI_RESULT_PAGE_H
#define QI_CLI_RESULT_PAGE_H

#include "base/arena.h"
#include "quire/quire.h"

typedef struct qi_result_page {
    char *document;  /* its name, printable as results have it */
    quire_page page; /* index, size, blocks, lines and words with their boxes; the rest is 0 */
    qi_arena arena;  /* holds all of it */
} qi_result_page;

/* number: the page's in its document, from 1; 0: the first that the result has. path "-": standard
 * input. USAGE: the result has no such page. PAGES: the page could not be read. NOT_FOUND,
 * NO_PERMISSION, IO, CORRUPT, UNSUPPORTED (another schema), TOO_LARGE, NO_MEMORY. */
quire_err qi_result_page_load(const char *path, uint32_t number, qi_result_page *ret_page,
                              quire_diag *diag);
void qi_result_page_done(qi_result_page *page);

#endif
