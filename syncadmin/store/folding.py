"""Folded text, by which people are sorted and searched: case and accents do not matter.

Made here and not in SQL, since what the database makes of a letter depends on how it was set up.
"""

from __future__ import annotations

import re
import unicodedata

# What Unicode does not take apart, as people type it who have no such key.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n"}
)
# Written without blanks: each character may begin what somebody looks for. Kana and Hangul are among them.
_SCRIPTS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_EASTERN = re.compile(f"[{_SCRIPTS}]")
_RUN = re.compile(f"[{_SCRIPTS}]+")
_WORD = re.compile(r"[^\W_]+")
# A name of five hundred characters is a mistake; it must not cost five hundred rows.
MOST_WORDS, LONGEST_WORD, LONGEST_NAME = 24, 60, 200
LONGEST_EASTERN = 8


def fold(text: str) -> str:
    """Lower case without accents; several blanks are one."""
    if text.isascii():  # nearly every name and address: nothing is there to be taken apart
        return " ".join(text.lower().replace("\0", "").split())
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    # Put together again: Hangul came apart as well.
    whole = unicodedata.normalize("NFC", bare.casefold().translate(_LETTERS))
    return " ".join(whole.replace("\0", "").split())


def words_of(name: str, email: str) -> list[str]:
    """Everything by whose beginning a person is found, in folded form: each word of the name, whole and in its parts,
    and the address."""
    found = dict.fromkeys(word for chunk in fold(name).split(" ") for word in _words_of_chunk(chunk))
    words = [word[:LONGEST_WORD] for word in found if word][:MOST_WORDS]
    address = fold(email)[:320]
    return list(dict.fromkeys([*words, address] if address else words))


def _words_of_chunk(chunk: str) -> list[str]:
    parts = _WORD.findall(chunk)
    if not parts:
        return []
    # O'Brien is looked for as o'brien, obrien and brien.
    whole = chunk[chunk.index(parts[0]) : chunk.rindex(parts[-1]) + len(parts[-1])]
    endings = [
        run[start:]
        for part in parts
        for run in _RUN.findall(part)[:2]
        for start in range(min(len(run), LONGEST_EASTERN))
    ]
    return [whole, "".join(parts), *parts, *endings]


def looked_for(typed: str) -> list[str]:
    """The beginnings somebody typed, folded, each of at most the length of a kept word; without those that hold no
    letter or digit."""
    chunks = fold(typed).split(" ")
    trimmed = (chunk if "@" in chunk else re.sub(r"^[\W_]+|[\W_]+$", "", chunk) for chunk in chunks)
    return list(dict.fromkeys(chunk[:320] if "@" in chunk else chunk[:LONGEST_WORD] for chunk in trimmed if chunk))


def long_enough(beginning: str) -> bool:
    """One letter begins too many names to be worth a search; one Chinese character does not."""
    return len(beginning) > 1 or bool(_EASTERN.match(beginning))


def sort_key(name: str, email: str) -> str:
    """Who has no name stands under the address."""
    return (fold(name) or fold(email))[:LONGEST_NAME]
