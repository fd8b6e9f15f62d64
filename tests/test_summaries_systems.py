"""Generated news and the systems that summarize: lead, TextRank, the extractive network, the pointer-generator."""

from __future__ import annotations

import sys
from collections import Counter

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.summaries import extractive as extractive_module
from labkit.summaries.abstractive import (
    Abstractive,
    Encoded,
    PointerBatches,
    PointerDecoder,
    padded,
    train_abstractive,
)
from labkit.summaries.evaluation import evaluate, score
from labkit.summaries.extractive import (
    PAD,
    ExtractiveConfig,
    SentenceScorer,
    features_of,
    oracle,
    train_extractive,
)
from labkit.summaries.faithfulness import support
from labkit.summaries.lead import lead
from labkit.summaries.pointer_generator import (
    Batch,
    PointerConfig,
    PointerGenerator,
    summary_loss,
)
from labkit.summaries.reports import reports
from labkit.summaries.rouge import rouge
from labkit.summaries.sources import cnn_dailymail, load_reports
from labkit.summaries.textrank import rank, similarities, textrank
from labkit.summaries.texts import MAX_CHARACTERS, Report, check_article, language_of, sentences_of
from labkit.summaries.words import BOS, EOS, Vocabulary, split_words

LANGUAGES = ("en", "zh")


# --- Texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Reed left. He came back.", ["Mr. Reed left.", "He came back."]),
        ('"Stop!" she said. He did.', ['"Stop!" she said.', "He did."]),
        ("下雨了。“真冷！”他说。", ["下雨了。", "“真冷！”", "他说。"]),
        ("One line\nand another", ["One line and another"]),
        ("No stop at all", ["No stop at all"]),
    ],
)
def test_sentences(text, sentences):
    assert sentences_of(text) == sentences


@pytest.mark.parametrize(
    ("text", "language"),
    [("Rain.", "en"), ("下雨了。", "zh"), ("Anna 在图书馆上班", "zh"), ("Идёт дождь", ""), ("123", ""),
     ("The word 茶 means tea in this town.", "en")],
)  # fmt: skip
def test_languages(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("article", "said"), [("", "empty"), ("  \n", "empty"), ("12:30 ...", "no letters"), (3, "is a int"), ("a" * (MAX_CHARACTERS + 1), "at most")]
)  # fmt: skip
def test_what_cannot_be_summarized_is_refused_plainly(article, said):
    for system in (check_article, lead, textrank):
        with pytest.raises(LabkitError, match=said):
            system(article)


# --- Generated news --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_generated_news_is_as_promised(language):
    made = list(reports(language, count=80, seed=5))
    assert len({report.article for report in made}) == len(made)
    assert len({report.topic for report in made}) >= 6
    assert min(len(sentences_of(report.article)) for report in made) >= 4
    assert 0.25 < np.mean([report.lead_is_summary for report in made]) < 0.55
    for report in made:
        assert support(report.summary, report.article).unsupported == (), report
        assert report.facts
        assert all(fact in report.article for fact in report.facts)
    buried = [one for one in made if not one.lead_is_summary]
    first = [rouge(sentences_of(one.article)[0], one.summary)["rouge1"].f1 for one in buried]
    told = [
        rouge(sentences_of(one.article)[0], one.summary)["rouge1"].f1 for one in made if one.lead_is_summary
    ]
    assert np.mean(told) > 2 * np.mean(first)


def test_no_summary_of_a_test_report_is_one_of_training():
    """The main fact decides the split, and the summary tells it."""
    train = {report.summary for report in reports("en", count=300)}
    assert not train & {report.summary for report in reports("en", split="test", count=100)}


def test_the_same_seed_gives_the_same_news():
    assert list(reports("zh", count=10)) == list(reports("zh", count=10))
    assert list(reports("zh", count=10)) != list(reports("zh", count=10, seed=1))
    with pytest.raises(LabkitError, match="The splits are"):
        next(reports("en", split="dev", count=1))
    with pytest.raises(LabkitError, match="count is 0"):
        next(reports("en", count=0))


