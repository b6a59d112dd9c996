"""Files of texts as people have them: what is read, what is left out and why, and what is refused in words."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from transfer.errors import LabError, RequestError
from transfer.texts.files import columns, reading
from transfer.texts.files.finishing import MOST_TEXT, Found
from transfer.texts.files.typed import Choices

AB = ("a", "b")


def found(name: str, content: str | bytes, **chosen: object) -> Found:
    raw = content.encode() if isinstance(content, str) else content
    return reading.from_files({name: BytesIO(raw)}, Choices(**chosen))  # type: ignore[arg-type]


def several(files: dict[str, str]) -> Found:
    return reading.from_files({name: BytesIO(one.encode()) for name, one in files.items()}, Choices())


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def lines(count: int = 8, header: str = "text,label\n") -> str:
    return header + "".join(f"word {place},{AB[place % 2]}\n" for place in range(count))


def texts(one: Found, part: str = "train") -> list[str]:
    return list(one.texts[part])  # type: ignore[index]


def named(one: Found, part: str = "train") -> list[str]:
    return [one.classes[label] for label in one.labels[part]]  # type: ignore[index]


def refused(match: str, name: str, content: str | bytes, **chosen: object) -> str:
    with pytest.raises(RequestError, match=match) as problem:
        found(name, content, **chosen)
    assert problem.value.received is not None and problem.value.remedy
    return str(problem.value)


def test_excels_semicolons_in_windows_1252() -> None:
    rows = "".join(f"{['gut', 'schlecht'][n % 2]};Schöner Film {n}, süß;0{n + 1}.02.2024\r\n" for n in range(6))
    one = found("Filme.csv", ("sep=;\r\nBewertung;Text;Datum\r\n" + rows).encode("cp1252"))
    assert texts(one)[:2] == ["Schöner Film 0, süß", "Schöner Film 1, süß"]
    assert one.classes == ("gut", "schlecht") and named(one)[:2] == ["gut", "schlecht"]
    assert "Cells are separated by semicolons." in one.said
    assert "The file's encoding is Western European (Windows-1252)." in one.said


@pytest.mark.parametrize(
    ("encoding", "text", "said"),
    [
        ("latin-1", "costs £5 at the café", "Western European (Windows-1252)"),
        ("cp1252", "“a naïve façade” – 5 €", "Western European (Windows-1252)"),
        ("cp1250", "to był świetny film, żałuję że późno", "Central European (Windows-1250)"),
        ("cp1251", "хороший фильм, советую всем", "Cyrillic (Windows-1251)"),
        ("cp932", "とても良い映画でした", "Japanese (Shift-JIS)"),
        ("gb18030", "这部电影很好看", "Chinese (GBK)"),
        ("utf-16", "Größe 猫", "UTF-16"),
        ("utf-16-le", "plain text", "UTF-16"),
    ],
)
def test_the_encoding_is_found_and_said(encoding: str, text: str, said: str) -> None:
    rows = "".join(f"{text} {n},{AB[n % 2]}\n" for n in range(8))
    one = found("x.csv", ("text,label\n" + rows).encode(encoding).replace(b"~", b""))
    assert said in " ".join(one.said)
    assert texts(one)[0].replace('"', "").startswith(text.split(",")[0]) or "," in text


def test_tweets_with_quoted_newlines_and_emoji() -> None:
    rows = "".join(
        f"{570306133677760513 + n},{['neutral', 'positive', 'negative'][n % 3]},0.{n + 1}486,"
        f'{["Delta", "United"][n % 2]},"@Virgin {n} said 😀, ""ok""\nand left",2015-02-24 11:35:5{n % 10} -0800\n'
        for n in range(12)
    )
    one = found("tweets.csv", "\ufefftweet_id,airline_sentiment,confidence,airline,text,tweet_created\n" + rows)
    assert texts(one)[1] == '@Virgin 1 said 😀, "ok"\nand left'
    assert one.classes == ("negative", "neutral", "positive") and named(one)[:2] == ["neutral", "positive"]
    assert one.chosen == Choices(("text",), "airline_sentiment")


def test_tables_with_tabs_and_no_header() -> None:
    sst = found("train.tsv", "".join(f"it 's a \"charming {n} journey\t{n % 2}\n" for n in range(8)))
    assert texts(sst)[0] == "it 's a \"charming 0 journey" and named(sst)[:2] == ["0", "1"]
    rows = "".join(
        f"{['gj04', 'cj99', 'bc01'][n % 3]}\t{n % 2}\t{'' if n % 2 else '*'}\tOur friend {n} won't \"buy this.\n"
        for n in range(12)
    )
    cola = found("in_domain_train.tsv", rows)
    assert texts(cola)[1] == "Our friend 1 won't \"buy this." and named(cola)[:3] == ["0", "1", "0"]
    assert cola.chosen == Choices(("column 4",), "column 2")
    assert "The label could also be column 1." in cola.said
    sms = found("SMSSpamCollection", "".join(f"{['ham', 'spam'][n % 2]}\tCall {n}, now; free\n" for n in range(8)))
    assert texts(sms)[1] == "Call 1, now; free" and named(sms)[:2] == ["ham", "spam"]


def test_ag_news_has_its_title_and_description_joined() -> None:
    rows = "".join(
        f'"{n % 4 + 1}","Wall St. Bears {n} Back (Reuters)","Reuters - Short-sellers, {n} of \\band."\n'
        for n in range(16)
    )
    one = found("ag.csv", rows)
    assert texts(one)[0] == "Wall St. Bears 0 Back (Reuters)\nReuters - Short-sellers, 0 of \\band."
    assert one.classes == ("1", "2", "3", "4") and named(one)[5] == "2"
    one = found("ag.csv", "Class Index,Title,Description\n" + rows)
    assert one.chosen == Choices(("Title", "Description"), "Class Index") and len(one) == 16


def test_kaggles_spam_with_a_header_of_no_meaning() -> None:
    rows = "".join(f'{["ham", "spam"][n % 2]},"Go {n}, it costs £{n}",,,\r\n' for n in range(8))
    one = found("spam.csv", ("v1,v2,,,\r\n" + rows).encode("latin-1"))
    assert texts(one)[3] == "Go 3, it costs £3" and one.classes == ("ham", "spam")
    assert one.chosen == Choices(("v2",), "v1") and not one.left_out


def test_stars_are_classes_in_the_order_of_numbers() -> None:
    rows = "".join(f'B{n:05d},{n % 5 + 1}.0,A{n},"I bought {n} of these, fine",{n % 7}\n' for n in range(40))
    one = found("Reviews.csv", "ProductId,overall,reviewerID,reviewText,helpful\n" + rows)
    assert one.classes == ("1", "2", "3", "4", "5") and named(one)[:6] == ["1", "2", "3", "4", "5", "1"]
    assert one.chosen == Choices(("reviewText",), "overall")


def test_sentiment140_has_no_header_and_its_date_is_no_text() -> None:
    rows = "".join(
        f'"{n // 6 * 4}","{1467810369 + n}","Mon Apr 06 22:19:4{n % 10} PDT 2009","NO_QUERY","user{n}",'
        f'"@kenny {n} it costs £5"\n'
        for n in range(12)
    )
    one = found("training.1600000.processed.noemoticon.csv", rows.encode("latin-1"))
    assert texts(one)[3] == "@kenny 3 it costs £5" and one.classes == ("0", "4")


def test_half_stars_are_classes() -> None:
    rows = "".join(f"It was {n} times fine,{n % 4 / 2 + 1}\n" for n in range(16))
    assert found("x.csv", "review,rating\n" + rows).classes == ("1", "1.5", "2", "2.5")


def test_lines_above_the_table_are_left_out() -> None:
    one = found("x.csv", "Export of 2024;\n\n" + lines().replace(",", ";"))
    assert len(one) == 8
    assert one.left_out[0] == ("line 1", "a line above the table")


def test_names_of_classes_are_preferred_to_their_numbers() -> None:
    rows = "".join(f"word {n},{n % 2},{['sad', 'glad'][n % 2]}\n" for n in range(8))
    assert found("x.csv", "text,label,label_name\n" + rows).classes == ("glad", "sad")
    assert found("x.csv", "text,label,label_name\n" + rows, label="label").classes == ("0", "1")


def test_json_lines_and_lists() -> None:
    objects = [{"idx": n, "text": f"i feel {n} 😀", "label": n % 2} for n in range(6)]
    as_lines = "\n".join(map(json.dumps, objects))
    several_lists = {
        "x.jsonl": as_lines + '\n{"text": "torn", "lab\n[1]\n{"text": "no label"}\n{"text": "two", "label": [0, 1]}',
        "x.json": json.dumps(objects),
        "y.json": json.dumps({"version": "1", "data": objects}),
        "z.json": json.dumps({"text": [one["text"] for one in objects], "label": [one["label"] for one in objects]}),
        "lines.json": as_lines,
        "rows.json": json.dumps({"rows": [{"row_idx": 0, "row": one} for one in objects]}),
    }
    for name, content in several_lists.items():
        one = found(name, content)
        assert texts(one) == [f"i feel {n} 😀" for n in range(6)], name
        assert named(one) == ["0", "1", "0", "1", "0", "1"], name
    left = dict(found("x.jsonl", several_lists["x.jsonl"]).left_out)
    assert left.pop("line 7").startswith("not JSON")
    assert left == {"line 8": "no JSON object", "line 9": "no label", "line 10": "several labels"}
    yes = found("x.json", json.dumps([{"text": f"w {n}", "label": n % 2 == 0} for n in range(6)]))
    assert yes.classes == ("false", "true")


def test_halves_of_emoji_in_json_are_replaced_and_said() -> None:
    one = found("x.jsonl", "".join(f'{{"text": "cut {n} \\ud83d", "label": {n % 2}}}\n' for n in range(6)))
    assert texts(one)[0] == "cut 0 \ufffd" and "Broken characters were replaced in 6 texts." in one.said


def test_broken_rows_are_named_and_left_out() -> None:
    rows = lines() + '"a, b",a\nno label,\n,a\n" \u200b",b\nonly one\nx,y,z\n"odd\nlast,b\nw,nan\n'
    one = found("x.csv", rows)
    assert one.left_out == (
        ("line 11", "no label"),
        ("line 12", "no text"),
        ("line 13", "no text"),
        ("line 14", "1 of 2 columns"),
        ("line 15", "3 columns instead of 2: a text with the separator in it needs quotation marks"),
        ("line 16", "an unclosed quotation mark"),
        ("line 18", "no label (nan)"),
    )
    assert texts(one) == [*(f"word {n}" for n in range(8)), "a, b", "last"]
    assert one.said[-1].startswith(
        "7 rows were left out: line 11 (no label); lines 12, 13 (no text); line 14 (1 of 2 columns); "
    )


def test_a_quotation_mark_that_is_never_closed_costs_one_row() -> None:
    rows = (
        "".join(f'"word, {n}",{AB[n % 2]}\n' for n in range(900))
        + '"never,a\n'
        + "".join(f"more {n},{AB[n % 2]}\n" for n in range(50))
    )
    one = found("x.csv", "text,label\n" + rows)
    assert one.left_out == (("line 902", "an unclosed quotation mark"),) and len(one) == 950


def test_bytes_that_do_not_fit_cost_their_row_and_not_the_encoding() -> None:
    raw = ("text,label\n" + "".join(f"wörd {n},{AB[n % 2]}\n" for n in range(8))).encode() + b"bad \xff byte,a\n"
    one = found("x.csv", raw)
    assert one.left_out == (("line 10", "bytes that do not fit the file's encoding"),)
    assert texts(one)[0] == "wörd 0"


@pytest.mark.parametrize("newline", ["\r", "\r\n", "\n"])
def test_lines_end_as_they_like(newline: str) -> None:
    one = found("x.csv", (lines(6) + '"two\nlines",a\n').replace("\n", newline))
    assert texts(one) == [*(f"word {n}" for n in range(6)), "two\nlines"]


def test_odd_characters_stay_but_nuls() -> None:
    rows = "".join(f"wo\0rd {n} \u202eabc <b>bold</b> &amp;\u2028x,{AB[n % 2]}\n" for n in range(6))
    one = found("x.csv", "text,label\n" + rows)
    assert texts(one)[0] == "word 0 \u202eabc <b>bold</b> &amp;\u2028x"
    assert "NUL characters were removed from 6 texts." in one.said


def test_a_text_of_more_than_a_megabyte_is_cut() -> None:
    one = found("x.csv", lines() + "é" * 700_000 + ",a\n")
    assert len(texts(one)[-1].encode()) == MOST_TEXT and texts(one)[-1] == "é" * 500_000
    assert "1 text longer than 1 MB, cut there." in one.said


def test_long_words_take_no_long_time() -> None:
    one = found("x.csv", lines(header="what,which\n") + f"{'a1' * 200_000} b,a\n")
    assert len(one) == 9


def test_columns_of_one_name_and_of_none() -> None:
    rows = "".join(f"first {n},second {n},{n},{AB[n % 2]}\n" for n in range(6))
    one = found("x.csv", "text,text,,label\n" + rows)
    assert one.columns == ("text", "text (2)", "column 3", "label") and texts(one)[0] == "first 0"
    assert texts(found("x.csv", "text,text,,label\n" + rows, text=("text (2)",)))[0] == "second 0"
    assert texts(found("x.csv", "text,text,,label\n" + rows, text=("2", "1")))[0] == "second 0\nfirst 0"
    refused("no column 'nope'", "x.csv", "text,text,,label\n" + rows, label="nope")


def test_labels_that_differ_in_blanks_and_case_are_one_class() -> None:
    rows = "".join(f"word {n},{['Pos', ' pos', 'Pos', 'neg', 'NEG ', 'neg'][n % 6]}\n" for n in range(12))
    one = found("x.csv", "text,label\n" + rows)
    assert one.classes == ("Pos", "neg")
    assert "'Pos', 'pos' are read as one class: Pos." in one.said
    assert "'neg', 'NEG ' are read as one class: neg." in one.said


def test_copies_are_kept_once_and_contradictions_stay() -> None:
    one = found("x.csv", lines() + "word 1,b\nword 1,b\nword 2,b\n")
    assert texts(one) == [*(f"word {n}" for n in range(8)), "word 2"]
    assert "2 duplicates were left out." in one.said
    assert "1 text appears with different labels; all of these rows are kept." in one.said


def test_an_id_or_a_path_is_no_text() -> None:
    rows = "".join(
        f"user-{n:012d}-with-a-long-id,/data/very/long/path/to/{n}.txt,ok {n},{AB[n % 2]}\n" for n in range(8)
    )
    assert texts(found("x.csv", "key,where,said,is\n" + rows))[0] == "ok 0"
    refused("looks like text", "x.csv", "".join(f"/data/{n}.txt,{AB[n % 2]}\n" for n in range(8)))


def test_pairs_of_sentences_are_joined() -> None:
    rows = "".join(f"{n}\tA man {n} eats.\tSomebody {n} eats.\t{['entailment', 'neutral'][n % 2]}\n" for n in range(6))
    one = found("mnli.tsv", "index\tsentence1\tsentence2\tgold_label\n" + rows)
    assert texts(one)[0] == "A man 0 eats.\nSomebody 0 eats." and one.classes == ("entailment", "neutral")


def test_a_column_may_say_the_part() -> None:
    part = ["train", "train", "train", "dev", "test"]
    rows = "".join(f"word {n},{AB[n % 2]},{part[n % 5]}\n" for n in range(30)) + "odd,a,elsewhere\n"
    one = found("x.csv", "text,label,split\n" + rows)
    assert {name: len(several) for name, several in one.texts.items()} == {"train": 18, "validation": 6, "test": 6}
    assert one.left_out == (("line 32", "the part 'elsewhere' is unknown"),)
    assert len(found("x.csv", "text,label,split\n" + rows, split="none").texts["train"]) == 31
    flagged = "".join(f"word {n},{AB[n % 2]},{str(n % 5 == 0)}\n" for n in range(30))
    assert len(found("x.csv", "text,label,is_test\n" + flagged).texts["test"]) == 6


def test_tables_named_for_parts_become_them() -> None:
    one = several({"d/train.csv": lines(8), "d/valid.csv": lines(4), "d/test.csv": "text,label\nw 1,a\nw 2,b\n",
                   "d/readme.md": "x"})  # fmt: skip
    assert {name: len(mine) for name, mine in one.texts.items()} == {"train": 8, "validation": 4, "test": 2}
    assert one.left_out == (("d/readme.md", "not used"),)
    unlabelled = several({"train.tsv": lines(8).replace(",", "\t"), "test.tsv": "text\tlabel\nx y\t-1\nz z\t-1\n"})
    assert set(unlabelled.texts) == {"train"} and unlabelled.left_out == (("test.tsv", "every label in it is '-1'"),)
    glue = several(
        {
            "train.tsv": "sentence\tlabel\n" + "".join(f"a {n} b\t{n % 2}\n" for n in range(8)),
            "dev.tsv": "sentence\tlabel\nx y\t1\nz z\t0\n",
            "test.tsv": "index\tsentence\n0\tx z\n",
        }
    )
    assert {name: len(mine) for name, mine in glue.texts.items()} == {"train": 8, "validation": 2}
    assert glue.left_out == (("test.tsv", "test.tsv has no column 'label'"),)
    agree = several({"train.csv": "".join(f"{n % 2},some words {n},1\n" for n in range(8)) + "0,more,2\n",
                     "test.csv": "0,other words,1\n1,and more,1\n"})  # fmt: skip
    assert named(agree, "test") == ["0", "1"] and texts(agree, "test") == ["other words", "and more"]
    with pytest.raises(RequestError, match="several tables"):
        several({"one.csv": lines(), "two.csv": lines()})


IMDB: dict[str, str | bytes] = {
    **{f"aclImdb/{part}/{name}/{n}_{n}.txt": f"{part} {name} <br /> {n}"
       for part in ("train", "test") for name in ("pos", "neg") for n in range(3)},
    **{f"aclImdb/train/unsup/{n}_0.txt": f"x {n}" for n in range(5)},
    "aclImdb/imdb.vocab": "the", "aclImdb/README": "read", "aclImdb/train/labeledBow.feat": "1 0:9",
    "aclImdb/train/urls_pos.txt": "http://", "__MACOSX/aclImdb/train/pos/._0_0.txt": b"\0\5",
    "aclImdb/.DS_Store": b"\0",
}  # fmt: skip


def test_folders_by_class_below_train_and_test() -> None:
    one = found("aclImdb.zip", zipped(IMDB))
    assert one.classes == ("neg", "pos")
    assert texts(one) == [f"train {name} <br /> {n}" for name in ("neg", "pos") for n in range(3)]
    assert texts(one, "test")[0] == "test neg <br /> 0" and named(one, "test") == ["neg"] * 3 + ["pos"] * 3
    assert dict(one.left_out) == {
        "aclImdb/train/unsup/": "5 texts without a label",
        "aclImdb/README": "not in a class folder",
        "aclImdb/train/urls_pos.txt": "not in a class folder",
        "aclImdb/imdb.vocab": "not a text, judging by its ending .vocab",
        "aclImdb/train/labeledBow.feat": "not a text, judging by its ending .feat",
    }


def test_folders_by_class_alone_with_and_without_endings() -> None:
    files = {
        f"20news/{name}/{n}": f"{name} café {n}".encode("cp1252")
        for name in ("sci.med", "alt.atheism")
        for n in range(3)
    }
    files["20news/sci.med/49960"] = b"  \n"
    files["20news/sci.med/49961"] = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
    one = found("x.zip", zipped(files))  # type: ignore[arg-type]
    assert one.classes == ("alt.atheism", "sci.med") and texts(one)[0] == "alt.atheism café 0"
    assert dict(one.left_out) == {"20news/sci.med/49960": "no text", "20news/sci.med/49961": "a picture, not text"}
    assert "6 of the files are encoded as Western European (Windows-1252)." in one.said


def test_a_zip_in_a_folder_and_in_a_zip() -> None:
    inner = zipped({"train.csv": lines(8), "test.csv": lines(4)})
    one = reading.from_files({"d/inner.zip": BytesIO(inner), "d/notes.md": BytesIO(b"x")}, Choices())
    assert len(one.texts["test"]) == 4 and one.left_out == (("d/notes.md", "next to the archive, not used"),)
    assert "Read from d/inner.zip." in one.said
    refused("another archive", "outer.zip", zipped({"inner.zip": inner}))


def test_fasttext_lines() -> None:
    one = found("train.txt", "".join(f"__label__{AB[n % 2]} hello {n}, you\n" for n in range(6)))
    assert texts(one)[0] == "hello 0, you" and one.classes == AB


@pytest.mark.parametrize(
    ("match", "name", "content"),
    [
        ("is empty", "x.csv", b""),
        ("is empty", "x.csv", b" \r\n"),
        ("is empty", "x.zip", zipped({})),
        ("an Excel", "x.csv", zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "x"})),
        ("no file that can be read", "x.zip", zipped({"book.xlsx": "x", "other.xlsx": "x"})),
        ("an Excel", "book.xlsx", zipped({"[Content_Types].xml": "x"})),
        ("a gzip", "x.csv.gz", b"\x1f\x8b\x08" + bytes(30)),
        ("not a text file", "x.csv", bytes(range(256)) * 20),
        ("a picture", "x.csv", b"\x89PNG\r\n\x1a\n" + bytes(90)),
        ("only one class", "x.csv", "text,label\nx,a\ny,a\nz,a\n"),
        ("class 'c' .* too few", "x.csv", lines() + "rare,c\n"),
        ("looks like a label", "x.csv", "text\nhello\nworld\nmore\nthan\n"),
        ("looks like a label", "x.csv", "".join(f"some words {n}\n" for n in range(9))),
        ("looks like text", "x.csv", "a,b,c\n" + "".join(f"{n},{n * 2.5},{n % 2}\n" for n in range(9))),
        ("'label' has too many", "x.csv", "text,label\n" + "".join(f"t {n},why {n}\n" for n in range(1100))),
        ("measurements", "x.csv", "text,score\n" + "".join(f"t {n},0.{n + 1}37\n" for n in range(40))),
        ("not valid JSON", "x.json", "{'text': 1}"),
        ("no JSON objects", "x.jsonl", "nothing\nhere\n"),
        ("no list of JSON objects", "x.json", "12"),
        ("too many different keys", "x.json", json.dumps([{f"k{n}": 1 for n in range(600)}])),
        ("not valid JSON", "x.json", "[" * 100_000),
        ("cannot be read", "x.zip", zipped({"a.csv": lines()})[:-40]),
        ("points outside", "x.zip", zipped({"../a.csv": lines()})),
        ("suspicious size", "x.zip", zipped({"a.csv": bytes(30 * 2**20)})),
        ("no labelled texts", "x.zip", zipped({"a.png": "x", "b.png": "x"})),
        ("a PDF", "x.zip", zipped({"a.pdf": "%PDF-1.4"})),
        ("Unpack the archive", "x.zip", zipped({"a.tar": "x", "b.png": "x"})),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_is_refused_in_words(match: str, name: str, content: str | bytes) -> None:
    refused(match, name, content)


def test_too_few_texts_names_their_lines() -> None:
    assert "1 of at least 3 (line 10)" in refused("too few", "x.csv", lines() + "rare,c\n")


def test_as_many_classes_as_allowed() -> None:
    most = columns.MOST_CLASSES
    rows = "text,label\n" + "".join(f"t {n},c{n % most}\n" for n in range(3 * most))
    assert len(found("x.csv", rows).classes) == most


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    some.sampled_from(["x.csv", "x.tsv", "x.txt", "x.json", "x.jsonl", "x.zip", "x", "a/b.txt"]),
    some.one_of(
        some.binary(max_size=300),
        some.text(max_size=200).map(lambda one: one.encode("utf-8", "surrogatepass")),
        some.text(alphabet='ab1 ,;\t|"\n\r\\\0é{}[]:', max_size=200).map(str.encode),
        some.recursive(
            some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=5),
            lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=4), inner, max_size=4),
        ).map(lambda one: json.dumps(one).encode()),
        some.binary(max_size=60).map(lambda one: b"text,label\n" + one.join([b"a,b\n"] * 6)),
        some.binary(max_size=60).map(lambda one: zipped({"a/1.txt": one, "b/1.txt": b"x", "x.csv": one})),
        some.binary(max_size=60).map(lambda one: zipped({"a.csv": lines()})[:-30] + one),
    ),
)
def test_whatever_is_in_a_file_only_the_labs_own_errors_come(name: str, content: bytes) -> None:
    for make in (found, lambda *given: reading.columns_in_files({given[0]: BytesIO(given[1])})):
        with suppress(LabError):
            make(name, content)
