"""Numbers -> Axes: the figures of the lessons, readable in grey and with a text alternative."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Distinct in lightness and in dash, so that a grey print can be read.
COLORS = ("#1f4e79", "#d9822b", "#4f9d69", "#a23b72", "#7f7f7f", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
DPI = 96
# On Linux, Windows and macOS; matplotlib's own fonts have no Chinese characters.
CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Microsoft YaHei", "SimHei", "PingFang SC", "Heiti SC", "Hiragino Sans GB", "STHeiti", "Arial Unicode MS",
)  # fmt: skip


def new_axes(width: float = 6.0, height: float = 3.4, columns: int = 1, rows: int = 1, **options: Any) -> Any:
    """One Axes, or an array of them for several columns or rows; sizes in inches for the whole figure."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
    return axes


def figure_of(target: Any) -> Figure:
    """The figure of a Figure, an Axes or an array of Axes."""
    if isinstance(target, np.ndarray | list | tuple):
        target = np.ravel(np.asarray(target, dtype=object))[0]
    return target if hasattr(target, "savefig") else target.figure


def to_png(target: Any) -> bytes:
    """The figure as PNG, and closed: an open figure stays in memory for the life of the kernel."""
    import matplotlib.pyplot as plt

    figure = figure_of(target)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()


def show(target: Any, alt: str) -> None:
    """Display a figure with its text alternative, once.

    ``alt`` says what a reader who does not see the figure must know. It is stored with the picture, stands for
    it wherever pictures are not shown, and labkit.pages writes it into the report's pages.
    """
    from IPython.display import display

    if len(alt.split()) < 4:
        raise ValueError(f"alt is {alt!r}: say in a sentence what the figure shows")
    bundle = {"image/png": to_png(target), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


def lines(
    x: Sequence[float] | Mapping[str, Sequence[float]],
    curves: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    ax: Axes | None = None,
    log_x: bool = False,
    log_y: bool = False,
    markers: bool = False,
) -> Axes:
    """Named curves over one x, or each over its own (a mapping with the same names)."""
    ax = new_axes() if ax is None else ax
    for index, (name, values) in enumerate(curves.items()):
        own_x = x[name] if isinstance(x, Mapping) else x
        ax.plot(
            np.asarray(own_x),
            np.asarray(values),
            color=COLORS[index % len(COLORS)],
            linestyle=DASHES[index % len(DASHES)],
            marker="o" if markers else None,
            markersize=3.5,
            label=name,
        )
    if log_x:
        ax.set_xscale("log")
    if log_y:
        ax.set_yscale("log")
    return finish(ax, xlabel, ylabel, title, legend=len(curves) > 1)


def bands(
    x: Sequence[float],
    curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    ax: Axes | None = None,
    log_x: bool = False,
) -> Axes:
    """Named curves with their intervals: name -> (mean, low, high), each as long as x."""
    centers = {name: middle for name, (middle, _, _) in curves.items()}
    ax = lines(x, centers, xlabel=xlabel, ylabel=ylabel, title=title, ax=ax, log_x=log_x, markers=True)
    for index, (_, low, high) in enumerate(curves.values()):
        ax.fill_between(x, low, high, color=COLORS[index % len(COLORS)], alpha=0.15, linewidth=0)
    return ax


def bars(
    heights: Mapping[str, float],
    *,
    ylabel: str,
    title: str = "",
    intervals: Mapping[str, tuple[float, float]] | None = None,
    ax: Axes | None = None,
    digits: int = 2,
) -> Axes:
    """Named bars, each with its number on top and, where given, its interval (low, high)."""
    ax = new_axes() if ax is None else ax
    names = list(heights)
    values = np.array([float(heights[name]) for name in names])
    errors = None
    if intervals is not None:
        spread = np.array([intervals[name] for name in names], dtype=float)
        errors = np.abs(spread.T - values)
    shown = ax.bar(names, values, color=COLORS[0], edgecolor="black", width=0.6, yerr=errors, capsize=4)
    ax.bar_label(shown, fmt=f"%.{digits}f", padding=3)
    ax.margins(y=0.15)
    return finish(ax, "", ylabel, title, legend=False)


def heatmap(
    values: Sequence[Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    xticks: Sequence[str] | None = None,
    yticks: Sequence[str] | None = None,
    digits: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A matrix as grey levels; ``digits`` writes each number into its cell."""
    ax = new_axes(4.6, 4.0) if ax is None else ax
    matrix = np.asarray(values, dtype=float)
    picture = ax.imshow(matrix, cmap="Greys", aspect="auto")
    ax.figure.colorbar(picture, ax=ax)
    if xticks is not None:
        ax.set_xticks(range(matrix.shape[1]), xticks)
    if yticks is not None:
        ax.set_yticks(range(matrix.shape[0]), yticks)
    if digits is not None:
        middle = (matrix.min() + matrix.max()) / 2
        for row, column in np.ndindex(*matrix.shape):
            color = "white" if matrix[row, column] > middle else "black"
            text = f"{round(matrix[row, column], digits) + 0.0:.{digits}f}"  # not -0.0
            ax.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    return finish(ax, xlabel, ylabel, title, legend=False)


def spectrogram(
    values: Sequence[Sequence[float]],
    *,
    seconds: float,
    ylabel: str = "mel band",
    title: str = "",
    times: Sequence[tuple[str, float, float]] = (),
    ax: Axes | None = None,
) -> Axes:
    """Frames (T, bands) as grey levels over ``seconds``, the lowest band below; ``times`` are names with start and end."""
    ax = new_axes(9, 2.8) if ax is None else ax
    matrix = np.asarray(values, dtype=float).T
    extent = (0.0, float(seconds), 0.0, float(len(matrix)))
    ax.imshow(matrix, cmap="Greys", aspect="auto", origin="lower", extent=extent, interpolation="nearest")
    for name, start, end in times:
        ax.axvline(end, color=COLORS[1], linewidth=0.6)
        if end > start:
            ax.text((start + end) / 2, len(matrix) * 1.02, name, ha="center", va="bottom", fontsize=7)
    return finish(ax, "seconds", ylabel, title, legend=False)


def attention_map(
    weights: Sequence[Sequence[float]], tokens: Sequence[str], *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Attention weights (T, T), a row for each query, with the tokens' text at both axes.

    Chinese tokens need a font that has them; where this computer has none, they stand as their number.
    """
    size = 1.6 + 0.22 * len(tokens)
    ax = new_axes(size + 0.8, size) if ax is None else ax
    shown = [token.replace("\n", "↵").replace(" ", "·") or "·" for token in tokens]
    ascii_only = all(ord(letter) < 0x2E80 for token in shown for letter in token)
    font = None if ascii_only else chinese_font()
    if not ascii_only and font is None:
        shown = [t if all(ord(c) < 0x2E80 for c in t) else f"#{i}" for i, t in enumerate(shown)]
    picture = ax.imshow(np.asarray(weights, dtype=float), cmap="Greys", vmin=0)
    ax.figure.colorbar(picture, ax=ax, shrink=0.8)
    style = {"fontsize": 8} if font is None else {"fontsize": 8, "fontfamily": [font, "DejaVu Sans"]}
    ax.set_xticks(range(len(shown)), shown, rotation=90, **style)
    ax.set_yticks(range(len(shown)), shown, **style)
    return finish(ax, "key (looked at)", "query (looking)", title, legend=False)


def chinese_font() -> str | None:
    """The name of an installed font with Chinese characters, or None."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in installed), None)


def images(
    pictures: Sequence[Any], titles: Sequence[str] = (), *, columns: int = 8, size: float = 0.9
) -> np.ndarray:
    """A grid of pictures, each (height, width) in [0, 1] or (height, width, 3)."""
    count = len(pictures)
    columns = min(columns, count)
    rows = -(-count // columns)
    extra = 0.25 if titles else 0.0
    axes = new_axes(columns * size, rows * (size + extra), columns=columns, rows=rows, squeeze=False)
    for index, ax in enumerate(axes.ravel()):
        ax.set_axis_off()
        if index < count:
            ax.imshow(np.asarray(pictures[index]), cmap="gray_r", vmin=0, vmax=1)
            if titles:
                ax.set_title(titles[index], fontsize=8)
    return axes


def finish(ax: Axes, xlabel: str, ylabel: str, title: str, legend: bool = True) -> Axes:
    """Label the axes; the legend has no frame so that it hides no curve."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title)
    if legend:
        ax.legend(frameon=False)
    return ax