# --- Lead and TextRank -----------------------------------------------------------------------------------------


def test_lead_takes_the_first_sentences():
    article = "One came. Two went. Three stayed. Four slept."
    assert lead(article).text == "One came. Two went. Three stayed."
    assert lead(article, 1).sources == (0,)
    assert lead("一来了。二走了。", 5).text == "一来了。二走了。"
    with pytest.raises(LabkitError, match="sentences is 0"):
        lead(article, 0)


@given(st.integers(1, 7), st.integers(0, 2**32 - 1), st.floats(0, 0.95))
@settings(max_examples=30, deadline=None)
def test_rank_is_pagerank(size, seed, damping):
    """Against networkx, on random graphs with nodes that have no edges."""
    rng = np.random.default_rng(seed)
    weights = rng.random((size, size)) * (rng.random((size, size)) < 0.5)
    graph = networkx.from_numpy_array(weights, create_using=networkx.DiGraph)
    expected = networkx.pagerank(graph, alpha=damping, tol=1e-10, max_iter=500, weight="weight")
    np.testing.assert_allclose(rank(weights, damping), [expected[i] for i in range(size)], atol=1e-6)


def test_similarity_of_two_sentences_worked_by_hand():
    """Shared: the and cat; lengths 3 and 4."""
    matrix = similarities(["The cat sat.", "The cat ran away.", "Nothing else"])
    expected = 2 / (np.log(3) + np.log(4))
    np.testing.assert_allclose(matrix, [[0, expected, 0], [expected, 0, 0], [0, 0, 0]])
    assert similarities(["a", "a"]).max() == 0


def test_textrank_takes_what_resembles_the_others():
    article = "The bank in North Street closed. Cats sleep. The bank closed for repairs. North Street is full. The bank opens again in North Street."
    assert 1 not in textrank(article, 3).sources
    assert textrank("Only one sentence here.", 3).text == "Only one sentence here."
    assert textrank("Все собрались. Все пошли домой.", 1).text  # any script
    with pytest.raises(LabkitError, match="square"):
        rank(np.ones((2, 3)))
    with pytest.raises(LabkitError, match="damping"):
        rank(np.ones((2, 2)), 1.0)


# --- The extractive network ------------------------------------------------------------------------------------


def test_the_oracle_takes_what_is_in_the_summary():
    sentences = ["It rained.", "Tom Reed won the race.", "He got a silver cup.", "People clapped."]
    assert oracle(sentences, "Tom Reed won the race and got a silver cup.") == [1, 2]
    assert oracle(sentences, "Something else entirely") == []


def test_padding_of_an_article_changes_no_score():
    config = ExtractiveConfig(buckets=50, embedding_size=4, hidden_size=3)
    torch.manual_seed(0)
    model = SentenceScorer(config).eval()
    short, long = ["a b.", "c d e."], ["f.", "g h.", "i.", "j k l m."]
    together = model(features_of([short, long], config))
    alone = model(features_of([short], config))
    torch.testing.assert_close(together[:1, :2], alone, atol=1e-6, rtol=1e-5)


def test_scores_depend_on_the_sentences_around():
    config = ExtractiveConfig(buckets=50, embedding_size=4, hidden_size=3)
    torch.manual_seed(0)
    model = SentenceScorer(config).eval()
    one = model(features_of([["a.", "b.", "c."]], config))
    other = model(features_of([["x.", "b.", "c."]], config))
    assert (one[0, 1] - other[0, 1]).abs() > 1e-6


def test_features_hide_figures_and_know_pairs():
    config = ExtractiveConfig()
    first, second, third = features_of([["Ten 48 cats", "Ten 52 cats", "cats 48 Ten"]], config)[0]
    assert torch.equal(first, second)
    assert set(first.tolist()) != set(third.tolist())
    assert (features_of([["...", "a"]], config)[0, 0] != PAD).any()


