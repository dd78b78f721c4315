"""Nothing that others wrote moves, colours, reorders or forges anything in the terminal."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from rich.text import Text

from chassis.api.text import NOT_ONE_LINE
from rapport.customer.v1 import customer_pb2, identifier_pb2, timeline_pb2, view_pb2
from rapport.operations.v1 import operations_pb2
from rapport_tools.cli import dead_letters, output, view_page
from rapport_tools.cli.main import build, run
from rapport_tools.cli.tailing import line as event_line
from rapport_tools.cli.terminal import Terminal
from rapport_tools.cli.traces import draw
from rapport_tools.local.home import Home
from rapport_tools.local.mail import Mailbox
from rapport_tools.local.spans import StoredSpan

HOSTILE = [
    "\x1b[2J\x1b[31m", "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\", "\x07", "\x08\x08", "\r",
    "\x9b31m",
    "\x7f", "\u202e", "\u202d", "\u2066", "\u2069", "\u2028", "\u2029", "\ufffe", "\U000e0041",
    "\n2026-01-01 00:00  FORGED",
    "[link=http://evil.example]x[/link]",
]  # fmt: skip
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def listing(text: str) -> None:
    output.listing([{"a": text, "b": [text]}], ["a", "b"], as_json=False, empty="")


def listing_json(text: str) -> None:
    output.listing([{"a": text, "b": [text]}], ["a"], as_json=True, empty="")


def waterfall(text: str) -> None:
    draw([StoredSpan("t", "s", "", text, text, NOW, 1.0, True, resources=[text])])


def view(text: str) -> None:
    entry = timeline_pb2.TimelineEntry(event_type=text, actor=text, summary=text, resource="cases/1")
    part = view_pb2.CasePart(topic=text, owner=text, case=text)
    found = view_pb2.CustomerView(
        display_name=text,
        customer=text,
        latest_timeline_entries=[entry],
        cases=[part],
        relationship_manager=text,
    )
    whom = customer_pb2.Customer(identifiers=[identifier_pb2.Identifier(value=text)])
    for width in (80, 200):
        Terminal().print(view_page.page(found, width, whom))


def event(text: str) -> None:
    message = Msg(None, f"events.{text}", "", b"\xff", {"ce-type": text})  # type: ignore[arg-type]
    output.write_lines([event_line(message, {}, as_json=False)])
    output.write_lines([event_line(message, {}, as_json=True)], as_json=True)


def letters(text: str) -> None:
    letter = operations_pb2.DeadLetter(
        name=text, subject=text, event_type=text, resource=text, error=text, reason=text, headers={text: text}
    )
    output.listing([dead_letters._row(letter)], dead_letters.COLUMNS, as_json=False, empty="")


def drawn(text: str) -> None:
    Terminal().print(Text(output.line(text)))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("write", [listing, listing_json, waterfall, view, event, letters, drawn])
def test_what_others_wrote_is_text_and_stays_in_its_line(
    capsys: pytest.CaptureFixture[str], write: Callable[[str], None], hostile: str
) -> None:
    write("ab")
    usual = capsys.readouterr().out
    write(f"a{hostile}b")
    written = capsys.readouterr().out
    assert not NOT_ONE_LINE.search(written.replace("\n", ""))
    assert [line for line in written.splitlines() if line.lstrip().startswith("2026-01-01")] == []
    if len(hostile) <= 2:  # what is longer may need another line of its column
        assert written.count("\n") == usual.count("\n")


@pytest.fixture
def rapport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    Home(tmp_path).create()

    def call(*args: str) -> str:
        monkeypatch.setattr("sys.argv", ["rapport", *args])
        run(build())
        written = capsys.readouterr()
        return written.out + written.err

    return call


def test_a_mail_says_how_its_html_is_looked_at_and_where_it_lies(
    rapport: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "mail").mkdir(exist_ok=True)
    mail = EmailMessage()
    mail.set_content("It comes tomorrow.")
    plain = Mailbox(tmp_path / "mail").keep(mail.as_bytes(), "", []).id
    mail.add_alternative("<p>It comes <b>tomorrow</b>.</p>", subtype="html")
    kept = Mailbox(tmp_path / "mail").keep(mail.as_bytes(), "", []).id
    shown = rapport("mail", "show", kept)
    assert "It comes tomorrow." in shown
    assert f"rapport mail show {kept} --html > mail.html" in shown
    assert (tmp_path / "mail" / f"{kept}.eml").is_file()
    assert str(tmp_path / "mail" / f"{kept}.eml") in shown
    assert rapport("mail", "show", kept, "--html").strip() == "<p>It comes <b>tomorrow</b>.</p>"
    assert "--html" not in rapport("mail", "show", plain)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_mail_is_shown_and_not_obeyed(rapport: Callable[..., str], tmp_path: Path, hostile: str) -> None:
    name = f"a{hostile}b".encode()
    header = name.replace(b"\n", b"\n ")
    head = b"From: x@example.com\nTo: %s <y@example.com>\nSubject: %s\n"
    content = head + b"Content-Type: text/plain; charset=utf-8\n\nHello\r\n%s\n"
    (tmp_path / "mail").mkdir(exist_ok=True)
    kept = Mailbox(tmp_path / "mail").keep(content % (header, header, name), "x@example.com", [name.decode()])
    for command in (["list"], ["show", kept.id]):
        written = rapport("mail", *command)
        assert not NOT_ONE_LINE.search(written.replace("\n", ""))
    assert "Hello\n" in written
    assert rapport("mail", "list").count("\n") == 2 or len(hostile) > 2


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_log_is_shown_and_not_obeyed(rapport: Callable[..., str], tmp_path: Path, hostile: str) -> None:
    entry = {"timestamp": "2026-03-02T09:00:00Z", "level": "info", "event": "x", "who": f"a{hostile}b"}
    raw = hostile.replace("\n", "").replace("\r", "")
    (tmp_path / "logs").mkdir(exist_ok=True)
    (tmp_path / "logs" / "cases.log").write_text(f"{json.dumps(entry, ensure_ascii=False)}\nplain {raw}\n")
    for options in ([], ["--json"]):
        written = rapport("logs", *options)
        assert not NOT_ONE_LINE.search(written.replace("\n", ""))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_json_that_is_escaped_says_the_same(capsys: pytest.CaptureFixture[str], hostile: str) -> None:
    output.write_json({"a": hostile, "ü": "ü"})
    written = capsys.readouterr().out
    assert not NOT_ONE_LINE.search(written.replace("\n", ""))
    assert json.loads(written) == {"a": hostile, "ü": "ü"}
    assert "ü" in written


def test_people_read_what_they_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    names = "Jürgen Müller, 山田太郎, \u0645\u062d\u0645\u062f, \u0639\u0644\u06cc\u200c\u0631\u0636\u0627, "
    names += "👩\u200d👩\u200d👧 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    output.say(f"{names}\n\tsecond line")
    assert capsys.readouterr().out == f"{names}\n\tsecond line\n"
    listing(names)
    assert names in capsys.readouterr().out


def test_a_name_is_one_word_for_whoever_reads_the_table_by_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    name = "services/cases/consumers/cases-notices/deadLetters/0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60" * 3
    output.listing([{"name": name, "error": "e" * 300}], ["name", "error"], as_json=False, empty="")
    assert capsys.readouterr().out.splitlines()[1].split() == [name, "e" * 300]
