/* What a fake document does (see fakes.h), and how that travels in a page's pixels. */
#ifndef QI_TESTS_FAKE_SCRIPT_H
#define QI_TESTS_FAKE_SCRIPT_H

typedef struct fake_script {
    unsigned long pages, w, h, lines, width, bytes, bad, dies, hangs, badbits, nolayout, turned;
    unsigned long decode_us, layout_us, line_us, openfails, noembed, held, text, copies;
    unsigned long helper, started, noimage, image;
} fake_script;

typedef struct fake_pixels {
    unsigned long page; /* 0 where all pages are copies of one */
    fake_script script;
    char name[256];
} fake_pixels;

#endif
