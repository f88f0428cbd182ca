/* The alphabet; see stroke_font.h. A glyph is strokes parted by blanks, a stroke is points, a point
 * two digits: units from the left and from the top of capitals, so that the baseline is 6. */
#include "cli/stroke_font.h"

#include <string.h>

#include "base/utf8.h"

enum { BASELINE = 6, GAP = 2, SPACE = 3, FIRST_ASCII = 0x21, FIRST_LATIN = 0xC0 };

static const char *const ascii[] = {
    // clang-format off
    "0004 06", "0002 2022", "1115 3135 0242 0444", "413010010213334445361605 2026",
    "4006 0010110100 3545463635", "4612112031320405162644", "0002", "10010516",
    "00111506", "2125 0244 4204", "2125 0343", "151607",
    "0434", "06", "3006", "103041453616050110 3115",
    "112026 1636", "01103041420646", "0110304142334445361605 1333", "36300444",
    "400002324345361605", "4130100105163645443303", "004016", "103041423313020110 1304051636454433",
    "0516364541301001021343", "03 06", "13 151607", "310335",
    "0232 0434", "013305", "01102031322314 16", "461605011030414434322213142534",
    "0602204246 0444", "00063645443303 0030414233", "4130100105163645", "00062644422000",
    "40000646 0333", "400006 0333", "41301001051636454323", "0006 4046 0343",
    "0020 1016 0626", "3035261605", "0006 400346", "000636",
    "0600234046", "06004640", "103041453616050110", "06003041423303",
    "103041453616050110 2446", "06003041423303 2346", "413010010213334445361605", "0040 2026",
    "000516364540", "002640", "0016223640", "0046 4006",
    "002340 2326", "00400646", "10000616", "0036",
    "00101606", "021022", "0747", "0011",
    "02223336 341405162635", "0006 0312223335261605", "3322120305162635", "3036 3322120305162635",
    "04343322120305162635", "201116 0222", "3237281807 3322120305162635", "0006 0312223336",
    "0206 00", "121708 10", "0006 320436", "000516",
    "0602 03122326 23324346", "0602 0312223336", "122233352616050312", "0208 0312223335261605",
    "3238 3322120305162635", "0602 031222", "3212031424352606", "101526 0222",
    "0205162635 3236", "021622", "0216233642", "0236 3206",
    "0216 3208", "02320636", "20111203141526", "0007",
    "00111223141506", "03122433",
    // clang-format on
};

/* U+00C0 to U+00FF: a letter and a mark, or blanks for a glyph of its own. */
static const char latin[] = "A`A'A^A~A:A*  C,E`E'E^E:I`I'I^I:  N~O`O'O^O~O:    U`U'U^U:Y'    "
                            "a`a'a^a~a:a*  c,e`e'e^e:i`i'i^i:  n~o`o'o^o~o:    u`u'u^u:y'  y:";

/* Marks lie over small letters two units wide; all but the cedilla two units higher over capitals.
 */
static const struct {
    char name;
    const char *strokes;
} marks[] = {{'`', "0021"},  {'\'', "0120"},      {'^', "011021"}, {'~', "01001120"},
             {':', "00 20"}, {'*', "0020210100"}, {',', "161708"}};

static const struct {
    uint32_t code;
    const char *strokes;
} others[] = {
    // clang-format off
    {0xA1, "02 0408"},
    {0xA3, "312011150636 0323"},
    {0xA9, "103041453616050110 3222142434"},
    {0xAB, "220426 422446"},
    {0xB0, "1021120110"},
    {0xB7, "14"},
    {0xBB, "022406 224426"},
    {0xBF, "12 1405071828"},
    {0xC6, "0620 2050 2026 2656 2343 1424"},
    {0xD0, "00062644422000 0323"},
    {0xD7, "0236 3206"},
    {0xD8, "103041453616050110 0640"},
    {0xDE, "0006 013142433404"},
    {0xDF, "060110203122 2233352616"},
    {0xE6, "022226 24040626 22424424 2646"},
    {0xF0, "122233352616050312 1033 1120"},
    {0xF7, "0343 21 25"},
    {0xF8, "122233352616050312 0632"},
    {0xFE, "0008 0312223335261605"},
    {0x2013, "0434"},
    {0x2014, "0454"},
    {0x2018, "100112"},
    {0x2019, "101102"},
    {0x201A, "151607"},
    {0x201C, "100112 302132"},
    {0x201D, "101102 303122"},
    {0x201E, "151607 353627"},
    {0x2022, "1333351513"},
    {0x2026, "06 26 46"},
    {0x20AC, "4130100105163645 0232 0434"},
    // clang-format on
};

