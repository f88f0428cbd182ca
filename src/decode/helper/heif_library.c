/* Loads libheif; see heif_library.h. */
#include "decode/helper/heif_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

static void *nothing(void *argument) {
    return argument;
}

/* The first thread of a process sets a signal handler, which the sandbox forbids. */
static bool first_thread(void) {
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

bool qi_heif_library_load(qi_heif_library *ret_library) {
    void *file = dlopen("libheif.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!file) return false;
    qi_heif_library l;
#define QI_X(name)                                                                                 \
    *(void **)&l.name = dlsym(file, #name);                                                        \
    if (!l.name) return false;
    QI_HEIF_FUNCTIONS(QI_X)
#undef QI_X
    struct heif_context *context = l.heif_context_alloc();
    if (!context || !first_thread()) return false;
    l.heif_context_free(context);
    *ret_library = l;
    return true;
}
