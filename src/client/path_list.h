/* A list of paths, first in, first out. {0} is empty. One owner at a time. */
#ifndef QI_CLIENT_PATH_LIST_H
#define QI_CLIENT_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct qi_path_entry qi_path_entry;

typedef struct qi_path_list {
    qi_path_entry *first, *last;
    size_t n;
} qi_path_list;

/* Copies the path. False: no memory. */
bool qi_path_list_push(qi_path_list *list, const char *path);
/* The caller's, to be freed; NULL: there is none. */
char *qi_path_list_take(qi_path_list *list);
void qi_path_list_clear(qi_path_list *list);

#endif
