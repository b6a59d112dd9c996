"""Which language a text is in, from two kinds of text: messages of programs, and names."""

from __future__ import annotations

from transfer.datasets import Dataset, Published
from transfer.datasets.shipped import shipped

_LANGUAGES = (
    "Czech",
    "Dutch",
    "English",
    "Finnish",
    "French",
    "German",
    "Hungarian",
    "Italian",
    "Polish",
    "Portuguese",
    "Spanish",
    "Swedish",
)


def _messages() -> Published:
    return shipped("language_messages", _LANGUAGES)


def _names() -> Published:
    return shipped("language_names", _LANGUAGES)


LANGUAGE_MESSAGES = Dataset(
    key="language_messages",
    title="Languages: messages",
    summary=(
        "3,624 messages of computer programs in twelve languages with Latin letters: the same 302 messages in each, so "
        "the subject does not tell the language; from Django and Wagtail."
    ),
    classes=_LANGUAGES,
    shape=(),
    count=3624,
    licence="BSD-3-Clause",
    reference="[Django](https://github.com/django/django), [Wagtail](https://github.com/wagtail/wagtail)",
    load=_messages,
    modality="text",
    kept=True,
    warning=(
        "All texts are about web pages and forms, and training and test set share phrases; other texts of these "
        "languages are recognised less well, as the data set of names shows."
    ),
)

LANGUAGE_NAMES = Dataset(
    key="language_names",
    title="Languages: names",
    summary=(
        "7,284 names of countries, currencies, languages and scripts in twelve languages, 607 each, none the same in "
        "two of them; from Unicode CLDR."
    ),
    classes=_LANGUAGES,
    shape=(),
    count=7284,
    licence="Unicode-3.0",
    reference="[Unicode CLDR](https://cldr.unicode.org)",
    load=_names,
    modality="text",
    kept=True,
    warning=(
        "Parts of names return in training and test set (dollar, peso), and names that languages share are left out, "
        "which makes the rest easier to tell apart than names are."
    ),
)
