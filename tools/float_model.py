#!/usr/bin/python3
"""Makes a Tesseract model with float weights out of one with int8 weights, as Debian ships them: the
same numbers, multiplied out. Tesseract reads the result too. For tests and measurements of float
networks, of which Debian has none.

usage: float_model.py FROM.traineddata TO.traineddata"""

import array
import pathlib
import struct
import sys

LSTM = 17  # the network's place in the table of components
MODE_INT8, MODE_DOUBLE = 1, 128  # of a matrix
TRAINING_INT_MODE = 1  # of the network
LAYER_RATES = 64  # flag of a layer: rates of learning follow its children
NESTING = {"Series", "Parallel", "Replicated", "ParBidiLSTM", "DepParUDLSTM", "RTLReversed",
           "TTBReversed", "XYTranspose"}
NUMBERS_AFTER = {"Input": 5, "Convolve": 2, "Maxpool": 2, "Reconfig": 2}  # 32 bits each
DENSE = {"Logistic", "LinLogistic", "LinTanh", "Tanh", "Relu", "Linear", "Softmax"}


class Network:
    """The network component: read from `old`, written to `new`."""

    def __init__(self, old):
        self.old, self.at, self.new = old, 0, bytearray()

    def take(self, n):
        if n > len(self.old) - self.at:
            raise ValueError("the network is cut off")
        self.at += n
        return self.old[self.at - n:self.at]

    def copy(self, form):
        """Copies numbers, and returns the last."""
        data = self.take(struct.calcsize("<" + form))
        self.new += data
        return struct.unpack("<" + form, data)[-1]

    def copy_string(self):
        data = self.take(self.copy("I"))
        self.new += data
        return data.decode()

    def layer(self):
        if self.copy("b"):
            raise ValueError("the layers have numbers for names, as files of before version 4.0 do")
        kind = self.copy_string()
        self.copy("bb")
        flags = self.copy("i")
        self.copy("iii")
        self.copy_string()
        if kind in NESTING:
            for _ in range(self.copy("I")):
                self.layer()
            if flags & LAYER_RATES:
                self.new += self.take(4 * self.copy("I"))
        elif kind in NUMBERS_AFTER:
            self.copy(f"{NUMBERS_AFTER[kind]}i")
        elif kind in ("LSTM", "SummLSTM"):
            self.copy("i")
            for _ in range(4):
                self.weights()
        elif kind in DENSE:
            self.weights()
        else:
            raise ValueError(f"a layer of kind {kind} is not supported")

    def weights(self):
        mode, rows, columns = struct.unpack("<Bii", self.take(9))
        if not mode & MODE_INT8 or not mode & MODE_DOUBLE:
            raise ValueError("the weights are not int8")
        self.take(1)  # a filler
        values = array.array("b", self.take(rows * columns))
        n_scales, = struct.unpack("<I", self.take(4))
        scales = array.array("d", self.take(8 * n_scales))
        self.new += struct.pack("<Biid", mode & ~MODE_INT8, rows, columns, 0.0)
        for row in range(rows):
            line = values[row * columns:(row + 1) * columns]
            self.new += array.array("d", (v * scales[row] for v in line)).tobytes()

    def convert(self):
        self.layer()
        self.copy_string()  # the specification
        flags, = struct.unpack("<i", self.take(4))
        if not flags & TRAINING_INT_MODE:
            raise ValueError("the network is a float network already")
        self.new += struct.pack("<i", flags & ~TRAINING_INT_MODE)
        return bytes(self.new + self.old[self.at:])


def convert(data):
    """The file with its network converted."""
    n, = struct.unpack_from("<I", data)
    offsets = struct.unpack_from(f"<{n}q", data, 4)
    present = [i for i, at in enumerate(offsets) if at >= 0]
    ends = [offsets[i] for i in present[1:]] + [len(data)]
    parts = {i: data[offsets[i]:end] for i, end in zip(present, ends)}
    if LSTM not in parts:
        raise ValueError("it has no LSTM network")
    parts[LSTM] = Network(parts[LSTM]).convert()
    table, at = [], 4 + 8 * n
    for i in range(n):
        table.append(at if i in parts else -1)
        at += len(parts.get(i, b""))
    return struct.pack(f"<I{n}q", n, *table) + b"".join(parts[i] for i in present)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = map(pathlib.Path, sys.argv[1:])
    try:
        target.write_bytes(convert(source.read_bytes()))
    except (ValueError, struct.error, OSError) as error:
        sys.exit(f"{source}: {error}")


if __name__ == "__main__":
    main()
