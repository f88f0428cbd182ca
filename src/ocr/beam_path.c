/* Characters and words of the best path; see beam_path.h and beam.h. */
#include "ocr/beam_path.h"

static float least(float a, float b) {
    return a < b ? a : b;
}

/* Blanks count for the character after them, but before a space, and at the line's end, for the one
 * before them. Between two characters the boundary lies half way. */
uint32_t qi_path_chars(const qi_path_node nodes[], uint32_t n_nodes, qi_path_char ret[]) {
    uint32_t n = 0, step = 0, last_end = 0;
    for (uint32_t i = 0; i < n_nodes;) {
        float certainty = 0;
        for (; i < n_nodes && nodes[i].character < 0; i++) {
            certainty = least(certainty, nodes[i].certainty);
            step += nodes[i].n_steps;
        }
        uint32_t boundary = last_end + (step - last_end) / 2;
        if (n) ret[n - 1].c.end = boundary;
        if (i == n_nodes) {
            if (n) ret[n - 1].c.certainty = least(ret[n - 1].c.certainty, certainty);
            break;
        }
        bool is_space = nodes[i].character == QI_CHAR_SPACE;
        if (is_space && n && nodes[i].kind != QI_WORD_NONE) {
            ret[n - 1].c.certainty = least(ret[n - 1].c.certainty, certainty);
            certainty = 0;
        }
        ret[n] = (qi_path_char){
            .c = {.character = (uint32_t)nodes[i].character, .start = n ? boundary : 0}, .node = i};
        do {
            /* A space before a dictionary word forgets the blanks before it: they were counted at
             * another scale. */
            if (nodes[i].certainty < certainty || (is_space && nodes[i].kind == QI_WORD_NONE))
                certainty = nodes[i].certainty;
            step += nodes[i].n_steps;
            i++;
        } while (i < n_nodes && nodes[i].duplicate);
        last_end = step;
        ret[n++].c.certainty = certainty;
    }
    if (n) ret[n - 1].c.end = step;
    return n;
}

/* Whether a word ends before character i. */
static bool ends_before(const qi_path_node nodes[], const qi_path_char chars[], uint32_t i,
                        const qi_charset *charset) {
    if (chars[i].c.character == QI_CHAR_SPACE) return true;
    const qi_path_node *node = &nodes[chars[i].node];
    if (node->starts_word) return true;
    return node->kind == QI_WORD_FREE && (!charset->chars[chars[i].c.character].is_spaced ||
                                          !charset->chars[chars[i - 1].c.character].is_spaced);
}

uint32_t qi_path_words(const qi_path_node nodes[], const qi_path_char chars[], uint32_t n_chars,
                       const qi_charset *charset, qi_path_word ret[]) {
    uint32_t n = 0, end;
    float space_before = 0; /* its certainty */
    for (uint32_t first = 0; first < n_chars; first = end) {
        for (end = first + 1; end < n_chars && !ends_before(nodes, chars, end, charset);)
            end++;
        bool space_after = end < n_chars && chars[end].c.character == QI_CHAR_SPACE;
        float space = space_after ? chars[end].c.certainty : 0;
        qi_path_word w = {.first = first,
                          .n = end - first,
                          .certainty = least(space, space_before),
                          .kind = nodes[chars[end - 1].node].kind};
        w.space_before = first && chars[first - 1].c.character == QI_CHAR_SPACE;
        bool has_text = false;
        for (uint32_t i = first; i < end; i++) {
            w.certainty = least(w.certainty, chars[i].c.certainty);
            has_text |= chars[i].c.character != QI_CHAR_SPACE;
        }
        if (has_text) ret[n++] = w;
        space_before = space;
        end += space_after;
    }
    return n;
}
