/* The search for model files, see model_files.h. */
#include "model/model_files.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/traineddata.h"

static const char *const debian_folders[] = {
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    NULL,
};

const char *const *qi_model_folders(void) {
    return debian_folders;
}

/* Letters, digits, - and _, with / between (as in script/Latin): no way out of the folder. */
static bool is_language(const char *s) {
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/");
    return n && n < 64 && !s[n] && *s != '/';
}

static quire_err path_in(const char *folder, const char *language, char **ret_path,
                         quire_diag *diag) {
    if (asprintf(ret_path, "%s/%s.traineddata", folder, language) < 0)
        return qi_fail(diag, QUIRE_ERR_NO_MEMORY, "no memory for a path");
    return QUIRE_ERR_OK;
}

quire_err qi_model_find(const char *language, const char *model_dir, char **ret_path,
                        quire_diag *diag) {
    char shown[200], package[100];
    if (!is_language(language))
        return qi_fail(diag, QUIRE_ERR_USAGE,
                       "\"%s\" is not the name of a language; names are like eng, deu or chi_sim",
                       qi_printable(shown, sizeof shown, language));
    const char *given = model_dir ? model_dir : getenv("TESSDATA_PREFIX");
    const char *one[] = {given, NULL};
    const char *const *folder = given && *given ? one : debian_folders;
    for (const char *const *f = folder; *f; f++) {
        char *path;
        quire_err err = path_in(*f, language, &path, diag);
        if (err) return err;
        if (!access(path, F_OK)) {
            *ret_path = path;
            return QUIRE_ERR_OK;
        }
        free(path);
    }
    return qi_fail(diag, QUIRE_ERR_MODEL_MISSING,
                   "no model for the language %s in %s; install it with: sudo apt-get install %s",
                   language, qi_printable(shown, sizeof shown, *folder),
                   qi_model_package(package, sizeof package, language));
}
