/* Turning a line into reading order; see line_order.h. */
#include "ocr/line_order.h"

typedef enum word_direction { neutral, leftward, rightward, mixed } word_direction;

typedef struct line {
    const qi_path_char *chars;
    const qi_path_word *words;
    uint32_t n;
    const qi_charset *charset;
    const qi_line_order *order;
} line;

static uint8_t class_of(const line *l, uint32_t i) {
    return l->charset->chars[l->chars[i].c.character].direction;
}

/* rightward: it runs from left to right. */
static word_direction direction_of(const line *l, uint32_t word) {
    bool left = false, right = false;
    const qi_path_word *w = &l->words[word];
    for (uint32_t i = w->first; i < w->first + w->n; i++) {
        uint8_t c = class_of(l, i);
        left |= c == QI_DIRECTION_RIGHT || c == QI_DIRECTION_RIGHT_ARABIC;
        right |= c == QI_DIRECTION_LEFT || c == QI_DIRECTION_ARABIC_NUMBER;
    }
    return left && right ? mixed : left ? leftward : right ? rightward : neutral;
}

/* By the first word from the left, the last one, or the majority. */
static bool line_is_rightward(const line *l) {
    if (direction_of(l, 0) == leftward) return false;
    if (direction_of(l, l->n - 1) == rightward) return true;
    uint32_t n_left = 0, n_right = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        word_direction d = direction_of(l, i);
        n_left += d == leftward;
        n_right += d == rightward;
    }
    return n_right >= n_left;
}

/* ---- characters of a word within text that runs to the left --------------------------------- */

static bool is_european(uint8_t c) {
    return c == QI_DIRECTION_NUMBER;
}

/* Separators within a number, and signs before or after one, belong to it. */
static void join_numbers(uint8_t *c, uint32_t n) {
    for (uint32_t i = 0; i + 2 < n; i++)
        if (is_european(c[i]) && is_european(c[i + 2]) &&
            (c[i + 1] == QI_DIRECTION_NUMBER_SEPARATOR ||
             c[i + 1] == QI_DIRECTION_COMMON_SEPARATOR))
            c[i + 1] = QI_DIRECTION_NUMBER;
    for (uint32_t i = 0; i < n;) {
        if (c[i] != QI_DIRECTION_NUMBER_TERMINATOR) {
            i++;
            continue;
        }
        uint32_t end = i;
        while (end < n && c[end] == QI_DIRECTION_NUMBER_TERMINATOR)
            end++;
        bool beside = (end < n && is_european(c[end])) || (i > 0 && is_european(c[i - 1]));
        for (uint32_t k = i; k < end && beside; k++)
            c[k] = QI_DIRECTION_NUMBER;
        i = end;
    }
}

static bool runs_right(uint8_t c) {
    return c == QI_DIRECTION_LEFT || is_european(c);
}

/* Makes every class LEFT (to right) or RIGHT (to left): letters and numbers with what is neutral
 * between them run to the right, all else to the left. */
static void resolve(uint8_t *c, uint32_t n) {
    for (uint32_t i = 0; i < n;) {
        if (!runs_right(c[i])) {
            c[i++] = QI_DIRECTION_RIGHT;
            continue;
        }
        uint32_t last = i;
        for (uint32_t k = i + 1; k < n; k++) {
            if (runs_right(c[k]))
                last = k;
            else if (c[k] != QI_DIRECTION_COMMON_SEPARATOR && c[k] != QI_DIRECTION_NEUTRAL)
                break;
        }
        for (; i <= last; i++)
            c[i] = QI_DIRECTION_LEFT;
    }
}

static void order_chars(const line *l, const qi_path_word *w, bool rightward_context) {
    uint32_t *to = l->order->chars + w->first;
    if (rightward_context) {
        for (uint32_t i = 0; i < w->n; i++)
            to[i] = w->first + i;
        return;
    }
    uint8_t *c = l->order->classes;
    for (uint32_t i = 0; i < w->n; i++)
        c[i] = class_of(l, w->first + i);
    join_numbers(c, w->n);
    resolve(c, w->n);
    uint32_t at = 0;
    for (uint32_t end = w->n; end > 0;) {
        uint32_t begin = end - 1;
        while (c[end - 1] == QI_DIRECTION_LEFT && begin > 0 && c[begin - 1] == QI_DIRECTION_LEFT)
            begin--;
        for (uint32_t k = begin; k < end; k++)
            to[at++] = w->first + k;
        end = begin;
    }
}

