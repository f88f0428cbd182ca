/* The inside of the folder driver: the store, and what its two files (objects_folder.c,
 * objects_folder_sync.c) call of each other. Internally locked. */
#ifndef QI_STORE_OBJECTS_FOLDER_H
#define QI_STORE_OBJECTS_FOLDER_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/objects.h"

enum { QI_FOLDER_N_SHELVES = 256, QI_FOLDER_PATH_BYTES = QI_OBJECT_NAME_BYTES + 4 };

/* An object that has its name and may not be on the disk yet. */
typedef struct qi_folder_pending {
    struct qi_folder_pending *next;
    char name[QI_OBJECT_NAME_BYTES];
    int fd;    /* kept open, for only so is every error of writing it told; -1: synced in vain */
    int error; /* the errno of its sync, from which it does not recover */
} qi_folder_pending;

typedef struct qi_folder {
    qi_objects base;
    char *path; /* for messages */
    int fd;
    atomic_uint n_named;
    pthread_mutex_t syncing; /* held while one syncs; taken before lock */
    pthread_mutex_t lock;    /* of what follows */
    qi_folder_pending *pending;
    size_t n_open;                   /* descriptors of pending objects */
    bool dirty[QI_FOLDER_N_SHELVES]; /* names in it have changed */
} qi_folder;

/* The path of an object below the store. False: that is no name. */
bool qi_folder_object_path(const char *name, char ret_path[QI_FOLDER_PATH_BYTES]);
uint32_t qi_folder_shelf(const char *name);

/* Gives the file fd, a whole object at from, its name, and notes that it is to be synced. fd is the
 * store's from then on, also on failure. 0 or the errno. */
int qi_folder_shelve(qi_folder *folder, int fd, const char *from, const char *name);
/* Removes an object, and forgets that it was to be synced. 0 or the errno. */
int qi_folder_unshelve(qi_folder *folder, const char *name);
quire_err qi_folder_sync(qi_objects *objects, quire_diag *diag);

#endif
