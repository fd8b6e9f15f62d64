"""What a batch came to, as pages: one index.html, and each executed notebook."""

from __future__ import annotations

import base64
import html
import io
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labkit import __version__
from labkit.files import atomic_write_text
from labkit.formulas import STYLE, Formulas
from labkit.report import MAKER, MEAN, About, Record, metric_digits, number_text, sweep_lines, sweeps
from labkit.runner import FAILED, INTERRUPTED, KERNEL_DIED, NOT_RUN, OK, REFUSED, TIMED_OUT

THUMBNAIL_WIDTH = 560  # twice the width at which it is shown, for dense screens
_BACK = (
    '<p style="font:14px system-ui,sans-serif;margin:12px 24px">'
    '<a href="../../index.html#{}">&larr; report</a></p>'
)
_NO_SCRIPTS = """<meta http-equiv="Content-Security-Policy" content="script-src 'none'; object-src 'none'">"""
# nbconvert's own template, but with the text alternatives, which nbconvert drops, and without what it loads
# from the network: MathJax (formulas come as MathML), RequireJS, the widgets' manager, Mermaid.
_PAGE_TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{% block data_png scoped %}
{%- set alt = output | get_metadata('alt', 'image/png') -%}
{%- set width = output | get_metadata('width', 'image/png') -%}
<div class="jp-RenderedImage jp-OutputArea-output {{ extra_class }}">
<img src="data:image/png;base64,{{ output.data['image/png'] | escape_html }}"
{%- if alt %} alt="{{ alt | escape_html }}"{% endif %}{% if width is number %} width="{{ width }}"{% endif %}></div>
{%- endblock data_png %}
{% block data_latex scoped %}
<div class="jp-RenderedHTMLCommon jp-RenderedLatex jp-OutputArea-output {{ extra_class }}">
{%- set formula = output.data['text/latex'] | markdown2html -%}
{{ (formula | clean_html) if resources.should_sanitize_html else formula }}</div>
{%- endblock data_latex %}
{% block html_head_js %}{% endblock html_head_js %}
{% block jupyter_widgets %}{% endblock jupyter_widgets %}
{% block html_head_js_mathjax %}{% endblock html_head_js_mathjax %}
{% block html_head_js_mermaidjs %}{% endblock html_head_js_mermaidjs %}
{% block html_head_css %}<style>{{ resources.formula_style }}</style>{% endblock html_head_css %}
"""
_HARMLESS_TAGS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em"}
    | {
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
    }
    | {"strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)
_HARMLESS_ATTRIBUTES = {
    "*": ["class", "id", "title"],
    "a": ["href"],
    "img": ["alt", "src", "width", "height"],
    "td": ["colspan", "rowspan", "align"],
    "th": ["colspan", "rowspan", "align"],
}
ATTEMPTED = ("passed", "failed")


def notebook_page(notebook: bytes, record: Record) -> str | None:
    """The executed notebook as a page with a way back; None where nbconvert cannot.

    The page loads nothing: formulas are MathML, pictures are data, and a widget, which needs a kernel and
    scripts from the network, is told by its text. What a student handed in is opened in the teacher's browser:
    its markup is cut down to what is harmless, and the page forbids every script.
    """
    import nbformat
    from jinja2 import pass_context
    from nbconvert import HTMLExporter

    formulas = Formulas()

    @pass_context
    def markdown(context: Any, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        return formulas.markdown(source, attachments=attachments, embed_images=True)

    try:
        exporter = HTMLExporter(sanitize_html=record.submission, embed_images=True)
        exporter.raw_template = _PAGE_TEMPLATE
        exporter.register_filter("markdown2html", markdown)
        if record.submission:  # nbconvert's own filter shows headings and tables as their source
            exporter.register_filter("clean_html", _clean)
        node = nbformat.reads(notebook.decode("utf-8"), as_version=4)
        node.metadata.pop("widgets", None)
        name = html.escape(record.label)  # nbconvert takes it as it is
        resources = {"metadata": {"name": name}, "formula_style": STYLE}
        body, _ = exporter.from_notebook_node(node, resources)
        body = formulas.put_in(body)
    except Exception:  # a notebook that nbconvert cannot render is still there as a notebook
        return None
    if record.submission:
        body = body.replace("<head>", f"<head>{_NO_SCRIPTS}", 1)
        if _NO_SCRIPTS not in body:
            return None
    start = body.find(">", body.find("<body")) + 1
    return body[:start] + _BACK.format(quote(record.key)) + body[start:]


def _clean(markup: str | bytes) -> str:
    """Markup without what could run or load something."""
    import bleach

    text = markup.decode() if isinstance(markup, bytes) else str(markup)
    return bleach.clean(text, tags=_HARMLESS_TAGS, attributes=_HARMLESS_ATTRIBUTES, strip=True)


@dataclass(frozen=True)
class Figure:
    """A picture that a notebook shows, scaled down, as a data address."""

    address: str
    alt: str
    cell_id: str


@lru_cache(maxsize=256)
def _figures(path: Path, changed: int) -> tuple[Figure, ...]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        found = []
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                picture = output.get("data", {}).get("image/png")
                address = _thumbnail(picture) if picture else None
                if address:
                    about = output.get("metadata", {}).get("image/png", {})
                    found.append(Figure(address, str(about.get("alt", "")), str(cell.get("id", ""))))
        return tuple(found)
    except (OSError, ValueError, KeyError, AttributeError):
        return ()


def _thumbnail(picture: str | list[str]) -> str | None:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(base64.b64decode("".join(picture))), formats=["PNG"])
        image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        if image.width > THUMBNAIL_WIDTH:
            image.thumbnail((THUMBNAIL_WIDTH, 4 * THUMBNAIL_WIDTH))
        stream = io.BytesIO()
        image.save(stream, "PNG", optimize=True)
    except Exception:  # a broken picture, or one that claims to be gigapixels, is left out
        return None
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


# --- The page --------------------------------------------------------------------------------------------

_STYLE = """
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;
--accent:#1f5fbf;--good:#1a7f4b;--good-ground:#e3f4ea;--bad:#b3261e;--bad-ground:#fbe9e7;--idle:#6b5b00;
--idle-ground:#fbf3d4;--code:#f2f4f7}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1a2029;--ink:#e6eaf0;--soft:#9aa6b5;
--line:#2c3541;--accent:#8ab4f8;--good:#7fd6a4;--good-ground:#17352a;--bad:#ff9c94;--bad-ground:#3d1f1e;
--idle:#e8cf6a;--idle-ground:#383013;--code:#11151b}.figures a{filter:brightness(.9)}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 24px 64px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:19px;margin:36px 0 12px}h3{font-size:16px;margin:0}
.soft{color:var(--soft)}.about{margin:0 0 20px;color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 24px;padding:0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 18px;min-width:130px}
.tiles dt{color:var(--soft);font-size:13px}.tiles dd{margin:0;font-size:24px;font-weight:600;
font-variant-numeric:tabular-nums}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:0 0 16px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:9px 14px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
th{font-weight:600;font-size:13px;color:var(--soft);white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap}tr.mean td{font-weight:600;background:var(--code)}
tr.has-why td{border-bottom:0;padding-bottom:0}
tr.why td{color:var(--bad);font-size:13px;padding-top:0;overflow-wrap:anywhere}
.pill{display:inline-block;border-radius:99px;padding:1px 10px;font-size:13px;font-weight:600;white-space:nowrap;
background:var(--idle-ground);color:var(--idle)}
.pill.good{background:var(--good-ground);color:var(--good)}.pill.bad{background:var(--bad-ground);color:var(--bad)}
.run{padding:16px 18px}.run header{display:flex;flex-wrap:wrap;gap:6px 14px;align-items:baseline}
.run header .links{margin-left:auto}.links a+a{margin-left:14px}
.facts{margin:2px 0 0;color:var(--soft);font-size:14px}
.run table{margin-top:12px;font-size:14px}.run th,.run td{padding:6px 10px}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:10px;margin-top:14px}
.figures a{display:flex;align-items:center;justify-content:center;background:#fff;border:1px solid var(--line);
border-radius:6px;padding:6px;height:160px}.figures a:hover{border-color:var(--accent)}
.figures img{display:block;max-width:100%;max-height:100%;object-fit:contain}
pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:10px 12px;margin:8px 0 0;
overflow-x:auto;font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.error{border-left:4px solid var(--bad);padding-left:14px;margin-top:12px}.error strong{color:var(--bad)}
.chips{display:flex;flex-wrap:wrap;gap:6px;margin-top:10px;font-size:13px}
details{margin-top:8px}summary{cursor:pointer;color:var(--accent);font-size:14px}
table.matrix{width:auto}.matrix-card{width:fit-content;max-width:100%}td.metric{min-width:270px}th.mark,td.mark{text-align:center}td.mark{font-weight:700}td.passed{color:var(--good)}td.failed{color:var(--bad)}
td.other{color:var(--soft);font-weight:400}
@media print{.card{break-inside:avoid}body{background:#fff}}
"""
_STATUS_ZH = {
    OK: "完成",
    FAILED: "出错",
    TIMED_OUT: "超时",
    KERNEL_DIED: "内核终止",
    REFUSED: "未接受",
    INTERRUPTED: "已中断",
    NOT_RUN: "未运行",
    "running": "运行中",
    "": "等待中",
}
_VERDICTS_ZH = {"better": "更好", "worse": "更差", "equal": "相同", "unclear": "无法断定"}
_SIGNS = {OK: "✓", "running": "…", "": "…", INTERRUPTED: "–", NOT_RUN: "–"}
_MARKS = {"passed": "✓", "failed": "✗", "not attempted": "–"}


class _Page:
    """Builds the page in one language."""

    def __init__(self, out: Path, records: Sequence[Record], about: About):
        self.out, self.records, self.about = out, records, about

    def say(self, en: str, zh: str) -> str:
        return zh if self.about.language == "zh" else en

    def html(self) -> str:
        title = self.say("Course report", "课程运行报告")
        parts = [
            "<!DOCTYPE html>",
            f'<html lang="{"zh-CN" if self.about.language == "zh" else "en"}"><head><meta charset="utf-8">',
            f'{MAKER} {__version__}"><meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{title}</h1>",
            self.facts(),
            self.tiles(),
            self.summary(),
            *(self.sweep(table) for table in sweeps(self.records)),
            self.matrix(),
            f"<h2>{self.say('Runs', '各次运行')}</h2>",
            *(self.run(record) for record in self.records),
            "</main></body></html>",
        ]
        return "\n".join(part for part in parts if part) + "\n"

    def facts(self) -> str:
        modes = {"smoke": "快速检查", "class": "课堂", "full": "完整训练"}
        mode = self.say(f"{self.about.mode} mode", f"{modes[self.about.mode]}模式")
        facts = [
            datetime.now().strftime("%Y-%m-%d %H:%M"),
            mode,
            *([self.say("solution edition", "答案版")] if self.about.solutions else []),
            f"labkit {__version__}",
            f"Python {platform.python_version()}",
            platform.platform(terse=True),
        ]
        return f'<p class="about">{" · ".join(html.escape(fact) for fact in facts)}</p>'

    def tiles(self) -> str:
        ok = sum(record.status == OK for record in self.records)
        tiles = [
            (self.say("runs that ended well", "顺利完成"), f"{ok}/{len(self.records)}"),
            (self.say("wall-clock time", "总用时"), f"{self.about.seconds:.0f} s"),
        ]
        statuses = [status for record in self.records for status in record.exercises.values()]
        if statuses:
            passed = sum(status == "passed" for status in statuses)
            tiles.append((self.say("exercises passed", "通过的练习"), f"{passed}/{len(statuses)}"))
        peak = max((record.peak_bytes for record in self.records), default=0)
        if peak:
            tiles.append((self.say("largest kernel", "内核内存峰值"), f"{peak / 1e6:.0f} MB"))
        verdicts = [
            m["verdict"] for r in self.records for m in r.measures if m.get("verdict") in _VERDICTS_ZH
        ]
        if verdicts:
            better = f"{verdicts.count('better')}/{len(verdicts)}"
            tiles.append((self.say("figures better than baseline", "优于基线的指标"), better))
        cells = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in tiles)
        return f'<dl class="tiles">{cells}</dl>'

    def pill(self, record: Record) -> str:
        kind = "good" if record.status == OK else "idle" if record.status in _SIGNS else "bad"
        text = self.say(record.status or "waiting", _STATUS_ZH.get(record.status, record.status))
        sign = _SIGNS.get(record.status, "✗")
        return f'<span class="pill {kind}">{sign} {html.escape(text)}</span>'

    def name(self, record: Record) -> str:
        name = html.escape(record.label)
        if record.title:
            name = f"{html.escape(record.number)} {html.escape(record.title)}"
            if record.swept:
                values = " ".join(f"{key}={value}" for key, value in record.swept.items())
                name += f' <span class="soft">{html.escape(values)}</span>'
        return name

    def links(self, record: Record) -> str:
        links = []
        if record.html:
            links.append(f'<a href="{quote(record.html)}">{self.say("page", "网页")}</a>')
        if record.notebook:
            links.append(f'<a href="{quote(record.notebook)}">{self.say("notebook", "笔记本")}</a>')
        return f'<span class="links">{"".join(links)}</span>'

    def main_metric(self, record: Record) -> str:
        if not record.measures:
            return "-"
        first = record.measures[0]
        text = html.escape(f"{first['metric']} {number_text(first['ours'], first)}")
        if first["baseline"] is None:
            return text
        baseline = html.escape(number_text(first["baseline"], first))
        verdict = self.say(first["verdict"], _VERDICTS_ZH.get(first["verdict"], ""))
        return f'{text} <span class="soft">{self.say("baseline", "基线")} {baseline}: {verdict}</span>'

    def summary(self) -> str:
        columns = [
            (
                self.say("lesson", "课程")
                if any(r.title for r in self.records)
                else self.say("file", "文件"),
                "",
            ),
            (self.say("status", "状态"), ""),
            (self.say("seconds", "秒"), "n"),
            (self.say("memory", "内存"), "n"),
            (self.say("exercises", "练习"), "n"),
            (self.say("main metric", "主要指标"), ""),
            (self.say("executed", "运行结果"), ""),
        ]
        rows = []
        for record in self.records:
            note = f' <span class="soft">{self.say("from before", "沿用")}</span>' if record.resumed else ""
            seconds = f"{record.seconds:.1f}" if record.seconds else "-"
            why = html.escape(record.error["message"]) if record.error else ""
            rows.append(
                f'<tr{" class=has-why" if why else ""}><td><a href="#{quote(record.key)}">{self.name(record)}</a></td>'
                f"<td>{self.pill(record)}{note}</td>"
                f'<td class="n">{seconds}</td><td class="n">{record.memory}</td>'
                f'<td class="n">{record.passed}</td><td class="metric">{self.main_metric(record)}</td>'
                f"<td>{self.links(record)}</td></tr>"
            )
            if why:
                rows.append(f'<tr class="why"><td colspan="{len(columns)}">{why}</td></tr>')
        head = "".join(f'<th class="{kind}">{label}</th>' for label, kind in columns)
        body = "".join(rows)
        return (
            f'<div class="card wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    def sweep(self, table: dict[str, Any]) -> str:
        header, rows = sweep_lines(table, metric_digits(self.records))
        means = len(table["means"])
        rows = [[self.say(cell, "均值（95 %）") if cell == MEAN else cell for cell in row] for row in rows]
        names = {"status": self.say("status", "状态"), "seconds": self.say("seconds", "秒")}
        head = "".join(f"<th>{html.escape(names.get(name, name))}</th>" for name in header)
        body = ""
        for number, row in enumerate(rows):
            kind = ' class="mean"' if number >= len(rows) - means else ""
            place = len(table["parameters"])
            row[place] = self.say(row[place], _STATUS_ZH.get(row[place], "")) if row[place] else ""
            body += f"<tr{kind}>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        title = self.say("Sweep over", "参数扫描：")
        over = f"{html.escape(', '.join(table['parameters']))} · {html.escape(table['name'])}"
        return (
            f'<h2>{title} {over}</h2><div class="card wide"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    def matrix(self) -> str:
        """Who passed what, for files that were handed in."""
        handed_in = [record for record in self.records if record.submission]
        exercises = sorted({exercise for record in handed_in for exercise in record.exercises})
        if not exercises:
            return ""
        head = "".join(f'<th class="mark">{html.escape(exercise)}</th>' for exercise in exercises)
        rows = []
        for record in handed_in:
            cells = ""
            for exercise in exercises:
                status = record.exercises.get(exercise, "")
                kind = status if status in ATTEMPTED else "other"
                mark = _MARKS.get(status, "·")
                cells += f'<td class="mark {kind}" title="{html.escape(status)}">{mark}</td>'
            rows.append(
                f'<tr><td><a href="#{quote(record.key)}">{html.escape(record.label)}</a></td>{cells}'
                f'<td class="n">{record.passed}</td></tr>'
            )
        passed = self.say("passed", "通过")
        file = self.say("file", "文件")
        key = self.say(
            "✓ passed, ✗ failed, – not attempted, · not reached", "✓ 通过，✗ 未通过，– 未作答，· 未运行到"
        )
        return (
            f"<h2>{self.say('Exercises', '练习')}</h2>"
            f'<div class="card wide matrix-card"><table class="matrix"><thead><tr><th>{file}</th>{head}<th class="n">{passed}</th></tr></thead>'
            f'<tbody>{"".join(rows)}</tbody></table></div><p class="soft">{key} · '
            f'<a href="grades.csv">grades.csv</a></p>'
        )

    def run(self, record: Record) -> str:
        values = {name: value for name, value in record.parameters.items() if name != "MODE"}
        facts = [
            *([html.escape(record.name)] if record.title else []),
            *(f"{html.escape(name)} = {html.escape(str(value))}" for name, value in values.items()),
            *([record.time] if record.seconds else []),
            *([record.memory] if record.peak_bytes else []),
            *(
                [self.say(f"{record.cells} code cells", f"{record.cells} 个代码单元格")]
                if record.cells
                else []
            ),
        ]
        return (
            f'<section class="card run" id="{html.escape(record.key)}"><header><h3>{self.name(record)}</h3>'
            f'{self.pill(record)}{self.links(record)}</header><p class="facts">{" · ".join(facts)}</p>'
            f"{self.error(record)}{self.measures(record)}{self.exercises(record)}{self.figures(record)}</section>"
        )

    def error(self, record: Record) -> str:
        if not record.error:
            return ""
        text = f"<strong>{html.escape(record.error['message'])}</strong>"
        if record.error.get("source"):
            text += f"<pre>{html.escape(record.error['source'])}</pre>"
        if record.error.get("traceback"):
            label = self.say("Traceback", "错误追踪")
            text += f"<details><summary>{label}</summary><pre>{html.escape(record.error['traceback'])}</pre></details>"
        return f'<div class="error">{text}</div>'

    def measures(self, record: Record) -> str:
        if not record.measures:
            return ""
        names = (
            self.say("metric", "指标"),
            self.say("baseline", "基线"),
            self.say("ours", "本课"),
            self.say("verdict", "比较"),
            self.say("seeds", "种子数"),
            self.say("95 % interval", "95 % 区间"),
        )
        rows = ""
        for m in record.measures:
            baseline = "-" if m.get("baseline") is None else number_text(m["baseline"], m)
            baseline += f" ({m['baseline_name']})" if m.get("baseline_name") else ""
            low_high = m.get("interval")
            digits = int(m.get("digits", 3))
            interval = f"{low_high[0]:.{digits}f} – {low_high[1]:.{digits}f}" if low_high else "-"
            verdict = str(m.get("verdict", "-"))
            cells = (
                str(m["metric"]),
                baseline,
                number_text(m["ours"], m),
                self.say(verdict, _VERDICTS_ZH.get(verdict, verdict)),
                str(m.get("seeds", 1)),
                interval,
            )
            rows += "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
        head = "".join(f"<th>{name}</th>" for name in names)
        return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'

    def exercises(self, record: Record) -> str:
        if not record.exercises:
            return ""
        texts = {
            "passed": self.say("passed", "通过"),
            "failed": self.say("failed", "未通过"),
            "not attempted": self.say("not attempted", "未作答"),
            "not reached": self.say("not reached", "未运行到"),
        }
        kinds = {"passed": "good", "failed": "bad"}
        chips = "".join(
            f'<span class="pill {kinds.get(status, "idle")}">{html.escape(exercise)} '
            f"{html.escape(texts.get(status, status))}</span>"
            for exercise, status in record.exercises.items()
        )
        return f'<div class="chips">{chips}</div>'

    def figures(self, record: Record) -> str:
        path = self.out / record.notebook if record.notebook else None
        if path is None or not path.is_file():
            return ""
        pictures = "".join(
            f'<a href="{quote(record.html or record.notebook)}{"#" + quote(f"cell-id={f.cell_id}", safe="=") if record.html else ""}">'
            f'<img loading="lazy" src="{f.address}" alt="{html.escape(f.alt)}" title="{html.escape(f.alt)}"></a>'
            for f in _figures(path, path.stat().st_mtime_ns)
        )
        return f'<div class="figures">{pictures}</div>' if pictures else ""


def page(out: Path, records: Sequence[Record], about: About) -> str:
    """The report as one page that needs nothing else, in light and dark."""
    return _Page(out, records, about).html()


def write_index(out: Path, records: Sequence[Record], about: About) -> None:
    """Write ``page`` as index.html, whole. Raises OSError."""
    atomic_write_text(out / "index.html", page(out, records, about))