def test_a_scorer_learns_to_find_the_news():
    """Two seconds: a little training must already beat the first sentence."""
    train, test = list(reports("en", count=80)), list(reports("en", split="test", count=20))
    model, history = train_extractive(train, steps=50, batch_size=16, progress=False)
    assert history.train["loss"][-1] < 0.4 * history.train["loss"][0]
    ours = evaluate("extractive", model.summarize, test)
    first = evaluate("lead", lambda article: lead(article, 1), test)
    assert ours.estimate("rougeL").mean > first.estimate("rougeL").mean + 0.05
    assert ours.supported_share == 1
    assert len(model.summarize(test[0].article, 2).sentences) == 2
    assert model.summarize("One sentence only").text == "One sentence only"
    assert model.summarize("Слово. Ещё одно.").text
    long = " ".join(f"Sentence number {i} is here." for i in range(400))
    assert max(model.summarize(long, 3).sources) < model.model.config.max_sentences
    with pytest.raises(LabkitError, match="no reports"):
        train_extractive([])
    with pytest.raises(LabkitError, match="buckets"):
        ExtractiveConfig(buckets=0)


def test_labels_beyond_the_sentences_do_not_count():
    logits = torch.zeros(1, 3)
    labels = torch.tensor([[1.0, 0.0, extractive_module.NO_LABEL]])
    loss = extractive_module._label_loss(logits, labels)
    assert loss.item() == pytest.approx(np.log(2))


# --- Words -----------------------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("ab 3.,'-雨天。“·\n"), max_size=30))
@settings(max_examples=80, deadline=None)
def test_words_lose_nothing_but_the_number_of_blanks(text):
    assert "".join(split_words(text)).split() == text.split()


def test_unknown_words_are_written_by_copying():
    vocabulary = Vocabulary((" a", "."), buckets=8)
    words = split_words("a Zoe.")
    copied = vocabulary.unknown(words)
    assert copied == [" Zoe"]
    ids = vocabulary.write_ids(words, copied)
    assert ids == [4, vocabulary.output_size, 5]
    assert vocabulary.join(ids, copied) == "a Zoe."
    read = vocabulary.read_ids(words)
    assert vocabulary.output_size <= read[1] < vocabulary.input_size
    assert vocabulary.write_ids([" Bob"], copied) == [3]


def test_the_vocabulary_leaves_out_what_can_be_copied():
    """ " Zoe" and " 12" stand in the article whenever they are written; " won" is in every article, " beat" in none."""
    pairs = [
        ("Zoe won a race.", "Zoe won, Zoe beat all."),
        ("Bob won 12 times.", "Bob won 12."),
        ("He won.", "He won."),
    ]
    assert Vocabulary.of(pairs, 9).words == (" all", " beat", " won", ",", ".")
    assert Vocabulary.of(pairs, 2).words == (" won", ".")


# --- The pointer-generator -------------------------------------------------------------------------------------


def a_network(**changes) -> PointerGenerator:
    torch.manual_seed(0)
    options = {"embedding_size": 6, "hidden_size": 5, "dropout": 0.0} | changes
    return PointerGenerator(PointerConfig(12, 8, **options)).eval()


def a_batch() -> Batch:
    """Two articles of different lengths; ids from 8 on are copied."""
    articles = padded([[5, 9, 10, 6], [7, 11]])
    extended = padded([[5, 8, 9, 6], [7, 8]])
    inputs, targets = padded([[5, 9, EOS], [11, EOS]]), padded([[5, 8, EOS], [8, EOS]])
    return Batch(articles, extended, inputs, targets, 2)


