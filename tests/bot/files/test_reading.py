"""What is read of a file, by its bytes, and what the person is told where it can't be."""

import codecs
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from bot.files.decoding import decoded
from bot.files.pdf import PdfReading
from bot.files.pictures import dimensions
from bot.files.reading import Reader
from bot.files.tables import table_of
from bot.model.file import Taken
from bot.redaction import Redactor
from tests.fakes import files

LIMIT = 2_000


async def read(content: bytes, name: str, mime: str = "", limit: int = LIMIT) -> Taken:
    return await Reader(Redactor(), limit, PdfReading()).read(content, name, mime)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"plain\r\nlines\r", "plain\nlines\n"),
        ("Grüße, 你好 👋".encode(), "Grüße, 你好 👋"),
        (codecs.BOM_UTF8 + "é".encode(), "é"),
        ("naïve\n".encode("utf-16"), "naïve\n"),
        (codecs.BOM_UTF16_BE + "naïve\n".encode("utf-16-be"), "naïve\n"),
        ("naïve\n".encode("utf-16-le"), "naïve\n"),
        ("naïve\n".encode("utf-32"), "naïve\n"),
        ("Café “Zürich” 5 €".encode("cp1252"), "Café “Zürich” 5 €"),
        ("Café\x81".encode("latin-1"), "Café\x81"),
    ],
)
def test_text_is_read_whatever_its_encoding(content: bytes, text: str) -> None:
    assert decoded(content) == text


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 8,
        b"\0\1\2\3" * 99,
        zlib.compress(b"x" * 999),
        b"\xff\xfe" + b"\0\xd8" * 50,
    ],
)
def test_what_is_no_text_is_not_taken_for_it(content: bytes) -> None:
    assert decoded(content) is None


@given(st.text())
def test_what_is_written_as_utf8_is_read_as_it_was(text: str) -> None:
    found = decoded(text.encode("utf-8", "surrogatepass"))
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").lstrip("\ufeff")
    # What looks like another encoding, or like no text, may be read so or refused.
    if text.isprintable() and not text.startswith("\ufeff"):
        assert found == plain


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.txt", "a.png", "", "a.pdf"]))
def test_no_bytes_break_the_reading(content: bytes, name: str) -> None:
    text = decoded(content)
    if text is not None:
        assert "\0" not in text and "\r" not in text
        table_of(text, name, "", 50)
    for magic in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X"):
        dimensions(magic + content)


@pytest.mark.parametrize(
    ("text", "name", "what"),
    [
        ("a,b\n1,2\n3,4\n", "t.csv", "CSV, 2 rows, 2 columns: a, b"),
        ("a;b\n1,5;2\n3;4\n", "t.csv", "CSV, separated by semicolons, 2 rows, 2 columns: a, b"),
        ("sep=;\na;b\n1;2\n", "t.csv", "CSV, separated by semicolons, 1 row, 2 columns: a, b"),
        ("a\tb\n1\t2\n", "t.tsv", "TSV, 1 row, 2 columns: a, b"),
        ("x|y\n1|2\n3|4\n", "t.csv", "table, 2 rows, 2 columns: x, y"),
        ('a,b\n"one, ""two""\nthree",4\n', "t.csv", "CSV, 1 row, 2 columns: a, b"),
        ("1,2\n3,4\n", "t.csv", "CSV, 2 rows, 2 columns, no line with their names"),
        ("word\nother\n", "t.csv", "CSV, 1 row, 1 column: word"),
        ("a,b\n1,2\n\n3,4,5\n", "t.csv", "CSV, 2 rows, 3 columns: a, b"),
        ('a,b\n1,"never closed\n' + "x,y\n" * 50_000, "t.csv", "CSV, 50,001 rows"),
        ("a\tb\n1\t2\n3\t4\n", "notes.txt", "TSV, 2 rows, 2 columns: a, b"),
        ("a\n" * 600_000, "t.csv", "CSV, more than 499,999 rows, 1 column: a"),
        ("," * 300_000, "t.csv", "text, 1 line"),
        ("\n" * 50 + "a", "t.csv", "CSV, 1 row, 1 column"),
        ("Well, yes.\nBut, no.\nSo, what?\n", "notes.txt", "text, 3 lines"),
        ("# Title\n", "README.md", "Markdown, 1 line"),
        ('{"a": 1}', "a.json", "JSON, 1 line"),
        ("print(1)\n", "a.py", "Python, 1 line"),
    ],
)
async def test_what_it_is_is_said_in_a_few_words(text: str, name: str, what: str) -> None:
    taken = await read(text.encode(), name)
    assert taken.kind == "text" and taken.what.startswith(what)


async def test_a_long_table_is_cut_between_rows() -> None:
    rows = "".join(f'{n},"two\nlines"\n' for n in range(1000))
    taken = await read(f"n,word\n{rows}".encode(), "long.csv")
    assert taken.what == "CSV, 1,000 rows, 2 columns: n, word"
    kept, note = taken.text.rsplit("\n", 1)
    assert len(kept) <= LIMIT and kept.endswith('"two\nlines"')
    shown = kept.count('"two')
    assert note == f"[cut here: this is the first {shown} of 1,000 rows]"
    assert taken.said == f"`long.csv` is long: I was given the first {shown} of 1,000 rows."


