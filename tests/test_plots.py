"""Figures: attention maps with the tokens' text, Chinese too where there is a font for it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from labkit import plots

WEIGHTS = np.tril(np.ones((3, 3))) / np.arange(1, 4)[:, None]


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def test_tokens_stand_at_both_axes_with_visible_blanks():
    ax = plots.attention_map(WEIGHTS, ["The", " cat", "\n"])
    assert labels(ax) == ["The", "·cat", "↵"] == [text.get_text() for text in ax.get_xticklabels()]
    assert np.array_equal(ax.images[0].get_array(), WEIGHTS)
    assert plots.to_png(ax).startswith(b"\x89PNG")


def test_without_a_chinese_font_tokens_stand_as_numbers_and_nothing_warns(monkeypatch):
    monkeypatch.setattr(plots, "chinese_font", lambda: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.attention_map(WEIGHTS, ["她", "cat", "住在"])
        plots.to_png(ax)
    assert labels(ax) == ["#0", "cat", "#2"]


@pytest.mark.skipif(plots.chinese_font() is None, reason="no font with Chinese characters here")
def test_with_a_chinese_font_tokens_stand_as_they_are_and_no_glyph_is_missing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.attention_map(WEIGHTS, ["她", "cat", "住在"])
        plots.to_png(ax)
    assert labels(ax) == ["她", "cat", "住在"]
