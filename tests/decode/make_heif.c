/* Encodes a binary PPM (P6, 255) losslessly, but for the change of colours, as HEIC or AVIF, for
 * the tests: no other program of Debian's that writes them is needed then.
 *
 *     make_heif hevc|av1 IN.ppm OUT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libheif/heif.h>

static void check(struct heif_error e) {
    if (!e.code) return;
    fprintf(stderr, "make_heif: %s\n", e.message);
    exit(1);
}

int main(int argc, char **argv) {
    int width, height;
    FILE *f = argc == 4 ? fopen(argv[2], "rb") : NULL;
    if (!f || fscanf(f, "P6 %d %d 255", &width, &height) != 2 || fgetc(f) == EOF) return 2;
    struct heif_image *image;
    check(
        heif_image_create(width, height, heif_colorspace_RGB, heif_chroma_interleaved_RGB, &image));
    check(heif_image_add_plane(image, heif_channel_interleaved, width, height, 24));
    int stride;
    uint8_t *px = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < height; y++)
        if (fread(px + (size_t)y * (size_t)stride, 3, (size_t)width, f) != (size_t)width) return 2;
    fclose(f);
    struct heif_context *context = heif_context_alloc();
    struct heif_encoder *encoder;
    bool av1 = strcmp(argv[1], "av1") == 0;
    check(heif_context_get_encoder_for_format(
        context, av1 ? heif_compression_AV1 : heif_compression_HEVC, &encoder));
    heif_encoder_set_lossy_quality(encoder, 95);
    check(heif_context_encode_image(context, image, encoder, NULL, NULL));
    check(heif_context_write_to_file(context, argv[3]));
    heif_encoder_release(encoder);
    heif_image_release(image);
    heif_context_free(context);
    return 0;
}
