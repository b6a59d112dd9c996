"""Names that people give to columns of texts, labels, parts and everything else."""

from __future__ import annotations

import re

from transfer.received.words import tokens

# In order: the first that is there, and holds what it says, counts.
TEXT = (
    "text", "texts", "sentence", "review", "review_text", "reviewtext", "review_body", "comment", "comment_text",
    "content", "body", "tweet", "message", "sms", "utterance", "document", "doc", "post", "article", "question",
    "query", "statement", "phrase", "feedback", "email", "mail", "transcript", "passage", "paragraph", "snippet",
    "description", "abstract", "summary", "headline", "title", "input", "prompt", "caption", "lyrics", "plot", "news",
    "satz", "kommentar", "bewertung", "nachricht", "inhalt", "texte", "phrase", "avis", "texto", "frase", "testo",
    "文本", "内容", "评论", "テキスト",
)  # fmt: skip
TITLES = ("title", "headline", "subject", "heading")
PAIRS = (
    ("premise", "hypothesis"), ("sentence1", "sentence2"), ("sentence_1", "sentence_2"), ("question1", "question2"),
    ("text1", "text2"), ("text_1", "text_2"), ("text_a", "text_b"), ("question", "sentence"), ("question", "passage"),
)  # fmt: skip
LABEL = (
    "label", "labels", "label_text", "label_name", "class", "classes", "class_name", "category", "categories",
    "sentiment", "target", "stars", "star_rating", "rating", "ratings", "score", "overall", "emotion", "intent",
    "topic", "polarity", "genre", "tag", "tags", "type", "gold_label", "gold", "y", "class_index", "class_id",
    "label_id", "category_id", "stance", "spam", "is_spam", "toxic", "hate", "is_toxic", "sarcastic", "is_sarcastic",
    "annotation", "language", "lang", "author", "klasse", "kategorie", "etikett", "stimmung", "sterne", "note",
    "clase", "etiqueta", "categoria", "classe", "sentimiento", "标签", "类别", "ラベル",
)  # fmt: skip
PARTS = ("split", "part", "set", "subset", "partition", "phase", "usage", "data_set", "dataset")
FLAGS = {"is_valid": "validation", "is_val": "validation", "is_validation": "validation", "is_test": "test"}
IDS = frozenset(
    {"id", "ids", "idx", "index", "uid", "uuid", "guid", "key", "url", "uri", "link", "path", "file", "filename",
     "filepath", "user", "username", "date", "time", "timestamp", "created", "email_address", "no", "nr"}
)  # fmt: skip


def word(cell: str) -> str:
    """A column's name with case and signs made alike."""
    return re.sub(r"[\W_]+", "_", cell.casefold()).strip("_")


def is_known(cell: str) -> bool:
    """Whether this is a usual name of a column."""
    name = word(cell)
    return name in _ALL or name in IDS or name in FLAGS


def named(header: tuple[str, ...], names: tuple[str, ...]) -> list[int]:
    """Places of columns with one of these names, the likeliest first; then those that end in one: ``tweet_text``."""
    words = [word(one) for one in header]
    found = [words.index(one) for one in names if one in words]
    last = [(tokens(one) or [""])[-1] for one in header]
    singles = {one: place for place, one in reversed(list(enumerate(names)))}
    ends = sorted((singles[one], place) for place, one in enumerate(last) if one in singles)
    return list(dict.fromkeys([*found, *(place for _, place in ends)]))


def is_id(cell: str) -> bool:
    """Whether a column's name says that it identifies its row, or tells where something is."""
    return word(cell) in IDS or bool(set(tokens(cell)[-1:]) & IDS)


_ALL = frozenset((*TEXT, *LABEL, *PARTS, "name"))
