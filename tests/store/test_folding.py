"""What somebody types finds who they mean, whatever keyboard they have."""

from __future__ import annotations

import pytest

from syncadmin.store import folding


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("José", "jose"),
        ("JOSÉ  Núñez ", "jose nunez"),
        ("Weiß", "weiss"),
        ("Łukasz Ærø", "lukasz aero"),
        ("Đorđe", "dorde"),
        ("İstanbul", "istanbul"),
        ("ＡＤＡ", "ada"),
        ("王小明", "王小明"),
        ("각", "각"),
        ("Ελένη", "ελενη"),
        ("Ж\u0306", "ж"),
        ("a\0b", "ab"),
        ("", ""),
    ],
)
def test_case_and_accents_do_not_matter(text: str, folded: str) -> None:
    assert folding.fold(text) == folded
    assert folding.fold(folded) == folded


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Ada Byron", ["ada", "byron"]),
        ("Pat O'Brien", ["pat", "o'brien", "obrien", "o", "brien"]),
        ("Jean-Luc", ["jean-luc", "jeanluc", "jean", "luc"]),
        ("王小明", ["王小明", "小明", "明"]),
        ("(Ada)", ["ada"]),
        ("-- & ,", []),
        ("", []),
    ],
)
def test_a_name_is_found_by_each_of_its_words(name: str, words: list[str]) -> None:
    assert folding.words_of(name, "") == words


def test_the_address_is_one_word() -> None:
    assert folding.words_of("Ada", "Ada.Byron@Example.org") == ["ada", "ada.byron@example.org"]
    assert folding.words_of("", "ada") == ["ada"]


def test_a_mistake_of_a_name_does_not_cost_a_thousand_rows() -> None:
    assert len(folding.words_of(" ".join(f"word{number}" for number in range(500)), "a@b")) == folding.MOST_WORDS + 1
    assert max(map(len, folding.words_of("x" * 5_000, ""))) == folding.LONGEST_WORD
    assert len(folding.words_of("王" * 500, "")) <= folding.MOST_WORDS


@pytest.mark.parametrize(
    ("typed", "beginnings"),
    [
        ("Jo Núñ", ["jo", "nun"]),
        ("o'br", ["o'br"]),
        ("Byron, Ada", ["byron", "ada"]),
        ("ada@exam", ["ada@exam"]),
        ("& | ! :*", []),
        ("ada ada", ["ada"]),
    ],
)
def test_what_is_typed_is_taken_apart_the_same_way(typed: str, beginnings: list[str]) -> None:
    assert folding.looked_for(typed) == beginnings


def test_one_letter_is_too_few_but_one_chinese_character_is_not() -> None:
    assert [folding.long_enough(word) for word in ("a", "王", "ab", "7")] == [False, True, True, False]
