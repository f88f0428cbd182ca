/* Places for databases: a new folder for each and its log alone. And work in child processes. */
#ifndef TESTS_STORE_SQLITE_PLACE_H
#define TESTS_STORE_SQLITE_PLACE_H

#include "records_suite.h"

/* where: the path of a file that is not there yet. */
void sqlite_place_make(char *ret_where, size_t n_bytes);
void sqlite_place_remove(const char *where); /* the folder with all that is in it */

/* The folder that a database lies in. */
void sqlite_place_folder(const char *where, char *ret_folder, size_t n_bytes);

/* Runs work in a child, without the open connections; the number that it returns. */
int in_child(records_case *c, int (*work)(records_case *c));
/* For a child: becomes a user without rights. */
bool become_nobody(void);

#endif
