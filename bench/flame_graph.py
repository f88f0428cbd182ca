"""Flame graphs of samples that perf took: who was at work, and who called whom. A frame is as wide as the
share of samples in which it was on the stack; below it is its caller, at the bottom the process."""

import collections
import html
import re

WIDTH, ROW, MARGIN, HEAD = 1400, 17, 10, 56
LETTER = 6.7  # width of a letter of 11 pixels
LEAST = 0.4   # narrower frames are left out
KERNEL_FRAMES = 4  # up to what was asked of the kernel
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \((.*)\)$")
# Kinds of code, by the file that it is in (and the end of its name), and their colours.
KINDS = [("kernel", re.compile(r"^\[kernel"), "#b9c2cc"),
         ("C library", re.compile(r"/(libc|libm|libpthread|ld-linux[^/]*)\.so"), "#c9b3e0"),
         ("other libraries", re.compile(r"\.so(\.|$)"), "#93c9a1"),
         ("Quire", re.compile(r"/quire[^/]*$|^quire"), "#f0a35e"),
         ("unknown", re.compile(""), "#dddddd")]


def fold(script):
    """{stack: samples} of what `perf script -F comm,ip,sym,dso` printed; a stack is a tuple of (name,
    kind) from the process up."""
    stacks = collections.Counter()
    process, frames = None, []
    for line in [*script.splitlines(), ""]:
        found = FRAME.match(line)
        if found:
            frames.append(_frame(*found.groups()))
        elif line.strip():
            process = line.strip()
        elif process:
            stacks[((process, "process"), *_readable(frames[::-1]))] += 1
            process, frames = None, []
    return stacks


def _frame(symbol, file):
    """(name, kind); what has no name is called by its file."""
    kind = next(name for name, pattern, _ in KINDS if pattern.search(file))
    return (f"[{file.rsplit('/', 1)[-1].strip('[]')}]" if symbol == "[unknown]" else symbol), kind


def _readable(frames):
    """A stack, from its root, without what starts a thread or program, without roots that could not be
    told, with the kernel's outermost frames alone, and what has no name once only."""
    while len(frames) > 1 and (frames[0][1] in ("C library", "unknown") or frames[0][0] == "_start"):
        frames = frames[1:]
    kept, n_kernel = [], 0
    for frame in frames:
        n_kernel += frame[1] == "kernel"
        if n_kernel <= KERNEL_FRAMES and not (frame[0][0] == "[" and kept[-1:] == [frame]):
            kept.append(frame)
    return kept


def _tree(stacks):
    """[samples, {(name, kind): the same}] of all stacks."""
    root = [0, {}]
    for stack, n in stacks.items():
        node = root
        node[0] += n
        for frame in stack:
            node = node[1].setdefault(frame, [0, {}])
            node[0] += n
    return root


def _depth(node):
    return 1 + max(map(_depth, node[1].values()), default=0)


def svg(stacks, title, total, unit):
    """The picture; all samples together are total of unit, which frames' tooltips tell their part of."""
    root = _tree(stacks)
    colours = {name: colour for name, _, colour in KINDS}
    height = HEAD + ROW * (_depth(root) - 1) + MARGIN
    scale = (WIDTH - 2 * MARGIN) / max(1, root[0])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 '
           f'{WIDTH} {height}" font-family="monospace" font-size="11">',
           f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           f'<text x="{MARGIN}" y="20" font-size="14">{html.escape(title)}</text>']
    x = MARGIN
    for name, _, colour in KINDS:
        out.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{colour}"/>'
                   f'<text x="{x + 17}" y="42">{name}</text>')
        x += 40 + LETTER * len(name)

    def draw(node, x, y):
        for (name, kind), child in sorted(node[1].items()):
            width = child[0] * scale
            if width >= LEAST:
                share = child[0] / root[0]
                shown = name.removeprefix("qi_")[:max(0, int((width - 6) / LETTER))]
                out.append(f'<g><title>{html.escape(name)}: {100 * share:.1f} %, {share * total:.2f} '
                           f'{unit}</title><rect x="{x:.2f}" y="{y}" width="{max(0.2, width - 0.5):.2f}" '
                           f'height="{ROW - 1}" fill="{colours.get(kind, "#8fb4d9")}"/>' +
                           (f'<text x="{x + 3:.2f}" y="{y + 12}">{html.escape(shown)}</text>'
                            if len(shown) > 2 else "") + "</g>")
                draw(child, x, y - ROW)
            x += width

    draw(root, MARGIN, height - MARGIN - ROW)
    return "\n".join([*out, "</svg>", ""])
