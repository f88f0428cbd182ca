/* The list of path_list.h. */
#include "client/path_list.h"

#include <stdlib.h>
#include <string.h>

struct qi_path_entry {
    qi_path_entry *next;
    char *path;
};

bool qi_path_list_push(qi_path_list *l, const char *path) {
    qi_path_entry *entry = malloc(sizeof *entry);
    char *copy = strdup(path);
    if (!entry || !copy) {
        free(entry);
        free(copy);
        return false;
    }
    *entry = (qi_path_entry){NULL, copy};
    if (l->last)
        l->last->next = entry;
    else
        l->first = entry;
    l->last = entry;
    l->n++;
    return true;
}

char *qi_path_list_take(qi_path_list *l) {
    qi_path_entry *entry = l->first;
    if (!entry) return NULL;
    char *path = entry->path;
    l->first = entry->next;
    if (!l->first) l->last = NULL;
    l->n--;
    free(entry);
    return path;
}

void qi_path_list_clear(qi_path_list *l) {
    for (char *path; (path = qi_path_list_take(l)) != NULL;)
        free(path);
}