@pytest.mark.parametrize("changes", [{}, {"copy": False}, {"coverage": 1.0}])
def test_probabilities_add_up_to_one_and_only_what_is_there_is_copied(changes):
    model, batch = a_network(**changes), a_batch()
    article, state = model.read(batch.articles, batch.extended, batch.extra)
    step, state = model.step(torch.tensor([BOS, BOS]), state, article)
    torch.testing.assert_close(step.probabilities.sum(1), torch.ones(2))
    copied = step.probabilities[:, 8:]
    if changes.get("copy", True):
        expected = (1 - step.generate[0, 0]) * step.attention[0, 1]
        torch.testing.assert_close(copied[0, 0], expected)
        assert copied[1, 1] == 0  # the second article has one unknown word
    else:
        assert (copied == 0).all()
    assert (step.attention[1, 2:] == 0).all()
    torch.testing.assert_close(state.coverage, step.attention)


def test_padding_of_articles_changes_nothing():
    model, batch = a_network(coverage=0.5), a_batch()
    logs, cover = model(batch)
    alone = Batch(
        batch.articles[1:, :2], batch.extended[1:, :2], batch.inputs[1:, :2], batch.targets[1:, :2], 2
    )
    own_logs, own_cover = model(alone)
    torch.testing.assert_close(logs[1:, :2], own_logs, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(cover[1:, :2], own_cover, atol=1e-6, rtol=1e-5)
    wider = torch.nn.functional.pad
    padded_more = Batch(*(wider(one, (0, 2)) for one in batch[:4]), batch.extra)
    torch.testing.assert_close(summary_loss(model, padded_more), summary_loss(model, batch))


def test_coverage_is_the_attention_paid_twice():
    """Equation 12 by hand for the second step of the first article."""
    model, batch = a_network(coverage=1.0), a_batch()
    _, cover = model(batch)
    article, state = model.read(batch.articles, batch.extended, batch.extra)
    first, state = model.step(torch.tensor([BOS, BOS]), state, article)
    second, _ = model.step(batch.inputs[:, 0], state, article)
    torch.testing.assert_close(cover[:, 0], torch.zeros(2))
    torch.testing.assert_close(cover[:, 1], torch.minimum(first.attention, second.attention).sum(1))


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"output_size": 20}, "input_size"), ({"copy": 1}, "copy"), ({"coverage": -1}, "coverage"), ({"dropout": 1}, "dropout")],
)  # fmt: skip
def test_wrong_configurations_are_refused_by_the_field(changes, said):
    with pytest.raises(LabkitError, match=said):
        PointerConfig(**{"input_size": 12, "output_size": 8} | changes)


TOY_NAMES = ("Anna", "Bert", "Cleo", "Dora", "Emil", "Fred", "Gina", "Hugo", "Ivan", "Jane", "Kurt", "Lena")


def toy(names) -> list[Report]:
    """Who won is never in the vocabulary, so it can only be copied."""
    return [
        Report(f"It rained. {name} won the race. {other} slept.", f"{name} won.", "en")
        for name, other in zip(names, (*names[1:], names[0]), strict=True)
    ]


def test_it_copies_names_that_it_has_never_read():
    """Three seconds: trained on some names, it writes others; without the pointer it cannot."""
    train, unseen = toy(TOY_NAMES), toy(("Zoe", "Yves", "Xena"))
    options = {
        "vocabulary_size": 2, "steps": 250, "batch_size": 6, "learning_rate": 0.02, "embedding_size": 12,
        "hidden_size": 16, "dropout": 0.0, "progress": False,
    }  # fmt: skip
    model, history = train_abstractive(train, **options)
    assert history.train["loss"][-1] < 0.2
    assert [model.summarize(one.article).text for one in unseen] == ["Zoe won.", "Yves won.", "Xena won."]
    word = model.explain(unseen[0].article)[0]
    assert (word.text, unseen[0].article[slice(*word.source)]) == ("Zoe", "Zoe")
    assert word.copied > 0.9
    blind, _ = train_abstractive(train, copy=False, **options | {"steps": 30})
    assert "Zoe" not in blind.summarize(unseen[0].article).text
    with pytest.raises(LabkitError, match="writes English, and the article is in Chinese"):
        model.summarize("今天下雨了。")
    with pytest.raises(LabkitError, match="empty"):
        model.summarize("")
    assert isinstance(model.summarize("word " * 3000).text, str)


