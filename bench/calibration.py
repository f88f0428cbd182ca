"""Is a word's confidence the share of such words that are right? Compares words of JSON results with
the truth, in ten bins of confidence. A word is right if it aligns to the truth: it is part of the
longest common sequence of the page's words, or, for text that was read in another order, equals a
word of the truth that nothing else has aligned to. Quotes and dashes count as plain ones and a ~ of
the truth as any character, as in `quire eval`."""

import collections
import difflib
import json
import re

PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-",
                       "—": "-", "‐": "-", "−": "-"})
N_BINS = 10


def _words_read(json_file):
    """(text, confidence) of each word, in reading order."""
    document = json.loads(json_file.read_text(encoding="utf-8"))
    return [(word["text"].translate(PLAIN), word["confidence"])
            for page in document["pages"] for block in page["blocks"]
            for line in block["lines"] for word in line["words"]]


def _right(read, truth):
    """For each word read: does it align to the truth?"""
    right = [False] * len(read)
    left_over = collections.Counter()
    matcher = difflib.SequenceMatcher(None, read, truth, autojunk=False)
    for tag, i0, i1, j0, j1 in matcher.get_opcodes():
        if tag == "equal":
            right[i0:i1] = [True] * (i1 - i0)
        else:
            left_over.update(truth[j0:j1])
    patterns = [re.compile(re.escape(w).replace("\\~", "~").replace("~", "."))
                for w in left_over if "~" in w]
    for i, word in enumerate(read):
        if right[i]:
            continue
        if left_over[word] > 0:
            left_over[word] -= 1
            right[i] = True
        else:
            right[i] = any(p.fullmatch(word) for p in patterns)
    return right


def table(pairs):
    """Prints the table for (json result, truth file) pairs; returns the worst difference between a
    bin's mean confidence and its share of right words, over bins of at least 20 words."""
    bins = [[0, 0.0, 0] for _ in range(N_BINS)]
    for json_file, truth_file in pairs:
        words = _words_read(json_file)
        truth = truth_file.read_text(encoding="utf-8").translate(PLAIN).split()
        for (_, confidence), right in zip(words, _right([w for w, _ in words], truth)):
            place = bins[min(N_BINS - 1, int(confidence * N_BINS))]
            place[0] += 1
            place[1] += confidence
            place[2] += right
    worst = 0.0
    print(f"\n{'confidence':12} {'words':>7} {'mean':>7} {'right':>7} {'difference':>11}")
    for i, (n, total, right) in enumerate(bins):
        if not n:
            print(f"{i / 10:.1f} - {(i + 1) / 10:.1f}  {0:7}")
            continue
        difference = right / n - total / n
        few = " (too few words to judge)" if n < 20 else ""
        print(f"{i / 10:.1f} - {(i + 1) / 10:.1f}  {n:9} {total / n:7.3f} {right / n:7.3f} "
              f"{difference:+11.3f}{few}")
        worst = worst if few else max(worst, abs(difference))
    return worst