async def test_a_long_text_is_cut_at_a_line() -> None:
    taken = await read(b"a line of text\n" * 1000, "long.txt")
    assert "the first 1,995 of 15,000 characters" in taken.text
    one_line = await read(b"x" * 15_000, "long.txt")
    assert "the first 2,000 of 15,000 characters" in one_line.text


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (files.png(40, 30), "PNG image, 40 x 30"),
        (files.jpeg(640, 480), "JPEG image, 640 x 480"),
        (files.gif(5, 6), "GIF image, 5 x 6"),
        (files.webp(1200, 800), "WebP image, 1200 x 800"),
    ],
)
async def test_an_image_is_known_by_its_bytes_not_its_name(content: bytes, size: str) -> None:
    taken = await read(content, "notes.txt", "text/plain")
    assert taken.kind == "image" and taken.what == f"{size} pixels"
    assert taken.mime.startswith("image/")


async def test_text_is_text_whatever_its_name() -> None:
    taken = await read(b"only words", "photo.png", "image/png")
    assert (taken.kind, taken.text) == ("text", "only words")


def packed(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"\0" * 1_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.txt", "is empty"),
        (b" \n\t\n", "a.txt", "nothing in it but blanks"),
        (packed("word/document.xml"), "a.docx", "is a Word document, which I can't read: send it"),
        (packed("xl/workbook.xml"), "a.xlsx", "send the sheet as CSV"),
        (packed("a", "b"), "bomb.zip", "is an archive"),
        (packed("word/document.xml"), "a.txt", "is a Word document"),
        (b"\x1f\x8b\x08" + b"\0" * 99, "a.csv", "is an archive"),
        (b"OggS" + b"\0" * 99, "voice.ogg", "is a recording"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 99, "a.mp4", "is a video"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 99, "a.heic", "send it as PNG or JPEG"),
        (b"\x7fELF" + b"\0" * 99, "a", "is a program"),
        (bytes(range(256)), "a.xyz", "is a .xyz file that I can't read"),
        (files.png(60_000, 60_000), "a.png", "too large to look at (60,000 x 60,000 pixels)"),
        (files.png()[:20], "a.png", "is damaged"),
        (b"\xff\xd8\xff\xff" * 9, "a.jpg", "is damaged"),
        (b"%PDF-1.7\n" + b"rubbish " * 99, "a.pdf", "is damaged"),
        (files.pdf("", ""), "scan.pdf", "holds no text"),
    ],
)
async def test_what_can_t_be_read_is_said_with_what_to_send(
    content: bytes, name: str, said: str
) -> None:
    taken = await read(content, name)
    assert taken.kind == "refused" and not taken.text
    assert taken.said.startswith(f"`{name}` ") and said in taken.said and taken.said.endswith(".")


async def test_a_pdf_is_read_page_by_page() -> None:
    taken = await read(files.pdf("First page\nsecond line", "Last page"), "a.bin")
    assert (taken.kind, taken.what) == ("text", "PDF, 2 pages")
    assert taken.text.split() == [
        "[page",
        "1]",
        "First",
        "page",
        "second",
        "line",
        "[page",
        "2]",
        "Last",
        "page",
    ]
    long = await read(files.pdf(*["word " * 50] * 30), "long.pdf")
    assert len(long.text) < LIMIT + 100 and "page 1 to 8 of 30 pages" in long.said


async def test_a_pdf_without_a_password_of_its_reader_is_read() -> None:
    for password, kind in (("", "text"), ("secret", "refused")):
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(files.pdf("Hello there"))))
        writer.encrypt(password, "owner", algorithm="RC4-128")
        out = io.BytesIO()
        writer.write(out)
        taken = await read(out.getvalue(), "locked.pdf")
        assert taken.kind == kind
    assert "locked with a password" in taken.said


def bomb() -> bytes:
    """A hundred megabytes of nothing in a hundred kilobytes."""
    packer = zlib.compressobj(1)
    return b"".join([*(packer.compress(b"\0" * 1_000_000) for _ in range(100)), packer.flush()])


@pytest.mark.parametrize(
    "content",
    [
        files.pdf("x", stream=bomb()),
        files.pdf("x", kids="2 0 R"),
        files.pdf("x", kids="2 0 R 2 0 R 2 0 R"),
        files.pdf("x").replace(b"/Count 1", b"/Count 99999999"),
        files.pdf("x").replace(b"/Length ", b"/Length 99999999"),
        b"%PDF-1.7\n" + b"[" * 200_000,
        files.pdf("x", stream=zlib.compress(b"(" * 3_000_000)),
    ],
    ids=["deflated", "own child", "own children", "count", "length", "nested", "parentheses"],
)
async def test_a_pdf_made_to_harm_only_harms_itself(content: bytes) -> None:
    reading = PdfReading(seconds=5)
    taken = await Reader(Redactor(), LIMIT, reading).read(content, "bomb.pdf", "")
    assert taken.kind == "refused" or len(taken.text) <= LIMIT + 100


async def test_a_pdf_that_takes_too_long_is_given_up() -> None:
    reading = PdfReading(seconds=0.01)
    taken = await Reader(Redactor(), LIMIT, reading).read(files.pdf("x"), "slow.pdf", "")
    assert "takes too much work to read" in taken.said


async def test_secrets_in_files_go_no_further() -> None:
    taken = await read(b"name,value\nkey,sk-proj-abcdefghijklmnop1234\n", "env.csv")
    assert "abcdefghij" not in taken.text and "[redacted: key]" in taken.text
