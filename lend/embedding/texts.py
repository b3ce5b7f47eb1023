"""One text as it is embedded, or why it is not."""

from __future__ import annotations

from lend.embedding.source import Content, Unreadable

LONGEST = 1_000_000  # characters: more is a book or a file that was read by mistake


def read_text(content: Content) -> str:
    """Return a text.

    Raises:
        ValueError: If it is none, empty or blank, longer than a million characters, or no Unicode.
    """
    if isinstance(content, Unreadable):
        raise ValueError(content.reason)
    assert isinstance(content, str)  # the others are images: of the other kind of source
    if not content.strip():
        raise ValueError("an empty text")
    if len(content) > LONGEST:
        raise ValueError(f"{len(content):,} characters, at most {LONGEST:,} are read")
    try:
        content.encode()
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate, which UTF-8 cannot encode") from None
    return content
