/* Replays a fuzz corpus without libFuzzer: every file of the folders given is handed to the target
 * as it is, then cut short at many lengths, then with bytes changed by a fixed generator. A crash,
 * a sanitizer report or a hang fails the test; so does an empty corpus, which would test nothing.
 * Deterministic: the same corpus gives the same inputs everywhere. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_CUTS = 64, MAX_MUTATIONS = 256 };
static const double MAX_SECONDS_PER_SEED = 2.0;

static uint64_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The target sees a heap copy of exactly size bytes, so that a sanitizer notices a read past it. */
static void run_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return;
    if (size) memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static unsigned replay_seed(uint8_t *data, size_t size) {
    double end = seconds_now() + MAX_SECONDS_PER_SEED;
    unsigned n = 1;
    run_copy(data, size);
    size_t step = size / MAX_CUTS + 1;
    for (size_t cut = 0; cut < size && seconds_now() < end; cut += step, n++)
        run_copy(data, cut);
    uint64_t state = size;
    for (int i = 0; i < MAX_MUTATIONS && size && seconds_now() < end; i++, n++) {
        static const uint8_t extremes[] = {0x00, 0xff, 0x7f, 0x80};
        size_t at = next_random(&state) % size;
        uint64_t what = next_random(&state);
        size_t run = what % 8 ? 1 : 4; /* whole 32-bit fields now and then */
        if (run > size - at) run = size - at;
        uint8_t saved[4];
        memcpy(saved, data + at, run);
        memset(data + at, what & 16 ? extremes[what >> 5 & 3] : (int)(what >> 8 & 255), run);
        run_copy(data, size);
        memcpy(data + at, saved, run);
    }
    return n;
}

static uint8_t *read_file(const char *path, size_t *ret_size) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *data = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (data && fread(data, 1, (size_t)size, f) != (size_t)size) {
        free(data);
        data = NULL;
    }
    fclose(f);
    if (data) *ret_size = (size_t)size;
    return data;
}

int main(int argc, char **argv) {
    unsigned n_seeds = 0, n_inputs = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **names = NULL;
        int n = scandir(argv[i], &names, NULL, alphasort);
        for (int j = 0; j < n; j++) {
            char path[4096];
            size_t size = 0;
            snprintf(path, sizeof path, "%s/%s", argv[i], names[j]->d_name);
            uint8_t *data = names[j]->d_type == DT_REG ? read_file(path, &size) : NULL;
            free(names[j]);
            if (!data) continue;
            fprintf(stderr, "%s\n", path); /* the last one printed is the one that crashed */
            n_inputs += replay_seed(data, size);
            n_seeds++;
            free(data);
        }
        free(names);
    }
    printf("%u seeds, %u inputs\n", n_seeds, n_inputs);
    return n_seeds ? 0 : 1;
}
