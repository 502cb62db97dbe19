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
from syncadmin.services import connecting
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


def _said_by(code: str) -> set[str]:
    """What a module hands to gettext, by whatever name it calls it."""
    names = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "noop"}
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return {
        str(call.args[0].value)
        for call in calls
        if getattr(call.func, "id", "") in names and call.args and isinstance(call.args[0], ast.Constant)
    }


def test_every_text_of_the_code_is_translated() -> None:
    used = set[str]().union(
        *(
            _said_by(module.read_text(encoding="utf-8"))
            for module in (Path(settings.BASE_DIR) / "syncadmin").rglob("*.py")
        )
    )
    assert len(used) > 1_000
    worded = {text for text in used if re.search(r"[A-Za-z]", HOLES.sub("", text))}
    assert worded - _written().keys() == set()


def test_every_sentence_with_holes_of_the_templates_is_translated() -> None:
    folder = Path(settings.BASE_DIR) / "templates"
    pages = "".join(page.read_text(encoding="utf-8") for page in folder.rglob("*.html"))
    blocks = re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", pages, re.S)
    singles = (block.partition("{% plural %}")[0].replace("%", "%%") for block in blocks)
    texts = {re.sub(r"{{ (\w+) }}", r"%(\1)s", single) for single in singles}
    assert len(texts) > 100
    assert texts - _written().keys() == set()


def test_what_the_services_refuse_with_is_translated() -> None:
    """A view says it in the viewer's language by what the exception says."""
    with translation.override("zh-hant"):
        for text in (
            connecting.TYPE_AGAIN,
            connecting.NOT_OPENED,
            "No key of VAULT_KEYS opens this secret: put the key it was sealed with back.",
        ):
            assert translation.gettext(text) != text


def test_every_text_of_the_catalogue_of_causes_is_translated() -> None:
    written = _written()
    texts = {text for cause in Cause for text in (describe(cause).cause_text, describe(cause).remedy)}
    assert texts - written.keys() == set()


def test_every_count_and_purpose_of_the_services_has_its_words() -> None:
    services = Path(settings.BASE_DIR) / "syncadmin" / "services"
    counted, asked_for = set[str](), set[str]()
    for module in services.rglob("*.py"):
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "did":
                counted |= {word.arg for word in call.keywords if word.arg}
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "for_work":
                asked_for |= {str(given.value) for given in call.args if isinstance(given, ast.Constant)}
    assert len(counted) >= 25
    assert counted - counts.COUNTS.keys() == set()
    assert len(asked_for) > 10
    assert asked_for - counts.PURPOSES.keys() == set()


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
        {code: text for code, text in counts.PURPOSES.items() if code != "sync_person"},
        decisions.TITLES,
    ],
)
def test_words_change_with_the_language(words: dict[str, terms.Text]) -> None:
    english = {code: str(text) for code, text in words.items()}
    with translation.override("zh-hant"):
        chinese = {code: str(text) for code, text in words.items()}
    same = {code for code in words if english[code] == chinese[code]}
    assert same == set()
