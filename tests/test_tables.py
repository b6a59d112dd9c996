"""Tables of labels as people have them: separators, code pages, headers, names of files, several tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.trees import grow
from transfer.errors import RequestError
from transfer.pictures.folders import Listing, listing
from transfer.pictures.layout.typed import Corrections
from transfer.received.code_pages import encoding_of

EACH = 3
CLASSES = ("ant", "bee", "fly")
NAMES = [f"{name}{number}" for name in CLASSES for number in range(EACH)]
EVEN = {"train": dict.fromkeys(CLASSES, EACH)}


def counted(made: Listing) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for one in made.files:
        found.setdefault(one.part, Counter())[made.classes[one.label]] += 1
    return {part: dict(sorted(several.items())) for part, several in found.items()}


def rows(head: str, form: str, end: str = "\n") -> str:
    """A table of all pictures: the header, and ``form`` for each with its name, class and number."""
    lines = [form.format(name=one, label=one[:-1], number=CLASSES.index(one[:-1]), at=at)
             for at, one in enumerate(NAMES)]  # fmt: skip
    return end.join([*([head] if head else []), *lines, ""])


def insects(root: Path, place: str = "", ending: str = ".jpg") -> Path:
    return grow(root, *(f"{place}{one}{ending}" for one in NAMES))


# Name: where the pictures lie, what the table is called, and what it holds.
FORMS: dict[str, tuple[str, str, str | bytes]] = {
    "plain": ("", "labels.csv", rows("file,label", "{name}.jpg,{label}")),
    "any name": ("", "insects.csv", rows("filename,class", "{name}.jpg,{label}")),
    "semicolons, BOM, CRLF, quotes": (
        "", "labels.csv",
        b"\xef\xbb\xbf" + rows("file;label;weight", '"{name}.jpg";"{label}";"0,{at}"', "\r\n").encode(),
    ),
    "Excel's first line": ("", "labels.csv", rows("sep=;\nfile;label", "{name}.jpg;{label}")),
    "tabs": ("", "labels.tsv", rows("file\tlabel", "{name}.jpg\t{label}")),
    "tabs in a .csv": ("", "labels.csv", rows("file\tlabel", "{name}.jpg\t{label}")),
    "pipes": ("", "labels.csv", rows("file|label", "{name}.jpg|{label}")),
    "Unicode text of Excel": ("", "labels.txt", rows("file\tlabel", "{name}.jpg\t{label}", "\r\n").encode("utf-16")),
    "UTF-16 without a mark": ("", "labels.csv", rows("file,label", "{name}.jpg,{label}").encode("utf-16-le")),
    "old Macintosh lines": ("", "labels.csv", rows("file,label", "{name}.jpg,{label}", "\r")),
    "remarks and empty lines": (
        "", "labels.csv", "# made by hand\n\n" + rows("file,label", "{name}.jpg,{label}\n") + "\n,\n",
    ),
    "no header": ("", "labels.csv", rows("", "{name}.jpg,{label}")),
    "no header, blanks": ("", "list.txt", rows("", "{name}.jpg {label}")),
    "no header, label first": ("", "list.csv", rows("", "{label},{name}.jpg")),
    "blanks around": ("", "labels.csv", rows(" file , label ", " {name}.jpg ,  {label} ")),
    "ids without an ending": ("train/", "labels.csv", rows("id,breed", "{name},{label}")),
    "without the sub-folder": ("images/", "labels.csv", rows("filename,label", "{name}.jpg,{label}")),
    "back-slashes": ("in/here/", "labels.csv", rows("path,label", "in\\here\\{name}.jpg,{label}")),
    "encoded as in an address": ("my pics/", "labels.csv", rows("path,label", "my%20pics/{name}.jpg,{label}")),
    "another case": ("Images/", "labels.csv", rows("path,label", "images/{name}.JPG,{label}")),
    "a dot and a slash": ("", "labels.csv", rows("path,label", "./{name}.jpg,{label}")),
    "paths of another machine": ("pics/", "labels.csv", rows("path,label", "/home/ann/pics/{name}.jpg,{label}")),
    "paths of Windows": ("pics/", "labels.csv", rows("path,label", "D:\\data\\{name}.jpg,{label}")),
    "the table beside the folder": ("", "train/_classes.csv", ""),
    "other words": ("", "labels.csv", rows("image_id,species", "{name},{label}")),
    "words of other languages": ("", "labels.csv", rows("Datei;Klasse", "{name}.jpg;{label}")),
    "an index first": ("", "labels.csv", rows(",img,label", "{at},{name}.jpg,{label}")),
    "number and name": ("", "labels.csv", rows("file,label,label_name", "{name}.jpg,{number},{label}")),
    "unknown words": ("", "labels.csv", rows("foto,insect", "{name}.jpg,{label}")),
    "label before file": ("", "labels.csv", rows("label,file", "{label},{name}.jpg")),
    "further columns": ("", "labels.csv", rows("file,width,label,score", "{name}.jpg,640,{label},0.{at}5")),
    "one-hot": ("", "labels.csv", ""),
    "one-hot, as decimals": ("", "labels.csv", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_table_is_read_as_people_write_it(name: str, tmp_path: Path) -> None:
    place, table, text = FORMS[name]
    root = insects(tmp_path / "own", place)
    if name.startswith("one-hot"):
        one, zero = ("1.0", "0.0") if "decimals" in name else ("1", "0")
        lines = [",".join([f"{each}.jpg", *(one if each[:-1] == label else zero for label in CLASSES)])
                 for each in NAMES]  # fmt: skip
        text = "\n".join(["filename,ant,bee,fly", *lines])
    if name == "the table beside the folder":
        root = insects(tmp_path / "other", "train/")
        text = rows("filename,class", "{name}.jpg,{label}")
    (root / table).write_bytes(text if isinstance(text, bytes) else text.encode())
    made = listing(root)
    assert counted(made) == EVEN
    assert table.rpartition("/")[2] in " ".join(made.said)


def test_absolute_paths_inside_of_the_folder_are_read(tmp_path: Path) -> None:
    root = insects(tmp_path / "own", "pics/")
    (root / "labels.csv").write_text(rows("path,label", f"{root}/pics/{{name}}.jpg,{{label}}"))
    assert counted(listing(root)) == EVEN


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "cp932", "gbk", "cp1251", "utf-16"])
def test_a_table_in_a_code_page_gives_the_letters_that_were_meant(code: str, tmp_path: Path) -> None:
    words = {"cp932": ("ソース", "パン"), "gbk": ("猫", "狗"), "cp1251": ("кошка", "собака")}.get(code, ("Käse", "Öl"))
    root = grow(tmp_path / "own", "*6.jpg")
    lines = ["file,label", *(f"p{number}.jpg,{words[number % 2]}" for number in range(6))]
    (root / "labels.csv").write_bytes("\n".join(lines).encode(code))
    assert listing(root).classes == tuple(sorted(words))


def test_names_match_whatever_their_unicode_form(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "{cre\u0300me,the\u0301}_*3.jpg")  # as a Mac writes them
    lines = [f"{name}_p{number}.jpg,{name}" for name in ("cr\u00e8me", "th\u00e9") for number in range(3)]
    (root / "labels.csv").write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    assert counted(listing(root)) == {"train": {"cr\u00e8me": 3, "th\u00e9": 3}}
    mixed = "\n".join(["file,label", *lines, "extra.jpg,the\u0301"])
    grow(root, "extra.jpg")
    (root / "labels.csv").write_text(mixed, encoding="utf-8")
    assert counted(listing(root)) == {"train": {"cr\u00e8me": 3, "th\u00e9": 4}}, "one label in two forms is one class"


def test_what_a_row_lacks_is_said_line_by_line(tmp_path: Path) -> None:
    root = insects(tmp_path / "own")
    grow(root, "{a,b}/same.jpg", "stranger.jpg", "notes.doc")
    extra = ["gone.jpg,ant", "../out.jpg,ant", "/etc/x.jpg,ant", "ant0.jpg,", "same.jpg,ant", "ant1.jpg,bee",
             "notes.doc,ant"]  # fmt: skip
    (root / "labels.csv").write_text(rows("file,label", "{name}.jpg,{label}") + "\n" + "\n".join(extra))
    made = listing(root)
    assert counted(made) == EVEN
    assert [f"{name}: {why}" for name, why in made.left_out] == [
        "gone.jpg: named in line 12 of labels.csv, and not there",
        "../out.jpg: line 13 of labels.csv points out of the folder",
        "/etc/x.jpg: line 14 of labels.csv points out of the folder",
        "ant0.jpg: line 15 of labels.csv gives no label",
        "same.jpg: line 16 of labels.csv could mean 2 files: a/same.jpg, b/same.jpg",
        "ant1.jpg: named twice in labels.csv, with another label or part",
        "notes.doc: not a picture, judging by its extension",
        "3 pictures: not named in labels.csv",
    ]


def test_two_paths_that_end_alike_are_never_one_file(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "dog/*4.jpg", "cat/x*3.jpg")
    lines = [f"/x/{name}/p{number}.jpg,{name}" for number in range(4) for name in ("cat", "dog")]
    lines += [f"/x/cat/xp{number}.jpg,cat" for number in range(3)]
    (root / "labels.csv").write_text("\n".join(["path,label", *lines]))
    assert counted(listing(root)) == {"train": {"cat": 3, "dog": 4}}, "cat/p0.jpg is not dog/p0.jpg"


def test_numbers_get_the_names_of_a_list(tmp_path: Path) -> None:
    root = insects(tmp_path / "own")
    (root / "labels.csv").write_text(rows("file,label", "{name}.jpg,{number}"))
    assert listing(root).classes == ("0", "1", "2")
    for text in ("\n".join(CLASSES), "0 ant\n1 bee\n2 fly\n", "0: ant\n1: bee\n2: fly"):
        (root / "classes.txt").write_text(text)
        assert listing(root).classes == CLASSES
    (root / "classes.txt").write_text("ant\nbee")  # too short for a label 2
    assert listing(root).classes == ("0", "1", "2")


def test_more_than_one_label_is_refused_with_the_first_lines(tmp_path: Path) -> None:
    root = insects(tmp_path / "own")
    (root / "labels.csv").write_text(rows("file,red,big,new", "{name}.jpg,1,1,0"))
    with pytest.raises(RequestError, match=r"more than one class.*line 2: red, big; line 3: red, big"):
        listing(root)


def test_the_parts_of_a_table(tmp_path: Path) -> None:
    root = insects(tmp_path / "own")
    for head, words in (("split", ("train", "TESTING", "dev")), ("Subset", ("Training", "holdout", "val"))):
        lines = [f"{one}.jpg,{one[:-1]},{words[int(one[-1])]}" for one in NAMES]
        (root / "labels.csv").write_text("\n".join([f"file,label,{head}", *lines]))
        one_each = dict.fromkeys(CLASSES, 1)
        assert counted(listing(root)) == {"train": one_each, "test": one_each, "validation": one_each}
    lines = [f"{one}.jpg,{one[:-1]},{one[-1] == '2'}" for one in NAMES]
    (root / "labels.csv").write_text("\n".join(["file,label,is_valid", *lines]))
    assert counted(listing(root)) == {"train": dict.fromkeys(CLASSES, 2), "validation": dict.fromkeys(CLASSES, 1)}
    lines = [f"{one}.jpg,{one[:-1]},train" for one in NAMES]
    grow(root, "more.jpg")
    lines.insert(2, "more.jpg,ant,trian")
    (root / "labels.csv").write_text("\n".join(["file,label,split", *lines]))
    assert [why for _, why in listing(root).left_out][0] == "line 4 of labels.csv: the part is none of train, " \
        "validation, test"  # fmt: skip


def test_pictures_in_a_folder_for_test_are_never_trained_on(tmp_path: Path) -> None:
    root = grow(tmp_path / "own", "train/{a,b}*3.jpg", "test/{a,b}x*2.jpg")
    lines = [f"{path.relative_to(root).as_posix()},{path.name[0]}" for path in sorted(root.rglob("*.jpg"))]
    (root / "labels.csv").write_text("\n".join(["file,label", *lines]))
    assert counted(listing(root)) == {"train": {"a": 3, "b": 3}, "test": {"a": 2, "b": 2}}


def test_of_several_tables_the_one_that_fits_is_taken_and_said(tmp_path: Path) -> None:
    root = insects(tmp_path / "own", "train/")
    grow(root, "test/*4.jpg")
    (root / "train.csv").write_text(rows("filename,label", "{name}.jpg,{label}"))
    (root / "sample_submission.csv").write_text("filename,label\np0.jpg,ant\np1.jpg,ant\n")
    (root / "test.csv").write_text("filename\np0.jpg\np1.jpg\n")
    made = listing(root)
    assert counted(made) == EVEN
    said = " ".join(made.said)
    for words in ("Labels come from train.csv, columns filename and label.", "sample_submission.csv was left out",
                  "test.csv was left out", "4 pictures are not named there"):  # fmt: skip
        assert words in said


@pytest.mark.parametrize("names", [("train.csv", "val.csv", "test.csv"), ("labels_train.csv", "labels_dev.csv",
                                   "labels_test.csv"), ("train/_c.csv", "valid/_c.csv", "test/_c.csv")])  # fmt: skip
def test_tables_that_are_each_a_part(names: tuple[str, ...], tmp_path: Path) -> None:
    root = tmp_path / "own"
    inside = "/" in names[0]
    for number, name in enumerate(names):
        place = name.rpartition("/")[0] + "/" if inside else ""
        insects_here = [one for one in NAMES if int(one[-1]) == number]
        grow(root, *(f"{place}{one}.jpg" for one in insects_here))
        (root / name).write_text("\n".join(["filename,class", *(f"{one}.jpg,{one[:-1]}" for one in insects_here)]))
    one_each = dict.fromkeys(CLASSES, 1)
    assert counted(listing(root)) == {"train": one_each, "validation": one_each, "test": one_each}


def test_tables_that_leave_it_open_are_asked_for(tmp_path: Path) -> None:
    root = insects(tmp_path / "own")
    (root / "one.csv").write_text(rows("file,label", "{name}.jpg,{label}"))
    (root / "two.csv").write_text(rows("file,label", "{name}.jpg,x{number}"))
    with pytest.raises(RequestError, match=r"Several tables fit .*one\.csv, two\.csv"):
        listing(root)
    assert listing(root, Corrections(table="two.csv")).classes == ("x0", "x1", "x2")
    with pytest.raises(RequestError, match=r"three\.csv gives no labels"):
        listing(root, Corrections(table="three.csv"))
    (root / "two.csv").unlink()
    (root / "one.csv").rename(root / "test.csv")
    with pytest.raises(RequestError, match="No table is for training"):
        listing(root)
    assert counted(listing(root, Corrections(parts={"test.csv": "train"}))) == EVEN
    (root / "test.csv").write_text(rows("file,colour,size", "{name}.jpg,{label},{number}s"))
    assert counted(listing(root, Corrections(table="test.csv", label_column="colour", parts={"test.csv": "train"})))
    (root / "test.csv").rename(root / "x.csv")
    two = Corrections(table="x.csv", label_column="3", file_column="file")
    assert listing(root, two).classes == ("0s", "1s", "2s")
    with pytest.raises(RequestError, match="no column 'shape': it has file, colour, size"):
        listing(root, Corrections(table="x.csv", label_column="shape"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("labels.csv", b"PK\x03\x04xl/workbook", "Excel or OpenDocument.*|no labelled"),
        ("labels.csv", b"", "no labelled pictures"),
        ("labels.csv", b"file\nant0.jpg\n", "labels.csv: it has no two columns"),
        ("labels.csv", b"file,label\nx.jpg,a\ny.jpg,b\n", "none of its columns names files.*line 2: 'x.jpg'"),
        ("labels.csv", b"file,a,b\nant0.jpg,p,q\nant1.jpg,r,s\nant2.jpg,p,s\nbee0.jpg,r,q\n", "several of its columns"),
        ("labels.xlsx", b"PK\x03\x04", "labels.xlsx is not read.*labels.csv"),
        ("labels.json", b'{"ant0.jpg": "ant"}', "labels.json is not read.*labels.csv"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    root = insects(tmp_path / "own")
    (root / name).write_bytes(content)
    with pytest.raises(RequestError, match=words) as refused:
        listing(root)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(
    ("code", "names"),
    [("cp932", ("表/写真0", "裏/写真1")), ("cp932", ("ソース", "ソーダ", "パン")), ("gb18030", ("猫", "狗")),
     ("big5", ("貓", "狗")), ("cp1252", ("café", "thé")), ("cp437", ("Käse", "Öl")), ("cp1251", ("кошка", "собака")),
     ("cp866", ("кошка", "собака")), ("cp1253", ("γάτα", "σκύλος")), ("utf-8", ("Käse", "猫"))],
)  # fmt: skip
def test_letters_are_found_out_of_short_names(code: str, names: tuple[str, ...]) -> None:
    joined = "\n".join(names)
    assert joined.encode(code).decode(encoding_of(joined.encode(code))) == joined


@pytest.mark.parametrize(
    ("lines", "tables", "classes"),
    [
        (("ham/images_part_1/{a,b}*3.jpg", "ham/images_part_2/{c}*3.jpg"),
         {"ham/metadata.csv": ("lesion_id,image_id,dx,age,sex,localization", "L{at},{stem},{label},3{at}.0,male,back")},
         ("a", "b", "c")),
        (("images/{a,b}*3.jpg",),
         {"train.csv": ("image_id,a,b", "{stem},{is_a},{is_b}"), "test.csv": ("image_id", "{stem}x"),
          "sample_submission.csv": ("image_id,a,b", "{stem}x,1,0")}, ("a", "b")),
        (("train/{a,b}*3.jpeg",), {"trainLabels.csv": ("image,level", "{stem},{label}")}, ("a", "b")),
        (("train_images/{a,b}*3.png",), {"train.csv": ("id_code,diagnosis", "{stem},{label}")}, ("a", "b")),
        (("train/{a,b}*3.jpg",), {"metadata.csv": ("file_name,text,label", "train/{name},words {at},{label}")},
         ("a", "b")),
    ],
)  # fmt: skip
def test_published_collections(
    lines: tuple[str, ...], tables: dict[str, tuple[str, str]], classes: tuple[str, ...], tmp_path: Path
) -> None:
    root = grow(tmp_path / "own", *lines)
    pictures = sorted(one.name for one in root.rglob("*.*"))
    for name, (head, form) in tables.items():
        said = [form.format(name=one, stem=one.rpartition(".")[0], label=one[0], at=at, is_a=int(one[0] == "a"),
                            is_b=int(one[0] == "b")) for at, one in enumerate(pictures)]  # fmt: skip
        (root / name).write_text("\n".join([head, *said]))
    assert counted(listing(root)) == {"train": dict.fromkeys(classes, 3)}
