"""What a dialogue system must beat: the reply to the most similar turn, and the most common reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from labkit.common import LabkitError
from labkit.dialogue.pairs import history_of
from labkit.dialogue.talks import Dialogue, turns_of

DECAY = 0.5  # of the weight of a turn for each one after it
AT_ONCE = 64  # histories: all at once would make a table of all of them by all turns of training


class MostCommonReply:
    """Always the reply that occurs most often in training; of equals the first."""

    def __init__(self, dialogues: Sequence[Dialogue]) -> None:
        replies = [dialogue.exchanges[place].reply for dialogue, place in turns_of(dialogues)]
        if not replies:
            raise LabkitError("There are no dialogues to learn from.")
        self.text = Counter(replies).most_common(1)[0][0]

    def reply_all(self, histories: Sequence[Sequence[str]]) -> list[str]:
        return [self.text] * len(histories)


class Retrieval:
    """The reply to the turn of the training dialogues that is most similar: TF-IDF of words, or hanzi, and their pairs.

    Of the ``memory`` exchanges before it the words count less, by ``DECAY`` for each turn.
    """

    def __init__(self, dialogues: Sequence[Dialogue], memory: int = 1) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.memory = memory
        turns = list(turns_of(dialogues))
        if not turns:
            raise LabkitError("There are no dialogues to learn from.")
        replies: dict[tuple[str, ...], str] = {}  # of what was said before word for word, the first reply
        for dialogue, place in turns:
            replies.setdefault(tuple(history_of(dialogue, place, memory)), dialogue.exchanges[place].reply)
        self.replies = list(replies.values())
        self.vectorizer = TfidfVectorizer(
            token_pattern=r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", ngram_range=(1, 2), sublinear_tf=True
        )
        self.vectorizer.fit([dialogue.exchanges[place].said for dialogue, place in turns])
        self.vectors = self._vectors(list(replies))

    def reply_all(self, histories: Sequence[Sequence[str]]) -> list[str]:
        """One reply for each list of turns, of which the last is to be answered."""
        found: list[str] = []
        for start in range(0, len(histories), AT_ONCE):
            similarity = self._vectors(histories[start : start + AT_ONCE]) @ self.vectors.T
            found += [self.replies[place] for place in similarity.toarray().argmax(axis=1)]
        return found

    def _vectors(self, histories: Sequence[Sequence[str]]):
        from sklearn.preprocessing import normalize

        depth = 2 * self.memory + 1
        texts = list(dict.fromkeys(["", *(turn for turns in histories for turn in turns[-depth:])]))
        places = {text: place for place, text in enumerate(texts)}
        each = self.vectorizer.transform(texts)  # a turn stands in several histories
        total = 0
        for back in range(depth):
            turns = [turns[-1 - back] if back < len(turns) else "" for turns in histories]
            total = total + DECAY**back * each[[places[text] for text in turns]]
        return normalize(total)
