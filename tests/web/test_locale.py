"""Traditional Chinese is complete, and what is shipped compiled is what was translated."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from syncadmin.engine.causes import Cause
from syncadmin.engine.failures import describe
from syncadmin.web.words import causes, counts, decisions, terms, whys

FOLDER = Path(settings.BASE_DIR) / "locale" / "zh_Hant" / "LC_MESSAGES"
HOLES = re.compile(r"%\(\w+\)0?\d*[sd]|\{\w+\}")


def _written() -> dict[str, str]:
    """Source and translation as the .po file has them, plurals by their singular."""
    found = {}
    for entry in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n")[1:]:
        texts = dict(re.findall(r'^(msgid|msgstr(?:\[0\])?) (".*")$', entry, re.M))
        found[ast.literal_eval(texts["msgid"])] = ast.literal_eval(texts.get("msgstr") or texts["msgstr[0]"])
    return found


def test_nothing_is_left_untranslated_and_every_hole_is_kept() -> None:
    written = _written()
    assert len(written) > 400
    assert [source for source, text in written.items() if not text] == []
    assert [s for s, text in written.items() if sorted(HOLES.findall(s)) != sorted(HOLES.findall(text))] == []


def test_the_compiled_file_says_what_the_written_one_says() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    said = {source: (compiled.gettext(source), compiled.ngettext(source, source, 1)) for source in _written()}
    assert [source for source, text in _written().items() if text not in said[source]] == []


def test_every_text_of_the_templates_is_translated() -> None:
    written = _written()
    folder = Path(settings.BASE_DIR) / "templates"
    used = {
        text
        for page in folder.rglob("*.html")
        for text in re.findall(r"""{% translate (?:"([^"]*)"|'[^']*')""", page.read_text(encoding="utf-8"))
        if text
    }
    assert len(used) > 100
    assert used - written.keys() == set()


def test_every_text_of_the_catalogue_of_causes_is_translated() -> None:
    written = _written()
    texts = {text for cause in Cause for text in (describe(cause).cause_text, describe(cause).remedy)}
    assert texts - written.keys() == set()


@pytest.mark.parametrize(
    "words",
    [
        terms.TABLES,
        terms.RULES,
        terms.ACTIVITIES,
        whys.WHYS,
        whys.WAITS,
        whys.LINKED_HOW,
        causes.TITLES,
        counts.COUNTS,
        decisions.TITLES,
    ],
)
def test_words_change_with_the_language(words: dict[str, terms.Text]) -> None:
    english = {code: str(text) for code, text in words.items()}
    with translation.override("zh-hant"):
        chinese = {code: str(text) for code, text in words.items()}
    same = {code for code in words if english[code] == chinese[code]}
    assert same == set()
