"""Seq2Seq: attention against its formula, padding that changes nothing, beams, training, and a bot for any input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from labkit import weights
from labkit.common import LabkitError
from labkit.dialogue.baselines import MostCommonReply, Retrieval
from labkit.dialogue.chat import Chatbot, Seq2SeqTask, held_out_loss, train_chatbot
from labkit.dialogue.measures import bleu_and_chrf, evaluate, is_right, named
from labkit.dialogue.pairs import SEPARATOR, PairBatches, Vocabulary, history_of, read_ids
from labkit.dialogue.seq2seq import (
    ATTENTIONS,
    BOS,
    EOS,
    PAD,
    AdditiveAttention,
    MultiplicativeAttention,
    Seq2Seq,
    Seq2SeqConfig,
    Seq2SeqDecoder,
    padded,
    sequence_loss,
    turned,
)
from labkit.dialogue.talks import Dialogue, Exchange
from labkit.text.beams import beam_search
from labkit.text.tokenizer import CharTokenizer
from labkit.training import fit

ROWS = [[5, 6, 7, 8, 9, 6], [5, 6], [9, 9, 7]]
INPUTS = [[BOS, 5, 6], [BOS, 7, 7], [BOS, 8, 5]]


def a_model(attention="additive", cell="gru", vocab_size=12, seed=0) -> Seq2Seq:
    torch.manual_seed(seed)
    config = Seq2SeqConfig(vocab_size, embedding_size=6, hidden_size=5, attention=attention, cell=cell)
    return Seq2Seq(config).eval()


# --- Attention -------------------------------------------------------------------------------------------------


def test_additive_attention_is_its_formula():
    torch.manual_seed(0)
    attention = AdditiveAttention(3, 4, 5)
    states, query = torch.randn(1, 2, 4), torch.randn(1, 3)
    found = attention.scores(query, attention.keys(states))[0]
    for place in range(2):
        inner = (
            attention.query.weight @ query[0] + attention.query.bias + attention.key.weight @ states[0, place]
        )
        assert found[place].item() == pytest.approx(
            (attention.energy.weight[0] @ inner.tanh()).item(), abs=1e-6
        )


def test_multiplicative_attention_is_its_formula():
    torch.manual_seed(0)
    attention = MultiplicativeAttention(3, 4)
    states, query = torch.randn(2, 5, 4), torch.randn(2, 3)
    expected = torch.einsum("bq,qk,bsk->bs", query, attention.key.weight, states)
    torch.testing.assert_close(attention.scores(query, attention.keys(states)), expected)


@pytest.mark.parametrize("attention", ["additive", "multiplicative"])
def test_weights_add_up_to_one_and_leave_the_padding_out(attention):
    model = a_model(attention)
    source, state = model.read(padded(ROWS))
    _, state = model.step(torch.tensor([BOS] * 3), state, source)
    torch.testing.assert_close(state.attention.sum(1), torch.ones(3))
    assert (state.attention[padded(ROWS) == PAD] == 0).all()
    assert (state.attention[padded(ROWS) != PAD] > 0).all()


# --- Padding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("attention", "cell"), list(itertools.product(ATTENTIONS, ("gru", "lstm"))))
@torch.no_grad()
def test_padding_changes_nothing(attention, cell):
    """Each row alone, all together, and all with more padding give the same logits."""
    model = a_model(attention, cell)
    together = model(padded(ROWS), torch.tensor(INPUTS))
    wider = model(torch.nn.functional.pad(padded(ROWS), (0, 4)), torch.tensor(INPUTS))
    torch.testing.assert_close(wider, together, atol=1e-6, rtol=1e-5)
    for place, row in enumerate(ROWS):
        alone = model(torch.tensor([row]), torch.tensor([INPUTS[place]]))
        torch.testing.assert_close(together[place : place + 1], alone, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_without_the_mask_padding_would_change_the_result(monkeypatch):
    """The test above can fail: this is the fault that it is for."""
    model = a_model("additive")
    monkeypatch.setattr("labkit.dialogue.seq2seq.NEVER", 0.0)
    together = model(padded(ROWS), torch.tensor(INPUTS))
    alone = model(torch.tensor([ROWS[1]]), torch.tensor([INPUTS[1]]))
    assert (together[1:2] - alone).abs().max() > 1e-4


def test_padding_of_replies_changes_no_gradient():
    model = a_model()
    grads = []
    for width in (0, 3):
        model.zero_grad()
        targets = torch.nn.functional.pad(torch.tensor([[5, 6, EOS], [7, EOS, PAD]]), (0, width))
        inputs = torch.nn.functional.pad(torch.tensor([[BOS, 5, 6], [BOS, 7, PAD]]), (0, width))
        sequence_loss(model(padded(ROWS[:2]), inputs), targets).backward()
        grads.append(model.embedding.weight.grad.clone())
    torch.testing.assert_close(grads[0], grads[1], atol=1e-6, rtol=1e-5)


def test_the_encoder_reads_in_both_directions():
    model = a_model()
    first, _ = model.read(torch.tensor([[5, 6, 7]]))
    changed_end, _ = model.read(torch.tensor([[5, 6, 8]]))
    changed_start, _ = model.read(torch.tensor([[8, 6, 7]]))
    assert (first.states[0, 0] - changed_end.states[0, 0]).abs().max() > 1e-5
    assert (first.states[0, 2] - changed_start.states[0, 2]).abs().max() > 1e-5


@pytest.mark.parametrize(("cell", "library"), [("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)])
@torch.no_grad()
def test_the_encoder_is_that_of_a_packed_sequence(cell, library):
    """PyTorch's own way to read rows of several lengths in both directions."""
    model = a_model(cell=cell)
    both = library(6, 5, bidirectional=True, batch_first=True)
    for name, value in model.forwards.state_dict().items():
        both.state_dict()[name].copy_(value)
        both.state_dict()[f"{name}_reverse"].copy_(model.backwards.state_dict()[name])
    lengths = torch.tensor([len(row) for row in ROWS])
    packed = pack_padded_sequence(
        model.embedding(padded(ROWS)), lengths, batch_first=True, enforce_sorted=False
    )
    outputs, last = both(packed)
    last = last[0] if cell == "lstm" else last
    expected, _ = pad_packed_sequence(outputs, batch_first=True)
    source, state = model.read(padded(ROWS))
    torch.testing.assert_close(source.states * source.mask[:, :, None], expected)
    torch.testing.assert_close(state.hidden, torch.tanh(model.start(torch.cat((last[0], last[1]), -1))))


