// Reads line images with the reference recogniser, for bench/line_parity. It links libtesseract,
// which nothing in src/ may; a process reads all lines of one language.
//
// usage: reference_lines MODEL-DIR LANGUAGE [--steps] < list-of-image-files
//
// Prints for each image one line: what page segmentation mode 13 (the whole image is one line)
// reads. With --steps it prints a second line: the most probable label of each time step, joined by
// U+001F, as GetRawLSTMTimesteps gives them.
#include <leptonica/allheaders.h>
#include <tesseract/baseapi.h>
#include <tesseract/resultiterator.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

static std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    for (char &c : text)
        if (c == '\n') c = ' ';
    return text;
}

// Labels of all words of the line, in order of time: from left to right.
static std::string step_labels(tesseract::TessBaseAPI &api) {
    std::vector<std::pair<int, std::string>> words;
    std::unique_ptr<tesseract::ResultIterator> it(api.GetIterator());
    if (!it) return "";
    do {
        auto *segments = it->GetRawLSTMTimesteps();
        int left, top, right, bottom;
        if (!segments || !it->BoundingBox(tesseract::RIL_WORD, &left, &top, &right, &bottom))
            continue;
        std::string labels;
        for (auto &segment : *segments)
            for (auto &step : segment) {
                if (!step.empty()) labels += step[0].first; // the most probable comes first
                labels += '\x1f';
            }
        words.emplace_back(left, labels);
    } while (it->Next(tesseract::RIL_WORD));
    std::stable_sort(words.begin(), words.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    std::string labels;
    for (auto &word : words)
        labels += word.second;
    return labels;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: reference_lines MODEL-DIR LANGUAGE [--steps] < list\n");
        return 1;
    }
    bool steps = argc > 3 && !strcmp(argv[3], "--steps");
    tesseract::TessBaseAPI api;
    if (api.Init(argv[1], argv[2], tesseract::OEM_LSTM_ONLY)) return 1;
    api.SetPageSegMode(tesseract::PSM_RAW_LINE);
    api.SetVariable("user_defined_dpi", "300");
    if (steps) {
        api.SetVariable("lstm_choice_mode", "1");
        api.SetVariable("lstm_choice_iterations", "0");
    }
    std::string path;
    while (std::getline(std::cin, path)) {
        Pix *pix = pixRead(path.c_str());
        if (!pix) return 1;
        api.SetImage(pix);
        std::unique_ptr<char[]> text(api.GetUTF8Text());
        puts(trimmed(text ? text.get() : "").c_str());
        if (steps) puts(step_labels(api).c_str());
        api.Clear();
        pixDestroy(&pix);
    }
    return 0;
}
