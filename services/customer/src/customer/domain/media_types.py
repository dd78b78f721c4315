"""What a file is, as its bytes say it, and what its name ends with: computers believe names.

Taken is what letters, mails, photographs and recordings are. A page and a program are not, nor is what may
have one inside: archives, and office documents with macros or of before 2007.
"""

import re
import zipfile
from io import BytesIO

# At the beginning of a file, or so many bytes behind it.
_MAGIC = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_PARTS = (
    ("word/document.xml", f"{_OFFICE}wordprocessingml.document"),
    ("xl/workbook.xml", f"{_OFFICE}spreadsheetml.sheet"),
    ("ppt/presentation.xml", f"{_OFFICE}presentationml.presentation"),
)
_OPEN_DOCUMENT = re.compile(rb"application/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation)")
# What the name of each may end with, in lower-case letters: the first is added where it does not.
_ENDINGS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/tiff": (".tif", ".tiff"),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "audio/mpeg": (".mp3",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/wav": (".wav",),
    "audio/mp4": (".m4a",),
    "video/mp4": (".mp4", ".m4v", ".mov", ".3gp"),
    f"{_OFFICE}wordprocessingml.document": (".docx",),
    f"{_OFFICE}spreadsheetml.sheet": (".xlsx",),
    f"{_OFFICE}presentationml.presentation": (".pptx",),
    "application/vnd.oasis.opendocument.text": (".odt",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    "application/vnd.oasis.opendocument.presentation": (".odp",),
    "message/rfc822": (".eml",),
    "text/plain": (".txt", ".text", ".csv", ".md", ".log"),
}
_TYPES = "[Content_Types].xml"  # of an office document: what each of its parts is, whatever that is called
_TYPES_MAX_BYTES = 1_000_000
_MACROS = re.compile(rb"macroEnabled|vbaProject", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|script|svg|iframe|\?xml|\?php)\b", re.IGNORECASE)
_MAIL = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_LOOKED_AT = 4096  # characters of a text: who reads it as a page finds it to be one there
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def media_type(content: bytes) -> str:
    """What a file is; "" for what is not taken."""
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    for at, magic, found in _MAGIC:
        if content.startswith(magic, at):
            return found
    return _text(content)


def named(name: str, media_type: str, most: int) -> str:
    """A name of at most so many characters that ends as what is of that type does."""
    first, *others = _ENDINGS[media_type]
    if name.lower().endswith((first, *others)):
        return name
    return f"{name[: most - len(first)]}{first}"


def _office(content: bytes) -> str:
    """What an archive is that is an office document without macros."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
            if any(each.lower().endswith("vbaproject.bin") or "Basic/" in each for each in names):
                return ""
            if _TYPES in names:
                is_long = archive.getinfo(_TYPES).file_size > _TYPES_MAX_BYTES
                if is_long or _MACROS.search(archive.read(_TYPES)):
                    return ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                kind = archive.read("mimetype")
                return kind.decode() if _OPEN_DOCUMENT.fullmatch(kind) else ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError):
        return ""
    return next((found for part, found in _PARTS if part in names), "")


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    beginning = text[:_LOOKED_AT].replace("\r\n", "\n")
    if _CONTROLS.search(text) or _MARKUP.search(beginning) or text.startswith("#!"):
        # A mail may have a page in it, and whoever opens one shows mails.
        return "message/rfc822" if _is_mail(beginning) and not _CONTROLS.search(text) else ""
    return "message/rfc822" if _is_mail(beginning) else "text/plain"


def _is_mail(beginning: str) -> bool:
    head = _MAIL.match(beginning)
    return head is not None and {"from", "date"} <= {
        line.partition(":")[0].lower() for line in head[0].splitlines()
    }