/* ---- words ---------------------------------------------------------------------------------- */

typedef struct writer {
    const line *l;
    bool rightward; /* the line */
    uint32_t n;
} writer;

/* Appends a word; against: it stands in a run against the line's direction. */
static void write(writer *w, uint32_t word, bool against) {
    bool context = w->rightward != against;
    qi_order_item *item = &w->l->order->items[w->n++];
    *item = (qi_order_item){.word = word};
    /* A word of both directions is followed by the mark of its context. */
    if (direction_of(w->l, word) == mixed)
        item->mark_after = context ? QI_MARK_LEFT : QI_MARK_RIGHT;
    order_chars(w->l, &w->l->words[word], context);
}

/* A run against the line's direction: words from..to, one at a time in direction step. */
static void write_run(writer *w, int64_t from, int64_t to, int step, bool marks_mixed) {
    uint32_t first = w->n;
    /* The mark of a word of both directions gives way to the run's. */
    if (first) w->l->order->items[first - 1].mark_after = QI_MARK_NONE;
    for (int64_t i = from; i != to + step; i += step) {
        write(w, (uint32_t)i, true);
        if (!marks_mixed) w->l->order->items[w->n - 1].mark_after = QI_MARK_NONE;
    }
    w->l->order->items[first].mark_before = w->rightward ? QI_MARK_RIGHT : QI_MARK_LEFT;
    w->l->order->items[w->n - 1].mark_after = w->rightward ? QI_MARK_LEFT : QI_MARK_RIGHT;
}

/* In a line that runs to the left, neutral words at its right end that follow words that run to the
 * right belong to these. Returns the last word not yet written. */
static int64_t write_right_end(writer *w) {
    const line *l = w->l;
    int64_t last = (int64_t)l->n - 1, end = last;
    if (direction_of(l, (uint32_t)last) != neutral) return last;
    while (end > 0 && direction_of(l, (uint32_t)end) == neutral)
        end--;
    if (direction_of(l, (uint32_t)end) != rightward) return last;
    int64_t left = end;
    for (int64_t i = end; i >= 0 && direction_of(l, (uint32_t)i) != leftward; i--)
        if (direction_of(l, (uint32_t)i) == rightward) left = i;
    write_run(w, left, last, 1, true);
    return left - 1;
}

static void order_words(const line *l) {
    writer w = {.l = l, .rightward = line_is_rightward(l)};
    int step = w.rightward ? 1 : -1;
    int64_t begin = w.rightward ? 0 : write_right_end(&w);
    int64_t end = w.rightward ? (int64_t)l->n : -1;
    word_direction major = w.rightward ? rightward : leftward;
    word_direction minor = w.rightward ? leftward : rightward;
    for (int64_t i = begin; i != end;) {
        if (direction_of(l, (uint32_t)i) != minor) {
            write(&w, (uint32_t)i, false);
            i += step;
            continue;
        }
        /* The run goes on to the last word against the line before one along it. */
        int64_t last = i;
        for (int64_t k = i; k != end && direction_of(l, (uint32_t)k) != major; k += step)
            if (direction_of(l, (uint32_t)k) == minor) last = k;
        write_run(&w, last, i, -step, false);
        i = last + step;
    }
}

void qi_order_line(const qi_path_char chars[], const qi_path_word words[], uint32_t n_words,
                   const qi_charset *charset, const qi_line_order *order) {
    line l = {chars, words, n_words, charset, order};
    bool any_leftward = false;
    for (uint32_t i = 0; i < n_words && !any_leftward; i++) {
        word_direction d = direction_of(&l, i);
        any_leftward = d == leftward || d == mixed;
    }
    if (any_leftward) {
        order_words(&l);
        return;
    }
    for (uint32_t i = 0; i < n_words; i++) {
        order->items[i] = (qi_order_item){.word = i};
        order_chars(&l, &words[i], true);
    }
}
