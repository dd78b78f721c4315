"""`rapport mail`: what the local mail server received."""

from dataclasses import asdict

import typer

from rapport_imports.wording import line
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, listing, say, write_json
from rapport_tools.local.home import Home

app = typer.Typer(name="mail", no_args_is_help=True, help="Read what the local mail server received.")


@app.command("list")
def list_(as_json: bool = AsJson) -> None:
    """List the messages, newest first. A message handed in again is counted as a repeat, not listed twice."""
    from rapport_tools.local.mail import Mailbox

    rows = [asdict(mail) for mail in Mailbox(Home.current().mail).list()]
    columns = ["id", "received_at", "recipients", "subject", "repeats"]
    listing(rows, columns, as_json=as_json, empty="No mail yet.")


@app.command()
def show(
    id: str = typer.Argument(help="As `rapport mail list` shows it."),
    html: bool = typer.Option(False, "--html", help="Write its HTML alone, for a file that a browser opens."),
    as_json: bool = AsJson,
) -> None:
    """Show one message: its words, and where it lies as it came."""
    from rapport_tools.local.mail import Mailbox

    mailbox = Mailbox(Home.current().mail)
    mail = mailbox.find(id)
    if mail is None:
        raise Failure(f"There is no message {id}. See `rapport mail list`.", Exit.REFUSED)
    message = mailbox.message(id)
    if html and message.get_body(("html",)) is None:
        raise Failure(f"Message {id} has no HTML. See `rapport mail show {id}`.", Exit.REFUSED)
    body = message.get_body(("html",) if html else ("plain", "html"))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    if html:
        say(text)
        return
    if as_json:
        write_json(asdict(mail) | {"headers": dict(message.items()), "text": text})
        return
    for name in ("Date", "From", "To", "Subject", "Message-ID"):
        say(f"{name}: {line(str(message[name] or ''))}")
    say(f"\n{text}")
    if message.get_body(("html",)):
        say(f"As HTML, for a browser: rapport mail show {id} --html > mail.html")
    say(f"As it came: {mailbox.folder / id}.eml")
