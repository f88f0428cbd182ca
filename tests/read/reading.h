/* Reading fake documents and writing down what comes out, one line an item:
 *   D name pages        P name page lines-or-error      E name error failed
 * A page's lines are checked on the way. */
#ifndef QI_TESTS_READING_H
#define QI_TESTS_READING_H

#include "base/strbuf.h"
#include "quire/quire.h"

/* A reader over fakes; options NULL: it reads all anew. Fails the test when it does not open. */
quire_reader *open_reader(uint32_t jobs, const quire_options *options);

/* Closes, and fails the test when anything was left or the fakes saw a breach. */
void close_reader(quire_reader *reader, uint32_t jobs);

void add(quire_reader *reader, const char *name, const char *script);
void add_request(quire_reader *reader, const char *name, const char *script,
                 const quire_request *request);
void add_pages(quire_reader *reader, const char *name, const char *script, const char *pages);

/* Takes items until IDLE. */
void transcribe(quire_reader *reader, qi_strbuf *out);
void transcribe_item(const quire_item *item, qi_strbuf *out);

/* Transcribes, closes the reader, and compares. */
void expect(quire_reader *reader, uint32_t jobs, const char *transcript);

#endif
