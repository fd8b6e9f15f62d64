"""Sliders and panels over plots: move a control, see the figure and the number change."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from labkit.plots import to_png

# (Axes or Figure, the number to read beside it), with ``sound`` an MP3 file's bytes too
Drawing = tuple[Any, str] | tuple[Any, str, bytes]


def control(name: str, choices: Any) -> Any:
    """The control for a parameter.

    ``(low, high, step, value)`` of floats -> slider; of ints -> integer slider; a list -> menu;
    a bool -> check box; a str -> text box, of several lines where it holds a line break. Anything else is
    refused with the parameter's name.
    """
    import ipywidgets

    label = {
        "description": name.replace("_", " "),
        "style": {"description_width": "12em"},
        "layout": {"width": "34em", "max_width": "100%"},  # long enough to set a slider by hand
    }
    if isinstance(choices, bool):
        return ipywidgets.Checkbox(value=choices, description=label["description"])
    if isinstance(choices, str) and "\n" in choices:
        layout = {**label["layout"], "width": "44em"}
        return ipywidgets.Textarea(
            value=choices.rstrip("\n"), rows=4, continuous_update=False, **{**label, "layout": layout}
        )
    if isinstance(choices, str):
        return ipywidgets.Text(value=choices, continuous_update=False, **label)
    if isinstance(choices, list) and choices:
        return ipywidgets.Dropdown(options=choices, value=choices[0], **label)
    if isinstance(choices, tuple) and len(choices) == 4:
        low, high, step, value = choices
        kind = ipywidgets.IntSlider if all(isinstance(c, int) for c in choices) else ipywidgets.FloatSlider
        return kind(min=low, max=high, step=step, value=value, **label)
    raise ValueError(
        f"{name}: give (low, high, step, value), a list of choices, a bool or a text, not {choices!r}"
    )


def explorer(
    draw: Callable[..., Drawing], *, run_button: str = "", sound: bool = False, **controls: Any
) -> Any:
    """A panel of controls over one figure and one line of numbers.

    ``draw(**values)`` returns (Axes, text), and with ``sound`` a third part, the bytes of an MP3 file, for a player.
    It is called at once and at every change; with the name of a ``run_button`` at every press of it instead, for
    what takes a while. An error that it raises is shown in the panel and the last figure stays. The picture is an
    image widget, not an output area: nothing is left in the notebook's outputs, and it works in every front end that
    knows ipywidgets.
    """
    import ipywidgets

    inputs = {name: control(name, choices) for name, choices in controls.items()}
    picture = ipywidgets.Image(format="png")
    picture.layout.max_width = "100%"
    picture.layout.align_self = "flex-start"  # a stretched picture is a blurred one
    player = ipywidgets.Audio(format="mp3", autoplay=False, loop=False)
    readout = ipywidgets.HTML()
    readout.add_class("labkit-readout")

    def refresh(_change: Any = None) -> None:
        try:
            axes, text, *played = draw(**{name: widget.value for name, widget in inputs.items()})
        except Exception as error:  # whatever the learner's values do, the panel must live
            readout.value = f"<b>{html.escape(type(error).__name__)}</b>: {html.escape(str(error))}"
            return
        picture.value = to_png(axes)
        if played:
            player.value = played[0]
        readout.value = f"<span style='font-size:1.1em'>{html.escape(text)}</span>"

    buttons = []
    if run_button:
        button = ipywidgets.Button(description=run_button)
        button.on_click(refresh)
        buttons.append(button)
    for widget in [] if run_button else inputs.values():
        widget.observe(refresh, names="value")
    refresh()
    return ipywidgets.VBox([*inputs.values(), *buttons, readout, *([player] if sound else []), picture])