static const char empty_box[] = "0040460600";

typedef struct glyph {
    const char *strokes; /* "" for a space */
    const char *mark;    /* NULL: none */
    double width, mark_x, mark_y;
} glyph;

static double width_of(const char *strokes) {
    int width = 0;
    for (const char *p = strokes; *p; p += *p == ' ' ? 1 : 2)
        if (*p != ' ' && *p - '0' > width) width = *p - '0';
    return width;
}

static const char *mark_of(char name) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i].name == name) return marks[i].strokes;
    return NULL;
}

static glyph glyph_of(uint32_t code) {
    glyph g = {.strokes = empty_box};
    if (code == ' ' || code == 0xA0) return (glyph){.strokes = "", .width = SPACE - GAP};
    if (code >= FIRST_ASCII && code < FIRST_ASCII + sizeof ascii / sizeof *ascii) {
        g.strokes = ascii[code - FIRST_ASCII];
    } else if (code >= FIRST_LATIN && code <= 0xFF && latin[2 * (code - FIRST_LATIN)] != ' ') {
        const char *pair = latin + 2 * (code - FIRST_LATIN);
        g.strokes = ascii[*pair - FIRST_ASCII];
        g.mark = mark_of(pair[1]);
        g.mark_x = width_of(g.strokes) / 2 - 1;
        g.mark_y = *pair <= 'Z' && pair[1] != ',' ? -2 : 0;
    } else {
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (others[i].code == code) g.strokes = others[i].strokes;
    }
    g.width = width_of(g.strokes);
    return g;
}

/* The next character's glyph; what is no UTF-8 is an empty box, byte by byte. */
static glyph next_glyph(const char **text, size_t *n_left) {
    uint32_t code = 0;
    size_t n = qi_utf8_decode(*text, *n_left, &code);
    *text += n ? n : 1;
    *n_left -= n ? n : 1;
    return glyph_of(n ? code : 0);
}

double qi_font_width(const char *text) {
    double width = 0;
    for (size_t n = strlen(text); n;)
        width += next_glyph(&text, &n).width + GAP;
    return width > 0 ? width - GAP : 0;
}

static qi_point place(const qi_text_frame *f, double x, double y) {
    return (qi_point){f->at.x + x * f->right.x + y * f->down.x,
                      f->at.y + x * f->right.y + y * f->down.y};
}

static void draw_strokes(qi_canvas *canvas, const char *p, const qi_text_frame *frame, double x,
                         double y, double stroke_px, qi_colour colour) {
    while (*p) {
        qi_point from = place(frame, x + p[0] - '0', y + p[1] - '0' - BASELINE);
        if (p[2] == ' ' || !p[2]) qi_canvas_stroke(canvas, from, from, stroke_px * 1.4, colour);
        for (p += 2; *p && *p != ' '; p += 2) {
            qi_point to = place(frame, x + p[0] - '0', y + p[1] - '0' - BASELINE);
            qi_canvas_stroke(canvas, from, to, stroke_px, colour);
            from = to;
        }
        if (*p) p++;
    }
}

/* An i under a mark has no dot, which is its second stroke. */
static const char dotless_i[] = "0206";

void qi_font_draw(qi_canvas *canvas, const char *text, const qi_text_frame *frame, double stroke_px,
                  qi_colour colour) {
    double x = 0;
    for (size_t n = strlen(text); n;) {
        glyph g = next_glyph(&text, &n);
        if (g.mark && g.strokes == ascii['i' - FIRST_ASCII]) g.strokes = dotless_i;
        draw_strokes(canvas, g.strokes, frame, x, 0, stroke_px, colour);
        if (g.mark) draw_strokes(canvas, g.mark, frame, x + g.mark_x, g.mark_y, stroke_px, colour);
        x += g.width + GAP;
    }
}