def test_the_decoder_steps_as_training_reads():
    vocabulary = Vocabulary((" won", "."), buckets=6)
    reports_ = toy(TOY_NAMES[:2])
    torch.manual_seed(0)
    model = PointerGenerator(PointerConfig(vocabulary.input_size, vocabulary.output_size, 6, 5, 0.0)).eval()
    batch = PointerBatches(reports_, vocabulary, 2).batch([0, 1])
    logs, _ = model(batch)
    decoder = PointerDecoder(model, vocabulary, [Encoded(one.article, vocabulary) for one in reports_])
    with torch.no_grad():
        found = [decoder.start(batch.articles.tolist(), 5)]
        found += [decoder.step(batch.targets[:, place]) for place in range(2)]
    for place, step in enumerate(found):
        chosen = step.gather(1, batch.targets[:, place, None]).squeeze(1)
        torch.testing.assert_close(chosen, logs[:, place], atol=1e-4, rtol=1e-4)


def test_one_language_at_a_time():
    with pytest.raises(LabkitError, match="one language"):
        train_abstractive([*toy(TOY_NAMES), Report("雨。", "雨。", "zh")])
    assert Abstractive.summarize  # the class that comes back


# --- Measuring and other sources -------------------------------------------------------------------------------


def test_scores_compare_two_systems_on_the_same_reports():
    made = list(reports("en", count=40, seed=2))
    best = score("reference", [one.summary for one in made], made)
    first = evaluate("lead", lead, made)
    assert best.estimate("rouge1").mean == pytest.approx(1)
    difference = best.compare(first)
    assert difference.low > 0
    assert difference.p < 0.01
    assert first.supported_share == best.supported_share == 1
    nothing = score("nothing", [""] * 40, made)
    assert nothing.estimate("rougeL").mean == 0
    assert nothing.claims == 0
    lie = score("lie", ["Tom Miller paid 123,456 crowns."] * 40, made)
    assert lie.supported_share < 0.05
    with pytest.raises(LabkitError, match="no measure"):
        best.estimate("bleu")
    with pytest.raises(LabkitError, match="at least 2"):
        score("one", ["a"], made[:1])


def test_a_learners_reports_are_read(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"article": "It rains.", "summary": "Rain."}\n\n{"article": "下雨了。", "summary": "雨。"}', "utf-8"
    )
    assert [report.language for report in load_reports(path)] == ["en", "zh"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"), (b"{", "line 1: this is not JSON"), (b"[]", "must be an object"),
        (b'{"article": "a"}', "summary is missing"), (b'{"article": " ", "summary": "a"}', "article is missing"),
        (b"\xff\xfe\xfa", "not UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_learners_file_is_said(tmp_path, content, said):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(LabkitError, match=said):
        load_reports(path)
    with pytest.raises(LabkitError, match="no file"):
        load_reports(tmp_path / "other.jsonl")


def test_cnn_dailymail_without_library_network_or_sense(monkeypatch):
    with pytest.raises(LabkitError, match="split is 'dev'"):
        cnn_dailymail("dev")
    with pytest.raises(LabkitError, match="count is 0"):
        cnn_dailymail(count=0)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(LabkitError, match="pip install datasets"):
        cnn_dailymail()

    class Library:
        @staticmethod
        def load_dataset(*arguments, **options):
            raise ConnectionError("offline")

    monkeypatch.setitem(sys.modules, "datasets", Library)
    with pytest.raises(LabkitError, match="could not be fetched"):
        cnn_dailymail()
    row = {"article": "It rains.", "highlights": "Rain.", "id": 7}
    monkeypatch.setattr(Library, "load_dataset", staticmethod(lambda *a, **k: [row]))
    assert cnn_dailymail(count=1) == [Report("It rains.", "Rain.", "en", id="7")]


def test_topics_of_generated_news_are_varied():
    topics = Counter(report.topic for report in reports("zh", count=200))
    assert max(topics.values()) < 100
