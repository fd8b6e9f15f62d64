"""Formulas as MathML: those of the lessons, how they are set, and hostile ones."""

from __future__ import annotations

import re
import time
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import pytest

from labkit.common import LANGUAGES
from labkit.formulas import MAX_CHARACTERS, Formulas, to_mathml
from labkit.lessons import find_lessons

MATHML = "{http://www.w3.org/1998/Math/MathML}"
KNOWN = {
    "math",
    "mrow",
    "mi",
    "mo",
    "mn",
    "mtext",
    "mspace",
    "mstyle",
    "mfrac",
    "msqrt",
    "msub",
    "msup",
    "msubsup",
}
KNOWN |= {"munder", "mover", "munderover", "mtable", "mtr", "mtd"}


def parsed(tex: str, display: bool = False) -> ElementTree.Element:
    return ElementTree.fromstring(to_mathml(tex, display))


def elements(tex: str, tag: str, display: bool = False) -> list[ElementTree.Element]:
    return parsed(tex, display).findall(f".//{MATHML}{tag}")


def texts(tex: str, tag: str) -> list[str]:
    return [element.text for element in elements(tex, tag)]


def page(text: str, **options) -> str:
    formulas = Formulas()
    return formulas.put_in(formulas.markdown(text, **options))


def without_code(markup: str) -> str:
    return re.sub(r"<(pre|code|math)\b.*?</\1>", "", markup, flags=re.DOTALL)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", find_lessons(), ids=lambda lesson: lesson.number)
def test_every_formula_of_the_lessons_is_drawn(lesson, language):
    found = 0
    for cell in nbformat.read(lesson.notebook(language), as_version=4).cells:
        if cell.cell_type != "markdown":
            continue
        formulas = Formulas()
        marked = formulas.markdown(cell.source)
        shown = formulas.put_in(marked)
        assert not re.findall(r"<code>\$.*?</code>", shown), "this formula is not understood"
        assert "$" not in without_code(shown), cell.source
        for mathml in re.findall(r"<math .*?</math>", shown):
            tree = ElementTree.fromstring(mathml)
            assert {element.tag.removeprefix(MATHML) for element in tree.iter()} <= KNOWN
            assert "\\" not in "".join(tree.itertext())
            found += 1
    assert found or lesson.number == "01", "a lesson without a formula"


@pytest.mark.parametrize(
    ("tex", "rows", "columns"),
    [
        (r"\begin{cases} x & x > 0 \\ s\,x & x \le 0 \end{cases}", 2, 2),
        (r"\begin{pmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \end{pmatrix}", 2, 3),
        (r"\begin{bmatrix} 1 \\ 2 \\ 3 \end{bmatrix}", 3, 1),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", 2, 2),
        (r"\begin{align*} a &= b \\ &= c \end{align*}", 2, 2),
    ],
)
def test_rows_and_columns(tex, rows, columns):
    (table,) = elements(tex, "mtable")
    found = [row.findall(f"{MATHML}mtd") for row in table.findall(f"{MATHML}mtr")]
    assert [len(row) for row in found] == [columns] * rows


def test_columns_are_aligned_by_a_style_that_browsers_know():
    cells = elements(r"\begin{aligned} a &= b \end{aligned}", "mtd")
    assert [cell.get("style") for cell in cells] == ["text-align:right", "text-align:left"]
    assert {c.get("style") for c in elements(r"\begin{cases} 1 & 2 \end{cases}", "mtd")} == {
        "text-align:left"
    }


def test_names_are_words_and_stand_apart_from_letters_only():
    assert "ReLU" in texts(r"\mathrm{ReLU}(x)", "mi")
    assert [e.get("width") for e in elements(r"q \log p", "mspace")] == ["0.167em"] * 2
    assert elements(r"\log(p)", "mspace") == []
    assert len(elements(r"\frac{\log}{p}", "mfrac")[0]) == 2, "a fraction keeps its two places"
    assert "softmax" in texts(r"\operatorname{softmax}(x)", "mo")
    assert "arg\u2009max" in texts(r"\operatorname*{arg\,max}_x f", "mo")
    assert "arg\u2009max" in texts(r"\arg\max_x f", "mo")


def test_a_sign_after_a_parenthesis_or_a_comma_belongs_to_its_number():
    def minus(tex: str) -> list[str | None]:
        return [e.get("form") for e in elements(tex, "mo") if e.text == "\u2212"]

    assert minus(r"(-1, -2)") == ["prefix", "prefix"]
    assert minus(r"x = -1") == ["prefix"]
    assert minus(r"(a) - b - c") == [None, None]


