"""Formulas: TeX in a text cell -> MathML, which browsers since 2023 draw by themselves, with the network off."""

from __future__ import annotations

import html
import re
import secrets
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

MAX_CHARACTERS = 4000  # of one formula: what somebody handed in must not hold up a batch
STYLE = """
math{font-family:"Latin Modern Math","STIX Two Math","Cambria Math","DejaVu Math TeX Gyre",math,serif;
font-size:1.15em;font-size-adjust:.5}
.labkit-formula{display:block;overflow-x:auto;overflow-y:hidden;margin:1em 0;text-align:center}
"""
_THIN = "0.167em"
_ELEMENTS = re.compile(
    r"math|mfrac|mi|mmultiscripts|mn|mo|mover|mpadded|mphantom|mprescripts|mroot|mrow|mspace|msqrt|mstyle|"
    r"msub|msubsup|msup|mtable|mtd|mtext|mtr|munder|munderover|none"
)
_ATTRIBUTES = re.compile(
    r"accent|accentunder|columnalign|depth|display|displaystyle|fence|form|height|largeop|linethickness|lspace|"
    r"mathcolor|mathsize|mathvariant|maxsize|minsize|movablelimits|rspace|scriptlevel|separator|stretchy|"
    r"symmetric|voffset|width"
)
_VALUE = re.compile(r"[-+]?\d{0,2}(\.\d{1,4})?(em|ex|px|pt|mu|%)?|[a-z-]+|#[0-9a-fA-F]{3,6}")
_ALIGNMENTS = frozenset({"left", "right", "center"})
_DEFINES = re.compile(
    r"\\(def|gdef|edef|xdef|let|(re)?newcommand|providecommand|DeclareMathOperator)(?![a-z])"
)
# What latex2mathml does not know, in its own words.
_REWORDED = (
    (re.compile(r"\\(begin|end)\{(?:aligned|split)\}"), r"\\\1{align*}"),
    (re.compile(r"\\(?:begin|end)\{(?:equation|displaymath)\*?\}"), " "),
    (
        re.compile(r"\\operatorname\*?\{arg\\[,;!: ]*(max|min)\}|\\arg\\(?:[,;!: ]\\)?(max|min)(?![a-zA-Z])"),
        lambda match: rf"\arg{match[1] or match[2]} ",
    ),
    (re.compile(r"\\arg(?![a-zA-Z])"), r"\\operatorname{arg}"),
)
_ENVIRONMENT = re.compile(r"\\begin\{([^}]*)\}")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAMED_SPACES = {"negativethinmathspace": "-0.167em", "negativemediummathspace": "-0.222em"}
_NAMED_SPACES |= {"negativethickmathspace": "-0.278em"}
_ROWS = frozenset({"math", "mrow", "mstyle", "mtd", "msqrt", "mpadded", "mphantom"})
_PLACES = dict.fromkeys(
    ("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2
)  # children have a meaning by place
_PLACES |= dict.fromkeys(("msubsup", "munderover"), 3)
_SCRIPTS = frozenset({"msub", "msup", "msubsup", "munder", "mover", "munderover"})
_SIGNS = frozenset("+\u2212\u00b1\u2213")
_CLOSING = frozenset(")]}|!%\u2016\u27e9\u2032")
_LETTERS = frozenset("\u221e\u2202\u2207\u2205\u2200\u2203\u22a4")  # signs that stand where a letter could
_PRIMES = re.compile("[\u2032-\u2034\u2057]+")
_BARS = frozenset("|\u2016")
# First code points of the alphabets A-Z, a-z, 0-9: browsers know no mathvariant but "normal".
_ALPHABETS = {
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "bold-italic": (0x1D468, 0x1D482, None),
    "script": (0x1D49C, 0x1D4B6, None),
    "bold-script": (0x1D4D0, 0x1D4EA, None),
    "fraktur": (0x1D504, 0x1D51E, None),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "bold-fraktur": (0x1D56C, 0x1D586, None),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "bold-sans-serif": (0x1D5D4, 0x1D5EE, 0x1D7EC),
    "sans-serif-italic": (0x1D608, 0x1D622, None),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
}
# Letters that Unicode had before it had those alphabets.
_OLDER = {
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}


def to_mathml(tex: str, display: bool = False) -> str | None:
    """The formula as a ``<math>`` element; None where it is not understood.

    Nothing of the formula becomes markup: only known elements and attributes are written, without classes,
    styles or addresses of its own, and every text is escaped. Macros are refused, for they can grow without end.
    """
    from latex2mathml.commands import MATRICES
    from latex2mathml.converter import convert_to_element

    if len(tex) > MAX_CHARACTERS or not tex.strip() or _DEFINES.search(tex) or _NOT_IN_XML.search(tex):
        return None
    for pattern, words in _REWORDED:
        tex = pattern.sub(words, tex)
    if any(f"\\{name}" not in MATRICES for name in _ENVIRONMENT.findall(tex)):
        return None  # it would lose its rows without a word
    try:
        # Not latex2mathml's convert(): it undoes the escaping of <, > and & in its result.
        tree = convert_to_element(tex.strip(), display="block" if display else "inline")
        for element in tree.iter():
            _mend(element)
        for element in list(tree.iter()):
            _mark_signs(element)
            _raise_primes(element)
            _space_names(element)
            _join_letters(element)
        text = ElementTree.tostring(tree, encoding="unicode")
    except Exception:  # whatever the library does not know
        return None
    return None if _NOT_IN_XML.search(text) else text


def _mend(element: Any) -> None:
    """One element as today's browsers want it. Raises ValueError where it holds what was not understood."""
    if not _ELEMENTS.fullmatch(element.tag):
        raise ValueError(element.tag)
    if len(element) != _PLACES.get(element.tag, len(element)):
        raise ValueError(f"{element.tag} of {len(element)}")
    element.text = html.unescape(element.text) if element.text else None  # symbols come as &#x3B1;
    if element.tag != "mtext" and "\\" in (element.text or ""):  # an unknown command comes as its own name
        raise ValueError(element.text)
    if element.text == "&" or (element.tag == "mo" and not element.text and len(element) == 0):
        raise ValueError("a column or an operator's name without its place")
    if element.tag == "mi" and element.text == "~":
        element.tag, element.text = "mo", "\u223c"
    if element.tag == "mo" and (element.text or "") in _LETTERS:
        element.tag = "mi"
    if element.tag == "mi" and re.fullmatch("[\u0391-\u03a9\u2207]", element.text or ""):
        element.set("mathvariant", "normal")  # TeX's capitals stand upright
    kept = {"xmlns": "http://www.w3.org/1998/Math/MathML"} if element.tag == "math" else {}
    for name, value in element.attrib.items():
        value = _NAMED_SPACES.get(value, value)
        if _ATTRIBUTES.fullmatch(name) and _VALUE.fullmatch(value):
            kept[name] = value
    alignment = kept.pop("columnalign", None)
    if alignment in _ALIGNMENTS:
        kept["style"] = f"text-align:{alignment}"
    width = kept.get("width", "")
    if element.tag == "mspace" and width.startswith("-"):
        kept.pop("width")
        kept["style"] = f"margin-left:{width}"
    variant = kept.get("mathvariant", "normal")
    if variant != "normal" or element.tag != "mi":
        kept.pop("mathvariant", None)
    if variant != "normal" and element.text:
        element.text = "".join(_letter(character, variant) for character in element.text)
    if element.tag == "mo":
        if element.text == "-":
            element.text = "\u2212"
        if _is_name(element) or element.text == "/":
            kept |= {"lspace": "0", "rspace": "0"}
        if element.text in _BARS and "form" not in kept and "minsize" not in kept:
            kept |= {"lspace": "0", "rspace": "0", "stretchy": "false"}
    element.attrib.clear()
    element.attrib.update(kept)


def _letter(character: str, variant: str) -> str:
    if character in _OLDER.get(variant, {}):
        return _OLDER[variant][character]
    for first, start in zip("Aa0", _ALPHABETS.get(variant, ()), strict=False):
        size = 10 if first == "0" else 26
        if start is not None and 0 <= ord(character) - ord(first) < size:
            return chr(start + ord(character) - ord(first))
    return character


def _is_name(element: Any) -> bool:
    """Whether it is log, max, ... itself, or one of them with something above or below."""
    if element.tag in _SCRIPTS:
        return len(element) > 0 and _is_name(element[0])
    text = (element.text or "").replace("\u2009", "").replace("\u2006", "")
    return (
        element.tag in ("mi", "mo")
        and len(text) > 1
        and text.isalpha()
        and "mathvariant" not in element.attrib
    )


def _mark_signs(element: Any) -> None:
    """The minus of (0, -x) stands close to its x: browsers take it so at the start of a row only."""
    before = None
    for child in list(element) if element.tag in _ROWS else ():
        if child.tag == "mspace":
            continue
        operator = before is not None and before.tag == "mo" and before.text not in _CLOSING
        if child.tag == "mo" and child.text in _SIGNS and operator:
            child.attrib |= {"form": "prefix", "lspace": "0", "rspace": "0"}
        before = child


def _raise_primes(element: Any) -> None:
    """The prime of f' at full size beside its f: the sign is small and high by itself."""
    if element.tag == "msup" and len(element) == 2 and _PRIMES.fullmatch("".join(element[1].itertext())):
        primes = ElementTree.Element("mo", {"lspace": "0", "rspace": "0", "form": "postfix"})
        primes.text = "".join(element[1].itertext())
        element.tag = "mrow"
        element[1] = primes


def _space_names(element: Any) -> None:
    """TeX's thin space between a name such as log and what is not an operator or a fence."""
    if element.tag not in _ROWS:
        return
    children = list(element)
    apart = {"mo", "mspace"}
    for before, after in pairwise(children):
        named = _is_name(before)
        left = named or before.tag not in apart or before.text in (")", "]")
        right = _is_name(after) or (named and after.tag not in apart)
        if left and right:
            space = ElementTree.Element("mspace", {"width": _THIN})
            element.insert(list(element).index(after), space)


def _join_letters(element: Any) -> None:
    """``\\mathrm{ReLU}`` as one name in place of four."""
    if element.tag not in _ROWS:
        return
    previous = None
    for child in list(element):
        text = child.text or ""
        letters = child.attrib == {"mathvariant": "normal"} and text.isascii() and text.isalpha()
        if letters and previous is not None:
            previous.text += text
            element.remove(child)
        else:
            previous = child if letters else None


class Formulas:
    """Renders text cells for one page, and puts their formulas in when the page is cleaned and whole.

    ``markdown`` marks a formula by ``<code class="...">TeX</code>`` with a name that cannot be guessed. The mark
    goes through a sanitizer that takes out MathML, it leaves plain TeX in attributes (alt, id), and ``put_in``
    replaces it by the formula. A formula that is not understood stays as code.
    """

    def __init__(self) -> None:
        self._name = f"formula-{secrets.token_hex(16)}"
        self._formulas: list[str] = []

    def _mark(self, tex: str, display: bool) -> str:
        mathml = to_mathml(tex, display)
        text = html.escape(tex.strip() if mathml else f"$${tex}$$" if display else f"${tex}$", quote=False)
        if mathml is None:
            return f"<code>{text}</code>"
        self._formulas.append(f'<span class="labkit-formula">{mathml}</span>' if display else mathml)
        return f'<code class="{self._name}-{len(self._formulas) - 1}">{text}</code>'

    def put_in(self, page: str) -> str:
        """The page with its formulas in place of their marks."""
        mark = re.compile(rf'<code class="{self._name}-(\d+)">[^<]*</code>')
        return mark.sub(lambda match: self._formulas[int(match[1])], page)

    def markdown(self, source: str, **options: Any) -> str:
        """Markdown -> HTML with marks. ``options`` are those of nbconvert's IPythonRenderer."""
        from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath, MathInlineParser

        mark = self._mark

        class Renderer(IPythonRenderer):
            def block_math(self, body: str) -> str:
                return mark(body, True)

            def inline_math(self, body: str) -> str:
                return mark(body, False)

            def latex_environment(self, name: str, body: str) -> str:
                return mark(f"\\begin{{{name}}}{body}\\end{{{name}}}", True)

        class Inline(MathInlineParser):
            def parse_inline_math_tex(self, match: re.Match[str], state: Any) -> int | None:
                body, after = match.group("math_inline_tex"), state.src[match.end() : match.end() + 1]
                half_spaced = body[-1].isspace() and not body[0].isspace()
                if half_spaced or after.isdigit() or "\n\n" in body:  # "$5 and $6", "$5-$6": prices
                    return None
                return super().parse_inline_math_tex(match, state)

        renderer = Renderer(escape=False, **options)
        return MarkdownWithMath(renderer=renderer, inline=Inline(hard_wrap=False)).render(source)
