/* The gaps of word_gaps.h. */
#include "ocr/word_gaps.h"

#include <math.h>
#include <string.h>

enum {
    WIDEST = 63, /* gaps are counted up to so many pixels of the scaled line */
    MIN_SPACES = 2,
    LEAST_PART = 8 /* of the picture's height, at least */
};

/* Of the median of the line's spaces, at least; TeX's narrowest has half the width of a space.
 * Letters may be spaced themselves. */
static const float space_share = 0.6f, letters_share = 0.75f;
/* Of the median, what most spaces have: where words are underlined, or touch, gaps say nothing. */
static const float alike_share = 0.5f;
/* Times the median of what lies between letters, at least. */
static const float letter_times = 2.5f;

typedef struct gap {
    uint32_t at, width;
} gap;

/* The widest blank between ink in the columns [from, to). */
static gap widest_gap(const qi_line_picture *p, int64_t from, int64_t to) {
    gap widest = {0, 0};
    int64_t last = -1; /* column with ink */
    for (int64_t x = from < 0 ? 0 : from; x < to && x < p->grey->width; x++) {
        if (!p->ink[x]) continue;
        if (last >= 0 && x - last - 1 > widest.width)
            widest = (gap){(uint32_t)last + 1, (uint32_t)(x - last - 1)};
        last = x;
    }
    if (widest.width > WIDEST) widest.width = WIDEST;
    return widest;
}

/* The gap between c and the character before it; of a space the one between what it parts. What the
 * network reads a character from may lie a step beside it, beside a space more. */
static gap gap_before(const qi_beam_char *c, const qi_line_picture *p) {
    const qi_beam_char *a = c - 1;
    if (a->character == QI_CHAR_SPACE)
        return widest_gap(p, (int64_t)a[-1].start * p->step_px, (int64_t)c->end * p->step_px);
    int64_t from = ((int64_t)a->start + a->end) * p->step_px / 2;
    int64_t to = ((int64_t)c->start + c->end) * p->step_px / 2;
    return widest_gap(p, from - p->step_px, to + p->step_px);
}

/* Whether c has letters before it, or a space with some before that. */
static bool has_gap(const qi_beam_line *line, uint32_t i) {
    const qi_beam_char *c = line->chars;
    if (i < 1 || i >= line->n_chars || c[i].character == QI_CHAR_SPACE) return false;
    return c[i - 1].character != QI_CHAR_SPACE || (i > 1 && c[i - 2].character != QI_CHAR_SPACE);
}

/* Is the gap before the i-th character also found before one of its neighbours? Then it is likely
 * theirs: the network read the line from places that lie further off. */
static bool is_shared(const qi_beam_line *line, uint32_t i, const qi_line_picture *p) {
    gap here = gap_before(&line->chars[i], p);
    for (uint32_t k = i > 2 ? i - 2 : 1; k <= i + 2; k++)
        if (k != i && has_gap(line, k)) {
            gap there = gap_before(&line->chars[k], p);
            if (there.width && there.at == here.at) return true;
        }
    return false;
}

/* The width that a share of the n gaps does not exceed. */
static float quantile(const uint32_t counts[WIDEST + 1], uint32_t n, float share) {
    uint32_t at = 0;
    for (uint32_t sum = counts[0]; (float)sum <= share * (float)n && at < WIDEST;)
        sum += counts[++at];
    return (float)at;
}

/* Marks that go with what is before them, and with what follows. They are narrow, so that much
 * blank paper beside them does not part words. */
static const char closing[] = " , . ; : ! ? ) ] % ' \" ’ ” » - ‐ – ";
static const char opening[] = " ( [ $ # ' \" ’ ‘ “ « - ‐ – ";

static bool is_one_of(const char *list, const qi_charset *charset, uint32_t character) {
    const char *text = qi_charset_text(charset, character);
    size_t n = strlen(text);
    for (const char *at = list; (at = strstr(at, text)); at++)
        if (at > list && at[-1] == ' ' && at[n] == ' ') return true;
    return false;
}

/* Whether words may be parted between c and the character before it; is_third: there is one more
 * before these. Digits stand equally far apart, however narrow, so that there may be much room
 * within a number. */
static bool may_part(const qi_charset *charset, const qi_beam_char *c, bool is_third) {
    uint32_t before = c[-1].character, after = c->character;
    const qi_char *a = &charset->chars[before], *b = &charset->chars[after];
    if (!a->is_spaced || !b->is_spaced) return false;
    if (b->is_digit && (a->is_digit || (is_third && charset->chars[c[-2].character].is_digit &&
                                        is_one_of(closing, charset, before))))
        return false;
    return !is_one_of(closing, charset, after) && !is_one_of(opening, charset, before);
}

static bool are_letters(const qi_charset *charset, const qi_beam_char *c) {
    return charset->chars[c[-1].character].direction == QI_DIRECTION_LEFT &&
           charset->chars[c->character].direction == QI_DIRECTION_LEFT;
}

void qi_word_gaps_find(const qi_beam_line *line, const qi_charset *charset,
                       const qi_line_picture *picture, uint8_t *parted) {
    uint32_t spaces[WIDEST + 1] = {0}, letters[WIDEST + 1] = {0}, n_spaces = 0, n_letters = 0;
    const qi_beam_char *c = line->chars;
    memset(parted, 0, line->n_chars);
    if (charset->right_to_left) return;
    for (uint32_t i = 1; i < line->n_chars; i++) {
        if (!has_gap(line, i)) continue;
        uint32_t width = gap_before(&c[i], picture).width;
        bool in_word = c[i - 1].character != QI_CHAR_SPACE;
        (in_word ? letters : spaces)[width]++;
        n_letters += in_word;
        n_spaces += !in_word;
        if (in_word && may_part(charset, &c[i], i > 1)) parted[i] = (uint8_t)width;
    }
    float space = quantile(spaces, n_spaces, 0.5f);
    float least = fmaxf(letter_times * quantile(letters, n_letters, 0.5f),
                        (float)picture->grey->height / LEAST_PART);
    bool alike = quantile(spaces, n_spaces, 0.25f) > alike_share * space;
    for (uint32_t i = 0; i < line->n_chars; i++) {
        float width = parted[i];
        parted[i] = alike && n_spaces >= MIN_SPACES && width > 0 && width >= least &&
                    width >= (are_letters(charset, &c[i]) ? letters_share : space_share) * space &&
                    !is_shared(line, i, picture);
    }
}
