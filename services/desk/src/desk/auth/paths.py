"""Where somebody goes after signing in: a path of the desk's own, or its first page."""

from urllib.parse import urlsplit

HOME = "/"
LONGEST = 1024


def checked(back: str | None) -> str:
    r"""A path with its query, as asked for; HOME for all else: another host, `//host`, `/\host`, a scheme."""
    if not back or not back.startswith("/") or len(back) > LONGEST:
        return HOME
    if not (back.isascii() and back.isprintable()) or back[1:2] in ("/", "\\") or "\\" in back:
        return HOME  # browsers read a backslash as a slash, and drop tabs and line ends
    parts = urlsplit(back)
    return HOME if parts.scheme or parts.netloc or parts.path.startswith("/sign-") else back
