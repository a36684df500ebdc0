"""The plots of a data card."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from seentwice.data.card.counts import BITS, BitCounts, PhotoMeasures
from seentwice.plots import COLOURS, INK, QUIET, make_figure, quieten, to_png

BINS = 40  # of file sizes
# "perception" and "wavelet" cut at their median, 32 bits of 64, so their distances are even: single
# bits would draw a comb.
BITS_A_BIN = 2
THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")


def plot_hamming(tested: Mapping[str, BitCounts], trained: Mapping[str, BitCounts]) -> bytes:
    """Draw the shares of pairs over their Hamming distance, one panel a hash: a PNG.

    Args:
        tested: hash -> the test pairs by distance.
        trained: hash -> the training pairs, whose negatives may be drawn with other weights.
    """
    rows = -(-len(tested) // 2)
    figure = make_figure(9.0, 0.9 + 2.8 * rows)
    panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    edges = np.arange(0, BITS + 1 + BITS_A_BIN, BITS_A_BIN)
    for axes, name in zip(panels.flat, tested, strict=False):
        lines = (
            ("duplicates, test", tested[name].duplicates, COLOURS[0], "-", 2.0),
            ("other pairs, test", tested[name].others, COLOURS[1], "-", 2.0),
            ("other pairs, training", trained[name].others, COLOURS[1], (0, (1.2, 1.2)), 1.5),
        )
        for label, counts, colour, dash, width in lines:
            binned = np.add.reduceat(np.array(counts), edges[:-1])
            share = binned / max(1, binned.sum())
            axes.stairs(share, edges, color=colour, linestyle=dash, linewidth=width, label=label)
        axes.set_title(name, loc="left", color=INK, fontsize=11)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.set_xlim(-1, edges[-1])
        axes.set_xticks(range(0, BITS + 1, 8))
        quieten(axes)
    for axes in panels[-1]:
        axes.set_xlabel("Hamming distance, bits")
    for axes in panels[:, 0]:
        axes.set_ylabel(f"Share of pairs per {BITS_A_BIN} bits")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return to_png(figure)


def plot_sizes(measures: PhotoMeasures) -> bytes:
    """Draw the height of photos over their width, and how large their files are: a PNG."""
    figure = make_figure(9.0, 4.3)
    left, right = figure.subplots(1, 2)
    size, photos = np.unique(
        np.stack([measures.width_px, measures.height_px]), axis=1, return_counts=True
    )
    # The area of a dot tells how many photos have this very size.
    area = 12 + 300 * photos / photos.max()
    left.scatter(*size, s=area, color=COLOURS[0], alpha=0.45, linewidths=0)
    longest = float(size.max())
    left.plot([0, longest], [0, longest], color=QUIET, linewidth=1, zorder=1)
    left.set_xlim(0, 1.08 * longest)
    left.set_ylim(0, 1.08 * longest)
    left.set_aspect("equal")
    left.xaxis.set_major_formatter(THOUSANDS)
    left.yaxis.set_major_formatter(THOUSANDS)
    left.set_xlabel("Width, px")
    left.set_ylabel("Height, px")
    left.set_title("Sizes; large dots are many photos", loc="left", color=INK, fontsize=11)
    kilobytes = np.maximum(measures.file_bytes, 1) / 1e3
    low, high = kilobytes.min(), kilobytes.max()
    right.hist(kilobytes, np.geomspace(low * 0.95, high * 1.05, BINS), color=COLOURS[0])
    right.set_xscale("log")
    right.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    right.xaxis.set_minor_formatter(NullFormatter())
    right.set_xlabel("File, kB (1,000 bytes)")
    right.set_ylabel("Photos")
    right.set_title("File sizes", loc="left", color=INK, fontsize=11)
    for axes in (left, right):
        quieten(axes)
    return to_png(figure)