def test_turning_reverses_what_is_read_and_leaves_the_padding():
    rows = torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [0.0]]])
    found = turned(rows, torch.tensor([3, 2]))
    assert found.squeeze(-1).tolist() == [[3, 2, 1], [5, 4, 0]]
    assert torch.equal(turned(found, torch.tensor([3, 2])), rows)


def test_a_batch_holds_little_padding():
    """What is in one batch is of about the same length on both sides: much less padding than in batches at random."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(1, 31, size=(3_000, 2)).tolist()
    dialogues = [Dialogue((Exchange("a" * said, "b" * reply),), "en") for said, reply in lengths]
    tokenizer = CharTokenizer.from_text("ab", byte_fallback=True)
    batches = PairBatches(dialogues, Vocabulary.of(["ab"], tokenizer), 20, 0)
    drawn = [batches(step) for step in range(batches.steps_per_epoch)]
    assert sum(len(batch.source) for batch in drawn) == len(batches.rows)
    for field in ("source", "targets"):
        values = [getattr(batch, field) for batch in drawn]
        padding = sum(int((value == PAD).sum()) for value in values) / sum(value.numel() for value in values)
        assert padding < 0.25, field  # of batches at random nearly a half


def test_copies_of_one_dialogue_do_not_stand_in_one_batch():
    """Every epoch sees each exchange once, in other batches than the epoch before; copies are spread among them."""
    dialogues = [Dialogue((Exchange("a" * n, "b" * n),), "en") for n in range(11, 19) for _ in range(50)]
    tokenizer = CharTokenizer.from_text("ab", byte_fallback=True)
    batches = PairBatches(dialogues, Vocabulary.of(["ab"], tokenizer), 20, 0)
    epochs = [[batches(e * 20 + step).targets for step in range(20)] for e in range(2)]
    lengths = [[(batch != PAD).sum(1).tolist() for batch in epoch] for epoch in epochs]
    for epoch in lengths:
        assert sorted(length for batch in epoch for length in batch) == [
            n + 2 for n in range(11, 19) for _ in range(50)
        ]
        assert np.mean([len(set(batch)) for batch in epoch]) > 2.5
    assert sorted(map(sorted, lengths[0])) != sorted(map(sorted, lengths[1]))
    assert torch.equal(batches(7).targets, epochs[0][7])  # going back gives the same batch


def test_nothing_to_read_is_refused():
    with pytest.raises(LabkitError, match="holds no token"):
        a_model().read(torch.tensor([[PAD, PAD]]))


@pytest.mark.parametrize(
    ("field", "value"),
    [("attention", "dot"), ("cell", "rnn"), ("hidden_size", 0), ("vocab_size", True), ("dropout", 1.0)],
)
def test_wrong_configurations_are_refused_by_the_field(field, value):
    with pytest.raises(LabkitError, match=field):
        Seq2SeqConfig(**{"vocab_size": 10, field: value})


# --- Decoding --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("attention", "cell"), list(itertools.product(ATTENTIONS, ("gru", "lstm"))))
@torch.no_grad()
def test_stepping_gives_the_logits_of_teacher_forcing(attention, cell):
    model = a_model(attention, cell)
    expected = model(padded(ROWS), torch.tensor(INPUTS))
    source, state = model.read(padded(ROWS))
    for place in range(3):
        logits, state = model.step(torch.tensor(INPUTS)[:, place], state, source)
        torch.testing.assert_close(logits, expected[:, place])


@torch.no_grad()
def test_beams_find_what_trying_everything_finds():
    """Of all replies of up to three tokens the likeliest for its length, by going through them one by one."""
    model = a_model("additive", vocab_size=8, seed=3)
    with torch.no_grad():
        model.bias[EOS] += 1.0
    model.embedding.weight.data.mul_(4)
    read = [5, 6, 7]
    best, best_score = None, -math.inf
    for length in range(4):
        for reply in itertools.product(range(4, 8), repeat=length):
            tokens = [*reply, EOS]
            if length == 3:
                tokens = list(reply)  # cut off at the limit
            logits = model(torch.tensor([read]), torch.tensor([[BOS, *tokens[:-1]]]))[0]
            logits[:, [0, 1, 3]] = -torch.inf
            score = logits.log_softmax(-1)[range(len(tokens)), tokens].sum().item() / len(tokens)
            if score > best_score:
                best, best_score = list(reply), score
    found = beam_search(Seq2SeqDecoder(model), [read], 3, 8, 1.0, (EOS,))[0]
    assert found == best


# --- Training and talking --------------------------------------------------------------------------------------

TOY = [
    Dialogue((Exchange("ab", "ba."), Exchange("c?", "yes c.")), "en"),
    Dialogue((Exchange("cd", "dc."), Exchange("c?", "no.")), "en"),
    Dialogue((Exchange("ef", "fe."),), "en"),
]


@pytest.fixture(scope="module")
def bot() -> Chatbot:
    tokenizer = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .?", byte_fallback=True)
    found, _ = train_chatbot(
        TOY, tokenizer, steps=150, batch_size=5, learning_rate=0.02, embedding_size=16, hidden_size=24, dropout=0.0,
        progress=False,
    )  # fmt: skip
    return found


def test_it_learns_what_can_only_be_known_from_the_turn_before(bot):
    """A second for the training: "c?" has two answers, which the exchange before it decides."""
    assert bot.reply("ab").text == "ba."
    assert bot.reply("c?", [("ab", "ba.")]).text == "yes c."
    assert bot.reply("c?", [("cd", "dc.")]).text == "no."
    assert bot.reply_all([["ef"], ["ab", "ba.", "c?"]]) == ["fe.", "yes c."]
    assert held_out_loss(bot, TOY) < 0.1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("你好吗", "strange"),
        ("😀😀😀", "strange"),
        ("\u202e\u0000", "strange"),
    ],
)
def test_any_input_gets_a_reply(bot, said, reason):
    reply = bot.reply(said)
    assert reply.reason == reason
    assert reply.text


def test_a_very_long_turn_is_answered_too(bot):
    assert bot.reply("ab " * 10_000).text
    with pytest.raises(LabkitError, match="Give a text"):
        bot.reply(None)


def test_it_says_when_it_does_not_know(bot, monkeypatch):
    assert bot.reply("ab").reason == ""
    monkeypatch.setattr("labkit.dialogue.chat.DOUBT_LIMIT", 0.1)  # above any log p
    doubtful = bot.reply("ab")
    assert (doubtful.reason, doubtful.attention) == ("doubt", ())
    assert bot.reply("ab", doubt=False).text == "ba."


def test_the_attention_map_has_a_row_for_each_token_written(bot):
    reply = bot.reply("c?", [("ab", "ba.")])
    assert len(reply.attention) == len(reply.written)
    assert all(
        len(row) == len(reply.read) and sum(row) == pytest.approx(1, abs=1e-4) for row in reply.attention
    )
    assert "/" in reply.read  # the separator between turns
    assert -1 < reply.confidence <= 0


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    tokenizer = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .?", byte_fallback=True)
    vocabulary = Vocabulary.of(["ab ba. c? yes no cd dc ef fe"], tokenizer)

    def run(steps: list[int]) -> torch.Tensor:
        for number in steps:
            torch.manual_seed(0)
            task = Seq2SeqTask(a_model(vocab_size=vocabulary.size), 0.01, 8)
            batches = PairBatches(TOY, vocabulary, 2, 1)
            folder = tmp_path / str(len(steps))
            stop = None if number == 8 else number

            def halt(step, figures, stop=stop):
                if step == stop:
                    raise KeyboardInterrupt

            try:
                fit(task, batches, 8, checkpoint=folder, checkpoint_every=1, callbacks=[halt], progress=False)
            except KeyboardInterrupt:
                continue
        return task.model.embedding.weight.detach()

    assert torch.equal(run([8]), run([5, 8]))


def test_pairs_hold_the_history_and_the_shifted_reply():
    tokenizer = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .?", byte_fallback=True)
    vocabulary = Vocabulary.of(["ab ba. c? yes no cd dc ef fe"], tokenizer)
    assert history_of(TOY[0], 1, 0) == ["c?"]
    assert history_of(TOY[0], 1, 3) == ["ab", "ba.", "c?"]
    batch = PairBatches(TOY[:1], vocabulary, 2, 1).batch([1])
    assert batch.source[0].tolist() == read_ids(["ab", "ba.", "c?"], vocabulary)
    assert batch.inputs[0].tolist()[1:] == batch.targets[0].tolist()[:-1]
    assert batch.targets[0, -1] == EOS
    assert vocabulary.decode(batch.targets[0].tolist()) == "yes c."
    with pytest.raises(LabkitError, match="memory"):
        PairBatches(TOY, vocabulary, 2, -1)


# --- Baselines and measures ------------------------------------------------------------------------------------


def test_the_most_common_reply_and_the_most_similar_turn():
    dialogues = [
        Dialogue((Exchange("where is the bank?", "In Mill Lane."),), "en"),
        Dialogue((Exchange("where is the park?", "Far away."),), "en"),
        Dialogue((Exchange("how is the park?", "Far away."),), "en"),
    ]
    assert MostCommonReply(dialogues).reply_all([["x"], ["y"]]) == ["Far away."] * 2
    assert Retrieval(dialogues).reply_all([["tell me where the bank is"], ["zzz"]])[0] == "In Mill Lane."


def test_retrieval_remembers_the_turn_before():
    dialogues = [
        Dialogue((Exchange("the bank", "ok"), Exchange("when?", "At nine.")), "en"),
        Dialogue((Exchange("the park", "ok"), Exchange("when?", "At ten.")), "en"),
    ]
    histories = [["the bank", "ok", "when?"], ["the park", "ok", "when?"]]
    assert Retrieval(dialogues, memory=1).reply_all(histories) == ["At nine.", "At ten."]
    assert len(set(Retrieval(dialogues, memory=0).reply_all(histories))) == 1


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("Tom Reed is 66 years old.", True),
        ("He is 66.", True),
        ("Tom Reed is 67 years old.", False),
        ("He is 66 or 67.", False),
        ("He is 166.", False),
        ("", False),
    ],
)
def test_right_facts(reply, right):
    assert is_right(reply, Exchange("How old is Tom Reed?", "", (("years", 66),)), "en") == right


def test_right_facts_of_a_list_and_in_chinese():
    both = Exchange("Who works there?", "", (("person", "tom_reed"), ("person", "lucy_hart")))
    assert is_right("Tom Reed and Lucy Hart work there.", both, "en")
    assert not is_right("Tom Reed works there.", both, "en")
    hours = Exchange("几点开门？", "", (("time", 480), ("time", 1230)))
    assert is_right("从早上八点开到晚上八点半。", hours, "zh")
    assert not is_right("从早上八点半开到晚上八点半。", hours, "zh")
    assert named("The tea house is in Willow Lane.", "street", "en") == ["willow_lane"]


def test_bleu_and_chrf_are_those_of_sacrebleu():
    assert bleu_and_chrf(["He lives in Mill Lane."], ["He lives in Mill Lane."], "en") == pytest.approx(
        (100, 100)
    )
    bleu, chrf = bleu_and_chrf(["他住在磨坊巷。"], ["她住在磨坊巷。"], "zh")
    assert 40 < bleu < 100
    assert 20 < chrf < 100


def test_a_missing_library_is_said_plainly(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sacrebleu.metrics", None)
    monkeypatch.setitem(__import__("sys").modules, "sacrebleu", None)
    with pytest.raises(LabkitError, match="pip install sacrebleu"):
        bleu_and_chrf(["a"], ["a"], "en")


def test_an_evaluation_counts_facts_and_honesty(monkeypatch):
    monkeypatch.setattr("labkit.dialogue.measures.bleu_and_chrf", lambda *_: (1.0, 2.0))
    dialogue = Dialogue(
        (
            Exchange("How old is Tom Reed?", "He is 66.", (("years", 66),)),
            Exchange("Where does he live?", "In Bridge Street.", (("street", "bridge_street"),)),
            Exchange("Who is Bob?", "I do not know.", known=False),
        ),
        "en",
    )

    class System:
        def reply_all(self, histories):
            assert [len(turns) for turns in histories] == [1, 3, 3]
            return ["He is 66.", "In Mill Lane.", "I do not know."]

    scores = evaluate(System(), [dialogue], memory=1)
    np.testing.assert_array_equal(scores.right, [1, 0])
    np.testing.assert_array_equal(scores.honest, [1])
    assert (scores.bleu, scores.chrf) == (1.0, 2.0)
    assert 0 < scores.distinct_1 <= 1


def test_replies_without_words_are_scored_too():
    """A network that has hardly learned anything says nothing, or one sign."""
    dialogue = Dialogue((Exchange("How old is Tom Reed?", "He is 66.", (("years", 66),)),), "en")
    for reply in ("", "."):

        class System:
            def reply_all(self, histories, reply=reply):
                return [reply] * len(histories)

        scores = evaluate(System(), [dialogue], memory=1)
        assert (scores.distinct_2, float(scores.right.mean())) == (0.0, 0.0)


# --- Shipping --------------------------------------------------------------------------------------------------


def test_a_packed_chatbot_answers_as_before(bot):
    from labkit.dialogue.shipped import figures, pack, restore

    again = restore(pack(bot), bot.vocabulary.tokenizer)
    assert again.reply("c?", [("cd", "dc.")]).text == "no."
    assert (again.language, again.memory) == ("en", 1)
    assert figures(again, TOY)["loss"] == pytest.approx(held_out_loss(bot, TOY), abs=0.02)
    with pytest.raises(LabkitError, match="no description"):
        restore({}, bot.vocabulary.tokenizer)


def test_weights_that_are_not_there_are_said_plainly(tmp_path, monkeypatch):
    monkeypatch.setattr("labkit.weights.data_dir", lambda: tmp_path)
    from labkit.dialogue.shipped import load_chatbot

    with pytest.raises(LabkitError, match="labkit train town-chat-en"):
        load_chatbot("en")
    with pytest.raises(LabkitError, match="language is 'de'"):
        load_chatbot("de")


def test_training_writes_weights_with_their_card(tmp_path, monkeypatch):
    """A few seconds: the whole way on a small scale."""
    from labkit.dialogue import shipped

    for name, value in (("DIALOGUES", 30), ("STEPS", 2), ("TRIED", 8)):
        monkeypatch.setattr(shipped, name, value)
    tokenizer = shipped.load_town_tokenizer()
    monkeypatch.setattr(shipped, "load_town_tokenizer", lambda: tokenizer)
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    path = shipped.train_town_chat("zh")
    card = weights.read_card(path)
    assert card.command == "labkit train town-chat-zh"
    assert set(card.metrics) == {"right_facts", "loss"}
    assert shipped.load_chatbot("zh").reply("你好", doubt=False).text is not None


def test_what_is_said_is_read_alike_however_it_is_typed():
    """The reply in between keeps its sign and its capital; a turn of signs alone stays what it is."""
    tokenizer = CharTokenizer.from_text("abcdefghijklmnopqrstuvwxyz .?!HY", byte_fallback=True)
    vocabulary = Vocabulary.of(["hello Hello! Yes? ? ."], tokenizer)
    hello = read_ids(["hello"], vocabulary)
    assert all(read_ids([said], vocabulary) == hello for said in ("Hello", "Hello!", "hello.", " hello ?! "))
    assert read_ids(["Hello!", "Yes?", "Hello."], vocabulary) == [
        *hello, SEPARATOR, *vocabulary.encode("Yes?"), SEPARATOR, *hello,
    ]  # fmt: skip
    assert read_ids(["?"], vocabulary) == vocabulary.encode("?")