def test_alphabets_and_letters():
    assert texts(r"\mathbb{R} \mathbf{x} \mathcal{L} \mathbf{7}", "mi") == ["ℝ", "𝐱", "ℒ"]
    assert texts(r"\mathbf{7}", "mn") == ["𝟕"]
    assert [e.get("mathvariant") for e in elements(r"\Phi \varphi", "mi")] == ["normal", None]
    assert "∞" in texts(r"(-\infty, \infty)", "mi")
    assert "′" in texts(r"\sigma'(x)", "mo")


def test_a_displayed_formula_has_a_line_for_itself():
    assert parsed("x", display=True).get("display") == "block"
    assert parsed("x").get("display") == "inline"
    shown = page("so\n\n$$\nx\n$$\n\nand")
    assert '<span class="labkit-formula"><math ' in shown
    assert page(r"\begin{align*} a &= b \end{align*}").count("<mtr>") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It costs $5 and $6.", "It costs $5 and $6."),
        ("From $5-$6.", "From $5-$6."),
        (r"It costs \$5, or 5\$.", "It costs $5, or 5$."),
        ("Code `$x$` stays.", "Code <code>$x$</code> stays."),
    ],
)
def test_dollars_that_are_no_formula(text, shown):
    assert page(text).strip() == f"<p>{shown}</p>"


def test_fenced_code_stays_and_a_price_does_not_hide_the_next_formula():
    assert "<math" not in page("```\n$x$\n```")
    assert "<math" not in page("    $x$ indented")
    assert page("It costs $5, and then $y$ is free.").count("<math") == 1
    assert page("Two: $x$, $y$; one $ z $ with spaces.").count("<math") == 3


@pytest.mark.parametrize(
    "tex",
    [
        r"\foo{x}",
        r"a & b",
        r"\begin{tikzcd} A \end{tikzcd}",
        r"\begin{cases} x",
        r"\left( x",
        r"x_",
        r"\frac{1}",
        "{" * 2000,
        "x" * (MAX_CHARACTERS + 1),
        "x\x00",
    ],
)
def test_what_is_not_understood_stays_tex(tex):
    assert to_mathml(tex) is None
    if len(tex) < 100 and "\x00" not in tex:
        shown = page(f"see ${tex}$ here")
        assert "<math" not in shown
        assert f"<code>${tex}$</code>".replace("&", "&amp;") in shown


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
        r"\unicode{x3c}script\unicode{x3e}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{a\" onclick=alert(1)}{x}",
        r"\style{background:url(//a)}{x}",
        r"\textcolor{red\" onclick=\"alert(1)}{x}",
        r"\hspace{1em\" onclick=\"alert(1)}x",
        r"\operatorname{<img src=x onerror=alert(1)>}",
        r"\rule{1em}{\"><script>}",
        r"<script>alert(1)</script>",
        r"\text{]]><!--<img src=x onerror=alert(1)>}",
    ],
)
def test_a_hostile_formula_is_text(tex):
    mathml = to_mathml(tex)
    shown = page(f"a ${tex}$ b\n\n$${tex}$$\n\n# ${tex}$\n\n![${tex}$](a.png)")
    if mathml is not None:
        ElementTree.fromstring(mathml)
        assert set(re.findall(r"<(\w+)", mathml)) <= KNOWN
        names = {name for element in ElementTree.fromstring(mathml).iter() for name in element.attrib}
        assert not names & {"href", "class", "onclick", "id", "src"}
    assert not re.search(r"<(?:script|img(?! src=\"a\.png\"))", shown)
    assert not re.search(r"<[^>\"]*(?:\"[^\"]*\"[^>\"]*)*(?:onclick|onerror|javascript:)=", shown)


def test_a_formula_cannot_hold_up_a_batch():
    bomb = r"\def\a{xx}" + "".join(
        rf"\def\{b}{{\{a}\{a}}}" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    start = time.perf_counter()
    assert to_mathml(bomb + r"\i") is None
    assert to_mathml(r"\newcommand{\a}{\a\a}\a") is None
    for part in ("'", r"\left(", "_", "^{a", r"\frac{", r"\sqrt{", r"\begin{cases}", "&", r"\\", "x_1^2 "):
        to_mathml((part * MAX_CHARACTERS)[:MAX_CHARACTERS])
    assert time.perf_counter() - start < 5


def test_marks_cannot_be_guessed_or_put_in_twice():
    formulas = Formulas()
    marked = formulas.markdown("$x$")
    (name,) = re.findall(r'class="(formula-\w+-0)"', marked)
    assert len(name) > 32
    assert name not in Formulas().markdown("$x$")
    assert formulas.put_in(formulas.put_in(marked)) == formulas.put_in(marked)


def test_attributes_hold_plain_tex():
    shown = page('![the curve $x^2$](a.png)\n\n# Why $x^2$ "grows"')
    assert 'alt="the curve x^2"' in shown
    (identifier,) = re.findall(r'<h1 id="([^"]*)"', shown)
    assert "math" not in identifier
    assert unquote(identifier) == 'Why-x^2-"grows"'
