"""Stands in for the package of the same name: UTF-8 alone, straight from C."""

import _codecs


class CodecInfo(tuple):
    """What the codec registry wants: a tuple of four functions, with a name."""

    name = "utf-8"
    _is_text_encoding = True


_UTF_8 = CodecInfo((_codecs.utf_8_encode, _codecs.utf_8_decode, None, None))


def _search(name: str) -> CodecInfo | None:
    return _UTF_8 if name in ("utf-8", "utf_8", "utf8") else None


_codecs.register(_search)
