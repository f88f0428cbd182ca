"""Scores of `quire eval` over sets of documents, and how to have Quire read a set."""

import json
import subprocess


class Scores:
    """What `quire eval --json` says of each document, by name."""

    def __init__(self, quire, truth, results, fold_case=False):
        args = [quire, "eval", "--json"] + (["--case-fold"] if fold_case else [])
        done = subprocess.run([*args, truth, results], capture_output=True, text=True, check=True)
        self.documents = {d["name"]: d for d in json.loads(done.stdout)["documents"]}

    def cer(self, names=None):
        """Character errors over characters, of the named documents together."""
        chosen = [self.documents[n] for n in (names or self.documents) if n in self.documents]
        characters = sum(d["characters"] for d in chosen)
        return sum(d["character_errors"] for d in chosen) / max(1, characters)

    def f1(self, names=None):
        """F1 of the bag of words, of the named documents together."""
        chosen = [self.documents[n]["words"] for n in (names or self.documents)
                  if n in self.documents]
        matched, truth, result = (sum(w[k] for w in chosen) for k in ("matched", "truth", "result"))
        return 2 * matched / max(1, truth + result)

    def order(self, name):
        """Share of pairs of lines that are in the wrong order."""
        return self.documents[name]["order"]["kendall"]


def run_quire(quire, images, results, language="eng", formats="txt", options=()):
    """Reads images (paths) into a fresh result of each; a document that fails is reported."""
    results.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["nice", quire, "run", "-l", language, "-f", formats, "-o", results,
                           "--overwrite", "--progress", "none", *options, *images],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"quire run: exit status {done.returncode}\n{done.stderr[-2000:]}")
